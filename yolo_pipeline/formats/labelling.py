"""Pictures and boxes for people who correct labels: LabelImg, and trainers after it, must be able to read them."""

from __future__ import annotations

from pathlib import Path

import cv2

from yolo_pipeline import images
from yolo_pipeline.decoding import decode_any
from yolo_pipeline.files import write_bytes
from yolo_pipeline.formats.files import place_picture
from yolo_pipeline.geometry import clip_box
from yolo_pipeline.nouns import Box, Truth

_READ_ALIKE = {
    "JPEG": (".jpg", ".jpeg"), "MPO": (".jpg", ".jpeg"), "PNG": (".png",), "BMP": (".bmp",), "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
}  # fmt: skip
_ONE_FRAME = ("JPEG", "MPO")  # what else an MPO holds are other sizes of the same picture
_PLAIN_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})


def place_readable(file: Path, stem: Path, *, link: bool, keep_turned: bool = False) -> tuple[Path, bool]:
    """Puts a picture at the path `stem` plus a suffix, where labelling tools and trainers read the same pixels in it.

    It stays what it is, linked or copied, under the suffix of its true format. One that EXIF turns (LabelImg may show
    the stored pixels), of four inks, of 16 bits, of several frames, or of a format that Ultralytics does not list
    becomes a PNG of its upright pixels.

    Args:
        link: as in `files.place_picture`.
        keep_turned: leave one that EXIF turns as it is, for pictures without boxes.

    Returns:
        where it lies; whether it was made a PNG.

    Raises:
        UnreadableImage: there is no such picture.
    """
    suffix = _plain_suffix(file, keep_turned)
    target = stem.with_name(stem.name + (suffix or ".png"))
    if suffix:
        place_picture(str(file), str(target), link)
    else:
        write_bytes(target, cv2.imencode(".png", decode_any(file).pixels)[1].tobytes())
    return target, not suffix


def _plain_suffix(file: Path, keep_turned: bool) -> str:
    """The suffix of a picture that everybody reads alike; empty for any other."""
    header = images.read_header(file, images.VIEWABLE)
    suffixes = _READ_ALIKE.get(header.format, ())
    if not suffixes or (header.orientation != 1 and not keep_turned):
        return ""
    with images.pillow_image(file, images.FORMATS) as picture:
        several = header.format not in _ONE_FRAME and getattr(picture, "is_animated", False)
        if several or picture.mode not in _PLAIN_MODES:
            return ""
    return file.suffix if file.suffix.lower() in suffixes else suffixes[0]


def in_whole_pixels(truth: Truth, width: int, height: int) -> Truth:
    """The object in whole pixels, which older LabelImg needs; inside the picture, and one pixel large at least."""
    box = clip_box(truth.box, width, height)
    x0, y0 = min(round(box.x0), width - 1), min(round(box.y0), height - 1)
    x1, y1 = max(round(box.x1), x0 + 1), max(round(box.y1), y0 + 1)
    return Truth(Box(float(x0), float(y0), float(x1), float(y1)), truth.label)
