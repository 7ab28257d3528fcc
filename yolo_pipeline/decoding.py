"""Pixels of pictures by OpenCV, where many are decoded: quicker than `images.decode_upright`, and as strict.

All arrays are (height, width, 3) uint8 in OpenCV's order, blue first, upright.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from yolo_pipeline import images

Pixels = npt.NDArray[np.uint8]

_SCAN, _END = b"\xff\xda", b"\xff\xd9"  # JPEG markers, which the coded pixels between them cannot hold
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
    (1, cv2.IMREAD_COLOR),
)


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
    """The picture, upright; a JPEG reduced while it is decoded, but not below `side` pixels (0: not at all).

    OpenCV reads a JPEG in 0.6 of Pillow's time, but some releases of it (4.x) take a truncated one for whole; so one
    that does not end as it should is left to Pillow, which says what is wrong. So is every other format.
    """
    if header.format == "JPEG" and data.rfind(_END) > data.rfind(_SCAN):
        longer = max(header.width, header.height)
        times, flag = next((times, flag) for times, flag in _REDUCED if times == 1 or 0 < side * times <= longer)
        try:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:
            pixels = None
        if pixels is not None and pixels.shape[1::-1] == (-(-header.width // times), -(-header.height // times)):
            return turn(np.asarray(pixels, dtype=np.uint8), header.orientation)
    return np.asarray(cv2.cvtColor(images.decode_upright(file), cv2.COLOR_RGB2BGR), dtype=np.uint8)
