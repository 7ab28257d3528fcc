"""Pairs of boxes of one image that overlap much: by IoU, or the smaller inside the larger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST_IOU = 0.8
LEAST_INSIDE = 0.8
"""Share of a box's area that must lie in another for it to count as inside."""

_MOST_BOXES = 2_000  # of an image, as every pair is looked at; more are no photograph's

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Pairs of rows of a box table.

    Attributes:
        large, small: (N,), the row of the larger and of the smaller box.
        iou: (N,), intersection over union.
        inside: (N,), intersection over the smaller's area.
        relative: (N,), the smaller's area over the larger's.
    """

    large: Numbers
    small: Numbers
    iou: Floats
    inside: Floats
    relative: Floats


def find_overlaps(image: Numbers, corners: Floats) -> Overlaps:
    """
    Args:
        image: (N,), which image each box is of; boxes of one image lie together.
        corners: (N, 4), x0, y0, x1, y1.
    """
    starts = np.flatnonzero(np.diff(image, prepend=-1))
    parts = [
        _of_one_image(int(start), corners[start:end])
        for start, end in zip(starts, np.r_[starts, len(image)][1:], strict=True)
        if 1 < end - start <= _MOST_BOXES
    ]
    if not parts:
        none, nothing = np.zeros(0, np.int64), np.zeros(0)
        return Overlaps(none, none, nothing, nothing, nothing)
    return Overlaps(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _of_one_image(start: int, corners: Floats) -> tuple[Numbers, Numbers, Floats, Floats, Floats]:
    x0, y0, x1, y1 = corners.T
    area = (x1 - x0) * (y1 - y0)
    width = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)
    height = np.minimum(y1[:, None], y1) - np.maximum(y0[:, None], y0)
    first, second = np.nonzero(np.triu((width > 0) & (height > 0), 1))
    common = width[first, second] * height[first, second]
    larger = area[first] >= area[second]
    large, small = np.where(larger, first, second), np.where(larger, second, first)
    iou = common / (area[large] + area[small] - common)
    inside = common / area[small]
    close = (iou >= LEAST_IOU) | (inside >= LEAST_INSIDE)
    large, small = large[close], small[close]
    return large + start, small + start, iou[close], inside[close], area[small] / area[large]
