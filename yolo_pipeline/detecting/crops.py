"""What each box holds, as a picture of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.naming import file_name
from yolo_pipeline.detecting.pictures import jpeg
from yolo_pipeline.files import write_bytes
from yolo_pipeline.geometry import clip_box
from yolo_pipeline.nouns import Detection
from yolo_pipeline.views import Seen, Views


def save_crops(pixels: Pixels, seen: Seen, views: Views, folders: Mapping[str, str], folder: OutFolder) -> int:
    """Writes crops/CLASS/NAME-1.jpg for the first box of the lowest threshold, NAME-2.jpg for the second, and so on.

    A box is numbered by its place in the table, so that the number of one without pixels is missing.

    Args:
        folders: class -> name of its folder; see `naming.class_folders`.

    Returns:
        how many were written.
    """
    height, width = pixels.shape[:2]
    written = 0
    for file, one in _files(seen, views, folders, folder):
        box = clip_box(one.box, width, height)
        part = pixels[math.floor(box.y0) : math.ceil(box.y1), math.floor(box.x0) : math.ceil(box.x1)]
        if box.width > 0 and box.height > 0 and part.size:
            write_bytes(file, jpeg(part))
            written += 1
    return written


def remove_crops(seen: Seen, views: Views, folders: Mapping[str, str], folder: OutFolder) -> None:
    """Takes away what `save_crops` made of a picture."""
    for file, _ in _files(seen, views, folders, folder):
        folder.remove(file)


def _files(seen: Seen, views: Views, folders: Mapping[str, str], folder: OutFolder) -> Iterator[tuple[Path, Detection]]:
    name = file_name(seen.name).removesuffix(".jpg")
    for number, one in enumerate(views.all(seen), start=1):
        yield folder.crops / folders[one.label] / f"{name}-{number}.jpg", one
