"""Evidence of a classifier, made by hand: a training without fault, and what differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from made_evidence import reading

from yolo_pipeline.advising import Evidence
from yolo_pipeline.classification import (
    Answer,
    Classified,
    PictureClassScores,
    PictureDiagnosis,
    PictureMatrix,
    PictureScores,
)
from yolo_pipeline.diagnosis import Calibration, ConfusedPair
from yolo_pipeline.judging.classified import picture_intervals
from yolo_pipeline.settings import check_train

NAMES = ("cat", "dog")


def of_pictures(**fields: Any) -> Evidence:
    """ResNet18, frozen, under a dense layer, on 300 training pictures; nothing is wrong with it."""
    known = fields.get("classified", classified())
    faultless: dict[str, Any] = {
        "settings": said_of_head(0.3),
        "names": NAMES,
        "counts": counts(150, 150),
        "reading": reading(),
        "classified": known,
        "intervals": known.intervals if known else {},
        "kept": {"train/accuracy": 0.97},
        "start": {"file": "resnet18.pth"},
    }
    return Evidence(**{**faultless, **fields})


def said_of_head(*dropouts: float, model: str = "resnet18", **train: Any) -> dict[str, Any]:
    """Settings as an attempt of the track records them; a dense layer of 128 units for each dropout."""
    head = [{"units": 128, "dropout": dropout} for dropout in dropouts]
    resolved = check_train("classify", model, train)
    return {"track": "classify", "model": model, "pretrained": True, "head": head, "data": {}, "train": resolved}


def by_ultralytics(**train: Any) -> dict[str, Any]:
    return said_of_head(model="yolov8n-cls", **train)


def overfitted(rise: float = 0.5, fall: float = 0.5) -> dict[str, Any]:
    return {"reading": reading(val_rise=rise, train_fall=fall, lowest=20, best=30)}


def counts(cat: int, dog: int) -> dict[str, Any]:
    judged = {"images": 100, "boxes": 100, "backgrounds": 0}
    train = {"images": cat + dog, "boxes": cat + dog, "backgrounds": 0, "classes": {"cat": cat, "dog": dog}}
    return {"train": train, "val": judged, "test": judged}


def classified(top1: float = 0.95, pictures: int = 200, f1: Mapping[str, float] | None = None) -> Classified:
    """A classifier that is right on so many of the pictures of val, and takes no cat for a dog often."""
    right = round(top1 * pictures)
    answers = tuple(_answer(at, surely=False, right=at < right) for at in range(pictures))
    return _classified(answers, f1 or dict.fromkeys(NAMES, top1))


def suspected(suspects: int, wrong: int, pictures: int = 200) -> Classified:
    """Of the pictures, some are wrong, of which it is sure about the first: cats, it says, are dogs."""
    answers = tuple(_answer(at, surely=at < suspects, right=at >= wrong) for at in range(pictures))
    return _classified(answers, dict.fromkeys(NAMES, 1 - wrong / pictures), suspects=answers[:suspects])


def confused(count: int, share: float) -> Classified:
    pair = ConfusedPair("cat", "dog", count, share, tuple(f"{n}.png" for n in range(count)))
    known = classified()
    return _classified(known.diagnosis.answers, dict.fromkeys(NAMES, 0.95), pairs=(pair,))


def _answer(at: int, *, surely: bool, right: bool) -> Answer:
    sure, rest = (0.98, 0.02) if surely else (0.8, 0.2)
    said = (("cat", sure), ("dog", rest)) if right else (("dog", sure), ("cat", rest))
    return Answer(f"{at}.png", "cat", said, sure if right else rest)


def _classified(
    answers: tuple[Answer, ...],
    f1: Mapping[str, float],
    pairs: tuple[ConfusedPair, ...] = (),
    suspects: tuple[Answer, ...] = (),
) -> Classified:
    top1 = sum(answer.is_right for answer in answers) / len(answers)
    classes = {name: PictureClassScores(100, value, value, value) for name, value in f1.items()}
    scores = PictureScores(len(answers), top1, 1.0, 0.2, classes)
    matrix = PictureMatrix(NAMES, np.zeros((2, 2), dtype=np.int64))
    diagnosis = PictureDiagnosis("val", answers, matrix, pairs, Calibration(0.0, ()), suspects)
    return Classified(scores, diagnosis, picture_intervals(answers))
