"""Picture files: what they are, how large, which way up; hashing and safe decoding.

Everything here takes files from strangers: formats come from an allow list, sizes are checked before a pixel
is decoded, and whatever a decoder raises leaves as `UnreadableImage`.
"""

from __future__ import annotations

import hashlib
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import (  # the plugins register their formats when they are imported
    BmpImagePlugin,
    ExifTags,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

FORMATS = (
    JpegImagePlugin.JpegImageFile.format,  # and MPO, a JPEG with more pictures behind it
    PngImagePlugin.PngImageFile.format,
    BmpImagePlugin.BmpImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
    TiffImagePlugin.TiffImageFile.format,
)
"""Pillow's names of the formats that are read; a picture of another kind is refused by name."""

SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "BMP": ".bmp", "WEBP": ".webp", "TIFF": ".tif"}

TRAINABLE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".mpo"})
"""Suffixes that Ultralytics lists as pictures (ultralytics 8.4.190 data/utils.py IMG_FORMATS)."""

PICTURE_SUFFIXES = TRAINABLE_SUFFIXES | {".jfif", ".jpe", ".gif", ".avif", ".heic", ".heif", ".jp2", ".dib"}
"""A file with one of these claims to be a picture, so it is an error when it is none."""

MAX_PIXELS = 178_956_970  # where Pillow, too, takes a picture for a decompression bomb

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF", b"II*\0", b"MM\0*")
_HEAD_BYTES = 4096
_SOF_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})


class UnreadableImage(ValueError):
    """The picture cannot be read; the text says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture's first bytes say. `width` and `height` are as stored, before EXIF orientation (1..8)."""

    format: str
    width: int
    height: int
    orientation: int = 1

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels once the EXIF orientation is applied."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def read_header(path: Path | str) -> Header:
    """Format, stored size and orientation of a picture, recognised by content.

    Raises:
        UnreadableImage: not a picture, an unknown format, a broken header, or more than MAX_PIXELS.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise UnreadableImage(error.strerror or str(error)) from error
    if not head:
        raise UnreadableImage("the file is empty")
    header = _plain_jpeg_header(head) or _pillow_header(path)
    if header.width < 1 or header.height < 1:
        raise UnreadableImage(f"its header says {header.width}x{header.height} pixels")
    if header.width * header.height > MAX_PIXELS:
        raise UnreadableImage(f"its header says {header.width}x{header.height} pixels, over the limit of {MAX_PIXELS}")
    return header


def looks_like_picture(path: Path) -> bool:
    """Whether the first bytes are those of a format that `read_header` knows (for files without a telling suffix)."""
    try:
        with open(path, "rb") as file:
            return file.read(8).startswith(_SIGNATURES)
    except OSError:
        return False


def trainable_suffix(path: Path, header: Header) -> str:
    """The suffix to write the picture with: its own where training reads it, else that of its format."""
    return path.suffix if path.suffix.lower() in TRAINABLE_SUFFIXES else SUFFIXES[header.format]


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def decode_upright(path: Path) -> npt.NDArray[np.uint8]:
    """The whole picture as RGB, EXIF orientation applied: (height, width, 3) uint8.

    Raises:
        UnreadableImage: as `read_header`, and when the pixel data is truncated or broken.
    """
    read_header(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                return np.asarray(_eight_bits(ImageOps.exif_transpose(image)).convert("RGB"))
    except Exception as error:  # decoders raise anything from OSError to IndexError on hostile bytes
        raise UnreadableImage(_said_by(error)) from error


def _plain_jpeg_header(head: bytes) -> Header | None:
    """Size of a JPEG without EXIF whose frame header lies in `head`; None: ask Pillow.

    Ten times as fast as opening it with Pillow, which conversion of thousands of pictures feels.
    """
    if head[:3] != b"\xff\xd8\xff":
        return None
    at, end = 2, len(head)
    while at + 9 < end and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _STANDALONE_MARKERS:
            at += 2
            continue
        if marker == 0xE1:  # APP1: may hold an orientation
            return None
        if marker in _SOF_MARKERS:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return Header("JPEG", width, height) if width and height else None
        at += 2 + struct.unpack_from(">H", head, at + 2)[0]
    return None


def _pillow_header(path: Path | str) -> Header:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size limit is checked by the caller, as an error
            with Image.open(path, formats=FORMATS) as image:
                orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)  # PNG's own decodes
                known = isinstance(orientation, int) and 1 <= orientation <= 8
                width, height = _stored_size(image)
                return Header(image.format or "", width, height, orientation if known else 1)
    except Exception as error:  # as in decode_upright
        raise UnreadableImage(_said_by(error)) from error


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) before turning; Pillow gives a TIFF's already turned."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        return int(tags[ExifTags.Base.ImageWidth]), int(tags[ExifTags.Base.ImageLength])
    return image.size


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits, where Pillow's conversion to RGB would cut it off at 255."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def _said_by(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"not a picture of a known kind ({', '.join(FORMATS)})"
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {MAX_PIXELS} pixels"
    return str(error) or type(error).__name__
