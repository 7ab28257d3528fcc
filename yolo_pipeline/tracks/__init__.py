"""The seam to training frameworks: all that a recipe knows of one. What needs it is imported late."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.nouns import Curves
from yolo_pipeline.progress import Progress
from yolo_pipeline.run import Run


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
    """A classifier's predictor gives a detection of the whole picture for every class, its score the probability."""

    runtime: str
    """What runs its weights as they were trained, and what every other runtime is held to: torch, tensorflow."""

    targets: Mapping[str, tuple[str, ...]]
    """What it exports to -> packages that this needs beside its own, to be written and to be tried."""

    def asking(self, settings: Mapping[str, Any]) -> Asking:
        """As an attempt's model is asked, by the judge and where a user says nothing else.

        Args:
            settings: of the attempt, as `Attempt.settings()` gives them and a run records them; of an imported run
                some may be missing.
        """
        ...

    def check(self, attempt: Attempt, progress: Progress) -> None:
        """Finds the model and weights before any work is done; says what it downloads, if it must.

        Raises:
            WeightsError: they cannot be had.
        """
        ...

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        """Trains in `run.training`. With `resume`, goes on from the last checkpoint there."""
        ...

    def open(self, weights: Path, asking: Asking, runtime: str = "") -> Predictor:
        """Opens a weights file, or a network that `export` wrote, which runs as what it is.

        Args:
            runtime: one of `runtimes()` that was prepared; empty, or the track's own: as it was trained.

        Raises:
            WeightsError: it cannot be read.
        """
        ...

    def runtimes(self, device: str | None) -> tuple[str, ...]:
        """What else than its own runtime can run its networks, of what is installed, the likely fastest first."""
        ...

    def prepared(self, weights: Path, runtime: str) -> bool:
        """Whether `open` can use a runtime at once. Imports no framework."""
        ...

    def prepare(self, weights: Path, runtime: str, asking: Asking, samples: Sequence[Path], progress: Progress) -> None:
        """Exports the network for a runtime into the user's cache, where `open` finds it by the weights' sha256.

        Args:
            samples: training pictures, for runtimes with whole numbers (int8), whose scale is measured on them.

        Raises:
            WeightsError: it cannot be exported.
            InputError: a package that it needs is not installed.
        """
        ...

    def export(
        self, weights: Path, target: str, folder: Path, asking: Asking, samples: Sequence[Path], progress: Progress
    ) -> Path:
        """Writes the model in another format, one of `targets`, into a folder; its path.

        For the target `bundle`: what others need of the model itself, without the paths of this disk.

        Args:
            samples: training pictures, for targets in whole numbers.
        """
        ...

    def curves(self, run: Run) -> Curves:
        """A row an epoch, or a logged step on the track tfapi, in the shared column names."""
        ...

    def versions(self) -> dict[str, str]:
        """The framework's packages and their versions."""
        ...


TRACKS = {
    "yolo": "yolo_pipeline.tracks.yolo.track",
    "tfapi": "yolo_pipeline.tracks.tfapi.track",
    "classify": "yolo_pipeline.tracks.classify.track",
}
"""Track name -> module with a class `Track`-shaped object named `track`; imported when it is asked for."""


def open_track(name: str) -> Track:
    track: Track = importlib.import_module(TRACKS[name]).track
    return track


def said_by(weights: Path) -> tuple[str, dict[str, Any]]:
    """The track that weights or an exported network are for, and what they say of themselves, as an attempt would.

    Raises:
        WeightsError: they are damaged.
    """
    if weights.is_dir() or weights.suffix.lower() == ".zip":
        from yolo_pipeline.tracks.tfapi import asking

        return "tfapi", asking.settings_of(weights)
    if weights.suffix.lower() == ".safetensors":
        from yolo_pipeline.tracks.classify import weights as classifiers

        return "classify", classifiers.settings_of(weights)
    from yolo_pipeline.tracks.yolo.weights import is_classifier

    return "classify" if is_classifier(weights) else "yolo", {}
