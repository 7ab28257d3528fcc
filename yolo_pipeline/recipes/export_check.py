"""What an export is held to: what the weights themselves find on pictures of their attempt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from yolo_pipeline import decoding, images
from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import AnnotationError, InputError, command
from yolo_pipeline.judging.agreement import ASKED, Agreement, Disagreement, Found, agreement, confidence_to_compare
from yolo_pipeline.nouns import Split
from yolo_pipeline.recipes.models import Model, pictures_of
from yolo_pipeline.results import part
from yolo_pipeline.run import run_of
from yolo_pipeline.runtimes.letterbox import GREY

FILLED_UP = frozenset({("torch", "tflite")})
"""Runtimes of weights, and targets that are shown squares where these are shown rectangles."""

MOST_PIXELS = {"tensorflow": 2.0}
"""Runtime of weights -> pixels that a box's corners may be off; elsewhere its IoU alone counts."""

_PICTURES = 8
_LOOKED_AT: tuple[Split, ...] = ("test", "val", "train")


@dataclass(frozen=True, slots=True)
class Look:
    """The pictures to compare on, what the weights find on them, and the confidence from which on it is compared."""

    pixels: tuple[Pixels, ...]
    found: Found
    conf: float


@dataclass
class Original:
    """The attempt's weights, opened and asked when that is first wanted."""

    root: Path
    number: int
    model: Model
    asking: Asking

    @cached_property
    def pictures(self) -> list[Path]:
        return check_pictures(self.root, self.number)

    @cached_property
    def predictor(self) -> Predictor:
        return self.model.track.open(self.model.weights, self.asking)

    @cached_property
    def as_they_are(self) -> Look:
        return self._look([decoded(file) for file in self.pictures])

    @cached_property
    def squared(self) -> Look:
        """For networks of a fixed size: torch would show the weights less grey beside a picture that is no square."""
        return self._look([_square(pixels) for pixels in self.as_they_are.pixels])

    def look(self, target: str) -> Look:
        """What a target is compared on."""
        return self.squared if (self.model.track.runtime, target) in FILLED_UP else self.as_they_are

    def _look(self, pixels: Sequence[Pixels]) -> Look:
        found = self.predictor(pixels)
        conf = confidence_to_compare(found, self.asking.most)
        if conf is None:
            where = f"on {len(pixels)} pictures of its own data"
            reason = f"finds nothing {where}, not even at confidence {ASKED:g}"
            if count := sum(map(len, found)):
                reason = f"is as sure of each of {count} boxes {where} as of the others, and gives no more"
            remedy = "An export of it could not be told from a broken one: train it until it finds something"
            raise InputError(self.model.weights, reason, remedy)
        return Look(tuple(pixels), found, conf)

    def agreement(self, path: Path, found: Found, look: Look) -> Agreement:
        """How what an export finds compares with what the weights find.

        Raises:
            InputError: it does not agree.
        """
        try:
            names, pixels = [file.name for file in self.pictures], MOST_PIXELS.get(self.model.track.runtime, math.inf)
            return agreement(names, look.found, found, look.conf, most=self.asking.most, pixels=pixels)
        except Disagreement as difference:
            reason = f"does not find what {self.model.weights.name} finds: {difference}"
            remedy = "Nothing of it was kept. Use another target, or other versions of the packages that write it"
            raise InputError(path.name, reason, remedy) from difference


def check_pictures(root: Path, number: int) -> list[Path]:
    """Up to 8 pictures of an attempt's data set, spread over test, else val, else train.

    Raises:
        InputError: there are none any more.
    """
    folder = part(run_of(root, number).record, "data").get("folder")
    chosen: list[Path] = []
    for split in _LOOKED_AT if isinstance(folder, str) else ():
        there = pictures_of(root / str(folder), split)
        files = [file for file in there if file.suffix.lower() in images.TRAINABLE_SUFFIXES]
        chosen += images.evenly(files, _PICTURES - len(chosen))
    if not chosen:
        reason = "its pictures are gone, on which an export is tried"
        remedy = f"Build its data set again: {command(root, f'build --attempt {number}')}"
        raise InputError(run_of(root, number).folder, reason, remedy)
    return chosen


def decoded(file: Path) -> Pixels:
    """
    Raises:
        AnnotationError: it cannot be read any more.
    """
    try:
        return decoding.decode(file)
    except images.UnreadableImage as error:
        raise AnnotationError(file, str(error), "Build the data set again") from error


def _square(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    square = np.full((max(height, width),) * 2 + (3,), GREY, dtype=np.uint8)
    square[:height, :width] = pixels
    return square
