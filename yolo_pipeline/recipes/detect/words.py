"""What `detect` says in the end: for programs, as a table, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from yolo_pipeline.nouns import Skip
from yolo_pipeline.recipes.detect.order import Detected
from yolo_pipeline.views import Tally, named

_MOST_CLASSES = 12  # on a terminal
_NAMED_SOURCES = 3


def as_json(counts: Tally, skipped: Sequence[Skip], likeliest: Tally | None = None) -> dict[str, Any]:
    """What `detect --json` prints. Of a classifier pictures are counted, by their likeliest class."""
    return {
        "images": counts.images,
        "skipped": len(skipped),
        "thresholds": {
            named(threshold): _of_boxes(counts, threshold) if likeliest is None else _of_pictures(likeliest, threshold)
            for threshold in counts.views.thresholds
        },
    }


def _of_boxes(counts: Tally, threshold: float) -> dict[str, Any]:
    return {
        "boxes": counts.total(threshold),
        "images_with_boxes": counts.images_with_boxes[threshold],
        "classes": dict(sorted(counts.boxes[threshold].items())),
    }


def _of_pictures(likeliest: Tally, threshold: float) -> dict[str, Any]:
    return {
        "images_classified": likeliest.total(threshold),
        "classes": dict(sorted(likeliest.boxes[threshold].items())),
    }


def count_rows(detected: Detected) -> tuple[list[str], list[list[Any]]]:
    """Heading and rows of a table: a column a threshold; boxes, pictures, and the classes with most boxes.

    Of a classifier, the pictures that it is so sure of, by their likeliest class.
    """
    counts = detected.likeliest or detected.counts
    thresholds, lowest = counts.views.thresholds, counts.boxes[counts.views.lowest]
    rows = _rows_of_pictures(counts) if detected.likeliest is not None else _rows_of_boxes(counts)
    labels = sorted(lowest, key=lambda label: (-lowest[label], label))
    rows += [[label, *(counts.boxes[at][label] for at in thresholds)] for label in labels[:_MOST_CLASSES]]
    if len(labels) > _MOST_CLASSES:
        rows.append([f"and {len(labels) - _MOST_CLASSES} classes more", *("…" for _ in thresholds)])
    return ["at confidence", *map(named, thresholds)], rows


def _rows_of_boxes(counts: Tally) -> list[list[Any]]:
    thresholds = counts.views.thresholds
    rows: list[list[Any]] = [
        ["boxes", *(counts.total(threshold) for threshold in thresholds)],
        ["images with boxes", *(f"{counts.images_with_boxes[at]} of {counts.images}" for at in thresholds)],
    ]
    if len(thresholds) > 1:
        rows.append(["boxes that vanish", *(counts.vanished(threshold) or "" for threshold in thresholds)])
    return rows


def _rows_of_pictures(counts: Tally) -> list[list[Any]]:
    return [["images classified", *(f"{counts.total(at)} of {counts.images}" for at in counts.views.thresholds)]]


def said(detected: Detected) -> Iterator[str]:
    """Lines for the user, the last one with the page to open."""
    yield from detected.notes
    if detected.counts.noted:
        yield f"{detected.counts.noted} pictures have several frames or pages, of which the first was read"
    if detected.skipped:
        yield f"{len(detected.skipped)} pictures were skipped: {detected.folder.skipped_file} says why"
    if detected.mined is not None:
        yield str(detected.mined)
    if detected.likeliest is not None:
        yield f"The likeliest classes of each picture: {detected.folder.classes_file}"
    yield f"Page: {detected.folder.page_file}"


def told(value: object) -> str:
    """A setting as the page says it."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "all" if value is None else str(value)


def brief(sources: Sequence[str]) -> str:
    """The first few sources, and how many more: a shell's pattern may have become thousands."""
    more = f" and {len(sources) - _NAMED_SOURCES} more" if len(sources) > _NAMED_SOURCES else ""
    return ", ".join(sources[:_NAMED_SOURCES]) + more
