"""Which box of a photo before is which box of the same photo after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_pipeline.geometry import SAME_OBJECT_IOU
from yolo_pipeline.nouns import Box, Truth

_SAME_CLASS_IOU = 0.1  # drawn anew, a box may move far
_UNCHANGED_IOU = 0.98
_ROUNDING_PX = 1.0


@dataclass(frozen=True, slots=True)
class Pairs:
    """The boxes of one photo, before and after.

    Attributes:
        same: (before, after, IoU) of boxes that are one object.
        gone, new: those without a partner.
    """

    same: tuple[tuple[Truth, Truth, float], ...]
    gone: tuple[Truth, ...]
    new: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The boxes of one photo that are not the same before and after, and how they overlap.

    Attributes:
        equal: boxes that both have, with their class.
        before, after: the others.
        best_first: (IoU, place in `before`, place in `after`) from IoU 0.1 on; ties go by a rule that is the same in
            both directions.
    """

    equal: tuple[Truth, ...]
    before: tuple[Truth, ...]
    after: tuple[Truth, ...]
    best_first: tuple[tuple[float, int, int], ...]


def find_overlaps(before: Sequence[Truth], after: Sequence[Truth]) -> Overlaps:
    if before == after:
        return Overlaps(tuple(before), (), (), ())
    equal, gone = _common(before, after)
    _, new = _common(after, before)
    if not gone or not new:
        return Overlaps(tuple(equal), tuple(gone), tuple(new), ())
    ious = _ious(gone, new)
    rows, columns = np.nonzero(ious >= _SAME_CLASS_IOU)
    found = zip(ious[rows, columns].tolist(), rows.tolist(), columns.tolist(), strict=True)
    ordered = sorted(found, key=lambda entry: (-entry[0], entry[1] + entry[2], abs(entry[1] - entry[2])))
    return Overlaps(tuple(equal), tuple(gone), tuple(new), tuple(ordered))


def pair_by_place(overlaps: Overlaps) -> Pairs:
    """Boxes are one object at IoU 0.5, whatever their class."""
    return _pair(overlaps, [(SAME_OBJECT_IOU, lambda old, new: True)])


def pair_by_class(overlaps: Overlaps, renamed: Mapping[str, str]) -> Pairs:
    """Boxes of one class are one object at IoU 0.1; what is left is paired by place.

    Args:
        renamed: class before -> its name after: both count as one class.
    """
    same_class = (_SAME_CLASS_IOU, lambda old, new: is_one_class(old, new, renamed))
    return _pair(overlaps, [same_class, (SAME_OBJECT_IOU, lambda old, new: True)])


def is_one_class(before: Truth, after: Truth, renamed: Mapping[str, str]) -> bool:
    return after.label == before.label or after.label == renamed.get(before.label)


def is_redrawn(before: Box, after: Box, iou: float) -> bool:
    """Whether a box was moved or sized by more than rounding does."""
    if iou < _UNCHANGED_IOU:
        return True
    pairs = zip(_corners(before), _corners(after), strict=True)
    return any(abs(old - new) > _ROUNDING_PX for old, new in pairs)


def _pair(overlaps: Overlaps, rounds: Sequence[tuple[float, Callable[[Truth, Truth], bool]]]) -> Pairs:
    same = [(truth, truth, 1.0) for truth in overlaps.equal]
    gone, new = dict(enumerate(overlaps.before)), dict(enumerate(overlaps.after))
    for least, fits in rounds:
        for iou, i, j in overlaps.best_first:
            if iou >= least and i in gone and j in new and fits(gone[i], new[j]):
                same.append((gone.pop(i), new.pop(j), iou))
    return Pairs(tuple(same), tuple(gone.values()), tuple(new.values()))


def _common(these: Sequence[Truth], others: Sequence[Truth]) -> tuple[list[Truth], list[Truth]]:
    """What the others hold as well, as often as they do, and what they do not."""
    there = Counter(others)
    common: list[Truth] = []
    alone: list[Truth] = []
    for truth in these:
        (common if there[truth] else alone).append(truth)
        there[truth] -= there[truth] > 0
    return common, alone


def _ious(before: Sequence[Truth], after: Sequence[Truth]) -> npt.NDArray[np.float64]:
    """IoU of each box before with each after, (B, A); 0 where both are empty."""
    old, new = (np.array([_corners(truth.box) for truth in side], np.float64) for side in (before, after))
    size = np.minimum(old[:, None, 2:], new[None, :, 2:]) - np.maximum(old[:, None, :2], new[None, :, :2])
    shared = np.maximum(size, 0).prod(axis=2)
    areas = [(side[:, 2:] - side[:, :2]).prod(axis=1) for side in (old, new)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    found: npt.NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1
