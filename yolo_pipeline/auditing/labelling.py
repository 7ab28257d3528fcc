"""Slips of whoever drew the boxes: several objects in one box, one object twice, objects left out."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from yolo_pipeline.auditing.evidence import Evidence, count, named
from yolo_pipeline.auditing.overlaps import LEAST_INSIDE
from yolo_pipeline.nouns import Finding

SEVERAL = 3
"""Boxes of its own class inside a box from which on it is taken for a box around a group."""

FILLED = 0.6
"""Share of the outer box that the box around the inner ones must fill."""

MUCH_SMALLER = 0.5
"""Area of such an inner box, at most, as a share of the outer one's: else one object was boxed twice."""

MANY_TIMES = 8.0
"""Times the median area of its class that make a box suspicious, where the class's sizes are otherwise even."""

FAR_OUT = 6.0
"""... and standard deviations (of the logarithm, estimated robustly) that it must lie above the median."""

ENOUGH_TO_COMPARE = 20
"""Boxes of a class, or pictures, below which "usual" has no meaning."""

TWICE_IOU = 0.9
TWO_CLASSES_IOU = 0.85

CROWDED = 5
"""Median number of boxes a picture from which on a picture with one box is worth a look ..."""

RARELY_BELOW = 3
"""... if nine in ten pictures have at least so many."""


def several_as_one(evidence: Evidence) -> Iterator[Finding]:
    """Boxes around several objects that have boxes of their own, or far larger than all others of their class."""
    table, pairs = evidence.boxes, evidence.overlaps
    inner = (pairs.inside >= LEAST_INSIDE) & (pairs.relative <= MUCH_SMALLER)
    inner &= table.label[pairs.large] == table.label[pairs.small]
    around = _tightly_around(table.corners, pairs.large[inner], pairs.small[inner])
    outlying = _far_larger(evidence) & ~around
    chosen = around | outlying
    if chosen.any():
        parts = (
            (around.sum(), f"with {SEVERAL} or more boxes of the same class inside"),
            (outlying.sum(), "far larger than the others of the class"),
        )
        text = (
            ", ".join(f"{count(int(n), 'box')} {what}" for n, what in parts if n)
            + ": several objects boxed as one, or another class"
        )
        remedy = "Box each object, and remove the box around them"
        figures = {"around": int(around.sum()), "outlying": int(outlying.sum())}
        yield Finding("several as one", "warning", text, remedy, evidence.names_of(chosen), figures)


def two_classes(evidence: Evidence) -> Iterator[Finding]:
    table, pairs = evidence.boxes, evidence.overlaps
    differ = table.label[pairs.large] != table.label[pairs.small]
    twice = differ & (pairs.iou > TWO_CLASSES_IOU)
    if twice.any():
        rows = np.sort(np.stack([table.label[pairs.large[twice]], table.label[pairs.small[twice]]]), axis=0)
        kinds, counts = np.unique(rows, axis=1, return_counts=True)
        names = evidence.dataset.names
        mixed = [f"{names[a]} and {names[b]}" for a, b in kinds[:, np.argsort(-counts, kind="stable")].T]
        text = f"{count(int(twice.sum()), 'object')} with boxes of two classes: {named(mixed)}"
        figures = {"boxes": int(twice.sum()), "classes": [[names[a], names[b]] for a, b in kinds.T]}
        files = evidence.names_of(pairs.small[twice])
        yield Finding("two classes", "warning", text, "Remove the box that is wrong", files, figures)


def boxed_twice(evidence: Evidence) -> Iterator[Finding]:
    table, pairs = evidence.boxes, evidence.overlaps
    twice = (table.label[pairs.large] == table.label[pairs.small]) & (pairs.iou > TWICE_IOU)
    if twice.any():
        text = f"{count(int(twice.sum()), 'object')} boxed twice, the boxes nearly alike (IoU over {TWICE_IOU:g})"
        files = evidence.names_of(pairs.small[twice])
        yield Finding("boxed twice", "note", text, "Remove one box of each", files, {"boxes": int(twice.sum())})


def few_objects(evidence: Evidence) -> Iterator[Finding]:
    """Pictures with a single box where pictures usually have many."""
    counts = evidence.box_counts
    labelled = counts[counts > 0]
    if len(labelled) < ENOUGH_TO_COMPARE or np.median(labelled) < CROWDED:
        return
    if np.quantile(labelled, 0.1) < RARELY_BELOW or not (counts == 1).any():
        return
    files = tuple(image.name for image, n in zip(evidence.images, counts, strict=True) if n == 1)
    text = f"{count(len(files), 'picture')} with a single box, where half of them have {np.median(labelled):g} or more"
    remedy = "See whether boxes are missing there"
    yield Finding("few objects", "warning", text, remedy, files, {"median": float(np.median(labelled))})


def _tightly_around(
    corners: npt.NDArray[np.float64], outer: npt.NDArray[np.int64], inner: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """(boxes,): whether a box is what goes around SEVERAL inner ones; a person before a crowd is larger than that."""
    hull = np.tile([np.inf, np.inf, -np.inf, -np.inf], (len(corners), 1))
    np.minimum.at(hull[:, :2], outer, corners[inner, :2])
    np.maximum.at(hull[:, 2:], outer, corners[inner, 2:])
    several = np.bincount(outer, minlength=len(corners)) >= SEVERAL
    hull[~several] = 0
    filled = (hull[:, 2:] - hull[:, :2]).prod(axis=1)
    area = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    tight: npt.NDArray[np.bool_] = several & (filled >= FILLED * area)
    return tight


def _far_larger(evidence: Evidence) -> npt.NDArray[np.bool_]:
    """(boxes,): whether a box is far larger than its class's, all sizes taken relative to their pictures."""
    table = evidence.boxes
    size = np.log(np.maximum(table.share, 1e-12))
    outlying = np.zeros(len(size), dtype=bool)
    for label in np.unique(table.label):
        rows = np.flatnonzero(table.label == label)
        if len(rows) >= ENOUGH_TO_COMPARE:
            above = size[rows] - np.median(size[rows])
            spread = 1.4826 * np.median(np.abs(above))  # the standard deviation, if sizes are log-normal
            outlying[rows] = above > max(math.log(MANY_TIMES), FAR_OUT * spread)
    return outlying
