"""The contact sheet: the pictures that change most from threshold to threshold, on one picture."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from PIL import Image, ImageDraw

from yolo_pipeline.cores import all_cores
from yolo_pipeline.decoding import Pixels, at_most, decode_any
from yolo_pipeline.detecting.drawing import OTHER_COLOUR, Colour, corners, score_said, shortened, words
from yolo_pipeline.detecting.pictures import jpeg
from yolo_pipeline.errors import one_line
from yolo_pipeline.files import write_bytes
from yolo_pipeline.images import UnreadableImage
from yolo_pipeline.nouns import Box
from yolo_pipeline.views import Seen, Views, named

LIMIT = 48
"""Pictures on a sheet."""

_COLUMNS = 6
_LEAST_COLUMNS = 3  # for the legend
_TILE, _GAP, _ROW, _SWATCH = 280, 12, 20, 22  # pixels
_FONT, _LINE = 14, 2
_DASH = 6  # pixels of a dash, and of the gap behind it
_MOST_CLASSES = 24  # in the legend
_MOST_LETTERS = 14  # of a class beneath a tile
_PAPER, _MISSING, _INK, _FAINT = (255, 255, 255), (225, 225, 225), (40, 40, 40), (110, 110, 110)


def write_sheet(
    file: Path, pictures: Iterable[Seen], views: Views, colours: Mapping[str, Colour], *, classifies: bool = False
) -> int:
    """Writes the contact sheet of the pictures that `choose` takes, as JPEG; where no picture has a box there is none.

    Args:
        classifies: see `contact_sheet`.

    Returns:
        how many pictures are on it.
    """
    chosen = choose(pictures, views)
    if chosen:
        write_bytes(file, jpeg(contact_sheet(chosen, views, colours, classifies=classifies)))
    else:
        file.unlink(missing_ok=True)
    return len(chosen)


def choose(pictures: Iterable[Seen], views: Views, limit: int = LIMIT) -> list[Seen]:
    """Of the pictures with boxes, those most of whose boxes vanish at the highest threshold, then those with most.

    Of equal ones the first are taken. No more than `limit` are in memory at a time.
    """
    with_boxes = (seen for seen in pictures if views.all(seen))
    return heapq.nlargest(limit, with_boxes, key=lambda seen: (_vanishing(seen, views), len(views.all(seen))))


def _vanishing(seen: Seen, views: Views) -> int:
    return len(views.all(seen)) - len(views.at(seen, views.thresholds[-1]))


def contact_sheet(
    chosen: Sequence[Seen], views: Views, colours: Mapping[str, Colour], *, classifies: bool = False
) -> Pixels:
    """A grid of pictures with their boxes, a colour a class; dashed: those that the highest threshold does not show.

    Beneath each stand its name and, for each threshold, how many boxes it shows.

    Args:
        classifies: the boxes are whole pictures, as a classifier gives them: beneath a picture stand its classes in
            place of counts, its frame is that of the likeliest, and small pictures are enlarged.
    """
    columns = min(_COLUMNS, max(len(chosen), _LEAST_COLUMNS))
    width = columns * (_TILE + _GAP) + _GAP
    keys, height = _legend(chosen, views, colours, width)
    with all_cores() as pool:
        tiles = list(pool.map(lambda seen: _tile(seen, views, colours, enlarged=classifies), chosen))
    places = []  # left and lower end of the place for each picture
    for first in range(0, len(tiles), columns):
        row = tiles[first : first + columns]
        height += max(tile.shape[0] for tile in row)
        places += [(_GAP + at * (_TILE + _GAP), height) for at in range(len(row))]
        height += 2 * _ROW + 2 * _GAP
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    for tile, (x, y) in zip(tiles, places, strict=True):
        left = x + (_TILE - tile.shape[1]) // 2
        sheet[y - tile.shape[0] : y, left : left + tile.shape[1]] = tile
    for key in keys:
        outline(sheet, Box(key.x, key.y + 2, key.x + _SWATCH, key.y + _ROW - 4), key.colour, dashed=key.dashed)
    texts = [(key.x + _SWATCH + 6, key.y, key.text, _INK) for key in keys]
    for seen, (x, y) in zip(chosen, places, strict=True):
        texts.append((x, y + 2, _fitting(PurePosixPath(seen.name).name), _INK))
        texts.append((x, y + 2 + _ROW, _classes(seen, views) if classifies else _fitting(_counts(seen, views)), _FAINT))
    return _with_texts(sheet, texts)


def _with_texts(sheet: Pixels, texts: Sequence[tuple[int, int, str, Colour]]) -> Pixels:
    page = Image.fromarray(sheet)  # its channels are swapped, which greys do not show
    pen = ImageDraw.Draw(page)
    for x, y, text, ink in texts:
        pen.text((x, y), text, ink, words(_FONT))
    return np.array(page, dtype=np.uint8)


def _counts(seen: Seen, views: Views) -> str:
    return " · ".join(f"{named(threshold)}: {len(views.at(seen, threshold))}" for threshold in views.thresholds)


def _classes(seen: Seen, views: Views) -> str:
    """As many of its classes as a tile is wide, the likeliest first."""
    said = ""
    for one in views.all(seen):
        longer = f"{said}{' · ' * bool(said)}{shortened(one.label, _MOST_LETTERS)}: {score_said(one.score)}"
        if words(_FONT).getlength(longer) > _TILE:
            break
        said = longer
    return said


def _fitting(name: str) -> str:
    """A text on one line, as wide as a tile at most; its end, which tells files apart, stays."""
    line = one_line(name)[-8 * _TILE :]
    if words(_FONT).getlength(line) <= _TILE:
        return line
    while words(_FONT).getlength("…" + line) > _TILE:
        line = line[max(1, len(line) // 16) :]
    return "…" + line


@dataclass(frozen=True, slots=True)
class _Key:
    """An entry of the legend: where it stands, and what it explains."""

    x: int
    y: int
    colour: Colour
    text: str
    dashed: bool = False


def _legend(chosen: Sequence[Seen], views: Views, colours: Mapping[str, Colour], width: int) -> tuple[list[_Key], int]:
    """The entries, laid in rows, and where the rows end."""
    used = {one.label for seen in chosen for one in views.all(seen)}
    labels = [label for label in colours if label in used]
    entries = [(shortened(label), colours[label], False) for label in labels[:_MOST_CLASSES]]
    if len(labels) > _MOST_CLASSES:
        entries.append((f"and {len(labels) - _MOST_CLASSES} more classes", OTHER_COLOUR, False))
    if len(views.thresholds) > 1:
        entries.append((f"not at {named(views.thresholds[-1])}", OTHER_COLOUR, True))
    keys: list[_Key] = []
    x, y = _GAP, _GAP
    for text, colour, dashed in entries:
        wide = _SWATCH + 6 + math.ceil(words(_FONT).getlength(text)) + 2 * _GAP
        if x > _GAP and x + wide > width:
            x, y = _GAP, y + _ROW
        keys.append(_Key(x, y, colour, text, dashed))
        x += wide
    return keys, y + _ROW + 2 * _GAP


def _tile(seen: Seen, views: Views, colours: Mapping[str, Colour], *, enlarged: bool) -> Pixels:
    try:
        pixels = decode_any(seen.file).pixels
    except UnreadableImage:  # it was there when the model saw it
        return np.full((_TILE // 2, _TILE, 3), _MISSING, np.uint8)
    tile = at_most(pixels, _TILE).copy()
    if enlarged and (times := _TILE // max(tile.shape[:2])) > 1:
        tile = np.repeat(np.repeat(tile, times, axis=0), times, axis=1)
    across, down = tile.shape[1] / seen.width, tile.shape[0] / seen.height
    staying = len(views.at(seen, views.thresholds[-1]))
    for number, one in reversed(list(enumerate(views.all(seen)))):
        box = Box(one.box.x0 * across, one.box.y0 * down, one.box.x1 * across, one.box.y1 * down)
        outline(tile, box, colours.get(one.label, OTHER_COLOUR), dashed=number >= staying)
    return tile


def outline(picture: Pixels, box: Box, colour: Colour, *, dashed: bool) -> None:
    """Draws a box, two pixels wide, into a picture."""
    x0, y0, x1, y1 = corners(box, picture.shape[1], picture.shape[0])
    if not dashed:
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, _LINE)
        return
    for y in (y0, max(y0, y1 - _LINE + 1)):
        for x in range(x0, x1 + 1, 2 * _DASH):
            picture[y : y + _LINE, x : min(x + _DASH, x1 + 1)] = colour
    for x in (x0, max(x0, x1 - _LINE + 1)):
        for y in range(y0, y1 + 1, 2 * _DASH):
            picture[y : min(y + _DASH, y1 + 1), x : x + _LINE] = colour
