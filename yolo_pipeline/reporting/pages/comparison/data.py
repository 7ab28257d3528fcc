"""What the scripts of a comparison's page read: figures of every attempt, as JSON without NaN."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import JUDGED, Split
from yolo_pipeline.reporting.curve_points import shown_columns, smoothed_with_gaps, unit_of
from yolo_pipeline.reporting.pages.comparison.effects import Effects, effects_data
from yolo_pipeline.reporting.pages.comparison.fields import (
    WITH_INTERVAL,
    cost,
    interval_of,
    judged_figure,
    judged_scores,
    shown_metric,
)
from yolo_pipeline.reporting.pages.comparison.tables import name_of
from yolo_pipeline.reporting.pages.comparison.words import COMPARISON_WORDS, Say
from yolo_pipeline.reporting.tables import MOST_SIDE_BY_SIDE, plain
from yolo_pipeline.results import Comparison, Results, finite, own_metrics

_MOST_POINTS = 600  # of one curve
_MOST_PR_FIGURES = 400_000  # of all PR curves together: classes with few objects are left out first
_AXES = ("epoch", "step", "seconds")  # what curves may be drawn along
_CLASS_FIGURES = ("AP50", "AP50_95", "f1", "precision", "recall", "truths", "images")
"""Of a class: of detectors, of classifiers, or of both."""

Values = list[float | None]


def page_data(comparison: Comparison, say: Say, effects: Effects | None) -> dict[str, Any]:
    """All of it; lists go by the order of the attempts, None where nothing is known."""
    attempts = comparison.attempts
    metrics = list(_metrics(attempts))
    return {
        "words": COMPARISON_WORDS[say.lang],
        "attempts": [
            {"number": attempt.number, "name": name_of(attempt, say), "short": short_name(attempt, attempts, say)}
            for attempt in attempts
        ],
        "metrics": metrics,
        "judged": _judged_kind(attempts),
        "all judged": all(attempt.scores or attempt.classified for attempt in attempts),
        "cost": {name: values for name, values in _costs(attempts).items() if _known(values) > 1},
        "curves": list(_all_curves(attempts)),
        "pr": {split: pr for split in JUDGED if (pr := _pr(attempts, split))},
        "classes": {split: classes for split in JUDGED if (classes := _classes(attempts, split))},
        "effects": effects_data(attempts, metrics, effects),
    }


def _judged_kind(attempts: Sequence[Results]) -> Literal["boxes", "pictures", "both"]:
    """What the judge's figures are of."""
    boxes, pictures = any(attempt.scores for attempt in attempts), any(attempt.classified for attempt in attempts)
    return "both" if boxes and pictures else "pictures" if pictures else "boxes"


def short_name(attempt: Results, attempts: Sequence[Results], say: Say) -> str:
    """For the axis of a plot; never a number alone, which a plot would take for a place on a scale."""
    return say("attempt n", number=attempt.number) if len(attempts) <= MOST_SIDE_BY_SIDE else f"#{attempt.number}"


def _metrics(attempts: Sequence[Results]) -> Iterator[dict[str, Any]]:
    """mAP and top1 by the judge, val first, as choices are made on it, then others' figures, those named mAP first."""
    for split in JUDGED:
        for metric in WITH_INTERVAL:
            values = [judged_figure(attempt, split, metric) for attempt in attempts]
            intervals = [interval_of(attempt, split, metric) for attempt in attempts]
            if _known(values):
                yield {
                    "name": f"{split} {shown_metric(metric)}",
                    "own": False,
                    "values": values,
                    "low": [finite(interval.low) if interval else None for interval in intervals],
                    "high": [finite(interval.high) if interval else None for interval in intervals],
                }
    own = [own_metrics(attempt.record) for attempt in attempts]
    names = dict.fromkeys(name for figures in own for name in figures)
    for name in sorted(names, key=lambda name: "map" not in name.lower()):
        values = [finite(figures.get(name)) for figures in own]
        yield {
            "name": one_line(name),
            "own": True,
            "values": values,
            "low": [None] * len(own),
            "high": [None] * len(own),
        }


def _costs(attempts: Sequence[Results]) -> dict[str, Values]:
    costs = [cost(attempt.record) for attempt in attempts]
    return {
        name: [each[name] for each in costs] for name in ("train seconds", "parameters", "weights", "seconds an image")
    }


def _all_curves(attempts: Sequence[Results]) -> Iterator[dict[str, Any] | None]:
    """Of each attempt; figures bear the name of their track where there are several: each measures in its own way."""
    tracks = [plain((attempt.record.get("settings") or {}).get("track")) for attempt in attempts]
    several = len({track for track, attempt in zip(tracks, attempts, strict=True) if len(attempt.curves)}) > 1
    for track, attempt in zip(tracks, attempts, strict=True):
        yield _curves(attempt, f" ({track})" if several else "")


def _curves(attempt: Results, behind: str) -> dict[str, Any] | None:
    """Losses and metrics along what they can be drawn along; thinned, the last value and those of val kept.

    Where they are sparse, evaluations on val are few among many steps: points to be joined, and steps to be smoothed.
    """
    curves, sparse = attempt.curves, unit_of(attempt) == "step"
    if not len(curves):
        return None
    length = len(curves)
    kept = {*range(0, length, -(-length // _MOST_POINTS)), length - 1}
    if sparse:
        val = [values for name, values in curves.columns.items() if name.startswith("val/")]
        kept |= {row for values in val for row in range(length) if math.isfinite(values[row])}
    rows = sorted(kept)

    def column(name: str) -> Values:
        values = curves.columns[name]
        smooth = smoothed_with_gaps(values) if sparse and name.startswith("train/") else values
        return [_short(smooth[row]) for row in rows]

    drawn = [name for name in shown_columns(curves) if name.startswith(("train/", "val/"))]
    along = {name: column(name) for name in _AXES if name in curves.columns}
    return {
        "along": along or {"step": [row + 1 for row in rows]},
        "columns": {one_line(f"{name}{behind}"): column(name) for name in drawn},
        **({"sparse": True} if sparse else {}),
    }


def _pr(attempts: Sequence[Results], split: Split) -> dict[str, Any] | None:
    """PR curves of each class and their mean, and F1 along confidence."""
    found = [attempt.diagnoses.get(split) for attempt in attempts]
    if not any(found):
        return None
    names = list(dict.fromkeys(name for diagnosis in found if diagnosis for name in diagnosis.pr))
    points = max(len(diagnosis.recalls) for diagnosis in found if diagnosis)
    most = max(1, _MOST_PR_FIGURES // max(1, 2 * points * len(attempts)))
    names = sorted(names, key=lambda name: -_truths(attempts, split, name))[:most] if len(names) > most else names
    return {
        "classes": [one_line(name) for name in names],
        "attempts": [
            diagnosis
            and {
                "recall": [_short(value, 3) for value in diagnosis.recalls],
                "mean": _mean(list(diagnosis.pr.values())),
                "by class": [[_short(value, 3) for value in diagnosis.pr.get(name, ())] for name in names],
                "conf": [_short(value, 3) for value in diagnosis.curve.conf],
                "f1": [_short(value, 3) for value in diagnosis.curve.f1],
            }
            for diagnosis in found
        ],
    }


def _truths(attempts: Sequence[Results], split: Split, name: str) -> int:
    scores = (attempt.scores[split].classes.get(name) for attempt in attempts if split in attempt.scores)
    return max((found.truths for found in scores if found), default=0)


def _mean(curves: Sequence[Sequence[float]]) -> Values:
    return [_short(sum(values) / len(values), 3) for values in zip(*curves, strict=True)]


def _classes(attempts: Sequence[Results], split: Split) -> dict[str, Any] | None:
    """Figures that any attempt has of a class; rows of a class and one list of these an attempt, None where it lacks
    the class."""
    scores = [judged_scores(attempt, split) for attempt in attempts]
    names = dict.fromkeys(name for each in scores if each for name in each.classes)
    if not names:
        return None
    found = {name: [each.classes.get(name) if each else None for each in scores] for name in names}
    told = [f for f in _CLASS_FIGURES if any(hasattr(entry, f) for entries in found.values() for entry in entries)]
    rows = [
        [one_line(name), [entry and [_short(getattr(entry, figure, None)) for figure in told] for entry in entries]]
        for name, entries in found.items()
    ]
    return {"figures": [shown_metric(name) for name in told], "rows": rows}


def _known(values: Sequence[object]) -> int:
    return sum(value is not None for value in values)


def _short(value: Any, digits: int = 5) -> float | None:
    """A finite number with so many significant digits, for a page that stays small."""
    number = finite(value)
    return None if number is None else float(f"{number:.{digits}g}")
