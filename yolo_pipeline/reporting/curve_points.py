"""What plots show of curves: each loss once, and of trainings that go by steps the points that there are.

Such a training logs hundreds of noisy steps, and an evaluation on val at ten of them or so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from yolo_pipeline.diagnosis import CurveUnit
from yolo_pipeline.nouns import Curves
from yolo_pipeline.results import Results

RATE = "learning_rate"
_OF_ONE_NAME = {"classification_loss": "cls_loss", "localization_loss": "box_loss", "objectness_loss": "rpn_obj_loss"}
_MOST_PLAIN = 40  # points that are drawn as they are
_REACH = 0.03  # share of the points on either side that a smoothed one is the mean of


def unit_of(results: Results) -> CurveUnit:
    return results.reading.unit if results.reading else "epoch"


def shown_columns(curves: Curves) -> list[str]:
    """Columns without losses that stand there a second time, under the name that their framework has."""
    return [name for name in curves.columns if not _stands_there_twice(name, curves)]


def loss_columns(curves: Curves) -> list[str]:
    return [name for name in shown_columns(curves) if name.endswith("loss")]


def accuracy_columns(curves: Curves) -> list[str]:
    """Shares of pictures that are right, of a classifier."""
    return [name for name in shown_columns(curves) if name.rpartition("/")[2].startswith(("accuracy", "top"))]


def _stands_there_twice(column: str, curves: Curves) -> bool:
    part, name = column.partition("/")[0], column.rpartition("/")[2]
    return name in _OF_ONE_NAME and f"{part}/{_OF_ONE_NAME[name]}" in curves.columns


def points(at: Iterable[float], values: Iterable[float]) -> tuple[list[float], list[float]]:
    """Those of which both are numbers, so that a line joins them."""
    there = [pair for pair in zip(at, values, strict=True) if all(map(math.isfinite, pair))]
    return [x for x, _ in there], [y for _, y in there]


def is_noisy(column: str, values: Sequence[float]) -> bool:
    """Whether these are so many single steps of training that the line through them is to be smoothed."""
    return column.startswith("train/") and not are_few(values)


def are_few(values: Sequence[float]) -> bool:
    """Whether each point is to be marked."""
    return len(values) <= _MOST_PLAIN


def smoothed_with_gaps(values: Sequence[float]) -> list[float]:
    """The same of a column with gaps, which stay."""
    there = [at for at, value in enumerate(values) if math.isfinite(value)]
    means = [values[at] for at in there] if len(there) <= _MOST_PLAIN else smoothed([values[at] for at in there])
    whole = [math.nan] * len(values)
    for at, mean in zip(there, means, strict=True):
        whole[at] = mean
    return whole


def smoothed(values: Sequence[float]) -> list[float]:
    """The mean of the points around each; at the ends of those that there are."""
    reach = max(1, round(_REACH * len(values)))
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return [float(mean) for mean in (total[last] - total[first]) / (last - first)]
