"""What detections.js is told of each picture."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from yolo_pipeline.detecting.drawing import Colour, is_bright
from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.naming import file_name
from yolo_pipeline.errors import one_line
from yolo_pipeline.reporting.pages.corners import short
from yolo_pipeline.reporting.pages.detections.thumbnails import MOST, take_thumbnails
from yolo_pipeline.views import Seen, Views


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of the pictures listed.

    Attributes:
        rows: of each its name, a note, its boxes, the surest first, as [class, score, class, score, …], at how many
            thresholds there is a picture with its boxes drawn, and that picture's address below a threshold's folder.
        large: place in `rows` -> thumbnail, width, height, the corners of the boxes [x0, y0, x1, y1, x0, …], path of
            the original, and its address where it lies in the folder.
    """

    rows: Sequence[list[Any]]
    large: Mapping[int, list[Any]]


def tell(
    pictures: Iterable[Seen], listed: Sequence[str], classes: Sequence[str], views: Views, folder: OutFolder
) -> Told:
    """Of the pictures whose names are listed, in that order; the first ones get a thumbnail."""
    places = {name: place for place, name in enumerate(listed)}
    indices = {name: index for index, name in enumerate(classes)}
    rows: list[list[Any]] = [[] for _ in listed]
    first: dict[int, Seen] = {}
    for seen in pictures:
        place = places.get(seen.name)
        if place is None:
            continue
        shown = replace(seen, detections=views.all(seen))
        rows[place] = _row(shown, indices, views, folder)
        if place < MOST:
            first[place] = shown
    urls = take_thumbnails(first[place] for place in sorted(first))
    large = {place: _large(first[place], urls[name], folder) for name, place in places.items() if name in urls}
    return Told(rows, large)


def class_rows(classes: Sequence[str], colours: Mapping[str, Colour]) -> list[list[str]]:
    """Of each class its name, its colour, and the colour of words upon it."""
    return [[one_line(name), "#{2:02x}{1:02x}{0:02x}".format(*colours[name]), _ink(colours[name])] for name in classes]


def _ink(colour: Colour) -> str:
    return "#000" if is_bright(colour) else "#fff"


def _row(shown: Seen, indices: Mapping[str, int], views: Views, folder: OutFolder) -> list[Any]:
    boxes = [part for one in shown.detections for part in (indices[one.label], one.score)]
    file = file_name(shown.name)
    drawn = _drawn(shown, file, views, folder)
    return [one_line(shown.name), one_line(shown.note), boxes, drawn, _address(file) if drawn else ""]


def _drawn(shown: Seen, file: str, views: Views, folder: OutFolder) -> int:
    """At how many thresholds, from the lowest on, there is a picture with its boxes drawn."""
    count = 0
    for threshold in views.thresholds:
        if not views.at(shown, threshold) or not (folder.pictures(threshold) / file).is_file():
            break
        count += 1
    return count


def _large(shown: Seen, url: str, folder: OutFolder) -> list[Any]:
    corners = [short(value) for one in shown.detections for value in (one.box.x0, one.box.y0, one.box.x1, one.box.y1)]
    return [url, shown.width, shown.height, corners, one_line(str(shown.file)), _address_within(shown.file, folder)]


def _address_within(file: Path, folder: OutFolder) -> str | None:
    """None where it lies elsewhere: the folder may be moved."""
    path, root = file.resolve(), folder.root.resolve()
    return _address(path.relative_to(root).as_posix()) if path.is_relative_to(root) else None


def _address(path: str) -> str:
    """A relative one, whatever stands in the path: no `:` in it is left to be taken for the end of a scheme."""
    return quote(os.fsencode(path))
