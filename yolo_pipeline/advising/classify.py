"""The track classify: its rules, which look at whole pictures, and at the head that was put on a backbone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from yolo_pipeline.advising import english
from yolo_pipeline.advising.data import CLEARLY_WORSE, FEW_BOXES, STEP, UNEVEN
from yolo_pipeline.advising.evidence import HARDLY_ANY_EPOCHS, STILL_FALLING, WITNESS, Evidence
from yolo_pipeline.advising.labels import CONFUSED, MOST_PAIRS, MUCH, SEVERAL
from yolo_pipeline.advising.training import (
    FROZEN_LAYERS,
    MIRRORED_WELL,
    MOST_EPOCHS,
    PATIENCE,
    switched_off,
)
from yolo_pipeline.classification import Answer, PictureDiagnosis
from yolo_pipeline.diagnosis import Advice, CurveReading
from yolo_pipeline.settings import classify as settings

Changes = list[tuple[str, Any]]
Layer = dict[str, Any]

SOME_DROPOUT, MUCH_DROPOUT = 0.3, 0.5
"""What the seeds' second run took, and the most that Srivastava et al. recommend for layers within a network."""

SURE_WITNESS = 0.8
"""Top-1 from which on a classifier is asked about labels: what it says of a picture stands against a person's word."""

MANY_OF_MISTAKES, MOST_OF_MISTAKES = 1 / 3, 1 / 2
"""Share of the mistakes that are suspect labels where labels are wrong: of a classifier, and of one that overfits,
which errs surely. ResNet18 on digits of 8 x 8 pixels: 8 of 20 with a label in twenty wrong (all 8 were), 1 of 7 with
none, 11 of 24 when it overfitted 60 of them."""

NOT_LEARNT = 0.9
"""Accuracy on train and val below which the backbone's features, or the head, do not tell the classes apart."""

_NEW_LAYER: Layer = {"units": 256, "dropout": SOME_DROPOUT}
_FEW_LAYERS, _FEW_UNITS = 2, 64
_GENTLE: dict[str, Any] = {"rotation_deg": 10.0, "zoom": 0.1, "shift": 0.1}  # no flips, which signs do not bear
_TILTED = 15.0  # degrees that leave a sign what it is
_LOW_RATE = 1e-4


def mirrored_classes(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics on augmentation: no flips where orientation matters. Trigger: a setting makes other signs of some
    classes, and their F1 on val suffers."""
    scores = evidence.classified.scores.classes if evidence.classified else {}
    for setting, classes in evidence.mirrored.items():
        known = [f1 for name in classes if name in scores and (f1 := scores[name].f1) is not None]
        mean = sum(known) / len(known) if known else None
        if mean is not None and mean < MIRRORED_WELL:
            change = _upright(evidence, setting)
            yield _advice("mirrored classes", [change], setting=setting, classes=classes, f1=round(mean, 4))


def dropout(evidence: Evidence) -> Iterator[Advice]:
    """Srivastava et al., 2014. Trigger: overfitting as `overfitting` has it, by a head that leaves out less than half
    of its outputs in training. Early stopping that is off goes with it."""
    change = _more_dropout(evidence)
    if change and evidence.has_room and evidence.overfits:
        layers = [f"{layer['dropout']:g}" for layer in _head(evidence)] or [f"{_number(evidence.train('dropout')):g}"]
        wanted = change[1] if isinstance(change[1], float) else max(layer["dropout"] for layer in change[1])
        yield _advice("dropout", [change, *_stopping(evidence)], **_overfitted(evidence), layers=layers, wanted=wanted)


def overfitting(evidence: Evidence) -> Iterator[Advice]:
    """Prechelt, 1998, on early stopping. Trigger: the loss on val rises from its lowest by a tenth while the loss on
    train falls by a tenth, or top-1 on train is above that on val by a tenth and by more than chance; there is
    something to gain; and more dropout is no way out."""
    if not evidence.has_room or not evidence.overfits or _more_dropout(evidence):
        return
    changes = [*_stopping(evidence), *_less_to_learn_by_heart(evidence)]
    how = [key.rpartition(".")[2] for key, _ in changes] or ["-"]
    yield _advice("overfitting", changes, **_overfitted(evidence), how=how)


def random_backbone(evidence: Evidence) -> Iterator[Advice]:
    """Yosinski et al., 2014. Trigger: blocks of a backbone with random weights were frozen; there is something to gain
    on val. While dropout is to be tried, it is work by hand: one thing after the other."""
    frozen, top1 = evidence.train("freeze"), evidence.top1
    if "file" not in evidence.start or evidence.start["file"] is not None or top1 is None:
        return
    if evidence.has_room and frozen not in (None, "none") and not settings.is_ultralytics(evidence.model):
        waits = evidence.overfits and _more_dropout(evidence)
        changes: Changes = [] if waits else [("train.freeze", "none")]
        yield _advice("random backbone", changes, model=evidence.model, top1=round(top1, 4))


def underfitting(evidence: Evidence) -> Iterator[Advice]:
    """Keras on transfer learning. Trigger: blocks of a backbone with learnt weights are frozen, the accuracy on train
    and val is below 0.9, and the loss on val is level."""
    read, train, top1 = evidence.reading, evidence.kept.get("train/accuracy"), evidence.top1
    if read is None or train is None or top1 is None or max(train, top1) >= NOT_LEARNT or evidence.overfits:
        return
    frozen = evidence.train("freeze") not in (None, "none") and evidence.start.get("file") is not None
    level = read.still_falling < STILL_FALLING and read.epochs >= HARDLY_ANY_EPOCHS
    if frozen and level and not settings.is_ultralytics(evidence.model):
        yield _advice(
            "underfitting", _more_to_learn_with(evidence), model=evidence.model, layers=len(_head(evidence)),
            train=round(train, 4), top1=round(top1, 4), epochs=read.epochs,
        )  # fmt: skip


def wrong_labels(evidence: Evidence) -> Iterator[Advice]:
    """Northcutt et al., 2021. Trigger: labels on val that the classifier surely disagrees with, several and 3.3 %, and
    a third of its mistakes (half, if it overfits); not of classes that a setting mirrors, nor of those that it has not
    learnt."""
    diagnosis = _witness(evidence, SURE_WITNESS)
    if diagnosis is None or evidence.classified is None:
        return
    unlearnt = {n for n, entry in evidence.classified.scores.classes.items() if (entry.recall or 0.0) < WITNESS}
    unknown = evidence.mirrored_classes | unlearnt
    found = [answer for answer in diagnosis.suspects if answer.label not in unknown]
    wrong, pictures = sum(not answer.is_right for answer in diagnosis.answers), len(diagnosis.answers)
    share = MOST_OF_MISTAKES if evidence.overfits else MANY_OF_MISTAKES
    if len(found) >= max(SEVERAL, MUCH * pictures, share * wrong):
        classes = [name for name, _ in Counter(answer.label for answer in found).most_common(2)]
        yield _advice(
            "wrong labels", (), _images(found), labels=len(found), pictures=pictures,
            share=round(len(found) / pictures, 4), classes=classes,
        )  # fmt: skip


def contradicting_labels(evidence: Evidence) -> Iterator[Advice]:
    """Northcutt et al., 2021. Trigger: the audit found identical pictures with other labels."""
    finding = evidence.finding("copies labelled differently")
    if finding and len(finding.files) >= SEVERAL:
        yield _advice("contradicting labels", (), finding.files, pictures=len(finding.files))


def rare_class(evidence: Evidence) -> Iterator[Advice]:
    """Weights by inverse frequency, as scikit-learn has them. Trigger: a class with fewer than 50 pictures in training,
    or a tenth of the commonest one's, and less than half of these, whose F1 on val is clearly below the others'."""
    pictures = evidence.boxes_of("train")
    scores = evidence.classified.scores.classes if evidence.classified else {}
    known = {name: entry.f1 for name, entry in scores.items() if entry.f1 is not None}
    if not pictures or len(known) < 2:
        return
    largest = max(pictures.values())
    weighable = evidence.train("class_weights") == "none"
    for name, f1 in sorted(known.items(), key=lambda entry: entry[1]):
        others = (sum(known.values()) - f1) / (len(known) - 1)
        number = pictures.get(name, 0)
        few = 2 * number < largest and (number < FEW_BOXES or UNEVEN * number < largest)
        if few and f1 < others - CLEARLY_WORSE:
            yield _advice(
                "rare class", [("train.class_weights", "balanced")] if weighable else [], name=name, pictures=number,
                largest=largest, f1=round(f1, 4), others=round(others, 4), wanted=max(FEW_BOXES, largest // 2),
            )  # fmt: skip


def hardly_any_epochs(evidence: Evidence) -> Iterator[Advice]:
    """Bengio, 2012. Trigger: fewer than 10 epochs, not ended by patience; there is something to gain on val."""
    read = evidence.ended_too_soon
    if read and read.epochs < HARDLY_ANY_EPOCHS:
        wanted = _longer(read)
        yield _advice("hardly any epochs", [("train.epochs", wanted)], epochs=read.epochs, wanted=wanted)


def more_epochs(evidence: Evidence) -> Iterator[Advice]:
    """Bengio, 2012. Trigger: not ended by patience, and the loss on val still falls at the end; there is something to
    gain on val."""
    read = evidence.ended_too_soon
    if not read or read.asked >= MOST_EPOCHS or read.epochs < HARDLY_ANY_EPOCHS or read.still_falling < STILL_FALLING:
        return
    wanted, fell = _longer(read), round(read.still_falling, 4)
    changes = [("train.epochs", wanted)]
    yield _advice("more epochs", changes, epochs=read.epochs, best=read.best, fell=fell, wanted=wanted)


def confused_pair(evidence: Evidence) -> Iterator[Advice]:
    """The confusion matrix. Trigger: a class was taken for another several times on val, and in a tenth of its
    pictures, by a classifier that does not overfit; there is something to gain on val."""
    witness = _witness(evidence, WITNESS) if evidence.has_room and not evidence.overfits else None
    for pair in (witness.pairs if witness else ())[:MOST_PAIRS]:
        mirrored = evidence.mirrored_classes >= {pair.truth, pair.said}
        if pair.count >= SEVERAL and pair.share >= CONFUSED and not mirrored:
            share = round(pair.share, 4)
            yield _advice(
                "confused pair", (), pair.images, truth=pair.truth, said=pair.said, count=pair.count, share=share
            )


def larger_val(evidence: Evidence) -> Iterator[Advice]:
    """Wilson's interval. Trigger: that of top-1 on val is wider than two steps that one wants to tell."""
    interval, pictures = evidence.intervals.get("top1"), evidence.images("val")
    if interval and pictures and interval.width > 2 * STEP:
        wanted = math.ceil(pictures * (interval.width / (2 * STEP)) ** 2)
        yield _advice(
            "larger val set", low=round(interval.low, 4), high=round(interval.high, 4), pictures=pictures,
            confidence=interval.confidence, wanted=wanted,
        )  # fmt: skip


def _advice(rule: str, changes: Any = (), images: Any = (), **figures: Any) -> Advice:
    return english.advice(rule, changes, images, **figures, track="classify")


def _head(evidence: Evidence) -> list[Layer]:
    """The dense layers below that of the classes."""
    head = evidence.settings.get("head")
    layers = [layer for layer in head if isinstance(layer, Mapping)] if isinstance(head, (list, tuple)) else []
    return [{"units": layer.get("units"), "dropout": _number(layer.get("dropout"))} for layer in layers]


def _more_dropout(evidence: Evidence) -> tuple[str, Any] | None:
    """The change that leaves out more of the head; None where it leaves out half, or has no layers to do so."""
    if settings.is_ultralytics(evidence.model):
        return ("train.dropout", SOME_DROPOUT) if _number(evidence.train("dropout")) < SOME_DROPOUT else None
    head = _head(evidence)
    wanted = SOME_DROPOUT if any(layer["dropout"] < SOME_DROPOUT for layer in head) else MUCH_DROPOUT
    raised = [{**layer, "dropout": max(layer["dropout"], wanted)} for layer in head]
    return ("head", raised) if raised != head else None


def _overfitted(evidence: Evidence) -> dict[str, Any]:
    """The figures of overfitting."""
    read, train = evidence.reading, evidence.kept.get("train/accuracy")
    assert read is not None  # else nothing overfits
    return {
        "lowest": read.lowest,
        "epochs": read.epochs,
        "rise": round(read.val_rise, 4),
        "fall": round(read.train_fall, 4),
        "train": None if train is None else round(train, 4),
        "top1": None if evidence.top1 is None else round(evidence.top1, 4),
        "pictures": evidence.images("train"),
    }


def _stopping(evidence: Evidence) -> Changes:
    """What ends a training that gains nothing more, and keeps its best weights."""
    if settings.is_ultralytics(evidence.model):
        patience = _number(evidence.train("patience"))
        return [("train.patience", PATIENCE)] if patience > PATIENCE else []
    asked = evidence.train("early_stopping")
    asked = asked if isinstance(asked, Mapping) else {}
    usual = settings.DEFAULTS["early_stopping"]
    wrong = {"patience": not asked.get("patience", True), "restore_best": not asked.get("restore_best", True)}
    return [(f"train.early_stopping.{key}", usual[key]) for key, is_wrong in wrong.items() if is_wrong]


def _less_to_learn_by_heart(evidence: Evidence) -> Changes:
    """Fewer weights that learn, from learnt ones, or pictures that change; where all that is done, smaller layers."""
    if settings.is_ultralytics(evidence.model):
        if not evidence.settings.get("pretrained", True):
            return [("pretrained", True)]
        return [] if evidence.train("freeze") else [("train.freeze", FROZEN_LAYERS)]
    changes: Changes = []
    if evidence.start.get("file") is not None and evidence.train("freeze") not in (None, "all"):
        changes.append(("train.freeze", "all"))
    if not evidence.train("augment") and not evidence.data("augment"):
        changes.append(("train.augment", _GENTLE))
    head = _head(evidence)
    if not changes and any(_number(layer["units"]) > _FEW_UNITS for layer in head):
        changes.append(("head", [_halved(layer) for layer in head]))
    return changes


def _halved(layer: Layer) -> Layer:
    units = layer["units"]
    return {**layer, "units": max(_FEW_UNITS, units // 2)} if _number(units) > _FEW_UNITS else layer


def _more_to_learn_with(evidence: Evidence) -> Changes:
    """Another dense layer; where there are several, more blocks of the backbone, at a rate that spares its weights."""
    head, frozen = _head(evidence), evidence.train("freeze")
    if len(head) < _FEW_LAYERS:
        return [("head", [_NEW_LAYER, *head])]
    rate = evidence.train("lr0")
    slower: Changes = [("train.lr0", _LOW_RATE)] if _number(rate) > _LOW_RATE else []
    return [("train.freeze", {"all_but_blocks": 1} if frozen == "all" else "none"), *slower]


def _upright(evidence: Evidence, setting: str) -> tuple[str, Any]:
    """A change that takes away what makes other signs; with it an `augment` that would else ask for nothing."""
    if setting == "train.augment.rotation_deg":
        return setting, _TILTED
    if setting != "train.augment.flip":
        return switched_off(evidence, setting)
    asked = evidence.train("augment")
    rest = [key for key in asked or () if asked[key] and key not in ("flip", "draws")]
    return (setting if rest else "train.augment"), None


def _witness(evidence: Evidence, least: float) -> PictureDiagnosis | None:
    """The diagnosis of a classifier that is right often enough to be asked about labels and pictures."""
    return evidence.classified.diagnosis if evidence.classified and (evidence.top1 or 0.0) >= least else None


def _longer(read: CurveReading) -> int:
    return min(max(int(settings.DEFAULTS["epochs"]), 2 * read.asked), MOST_EPOCHS)


def _images(found: list[Answer]) -> list[str]:
    return [answer.image for answer in found]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
