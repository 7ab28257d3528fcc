"""More training pictures out of those that there are: turned, rotated, lighter or darker, blurred.

What a picture becomes depends on its content, the seed and its number alone, so that other pictures may come and go.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from yolo_pipeline.building.editing import edited, free_name, overlapped, whole_pixels
from yolo_pipeline.building.pixels import is_cutout
from yolo_pipeline.geometry import turn_box
from yolo_pipeline.nouns import (
    Blur,
    Box,
    Brighten,
    Change,
    Dataset,
    Edit,
    ImageRecord,
    InBox,
    ReadReport,
    Rotate,
    Turn,
)

Flip = Literal["horizontal", "vertical"]
QuarterTurn = Literal["clockwise", "counter-clockwise", "upside-down"]

FLIPS: dict[Flip, int] = {"horizontal": 2, "vertical": 4}
TURNS: dict[QuarterTurn, int] = {"clockwise": 6, "counter-clockwise": 8, "upside-down": 3}
"""Name -> EXIF orientation, as `Turn` has it."""

_PixelEdit = Turn | Rotate | Brighten | Blur
_AS_IT_IS = 1
_TRIES = 50
_PROBE = Box(0.0, 0.0, 0.25, 0.5)  # lies differently after each of the eight turns


@dataclass(frozen=True, slots=True)
class Changes:
    """What may be done to the pixels. Each is drawn by itself.

    Attributes:
        flips: each is done or not, with equal chances.
        turns: one of them, or none, with equal chances.
        rotation: up to so many degrees either way.
        brightness: values are multiplied by 1 - brightness to 1 + brightness.
        blur: standard deviation of a Gaussian, from 0 to so many pixels.
    """

    flips: tuple[Flip, ...] = ()
    turns: tuple[QuarterTurn, ...] = ()
    rotation: float = 0.0
    brightness: float = 0.0
    blur: float = 0.0


@dataclass(frozen=True, slots=True)
class _Part:
    """The pixels that a box touches, x0, y0, x1, y1; `alone`: no other box touches them."""

    place: tuple[int, int, int, int]
    alone: bool

    def allowed(self, edits: Iterable[_PixelEdit]) -> tuple[_PixelEdit, ...]:
        return tuple(edit for edit in edits if self.alone or not isinstance(edit, Turn | Rotate))


def augment(
    dataset: Dataset,
    outputs: int,
    whole: Changes,
    in_boxes: Changes,
    seed: int,
    hashes: Mapping[Path, str],
    *,
    classified: bool = False,
) -> tuple[Dataset, ReadReport]:
    """Adds changed copies behind each training picture; the pictures of other splits stay alone.

    Args:
        outputs: pictures for each training picture, itself included. No two are drawn equal: there are fewer where
            not so many different ones can be drawn, which is noted.
        whole: what may be done to the picture; its boxes follow.
        in_boxes: what may be done inside each box but a cut-out's; the box stays, `turns` count not. Where two
            boxes overlap, neither is flipped or rotated, as that would move what the other one holds; it is noted.
        hashes: sha256 of every picture's file.
        classified: see `edited`.
    """
    taken = {image.name for image in dataset.images}
    images, dropped, missing, crowded = [], list[Change](), 0, 0
    for image in dataset.images:
        images.append(image)
        if image.split != "train":
            continue
        parts = [] if is_cutout(image) else _parts(image)  # inside its box, a cut-out's canvas would change as well
        crowded += sum(not part.alone for part in parts)
        content = hashes[image.file] + (str(image.edits) if classified else "")  # of one photo there are many crops
        drawn = _draws(parts, outputs - 1, whole, in_boxes, f"{seed}:augment:{content}")
        missing += outputs - 1 - len(drawn)
        for number, edits in enumerate(drawn, start=1):
            named = replace(image, name=free_name(image.name, f"-aug{number}", taken))
            copy, cropped = edited(named, edits, classified=classified)
            images.append(copy)
            dropped += cropped
    notes = []
    if crowded and (in_boxes.flips or in_boxes.rotation):
        notes.append(f"{crowded} boxes overlap others: their content was not flipped or rotated")
    if missing:
        equal = "augmented pictures would have been equal to others of the same picture and were not made"
        notes.append(f"{missing} {equal}")
    return dataset.with_images(images), ReadReport(dropped=tuple(dropped), notes=tuple(notes))


def _parts(image: ImageRecord) -> list[_Part]:
    places = [whole_pixels(truth.box, image.width, image.height) for truth in image.truths]
    return [
        _Part(place, not crowded) for place, crowded in zip(places, overlapped([Box(*p) for p in places]), strict=True)
    ]


def _draws(parts: Sequence[_Part], count: int, whole: Changes, in_boxes: Changes, seed: str) -> list[tuple[Edit, ...]]:
    """Up to `count` lists of edits, no two equal and none empty."""
    drawn: list[tuple[Edit, ...]] = []
    for number in range(1, count + 1):
        rng = random.Random(f"{seed}:{number}")
        tries = (_draw(parts, whole, in_boxes, rng) for _ in range(_TRIES))
        if new := next((edits for edits in tries if edits and edits not in drawn), None):
            drawn.append(new)
    return drawn


def _draw(parts: Sequence[_Part], whole: Changes, in_boxes: Changes, rng: random.Random) -> tuple[Edit, ...]:
    """Boxes first, while they lie where the record says."""
    inside = [(part, part.allowed(_drawn_changes(in_boxes, rng))) for part in parts]
    return (*(InBox(*part.place, edits) for part, edits in inside if edits), *_drawn_changes(whole, rng))


def _drawn_changes(changes: Changes, rng: random.Random) -> Iterator[_PixelEdit]:
    """Only `random()` is called, whose numbers Python keeps from release to release."""
    orientation = _AS_IT_IS
    for flip in changes.flips:
        if rng.random() < 0.5:
            orientation = compose_turns(orientation, FLIPS[flip])
    if changes.turns and (chosen := int(rng.random() * (len(changes.turns) + 1))):
        orientation = compose_turns(orientation, TURNS[changes.turns[chosen - 1]])
    degrees = round(_between(-changes.rotation, changes.rotation, rng), 2)
    factor = round(_between(1 - changes.brightness, 1 + changes.brightness, rng), 3)
    sigma = round(_between(0, changes.blur, rng), 2)
    if orientation != _AS_IT_IS:
        yield Turn(orientation)
    if degrees:
        yield Rotate(degrees)
    if factor != 1:
        yield Brighten(factor)
    if sigma:
        yield Blur(sigma)


def compose_turns(first: int, second: int) -> int:
    """The orientation that does at once what `first` and then `second` do."""
    wanted = turn_box(turn_box(_PROBE, first, 1, 1), second, 1, 1)
    return next(orientation for orientation in range(1, 9) if turn_box(_PROBE, orientation, 1, 1) == wanted)


def _between(low: float, high: float, rng: random.Random) -> float:
    return low + (high - low) * rng.random()
