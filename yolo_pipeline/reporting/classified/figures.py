"""Pictures for the report of a classifier: its curves, and a sheet of pictures with what was said of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageDraw, ImageFont

from yolo_pipeline.errors import one_line
from yolo_pipeline.fonts import font_file
from yolo_pipeline.nouns import Curves
from yolo_pipeline.reporting.curve_points import accuracy_columns, are_few, loss_columns, points
from yolo_pipeline.reporting.figures import THIRD_COLOUR, TRAIN_COLOUR, VAL_COLOUR, canvas

_SIDE, _ROOM, _LINE = 104, 10, 23  # pixels of a picture's square, between two, and of a line of words
_ACROSS = 10  # pictures side by side
_HEAD, _LEAST_WIDTH = 58, 420  # pixels: above the pictures; of the sheet
_PAPER, _EMPTY, _INK, _FAINT = (24, 26, 30), (52, 56, 62), (236, 238, 240), (160, 166, 174)
_RIGHT, _WRONG = (255, 214, 10), (255, 92, 92)


def draw_accuracies(curves: Curves, best: int | None, file: Path) -> None:
    """Losses, and shares that are right, of train and val by epoch; a line at the epoch whose weights were kept."""
    columns = curves.columns
    epochs = columns.get("epoch") or tuple(range(1, len(curves) + 1))
    panels = (("loss", loss_columns(curves)), ("accuracy", accuracy_columns(curves)))
    with canvas(1, 2, (10, 3.8), file) as made:
        for axis, (title, named) in zip(made[0], panels, strict=True):
            for column in named:
                x, y = points(epochs, columns[column])
                mark = "o" if are_few(y) else ""
                axis.plot(x, y, color=_colour(column), label=_label(column, named), marker=mark, markersize=3)
            if best is not None and min(epochs) <= best <= max(epochs):
                axis.axvline(best, color="grey", linestyle=":", label=f"best epoch: {best}")
            axis.set(title=title, xlabel="epoch", ylim=(0, None) if title == "loss" else (None, 1.02))
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.grid(alpha=0.25)
            if axis.get_legend_handles_labels()[0]:
                axis.legend(frameon=False)


def _colour(column: str) -> str:
    split, _, name = column.partition("/")
    return {"train": TRAIN_COLOUR, "val": VAL_COLOUR}.get(split if not name.endswith("top5") else "", THIRD_COLOUR)


def _label(column: str, beside: Sequence[str]) -> str:
    """The split alone, where that tells the columns of a plot from one another."""
    split = column.partition("/")[0]
    return column if sum(other.partition("/")[0] == split for other in beside) > 1 else split


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture (height, width, 3) RGB, None where it cannot be decoded, what was said of it, and what it is."""

    picture: npt.NDArray[np.uint8] | None
    said: str
    label: str

    @property
    def is_right(self) -> bool:
        return self.said == self.label


def draw_predictions(shown: Sequence[Shown], about: str, file: Path) -> None:
    """Pictures ten by ten, the class that was said above each: yellow where it is right, else red with the true one.

    Args:
        about: in small letters beside how many are right.
    """
    font = _font(17)
    titles = [_title(one, font) for one in shown]
    lines = max(map(len, titles), default=1)
    across = min(_ACROSS, max(1, len(shown)))
    step_x, step_y = _SIDE + _ROOM, _SIDE + _ROOM + lines * _LINE
    down = math.ceil(len(shown) / across)
    size = (max(across * step_x + _ROOM, _LEAST_WIDTH), _HEAD + down * step_y + _ROOM)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    _draw_head(sheet, shown, about)
    for place, (one, title) in enumerate(zip(shown, titles, strict=True)):
        x, y = _ROOM + place % across * step_x, _HEAD + place // across * step_y
        colour = _RIGHT if one.is_right else _WRONG
        for line, words in enumerate(title, start=lines - len(title)):
            pen.text((x + _SIDE / 2, y + line * _LINE), words, fill=colour, font=font, anchor="ma")
        top = y + lines * _LINE
        sheet.paste(_square(one.picture), (x, top))
        if not one.is_right:
            pen.rectangle((x, top, x + _SIDE - 1, top + _SIDE - 1), outline=_WRONG, width=2)
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file)


def _draw_head(sheet: Image.Image, shown: Sequence[Shown], about: str) -> None:
    pen = ImageDraw.Draw(sheet)
    large, small = _font(26), _font(15)
    headline = f"{sum(one.is_right for one in shown)} of {len(shown)} right"
    at = 2 * _ROOM + pen.textlength(headline, font=large)
    pen.text((_ROOM, 42), headline, fill=_INK, font=large, anchor="ls")
    pen.text((at, 42), _cut(about, small, sheet.width - at - _ROOM), fill=_FAINT, font=small, anchor="ls")


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_file()), size)


def _title(one: Shown, font: ImageFont.FreeTypeFont) -> list[str]:
    """What was said; where it is wrong, also the truth: beside it, or below it where that is too long."""
    said, truth = one_line(one.said), f"(is {one_line(one.label)})"
    if one.is_right:
        return [_cut(said, font, _SIDE)]
    both = f"{said} {truth}"
    return [both] if font.getlength(both) <= _SIDE else [_cut(said, font, _SIDE), _cut(truth, font, _SIDE)]


def _cut(words: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    if font.getlength(words) <= width:
        return words
    kept = next((n for n in range(min(len(words), 100), 0, -1) if font.getlength(f"{words[:n]}…") <= width), 0)
    return f"{words[:kept]}…"


def _square(picture: npt.NDArray[np.uint8] | None) -> Image.Image:
    """The whole picture, fitted into the middle of a square."""
    square = Image.new("RGB", (_SIDE, _SIDE), _EMPTY)
    if picture is not None:
        height, width = picture.shape[:2]
        scale = _SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        fitted = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
        square.paste(fitted, ((_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2))
    return square
