"""Feature files in the user's cache: one .npy for each draw of the pictures of a split, under its fingerprint."""

from __future__ import annotations

import io
import math
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from yolo_pipeline.files import cache_folder, forget_old

Features = npt.NDArray[np.float32]

MOST_BYTES = 4 * 2**30
"""Of the features of one training; where they are more, none are kept."""
_TYPE = "<f4"


def features_folder() -> Path:
    """Where they are kept; what was not asked for in a month is removed."""
    folder = cache_folder() / "features"
    with suppress(OSError):  # which writing will say
        folder.mkdir(parents=True, exist_ok=True)
        forget_old(folder)
    return folder


def no_room(folder: Path, size: int, missing: int) -> str:
    """Why features of `size` bytes cannot be kept, of which so many are not there yet; empty where they can."""
    if size > MOST_BYTES:
        return f"and {gigabytes(MOST_BYTES)} is the most that is kept"
    free = shutil.disk_usage(folder).free if missing and folder.is_dir() else missing
    return f"and {gigabytes(free)} are left on the disk of {folder}" if missing > free else ""


def gigabytes(size: int) -> str:
    return f"{size / 2**30:.1f} GB"


def bytes_of(shape: tuple[int, ...]) -> int:
    return math.prod(shape) * np.dtype(_TYPE).itemsize


def read(file: Path, shape: tuple[int, ...]) -> Features | None:
    """What a file holds, on the disk until it is used; None where it is not there, or not as it was written."""
    header = _header(shape)
    try:
        with open(file, "rb") as stream:
            if stream.read(len(header)) != header or file.stat().st_size != len(header) + bytes_of(shape):
                return None
        file.touch()
        return np.memmap(file, _TYPE, mode="c", offset=len(header), shape=shape)
    except OSError:
        return None


def write(file: Path, shape: tuple[int, ...], rows: Iterable[Features]) -> None:
    """Writes rows that come by and by; `file` holds all of them, or what it held.

    Raises:
        OSError: the disk is full, or may not be written.
    """
    beside = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as stream:
            stream.write(_header(shape))
            for some in rows:
                stream.write(some.astype(_TYPE, copy=False).tobytes())
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _header(shape: tuple[int, ...]) -> bytes:
    """The first bytes of a .npy file."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": _TYPE, "fortran_order": False, "shape": shape})
    return header.getvalue()
