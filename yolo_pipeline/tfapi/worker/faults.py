"""What goes wrong in words that a user can act on."""

from __future__ import annotations

import errno
from typing import Any

_NO_DISK = ("No space left on device", "Disk quota exceeded")
_LONGEST = 300  # characters of what a library says


class Fault(Exception):
    """Ends the task: REASON. REMEDY."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason.rstrip(" .")  # as libraries end what they say
        self.remedy = remedy

    def message(self) -> dict[str, Any]:
        return {"fault": {"reason": self.reason, "remedy": self.remedy}}


def explained(error: BaseException, batch: int | None = None) -> Fault:
    """A fault for any error.

    Args:
        batch: pictures a step, if the task trains.
    """
    if isinstance(error, Fault):
        return error
    said = " ".join(str(error).split())
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or any(words in said for words in _NO_DISK):
        return Fault("the disk is full", "Free some space and try again")
    kind = type(error).__name__
    if kind == "ResourceExhaustedError" or isinstance(error, MemoryError):
        if batch is None:
            return Fault("ran out of memory", "Free some memory, or use the device cpu")
        return Fault(f"ran out of memory with train.batch {batch}", "Make train.batch smaller")
    if kind == "DataLossError":
        return Fault(f"a file is damaged: {said[:_LONGEST]}", "Write it anew")
    return Fault(f"{kind}: {said[:_LONGEST]}", "Look in the log for more")
