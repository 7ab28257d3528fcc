"""Pixels of pictures by OpenCV, where many are decoded: quicker than `images.decode_upright`, and as strict.

All arrays are (height, width, 3) uint8 in OpenCV's order, blue first, upright. Transparency is left out and the colour
that is stored beneath it stays, as in the pixels that Ultralytics trains on (OpenCV's IMREAD_COLOR does the same).
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from yolo_pipeline import images

Pixels = npt.NDArray[np.uint8]

_SCAN, _END = b"\xff\xda", b"\xff\xd9"  # JPEG markers, which the coded pixels between them cannot hold
_SEGMENT = re.compile(rb"\xff+[^\0\x01\xd0-\xd7\xff]")  # a marker that a length follows, or the end
_MOST_SCANS = 100  # programs write about ten; each goes over all pixels, and a hundred bytes may be one
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
    (1, cv2.IMREAD_COLOR),
)

_BLANK = bytes(512)  # the end of a file whose place on the disk was reserved; decoders may take zeros for pixels
_JPEGS = ("JPEG", "MPO")
_COUNTED_BYTES, _COUNTED_PAGES = 2**23, 100  # Pillow counts 200,000 frames of a GIF a second, a TIFF's ever more slowly


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a model is shown it.

    Attributes:
        pixels: upright, blue first.
        note: what should be known of how it was read: "the first of 12 frames"; else empty.
    """

    pixels: Pixels
    note: str = ""


def decode_any(file: Path) -> Picture:
    """The whole picture, of any of `images.VIEWABLE`: what a model is shown of files from anywhere.

    Pixels are those of `decode` where that can read the file; 32-bit ones are scaled by their range.

    Raises:
        UnreadableImage: as `images.decode_upright`; 32-bit pixels that are no brightness.
    """
    with images.opened(file, images.VIEWABLE) as opened:
        if opened.header.format in _JPEGS:
            opened.file.seek(0)
            data = opened.file.read()
            if (pixels := _jpeg(opened.header, data)) is not None:
                return Picture(pixels)
            if data.endswith(_BLANK):
                raise images.UnreadableImage("truncated: it ends in zeros, where a download had yet to write")
        return _by_pillow(opened.file, opened.header)


def decode(file: Path) -> Pixels:
    """The whole picture.

    Raises:
        UnreadableImage: as `images.decode_upright`.
    """
    header = images.read_header(file)
    return _decoded(file, header, _bytes(file) if header.format == "JPEG" else b"", 0)


def decode_with_bytes(file: Path, side: int) -> tuple[images.Header, bytes, Pixels]:
    """Header, bytes, and the picture with its longer side at most `side` pixels.

    Raises:
        UnreadableImage: as `images.decode_upright`.
    """
    header, data = images.read_header(file), _bytes(file)
    return header, data, at_most(_decoded(file, header, data, side), side)


def turn(pixels: Pixels, orientation: int) -> Pixels:
    """Pixels stored with an EXIF orientation, upright; what `geometry.turn_box` does to their boxes."""
    if orientation in (5, 6, 7, 8):  # rows become columns
        pixels = np.asarray(cv2.transpose(pixels), dtype=np.uint8)
    across, down = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
    if across or down:
        pixels = np.asarray(cv2.flip(pixels, -1 if across and down else int(across)), dtype=np.uint8)
    return pixels


def at_most(pixels: Pixels, side: int) -> Pixels:
    """The picture made smaller, if need be, so that its longer side has at most `side` pixels."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise images.UnreadableImage(error.strerror or str(error)) from error


def _decoded(file: Path, header: images.Header, data: bytes, side: int) -> Pixels:
    """The picture, upright; a JPEG reduced while it is decoded, but not below `side` pixels (0: not at all)."""
    if header.format == "JPEG" and (pixels := _jpeg(header, data, side)) is not None:
        return pixels
    return np.asarray(cv2.cvtColor(images.decode_upright(file), cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _jpeg(header: images.Header, data: bytes, side: int = 0) -> Pixels | None:
    """A JPEG, upright, as `_decoded`; None: ask Pillow.

    OpenCV reads a JPEG in 0.6 of Pillow's time, but some releases of it (4.x) take a truncated one for whole; so one
    that does not end as it should is left to Pillow, which says what is wrong. So is every other format.

    Raises:
        UnreadableImage: a file of a megabyte that would be decoded for half an hour.
    """
    if data.count(_SCAN) > _MOST_SCANS and _scans(data) > _MOST_SCANS:
        raise images.UnreadableImage(f"it is coded in more than {_MOST_SCANS} scans")
    if not data.endswith(_END) and data.rfind(_END) <= data.rfind(_SCAN):
        return None
    longer = max(header.width, header.height)
    times, flag = next((times, flag) for times, flag in _REDUCED if times == 1 or 0 < side * times <= longer)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    if pixels is None or pixels.shape[1::-1] != (-(-header.width // times), -(-header.height // times)):
        return None
    return turn(np.asarray(pixels, dtype=np.uint8), header.orientation)


def _scans(data: bytes) -> int:
    """How many times a JPEG goes over its pixels, as far as they are counted; previews and films in it aside."""
    at, scans = 2, 0
    while scans <= _MOST_SCANS and (found := _SEGMENT.search(data, at)) is not None and found[0][-2:] != _END:
        scans += found[0][-2:] == _SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return scans


def _by_pillow(file: BinaryIO, header: images.Header) -> Picture:
    with images.pillow_image(file, images.VIEWABLE) as image:
        pixels = _blue_first(image)
        note = "" if header.format in _JPEGS else _note(image, file)  # behind a JPEG lie previews of it
    if header.format != "TIFF":  # which Pillow turns by itself
        pixels = turn(pixels, header.orientation)
    if pixels.shape[1::-1] != header.upright_size:
        raise images.UnreadableImage("its pixels are not as many as its header says")
    return Picture(pixels, note)


def _note(image: Image.Image, file: BinaryIO) -> str:
    """Which of several pictures in the file is read; how many there are only where counting them is quick."""
    if not getattr(image, "is_animated", False):
        return ""
    if image.format == "TIFF":
        return f"the first of {_pages(image) or 'many'} pages"
    quick = os.fstat(file.fileno()).st_size <= _COUNTED_BYTES
    return f"the first of {getattr(image, 'n_frames', 'many') if quick else 'many'} frames"


def _pages(image: Image.Image) -> int | None:
    """How many pages a TIFF has; None: too many to count, or a later one is broken. Leaves the first one."""
    with suppress(Exception):  # Pillow raises anything on hostile bytes, and the first page is whole all the same
        for page in range(1, _COUNTED_PAGES + 1):
            try:
                image.seek(page)
            except EOFError:
                return page
    return None


def _blue_first(image: Image.Image) -> Pixels:
    if image.mode in ("F", "I"):
        return np.asarray(cv2.cvtColor(_brightness(np.asarray(image)), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    image = images.eight_bits(image)
    image = image if image.mode == "RGB" else image.convert("RGB")
    return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _brightness(values: npt.NDArray[np.generic]) -> Pixels:
    """32-bit grey, (height, width) float32 or int32, as 8 bits: white is 1 in floats up to 1, else 255 or 65535.

    Raises:
        UnreadableImage: below 0, above 65535, or not a number: heights or distances rather than brightness.
    """
    least, most = float(values.min()), float(values.max())
    if not (least >= 0 and most <= 65535):  # false of NaN, too
        raise images.UnreadableImage(f"its 32-bit values, from {least:g} to {most:g}, are no brightness")
    white = 1 if most <= 1 and values.dtype == np.float32 else 255 if most <= 255 else 65535
    return np.asarray(np.rint(values.astype(np.float64) * (255 / white)), dtype=np.uint8)
