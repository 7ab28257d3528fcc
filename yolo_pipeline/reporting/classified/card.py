"""What the model card of a classifier says otherwise than a detector's: data, scores and limits are of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from yolo_pipeline.nouns import JUDGED
from yolo_pipeline.reporting.diagnosed import interval_text
from yolo_pipeline.reporting.tables import (
    PICTURE_METRICS,
    markdown_code,
    markdown_table,
    metric,
    plain,
    right_of_all,
)
from yolo_pipeline.results import Results, part

_FEW_IMAGES, _FEW_OF_A_CLASS = 100, 10


def picture_data(record: Mapping[str, Any]) -> Iterator[str]:
    counts: Mapping[str, Mapping[str, Any]] = part(record, "data", "counts")
    yield "## Data\n"
    yield markdown_table(["split", "images"], ([split, plain(entry.get("images"))] for split, entry in counts.items()))
    by_class = {split: entry["classes"] for split, entry in counts.items() if "classes" in entry}
    if by_class:
        names = part(record, "data").get("names", [])
        rows = [[name, *(classes.get(name, 0) for classes in by_class.values())] for name in names]
        yield "\n" + markdown_table(["pictures of class", *by_class], rows)


def picture_scores(results: Results) -> Iterator[str]:
    classified = results.classified
    yield "## Scores\n"
    if not classified:
        yield "None were measured."
        return
    intervals = {split: one.intervals for split, one in classified.items()}
    rows: list[list[Any]] = [
        [name, *(metric(getattr(one.scores, name)) + interval_text(intervals, split, name)
                 for split, one in classified.items())]
        for name in PICTURE_METRICS
    ]  # fmt: skip
    rows.append(["right of all", *(right_of_all(one.scores) for one in classified.values())])
    yield markdown_table(["", *classified], rows)
    yield (
        "\ntop1: the share of pictures whose likeliest class is right; top5: whose class is among the five likeliest; "
        "loss: mean cross entropy. In brackets: where the figure lies in 95 of 100 draws of such images. "
        "The weights were chosen on val."
    )
    split = next(split for split in reversed(JUDGED) if split in classified)
    rows = [
        [name, one.images, metric(one.precision), metric(one.recall), metric(one.f1)]
        for name, one in classified[split].scores.classes.items()
    ]
    yield "\n" + markdown_table([f"class on {split}", "pictures", "precision", "recall", "F1"], rows)


def picture_limits(results: Results) -> Iterator[str]:
    """What the judged splits are too small for."""
    for split, one in results.classified.items():
        if one.scores.images < _FEW_IMAGES:
            yield f"- {split} holds {one.scores.images} images: its figures are rough, as the brackets show."
        few = [name for name, found in one.scores.classes.items() if found.images < _FEW_OF_A_CLASS]
        if few:
            yield f"- Fewer than {_FEW_OF_A_CLASS} pictures on {split}: {', '.join(map(markdown_code, few))}."
    yield "- It names one of its classes for every picture, also for one that is of none of them."
    if "test" not in results.classified:
        yield "- There is no test split: val, on which it was judged, also chose the weights, so that it flatters them."
