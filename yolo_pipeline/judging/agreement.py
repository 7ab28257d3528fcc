"""Whether a network in another form finds what the original finds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from yolo_pipeline.errors import one_line
from yolo_pipeline.geometry import iou
from yolo_pipeline.nouns import Box, Detection

LEAST_IOU = 0.9
SCORE_TOLERANCE = 0.02

ASKED = 0.001
"""The confidence to ask both at."""
CONF = 0.25
_CONFIDENCES = (CONF, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, ASKED)

Found = Sequence[Sequence[Detection]]
"""The detections on each of some pictures."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near two sets of detections on the same pictures come to each other.

    Attributes:
        conf: the confidence from which on they were compared.
        compared: detections of the original that have their partner.
        least_iou: of the worst pair of partners.
        score_difference: of the worst pair of partners.
    """

    pictures: int
    conf: float
    compared: int
    least_iou: float
    score_difference: float


class Disagreement(Exception):
    """The text names the first picture on which the two differ, and how."""


def tolerance(conf: float) -> float:
    """By how much scores may differ: 0.02, and in proportion where confidences below 0.25 are compared."""
    return SCORE_TOLERANCE * min(1.0, conf / CONF)


def confidence_to_compare(found: Found) -> float | None:
    """0.25, or the highest lower confidence at which there is something to compare; None: nothing at all."""
    best = max((one.score for picture in found for one in picture), default=0.0)
    return next((conf for conf in _CONFIDENCES if best >= conf + tolerance(conf)), None)


def agreement(names: Sequence[str], original: Found, other: Found, conf: float) -> Agreement:
    """Finds for every detection of one its partner of the other: same class, IoU of 0.9 or more, nearly the same score.

    Detections whose score is within the tolerance of `conf` may lack one: the other may have left it out.

    Args:
        names: of the pictures.

    Raises:
        Disagreement: one has no partner.
    """
    pairs: list[tuple[float, float]] = []
    for name, ours, theirs in zip(names, original, other, strict=True):
        pairs += _partners(ours, theirs, conf, name, "only the original finds")
        list(_partners(theirs, ours, conf, name, "the original does not find"))
    least = min((overlap for overlap, _ in pairs), default=1.0)
    return Agreement(len(names), conf, len(pairs), round(least, 5), round(max((d for _, d in pairs), default=0.0), 6))


def _partners(
    ours: Sequence[Detection], theirs: Sequence[Detection], conf: float, name: str, words: str
) -> Iterator[tuple[float, float]]:
    """(IoU, difference of scores) of each of our detections that must have a partner."""
    for one in ours:
        if one.score < conf + tolerance(conf):
            continue
        label = one_line(one.label)  # as exported networks name their classes
        same = [(iou(one.box, two.box), abs(one.score - two.score)) for two in theirs if one_line(two.label) == label]
        partners = [(overlap, apart) for overlap, apart in same if overlap >= LEAST_IOU]
        overlap, apart = min(partners, key=itemgetter(1)) if partners else max(same, default=(0.0, math.inf))
        if not (overlap >= LEAST_IOU and apart <= tolerance(conf)):
            nearest = f"nearest: IoU {overlap:.3f}, score {apart:.4f} off" if overlap > 0 else "nothing is near it"
            shown = f"{label!r} {one.score:.4f} at {_shown(one.box)}"
            raise Disagreement(f"on {one_line(name)} {words} {shown} ({nearest})")
        yield overlap, apart


def _shown(box: Box) -> str:
    return f"{box.x0:.1f}, {box.y0:.1f}, {box.x1:.1f}, {box.y1:.1f}"
