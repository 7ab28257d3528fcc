"""The pictures in TFRecord files, unpacked once into the user's cache under names that are safe on every disk."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from yolo_pipeline import images
from yolo_pipeline.errors import one_line
from yolo_pipeline.files import cache_folder, folder_beside
from yolo_pipeline.formats.archive import forget_old
from yolo_pipeline.formats.files import distinct_stems
from yolo_pipeline.formats.tfrecord_files import Example, frames

_UNREADABLE = ".unreadable"
_LONGEST_NAME = 200  # bytes; disks hold 255, and a number may be added
_LONGEST_SUFFIX = 8
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def unpack_pictures(file: Path, names: Mapping[int, str]) -> dict[int, Path]:
    """Record number -> file of its picture, for the records of `file` that `names` lists with their pictures' names.

    The folder is found again by the sha256 of `file`, and made anew where something of it is gone. What is no
    picture lies there, too: its header says so to whoever reads it.

    Raises:
        OSError: `file` cannot be read.
        DataError: the disk is full.
    """
    folder = cache_folder() / "unpacked" / images.sha256(file)
    wanted = [names[number] or f"record-{number}" for number in names]
    stems = dict(zip(names, distinct_stems(wanted), strict=True))
    found = _by_stem(folder)
    if not found.keys() >= set(stems.values()):
        forget_old(folder.parent)
        try:
            with folder_beside(folder, replace=folder.is_dir()) as building:
                _extract(file, stems, building)
        except OSError:
            if not _by_stem(folder):  # else another run was faster
                raise
        found = _by_stem(folder)
    elif folder.is_dir():
        folder.touch()
    return {number: found.get(stem, folder / stem) for number, stem in stems.items()}


def safe_name(said: str) -> str:
    """The last part of a path from a stranger as a file name that every disk can hold; empty if nothing is left."""
    last = unicodedata.normalize("NFC", said.replace("\\", "/").rpartition("/")[2])
    name = _NOT_IN_NAMES.sub("_", one_line(last)).strip(". ")
    stem, suffix = os.path.splitext(name)
    if len(suffix) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    stem = stem.encode()[: _LONGEST_NAME - len(suffix.encode())].decode(errors="ignore")
    return f"_{stem}{suffix}" if _DEVICE.fullmatch(stem) else stem + suffix


def _by_stem(folder: Path) -> dict[str, Path]:
    return {file.stem: file for file in folder.iterdir()} if folder.is_dir() else {}


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
