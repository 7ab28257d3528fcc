"""Boxes and their labels on pictures. Colours and pixels are in OpenCV's order: blue, green, red."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import one_line
from yolo_pipeline.fonts import font_file
from yolo_pipeline.geometry import clip_box
from yolo_pipeline.nouns import Box, Detection

Colour = tuple[int, int, int]

_PALETTE = (
    (56, 38, 200), (200, 110, 0), (45, 145, 20), (0, 190, 250), (180, 40, 150), (200, 200, 0),
    (20, 110, 240), (90, 60, 10), (150, 90, 250), (70, 220, 150), (40, 60, 110), (230, 160, 190),
)  # fmt: skip
_GOLDEN_TURN = 0.618034  # of the colour wheel: the hues of any number of classes lie well apart
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
_LEAST_FONT, _LARGEST_FONT = 11, 128  # pixels
_FONT_SHARE, _LINE_SHARE = 0.03, 0.0035  # of the square root of the picture's area
_FONT_STEP = 1.12  # sizes are few, so that sprites are found again
_MOST_HEIGHT = 0.25  # of the picture, for a label
_MOST_LETTERS = 24
_LEAST_SHOWN = 192  # pixels of the shorter side, for a picture that is classified
_MOST_ENLARGED = 1024  # pixels of the longer side
_MOST_HIDDEN = 0.15  # of a picture, by its classes
_PAPER = (235, 235, 235)
_BRIGHT = 0.22  # luminance
_LARGEST_KEPT = 40  # font size; larger labels take megabytes, and are soon drawn beside their pictures

OTHER_COLOUR = (90, 90, 90)
"""Of classes that have none."""


def colours(names: Sequence[str]) -> dict[str, Colour]:
    """Class -> colour; the same for the same place in the list, whatever the others are."""
    return {name: _colour(place) for place, name in enumerate(names)}


def _colour(place: int) -> Colour:
    if place < len(_PALETTE):
        return _PALETTE[place]
    hue = int(place * _GOLDEN_TURN % 1 * 180)
    saturation, value = ((255, 150), (150, 230), (220, 230))[place % 3]
    blue, green, red = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
    return int(blue), int(green), int(red)


def drawn(pixels: Pixels, detections: Sequence[Detection], colours: Mapping[str, Colour]) -> Pixels:
    """A copy with a box for each detection and, where there is room, its class and score; the surest on top.

    Args:
        detections: the best first.
    """
    picture = pixels.copy()
    height, width = picture.shape[:2]
    line, size = line_width(width, height), font_size(width, height)
    for one in reversed(detections):
        x0, y0, x1, y1 = corners(one.box, width, height)
        cv2.rectangle(picture, (x0, y0), (x1, y1), colours.get(one.label, OTHER_COLOUR), line)
    for one in reversed(detections):
        x0, y0, _, _ = corners(one.box, width, height)
        _put_label(picture, one, x0 - line // 2, y0 - line // 2, size, colours.get(one.label, OTHER_COLOUR))
    return picture


def with_classes(pixels: Pixels, detections: Sequence[Detection], colours: Mapping[str, Colour]) -> Pixels:
    """A copy that says what the picture is: a line for each class and its probability, the likeliest on top.

    The lines stand in the upper left corner; where they would hide much, below the picture, and a small one is enlarged
    by a whole number.

    Args:
        detections: of the whole picture, the best first.
    """
    picture = _large_enough(pixels)
    height, width = picture.shape[:2]
    size, top = font_size(width, height), 0
    lines = [_line(one, size, colours) for one in detections]
    tall, wide = sum(line.shape[0] for line in lines), max((line.shape[1] for line in lines), default=0)
    if wide > width or tall > height or wide * tall > _MOST_HIDDEN * width * height:
        picture = cv2.copyMakeBorder(
            picture, 0, tall, 0, max(0, wide - width), borderType=cv2.BORDER_CONSTANT, value=_PAPER
        )
        top = height
    for line in lines:
        picture[top : top + line.shape[0], : line.shape[1]] = line
        top += line.shape[0]
    return np.asarray(picture, dtype=np.uint8)


def _large_enough(pixels: Pixels) -> Pixels:
    """A copy, a whole number of times as large if it is small and not too narrow."""
    height, width = pixels.shape[:2]
    times = math.ceil(_LEAST_SHOWN / min(height, width))
    if times == 1 or max(height, width) * times > _MOST_ENLARGED:
        return pixels.copy()
    return np.repeat(np.repeat(pixels, times, axis=0), times, axis=1)


def _line(one: Detection, size: int, colours: Mapping[str, Colour]) -> npt.NDArray[np.uint8]:
    return _sprite(f"{shortened(one.label)} {score_said(one.score)}", size, colours.get(one.label, OTHER_COLOUR))


def _sprite(text: str, size: int, colour: Colour) -> npt.NDArray[np.uint8]:
    make = label_sprite if size <= _LARGEST_KEPT else label_sprite.__wrapped__
    return make(text, size, colour)


def line_width(width: int, height: int) -> int:
    return max(1, round(_LINE_SHARE * math.sqrt(width * height)))


def font_size(width: int, height: int) -> int:
    wanted = min(max(_FONT_SHARE * math.sqrt(width * height), _LEAST_FONT), _LARGEST_FONT)
    return round(_LEAST_FONT * _FONT_STEP ** round(math.log(wanted / _LEAST_FONT, _FONT_STEP)))


def corners(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The first and last column and row of a box in whole pixels, all of them in the picture."""
    inside = clip_box(box, width, height)
    x0, y0 = min(round(inside.x0), width - 1), min(round(inside.y0), height - 1)
    return x0, y0, max(x0, round(inside.x1) - 1), max(y0, round(inside.y1) - 1)


def _put_label(picture: Pixels, one: Detection, x: int, y: int, size: int, colour: Colour) -> None:
    """Above the corner (x, y), or from it down where the picture ends; the score alone where both are too wide."""
    height, width = picture.shape[:2]
    score = score_said(one.score)
    for text in (f"{shortened(one.label)} {score}", score):
        sprite = _sprite(text, size, colour)
        tall, wide = sprite.shape[:2]
        if wide <= width and tall <= height * _MOST_HEIGHT:
            top = y - tall if y >= tall else max(0, y)
            left = min(max(0, x), width - wide)
            top = min(top, height - tall)
            picture[top : top + tall, left : left + wide] = sprite
            return


def score_said(score: float) -> str:
    """Two digits, the rest cut off, as on the page: what is below a threshold never reads as if it reached it."""
    return f"{math.floor(score * 100 + 1e-9) / 100:.2f}"  # 0.29 is no 0.28


def shortened(name: str, most: int = _MOST_LETTERS) -> str:
    """A name on one line, of at most so many letters."""
    line = one_line(name[: 8 * most])
    return line if len(line) <= most else line[: most - 1] + "…"


@lru_cache(maxsize=1024)  # a handful of classes, a hundred scores
def label_sprite(text: str, size: int, colour: Colour) -> npt.NDArray[np.uint8]:
    """Text on a ground of a colour, in black or white, whichever is read more easily: (height, width, 3)."""
    font = words(size)
    ascent, descent = font.getmetrics()
    margin = max(2, size // 5)
    shape = (math.ceil(font.getlength(text)) + 2 * margin, ascent + descent + 2)
    label = Image.new("RGB", shape, colour)
    ink = _BLACK if is_bright(colour) else _WHITE
    ImageDraw.Draw(label).text((margin, 1), text, font=font, fill=ink)
    sprite = np.array(label, dtype=np.uint8)
    sprite.flags.writeable = False
    return sprite


@lru_cache(maxsize=64)
def words(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_file()), size)


def is_bright(colour: Colour) -> bool:
    """Whether black text is read more easily on it than white."""
    return luminance(colour) > _BRIGHT


def luminance(colour: Colour) -> float:
    """Relative luminance, 0..1; black and white text are equally readable at 0.18. Source: WCAG 2.2."""
    blue, green, red = (math.pow(part / 255, 2.2) for part in colour)
    return 0.0722 * blue + 0.7152 * green + 0.2126 * red
