"""What a training picture becomes in a draw: turned, zoomed, moved, mirrored, lighter or darker.

The settings mean what they mean to Keras' ImageDataGenerator (keras 2.15 preprocessing/image.py, get_random_transform
and apply_affine_transform): every value is drawn evenly from its range, width and height are zoomed each by itself, and
what comes in from outside is the nearest pixel. As there, no draw is the plain picture but by chance.

A draw depends on the seed, the picture's bytes and its own number, and on nothing else: not on the other pictures,
their order or their batches. A setting that is added changes nothing in what the others do.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from yolo_pipeline.decoding import Pixels

VERSION = 1
"""Of what a draw does to pixels: cached features of another version are not taken."""

_Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What may be done to a training picture.

    Attributes:
        rotation_deg: up to so many degrees either way.
        zoom: what is seen is 1 - zoom to 1 + zoom of the width, and of the height.
        shift: up to this share of the width and of the height, either way.
        brightness: values are multiplied by 1 - brightness to 1 + brightness, and cut off at 255.
        flips: of horizontal and vertical; each is done or not, with equal chances.
        draws: different draws that there are; epoch e (from 0) shows draw e modulo draws.
    """

    rotation_deg: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    flips: tuple[str, ...] = ()
    draws: int = 1
    seed: int = 0

    def told(self) -> list[Any]:
        """What draws follow from, but for the picture and their number, as plain values."""
        ranges = [float(value) for value in (self.rotation_deg, self.zoom, self.shift, self.brightness)]
        return [VERSION, ranges, sorted(set(self.flips)), self.seed]


def augmentation_of(train: Mapping[str, Any]) -> Augmentation | None:
    """That of an attempt's training settings; None where pictures are shown as they are."""
    said = train.get("augment")
    if said is None:
        return None
    ranges = {key: float(said[key]) for key in ("rotation_deg", "zoom", "shift", "brightness")}
    return Augmentation(**ranges, flips=tuple(said["flip"]), draws=said["draws"], seed=train["seed"])


def drawn(square: Pixels, sha256: str, draw: int, augmentation: Augmentation) -> Pixels:
    """A square picture in draw number `draw` (from 0): (S, S, 3) uint8 -> (S, S, 3) uint8.

    Args:
        sha256: of the picture's file.
    """
    chance = random.Random(f"{augmentation.seed}:classify:{sha256}:{draw}")
    matrix, brightness = _drawn_values(chance, augmentation, square.shape[0])
    if not np.array_equal(matrix, np.eye(3)):
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (square.shape[1], square.shape[0])
        warped = cv2.warpAffine(square, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        square = np.asarray(warped, dtype=np.uint8)
    if brightness != 1.0:
        square = np.asarray(cv2.LUT(square, _brightened(brightness)), dtype=np.uint8)
    return square


def _drawn_values(chance: random.Random, of: Augmentation, side: int) -> tuple[_Matrix, float]:
    """Where each pixel of the draw is taken from, as a matrix (3, 3) on (x, y, 1), and a factor of brightness.

    All values are drawn, in one order, whatever is asked for.
    """
    angle, right, down, wide, high, light = (chance.uniform(-1.0, 1.0) for _ in range(6))
    mirrored, upside_down = (chance.random() < 0.5 for _ in range(2))
    turn = _turned(math.radians(of.rotation_deg * angle))
    move = np.array([[1.0, 0.0, of.shift * side * right], [0.0, 1.0, of.shift * side * down], [0.0, 0.0, 1.0]])
    zoom = np.diag([1.0 + of.zoom * wide, 1.0 + of.zoom * high, 1.0])
    flip = np.diag(
        [
            -1.0 if mirrored and "horizontal" in of.flips else 1.0,
            -1.0 if upside_down and "vertical" in of.flips else 1.0,
            1.0,
        ]
    )
    return _about_centre(turn @ move @ zoom @ flip, side), 1.0 + of.brightness * light


def _turned(radians: float) -> _Matrix:
    sine, cosine = math.sin(radians), math.cos(radians)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _about_centre(matrix: _Matrix, side: int) -> _Matrix:
    """The same with the middle of the picture as origin; a pixel's place is that of its own middle."""
    centre = (side - 1) / 2
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = -centre, centre
    return np.asarray(back @ matrix @ there)


def _brightened(factor: float) -> Pixels:
    """Old value -> new value: (256,) uint8."""
    return np.asarray(np.clip(np.rint(np.arange(256) * factor), 0, 255), dtype=np.uint8)
