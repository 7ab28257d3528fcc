"""An object parted from its background by GrabCut, and kept in the user's cache."""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from yolo_pipeline import images
from yolo_pipeline.building.pixels import decode_cutout, encode
from yolo_pipeline.decoding import Pixels, decode
from yolo_pipeline.errors import DataError
from yolo_pipeline.files import cache_folder, explain_os_error, forget_old
from yolo_pipeline.geometry import clip_box
from yolo_pipeline.nouns import Box

_VERSION = 1  # of the way in which objects are cut out: part of the names in the cache
_NOTHING = b"no object was found\n"  # in the cache, instead of a picture
_MARGIN = 0.2  # of the box on each side
_LEAST_MARGIN = 16  # pixels in all
_WORKING_SIDE = 400  # pixels; GrabCut's time grows with the area
_ITERATIONS = 5
_LEAST_FOUND, _MOST_FOUND = 0.10, 0.98  # of the box; outside of it, GrabCut found nothing or could not part the two


def cut_into_cache(picture: Path, box: Box, key: str) -> Path | None:
    """A file with the object in `box`, out of the cache where it is there; None where `cut_out` finds none.

    Args:
        key: stands for the picture's content and the box.

    Raises:
        DataError: the cache cannot be written.
    """
    name = hashlib.sha256(f"{_VERSION}:{key}".encode()).hexdigest()[:32]
    file = cache_folder() / "cutouts" / f"{name}.png"
    try:
        if (found := _found_before(file)) is None:
            cut = cut_out(decode(picture), box)
            _write_whole(file, _NOTHING if cut is None else encode(cut, ".png"))
            found = cut is not None
        return file if found else None
    except images.UnreadableImage:
        return None  # writing the data set will say so of the picture
    except OSError as error:
        raise explain_os_error(file, error) or DataError(file, str(error), "Mend the cache folder") from error


def forget_old_cutouts() -> None:
    """Removes from the cache what was not asked for in a month."""
    forget_old(cache_folder() / "cutouts")


def _found_before(file: Path) -> bool | None:
    """Whether an object was found, by the cache; None where it does not say, or its file is damaged."""
    if not file.is_file():
        return None
    os.utime(file)
    if file.read_bytes() == _NOTHING:
        return False
    try:
        decode_cutout(file)
    except images.UnreadableImage:
        return None
    return True


def _write_whole(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")  # others may write the same one
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def cut_out(picture: Pixels, box: Box) -> Pixels | None:
    """The object in `box` with its background transparent, cropped to what is opaque.

    GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004) learns the background from a margin around the box; of what it
    takes for object, the largest connected part is kept.

    Args:
        picture: (height, width, 3) uint8.

    Returns:
        (height, width, 4) uint8, or None where it finds hardly anything, or all of the box.
    """
    part, inner = _with_margin(picture, box)
    height, width = part.shape[:2]
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    small = cv2.resize(
        part, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    mask = _largest_part(_grab(small, [round(side * scale) for side in inner]))
    found = int(mask.sum()) / (max(1.0, box.width * box.height) * scale**2)
    if not _LEAST_FOUND <= found <= _MOST_FOUND:
        return None
    alpha = cv2.resize(mask * np.uint8(255), (width, height), interpolation=cv2.INTER_LINEAR)
    cut = np.dstack([part, alpha])
    edge = opaque_box(cut)
    return None if edge is None else cut[int(edge.y0) : int(edge.y1), int(edge.x0) : int(edge.x1)]


def _with_margin(picture: Pixels, box: Box) -> tuple[Pixels, tuple[int, int, int, int]]:
    """The box with what lies around it, and its place (x0, y0, x1, y1) therein."""
    height, width = picture.shape[:2]
    margin_x, margin_y = _MARGIN * box.width, _MARGIN * box.height
    outer = clip_box(Box(box.x0 - margin_x, box.y0 - margin_y, box.x1 + margin_x, box.y1 + margin_y), width, height)
    left, top, right, bottom = int(outer.x0), int(outer.y0), math.ceil(outer.x1), math.ceil(outer.y1)
    inner = (round(box.x0) - left, round(box.y0) - top, round(box.x1) - left, round(box.y1) - top)
    return picture[top:bottom, left:right], inner


def _grab(picture: Pixels, box: Sequence[int]) -> Pixels:
    """1 where GrabCut sees the object, else 0; without any margin there is nothing to learn from, and all are 0."""
    x0, y0, x1, y1 = box
    mask = np.full(picture.shape[:2], cv2.GC_BGD, np.uint8)
    mask[y0:y1, x0:x1] = cv2.GC_PR_FGD
    if (mask == cv2.GC_BGD).sum() < _LEAST_MARGIN or not (mask == cv2.GC_PR_FGD).any():
        return np.zeros_like(mask)
    cv2.setRNGSeed(0)  # of this thread
    try:
        cv2.grabCut(picture, mask, None, None, None, _ITERATIONS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # all of one colour
        return np.zeros_like(mask)
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _largest_part(mask: Pixels) -> Pixels:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return mask
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == largest).astype(np.uint8)


def opaque_box(pixels: Pixels) -> Box | None:
    """The box around what is more than half opaque in (height, width, 4) pixels; None where nothing is."""
    opaque = pixels[..., 3] > 127
    if not opaque.any():
        return None
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
