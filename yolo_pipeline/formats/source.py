"""What a reader is given: the files of a source, listed once, and the pictures that its annotations may mean."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.archive import is_archive, unpacked
from yolo_pipeline.nouns import Split
from yolo_pipeline.progress import Progress, silent

_RECORD_FILE = re.compile(r".*\.(tf)?records?(-\d+-of-\d+)?", re.IGNORECASE)
_ANNOTATION_SUFFIXES = frozenset({".json", ".csv"})
_TEXT_SUFFIXES = frozenset(
    {".xml", ".txt", ".json", ".yaml", ".yml", ".csv", ".md", ".names", ".cache", ".npy", ".zip", ".pbtxt"}
)
_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
}  # fmt: skip
_FOLDERS_ABOVE_SPLITS = frozenset({"images", "jpegimages", "labels", "annotations", "dataset", "data"})


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a source.

    Attributes:
        images: folder of the pictures where they do not lie with the annotations.
        unlabelled: what a picture without annotation file is (formats in which that is not background already).
        difficult: what to do with objects marked `difficult`.
        label_key: the attribute that holds the class name, in formats in which it may be any (VIA).
        skip_bad: leave unreadable files out and list them, instead of stopping.
    """

    images: Path | None = None
    unlabelled: Literal["skip", "background"] = "skip"
    difficult: Literal["keep", "drop"] = "keep"
    label_key: str | None = None
    skip_bad: bool = False
    progress: Progress = silent


@dataclass(frozen=True, slots=True)
class Listing:
    """The files below a folder as sorted relative names with `/`, split into pictures and others.

    Attributes:
        links: links to folders, which were not followed.
        parsed: what JSON files hold, between recognising and reading: see `json_files`.
    """

    root: Path
    pictures: tuple[str, ...]
    others: tuple[str, ...]
    links: tuple[str, ...] = ()
    parsed: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def with_suffix(self, *suffixes: str) -> list[str]:
        return [name for name in self.others if name.lower().endswith(suffixes)]

    def records(self) -> list[str]:
        """The TFRecord files, which are known by their names: `train.record`, `x.tfrecord-00000-of-00010`."""
        return [name for name in self.others if is_record_file(name)]


@dataclass(frozen=True, slots=True)
class Source:
    """A folder, an archive or a single annotation file, opened.

    Attributes:
        path: what the user named; errors speak of it.
        files: the annotation files, and the pictures with them.
        pictures: where the pictures are: `files`, or the listing of `ReadOptions.images`.
    """

    path: Path
    files: Listing
    pictures: Listing

    def require_pictures(self) -> None:
        if not self.pictures.pictures:
            remedy = "Put the pictures there, or name their folder (images)"
            raise AnnotationError(self.pictures.root, "holds no picture", remedy)


def open_source(path: Path, options: ReadOptions = ReadOptions()) -> Source:
    """Lists a source.

    Raises:
        AnnotationError: there is nothing, or neither a folder nor a file that can be a source; an unsafe archive.
    """
    files = _listing_of(path, options.progress)
    if options.images is None:
        return Source(path, files, files)
    require_folder(options.images)
    return Source(path, files, list_files(options.images))


def _listing_of(path: Path, progress: Progress) -> Listing:
    if path.is_dir():
        return list_files(path)
    if path.is_file() and is_archive(path):
        return list_files(unpacked(path, progress))
    if path.is_file() and (path.suffix.lower() in _ANNOTATION_SUFFIXES or is_record_file(path.name)):
        around = list_files(path.parent)
        maps = tuple(name for name in around.with_suffix(".pbtxt") if "/" not in name)
        return Listing(path.parent, around.pictures, (path.name, *maps), around.links)
    if path.exists():
        remedy = "Name a folder of pictures and annotations, a zip of one, or a .json, .csv or .record file"
        raise AnnotationError(path, "is a file that cannot be a source", remedy)
    raise AnnotationError(path, "there is no such folder or file", "Check the path")


def list_files(root: Path) -> Listing:
    """All files below `root`, sorted. Hidden files are passed over; links to folders are named, not followed.

    Raises:
        AnnotationError: a folder that cannot be listed.
    """
    pictures: list[str] = []
    others: list[str] = []
    links: list[str] = []
    for folder, folders, files in os.walk(root, onerror=_refuse):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__MACOSX")))
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if below == "." else below + "/"
        links += [prefix + name for name in folders if os.path.islink(os.path.join(folder, name))]
        for file in files:
            if not file.startswith("."):
                (pictures if _is_picture(folder, file) else others).append(prefix + file)
    return Listing(root, tuple(sorted(pictures)), tuple(sorted(others)), tuple(sorted(links)))


def _refuse(error: OSError) -> None:
    where = os.fsdecode(error.filename)
    raise AnnotationError(
        where, f"cannot be listed ({error.strerror})", "Mend its permissions, or take it out"
    ) from error


def _is_picture(folder: str, file: str) -> bool:
    suffix = os.path.splitext(file)[1].lower()
    if suffix in images.PICTURE_SUFFIXES:
        return True
    return suffix not in _TEXT_SUFFIXES and images.looks_like_picture(Path(folder, file))


def is_record_file(name: str) -> bool:
    return _RECORD_FILE.fullmatch(name) is not None


def require_folder(folder: Path) -> None:
    if not folder.exists():
        raise AnnotationError(folder, "there is no such folder", "Check the path")
    if not folder.is_dir():
        raise AnnotationError(folder, "is a file", "Name the folder that holds the pictures and annotations")


@dataclass(slots=True)
class PictureIndex:
    """Finds the picture that an annotation file means by a name in it.

    Such names are somebody else's paths, with `\\`, in decomposed Unicode, with another suffix: the longest end of
    one that is really there counts. Nothing outside the listing can be found, and only a whole path leads from one
    split's folder to another's: `3.jpg` in `train/labels.json` is never `test/3.jpg`.
    """

    pictures: Listing
    _exact: dict[str, str] = field(init=False)
    _by_name: dict[str, list[str]] = field(init=False)
    _by_stem: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._exact = {composed(name): name for name in self.pictures.pictures}
        self._by_name, self._by_stem = defaultdict(list), defaultdict(list)
        for name in self.pictures.pictures:
            self._by_name[composed(name.rpartition("/")[2])].append(name)
            self._by_stem[stem_of(name)].append(name)

    def find(self, said: str, folder: str = "") -> list[str]:
        """The pictures that `said`, in an annotation file of `folder`, may mean; one if it is clear, none if none."""
        written = composed(said)
        said = written.replace("\\", "/").strip()
        for name in (written, said):
            for exact in (posixpath.normpath(posixpath.join(folder, name)), name):
                if exact in self._exact:
                    return [self._exact[exact]]
        found = same_split(self._by_name.get(said.rpartition("/")[2], []), folder) or same_split(
            self._by_stem.get(stem_of(said), []), folder
        )
        if len(found) > 1:
            found = _longest_common_end(found, f"{folder}/{said}")
        if len(found) > 1:
            found = [name for name in found if folder and name.startswith(folder + "/")] or found
        return found


def _longest_common_end(names: list[str], said: str) -> list[str]:
    def common(name: str) -> int:
        pairs = zip(reversed(composed(name).split("/")[:-1]), reversed(said.split("/")[:-1]), strict=False)
        return next((depth for depth, (a, b) in enumerate(pairs) if a != b), name.count("/"))

    longest = max(map(common, names))
    return [name for name in names if common(name) == longest]


def composed(name: str) -> str:
    """Composed Unicode: macOS stores Korean names decomposed; the same name typed elsewhere is composed."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def stem_of(name: str) -> str:
    """File name without folder and suffix, in composed Unicode: what pictures and annotations are paired by."""
    return composed(os.path.splitext(name.rpartition("/")[2])[0])


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def split_of_folder(name: str) -> Split | None:
    """The split that the first folder of a relative name stands for, below such as `images` (`valid/x.jpg` -> val)."""
    return _SPLIT_FOLDERS.get(split_folder(name).rpartition("/")[2].lower())


def split_folder(name: str) -> str:
    """The folder of a split that a relative name lies in (`images/train/1/x.jpg` -> images/train); empty if none."""
    parts = name.split("/")[:-1]
    for depth, part in enumerate(map(str.lower, parts), start=1):
        if part in _SPLIT_FOLDERS:
            return "/".join(parts[:depth])
        if part not in _FOLDERS_ABOVE_SPLITS:
            break
    return ""


def same_split(pictures: list[str], folder: str) -> list[str]:
    """The pictures that do not lie in another split's folder than `folder` does."""
    split = split_of_folder(f"{folder}/")
    return [name for name in pictures if split_of_folder(name) in (split, None)] if split else pictures


def split_of_file(name: str) -> Split | None:
    """The split that an annotation file is of: by its first folder, else by a word of its name (`train_labels.csv`)."""
    words = re.split(r"[^a-z]+", stem_of(name).lower())
    named = {split for word in words if (split := _SPLIT_FOLDERS.get(word)) is not None}
    return split_of_folder(name) or (named.pop() if len(named) == 1 else None)
