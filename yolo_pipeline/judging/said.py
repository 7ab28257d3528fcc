"""What a model says at some confidence: its detections, and how they lie to the objects, of whatever class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from hotcoco.primitives import bbox_iou

from yolo_pipeline.judging.evaluation import Floats, Found, Ints, Matching, Pair, Truths, evaluate, match
from yolo_pipeline.nouns import Box, Detection, Truth

ALONE = 0.1
"""A detection that overlaps no object by this IoU lies on background (TIDE's background threshold)."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """Every overlap that there is, (O,) each.

    Attributes:
        found: places of the detections.
        truth: rows of the objects.
        iou: above 0; for a crowd, the share of the detection that lies in it.
        best: (D,) each detection's largest; 0 where it overlaps nothing.
    """

    found: Ints
    truth: Ints
    iou: Floats
    best: Floats

    def of(self, found: Ints, truth: Ints) -> Floats:
        """IoU of detections and objects, pair by pair; 0 where one of the two is -1 or they do not overlap."""
        width = int(self.truth.max(initial=0)) + 1
        keys = self.found * width + self.truth
        order = np.argsort(keys)
        asked = np.where((found >= 0) & (truth >= 0) & (truth < width), found * width + truth, -1)
        place = np.searchsorted(keys[order], asked)
        known = place < len(keys)
        known[known] = keys[order][place[known]] == asked[known]
        ious = np.zeros(len(found))
        ious[known] = self.iou[order][place[known]]
        return ious


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Detections of at least some confidence, (D,), by class; what they are matched with, best first.

    Attributes:
        rows: their rows in the pair; `image`, `label`, `score` and `area` are theirs.
        matching: at IoU 0.5 with objects of any class, as many detections an image as there are.
        truths: all objects of the pair, as nouns.
        detections: these detections, as nouns.
    """

    rows: Ints
    image: Ints
    label: Ints
    score: Floats
    area: Floats
    matching: Matching
    overlapping: Overlaps
    truths: tuple[Truth, ...]
    detections: tuple[Detection, ...]


def said_at(pair: Pair, conf: float) -> Said:
    """What is said at this confidence.

    Of equal scores in an image the first class goes first, as in hotcoco's confusion matrix.
    """
    rows = np.flatnonzero(pair.found.score >= conf)
    rows = rows[np.argsort(pair.found.label[rows], kind="stable")]
    found = pair.found.only(rows)
    matching = match(evaluate(pair, found, classes=False), len(pair.truths), len(rows))
    truths = map(Truth, _boxes(pair.truths), _names(pair, pair.truths))
    detections = map(Detection, _boxes(found), _names(pair, found), found.score.tolist())
    area = found.xywh[:, 2] * found.xywh[:, 3]
    overlapping = _overlaps(pair, found)
    return Said(
        rows, found.image, found.label, found.score, area, matching, overlapping, tuple(truths), tuple(detections)
    )


def _overlaps(pair: Pair, said: Found) -> Overlaps:
    founds, truths, ious = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    there = _by_image(pair.truths.image, len(pair.files))
    for image, found in enumerate(_by_image(said.image, len(pair.files))):
        truth = there[image]
        if len(found) and len(truth):
            iou = bbox_iou(said.xywh[found], pair.truths.xywh[truth], pair.truths.crowd[truth])
            at_found, at_truth = np.nonzero(iou > 0)
            founds.append(found[at_found])
            truths.append(truth[at_truth])
            ious.append(iou[at_found, at_truth])
    found, iou = np.concatenate(founds), np.concatenate(ious)
    best = np.zeros(len(said))
    np.maximum.at(best, found, iou)
    return Overlaps(found, np.concatenate(truths), iou, best)


def _by_image(image: Ints, count: int) -> list[Ints]:
    """Places of each image's rows, in their order."""
    order = np.argsort(image, kind="stable")
    return np.split(order, np.searchsorted(image[order], np.arange(1, count))) if count else []


def _names(pair: Pair, objects: Truths | Found) -> Iterator[str]:
    return (pair.names[label] for label in objects.label.tolist())


def _boxes(objects: Truths | Found) -> Iterator[Box]:
    xywh = objects.xywh
    corners = np.concatenate((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]), axis=1)
    return (Box(*corner) for corner in corners.tolist())
