"""Curves -> what they say of under- and over-fitting."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from yolo_pipeline.diagnosis import CurveReading, CurveUnit
from yolo_pipeline.nouns import Curves

_PARTS = ("box_loss", "cls_loss", "dfl_loss", "obj_loss", "loss")  # obj_loss: YOLOv5's; loss: a classifier's
_BEST_BY = ("val/mAP50_95", "val/mAP50", "val/accuracy")
_REACH = {"epoch": 2, "step": 1}
"""Rows on either side that a value is the median of (fewer at the ends), so that one noisy epoch says nothing. Where
training goes by steps there are ten evaluations or so: five of them would be half of it."""

_NONE, _MOST = 1e-9, 1e9
"""A loss below is zero, and one above is none: training has come apart there."""

_LAST, _LEAST = 0.2, {"epoch": 3, "step": 2}

_APART = 1.5
"""Times the loss that training began with: what ends above it has not learnt but come apart."""

_FIRST, _FIRST_SHARE, _NOISE = 5, 0.1, 2
"""Rows that training began with: so many, and such a share of all, at the most; and `_REACH` of single steps."""

Floats = npt.NDArray[np.float64]


def read(curves: Curves, asked: int, unit: CurveUnit = "epoch") -> CurveReading | None:
    """What the curves say; None where they do not count the unit.

    A loss is the sum of its parts for boxes, classes and the like, smoothed by medians. Without losses on val nothing
    falls or rises, and `lowest` is the best epoch. Epochs go by their numbers: curves may begin late, after a resume.
    Curves of a training that goes by steps are read where val was evaluated: see `by_evaluation`.

    Args:
        asked: epochs, or steps, that the settings allow.
    """
    counted = _numbers(curves, unit)
    if not counted:
        return None
    read_at = by_evaluation(curves) if unit == "step" else curves
    loss = _loss(read_at, "val")
    reach = _REACH[unit] if len(read_at) > 2 * _REACH[unit] else 0  # of two rows each would be the mean of both
    val, train = _smooth(loss, reach), _smooth(_loss(read_at, "train"), reach)
    lowest = _lowest(val)
    best = _best(read_at, lowest)
    low = best if lowest is None else lowest
    numbers = _numbers(read_at, unit)
    return CurveReading(
        epochs=counted[-1],
        asked=asked,
        best=numbers[best],
        still_falling=_still_falling(loss, _LEAST[unit]),
        val_rise=_change(val, low, len(val) - 1),
        lowest=numbers[low],
        train_fall=-_change(train, low, len(train) - 1) + 0.0,
        stopped_early=unit == "epoch" and counted[-1] < asked,
        unit=unit,
        apart=_apart(curves, counted),
    )


def figures_at(curves: Curves, epoch: float | None) -> dict[str, float]:
    """Column -> what it says of an epoch, finite figures alone; empty where there is no such epoch."""
    numbers = curves.columns.get("epoch", ())
    if epoch is None or epoch not in numbers:
        return {}
    row = numbers.index(epoch)
    return {name: values[row] for name, values in curves.columns.items() if math.isfinite(values[row])}


def by_evaluation(curves: Curves) -> Curves:
    """A row for each evaluation on val; what training says there is the median since the one before.

    Without any evaluation the curves stay as they are.
    """
    ends = np.flatnonzero(_said(curves, "val/"))
    if not len(ends):
        return curves
    starts = [0, *(ends[:-1] + 1)]
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in curves.columns.items()}
    return Curves(
        {
            name: tuple(
                _median(values[start : end + 1]) if name.startswith("train/") else float(values[end])
                for start, end in zip(starts, ends, strict=True)
            )
            for name, values in columns.items()
        }
    )


def _said(curves: Curves, beginning: str) -> npt.NDArray[np.bool_]:
    """(rows,) whether any column of that beginning holds a number there."""
    there = [values for name, values in curves.columns.items() if name.startswith(beginning)]
    told = np.isfinite(np.asarray(there, dtype=np.float64).reshape(-1, len(curves)))
    return np.asarray(told.any(axis=0), dtype=np.bool_)


def _numbers(curves: Curves, unit: str) -> list[int]:
    rows = enumerate(curves.columns.get(unit, ()), start=1)
    return [int(value) if math.isfinite(value) else at for at, value in rows]


def _apart(curves: Curves, numbers: list[int]) -> int | None:
    """Where the loss on train left for good what it began with; NaN counts where training is known to have gone on."""
    trained = np.flatnonzero(_said(curves, "learning_rate" if "learning_rate" in curves.columns else "train/"))
    loss = np.asarray(curves.columns.get("train/total_loss") or _loss(curves, "train"), dtype=np.float64)
    if not len(trained) or not len(loss):
        return None
    told = loss[trained]
    known = np.where(np.isfinite(told) & (np.abs(told) <= _MOST), told, np.inf)
    began = _median(known[np.isfinite(known)][: max(1, min(_FIRST, int(_FIRST_SHARE * len(known))))])
    kept = [at for at in range(len(known)) if np.median(_around(known, at, _NOISE)) <= _APART * began]
    first = kept[-1] + 1 if kept else 0
    return numbers[trained[first]] if first < len(known) else None


def _loss(curves: Curves, split: str) -> Floats:
    """(epochs,) the sum of the parts that there are, NaN where it is no loss; empty where there are none."""
    there = [curves.columns[name] for part in _PARTS if (name := f"{split}/{part}") in curves.columns]
    if not there:
        return np.zeros(0)
    parts = np.asarray(there, dtype=np.float64)
    total = np.where((parts >= 0) & (parts <= _MOST), parts, np.nan).sum(axis=0)
    return np.asarray(total, dtype=np.float64)


def _smooth(loss: Floats, reach: int) -> Floats:
    return np.array([_median(_around(loss, at, reach)) for at in range(len(loss))])


def _around(values: Floats, at: int, reach: int) -> Floats:
    return values[max(0, at - reach) : at + reach + 1]


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _lowest(loss: Floats) -> int | None:
    return int(np.nanargmin(loss)) if np.isfinite(loss).any() else None


def _best(curves: Curves, lowest: int | None) -> int:
    """Index of the epoch with the best mAP or accuracy; where none is above 0, that of the lowest loss, else the last.

    Of epochs with the same accuracy, which are many where pictures are few, it is the one with the lowest loss on val.
    """
    for name in _BEST_BY:
        values = np.nan_to_num(np.asarray(curves.columns.get(name, ()), dtype=np.float64), nan=0.0)
        if len(values) and values.max() > 0:
            loss = np.nan_to_num(np.asarray(curves.columns.get("val/loss", ()), dtype=np.float64), nan=np.inf)
            tied = np.flatnonzero(values == values.max())
            return int(tied[loss[tied].argmin()] if len(loss) else tied[0])
    return len(curves) - 1 if lowest is None else lowest


def _still_falling(loss: Floats, least: int) -> float:
    """From the median of the fifth before the last to that of the last, as a share of the highest value.

    A fifth is three epochs at the least, if there are six, or two evaluations. The highest is the first one or, where
    learning begins late, one soon after.
    """
    finite = loss[np.isfinite(loss)]
    if len(finite) < 2 or finite.max() < _NONE:
        return 0.0
    fifth = min(max(least, round(_LAST * len(finite))), len(finite) // 2)
    return float((np.median(finite[-2 * fifth : -fifth]) - np.median(finite[-fifth:])) / finite.max())


def _change(loss: Floats, start: int, end: int) -> float:
    """How far a loss rose from one epoch to another, as a share of what it was; 0 where that cannot be said."""
    if not (0 <= start < len(loss)) or not np.isfinite(loss[[start, end]]).all() or loss[start] < _NONE:
        return 0.0
    return float((loss[end] - loss[start]) / loss[start])
