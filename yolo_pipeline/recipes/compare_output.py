"""A comparison as JSON, as a table for terminal and Markdown, and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any, Literal

from yolo_pipeline.classification import PictureScores
from yolo_pipeline.comparing.effects import effects
from yolo_pipeline.comparing.words import INTERVALS_COVER, data_line, verdict
from yolo_pipeline.comparison import BoxChange, DataDifference
from yolo_pipeline.nouns import JUDGED, SPLITS, Scores, Split, Truth
from yolo_pipeline.reporting.tables import (
    METRICS,
    MOST_SIDE_BY_SIDE,
    PICTURE_METRICS,
    markdown_table,
    megabytes,
    metric,
    plain,
    right_of_all,
)
from yolo_pipeline.results import Comparison, Judged, Results, finite, flat_settings, own_metrics, part

_IN_A_ROW = ("mAP50", "mAP50_95", "f1", "top1", "loss")  # of attempts with a row each


def as_json(comparison: Comparison) -> dict[str, Any]:
    """What `compare --json` prints. `differences` and `data` are between neighbours."""
    return {
        "attempts": [
            {
                "attempt": entry.number,
                "track": part(entry.record, "settings").get("track"),
                "changed": entry.record.get("changed", []),
                "settings": part(entry.record, "settings"),
                "scores": {split: asdict(score) for split, score in _scores(entry).items()},
                "own_metrics": own_metrics(entry.record),
                "cost": _cost(entry),
            }
            for entry in comparison.attempts
        ],
        "differences": [_difference_json(judged) for judged in comparison.judged],
        "data": [{"a": a, "b": b, **_data_json(found)} for (a, b), found in comparison.data.items()],
        "notes": list(comparison.notes),
    }


def _scores(entry: Results) -> Mapping[Split, Scores | PictureScores]:
    """A detector's or a classifier's."""
    return {**entry.scores, **{split: found.scores for split, found in entry.classified.items()}}


def _difference_json(judged: Judged) -> dict[str, Any]:
    difference = judged.difference
    return {
        "a": judged.a,
        "b": judged.b,
        "metric": f"{judged.split} {judged.metric}",
        "delta": difference.delta,
        "low": difference.interval.low,
        "high": difference.interval.high,
        "verdict": verdict(difference),
        "images": judged.images,
        "shared": judged.shared,
        "own_boxes": judged.own_boxes,
    }


def _data_json(found: DataDifference) -> dict[str, Any]:
    """Photos by their names, boxes as x0, y0, x1, y1."""

    def boxes(changes: Iterable[BoxChange]) -> list[dict[str, Any]]:
        return [
            {"photo": c.image.name, "before": _truth_json(c.before), "after": _truth_json(c.after)} for c in changes
        ]

    return {
        "added": [image.name for image in found.added],
        "removed": [image.name for image in found.removed],
        "moved": [{"photo": image.name, "before": before, "after": image.split} for image, before in found.moved],
        "redrawn": boxes(found.redrawn),
        "relabelled": boxes(found.relabelled),
        "boxes_added": boxes(found.boxes_added),
        "boxes_removed": boxes(found.boxes_removed),
        "classes_added": list(found.classes_added),
        "classes_removed": list(found.classes_removed),
        "classes_renamed": [list(pair) for pair in found.classes_renamed],
        "backgrounds": list(found.backgrounds),
    }


def _truth_json(truth: Truth | None) -> dict[str, Any] | None:
    if truth is None:
        return None
    return {"label": truth.label, "box": [truth.box.x0, truth.box.y0, truth.box.x1, truth.box.y1]}


def rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table: what was changed, data, all metrics, AP50 or F1 of each class, cost.

    Up to six attempts stand side by side; more have a row each, with less in it.
    """
    attempts = comparison.attempts
    if len(attempts) > MOST_SIDE_BY_SIDE:
        return _row_each(attempts)
    header = ["", *(f"attempt {entry.number}" for entry in attempts)]
    table = [*_changed_rows(attempts), *_data_rows(comparison), *_metric_rows(attempts), *_class_rows(attempts)]
    return header, [*table, *_own_rows(attempts), *_cost_rows(attempts)]


def _row_each(attempts: Sequence[Results]) -> tuple[list[str], list[list[str]]]:
    title, *settings = _changed_rows(attempts)
    differ = [
        "; ".join(f"{key.removeprefix('train.')} {values[at]}" for key, *values in settings if values[at] != "–") or "–"
        for at in range(len(attempts))
    ]
    wanted = {f"{split} {name}" for split in JUDGED for name in _IN_A_ROW}
    columns = [row for row in _metric_rows(attempts) if row[0] in wanted] + list(_own_rows(attempts))
    header = ["attempt", "title", "settings that differ", *(name for name, *_ in columns)]
    cells = zip(title[1:], differ, *(values for _, *values in columns), strict=True)
    return header, [[str(entry.number), *row] for entry, row in zip(attempts, cells, strict=True)]


def _changed_rows(attempts: Sequence[Results]) -> Iterator[list[str]]:
    yield ["title", *(plain(entry.record.get("title") or None) for entry in attempts)]
    kinds = [part(entry.record, "imported").get("kind") for entry in attempts]
    if len(set(kinds)) > 1:
        yield ["imported from", *map(plain, kinds)]
    flat = [flat_settings(entry.record) for entry in attempts]
    for key in sorted({key for settings in flat for key in settings}):
        values = [plain(settings.get(key)) for settings in flat]
        if len(set(values)) > 1:
            yield [key, *values]


def _data_rows(comparison: Comparison) -> Iterator[list[str]]:
    attempts = comparison.attempts
    if comparison.data:
        pairs = pairwise(entry.number for entry in attempts)
        lines = (data_line(comparison.data[pair]) if pair in comparison.data else "not noted" for pair in pairs)
        yield ["data, against the one before", "–", *lines]
    for split in SPLITS:
        counts = [part(entry.record, "data", "counts", split) for entry in attempts]
        yield [f"{split} images", *(plain(count.get("images")) for count in counts)]


def _metric_rows(attempts: Sequence[Results]) -> Iterator[list[str]]:
    """Rows of detectors' figures where any attempt detects, then of classifiers' where any classifies."""
    for split in JUDGED:
        scores = [entry.scores.get(split) for entry in attempts]
        if any(scores):
            for name in METRICS:
                yield [f"{split} {name}", *(metric(getattr(score, name)) if score else "–" for score in scores)]
            yield [f"{split} found of all", *(f"{s.correct} of {s.truths}" if s else "–" for s in scores)]
        pictures = [_picture_scores(entry, split) for entry in attempts]
        if any(pictures):
            for name in PICTURE_METRICS:
                yield [f"{split} {name}", *(metric(getattr(score, name)) if score else "–" for score in pictures)]
            yield [f"{split} right of all", *(right_of_all(s) if s else "–" for s in pictures)]


def _picture_scores(entry: Results, split: Split) -> PictureScores | None:
    return entry.classified[split].scores if split in entry.classified else None


def _class_rows(attempts: Sequence[Results]) -> Iterator[list[str]]:
    """AP50 of test, where any attempt was judged on it; of classifiers F1 of both."""
    split: Split = "test" if any("test" in entry.scores for entry in attempts) else "val"
    classes = [entry.scores[split].classes if split in entry.scores else {} for entry in attempts]
    for name in dict.fromkeys(name for scores in classes for name in scores):
        cells = (metric(scores[name].AP50) if name in scores else "–" for scores in classes)
        yield [f"{split} AP50 of {name}", *cells]
    for split in JUDGED:
        found = [_picture_scores(entry, split) for entry in attempts]
        pictures = [scores.classes if scores else {} for scores in found]
        for name in dict.fromkeys(name for scores in pictures for name in scores):
            cells = (metric(scores[name].f1) if name in scores else "–" for scores in pictures)
            yield [f"{split} F1 of {name}", *cells]


def _own_rows(attempts: Sequence[Results]) -> Iterator[list[str]]:
    for name in dict.fromkeys(name for entry in attempts for name in own_metrics(entry.record)):
        yield [name, *(metric(own_metrics(entry.record).get(name)) for entry in attempts)]


def _cost_rows(attempts: Sequence[Results]) -> Iterator[list[str]]:
    costs = [_cost(entry) for entry in attempts]
    yield ["parameters", *(_said(finite(cost["parameters"]), "{:,.0f}") for cost in costs)]
    yield ["weights", *("–" if (size := cost["weights_bytes"]) is None else megabytes(size) for cost in costs)]
    yield ["training", *(_said(cost["seconds"], "{:.0f} s") for cost in costs)]
    yield ["an image", *(_said(cost["seconds_an_image"], "{:.3f} s") for cost in costs)]


def _said(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def difference_lines(comparison: Comparison) -> list[str]:
    """A line for each judged difference, then what the intervals cover."""
    lines = [
        f"attempt {judged.b} against {judged.a}, {judged.split} {judged.metric}: {verdict(found)}"
        f"{f' by its own {judged.objects}' * judged.own_boxes}, {found.delta:+.4f} "
        f"({100 * found.interval.confidence:.0f} % interval {found.interval.low:+.4f} to {found.interval.high:+.4f}, "
        f"{judged.images} {'shared ' * judged.shared}images)"
        for judged in comparison.judged
        for found in (judged.difference,)
    ]
    return [*lines, INTERVALS_COVER] if lines else []


def as_markdown(comparison: Comparison) -> str:
    parts = ["# Comparison", markdown_table(*rows(comparison))]
    for title, lines in (("Differences", difference_lines(comparison)), ("Notes", comparison.notes)):
        if lines:
            parts += [f"## {title}", "\n".join(f"- {line[0].upper()}{line[1:]}." for line in lines)]
    return "\n\n".join(parts) + "\n"


def as_html(comparison: Comparison, lang: Literal["en", "ko"]) -> str:
    from yolo_pipeline.reporting.pages.comparison import comparison_page  # imported late: only the page needs plots

    return comparison_page(comparison, lang, effects)


def _cost(entry: Results) -> dict[str, Any]:
    """Seconds of training, parameters, bytes of the weights, seconds an image when judging, device; None: not known."""
    seconds, training = part(entry.record, "seconds"), part(entry.record, "training")
    return {
        "seconds": finite(seconds.get("train")),
        "parameters": training.get("parameters"),
        "weights_bytes": finite(training.get("bytes")),
        "seconds_an_image": finite(seconds.get("an_image")),
        "device": part(entry.record, "training", "used").get("device"),
    }
