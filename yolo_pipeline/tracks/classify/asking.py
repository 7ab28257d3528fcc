"""A classifier asked: for every picture, a detection of the whole of it for every class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.classification import whole
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.nouns import Detection
from yolo_pipeline.settings.classify import MODELS
from yolo_pipeline.tracks.classify.models import Classifier, normalisation
from yolo_pipeline.tracks.classify.pixels import to_tensor
from yolo_pipeline.tracks.classify.weights import load
from yolo_pipeline.tracks.torch_device import explained, torch_device, use_all_cores

_BATCH_ON_GPU, _BATCH_ON_CPU = 64, 16
_CALLERS_ON_GPU = 2  # one stretches pictures while the other's are looked at; on a CPU each takes all cores


def open_classifier(weights: Path, asking: Asking) -> Predictor:
    """
    Raises:
        WeightsError: the file cannot be read.
        InputError: a device that is not there, or an imgsz too small for the model.
    """
    classifier, about = load(weights)
    imgsz = asking.imgsz or about.imgsz
    if imgsz < (least := MODELS[about.model].least):
        raise InputError("imgsz", f"is {imgsz}, too small for {about.model}", f"Say {least} or more, or leave it out")
    device = torch_device(asking.device, "device")
    on_cpu = device.type == "cpu"
    if on_cpu:
        use_all_cores()
    batch = _BATCH_ON_CPU if on_cpu else _BATCH_ON_GPU
    classifier.to(device)

    def find(pictures: Sequence[Pixels]) -> list[list[Detection]]:
        with explained(weights, "Use another run's weights"):
            asked = [_probabilities(classifier, part, imgsz, device) for part in _parts(pictures, batch)]
        scores = [row for rows in asked for row in rows.tolist()]
        if not all(math.isfinite(score) for row in scores for score in row):
            reason = "its values are so large that no probability comes of them"
            raise WeightsError(weights, reason, "Train again, or use another run's weights")
        return [
            answers_of(picture, about.names, of_picture, asking)
            for picture, of_picture in zip(pictures, scores, strict=True)
        ]

    return Predictor(find, about.names, imgsz, batch, 1 if on_cpu else _CALLERS_ON_GPU)


def _parts(pictures: Sequence[Pixels], size: int) -> Iterator[Sequence[Pixels]]:
    for start in range(0, len(pictures), size):
        yield pictures[start : start + size]


def _probabilities(
    classifier: Classifier, pictures: Sequence[Pixels], imgsz: int, device: torch.device
) -> torch.Tensor:
    """(N, C) float32 on the CPU; each row adds up to 1."""
    with torch.inference_mode():
        pixels = to_tensor(pictures, imgsz, normalisation(classifier.model))
        found: torch.Tensor = classifier(pixels.to(device)).softmax(dim=1).cpu()
    return found


def answers_of(picture: Pixels, names: Sequence[str], scores: Sequence[float], asking: Asking) -> list[Detection]:
    """The whole picture as each class that is likely enough, the likeliest first; of equal ones, the first class."""
    height, width = picture.shape[:2]
    box = whole("", width, height).box
    ranked = sorted(zip(names, scores, strict=True), key=lambda found: -found[1])
    return [Detection(box, name, score) for name, score in ranked[: asking.most] if score >= asking.conf]
