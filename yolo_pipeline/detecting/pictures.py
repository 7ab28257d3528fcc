"""Pictures with the boxes of each threshold drawn on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import cv2

from yolo_pipeline.decoding import Pixels, at_most
from yolo_pipeline.detecting.drawing import Colour, drawn
from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.naming import file_name
from yolo_pipeline.files import write_bytes
from yolo_pipeline.nouns import Detection
from yolo_pipeline.views import Seen, Views

Draw = Callable[[Pixels, Sequence[Detection], Mapping[str, Colour]], Pixels]
"""`drawn`, or `with_classes` of what a classifier says."""

_QUALITY = 90
_JPEG_SIDE = 65_500  # pixels; a JPEG cannot be larger


def save_views(
    pixels: Pixels, seen: Seen, views: Views, colours: Mapping[str, Colour], folder: OutFolder, draw: Draw = drawn
) -> dict[float, str]:
    """Writes the picture as it looks at each threshold at which it has boxes, under `naming.file_name` of its name.

    Where a threshold shows what the one below it showed, the file there is linked, or copied where the disk cannot.

    Returns:
        threshold -> the file, as a path below the folder, with `/`; a threshold without boxes is absent.
    """
    name = file_name(seen.name)
    saved: dict[float, str] = {}
    before, data, shown = Path(), b"", -1
    for threshold in views.thresholds:
        boxes = views.at(seen, threshold)
        if not boxes:
            break
        file = folder.pictures(threshold) / name
        if len(boxes) != shown:
            data, shown = jpeg(draw(pixels, boxes, colours)), len(boxes)
            write_bytes(file, data)
        else:
            _link(before, file, data)
        saved[threshold] = file.relative_to(folder.root).as_posix()
        before = file
    return saved


def remove_views(seen: Seen, views: Views, folder: OutFolder) -> None:
    """Takes away what `save_views` made of a picture."""
    for threshold in views.thresholds:
        folder.remove(folder.pictures(threshold) / file_name(seen.name))


def jpeg(pixels: Pixels) -> bytes:
    """The picture as JPEG of quality 90; one with more than 65,500 pixels a side is made smaller."""
    return cv2.imencode(".jpg", at_most(pixels, _JPEG_SIDE), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def _link(file: Path, target: Path, data: bytes) -> None:
    """Makes `target` the same file; `data` is written where that cannot be. No half file is ever met."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(target.name + ".part")
    try:
        with suppress(FileNotFoundError):
            beside.unlink()
        os.link(file, beside)
        beside.replace(target)
    except OSError:
        write_bytes(target, data)
    finally:
        beside.unlink(missing_ok=True)  # where both are one file already, `replace` leaves it
