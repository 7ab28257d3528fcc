"""The pixels of edited pictures: decoded once for all that is made of them, edited by OpenCV, encoded.

All arrays are as in `decoding`: (height, width, 3) uint8, blue first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from yolo_pipeline import images
from yolo_pipeline.decoding import Pixels, decode, turn
from yolo_pipeline.nouns import Blur, Brighten, Crop, Edit, ImageRecord, InBox, Pad, Place, Resize, Rotate, Turn

GREY = 114
"""What comes into a picture from outside it, as in Ultralytics (8.4.190 data/augment.py LetterBox)."""

_JPEG_QUALITY = 95
_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".mpo"})


def edited_suffix(suffix: str) -> str:
    """The suffix that a picture is written with after edits: JPEG stays JPEG, all else becomes PNG, without loss."""
    return ".jpg" if suffix.lower() in _JPEG_SUFFIXES else ".png"


def write_edited(outputs: Sequence[tuple[ImageRecord, Path]]) -> None:
    """Renders records that are made of one file, and writes each to its path.

    Raises:
        UnreadableImage: the picture is broken, or OpenCV cannot edit it.
    """
    file = outputs[0][0].file
    pixels = decode_cutout(file) if is_cutout(outputs[0][0]) else decode(file)
    shared = _shared_edits([record.edits for record, _ in outputs])
    try:
        pixels = render(pixels, shared)
        for record, target in outputs:
            target.write_bytes(encode(render(pixels, record.edits[len(shared) :]), record.suffix))
    except cv2.error as error:  # 4.x cannot rotate sides over 32767 pixels, for one
        raise images.UnreadableImage(f"OpenCV cannot edit it: {error}") from error


def is_cutout(record: ImageRecord) -> bool:
    return any(isinstance(edit, Place) for edit in record.edits[:1])


def decode_cutout(file: Path) -> Pixels:
    """A picture with alpha: (height, width, 4), blue first.

    Raises:
        UnreadableImage: it cannot be read, or has no alpha.
    """
    images.read_header(file)
    with images.pillow_image(file, images.FORMATS) as picture:
        seen_through = picture.has_transparency_data
        rgba = np.asarray(picture.convert("RGBA"))
    if not seen_through:
        raise images.UnreadableImage("it has no alpha channel")
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))


def encode(pixels: Pixels, suffix: str) -> bytes:
    settings = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix == ".jpg" else []
    done, data = cv2.imencode(suffix, pixels, settings)
    if not done:
        raise images.UnreadableImage(f"OpenCV cannot write {pixels.shape[1]}x{pixels.shape[0]} pixels as {suffix}")
    return bytes(data)


def render(pixels: Pixels, edits: Sequence[Edit]) -> Pixels:
    """`pixels` after `edits`; the array that was given stays as it was."""
    given = pixels
    for edit in edits:
        if not isinstance(edit, InBox):
            pixels = _edited(pixels, edit)
            continue
        if np.may_share_memory(pixels, given):
            pixels = pixels.copy()
        _edit_in_place(pixels, edit)
    return pixels


def _edited(pixels: Pixels, edit: Resize | Crop | Pad | Place | Turn | Rotate | Brighten | Blur) -> Pixels:
    match edit:
        case Resize():
            return _resized(pixels, edit.width, edit.height)
        case Crop():
            return pixels[edit.y : edit.y + edit.height, edit.x : edit.x + edit.width]
        case Pad() | Place():
            return _placed(pixels, edit)
        case Turn():
            return turn(pixels, edit.orientation)
        case Rotate():
            height, width = pixels.shape[:2]
            return _rotated(pixels, edit.degrees, (0, 0, width, height), cv2.BORDER_CONSTANT)
        case Brighten():
            return np.asarray(cv2.convertScaleAbs(pixels, alpha=edit.factor))
        case Blur():
            return np.asarray(cv2.GaussianBlur(pixels, (0, 0), edit.sigma, borderType=cv2.BORDER_REFLECT_101))


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Means of the pixels that fall together where a side shrinks, linear between them where it grows."""
    shrunk = (min(width, pixels.shape[1]), min(height, pixels.shape[0]))
    if shrunk != pixels.shape[1::-1]:
        pixels = cv2.resize(pixels, shrunk, interpolation=cv2.INTER_AREA)
    if shrunk != (width, height):
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    return pixels


def _placed(pixels: Pixels, place: Pad | Place) -> Pixels:
    canvas = np.full((place.height, place.width, 3), GREY, np.uint8)
    height, width = pixels.shape[:2]
    under = canvas[place.y : place.y + height, place.x : place.x + width]
    if isinstance(place, Place):
        alpha = pixels[..., 3:].astype(np.float32) / 255
        under[:] = np.rint(pixels[..., :3] * alpha + GREY * (1 - alpha))
    else:
        under[:] = pixels
    return canvas


def _rotated(pixels: Pixels, degrees: float, window: tuple[int, int, int, int], border: int) -> Pixels:
    """What is seen through a window (x0, y0, x1, y1) when the picture is turned about the window's centre."""
    x0, y0, x1, y1 = window
    centre = ((x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2)  # OpenCV counts from the middle of the first pixel
    matrix = cv2.getRotationMatrix2D(centre, degrees, 1.0)
    matrix[:, 2] -= (x0, y0)
    return np.asarray(
        cv2.warpAffine(
            pixels, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=(GREY,) * 3
        )
    )


def _edit_in_place(whole: Pixels, box: InBox) -> None:
    """Rotation brings what lies around the box into its corners, where grey ones would give the object away."""
    part = whole[box.y0 : box.y1, box.x0 : box.x1]
    for edit in box.edits:
        if isinstance(edit, Rotate):
            part[:] = _rotated(whole, edit.degrees, (box.x0, box.y0, box.x1, box.y1), cv2.BORDER_REPLICATE)
        else:
            part[:] = _edited(part, edit)


def _shared_edits(lists: Sequence[tuple[Edit, ...]]) -> tuple[Edit, ...]:
    """The edits that all lists begin with."""
    shared = []
    for edits in zip(*lists, strict=False):
        if any(edit != edits[0] for edit in edits):
            break
        shared.append(edits[0])
    return tuple(shared)
