"""What a comparison's table says of each attempt: one field a line, one cell an attempt, in either direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from yolo_pipeline.classification import PictureScores
from yolo_pipeline.diagnosis import Interval
from yolo_pipeline.nouns import JUDGED, SPLITS, Scores, Split
from yolo_pipeline.reporting.classified.answers import is_classifier
from yolo_pipeline.reporting.pages.comparison.words import Say
from yolo_pipeline.reporting.tables import METRICS, PICTURE_METRICS, megabytes, plain, short
from yolo_pipeline.results import Comparison, Results, finite, flat_settings, own_metrics

Group = Literal["words", "settings", "data", "val", "test", "own", "cost"]
WITH_INTERVAL = ("mAP50", "mAP50_95", "top1")
_AS_TOLD = "as told"  # the key of a change that a list from elsewhere tells in words


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry.

    Attributes:
        order: what a table is sorted by; None, for what is not known, comes last.
        note: in small letters below it: an interval.
        best: whether it is better than all others, beyond the choice of images.
    """

    text: str = "–"
    order: float | str | None = None
    note: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table; `key` is unique among the fields and the same in every language."""

    key: str
    name: str
    group: Group
    cells: tuple[Cell, ...]

    @property
    def varies(self) -> bool:
        return len({cell.text for cell in self.cells}) > 1

    @property
    def is_known(self) -> bool:
        return any(cell.order is not None for cell in self.cells)


def fields(comparison: Comparison, say: Say) -> list[Field]:
    """All that the table shows: settings that differ, and of the rest what is known of any attempt."""
    attempts = comparison.attempts
    settings = [field for field in setting_fields(attempts) if field.varies]
    scores = [field for split in JUDGED for field in _score_fields(comparison, split, say)]
    others = [*_data_fields(attempts, say), *scores, *_own_fields(attempts), *_cost_fields(attempts, say)]
    return [*settings, *(field for field in others if field.is_known)]


def setting_fields(attempts: Sequence[Results]) -> list[Field]:
    """Every setting that any of them has, by its dotted key."""
    flat = [flat_settings(attempt.record) for attempt in attempts]
    keys = sorted({key for settings in flat for key in settings})
    return [Field(key, key, "settings", tuple(_cell(settings.get(key)) for settings in flat)) for key in keys]


def changes(attempt: Results) -> Sequence[Any]:
    """What was changed against its base: settings, or as its makers told it."""
    changed = attempt.record.get("changed")
    return changed if isinstance(changed, (list, tuple)) else ()


def told_changes(attempt: Results) -> list[str]:
    """Changes in words, as an imported list has them."""
    told = [entry.get("after") if isinstance(entry, Mapping) else entry for entry in changes(attempt) if is_told(entry)]
    return [plain(entry) for entry in told]


def is_told(change: Any) -> bool:
    return not isinstance(change, Mapping) or change.get("key") == _AS_TOLD


def of_both_tracks(changed: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], int]:
    """Changes without those that follow from a change of the track: settings of training that only one of them has.

    Args:
        changed: each with `key`, `before` and `after`.

    Returns:
        the changes, and how many were left out.
    """
    moved = any(change.get("key") == "track" and change.get("before") and change.get("after") for change in changed)
    kept = [change for change in changed if not (moved and _is_of_one_track(change))]
    return kept, len(changed) - len(kept)


def _is_of_one_track(change: Mapping[str, Any]) -> bool:
    is_training = str(change.get("key")).startswith("train.")
    return is_training and (change.get("before") is None or change.get("after") is None)


def cost(record: Mapping[str, Any]) -> dict[str, float | None]:
    """`train seconds`, `parameters`, `weights` in megabytes and `seconds an image`, as far as known."""
    seconds, training = record.get("seconds") or {}, record.get("training") or {}
    return {
        "train seconds": finite(seconds.get("train")),
        "parameters": finite(training.get("parameters")),
        "weights": size / 1e6 if (size := finite(training.get("bytes"))) is not None else None,
        "seconds an image": finite(seconds.get("an_image")),
    }


def judged_scores(attempt: Results, split: Split) -> Scores | PictureScores | None:
    """The judge's, of a detector or a classifier."""
    found = attempt.classified.get(split)
    return found.scores if found else attempt.scores.get(split)


def judged_figure(attempt: Results, split: Split, metric: str) -> float | None:
    """One of the judge's figures; None where it is not told of what the attempt was trained to do."""
    return finite(getattr(judged_scores(attempt, split), metric, None))


def interval_of(attempt: Results, split: Split, metric: str) -> Interval | None:
    found = attempt.classified.get(split)
    return (found.intervals if found else attempt.intervals.get(split, {})).get(metric)


def best_of(comparison: Comparison, split: Split, metric: str) -> int | None:
    """Number of the attempt that is better than each other one beyond the choice of images; None: it cannot be said.

    All must have been judged on the same images, as the neighbours' differences tell.
    """
    values = {
        attempt.number: (value, interval_of(attempt, split, metric))
        for attempt in comparison.attempts
        if (value := judged_figure(attempt, split, metric)) is not None
    }
    paired = {
        (judged.a, judged.b): judged.difference.is_clear
        for judged in comparison.judged
        if (judged.split, judged.metric) == (split, metric) and not judged.shared
    }
    if len(values) < 2 or not all(pair in paired for pair in pairwise(values)):
        return None
    best = max(values, key=lambda number: values[number][0])
    others = [number for number in values if number != best]
    clear = all(
        paired.get((best, other), paired.get((other, best), _apart(values[best][1], values[other][1])))
        for other in others
    )
    return best if clear else None


def shown_interval(interval: Interval, *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    return f"[{interval.low:{form}}, {interval.high:{form}}]"


def shown_seconds(seconds: float) -> str:
    """A time as a person would say it: 4.2 s, 35 min, 12.5 h."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _cell(value: Any) -> Cell:
    text = plain(value)
    return Cell() if value is None else Cell(text, text if finite(value) is None else finite(value))


def _score_fields(comparison: Comparison, split: Split, say: Say) -> Iterator[Field]:
    for metric in ("images", *METRICS, *PICTURE_METRICS):
        best = best_of(comparison, split, metric) if metric in WITH_INTERVAL else None
        cells = tuple(_score(attempt, split, metric, attempt.number == best) for attempt in comparison.attempts)
        name = say(metric) if metric in ("images", "conf") else shown_metric(metric)
        yield Field(f"{split} {metric}", name, "val" if split == "val" else "test", cells)


def shown_metric(metric: str) -> str:
    return {"mAP50_95": "mAP50-95", "AP50_95": "AP50-95", "f1": "F1"}.get(metric, metric)


def _score(attempt: Results, split: Split, metric: str, is_best: bool) -> Cell:
    value = judged_figure(attempt, split, metric)
    if value is None:
        return Cell()
    interval = interval_of(attempt, split, metric)
    text = f"{value:,.0f}" if metric == "images" else short(value)
    return Cell(text, value, shown_interval(interval) if interval else "", is_best)


def _data_fields(attempts: Sequence[Results], say: Say) -> Iterator[Field]:
    for split in SPLITS:
        for what in ("images", "boxes"):
            has = [what == "images" or not is_classifier(attempt) for attempt in attempts]
            counted = zip(attempts, has, strict=True)
            cells = tuple(_count(_counts(attempt, split).get(what) if there else None) for attempt, there in counted)
            yield Field(f"data {split} {what}", say(f"{what} of", split=split), "data", cells)
    classes = tuple(_count(len((a.record.get("data") or {}).get("names") or ()) or None) for a in attempts)
    yield Field("data classes", say("classes count"), "data", classes)


def _counts(attempt: Results, split: Split) -> Mapping[str, Any]:
    counts = (attempt.record.get("data") or {}).get("counts") or {}
    return counts.get(split) or {}


def _count(value: Any) -> Cell:
    number = finite(value)
    return Cell() if number is None else Cell(f"{number:,.0f}", number)


def _own_fields(attempts: Sequence[Results]) -> Iterator[Field]:
    own = [own_metrics(attempt.record) for attempt in attempts]
    for name in dict.fromkeys(name for figures in own for name in figures):
        cells = tuple(Cell(short(figures[name]), figures[name]) if name in figures else Cell() for figures in own)
        yield Field(f"own {name}", name, "own", cells)


def _cost_fields(attempts: Sequence[Results], say: Say) -> Iterator[Field]:
    costs = [cost(attempt.record) for attempt in attempts]
    ways: dict[str, Callable[[float], str]] = {
        "train seconds": shown_seconds,
        "parameters": lambda value: f"{value:,.0f}",
        "weights": lambda value: megabytes(value * 1e6),
        "seconds an image": shown_seconds,
    }
    for name, shown in ways.items():
        values = [each[name] for each in costs]
        cells = tuple(Cell() if value is None else Cell(shown(value), value) for value in values)
        yield Field(name, say(name), "cost", cells)
    used = [(attempt.record.get("training") or {}).get("used") or {} for attempt in attempts]
    yield Field("device", say("device"), "cost", tuple(_cell(each.get("device")) for each in used))


def _apart(one: Interval | None, other: Interval | None) -> bool:
    """Whether two intervals leave no place to both."""
    return bool(one and other and (one.low > other.high or one.high < other.low))
