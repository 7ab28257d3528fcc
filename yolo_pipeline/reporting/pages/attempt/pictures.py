"""Pictures for a page, as JPEG in data URLs within a budget: crops around boxes first, then whole pictures, small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeVar

import cv2
import numpy as np

from yolo_pipeline import decoding
from yolo_pipeline.cores import all_cores
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.geometry import clip_box
from yolo_pipeline.images import UnreadableImage
from yolo_pipeline.nouns import Box
from yolo_pipeline.reporting.pages.jpeg import jpeg
from yolo_pipeline.reporting.pages.shell import data_url

CROP = 112  # pixels
_LARGE, _SMALL = 320, 176  # pixels, the longer side of a whole picture
_ROOM = 0.35  # around a crop's boxes, of their longer side
_LEAST = 16.0  # pixels of the picture that a crop shows at least
_BUDGET = 6_300_000  # bytes of all data URLs
_CROPS, _LARGE_PICTURES = 2_800_000, 2_400_000  # bytes of it that crops, and pictures at full size, may take

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Frame:
    """A square part of an image, in its pixels; it may reach out of the picture."""

    image: str
    x: float
    y: float
    side: float

    def place(self, box: Box) -> list[float]:
        """x, y, width and height of a box as the frame shows it, in per cent."""
        values = (box.x0 - self.x, box.y0 - self.y, box.width, box.height)
        return [round(100 * value / self.side, 1) for value in values]


def frame_around(image: str, boxes: Sequence[Box], width: float, height: float) -> Frame:
    """The square around some boxes of an image of that size, with some room."""
    inside = [clip_box(box, width, height) for box in boxes]
    x0, y0 = min(box.x0 for box in inside), min(box.y0 for box in inside)
    x1, y1 = max(box.x1 for box in inside), max(box.y1 for box in inside)
    side = max(max(x1 - x0, y1 - y0) * (1 + 2 * _ROOM), _LEAST)
    return Frame(image, round((x0 + x1 - side) / 2, 1), round((y0 + y1 - side) / 2, 1), round(side, 1))


@dataclass(frozen=True, slots=True)
class Pictures:
    """Data URLs. What is gone, broken or beyond the budget is absent."""

    crops: Mapping[Frame, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Cut:
    """JPEGs of one image."""

    large: bytes
    small: bytes
    crops: dict[Frame, bytes]


def take_pictures(
    find: Callable[[str], Path | None],
    frames: Iterable[Frame],
    whole: Iterable[str],
    sizes: Mapping[str, tuple[float, float]],
) -> Pictures:
    """Decodes each picture once.

    Args:
        find: the file of an image, None where it is gone.
        frames: wanted crops, the most important first.
        whole: images wanted whole, the most important first.
        sizes: width and height that boxes and frames are in.
    """
    frames, whole = list(dict.fromkeys(frames)), list(dict.fromkeys(whole))
    wanted: dict[str, list[Frame]] = {name: [] for name in whole}
    for frame in frames:
        wanted.setdefault(frame.image, []).append(frame)
    with all_cores() as pool:
        done = pool.map(lambda name: _cut(_inside(find, name), wanted[name], sizes.get(name)), wanted)
        cut = {name: mine for name, mine in zip(wanted, done, strict=True) if mine}
    crops = _within([(frame, cut[frame.image].crops[frame]) for frame in frames if frame.image in cut], _CROPS)
    large = _within([(name, cut[name].large) for name in whole if name in cut], _LARGE_PICTURES)
    left = _BUDGET - sum(map(len, crops.values())) - sum(map(len, large.values()))
    small = _within([(name, cut[name].small) for name in whole if name in cut and name not in large], left)
    return Pictures(crops, {**large, **small})


def _within(jpegs: Sequence[tuple[Key, bytes]], budget: int) -> dict[Key, str]:
    """As many of the first ones as fit."""
    urls: dict[Key, str] = {}
    for key, data in jpegs:
        url = data_url(data, "jpeg")
        budget -= len(url)
        if budget < 0:
            break
        urls[key] = url
    return urls


def _inside(find: Callable[[str], Path | None], name: str) -> Path | None:
    """The file, unless its name leads out of the data set's folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        return None
    try:
        return find(name)
    except OSError:  # a name that no disk can hold
        return None


def _cut(file: Path | None, frames: Sequence[Frame], size: tuple[float, float] | None) -> _Cut | None:
    if file is None:
        return None
    try:
        pixels = decoding.decode(file)
    except UnreadableImage:
        return None
    large = decoding.at_most(pixels, _LARGE)
    crops = {frame: jpeg(_crop(pixels, frame, size or pixels.shape[1::-1])) for frame in frames}
    return _Cut(jpeg(large), jpeg(decoding.at_most(large, _SMALL)), crops)


def _crop(pixels: Pixels, frame: Frame, size: tuple[float, float]) -> Pixels:
    """What the frame shows, CROP x CROP; grey outside the picture."""
    height, width = pixels.shape[:2]
    across, down = width / size[0], height / size[1]
    x0, x1 = round(frame.x * across), round((frame.x + frame.side) * across)
    y0, y1 = round(frame.y * down), round((frame.y + frame.side) * down)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    canvas = np.full((CROP, CROP, 3), 208, np.uint8)
    if right <= left or bottom <= top:
        return canvas
    zoom_x, zoom_y = CROP / max(x1 - x0, 1), CROP / max(y1 - y0, 1)
    at_x, at_y = round((left - x0) * zoom_x), round((top - y0) * zoom_y)
    to_x, to_y = round((right - x0) * zoom_x), round((bottom - y0) * zoom_y)
    if to_x > at_x and to_y > at_y:
        method = cv2.INTER_AREA if zoom_x < 1 else cv2.INTER_CUBIC
        part = pixels[top:bottom, left:right]
        canvas[at_y:to_y, at_x:to_x] = cv2.resize(part, (to_x - at_x, to_y - at_y), interpolation=method)
    return canvas
