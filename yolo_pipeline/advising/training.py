"""Rules on how it was trained: epochs, size of pictures, overfitting, size of the model, mirrored signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from yolo_pipeline import settings
from yolo_pipeline.advising.english import advice
from yolo_pipeline.advising.evidence import AUGMENTATIONS, Evidence
from yolo_pipeline.diagnosis import Advice, CurveReading

STILL_FALLING = 0.05
"""Share of its highest value by which the loss on val falls over the last fifth of a training that is not at its end.
Those of benchmarks/advice.py that are, with mAP50 at 0.99, fall by 0.02 to 0.045 as the learning rate goes to 0; their
first 8 of 20 epochs, taken alone, by 0.2 and more."""

HARDLY_ANY_EPOCHS = 10
"""Below, curves say little, and warming up alone takes Ultralytics' 3."""

MOST_EPOCHS = 1200  # Ultralytics' tips end there

SMALL = 16.0
"""Pixels, longer side: two cells of YOLO's finest grid (stride 8)."""

_SMALL_SIZES = ("under 8 px", "8 to 16 px")
MUCH_SMALL = 0.05  # share of the objects; the audit's limit for tiny boxes
ENOUGH = 10  # objects, below which a share of them means nothing
OFTEN_MISSED = 0.3
MORE_OFTEN = 1.5  # times as often as larger objects
LARGEST_IMGSZ = 1536  # the audit's: beyond, cutting pictures into tiles costs less memory

MIRRORED_WELL = 0.95
"""mAP50 of mirrored signs from which on they do not suffer from it."""

LONG_ENOUGH, MANY_PICTURES, WEAK = 50, 1000, 0.8  # epochs, training pictures and mAP50 for a larger model

_FROZEN_LAYERS = 10  # the backbone of YOLOv5, v8 and 11
_PATIENCE = 15
_SIZED = re.compile(r"(yolov?\d+)([nsmlx])(u?)")


def hardly_any_epochs(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips: start with 300 epochs. Trigger: fewer than 10, not ended by patience; there is something to
    gain on val."""
    read = evidence.reading
    if read and _may_be_longer(evidence, read) and read.epochs < HARDLY_ANY_EPOCHS:
        wanted = _longer(read)
        yield advice("hardly any epochs", [("train.epochs", wanted)], epochs=read.epochs, wanted=wanted)


def more_epochs(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips: train longer while nothing overfits. Trigger: not ended by patience, and the loss on val still
    falls at the end; there is something to gain on val."""
    read = evidence.reading
    if read is None or not _may_be_longer(evidence, read) or read.epochs < HARDLY_ANY_EPOCHS:
        return
    if read.still_falling >= STILL_FALLING:
        wanted, fell = _longer(read), round(read.still_falling, 4)
        changes = [("train.epochs", wanted)]
        yield advice("more epochs", changes, epochs=read.epochs, best=read.best, fell=fell, wanted=wanted)


def _may_be_longer(evidence: Evidence, read: CurveReading) -> bool:
    return evidence.has_room and not read.stopped_early and not evidence.overfits and read.asked < MOST_EPOCHS


def _longer(read: CurveReading) -> int:
    return min(max(int(settings.yolo.DEFAULTS["epochs"]), 2 * read.asked), MOST_EPOCHS)


def larger_pictures(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips: higher resolution for small objects. Trigger: objects that the network sees at less than 16
    pixels are 5 % or more, and are missed much more often than larger ones (or there are no larger ones)."""
    diagnosis, imgsz = evidence.counted, evidence.imgsz
    if diagnosis is None or imgsz is None or not evidence.has_room:
        return
    small = [size for size in diagnosis.by_size if size.name in _SMALL_SIZES]
    truths, missed = sum(size.truths for size in small), sum(size.missed for size in small)
    others = diagnosis.truths - truths
    lost = sum(size.missed for size in diagnosis.by_size) - missed
    if truths < max(ENOUGH, MUCH_SMALL * diagnosis.truths) or missed < OFTEN_MISSED * truths:
        return
    if others >= ENOUGH and missed / truths < MORE_OFTEN * lost / others:
        return
    tiny = sum(size.truths for size in small if size.name == _SMALL_SIZES[0])
    wanted = _multiple_of_stride(imgsz * (4 if 2 * tiny > truths else 2))
    changes = [("train.imgsz", wanted)] if wanted > imgsz else []
    yield advice(
        "larger pictures", changes, _images_missed(evidence), imgsz=imgsz, small=truths, truths=diagnosis.truths,
        missed=missed, share=round(missed / truths, 4), wanted=wanted,
    )  # fmt: skip


def overfitting(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips on overfitting and transfer learning. Trigger: the loss on val rises from its lowest by a tenth
    while the loss on train falls by a tenth, the best mAP on val is long past, and there is something to gain."""
    read = evidence.reading
    if read is None or not evidence.has_room or not evidence.overfits:
        return
    changes = list(_against_overfitting(evidence))
    yield advice(
        "overfitting", changes, lowest=read.lowest, epochs=read.epochs, rise=round(read.val_rise, 4),
        fall=round(read.train_fall, 4), pictures=evidence.images("train"),
        how=[key.rpartition(".")[2] for key, _ in changes] or ["-"],
    )  # fmt: skip


def smaller_model(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics on transfer learning: small sets overfit large models. Trigger: overfitting as above, by a model of
    size m, l or x."""
    read, sized = evidence.reading, _SIZED.fullmatch(str(evidence.settings.get("model")))
    if read is None or sized is None or sized[2] not in "mlx" or not evidence.has_room or not evidence.overfits:
        return
    smaller = f"{sized[1]}s{sized[3]}"
    yield advice(
        "smaller model", [("model", smaller)], model=sized[0], smaller=smaller, lowest=read.lowest,
        rise=round(read.val_rise, 4), pictures=evidence.images("train"),
    )  # fmt: skip


def larger_model(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips on choosing a model. Trigger: n or s, many pictures, long enough, the loss on val level
    (neither falling nor overfitted), and still a weak mAP50 on val."""
    read, sized = evidence.reading, _SIZED.fullmatch(str(evidence.settings.get("model")))
    pictures, ap = evidence.images("train"), evidence.mAP50
    if read is None or sized is None or sized[2] not in "ns" or ap is None or ap >= WEAK or pictures < MANY_PICTURES:
        return
    if read.epochs >= LONG_ENOUGH and read.still_falling < STILL_FALLING and not evidence.overfits:
        larger = f"{sized[1]}{'s' if sized[2] == 'n' else 'm'}{sized[3]}"
        yield advice(
            "larger model", [("model", larger)], model=sized[0], larger=larger, pictures=pictures,
            epochs=read.epochs, ap=round(ap, 4),
        )  # fmt: skip


def mirrored_classes(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics on augmentation: no flips where orientation matters. Trigger: a setting makes other signs of some
    classes, and their mAP50 on val suffers."""
    scores = evidence.scores
    for setting, classes in evidence.mirrored.items():
        found = {name: scores.classes[name].AP50 for name in classes if name in scores.classes} if scores else {}
        known = {name: ap for name, ap in found.items() if ap is not None}
        mean = sum(known.values()) / len(known) if known else None
        if mean is not None and mean < MIRRORED_WELL:
            changes = [_switched_off(evidence, setting)]
            yield advice("mirrored classes", changes, setting=setting, classes=classes, ap=round(mean, 4))


def _against_overfitting(evidence: Evidence) -> Iterator[tuple[str, Any]]:
    if not evidence.settings.get("pretrained", True):
        yield "pretrained", True
    elif not evidence.train("freeze"):
        yield "train.freeze", _FROZEN_LAYERS
    patience = evidence.train("patience")
    if isinstance(patience, int) and patience > _PATIENCE:
        yield "train.patience", _PATIENCE
    for key in AUGMENTATIONS:
        if not evidence.train(key):
            yield f"train.{key}", AUGMENTATIONS[key]


def _switched_off(evidence: Evidence, setting: str) -> tuple[str, Any]:
    """A change that takes the setting away; with it `data.augment`, which would else ask for nothing."""
    if setting.startswith("train."):
        return setting, 0.0
    augment = dict(evidence.data("augment") or {})
    in_boxes = augment.pop("box", None) or {}
    asked = {f"data.augment.{key}": value for key, value in augment.items() if key != "outputs_per_example"}
    asked |= {f"data.augment.box.{key}": value for key, value in in_boxes.items()}
    rest = [key for key, value in asked.items() if value and key not in evidence.mirrored]
    return (setting if rest else "data.augment"), None


def _multiple_of_stride(size: int) -> int:
    return min(-(-size // 32) * 32, LARGEST_IMGSZ)


def _images_missed(evidence: Evidence) -> list[str]:
    assert evidence.diagnosis is not None
    return list(dict.fromkeys(case.image for case in evidence.diagnosis.cases if case.detection is None))
