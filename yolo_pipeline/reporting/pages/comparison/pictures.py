"""Thumbnails of what became of a data set: whole photos with their boxes, and single boxes before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from yolo_pipeline.comparison import BoxChange, SavedImage
from yolo_pipeline.decoding import decode_with_bytes
from yolo_pipeline.images import UnreadableImage
from yolo_pipeline.nouns import Box, Truth
from yolo_pipeline.reporting.pages.markup import Markup, element
from yolo_pipeline.reporting.pages.shell import data_url

_SIDE = 240  # pixels of a thumbnail's longer side
_MOST_PIXELS = 2400  # of the longer side that a photo is decoded at, to cut a small box out of it
_ROOM_AROUND = 0.7  # of a box's longer side, so that one sees what it was cut out of
_LEAST_FRAME = 0.12  # of a photo's longer side
_MOST_BOXES = 80  # drawn on one thumbnail
_QUALITY = 72


@dataclass(slots=True)
class Album:
    """Pictures of changes, as SVG with the photo inside, until their share of the page is used up.

    Attributes:
        budget: bytes of pictures that the page may still grow by.
        gone: how many could not be shown, as their file is gone or holds other bytes than the run saw.
    """

    budget: int
    gone: int = 0
    _seen: dict[tuple[str, Box], str] = field(default_factory=dict)

    def photo(self, image: SavedImage, root: Path) -> Markup | None:
        """The whole photo with all its boxes; None where it cannot be shown."""
        whole = Box(0, 0, image.width, image.height)
        boxes = [_rectangle(truth, "after") for truth in image.truths[:_MOST_BOXES]]
        return self._figure(image, root, whole, boxes, f"{image.split}: {image.name}")

    def change(self, change: BoxChange, root: Path) -> Markup | None:
        """The part of the photo around one box, the box before dashed and after solid."""
        image, truths = change.image, [truth for truth in (change.before, change.after) if truth]
        boxes = [_rectangle(change.before, "before")] if change.before else []
        boxes += [_rectangle(change.after, "after")] if change.after else []
        labels = list(dict.fromkeys(truth.label for truth in truths))
        return self._figure(image, root, _frame(image, truths), boxes, f"{' → '.join(labels)} · {image.name}")

    def _figure(self, image: SavedImage, root: Path, frame: Box, boxes: Sequence[Markup], words: str) -> Markup | None:
        if self.budget <= 0 or min(frame.width, frame.height) < 1:
            return None
        url = self._picture(image, root, frame)
        if not url:
            self.gone += 1
            return None
        self.budget -= len(url)
        photo = element("image", **_place(frame), preserveAspectRatio="none", href=url)
        view = f"{frame.x0:g} {frame.y0:g} {frame.width:g} {frame.height:g}"
        drawing = element("svg", photo, *boxes, viewBox=view, role="img", aria_label=words)
        return element("figure", drawing, element("figcaption", words))

    def _picture(self, image: SavedImage, root: Path, frame: Box) -> str:
        """The part of a photo inside `frame` as a data URL; empty where the file is not the photo that was noted."""
        key = (image.sha256, frame)
        if key not in self._seen:
            data = _cut_out(image, root / image.file, frame)
            self._seen[key] = data_url(data, "jpeg") if data else ""
        return self._seen[key]


def _frame(image: SavedImage, truths: Sequence[Truth]) -> Box:
    """A part of the photo with all of `truths` in it, and some room, in whole pixels."""
    x0, y0 = min(t.box.x0 for t in truths), min(t.box.y0 for t in truths)
    x1, y1 = max(t.box.x1 for t in truths), max(t.box.y1 for t in truths)
    longer, least = max(x1 - x0, y1 - y0), _LEAST_FRAME * max(image.width, image.height)
    half = max((0.5 + _ROOM_AROUND) * longer, least / 2)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return Box(
        max(0, int(x - half)), max(0, int(y - half)), min(image.width, int(x + half)), min(image.height, int(y + half))
    )


def _cut_out(image: SavedImage, file: Path, frame: Box) -> bytes:
    """JPEG of at most _SIDE pixels; empty where the file is gone, unreadable, or another picture."""
    longer = max(image.width, image.height)
    side = min(longer, _MOST_PIXELS, int(np.ceil(_SIDE * longer / max(frame.width, frame.height))))
    try:
        _, data, pixels = decode_with_bytes(file, side)
    except (OSError, ValueError, UnreadableImage):  # ValueError: a name that no file can have
        return b""
    if hashlib.sha256(data).hexdigest() != image.sha256:
        return b""
    across, down = pixels.shape[1] / image.width, pixels.shape[0] / image.height
    x0, y0 = int(frame.x0 * across), int(frame.y0 * down)
    x1, y1 = max(x0 + 1, round(frame.x1 * across)), max(y0 + 1, round(frame.y1 * down))
    return _jpeg(pixels[y0:y1, x0:x1])


def _jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    if not pixels.size:
        return b""
    scale = _SIDE / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    written, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes() if written else b""


def _rectangle(truth: Truth, kind: str) -> Markup:
    """A box, on a darker and wider one, so that it is seen on any photo."""
    place = _place(truth.box)
    return Markup(
        element("rect", class_="under", **place) + element("rect", element("title", truth.label), class_=kind, **place)
    )


def _place(box: Box) -> dict[str, str]:
    return {"x": f"{box.x0:g}", "y": f"{box.y0:g}", "width": f"{box.width:g}", "height": f"{box.height:g}"}


def first_shown(figures: Iterator[Markup | None], most: int) -> list[Markup]:
    """The first `most` of the figures that there are; no more pictures are read than that takes."""
    return list(islice((figure for figure in figures if figure), most))
