"""Folders by class: SPLIT/CLASS/PICTURE, or CLASS/PICTURE. What a picture shows is said by the folder it lies in."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yolo_pipeline import images
from yolo_pipeline.classification import is_whole, whole
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.files import write_json
from yolo_pipeline.formats.files import Notebook, clean_label, distinct_stems, image_record, place_picture
from yolo_pipeline.formats.folder_names import HIDDEN, class_folders
from yolo_pipeline.formats.json_files import BadJson, load_json
from yolo_pipeline.formats.source import (
    Listing,
    ReadOptions,
    Source,
    composed,
    folder_of,
    split_folder,
    split_of_folder,
)
from yolo_pipeline.nouns import Change, Dataset, ImageRecord, ReadReport, Skip
from yolo_pipeline.progress import Progress, silent

CLASSES = "classes.json"
"""Beside the folders: the name of each folder -> its class, in the order of the classes. It may be absent."""

_OURS = (CLASSES, "build.json")
_MOST_SAID = 10_000  # classes in one file
_NAMED = 5


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where class folders lie in a listing.

    Attributes:
        top: what all pictures lie below, with `/`, as where an archive holds one folder; empty if there is none.
        in_splits: whether class folders lie in folders of splits, rather than in `top` itself.
    """

    top: str
    in_splits: bool

    def base(self, picture: str) -> str | None:
        """The folder that holds the class folders, with `/`; None where a picture lies in no split, but others do."""
        if not self.in_splits:
            return self.top
        split = split_folder(picture[len(self.top) :])
        return f"{self.top}{split}/" if split else None

    def class_folder(self, picture: str) -> str | None:
        """The path of a picture's class folder; None where it lies in none."""
        if (base := self.base(picture)) is None:
            return None
        folder, slash, _ = picture[len(base) :].partition("/")
        return base + folder if slash else None


def read(source: Source, options: ReadOptions = ReadOptions()) -> tuple[Dataset, ReadReport]:
    """Reads a folder of class folders; pictures at any depth below one are of that class.

    Classes are in the order of classes.json, where it is there, else in that of numbers, if all are numbers, else
    sorted by name.

    Raises:
        AnnotationError: no picture in a class folder, class folders without a picture, a broken classes.json, or
            pictures that cannot be read (all are named).
    """
    source.require_pictures()
    listing, notebook = source.pictures, Notebook()
    layout = _layout(listing.pictures)
    said = _said_classes(listing, layout, notebook)
    folders = {picture: layout.class_folder(picture) for picture in listing.pictures}
    found = {folder for folder in folders.values() if folder is not None}
    if not found:
        remedy = "Put each picture into a folder named after its class, as in train/cat/1.jpg"
        raise AnnotationError(source.path, "no picture lies in a folder of its class", remedy)
    _refuse_empty(source, layout, found, said)
    labels = {folder: _label(folder, said, notebook) for folder in sorted(found)}
    records = []
    for picture, folder in options.progress.items(list(folders.items()), "reading pictures"):
        if folder is None or not labels[folder]:
            why = "lies in no folder of a class" if folder is None else "the name of its folder is no name of a class"
            notebook.skipped.append(Skip(picture, why))
        elif (record := _record(listing.root, picture, labels[folder], layout, notebook)) is not None:
            records.append(record)
    notebook.settle_bad(source.path, options.skip_bad)
    others = {record.truths[0].label for record in records} - set(said.values())
    names = tuple(dict.fromkeys([*said.values(), *_in_order(others)]))
    return Dataset(names, tuple(records)), notebook.report()


def write(
    dataset: Dataset,
    out: Path,
    *,
    root: Path | None = None,
    link: bool = False,
    place: Callable[[ImageRecord, str], None] | None = None,
    progress: Progress = silent,
) -> dict[str, str]:
    """Writes OUT/SPLIT/CLASS/PICTURE and OUT/classes.json; without SPLIT where no image has one, else None is train.

    Each split has a folder of every class, so that programs that number folders (torchvision's ImageFolder) give a
    class one number in all of them.

    Args:
        root, link, place, progress: as in `yolo.write`.

    Returns:
        name of each image record -> path of its picture below `out`.

    Raises:
        DataError: pictures with boxes, or of no class.
    """
    _refuse_boxes(dataset, root or out)
    put = place or (lambda image, target: place_picture(str(image.file), target, link))
    splits = {f"{image.split or 'train'}/" for image in dataset.images} if _has_splits(dataset) else {""}
    like_splits = (name for name in dataset.names if splits == {""} and split_of_folder(f"{name}/"))
    folders = class_folders(dataset.names, reserved=(*_OURS, *like_splits))
    for folder in (f"{split}{name}" for split in sorted(splits) for name in folders.values()):
        (out / folder).mkdir(parents=True, exist_ok=True)
    placed = _placed(dataset, folders)
    for image in progress.items(dataset.images, "writing data set"):
        put(image, f"{out}/{placed[image.name]}")
    write_json(out / CLASSES, {folder: name for name, folder in folders.items()})
    return placed


def recognise(listing: Listing) -> bool:
    """Whether most pictures lie in the folders of two classes or more, and no file looks like annotations of them."""
    told = (*listing.with_suffix(".xml", ".json"), *listing.records())
    if any(name.rpartition("/")[2] not in _OURS for name in told):
        return False
    layout = _layout(listing.pictures)
    folders = [folder for picture in listing.pictures if (folder := layout.class_folder(picture)) is not None]
    classes = {folder.rpartition("/")[2] for folder in folders}
    return len(classes) > 1 and 2 * len(folders) > len(listing.pictures)


def _in_order(labels: Iterable[str]) -> list[str]:
    """Numbers by their value, where all are numbers; else by name."""
    labels = sorted(labels)
    return sorted(labels, key=int) if all(map(str.isdecimal, labels)) else labels


def _layout(pictures: Sequence[str]) -> _Layout:
    top = _top(pictures)
    below = [picture[len(top) :] for picture in pictures]
    splits = [split_folder(name) for name in below]
    above_classes = any(split and "/" in name[len(split) + 1 :] for name, split in zip(below, splits, strict=True))
    return _Layout(top, in_splits=above_classes or all(splits))


def _top(pictures: Sequence[str]) -> str:
    """The folders that all pictures lie below, with `/`: as far as none is of a split, and one is left for the class.

    Args:
        pictures: sorted, so that what the first and the last begin with, all begin with.
    """
    ends = [folder_of(name) for name in (*pictures[:1], *pictures[-1:])]
    common = [name for name in (posixpath.commonpath(ends) if ends else "").split("/") if name]
    if common and any(name.count("/") == len(common) for name in pictures):
        common = common[:-1]
    split = next((n for n, name in enumerate(common) if split_of_folder(f"{name}/")), len(common))
    return "".join(f"{name}/" for name in common[:split])


def _said_classes(listing: Listing, layout: _Layout, notebook: Notebook) -> dict[str, str]:
    """Folder name, composed -> class as classes.json says it; nothing where it is not there, or says something else."""
    file = listing.root / f"{layout.top}{CLASSES}"
    if f"{layout.top}{CLASSES}" not in listing.others:
        return {}
    try:
        said = load_json(file)
    except BadJson as error:
        raise AnnotationError(
            file, str(error), "Mend it, or remove it: folders are named after classes then"
        ) from error
    usable = isinstance(said, dict) and 0 < len(said) <= _MOST_SAID
    if not usable or not all(isinstance(name, str) and clean_label(name) for name in said.values()):
        notebook.notes.append(f"{CLASSES} does not say which folder is of which class, and was not used")
        return {}
    return {composed(folder): clean_label(name) for folder, name in said.items()}


def _label(folder: str, said: Mapping[str, str], notebook: Notebook) -> str:
    name = folder.rpartition("/")[2]
    label = said.get(composed(name)) or clean_label(name)
    if label and composed(name) not in said and label != composed(name):
        notebook.fixed.append(Change(folder, 0, "label", f"{name!r} read as {label!r}"))
    return label


def _record(root: Path, picture: str, label: str, layout: _Layout, notebook: Notebook) -> ImageRecord | None:
    try:
        header = images.read_header(root / picture)
    except images.UnreadableImage as error:
        notebook.bad.append(Skip(picture, str(error)))
        return None
    split = split_of_folder(picture[len(layout.top) :]) if layout.in_splits else None
    return image_record(root, picture, header, (whole(label, *header.upright_size),), split)


def _refuse_empty(source: Source, layout: _Layout, found: set[str], said: Mapping[str, str]) -> None:
    """
    Raises:
        AnnotationError: class folders that hold no picture, but for those of classes.json, which may have none.
    """
    listing = source.pictures
    bases = {base for picture in listing.pictures if (base := layout.base(picture)) is not None}
    for parent in {base.rstrip("/").rpartition("/")[0] for base in bases} if layout.in_splits else ():
        prefix = f"{parent}/" if parent else ""
        bases |= {f"{prefix}{name}/" for name in _subfolders(listing.root / parent) if split_of_folder(f"{name}/")}
    there = {f"{base}{name}": name for base in bases for name in _subfolders(listing.root / base)}
    empty = sorted(folder for folder, name in there.items() if folder not in found and composed(name) not in said)
    if empty:
        reason = f"{len(empty)} folder{'s' * (len(empty) > 1)} of a class without a picture: {', '.join(empty)}"
        raise AnnotationError(source.path, reason, "Put pictures of the class there, or remove the folder")


def _subfolders(folder: Path) -> list[str]:
    """Names of the folders in a folder that listings look into."""
    return [
        child.name
        for child in (folder.iterdir() if folder.is_dir() else ())
        if child.is_dir() and not child.is_symlink() and not child.name.startswith(HIDDEN)
    ]


def _refuse_boxes(dataset: Dataset, where: Path) -> None:
    others = [image.name for image in dataset.images if not is_whole(image)]
    if others:
        named = ", ".join(others[:_NAMED]) + " …" * (len(others) > _NAMED)
        reason = f"folders by class hold one class a picture; {len(others)} have boxes, or no class: {named}"
        remedy = "Choose another format; an attempt of `track: classify` makes pictures of boxes (`crops_of`)"
        raise DataError(where, reason, remedy)


def _has_splits(dataset: Dataset) -> bool:
    return any(image.split is not None for image in dataset.images)


def _placed(dataset: Dataset, folders: Mapping[str, str]) -> dict[str, str]:
    """Name of each image record -> where its picture goes; stems differ within a folder, whatever the disk."""
    split = "{}/" if _has_splits(dataset) else ""
    by_folder: dict[str, list[ImageRecord]] = defaultdict(list)
    for image in dataset.images:
        by_folder[split.format(image.split or "train") + folders[image.truths[0].label]].append(image)
    stems = {
        image.name: f"{folder}/{stem}"
        for folder, held in by_folder.items()
        for image, stem in zip(held, distinct_stems(image.name for image in held), strict=True)
    }
    return {image.name: f"{stems[image.name]}{image.suffix}" for image in dataset.images}
