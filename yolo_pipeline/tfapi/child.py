"""The program of worker/ as a child process: jobs and pictures in, lines of JSON out, and every end of it in one line.

It runs in the API's own environment, in a process group of its own, so that Ctrl-C reaches the parent alone, which lets
it save. When the parent dies its stdin ends, and so does it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from yolo_pipeline.errors import InputError
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.tfapi import environment
from yolo_pipeline.tfapi.child_log import Log
from yolo_pipeline.tfapi.installing import clean_variables

WORKER = (
    "-c",
    "import sys; sys.path = [p for p in sys.path if p] + [sys.argv[1]]; from worker.main import main; main()",
    str(Path(__file__).parent),
)
"""The program, as the interpreter's arguments: not from the current folder, where anything may lie."""

_LONGEST_LINE = 64 * 2**20  # bytes; what is longer is no message
_SLICE_S = 0.5  # how often a waiting parent looks whether the child still lives
_DRAIN_S = 2.0  # for what a dead child said last
_CLOSED_S, _END_S = 5.0, 10.0  # for one that closed stdout, or has nothing left to do, to end
_SMALLER = "Free some memory, or lower train.batch"


class Child:
    """A running worker; leave its `with` block, and it has ended.

    Left by Ctrl-C while it trains, it is asked to save, and waited for; left by another error, it is killed.

    Args:
        task: what it does, with `job`, as worker/ says.
        log: where its stderr goes, and what else stands on its stdout. It is appended to.
        python: the interpreter; None: of the API's environment.
        silence: seconds without a line on stdout or in the log after which it counts as hung.
        patience: seconds that it may take to save once it is asked to stop.
        program: the interpreter's arguments.

    Raises:
        InputError: there is no environment, it cannot be started, or the log cannot be written.
    """

    def __init__(
        self,
        task: str,
        job: Mapping[str, Any],
        log: Path,
        *,
        python: Path | None = None,
        silence: float = 1800.0,
        patience: float = 60.0,
        progress: Progress = silent,
        program: Sequence[str] = WORKER,
    ) -> None:
        self._python = environment.python() if python is None else python
        self._first = _line({"task": task, "job": job})
        self._has_to_save = task == "train"
        self._environment = _environment(job.get("device"))
        self._silence, self._patience = silence, patience
        self._progress, self._program = progress, program
        self._log = Log(log)
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()  # None: stdout has ended
        self._to_write: queue.SimpleQueue[Sequence[bytes | memoryview] | None] = queue.SimpleQueue()
        self._lines = 0
        self._ready: dict[str, Any] | None = None

    def __enter__(self) -> Child:
        self._log.open()
        try:
            self._scratch = tempfile.TemporaryDirectory(prefix="yolo_pipeline-", ignore_cleanup_errors=True)
            self._process = self._start()
        except OSError as error:
            self._log.close()
            reason = f"cannot be started ({error.strerror or error})"
            raise InputError(self._python, reason, environment.REMEDY) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()
        threading.Thread(target=self._write, args=(self._process.stdin,), daemon=True).start()
        self._to_write.put((self._first,))
        return self

    def _start(self) -> subprocess.Popen[bytes]:
        command = [str(self._python), "-X", "utf8", *self._program]
        own_group: dict[str, Any] = {"process_group": 0}
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log.file,
            env=self._environment | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._scratch.name),
            **own_group,
        )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is not None and issubclass(kind, KeyboardInterrupt) and self._has_to_save:
                self.stop()
            elif kind is None:
                self._to_write.put(None)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_END_S)
        finally:
            self._kill()
            self._to_write.put(None)
            self._log.close()
            self._scratch.cleanup()  # TensorFlow leaves files there, and so does whoever is killed

    def messages(self) -> Iterator[dict[str, Any]]:
        """What it says, until and including {"done": …}.

        Raises:
            InputError: it fails, ends before it is done, or hangs: one line with the path of the log.
        """
        while True:
            message = self._next()
            if "done" in message:
                self._has_to_save = False
            yield message
            if "done" in message:
                return

    def ready(self) -> dict[str, Any]:
        """What it says of itself before it answers requests. Waits for that.

        Raises:
            InputError: as `messages`.
        """
        while self._ready is None:
            message = self._next()
            if "ready" in message:
                said = message["ready"]
                self._ready = said if isinstance(said, dict) else {}
        return self._ready

    def ask(self, header: Mapping[str, Any], blobs: Sequence[bytes | memoryview] = ()) -> dict[str, Any]:
        """The answer to one request: a line of JSON, and the bytes that it speaks of.

        Args:
            blobs: contiguous in memory; not changed until the answer is there.

        Raises:
            InputError: as `messages`.
        """
        self.ready()
        self._to_write.put((_line(header), *blobs))
        while "say" in (message := self._next()):
            pass
        return message

    def stop(self) -> dict[str, Any] | None:
        """Asks it to save and end; kills it when it takes longer than its patience. Its last message, if it was done.

        A second Ctrl-C meanwhile kills it at once.
        """
        if self._process.poll() is not None:
            return None
        self._progress.say(f"stopping: TensorFlow saves where it is, within {self._patience:g} seconds")
        self._to_write.put((_line({"stop": True}),))
        self._to_write.put(None)
        until = time.monotonic() + self._patience
        done = None
        try:
            while (left := until - time.monotonic()) > 0 and (message := self._said.get(timeout=left)) is not None:
                done = message.get("done", done)
                if "fault" in message:
                    self._progress.say(f"it did not save: {self._fault(message['fault'])}")
            self._process.wait(max(0.0, until - time.monotonic()))
        except (queue.Empty, subprocess.TimeoutExpired):
            self._progress.say("it did not end, and was killed: what it saved before is kept")
        finally:
            self._kill()
        return done if isinstance(done, dict) else None

    def _next(self) -> dict[str, Any]:
        """The next message; a fault is raised."""
        message = self._waited_for()
        if message is None:
            raise self._ended()
        if "fault" in message:
            raise self._fault(message["fault"])
        return message

    def _waited_for(self) -> dict[str, Any] | None:
        """The next message; None once there will be no more.

        Raises:
            InputError: neither stdout nor the log grew for too long. It is killed.
        """
        alive, since = self._signs_of_life(), time.monotonic()
        while True:
            with suppress(queue.Empty):
                return self._said.get(timeout=min(_SLICE_S, self._silence))
            if self._process.poll() is not None:  # what it started may hold its stdout open
                with suppress(queue.Empty):
                    return self._said.get(timeout=_DRAIN_S)
                return None
            if (signs := self._signs_of_life()) != alive:
                alive, since = signs, time.monotonic()
            elif time.monotonic() - since >= self._silence:
                self._kill()
                reason = f"the TensorFlow process said nothing for {self._silence:g} seconds and was ended"
                raise InputError(self._log.path, reason, "Look there for what it did last, and try again")

    def _signs_of_life(self) -> tuple[int, int]:
        return self._lines, self._log.size()

    def _fault(self, said: Any) -> InputError:
        """What the worker itself says went wrong."""
        fault = said if isinstance(said, dict) else {"reason": said}
        return InputError(self._log.path, str(fault.get("reason")), str(fault.get("remedy") or ""))

    def _ended(self) -> InputError:
        """Why it ended before it was done."""
        closed = False
        try:
            code = self._process.wait(_CLOSED_S)
        except subprocess.TimeoutExpired:
            closed, code = True, 0
            self._kill()
        return InputError(self._log.path, *self._end(code, closed))

    def _end(self, code: int, closed: bool) -> tuple[str, str]:
        """(reason, remedy) of an exit code, negative for a signal."""
        said = self._log.last_words()
        quoted = f": {said}" if said else ""
        if self._log.tells_of_full_disk():
            return f"the TensorFlow process stopped: the disk is full{quoted}", "Free some space and try again"
        if self._log.tells_of_no_memory() or code == -9:
            how = "was killed, most likely as memory ran out" if code == -9 else f"ran out of memory{quoted}"
            return f"the TensorFlow process {how}", _SMALLER
        if closed:
            return f"the TensorFlow process closed its output without ending{quoted}", "Try again"
        if code < 0:
            return f"the TensorFlow process was ended by {_signal(-code)}{quoted}", "Look there for more"
        if code == 0:
            return f"the TensorFlow process ended without a result{quoted}", "Look there for more"
        return f"the TensorFlow process failed (exit code {code}){quoted}", "Look there for more"

    def _kill(self) -> None:
        """Ends it, and what it started."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _read(self, stdout: BinaryIO) -> None:
        """Runs in a thread: messages to the queue, all else to the log."""
        with suppress(OSError, ValueError), stdout:
            while line := stdout.readline(_LONGEST_LINE):
                if (message := _message(line)) is None:
                    self._log.garbage(line)
                else:
                    self._said.put(message)
                self._lines += 1
        self._said.put(None)

    def _write(self, stdin: BinaryIO) -> None:
        """Runs in a thread, as a child that hangs does not read. One that has ended is told of by its stdout."""
        with suppress(OSError, ValueError), stdin:
            while (parts := self._to_write.get()) is not None:
                _write_all(stdin, parts)


def _write_all(stdin: BinaryIO, parts: Iterable[bytes | memoryview]) -> None:
    for part in parts:
        stdin.write(part)
    stdin.flush()


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, default=os.fspath).encode() + b"\n"


def _message(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a whole line; None for anything else."""
    if not line.endswith(b"\n"):
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _environment(device: Any) -> dict[str, str]:
    """The variables of the child's environment; the device is the job's."""
    ours = clean_variables() | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if device is not None:
        ours["CUDA_VISIBLE_DEVICES"] = "" if str(device) == "cpu" else str(device)
    return ours


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
