"""The seam to training frameworks. A recipe knows a framework by the Track protocol and by nothing else."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.nouns import Curves, Detection
from yolo_pipeline.progress import Progress
from yolo_pipeline.run import Run

Predictor = Callable[[Sequence[npt.NDArray[np.uint8]]], list[list[Detection]]]
"""A batch of upright RGB pictures, each (height, width, 3) uint8 -> the detections on each, in its pixels."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What training left behind.

    Attributes:
        weights: the weights to use, chosen on validation images.
        start: what it started from: {"file", "sha256"} of pretrained weights, or {"file": None}.
        parameters: number of parameters of the trained model.
        used: settings as the framework really used them (imgsz, batch, device, epochs …).
        own_metrics: what the framework says of itself, under `framework/name`.
    """

    weights: Path
    start: dict[str, Any]
    parameters: int
    used: dict[str, Any]
    own_metrics: dict[str, float] = field(default_factory=dict)


class Track(Protocol):
    """A framework: how a model is trained, and asked."""

    task: Literal["detect", "classify"]

    def check(self, attempt: Attempt, progress: Progress) -> None:
        """Finds the model and weights before any work is done; says what it downloads, if it must.

        Raises:
            WeightsError: they cannot be had.
        """
        ...

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        """Trains in `run.training`. With `resume`, goes on from the last checkpoint there."""
        ...

    def open(self, weights: Path, attempt: Attempt) -> Predictor:
        """A function that detects on pictures, at the lowest confidence that judging wants."""
        ...

    def curves(self, run: Run) -> Curves:
        """One row an epoch, in the shared column names."""
        ...

    def versions(self) -> dict[str, str]:
        """The framework's packages and their versions."""
        ...


TRACKS = {"yolo": "yolo_pipeline.tracks.yolo"}
"""Track name -> module with a class `Track`-shaped object named `track`; imported when it is asked for."""


def open_track(name: str) -> Track:
    track: Track = importlib.import_module(TRACKS[name]).track
    return track
