"""Whether a network in another form finds what the original finds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
        least_iou, score_difference: of the worst pair of partners.
        corner_difference: in pixels, of the two corners' coordinates that are furthest apart.
    """

    pictures: int
    conf: float
    compared: int
    least_iou: float
    score_difference: float
    corner_difference: float


class Disagreement(Exception):
    """The text names the first picture on which the two differ, and how."""


def tolerance(conf: float) -> float:
    """By how much scores may differ: 0.02, and in proportion where confidences below 0.25 are compared."""
    return SCORE_TOLERANCE * min(1.0, conf / CONF)


def confidence_to_compare(found: Found, most: float = math.inf) -> float | None:
    """0.25, or the highest lower confidence at which there is something to compare; None: nothing at all.

    Args:
        most: as in `agreement`.
    """
    for conf in _CONFIDENCES:
        if any(one.score >= _least(picture, conf, most) for picture in found for one in picture):
            return conf
    return None


def _least(found: Sequence[Detection], conf: float, most: float) -> float:
    """The score from which on all that another finds on a picture must be among `found`."""
    last = min(one.score for one in found) if len(found) >= most else 0.0
    return max(conf, last) + tolerance(conf)


@dataclass(frozen=True, slots=True)
class Apart:
    """How far a detection and its partner are apart: `iou`, `score`, and in pixels `corner`, the worst coordinate."""

    iou: float
    score: float
    corner: float


def agreement(
    names: Sequence[str],
    original: Found,
    other: Found,
    conf: float,
    *,
    most: float = math.inf,
    pixels: float = math.inf,
) -> Agreement:
    """Finds for every detection of one its partner of the other: same class, IoU of 0.9 or more, nearly the same score.

    Detections whose score is within the tolerance of `conf` may lack one: the other may have left it out. So may those
    that are hardly better than the last one of a list that is full.

    Args:
        names: of the pictures.
        most: detections after which a picture's list is full.
        pixels: so far may the corners of partners be apart.

    Raises:
        Disagreement: one has no partner.
    """
    pairs: list[Apart] = []
    for name, ours, theirs in zip(names, original, other, strict=True):
        picture = _Picture(one_line(name), conf, most, pixels)
        pairs += picture.partners(ours, theirs, "only the original finds")
        list(picture.partners(theirs, ours, "the original does not find"))
    return Agreement(
        pictures=len(names),
        conf=conf,
        compared=len(pairs),
        least_iou=round(min((pair.iou for pair in pairs), default=1.0), 5),
        score_difference=round(max((pair.score for pair in pairs), default=0.0), 6),
        corner_difference=round(max((pair.corner for pair in pairs), default=0.0), 4),
    )


@dataclass(frozen=True, slots=True)
class _Picture:
    """What partners on a picture are held to; see `agreement`."""

    name: str
    conf: float
    most: float
    pixels: float

    def partners(self, ours: Sequence[Detection], theirs: Sequence[Detection], words: str) -> Iterator[Apart]:
        """How far each of our detections that must have a partner is from it."""
        allowed, least = tolerance(self.conf), _least(theirs, self.conf, self.most)
        for one in ours:
            if one.score < least:
                continue
            label = one_line(one.label)  # as exported networks name their classes
            same = [_apart(one, two) for two in theirs if one_line(two.label) == label]
            near = [apart for apart in same if apart.iou >= LEAST_IOU and apart.corner <= self.pixels]
            nearest = min(near, key=lambda apart: apart.score, default=None)
            if nearest is None or not nearest.score <= allowed:  # NaN is neither
                shown = f"{label!r} {one.score:.4f} at {_shown(one.box)}"
                raise Disagreement(f"on {self.name} {words} {shown} ({_said_of(nearest, same)})")
            yield nearest


def _apart(one: Detection, two: Detection) -> Apart:
    corners = [abs(getattr(one.box, key) - getattr(two.box, key)) for key in ("x0", "y0", "x1", "y1")]
    return Apart(iou(one.box, two.box), abs(one.score - two.score), max(corners))


def _said_of(partner: Apart | None, same: Sequence[Apart]) -> str:
    """How far away the next best one is."""
    nearest = partner or max(same, key=lambda apart: (apart.iou, -apart.score), default=None)
    if nearest is None or nearest.iou <= 0:
        return "nothing is near it"
    return f"nearest: IoU {nearest.iou:.3f}, {nearest.corner:.1f} pixels, score {nearest.score:.4f} off"


def _shown(box: Box) -> str:
    return f"{box.x0:.1f}, {box.y0:.1f}, {box.x1:.1f}, {box.y1:.1f}"
