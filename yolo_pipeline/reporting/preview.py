"""What training pictures look like once they are made: a photo and its changed copies in a row, with their boxes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from yolo_pipeline import images
from yolo_pipeline.files import explain_os_error, write_bytes
from yolo_pipeline.fonts import font_file
from yolo_pipeline.nouns import Truth

_SIDE, _GAP, _TITLE = 300, 8, 20  # pixels
_MARK = "yolo_pipeline data set"  # a text of the PNG
_COLOURS = ("#d1495b", "#2a6f97", "#3a8f5c", "#b5651d", "#7b4fa3", "#00798c", "#a33b7c", "#5f6b1f")


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture as (height, width, 3) uint8 RGB, its name, and the objects on it."""

    name: str
    picture: npt.NDArray[np.uint8]
    truths: Sequence[Truth]


def draw_preview(rows: Sequence[Sequence[Tile]], file: Path, mark: str) -> None:
    """Writes a sheet of rows as PNG; each class has its colour. `mark` says which data set it shows.

    Raises:
        DataError: the disk is full, or `file` may not be written; nothing half-written is left.
    """
    words = ImageFont.truetype(str(font_file()), 13)
    labels = sorted({truth.label for row in rows for tile in row for truth in tile.truths})
    colours = {label: _COLOURS[number % len(_COLOURS)] for number, label in enumerate(labels)}
    drawn = [[_drawn(tile, colours, words) for tile in row] for row in rows]
    heights = [max(picture.height for picture in row) + _TITLE + _GAP for row in drawn]
    sheet = Image.new("RGB", (max(map(len, rows)) * (_SIDE + _GAP) + _GAP, sum(heights) + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        y = _GAP + sum(heights[:number])
        for across, tile in enumerate(row):
            x = _GAP + across * (_SIDE + _GAP)
            pen.text((x, y), _shortened(tile.name, words), fill="black", font=words)
            sheet.paste(drawn[number][across], (x, y + _TITLE))
    noted = PngImagePlugin.PngInfo()
    noted.add_text(_MARK, mark)
    png = io.BytesIO()
    sheet.save(png, format="PNG", pnginfo=noted, compress_level=1)  # quick, and little larger for photos
    try:
        write_bytes(file, png.getvalue())
    except OSError as error:
        raise explain_os_error(file, error) or error from error


def mark_of(file: Path) -> str | None:
    """What a sheet was marked with; None where there is none, or a picture of somebody else's."""
    try:
        with images.pillow_image(file, ("PNG",)) as sheet:
            mark = sheet.info.get(_MARK)
    except images.UnreadableImage:
        return None
    return mark if isinstance(mark, str) else None


def _drawn(tile: Tile, colours: dict[str, str], words: ImageFont.FreeTypeFont) -> Image.Image:
    """The picture fitted into a square, boxes and class names drawn after scaling so that both stay sharp."""
    height, width = tile.picture.shape[:2]
    scale = _SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    drawn = Image.fromarray(tile.picture).resize(size, Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(drawn)
    for truth in tile.truths:
        box, colour = truth.box, colours[truth.label]
        x0, y0, x1, y1 = (value * scale for value in (box.x0, box.y0, box.x1, box.y1))
        pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=2)
        _, _, right, bottom = pen.textbbox((0, 0), truth.label, font=words)
        x = max(0.0, min(x0, size[0] - right - 6))
        y = y0 - bottom - 4 if y0 >= bottom + 4 else y0
        pen.rectangle((x, y, x + right + 5, y + bottom + 3), fill=colour)
        pen.text((x + 3, y + 1), truth.label, fill="white", font=words)
    return drawn


def _shortened(name: str, words: ImageFont.FreeTypeFont) -> str:
    """The end of a name, which tells copies apart, as far as there is room."""
    shown = name
    while len(shown) > 1 and words.getlength(shown) > _SIDE:
        shown = "…" + shown.lstrip("…")[1:]
    return shown
