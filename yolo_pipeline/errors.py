"""Every error that a user can meet.

    PipelineError            exit code 1 unless a subclass says otherwise
    ├── UsageError           2  the command line asks for something that does not exist
    └── InputError           3  a file, key or folder that is not what it should be
        ├── AnnotationError  3  labels or pictures that cannot be read
        ├── AttemptError     3  attempts/N.yaml or data.yaml
        ├── DataError        3  the data cannot be built as asked (split, backgrounds, classes)
        ├── WeightsError     3  model or weights that cannot be had or read
        └── FinishedError    3  the run is there already

The text of every InputError is one line: `WHERE: REASON. WHAT TO DO`.
"""

from __future__ import annotations

import shlex
from pathlib import Path

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended, as shells have it."""


class PipelineError(Exception):
    """Base of all errors that end a command with one line instead of a traceback."""

    exit_code = 1


class UsageError(PipelineError):
    exit_code = 2


class InputError(PipelineError):
    """Bad input.

    Args:
        where: the file, folder or `file: key` at fault.
        reason: what is wrong there, without a full stop.
        remedy: what the user can do about it, without a full stop; may be empty.
    """

    exit_code = 3

    def __init__(self, where: str | Path, reason: str, remedy: str = "") -> None:
        self.where = str(where)
        self.reason = one_line(reason)
        self.remedy = one_line(remedy)
        text = f"{one_line(self.where)}: {self.reason}"
        super().__init__(f"{text}. {self.remedy}" if self.remedy else text)


class AnnotationError(InputError):
    pass


class AttemptError(InputError):
    pass


class DataError(InputError):
    pass


class WeightsError(InputError):
    pass


class FinishedError(InputError):
    pass


def command(root: Path, words: str) -> str:
    """What to type for a command on the project in `root`, as its options stand in an error message."""
    project = "" if root == Path() else f" --project {shlex.quote(str(root))}"
    return f"python -m yolo_pipeline {words}{project}"


def one_line(text: str) -> str:
    """`text` without line breaks or control characters, so that hostile names cannot forge output lines."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """`text` with a blank for each line break and control character."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def unfetched(file: Path) -> WeightsError:
    """The fault of pretrained weights that an attempt starts from, and that are neither there nor to be had."""
    reason = "the pretrained weights are not there and cannot be fetched (no network?)"
    remedy = f"Put {file.name} there, or start from scratch with `pretrained: false` in the attempt"
    return WeightsError(file, reason, remedy)
