"""Evidence made by hand: a training without fault, and what differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from yolo_pipeline.advising import Evidence
from yolo_pipeline.diagnosis import (
    ERROR_NAMES,
    Calibration,
    Case,
    ConfidenceCurve,
    ConfusedPair,
    ConfusionMatrix,
    CurveReading,
    Diagnosis,
    ErrorKind,
    FalseAlarms,
    Missed,
    Suspect,
    SuspectKind,
)
from yolo_pipeline.nouns import Box, ClassScores, Detection, Finding, Scores, Truth
from yolo_pipeline.settings import check_train

BOX = Box(0, 0, 10, 10)


def evidence(mAP50: float = 0.9, **fields: Any) -> Evidence:  # noqa: N803
    """An attempt of 300 training pictures with 100 boxes of each of two classes; nothing is wrong with it."""
    faultless: dict[str, Any] = {
        "settings": {"model": "yolov8n", "pretrained": True, "data": {}, "train": {"imgsz": 640, "epochs": 100}},
        "names": ("cat", "dog"),
        "counts": {
            "train": {"images": 300, "boxes": 200, "backgrounds": 9, "classes": {"cat": 100, "dog": 100}},
            "val": {"images": 100, "boxes": 200, "backgrounds": 10},
            "test": {"images": 100, "boxes": 200, "backgrounds": 10},
        },
        "scores": scores({"cat": mAP50, "dog": mAP50}),
        "diagnosis": diagnosis(),
        "reading": reading(),
    }
    return Evidence(**{**faultless, **fields})


def settings(model: str = "yolov8n", pretrained: bool = True, data: Any = None, **train: Any) -> dict[str, Any]:
    said = {"imgsz": 640, "epochs": 100, **train}
    return {"model": model, "pretrained": pretrained, "data": data or {}, "train": said}


def tfapi(model: str = "ssd_mobilenet_v2_fpnlite_320x320", pretrained: Any = True, **train: Any) -> dict[str, Any]:
    """Settings as an attempt of the track tfapi records them, all defaults filled in."""
    resolved = check_train("tfapi", model, train)
    return {"track": "tfapi", "model": model, "pretrained": pretrained, "data": {}, "train": resolved}


def by_steps(**fields: Any) -> CurveReading:
    """The same as `reading`, of a training of 2,000 steps."""
    return reading(**{"epochs": 2000, "asked": 2000, "best": 1600, "lowest": 1600, "unit": "step", **fields})


def scores(classes: Mapping[str, float | None]) -> Scores:
    known = [ap for ap in classes.values() if ap is not None]
    mean = sum(known) / len(known)
    each = {name: ClassScores(100, ap, ap, 0.9, 0.9, 0.9) for name, ap in classes.items()}
    return Scores(100, 200, 300, mean, mean, 0.9, 0.9, 0.9, 0.5, 180, each)


def reading(**fields: Any) -> CurveReading:
    level: dict[str, Any] = {
        "epochs": 100, "asked": 100, "best": 80, "still_falling": 0.01, "val_rise": 0.02, "lowest": 80,
        "train_fall": 0.05, "stopped_early": False,
    }  # fmt: skip
    return CurveReading(**{**level, **fields})


def diagnosis(**fields: Any) -> Diagnosis:
    faultless: dict[str, Any] = {
        "split": "val", "conf": 0.5, "images": 100, "truths": 200,
        "errors": tuple(ErrorKind(name, 0.0, 0) for name in ERROR_NAMES),
        "matrix": ConfusionMatrix(("cat", "dog"), np.zeros((3, 3), dtype=np.int64)),
        "cases": (), "pairs": (),
        "by_size": (Missed("32 to 96 px", 200, 10),), "by_class": (),
        "alarms": FalseAlarms(0, 10, (), 0),
        "curve": curve(), "recalls": (), "pr": {}, "calibration": Calibration(0.0, ()), "suspects": (),
        "median_iou": 0.9,
    }  # fmt: skip
    return Diagnosis(**{**faultless, **fields})


def curve(f1_at: Mapping[float, float] | None = None) -> ConfidenceCurve:
    """F1 is 0.9 at every confidence but those that are named."""
    conf = tuple(step / 100 for step in range(101))
    f1 = tuple((f1_at or {}).get(value, 0.9) for value in conf)
    return ConfidenceCurve(conf, f1, f1, f1, f1, best=0.5)


def suspects(kind: SuspectKind, number: int, *, first: int = 0) -> tuple[Suspect, ...]:
    """One of a cat on each of `number` pictures, which the model takes for a dog."""
    truth = None if kind == "missing" else Truth(BOX, "cat")
    return tuple(
        Suspect(kind, f"{n}.jpg", truth, (Detection(BOX, "dog", 0.9),), 0.9) for n in range(first, first + number)
    )


def labelled(images: Iterable[str]) -> tuple[Case, ...]:
    """A found cat on each of the images."""
    return tuple(Case(image, Truth(BOX, "cat"), Detection(BOX, "cat", 0.9), 1.0) for image in images)


def pair(count: int, share: float) -> ConfusedPair:
    return ConfusedPair("cat", "dog", count, share, tuple(f"{n}.jpg" for n in range(count)))


def finding(kind: str, files: int = 1, **figures: Any) -> Finding:
    return Finding(kind, "fault", "", "", tuple(f"{n}.jpg" for n in range(files)), figures)
