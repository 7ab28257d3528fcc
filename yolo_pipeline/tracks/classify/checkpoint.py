"""What a classifier in training leaves while it runs: last.pt to go on from, and a row an epoch in results.csv."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from yolo_pipeline.errors import FinishedError, WeightsError
from yolo_pipeline.files import write_text
from yolo_pipeline.nouns import Curves
from yolo_pipeline.run import read_curves
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.tracks import Trained
from yolo_pipeline.tracks.classify.fitting import Fitting

_SECONDS_BETWEEN = 5.0  # an interruption costs no more than that; the head alone has ten epochs in a second
_MEASURED = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
_ENDED = {field.name for field in fields(Trained)} - {"weights"}
_AGAIN = "Begin anew with --again"


class Journal:
    """Writes both files after an epoch, at most every few seconds; all of it at the end."""

    def __init__(self, training: Path, start: Mapping[str, Any], steps: int) -> None:
        """
        Args:
            training: `Run.training`.
            start: the weights that it began from, as they are recorded.
            steps: of an epoch.
        """
        self.checkpoint, self.weights = training / "weights" / "last.pt", training / "weights" / "best.safetensors"
        self._results = training / "results.csv"
        self._start, self._steps = dict(start), steps
        self._seconds: list[float] = []
        self._before, self._began, self._saved = 0.0, time.monotonic(), -_SECONDS_BETWEEN

    def resume(self, fitting: Fitting) -> None:
        """
        Raises:
            WeightsError: the checkpoint is damaged, or of another training.
            FinishedError: it began from other weights than there are now.
        """
        checkpoint = _read(self.checkpoint)
        if checkpoint.get("start") != self._start:
            named = self._start.get("file") or self.checkpoint
            reason = "is not the weights file that the run was begun with"
            raise FinishedError(str(named), reason, "Put that one back, or add --again to begin anew")
        try:
            fitting.restore(checkpoint["fitting"])
            self._seconds = [float(second) for second in checkpoint["seconds"]]
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = f"is no checkpoint of this training ({complaint(error)})"
            raise WeightsError(self.checkpoint, reason, _AGAIN) from error
        self._before = self._seconds[-1] if self._seconds else 0.0

    def start_clock(self) -> None:
        self._began = time.monotonic()

    def note(self, fitting: Fitting) -> None:
        """After each epoch."""
        now = time.monotonic()
        self._seconds.append(self._before + now - self._began)
        if now - self._saved >= _SECONDS_BETWEEN:
            self._write(fitting)
            self._saved = time.monotonic()

    def end(self, fitting: Fitting, trained: Trained) -> None:
        """The last words, once the weights are saved: there is nothing to go on with."""
        self._write_results(fitting)
        said = {key: value for key, value in asdict(trained).items() if key in _ENDED}
        _save(self.checkpoint, {"ended": said})

    def _write(self, fitting: Fitting) -> None:
        self._write_results(fitting)
        _save(self.checkpoint, {"start": self._start, "seconds": self._seconds, "fitting": fitting.state()})

    def _write_results(self, fitting: Fitting) -> None:
        measured = [name for name in _MEASURED if name in fitting.rows[0]]
        lines = [",".join(("step", "epoch", "seconds", *measured))]
        for epoch, (seconds, row) in enumerate(zip(self._seconds, fitting.rows, strict=True), start=1):
            figures = ",".join(f"{row[name]:.9g}" for name in measured)
            lines.append(f"{epoch * self._steps},{epoch},{seconds:.3f},{figures}")
        write_text(self._results, "\n".join(lines) + "\n")


def ended(checkpoint: Path) -> dict[str, Any] | None:
    """What came of a training that was done when it was interrupted, as `Trained` has it; None where it was not.

    Raises:
        WeightsError: the checkpoint is damaged.
    """
    said = _read(checkpoint).get("ended")
    if said is None:
        return None
    if not isinstance(said, dict) or said.keys() != _ENDED:
        raise WeightsError(checkpoint, "does not say what came of its training", _AGAIN)
    return said


def curves_of(training: Path) -> Curves:
    """
    Raises:
        InputError: results.csv is damaged or missing.
    """
    return read_curves(training / "results.csv", _AGAIN)


def _read(file: Path) -> dict[str, Any]:
    try:
        checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling broken files raises anything
        raise WeightsError(file, f"cannot be read ({complaint(error)})", _AGAIN) from error
    if not isinstance(checkpoint, dict):
        raise WeightsError(file, "is no checkpoint of this track", _AGAIN)
    return checkpoint


def _save(file: Path, state: Mapping[str, Any]) -> None:
    """`file` holds what it held or all of the state."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.part")
    try:
        with open(beside, "wb") as stream:  # a name would be written into the file
            torch.save(dict(state), stream)
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
