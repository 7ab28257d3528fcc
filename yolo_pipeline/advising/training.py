"""Rules on how it was trained: epochs, size of pictures, overfitting, size of the model, mirrored signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from yolo_pipeline import settings
from yolo_pipeline.advising import tfapi
from yolo_pipeline.advising.english import advice
from yolo_pipeline.advising.evidence import AUGMENTATIONS, HARDLY_ANY_EPOCHS, STILL_FALLING, Evidence
from yolo_pipeline.diagnosis import Advice, CurveReading

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

FROZEN_LAYERS = 10  # the backbone of YOLOv5, v8 and 11
PATIENCE = 15
_SIZED = re.compile(r"(yolov?\d+)([nsmlx])(u?)")


def hardly_any_epochs(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips: start with 300 epochs. Trigger: fewer than 10, not ended by patience; there is something to
    gain on val."""
    read = _too_few(evidence)
    if read and read.epochs < HARDLY_ANY_EPOCHS:
        wanted = _longer(read)
        yield advice("hardly any epochs", [("train.epochs", wanted)], epochs=read.epochs, wanted=wanted)


def more_epochs(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips: train longer while nothing overfits. Trigger: not ended by patience, and the loss on val still
    falls at the end; there is something to gain on val."""
    read = _too_few(evidence)
    if read and read.epochs >= HARDLY_ANY_EPOCHS and read.still_falling >= STILL_FALLING:
        wanted, fell = _longer(read), round(read.still_falling, 4)
        changes = [("train.epochs", wanted)]
        yield advice("more epochs", changes, epochs=read.epochs, best=read.best, fell=fell, wanted=wanted)


def _too_few(evidence: Evidence) -> CurveReading | None:
    """What the curves say, where there may be more epochs."""
    read = evidence.ended_too_soon
    return read if read and read.unit == "epoch" and read.asked < MOST_EPOCHS else None


def _longer(read: CurveReading) -> int:
    return min(max(int(settings.yolo.DEFAULTS["epochs"]), 2 * read.asked), MOST_EPOCHS)


def larger_pictures(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips: higher resolution for small objects. Trigger: objects that the network sees at less than 16
    pixels are 5 % or more, and are missed much more often than larger ones (or there are no larger ones)."""
    diagnosis, imgsz = evidence.counted, evidence.imgsz
    if diagnosis is None or imgsz is None or not evidence.has_room or evidence.diverged:
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
    wanted, changes = _larger(evidence, imgsz, 4 if 2 * tiny > truths else 2)
    yield advice(
        "larger pictures", changes, _images_missed(evidence), imgsz=imgsz, small=truths, truths=diagnosis.truths,
        missed=missed, share=round(missed / truths, 4), wanted=wanted, **tfapi.mark(evidence),
    )  # fmt: skip


def overfitting(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips on overfitting and transfer learning. Trigger: the loss on val rises from its lowest by a tenth
    while the loss on train falls by a tenth, the best mAP on val is long past, and there is something to gain."""
    read = evidence.reading
    if read is None or not evidence.has_room or not evidence.overfits:
        return
    against = tfapi.against_overfitting if evidence.track == "tfapi" else _against_overfitting
    changes = list(against(evidence))
    yield advice(
        "overfitting", changes, lowest=read.lowest, epochs=read.epochs, rise=round(read.val_rise, 4),
        fall=round(read.train_fall, 4), pictures=evidence.images("train"),
        how=[key.rpartition(".")[2] for key, _ in changes] or ["-"], **tfapi.mark(evidence),
    )  # fmt: skip


def smaller_model(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics on transfer learning: small sets overfit large models. Trigger: overfitting as above, by a model of
    size m, l or x, or by the larger one of the TensorFlow Object Detection API's."""
    read, smaller = evidence.reading, _resized(evidence.model, "mlx", "sss") or tfapi.SMALLER.get(evidence.model)
    if read and smaller and evidence.has_room and evidence.overfits:
        yield advice(
            "smaller model", tfapi.with_model(evidence, smaller), model=evidence.model, smaller=smaller,
            lowest=read.lowest, rise=round(read.val_rise, 4), pictures=evidence.images("train"),
            **tfapi.mark(evidence),
        )  # fmt: skip


def larger_model(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips on choosing a model. Trigger: n or s, or the smaller network of the track tfapi, many
    pictures, long enough, the loss on val level (neither falling nor overfitted), and a weak mAP50 on val."""
    read, larger = evidence.reading, _resized(evidence.model, "ns", "sm") or tfapi.LARGER.get(evidence.model)
    pictures, ap = evidence.images("train"), evidence.mAP50
    if not read or not larger or ap is None or ap >= WEAK or pictures < MANY_PICTURES or evidence.diverged:
        return
    passes = read.epochs if read.unit == "epoch" else tfapi.passes(evidence)
    if passes >= LONG_ENOUGH and read.still_falling < STILL_FALLING and not evidence.overfits:
        yield advice(
            "larger model", tfapi.with_model(evidence, larger), model=evidence.model, larger=larger,
            pictures=pictures, epochs=read.epochs, ap=round(ap, 4), **tfapi.mark(evidence),
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
            changes = [switched_off(evidence, setting)]
            yield advice("mirrored classes", changes, setting=setting, classes=classes, ap=round(mean, 4))


def _against_overfitting(evidence: Evidence) -> Iterator[tuple[str, Any]]:
    if not evidence.settings.get("pretrained", True):
        yield "pretrained", True
    elif not evidence.train("freeze"):
        yield "train.freeze", FROZEN_LAYERS
    patience = evidence.train("patience")
    if isinstance(patience, int) and patience > PATIENCE:
        yield "train.patience", PATIENCE
    for key in AUGMENTATIONS:
        if not evidence.train(key):
            yield f"train.{key}", AUGMENTATIONS[key]


def _larger(evidence: Evidence, imgsz: int, times: int) -> tuple[int, list[tuple[str, Any]]]:
    """The size to train at, and the changes that ask for it; none, where there is nothing larger."""
    if evidence.track == "tfapi":
        return tfapi.LARGEST, tfapi.larger_pictures(evidence)
    wanted = min(-(-imgsz * times // 32) * 32, LARGEST_IMGSZ)  # a multiple of the stride
    return wanted, [("train.imgsz", wanted)] if wanted > imgsz else []


def _resized(model: str, sizes: str, instead: str) -> str | None:
    """A YOLO model of one of `sizes` in the size that stands in its place in `instead`."""
    sized = _SIZED.fullmatch(model)
    if sized is None or sized[2] not in sizes:
        return None
    return f"{sized[1]}{instead[sizes.index(sized[2])]}{sized[3]}"


def switched_off(evidence: Evidence, setting: str) -> tuple[str, Any]:
    """A change that takes the setting away; with it `data.augment`, which would else ask for nothing."""
    if setting == tfapi.FLIP:
        return setting, False
    if setting.startswith("train."):
        return setting, 0.0
    augment = dict(evidence.data("augment") or {})
    in_boxes = augment.pop("box", None) or {}
    asked = {f"data.augment.{key}": value for key, value in augment.items() if key != "outputs_per_example"}
    asked |= {f"data.augment.box.{key}": value for key, value in in_boxes.items()}
    rest = [key for key, value in asked.items() if value and key not in evidence.mirrored]
    return (setting if rest else "data.augment"), None


def _images_missed(evidence: Evidence) -> list[str]:
    assert evidence.diagnosis is not None
    return list(dict.fromkeys(case.image for case in evidence.diagnosis.cases if case.detection is None))
