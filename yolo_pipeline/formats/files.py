"""What the readers of all formats share: listing a source, pairing by stem, cleaning labels, reporting."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError, one_line
from yolo_pipeline.geometry import clip_box, order_corners
from yolo_pipeline.nouns import Box, Change, ImageRecord, ReadReport, Skip, Split, Truth
from yolo_pipeline.progress import Progress, silent

_TEXT_SUFFIXES = frozenset(
    {".xml", ".txt", ".json", ".yaml", ".yml", ".csv", ".md", ".names", ".cache", ".npy", ".zip"}
)
_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
}  # fmt: skip
_ROBOFLOW_VERSION = re.compile(r"(.+)\.rf\.[0-9A-Za-z]{16,}")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a source.

    Attributes:
        images: folder of the pictures where they do not lie with the annotations.
        unlabelled: what a picture without annotation file is (formats in which that is not background already).
        difficult: what to do with objects marked `difficult`.
        skip_bad: leave unreadable files out and list them, instead of stopping.
    """

    images: Path | None = None
    unlabelled: Literal["skip", "background"] = "skip"
    difficult: Literal["keep", "drop"] = "keep"
    skip_bad: bool = False
    progress: Progress = silent


@dataclass(slots=True)
class Notebook:
    """Collects what happens while a source is read."""

    fixed: list[Change] = field(default_factory=list)
    dropped: list[Change] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bad: list[Skip] = field(default_factory=list)

    def report(self) -> ReadReport:
        return ReadReport(
            tuple(self.fixed), tuple(self.dropped), tuple(sorted(self.skipped, key=lambda s: s.file)), tuple(self.notes)
        )

    def note(self, file: str, number: int, done: list[tuple[str, str]], *, kept: bool) -> None:
        """Notes what `settle_box` did to an object; the last of it is why an object is not kept."""
        changes = [Change(file, number, what, why) for what, why in done]
        if not kept:
            self.dropped.append(changes.pop())
        self.fixed += changes

    def settle_bad(self, source: Path, skip_bad: bool) -> None:
        """Stops with every unreadable file named, or moves them to the skipped ones."""
        if self.bad and not skip_bad:
            named = "; ".join(f"{bad.file}: {bad.why}" for bad in self.bad)
            many = f"{len(self.bad)} file{'s' * (len(self.bad) > 1)} cannot be read: {named}"
            raise AnnotationError(source, many, "Mend or remove them (`convert --skip-bad` goes on without them)")
        self.skipped += self.bad


@dataclass(frozen=True, slots=True)
class Listing:
    """The files below a folder as sorted relative names with `/`, split into pictures and others."""

    root: Path
    pictures: tuple[str, ...]
    others: tuple[str, ...]

    def with_suffix(self, suffix: str) -> list[str]:
        return [name for name in self.others if name.lower().endswith(suffix)]


def list_files(root: Path) -> Listing:
    """All files below `root`, sorted. Hidden files and links to folders are passed over."""
    pictures: list[str] = []
    others: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__MACOSX")))
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if below == "." else below + "/"
        for file in files:
            if not file.startswith("."):
                (pictures if _is_picture(folder, file) else others).append(prefix + file)
    return Listing(root, tuple(sorted(pictures)), tuple(sorted(others)))


def _is_picture(folder: str, file: str) -> bool:
    suffix = os.path.splitext(file)[1].lower()
    if suffix in images.PICTURE_SUFFIXES:
        return True
    return suffix not in _TEXT_SUFFIXES and images.looks_like_picture(Path(folder, file))


def place_picture(source: str, target: str, link: bool) -> None:
    """Hard-links a picture where the disk can, copies it where it cannot. Existing files are never replaced."""
    if link:
        try:
            os.link(os.path.realpath(source) if os.path.islink(source) else source, target)
            return
        except FileExistsError:
            raise
        except OSError:
            pass  # another disk, or one without hard links
    if os.path.lexists(target):
        raise FileExistsError(target)
    shutil.copyfile(source, target)


def require_folder(source: Path) -> None:
    if not source.exists():
        raise AnnotationError(source, "there is no such folder", "Check the path")
    if not source.is_dir():
        raise AnnotationError(source, "is a file", "Name the folder that holds the pictures and annotations")


def picture_listing(listing: Listing, options: ReadOptions) -> Listing:
    """Where the pictures of a source are: with its annotations, or below `options.images`."""
    if options.images is None:
        return listing
    require_folder(options.images)
    return list_files(options.images)


def require_pictures(pictures: Listing) -> None:
    if not pictures.pictures:
        remedy = "Put the pictures there, or name their folder (images)"
        raise AnnotationError(pictures.root, "holds no picture", remedy)


def image_record(
    root: Path, picture: str, header: images.Header, truths: tuple[Truth, ...] = (), split: Split | None = None
) -> ImageRecord:
    """The record of the picture `root/picture`, whose header was read."""
    file = root / picture
    width, height = header.upright_size
    suffix = images.trainable_suffix(file, header)
    return ImageRecord(file, picture, width, height, suffix, truths, group_of(picture), split)


def stem_of(name: str) -> str:
    """File name without folder and suffix, in composed Unicode: what pictures and annotations are paired by.

    macOS stores Korean names decomposed; the same name typed elsewhere is composed.
    """
    stem = os.path.splitext(name.rpartition("/")[2])[0]
    return stem if stem.isascii() else unicodedata.normalize("NFC", stem)


def distinct_stems(names: Iterable[str]) -> list[str]:
    """The stems of file names, numbered where two would be the same on a disk that ignores case."""
    taken: set[str] = set()
    stems = []
    for name in names:
        stem = wanted = os.path.splitext(name.rpartition("/")[2])[0]
        number = 2
        while stem.casefold() in taken:
            stem, number = f"{wanted}-{number}", number + 1
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def group_of(name: str) -> str:
    """What all versions of one photo share: Roboflow writes them as NAME.rf.HASH."""
    if ".rf." not in name:
        return ""
    match = _ROBOFLOW_VERSION.fullmatch(stem_of(name))
    return match.group(1) if match else ""


def split_of_folder(name: str) -> Split | None:
    """The split that the first folder of a relative name stands for (`valid/x.jpg` -> val)."""
    first, slash, _ = name.partition("/")
    return _SPLIT_FOLDERS.get(first.lower()) if slash else None


@lru_cache(maxsize=4096)  # thousands of objects have a handful of classes
def clean_label(label: str) -> str:
    """A class name on one line, stripped, in composed Unicode."""
    return unicodedata.normalize("NFC", one_line(label))


def settle_box(box: Box, width: int, height: int) -> tuple[Box | None, list[tuple[str, str]]]:
    """Orders the corners and clips to the picture.

    Returns:
        the box, or None when nothing of it lies in the picture; and what was done as (what, why) pairs, the last of
        which explains the None.
    """
    done: list[tuple[str, str]] = []
    if box.x0 > box.x1 or box.y0 > box.y1:
        box = order_corners(box)
        done.append(("swapped corners", f"reordered to {show_box(box)}"))
    if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
        clipped = clip_box(box, width, height)
        if clipped.width <= 0 or clipped.height <= 0:
            return None, [*done, ("outside", f"{show_box(box)} lies outside the {width}x{height} picture")]
        done.append(("clipped", f"{show_box(box)} reaches out of the {width}x{height} picture"))
        box = clipped
    if box.width <= 0 or box.height <= 0:
        return None, [*done, ("no area", f"{show_box(box)} has no area")]
    return box, done


def once(truths: Iterable[tuple[int, Truth]], file: str, notebook: Notebook) -> tuple[Truth, ...]:
    """The truths without exact repeats; `truths` come with their number in the file."""
    kept: dict[Truth, int] = {}
    for number, truth in truths:
        first = kept.setdefault(truth, number)
        if first != number:
            why = f"the same box and class as object {first}"
            notebook.dropped.append(Change(file, number, "duplicate", why))
    return tuple(kept)


def show_box(box: Box) -> str:
    return f"({box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g})"
