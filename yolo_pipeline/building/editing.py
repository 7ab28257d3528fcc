"""Adding edits to a picture's record, so that its size and boxes are those of the edited picture."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from yolo_pipeline.building.pixels import edited_suffix
from yolo_pipeline.classification import whole
from yolo_pipeline.geometry import clip_box, part_in_picture, size_after
from yolo_pipeline.nouns import Box, Change, Edit, ImageRecord, Truth

LEAST_LEFT = 0.10
"""An object of which less than this share of its box is left after edits is dropped, and reported."""


def edited(image: ImageRecord, edits: Sequence[Edit], *, classified: bool = False) -> tuple[ImageRecord, list[Change]]:
    """The record after further edits, and the objects that they cut off the picture.

    Args:
        classified: the picture is of one class, which it stays, and all of it is the object.

    What is left of an object is counted over all of `edits`. Each call begins anew: a box that an earlier one clipped
    is taken for the whole object, so that resizing may leave a tenth, and augmenting a tenth of that.
    """
    if not edits:
        return image, []
    size = (image.width, image.height)
    for edit in edits:
        size = size_after(edit, *size)
    if classified:
        truths, dropped = tuple(whole(truth.label, *size) for truth in image.truths), list[Change]()
    else:
        truths, dropped = _followed(image, edits)
    changed = replace(
        image,
        width=size[0],
        height=size[1],
        suffix=edited_suffix(image.suffix),
        truths=truths,
        edits=(*image.edits, *edits),
    )
    return changed, dropped


def _followed(image: ImageRecord, edits: Sequence[Edit]) -> tuple[tuple[Truth, ...], list[Change]]:
    """The objects of a picture where they lie after `edits`, and those that were cut off."""
    width, height = image.width, image.height
    objects = [(number, truth, 1.0) for number, truth in enumerate(image.truths, start=1)]
    dropped: list[Change] = []
    for edit in edits:
        after = size_after(edit, width, height)
        moved = []
        for number, truth, before in objects:
            box, share = part_in_picture(truth.box, edit, width, height)
            if (left := before * share) >= LEAST_LEFT:
                moved.append((number, Truth(box, truth.label), left))
            else:
                why = f"{truth.label}: {left:.0%} of its box is left after {type(edit).__name__.lower()}"
                dropped.append(Change(image.name, number, "cropped", why))
        objects, (width, height) = moved, after
    return tuple(truth for _, truth, _ in objects), dropped


def whole_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels that a box touches on a picture of `width` x `height`: x0, y0, x1, y1, half-open."""
    inside = clip_box(box, width, height)
    return math.floor(inside.x0), math.floor(inside.y0), math.ceil(inside.x1), math.ceil(inside.y1)


def overlapped(boxes: Sequence[Box]) -> list[bool]:
    """Whether each box has some area in common with another, so that its pixels are not of one object alone."""
    corners = np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes]).reshape(-1, 4)
    x0, y0, x1, y1 = (corners[:, None, side] for side in range(4))
    touching = (x0 < x1.T) & (x0.T < x1) & (y0 < y1.T) & (y0.T < y1)
    return [bool(count > 1) for count in touching.sum(axis=1)]  # each touches itself


def free_name(name: str, ending: str, taken: set[str]) -> str:
    """NAME with `ending` before its suffix, numbered where another picture has that name; it is taken from now on."""
    stem, suffix = os.path.splitext(name)
    free, number = f"{stem}{ending}{suffix}", 2
    while free in taken:
        free, number = f"{stem}{ending}-{number}{suffix}", number + 1
    taken.add(free)
    return free
