"""What is measured of each picture, once: its likeness, light and sharpness, and how it is stored."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from yolo_pipeline import images
from yolo_pipeline.cores import all_cores
from yolo_pipeline.decoding import Pixels, at_most, decode_with_bytes
from yolo_pipeline.progress import Progress, silent

SIDE = 512  # longer side, in pixels, that light and sharpness are measured at; smaller pictures stay as they are
THUMB = 32  # sides of the thumbnail, in pixels

_HASH_SIDE = 8
_GREY_SPREAD = 8  # difference between channels, 0..255, that JPEG leaves on pictures without colour


@dataclass(frozen=True, slots=True)
class Picture:
    """Measurements of one file, upright.

    Attributes:
        likeness: perceptual hash of 64 bits: near-identical pictures differ in few of them.
        thumb: THUMB x THUMB grey values, row by row, as bytes.
        light: mean luminance, 0..255.
        contrast: standard deviation of the luminance.
        sharpness: variance of the Laplacian at SIDE pixels; low where a picture is blurred, or plain.
        grey: whether it shows no colour, however it is stored.
        mode: Pillow's name of how it is stored: RGB, L, RGBA, CMYK ...
        orientation: EXIF orientation, 1..8.
        side: the longer one, in pixels.
    """

    likeness: int
    thumb: bytes
    light: float
    contrast: float
    sharpness: float
    grey: bool
    mode: str
    orientation: int
    side: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Pictures by file, and why others could not be read."""

    pictures: dict[Path, Picture]
    unreadable: dict[Path, str]


def measure_all(files: Sequence[Path], progress: Progress = silent) -> Measured:
    """Measures each file once, in threads; the answer does not depend on how many there are."""
    distinct = sorted(set(files))
    measured = Measured({}, {})
    with all_cores() as pool:
        answers = pool.map(_measured_or_why, distinct)
        for file in progress.items(distinct, "looking at pictures"):
            answer = next(answers)
            if isinstance(answer, Picture):
                measured.pictures[file] = answer
            else:
                measured.unreadable[file] = answer
    return measured


def measure(file: Path) -> Picture:
    """
    Raises:
        UnreadableImage: it cannot be decoded to the end.
    """
    header, data, pixels = decode_with_bytes(file, SIDE)
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    thumb = np.asarray(cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return Picture(
        likeness=_perceptual_hash(thumb),
        thumb=thumb.tobytes(),
        light=float(grey.mean()),
        contrast=float(grey.std()),
        sharpness=float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        grey=_shows_no_colour(pixels),
        mode=_mode(data),
        orientation=header.orientation,
        side=max(header.width, header.height),
    )


def _measured_or_why(file: Path) -> Picture | str:
    try:
        return measure(file)
    except images.UnreadableImage as error:
        return str(error)


def decode_small(file: Path, side: int = SIDE) -> Pixels:
    """The upright picture as RGB, (height, width, 3), its longer side at most `side` pixels.

    Raises:
        UnreadableImage: it cannot be decoded to the end.
    """
    return np.asarray(cv2.cvtColor(decode_with_bytes(file, side)[2], cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _perceptual_hash(thumb: Pixels) -> int:
    """Which of the lowest frequencies of the cosine transform are above their median (the hash known as pHash)."""
    low = cv2.dct(thumb.astype(np.float32))[:_HASH_SIDE, :_HASH_SIDE].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _shows_no_colour(pixels: Pixels) -> bool:
    small = at_most(pixels, 2 * THUMB).astype(np.int16)
    return float(np.percentile(small.max(axis=2) - small.min(axis=2), 99)) < _GREY_SPREAD


def _mode(data: bytes) -> str:
    with images.pillow_image(io.BytesIO(data), images.FORMATS) as image:
        return image.mode
