"""All that is known of a finished attempt: what its run saved, and what follows from it; reports are made of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline.classification import Classified
from yolo_pipeline.comparison import DataDifference
from yolo_pipeline.diagnosis import Advice, CurveReading, Diagnosis, Difference, Draws, Interval
from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import Curves, Scores, Split
from yolo_pipeline.run import Run

UNTOLD_CONF = 0.25
"""The confidence to detect at where nothing says a better one: Ultralytics' own."""
_NO_SETTINGS = frozenset({"attempt", "title", "base", "notes"})  # what an attempt says of itself


@dataclass(frozen=True, slots=True)
class Results:
    """One finished attempt.

    Attributes:
        record: as in record.json.
        scores: by the one judge; empty for a run from elsewhere that left no detections, and for a classifier.
        classified: split -> scores and diagnosis of a classifier; empty for a detector.
        curves: empty where the run left none.
        intervals: split -> name of a metric (`mAP50`, `mAP50_95`) -> where it may lie.
        drawn: split -> what these were made of, to pair with that of another attempt on the same images.
        diagnoses: split -> diagnosis, of those splits that were judged. Choices are made on val.
        reading: what the curves say; None where there are none.
        advice: the most important first; empty: nothing was found.
        dataset: folder of the data set that was trained on, for its pictures; it may be gone.
    """

    number: int
    run: Run
    record: Mapping[str, Any]
    scores: Mapping[Split, Scores]
    curves: Curves
    intervals: Mapping[Split, Mapping[str, Interval]] = field(default_factory=dict)
    diagnoses: Mapping[Split, Diagnosis] = field(default_factory=dict)
    reading: CurveReading | None = None
    advice: tuple[Advice, ...] = ()
    dataset: Path | None = None
    classified: Mapping[Split, Classified] = field(default_factory=dict)
    drawn: Mapping[Split, Draws] = field(default_factory=dict, repr=False, compare=False)

    def picture(self, file_name: str) -> Path | None:
        """The picture of a judged image, or None where it is no longer there, or would not lie in the data set."""
        if self.dataset is None or Path(file_name).is_absolute() or ".." in Path(file_name).parts:
            return None
        file = self.dataset / file_name
        return file if file.is_file() else None


@dataclass(frozen=True, slots=True)
class Judged:
    """One metric of two attempts on the same images.

    Attributes:
        a, b: numbers of the attempts; the difference is b's figure minus a's.
        images: how many images both were judged on.
        shared: whether these are only those that the two splits share, judged anew.
        own_boxes: whether boxes had been redrawn, so that both were judged by b's, which favours b.
        objects: what is meant by boxes; a classifier's are labels.
    """

    a: int
    b: int
    split: Split
    metric: str
    difference: Difference
    images: int
    shared: bool = False
    own_boxes: bool = False
    objects: Literal["boxes", "labels"] = "boxes"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Attempts side by side.

    Attributes:
        attempts: in the order asked for.
        judged: between neighbours.
        data: (a, b) -> what became of the data from attempt a to b; absent where one of them did not record it.
        notes: what a reader of the table must know, each a sentence without a full stop.
    """

    attempts: tuple[Results, ...]
    judged: tuple[Judged, ...] = ()
    data: Mapping[tuple[int, int], DataDifference] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def part(record: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """What a record says under a key, and one in that; empty where a run from elsewhere left it out."""
    found: Any = record
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def network(record: Mapping[str, Any]) -> Any:
    """The model that was trained: of a pipeline.config of the user's own it is another than the attempt's `model`."""
    return part(record, "training", "used").get("network") or part(record, "settings").get("model")


def flat_settings(record: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted key -> value, without what an attempt says of itself in words."""
    settings = part(record, "settings")
    return dict(_flat({key: value for key, value in settings.items() if key not in _NO_SETTINGS}, ""))


def own_metrics(record: Mapping[str, Any]) -> dict[str, float]:
    """Figures that are not the judge's: name, as the run's framework has it -> value."""
    own = part(record, "training", "own_metrics")
    return {str(name): value for name, value in own.items() if finite(value) is not None}


def finite(value: Any) -> float | None:
    """A finite number, or None for whatever else stands there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _flat(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield one_line(f"{prefix}{key}"), value


def confidence(record: Mapping[str, Any], scores: Mapping[Split, Scores]) -> float:
    """The confidence that mistakes are counted at: the attempt's own for detection, else the best of val.

    Val chooses it, so that showing the test images chooses nothing.
    """
    asked = finite(part(record, "settings", "detect").get("conf"))
    best = scores["val"].conf if "val" in scores else None
    return next((conf for conf in (asked, best) if conf is not None), UNTOLD_CONF)
