"""What was found, as tables and as COCO JSON. Each is written picture by picture, however many there are.

CSV is UTF-8 with `\\n` ends. Names come from strangers: a line break or control character in one becomes a blank,
and what a spreadsheet would run as a formula (it begins with `=`, `+`, `-` or `@`) has an apostrophe before it.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from yolo_pipeline.errors import printable
from yolo_pipeline.files import explain_os_error
from yolo_pipeline.nouns import Skip
from yolo_pipeline.views import Seen, Views, named

Pictures = Callable[[], Iterable[Seen]]
"""Gives all pictures, in the order of the listing, each time it is called."""

_FORMULA_BEGINS = ("=", "+", "-", "@")
_PLACES = ("class", "second", "third", "fourth", "fifth")
_PIXEL_DIGITS, _SCORE_DIGITS = 2, 4


def write_detections(file: Path, pictures: Iterable[Seen], views: Views) -> None:
    """One row a box of the lowest threshold, the best of a picture first, in pixels of the upright picture."""
    header = ("image", "class", "score", "x0", "y0", "x1", "y1")
    write_rows(file, header, (row for seen in pictures for row in _box_rows(seen, views)))


def _box_rows(seen: Seen, views: Views) -> Iterator[list[str]]:
    image = cell(seen.name)
    for one in views.all(seen):
        corners = (one.box.x0, one.box.y0, one.box.x1, one.box.y1)
        score = f"{one.score:.{_SCORE_DIGITS}f}"
        yield [image, cell(one.label), score, *(f"{value:.{_PIXEL_DIGITS}f}" for value in corners)]


def write_classes(file: Path, pictures: Iterable[Seen], views: Views) -> None:
    """Of a classifier, one row a picture: its likeliest classes with their probabilities, five at most.

    Only what the lowest threshold shows; the other cells are empty.
    """
    header = [
        name for place in _PLACES for name in (place, f"{place}_probability" if place != "class" else "probability")
    ]
    write_rows(file, ["image", *header], (_class_row(seen, views) for seen in pictures))


def _class_row(seen: Seen, views: Views) -> list[str]:
    said = views.all(seen)[: len(_PLACES)]
    cells = [text for one in said for text in (cell(one.label), f"{one.score:.{_SCORE_DIGITS}f}")]
    return [cell(seen.name), *cells, *[""] * (2 * (len(_PLACES) - len(said)))]


def write_counts(file: Path, pictures: Iterable[Seen], views: Views) -> None:
    """One row a picture and class with boxes at the lowest threshold, the class of its best box first.

    There is a column a threshold. A picture without boxes has one row, without class and with zeros: so every picture
    that was read is there.
    """
    header = ("image", "class", *map(named, views.thresholds))
    write_rows(file, header, (row for seen in pictures for row in _count_rows(seen, views)))


def _count_rows(seen: Seen, views: Views) -> Iterator[list[str | int]]:
    counted = [Counter(one.label for one in views.at(seen, threshold)) for threshold in views.thresholds]
    for label in list(counted[0]) or [""]:
        yield [cell(seen.name), cell(label), *(one[label] for one in counted)]


def write_skipped(file: Path, skipped: Iterable[Skip]) -> None:
    """One row a file that was not read."""
    write_rows(file, ("file", "reason"), ([cell(one.file), cell(one.why)] for one in skipped))


def write_coco(file: Path, pictures: Pictures, views: Views, names: Sequence[str]) -> None:
    """COCO JSON of the boxes of the lowest threshold, each with its `score`. All ids count from 1, in order.

    Args:
        names: the model's classes, in order.
    """
    ids = {name: number for number, name in enumerate(names, start=1)}
    categories = ({"id": number, "name": name} for name, number in ids.items())
    with _beside(file) as text:
        text.write('{"categories": [')
        _write_items(text, categories)
        text.write('],\n"images": [')
        _write_items(text, (_coco_image(number, seen) for number, seen in enumerate(pictures(), start=1)))
        text.write('],\n"annotations": [')
        _write_items(text, _coco_annotations(pictures(), views, ids))
        text.write("]}\n")


def _write_items(text: TextIO, items: Iterable[dict[str, Any]]) -> None:
    for number, item in enumerate(items):
        text.write((",\n" if number else "\n") + json.dumps(item, ensure_ascii=False))


def _coco_image(number: int, seen: Seen) -> dict[str, Any]:
    return {"id": number, "file_name": seen.name, "width": seen.width, "height": seen.height}


def _coco_annotations(pictures: Iterable[Seen], views: Views, ids: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    numbers = count(1)
    for image_id, seen in enumerate(pictures, start=1):
        for one in views.all(seen):
            x0, y0 = round(one.box.x0, _PIXEL_DIGITS), round(one.box.y0, _PIXEL_DIGITS)
            width, height = round(one.box.x1 - x0, _PIXEL_DIGITS), round(one.box.y1 - y0, _PIXEL_DIGITS)
            yield {
                "id": next(numbers),
                "image_id": image_id,
                "category_id": ids[one.label],
                "bbox": [x0, y0, width, height],
                "area": round(width * height, _PIXEL_DIGITS),
                "score": round(one.score, _SCORE_DIGITS),
                "iscrowd": 0,
            }


def cell(text: str) -> str:
    """A name for a cell of a table: on one line, and no formula."""
    line = printable(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA_BEGINS) else line


def write_rows(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a CSV file, row by row."""
    with _beside(file) as text:
        table = csv.writer(text, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


@contextmanager
def _beside(file: Path) -> Iterator[TextIO]:
    """A new text file that takes the place of `file` when the block ends well; as `files.write_text`, in pieces."""
    beside = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8", errors="backslashreplace", newline="") as text:
            yield text
        beside.replace(file)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and (explained := explain_os_error(file, error)) is not None:
            raise explained from error
        raise
