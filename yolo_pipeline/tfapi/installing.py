"""A virtual environment filled by its own pip: how far it is, and why it failed, in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.progress import Progress
from yolo_pipeline.tfapi.child_log import FULL_DISK

_PACKAGES = 56  # that the pins bring, all together; only the bar needs it
_FOUND = re.compile(r"\s*(?:Collecting|Processing) (\S+)")
_FETCHED = re.compile(r"\s*(Downloading|Using cached) (\S+) ?(\(.*\))?")
_UNREACHED = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|Network is unreachable"
    r"|ConnectionResetError|Temporary failure in name resolution",
)
_LONGEST_QUOTE = 300


@dataclass(slots=True)
class Installation:
    """Packages on their way into an environment.

    Attributes:
        python: the environment's.
        log: what all commands print; begun anew by `begin`.
    """

    python: Path
    log: Path
    progress: Progress
    _collected: int = 0

    def begin(self, folder: Path) -> None:
        """Makes the empty environment.

        Raises:
            InputError: Python's venv fails.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        self._run([sys.executable, "-m", "venv", "--clear", str(folder)], "the environment cannot be made")

    def install(self, packages: Sequence[str], *, alone: bool = False) -> None:
        """
        Args:
            alone: without the packages that these ask for.

        Raises:
            InputError: pip fails.
        """
        options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        only = ["--no-deps"] if alone else []
        self._run([str(self.python), "-m", "pip", "install", *options, *only, *packages], "pip failed")

    def _run(self, command: Sequence[str], failure: str) -> None:
        """Runs a command to its end, its output in the log."""
        began = self.log.stat().st_size
        with self.log.open("ab", buffering=0) as log, _started(command) as process:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                self._tell(line.decode("utf-8", "replace"))
            code = process.wait()
        if code:
            raise self._failed(failure, self.log.read_bytes()[began:].decode("utf-8", "replace"))

    def _tell(self, line: str) -> None:
        """Says what a line of pip's means for the user."""
        if found := _FOUND.match(line):
            self._collected += 1
            self._at(re.split(r"[/\\]", found[1])[-1])
        elif fetched := _FETCHED.match(line):
            self._at(" ".join(filter(None, (fetched[2].rpartition("/")[2], fetched[3]))))
        elif line.startswith("Installing collected packages") and line.count(",") > 1:
            self.progress.say("unpacking the packages: about a minute")

    def _at(self, what: str) -> None:
        done = min(self._collected, _PACKAGES)
        self.progress.at("fetching packages", done, _PACKAGES, one_line(what))

    def _failed(self, failure: str, said: str) -> InputError:
        if any(words in said for words in FULL_DISK):
            return InputError(self.log, "the disk is full", "Free some space and try again; nothing was left behind")
        if _UNREACHED.search(said):
            reason = "the packages cannot be fetched: the network, or pip's package index, is not reached"
            return InputError(self.log, reason, "Check the connection (and pip's settings) and try again")
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")]
        quoted = (errors or lines or ["it said nothing"])[-1][:_LONGEST_QUOTE].rstrip(".")
        return InputError(self.log, f"{failure}: {quoted}", "Look there for more")


def clean_variables() -> dict[str, str]:
    """The environment variables for a Python of another environment: those that bring this one's packages stay out."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


@contextmanager
def _started(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A running command, its stderr in its stdout; it is ended when the block is left."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**clean_variables(), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PIP_USER": "0"},
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
