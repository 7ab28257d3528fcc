"""How the worker and its parent talk: lines of JSON, and for pictures the bytes that a line speaks of.

Answers go to what was stdout when the worker began. From then on stdout is stderr, so that what libraries print cannot
come between. The end of stdin is the end of the parent.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from .faults import Fault

_LONGEST_SAVING_S = 600.0


class Parent:
    """The process that started this one.

    Attributes:
        task: what it wants.
        job: and with what.
        asked_to_stop: set once it wants an end, or has itself ended.
    """

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._in = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115  unbuffered: a thread may wait in it at exit
        self._lock = threading.Lock()
        self._is_done = False
        self.asked_to_stop = threading.Event()
        first = self._read_line()
        if first is None:
            raise SystemExit("nothing was asked of the worker")
        self.task = str(first.get("task"))
        self.job: dict[str, Any] = first.get("job") or {}

    def send(self, message: dict[str, Any]) -> None:
        """A parent that has gone hears nothing, and wants no more."""
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._lock:
                while line:
                    line = line[os.write(self._out, line) :]
        except OSError:
            self.asked_to_stop.set()

    def say(self, text: str) -> None:
        self.send({"say": text})

    def done(self, result: dict[str, Any]) -> None:
        """The last message. From now on the parent's leaving means nothing."""
        self._is_done = True
        self.send({"done": result})

    def watch(self, stopped: Callable[[], None]) -> None:
        """Calls `stopped`, in a thread, once the parent wants an end. A task that then does not end is ended."""

        def wait() -> None:
            while (message := self._read_line()) is not None and not message.get("stop"):
                pass
            if self._is_done:
                return
            self.asked_to_stop.set()
            stopped()
            time.sleep(_LONGEST_SAVING_S)
            os._exit(1)

        threading.Thread(target=wait, daemon=True).start()

    def leave(self) -> None:
        """The end of a task that has nothing to save."""
        os._exit(1)

    def requests(self) -> Iterator[tuple[dict[str, Any], list[bytearray]]]:
        """Each request with a picture's bytes for every [height, width] of its `shapes`, until the parent wants an end.

        Raises:
            Fault: a request that makes no sense.
        """
        while (header := self._read_line()) is not None and not header.get("stop"):
            try:
                sizes = [_area(*shape) * 3 for shape in header["shapes"]]
            except (KeyError, TypeError, ValueError) as error:
                raise Fault(f"a request was not understood: {str(header)[:200]}") from error
            blobs = [self._read(size) for size in sizes]
            if any(blob is None for blob in blobs):
                return
            yield header, [blob for blob in blobs if blob is not None]

    def _read_line(self) -> dict[str, Any] | None:
        """The next line's object; None at the end."""
        line = self._in.readline()
        if not line:
            return None
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        return message if isinstance(message, dict) else {}

    def _read(self, size: int) -> bytearray | None:
        """So many bytes; None where the parent ended before."""
        content = bytearray(size)
        view, filled = memoryview(content), 0
        while filled < size:
            count = self._in.readinto(view[filled:])
            if not count:
                return None
            filled += count
        return content


def _area(height: int, width: int) -> int:
    if not (0 < height <= 100_000 and 0 < width <= 100_000):
        raise ValueError(f"{height} x {width}")
    return int(height) * int(width)
