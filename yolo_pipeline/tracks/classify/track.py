"""The track classify: torchvision's backbones under a head of one's own; `yolov8n-cls` and its kin by Ultralytics."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from yolo_pipeline import settings as facts
from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Curves
from yolo_pipeline.progress import Progress
from yolo_pipeline.results import part
from yolo_pipeline.run import Run
from yolo_pipeline.settings.classify import DEFAULTS, is_ultralytics
from yolo_pipeline.tracks import Trained
from yolo_pipeline.tracks.classify import checkpoint, training
from yolo_pipeline.tracks.classify.asking import open_classifier
from yolo_pipeline.tracks.classify.weights import SUFFIX
from yolo_pipeline.tracks.own_runtime import OwnRuntime
from yolo_pipeline.tracks.torch_device import torch_device

if TYPE_CHECKING:
    from yolo_pipeline.tracks.classify.yolo import UltralyticsClassifier

_ALL = 100_000
"""More classes than any model has: the judge is told of every one."""
_PACKAGES = ("torch", "torchvision", "safetensors")


class ClassificationTrack(OwnRuntime):
    task: Literal["detect", "classify"] = "classify"
    runtime = "torch"
    targets: Mapping[str, tuple[str, ...]] = {}

    def asking(self, settings: Mapping[str, Any]) -> Asking:
        """For the probability of every class."""
        train, model = part(settings, "train"), str(settings.get("model"))
        imgsz, device = train.get("imgsz"), train.get("device")
        return Asking(
            imgsz=imgsz if isinstance(imgsz, int) else facts.trained_size("classify", model, train),
            conf=0.0,
            most=_ALL,
            device=None if device is None else str(device),
        )

    def check(self, attempt: Attempt, progress: Progress) -> None:
        if is_ultralytics(attempt.model):
            _ultralytics().check(attempt, progress)
            return
        device = torch_device(attempt.train.get("device"), attempt.where("train.device"))
        begun = training.begin(attempt, len(attempt.data.classes or ()) or 2, progress)
        if device.type == "cpu" and attempt.train.get("device") is None and begun.first < len(begun.classifier.blocks):
            progress.say("no CUDA device found: training on the CPU, which is slow where more than the head is trained")
        if attempt.train["optimizer"] == "RMSprop" and attempt.train["momentum"] != DEFAULTS["momentum"]:
            progress.say(f"{attempt.where('train.momentum')}: is not used, as RMSprop has none here")

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        if is_ultralytics(attempt.model):
            return _ultralytics().train(attempt, dataset, run, progress, resume=resume)
        return training.train(attempt, dataset, run, progress, resume=resume)

    def open(self, weights: Path, asking: Asking, runtime: str = "") -> Predictor:
        if runtime:
            self.require_own(runtime)
        if weights.suffix.lower() == SUFFIX:
            return open_classifier(weights, asking)
        return _ultralytics().open(weights, asking)

    def export(
        self, weights: Path, target: str, folder: Path, asking: Asking, samples: Sequence[Path], progress: Progress
    ) -> Path:
        raise InputError(weights, "classifies pictures, and only detectors can be exported", "Hand it on as it is")

    def curves(self, run: Run) -> Curves:
        if is_ultralytics(str(part(run.record, "settings").get("model", ""))):
            return _ultralytics().curves(run)
        return checkpoint.curves_of(run.training)

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in (*_PACKAGES, "ultralytics")}


track = ClassificationTrack()


def _ultralytics() -> UltralyticsClassifier:
    """Imported late: it takes seconds."""
    from yolo_pipeline.tracks.classify.yolo import UltralyticsClassifier

    return UltralyticsClassifier()
