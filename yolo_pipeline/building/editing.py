"""Adding edits to a picture's record, so that its size and boxes are those of the edited picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from yolo_pipeline.building.pixels import edited_suffix
from yolo_pipeline.geometry import clip_box, follow, size_after
from yolo_pipeline.nouns import Box, Change, Edit, ImageRecord, Truth

LEAST_LEFT = 0.10
"""An object of which less than this share of its box is left in the picture is dropped, and reported."""


def edited(image: ImageRecord, edits: Sequence[Edit]) -> tuple[ImageRecord, list[Change]]:
    """The record after further edits, and the objects that they cut off the picture."""
    if not edits:
        return image, []
    width, height = image.width, image.height
    objects = list(enumerate(image.truths, start=1))
    dropped: list[Change] = []
    for edit in edits:
        after = size_after(edit, width, height)
        moved = []
        for number, truth in objects:
            box, left = _left(follow(truth.box, edit, width, height), *after)
            if left >= LEAST_LEFT:
                moved.append((number, Truth(box, truth.label)))
            else:
                why = f"{truth.label}: {left:.0%} of its box is left after {type(edit).__name__.lower()}"
                dropped.append(Change(image.name, number, "cropped", why))
        objects, (width, height) = moved, after
    changed = replace(
        image,
        width=width,
        height=height,
        suffix=edited_suffix(image.suffix),
        truths=tuple(truth for _, truth in objects),
        edits=(*image.edits, *edits),
    )
    return changed, dropped


def _left(box: Box, width: int, height: int) -> tuple[Box, float]:
    """The part of a box that lies in the picture, and its share of the whole."""
    inside = clip_box(box, width, height)
    area = box.width * box.height
    return inside, inside.width * inside.height / area if area > 0 else 0.0


def free_name(name: str, ending: str, taken: set[str]) -> str:
    """NAME with `ending` before its suffix, numbered where another picture has that name; it is taken from now on."""
    stem, suffix = os.path.splitext(name)
    free, number = f"{stem}{ending}{suffix}", 2
    while free in taken:
        free, number = f"{stem}{ending}-{number}{suffix}", number + 1
    taken.add(free)
    return free
