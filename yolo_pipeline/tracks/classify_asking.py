"""A classifier asked: for every picture, a detection of the whole of it for every class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.classification import whole
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.nouns import Detection
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.settings.classify import MODELS
from yolo_pipeline.tracks.classify_models import Classifier, normalisation
from yolo_pipeline.tracks.classify_pixels import to_tensor
from yolo_pipeline.tracks.classify_weights import load
from yolo_pipeline.tracks.yolo_device import torch_device, use_all_cores

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
        with _explained(weights):
            asked = [_probabilities(classifier, part, imgsz, device) for part in _parts(pictures, batch)]
        scores = [row for rows in asked for row in rows.tolist()]
        return [
            _detections(picture, about.names, of_picture, asking)
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
    if not bool(torch.isfinite(found).all()):
        raise ArithmeticError("its values are so large that no probability comes of them")
    return found


def _detections(picture: Pixels, names: Sequence[str], scores: Sequence[float], asking: Asking) -> list[Detection]:
    """The whole picture as each class that is likely enough, the likeliest first; of equal ones, the first class."""
    height, width = picture.shape[:2]
    box = whole("", width, height).box
    ranked = sorted(zip(names, scores, strict=True), key=lambda found: -found[1])
    return [Detection(box, name, score) for name, score in ranked[: asking.most] if score >= asking.conf]


@contextmanager
def _explained(weights: Path) -> Iterator[None]:
    """What torch raises on a machine that is too small, as one line for the user."""
    try:
        yield
    except RuntimeError as error:
        said = str(error)
        if "out of memory" in said.lower() or "can't allocate memory" in said:
            remedy = "Say a smaller imgsz, or device cpu"
            raise InputError(weights, f"memory is not enough: {complaint(error, 160)}", remedy) from error
        raise WeightsError(weights, f"cannot be asked: {complaint(error, 300)}", "Use another run's weights") from error
    except ArithmeticError as error:
        raise WeightsError(weights, str(error), "Train again, or use another run's weights") from error
