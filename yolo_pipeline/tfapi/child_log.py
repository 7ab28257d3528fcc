"""The log of a child process: its stderr, what else it printed, and what can be read from its end."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from yolo_pipeline.errors import InputError
from yolo_pipeline.files import explain_os_error

_TAIL = 64 * 2**10  # bytes that are looked at
_LONGEST_QUOTE = 300  # characters
_LONGEST_GARBAGE = 4096  # bytes of a line that are kept
_FULL = 64 * 2**10  # bytes free, at most, on a disk that counts as full
_TRACEBACK = "Traceback (most recent call last):"
FULL_DISK = ("No space left on device", "Disk quota exceeded")
"""What programs print where a disk is full."""

_NO_MEMORY = ("MemoryError", "std::bad_alloc", "OOM when allocating", "Cannot allocate memory")


class Log:
    """A file that is appended to. What earlier processes left in it is passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def open(self) -> None:
        """
        Raises:
            InputError: it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file: BinaryIO = self.path.open("ab", buffering=0)  # the child writes there, too
        except OSError as error:
            explained = explain_os_error(self.path, error)
            raise explained or InputError(self.path, f"cannot be written ({error.strerror or error})") from error
        self._start = self.size()

    def close(self) -> None:
        self.file.close()

    def garbage(self, line: bytes) -> None:
        """Keeps a line that is no message. A full disk must not end the reading."""
        with suppress(OSError, ValueError):
            self.file.write(line[:_LONGEST_GARBAGE].rstrip(b"\n") + b"\n")

    def size(self) -> int:
        try:
            found = self.path.stat()
        except OSError:
            return 0
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def last_words(self) -> str:
        """What the last traceback ends with; without one, the last line. Empty where nothing was said."""
        _, found, after = self._tail().rpartition(_TRACEBACK)
        lines = [line for line in after.splitlines() if line.strip()]
        if not lines:
            return ""
        ends = (line for line in lines if not line[0].isspace()) if found else reversed(lines)
        return next(iter(ends), lines[-1]).strip()[:_LONGEST_QUOTE].rstrip(" .")

    def tells_of_full_disk(self) -> bool:
        if any(words in self._tail() for words in FULL_DISK):
            return True
        with suppress(OSError):
            return shutil.disk_usage(self.path.parent).free < _FULL
        return False

    def tells_of_no_memory(self) -> bool:
        tail = self._tail()
        return any(words in tail for words in _NO_MEMORY)

    def _tail(self) -> str:
        size = self.size()
        begin = max(self._start, size - _TAIL)
        if size <= begin:
            return ""
        with suppress(OSError), self.path.open("rb") as file:
            file.seek(begin, os.SEEK_SET)
            return file.read(size - begin).decode("utf-8", "replace")
        return ""
