"""Curves -> what they say of under- and over-fitting."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from yolo_pipeline.diagnosis import CurveReading
from yolo_pipeline.nouns import Curves

_PARTS = ("box_loss", "cls_loss", "dfl_loss", "obj_loss")  # obj_loss: YOLOv5's
_BEST_BY = ("val/mAP50_95", "val/mAP50")
_REACH = 2
"""Epochs on either side that a value is the median of (fewer at the ends), so that one noisy epoch says nothing."""

_NONE, _MOST = 1e-9, 1e9
"""A loss below is zero, and one above is none: training has come apart there."""

_LAST, _LEAST = 0.2, 3

Floats = npt.NDArray[np.float64]


def read(curves: Curves, asked: int) -> CurveReading | None:
    """What the curves say; None where they count no epochs.

    A loss is the sum of its parts for boxes, classes and the like, smoothed by medians. Without losses on val nothing
    falls or rises, and `lowest` is the best epoch. Epochs go by their numbers: curves may begin late, after a resume.

    Args:
        asked: epochs that the settings allow.
    """
    epochs = curves.columns.get("epoch", ())
    if not epochs:
        return None
    loss = _loss(curves, "val")
    val, train = _smooth(loss), _smooth(_loss(curves, "train"))
    lowest = _lowest(val)
    best = _best(curves, lowest)
    low = best if lowest is None else lowest
    numbers = [int(epoch) if math.isfinite(epoch) else at for at, epoch in enumerate(epochs, start=1)]
    return CurveReading(
        epochs=numbers[-1],
        asked=asked,
        best=numbers[best],
        still_falling=_still_falling(loss),
        val_rise=_change(val, low, len(val) - 1),
        lowest=numbers[low],
        train_fall=-_change(train, low, len(train) - 1) + 0.0,
        stopped_early=numbers[-1] < asked,
    )


def _loss(curves: Curves, split: str) -> Floats:
    """(epochs,) the sum of the parts that there are, NaN where it is no loss; empty where there are none."""
    there = [curves.columns[name] for part in _PARTS if (name := f"{split}/{part}") in curves.columns]
    if not there:
        return np.zeros(0)
    parts = np.asarray(there, dtype=np.float64)
    total = np.where((parts >= 0) & (parts <= _MOST), parts, np.nan).sum(axis=0)
    return np.asarray(total, dtype=np.float64)


def _smooth(loss: Floats) -> Floats:
    return np.array([_median(loss[max(0, at - _REACH) : at + _REACH + 1]) for at in range(len(loss))])


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _lowest(loss: Floats) -> int | None:
    return int(np.nanargmin(loss)) if np.isfinite(loss).any() else None


def _best(curves: Curves, lowest: int | None) -> int:
    """Index of the epoch with the best mAP; where none is above 0, that of the lowest loss, else the last."""
    for name in _BEST_BY:
        values = np.nan_to_num(np.asarray(curves.columns.get(name, ()), dtype=np.float64), nan=0.0)
        if len(values) and values.max() > 0:
            return int(values.argmax())
    return len(curves.columns["epoch"]) - 1 if lowest is None else lowest


def _still_falling(loss: Floats) -> float:
    """From the median of the fifth before the last to that of the last, as a share of the highest value.

    A fifth is three epochs at the least, if there are six. The highest is the first one or, where learning begins late,
    one soon after.
    """
    finite = loss[np.isfinite(loss)]
    if len(finite) < 2 or finite.max() < _NONE:
        return 0.0
    fifth = min(max(_LEAST, round(_LAST * len(finite))), len(finite) // 2)
    return float((np.median(finite[-2 * fifth : -fifth]) - np.median(finite[-fifth:])) / finite.max())


def _change(loss: Floats, start: int, end: int) -> float:
    """How far a loss rose from one epoch to another, as a share of what it was; 0 where that cannot be said."""
    if not (0 <= start < len(loss)) or not np.isfinite(loss[[start, end]]).all() or loss[start] < _NONE:
        return 0.0
    return float((loss[end] - loss[start]) / loss[start])
