"""Sizes of boxes: too small to be seen at the training size, or as large as the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from yolo_pipeline.auditing.evidence import Evidence, Severity, count, percent
from yolo_pipeline.nouns import Finding

TINY = 8.0
"""Shorter side, in pixels at the training size, below which a box is less than one cell of YOLO's finest grid."""

MUCH_TINY = 0.05
"""Share of tiny boxes from which on they cost accuracy as a whole."""

GIANT = 0.9
"""Share of its picture that a box covers which says "this picture shows one" rather than where it is."""

MUCH_GIANT = 0.2
"""Share of such boxes from which on they are a habit and not a close-up."""

SLIVER = 20.0
"""Longer side over shorter from which on a box is rather a slip than an object; hotcoco's check has the same."""

LARGEST_IMGSZ = 1536
"""Beyond this, cutting pictures into tiles costs less memory than a larger training size."""

_STRIDE = 32  # training sizes are multiples of it


def tiny(evidence: Evidence) -> Iterator[Finding]:
    table = evidence.boxes
    if not len(table.image):
        return
    shorter = table.size.min(axis=1)
    seen = shorter * evidence.imgsz / table.frame.max(axis=1)
    small = seen < TINY
    if not small.any():
        return
    share = float(small.mean())
    wanted = _size_that_shows(evidence.imgsz, float(np.quantile(seen, MUCH_TINY)))
    figures = {"boxes": int(small.sum()), "share": round(share, 4), "imgsz": evidence.imgsz, "wanted_imgsz": wanted}
    enough = share < MUCH_TINY
    if enough:
        remedy = "Look whether they are slips of the mouse; else nothing"
    elif wanted <= LARGEST_IMGSZ:
        remedy = (
            f"Train with imgsz {wanted}, where {percent(1 - MUCH_TINY)} of them are larger, or cut pictures into tiles"
        )
    else:
        remedy = f"Cut the pictures into tiles: an imgsz of {wanted} would be needed"
    number = count(int(small.sum()), "box")
    text = f"{number} ({percent(share)}) would be less than {TINY:g} pixels wide or high at imgsz {evidence.imgsz}"
    yield Finding("tiny boxes", "note" if enough else "warning", text, remedy, evidence.names_of(small), figures)


def giant(evidence: Evidence) -> Iterator[Finding]:
    table = evidence.boxes
    large = table.share > GIANT
    if not large.any():
        return
    share = float(large.mean())
    text = f"{count(int(large.sum()), 'box')} ({percent(share)}) cover more than {percent(GIANT)} of the picture"
    remedy = "See whether they hold several objects, or stand for the picture as a whole; box each object"
    figures = {"boxes": int(large.sum()), "share": round(share, 4)}
    severity: Severity = "warning" if share > MUCH_GIANT else "note"
    yield Finding("giant boxes", severity, text, remedy, evidence.names_of(large), figures)


def slivers(evidence: Evidence) -> Iterator[Finding]:
    size = evidence.boxes.size
    thin = size.max(axis=1) > SLIVER * size.min(axis=1)
    if thin.any():
        text = f"{count(int(thin.sum()), 'box')} more than {SLIVER:g} times as long as wide"
        remedy = "See whether they are slips of the mouse"
        yield Finding("slivers", "note", text, remedy, evidence.names_of(thin), {"boxes": int(thin.sum())})


def _size_that_shows(imgsz: int, seen: float) -> int:
    """The multiple of the stride at which a box that is now `seen` pixels would be TINY."""
    return math.ceil(imgsz * TINY / max(seen, 0.1) / _STRIDE) * _STRIDE
