"""The pictures in TFRecord files, unpacked once into the user's cache under names that are safe on every disk."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from yolo_pipeline import images
from yolo_pipeline.errors import one_line
from yolo_pipeline.files import FORBIDDEN_ON_WINDOWS, WINDOWS_DEVICE
from yolo_pipeline.formats.files import distinct_stems
from yolo_pipeline.formats.tfrecord_files import Example, frames
from yolo_pipeline.formats.unpacking import unpacked_folder

_UNREADABLE = ".unreadable"
_LONGEST_NAME = 200  # bytes; disks hold 255, and a number may be added
_LONGEST_SUFFIX = 8


def unpack_pictures(file: Path, names: Mapping[int, str]) -> dict[int, Path]:
    """Record number -> file of its picture, for the records of `file` that `names` lists with their pictures' names.

    The folder is found again by the sha256 of `file` and of the names, and made anew where something of it is gone.
    What is no picture lies there, too: its header says so to whoever reads it.

    Raises:
        OSError: `file` cannot be read.
        DataError: the disk is full, or the cache cannot be written.
    """
    wanted = [names[number] or f"record-{number}" for number in names]
    stems = dict(zip(names, distinct_stems(wanted), strict=True))
    key = hashlib.sha256(f"{images.sha256(file)} {sorted(stems.items())}".encode()).hexdigest()
    folder = unpacked_folder(key, lambda building: _extract(file, stems, building))
    found = {picture.stem: picture for picture in folder.iterdir()}
    return {number: found.get(stem, folder / stem) for number, stem in stems.items()}


def safe_name(said: str) -> str:
    """The last part of a path from a stranger as a file name that every disk can hold; empty if nothing is left."""
    last = unicodedata.normalize("NFC", said.replace("\\", "/").rpartition("/")[2])
    name = FORBIDDEN_ON_WINDOWS.sub("_", one_line(last)).strip(". ")
    stem, suffix = os.path.splitext(name)
    if len(suffix) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    stem = stem.encode()[: _LONGEST_NAME - len(suffix.encode())].decode(errors="ignore")
    return f"_{stem}{suffix}" if WINDOWS_DEVICE.fullmatch(stem) else stem + suffix


def _extract(file: Path, stems: Mapping[int, str], folder: Path) -> None:
    for frame in frames(file):
        if frame.number in stems:
            picture = folder / f"{stems[frame.number]}{_UNREADABLE}"
            picture.write_bytes(Example(frame.data).picture())
            try:
                suffix = images.SUFFIXES[images.read_header(picture).format]
            except images.UnreadableImage:
                continue
            picture.rename(picture.with_suffix(suffix))
