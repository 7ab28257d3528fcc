"""Rules on the pictures: copies across splits, backgrounds, rare classes, too few for judging."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from yolo_pipeline.advising.english import advice
from yolo_pipeline.advising.evidence import Evidence
from yolo_pipeline.advising.tfapi import mark
from yolo_pipeline.diagnosis import Advice
from yolo_pipeline.nouns import Finding

FEW_LEAKED = 0.01
"""Share of judged pictures with a copy elsewhere below which no score is flattered by more than a hundredth."""

MOST_BACKGROUNDS = 0.1  # Ultralytics' tips
FIRED, LEAST_FIRED = 0.1, 2
"""Share of the pictures without objects, and number, on which something is seen that is no accident."""

FEW_BOXES = 50
"""Boxes of a class in training below which its accuracy hangs on single examples; the audit warns there."""

UNEVEN = 10.0  # Roboflow's Health Check warns of classes with a tenth of the commonest one's boxes
CLEARLY_WORSE = 0.1  # AP50, against the mean of the other classes

STEP = 0.06
"""mAP50: the smallest step between two attempts of the food detector, 0.522 to 0.582, that one wants to tell."""

_WHOLE_SPLIT = {"train": 0.8, "val": 0.1, "test": 0.1}
_WEIGHT = 0.5  # power of the inverse frequency


def leakage(evidence: Evidence) -> Iterator[Advice]:
    """Kapoor and Narayanan, 2023. Trigger: the audit found judged pictures again, or nearly, in another split."""
    finding = evidence.finding("leakage")
    judged = evidence.images("val") + evidence.images("test")
    pictures = finding.figures.get("judged_images", 0) if finding else 0
    if finding and pictures and pictures >= FEW_LEAKED * judged:
        share = round(pictures / judged, 4) if judged else 1.0
        changes = _dealt_anew(evidence, finding)
        yield advice("leakage", changes, finding.files, pictures=pictures, judged=judged, share=share)


def divided_photos(evidence: Evidence) -> Iterator[Advice]:
    """Roboflow's versions of one photo. Trigger: the audit found such in different splits."""
    finding = evidence.finding("divided groups")
    if finding:
        photos = len(finding.figures.get("groups", ())) or len(finding.files)
        yield advice("divided photos", _dealt_anew(evidence, finding), finding.files, photos=photos)


def background_images(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips: up to 10 % background pictures. Trigger: objects are seen on a tenth or more of val's pictures
    without objects, and training has less than 10 % of such."""
    diagnosis, counts = evidence.witness, evidence.counts.get("train", {})
    if diagnosis is None or not counts.get("images"):
        return
    alarms, share = diagnosis.alarms, counts.get("backgrounds", 0) / counts["images"]
    if share < MOST_BACKGROUNDS and len(alarms.fired) >= max(LEAST_FIRED, FIRED * alarms.backgrounds):
        known = evidence.data("backgrounds")
        changes = [("data.backgrounds.share", MOST_BACKGROUNDS)] if known else []
        yield advice(
            "background images", changes, alarms.fired, fired=len(alarms.fired), backgrounds=alarms.backgrounds,
            boxes=alarms.fired_boxes, share=round(share, 4),
        )  # fmt: skip


def rare_class(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips on instances per class, Roboflow's Health Check. Trigger: a class with fewer than 50 boxes in
    training, or a tenth of the commonest one's, whose AP50 on val is clearly below the others'."""
    boxes, scores = evidence.boxes_of("train"), evidence.scores
    aps = {name: entry.AP50 for name, entry in scores.classes.items() if entry.AP50 is not None} if scores else {}
    if not boxes or len(aps) < 2:
        return
    largest = max(boxes.values())
    for name, ap in sorted(aps.items(), key=lambda entry: entry[1]):
        others = (sum(aps.values()) - ap) / (len(aps) - 1)
        number = boxes.get(name, 0)
        if 2 * number < largest and (number < FEW_BOXES or UNEVEN * number < largest) and ap < others - CLEARLY_WORSE:
            weighable = evidence.track != "tfapi" and not evidence.train("cls_pw")
            yield advice(
                "rare class", [("train.cls_pw", _WEIGHT)] if weighable else [], name=name, boxes=number,
                largest=largest, ap=round(ap, 4), others=round(others, 4), wanted=max(FEW_BOXES, largest // 2),
                **mark(evidence),
            )  # fmt: skip


def larger_val(evidence: Evidence) -> Iterator[Advice]:
    """The bootstrap over val's pictures. Trigger: mAP50's interval is wider than two steps that one wants to tell."""
    interval, pictures = evidence.intervals.get("mAP50"), evidence.images("val")
    if interval and pictures and interval.width > 2 * STEP:
        wanted = math.ceil(pictures * (interval.width / (2 * STEP)) ** 2)
        yield advice(
            "larger val set", low=round(interval.low, 4), high=round(interval.high, 4), pictures=pictures,
            confidence=interval.confidence, wanted=wanted,
        )  # fmt: skip


def _dealt_anew(evidence: Evidence, finding: Finding) -> list[tuple[str, Any]]:
    shares = {} if evidence.data("split") else _WHOLE_SPLIT
    alike = {"similar_together": True} if finding.kind == "leakage" else {}
    return [(f"data.split.{key}", value) for key, value in {**shares, "again": True, **alike}.items()]
