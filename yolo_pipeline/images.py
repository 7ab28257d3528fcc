"""Picture files: what they are, how large, which way up; hashing and safe decoding.

Everything here takes files from strangers: formats come from an allow list, sizes are checked before a pixel
is decoded, and whatever a decoder raises leaves as `UnreadableImage`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import (  # the plugins register their formats when they are imported
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

T = TypeVar("T")

FORMATS = (
    JpegImagePlugin.JpegImageFile.format,  # and MPO, a JPEG with more pictures behind it
    PngImagePlugin.PngImageFile.format,
    BmpImagePlugin.BmpImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
    TiffImagePlugin.TiffImageFile.format,
)
"""Pillow's names of the formats that are trained on; a picture of another kind is refused by name."""

VIEWABLE = (*FORMATS, GifImagePlugin.GifImageFile.format, AvifImagePlugin.AvifImageFile.format)
"""Those that a model can be shown: training leaves out what Ultralytics cannot read."""

SUFFIXES = {
    "JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "BMP": ".bmp", "WEBP": ".webp", "TIFF": ".tif",
    "GIF": ".gif", "AVIF": ".avif",
}  # fmt: skip

TRAINABLE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".mpo"})
"""Suffixes that Ultralytics lists as pictures (ultralytics 8.4.190 data/utils.py IMG_FORMATS)."""

PICTURE_SUFFIXES = TRAINABLE_SUFFIXES | {".jfif", ".jpe", ".gif", ".avif", ".heic", ".heif", ".jp2", ".dib"}
"""A file with one of these claims to be a picture, so it is an error when it is none."""

MAX_PIXELS = 178_956_970  # where Pillow, too, takes a picture for a decompression bomb

_LARGEST_FILE = 2**30  # bytes; what is larger has no picture of MAX_PIXELS to show for it, and some are read whole

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF", b"II*\0", b"MM\0*")
_PICTURE_START = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|BM.{4}\0{4}|RIFF.{4}WEBP|II[*+]\0|MM\0[*+]|(?P<GIF>GIF8[79]a)|(?P<AVIF>.{4}ftyp(?:avi[fs]|m[is]f1))",
    re.DOTALL,
)
_START_BYTES = 16
_PLAINLY = {"could not create decoder object": "it begins like a picture, but is broken or truncated"}  # Pillow of WebP
_HEAD_BYTES = 4096
_SOF_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})


_open: Any = getattr(sys.modules.get("ultralytics.utils.patches"), "_image_open", Image.open)
"""Pillow's own. Ultralytics puts another in its place, which for every file that is no picture looks for a package to
read it by, and installs that, if it may (ultralytics 8.4.190 utils/patches.py)."""


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


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture whose header was read and found good, and no pixel of it yet.

    Attributes:
        file: its bytes, somewhere in them.
    """

    header: Header
    file: BinaryIO


def read_header(path: Path | str, formats: tuple[str, ...] = FORMATS) -> Header:
    """Format, stored size and orientation of a picture, recognised by content.

    Args:
        formats: Pillow's names of those that count: FORMATS or VIEWABLE.

    Raises:
        UnreadableImage: not a picture, an unknown format, a broken header, more than MAX_PIXELS or a gibibyte.
    """
    with opened(path, formats) as picture:
        return picture.header


@contextmanager
def opened(path: Path | str, formats: tuple[str, ...] = FORMATS) -> Iterator[Opened]:
    """Opens a picture once, for those who want its bytes after its header.

    Raises:
        UnreadableImage: as `read_header`; also where the file cannot be read to its end in the block.
    """
    try:
        with _regular_file(path) as file:
            if (size := os.fstat(file.fileno()).st_size) > _LARGEST_FILE:
                raise UnreadableImage(f"a file of {size} bytes, over the limit of {_LARGEST_FILE}")
            head = file.read(_HEAD_BYTES)
            if not head:
                raise UnreadableImage("the file is empty")
            yield Opened(_checked(_plain_jpeg_header(head) or _pillow_header(file, head, formats)), file)
    except OSError as error:
        raise UnreadableImage(error.strerror or str(error)) from error


def starts_like_picture(start: bytes) -> bool:
    """Whether the first 16 bytes of a file are those of a picture of VIEWABLE."""
    return _PICTURE_START.match(start) is not None


def start_of(path: Path | str) -> bytes:
    """The first 16 bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        return file.read(_START_BYTES)


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


def evenly(pictures: Sequence[T], most: int) -> list[T]:
    """At most so many of them, evenly chosen, in their order."""
    count = min(len(pictures), most)
    return [pictures[at * len(pictures) // count] for at in range(count)]


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def decode_upright(path: Path) -> npt.NDArray[np.uint8]:
    """The whole picture as RGB, EXIF orientation applied: (height, width, 3) uint8.

    Raises:
        UnreadableImage: as `read_header`, and when the pixel data is truncated or broken.
    """
    read_header(path)
    with pillow_image(path, FORMATS) as image:
        return np.asarray(eight_bits(ImageOps.exif_transpose(image)).convert("RGB"))


@contextmanager
def pillow_image(file: Path | str | BinaryIO, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """A picture as Pillow opens it, which decodes it in the block; errors are those of `pillow_errors`."""
    with pillow_errors(formats), _open(file, formats=formats) as image:
        yield image


@contextmanager
def pillow_errors(formats: tuple[str, ...]) -> Iterator[None]:
    """What Pillow raises leaves as `UnreadableImage`, and what it warns of is not printed.

    Its warnings are turned off by the first thread that comes in and on again by the last that goes out: Python keeps
    one list of filters for all threads, which `warnings.catch_warnings` alone would leave as another thread had it.
    """
    _quiet.enter()
    try:
        yield
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise anything from OSError to IndexError on hostile bytes
        raise UnreadableImage(_said_by(error, formats)) from error
    finally:
        _quiet.leave()


class _Quiet:
    """Warnings turned off while anybody is inside."""

    def __init__(self) -> None:
        self._lock, self._inside, self._filters = threading.Lock(), 0, ExitStack()

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters.enter_context(warnings.catch_warnings(action="ignore"))

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.close()


_quiet = _Quiet()


def _regular_file(path: Path | str) -> BinaryIO:
    """Opens a file. Pipes and devices are refused: opening one may wait for ever."""
    mode = Path(path).stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder, the system says so itself
        raise UnreadableImage("it is a pipe or a device, not a file")
    return open(path, "rb")


def _checked(header: Header) -> Header:
    size = f"its header says {header.width}x{header.height} pixels"
    if header.width < 1 or header.height < 1:
        raise UnreadableImage(size)
    if header.width * header.height > MAX_PIXELS:
        raise UnreadableImage(f"{size}, over the limit of {MAX_PIXELS}")
    return header


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


def _pillow_header(file: BinaryIO, head: bytes, formats: tuple[str, ...]) -> Header:
    with pillow_errors(formats):
        try:
            with _open(file, formats=formats) as image:
                return _header_of(image)
        except UnidentifiedImageError as error:
            if (start := _PICTURE_START.match(head)) is None or start.lastgroup not in (None, *formats):
                raise
            raise UnreadableImage("it begins like a picture, but is broken or truncated") from error


def _header_of(image: Image.Image) -> Header:
    orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)  # PNG's own decodes
    known = isinstance(orientation, int) and 1 <= orientation <= 8
    width, height = _stored_size(image)
    return Header(image.format or "", width, height, orientation if known else 1)


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) before turning; Pillow gives a TIFF's already turned."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        return int(tags[ExifTags.Base.ImageWidth]), int(tags[ExifTags.Base.ImageLength])
    return image.size


def eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits, where Pillow's conversion to RGB would cut it off at 255."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def _said_by(error: Exception, formats: tuple[str, ...]) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"not a picture of a known kind ({', '.join(formats)})"
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {MAX_PIXELS} pixels"
    return _PLAINLY.get(str(error)) or str(error) or type(error).__name__
