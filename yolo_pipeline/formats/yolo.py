"""YOLO folders, from YOLOv5 to today: pictures, one .txt of `class cx cy width height` rows each, and data.yaml.

Rows are fractions of the upright picture. A missing or empty label file is background, by this format's convention.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.files import write_text
from yolo_pipeline.formats.files import (
    Notebook,
    distinct_stems,
    image_record,
    once,
    place_picture,
    rounded_box,
    settle_box,
)
from yolo_pipeline.formats.source import Listing, ReadOptions, Source, folder_of, same_split, split_of_folder, stem_of
from yolo_pipeline.formats.yolo_config import (
    NAME_LISTS,
    class_names,
    config_file,
    parents_of,
    read_config,
    split_folders,
)
from yolo_pipeline.nouns import SPLITS, Box, Change, Dataset, ImageRecord, ReadReport, Skip, Split, Truth
from yolo_pipeline.progress import Progress, silent

_OTHER_TEXTS = ("classes", "readme", "license", "source", "train.txt", "val.txt", "valid.txt", "test.txt")
_MOST_UNNAMED_CLASSES = 10_000
_NO_VAL = "# There is no val split. Ultralytics wants one named: this one says train, whose scores flatter.\n"
_LARGEST_FRACTION = 2.0  # a box further out was not meant as a fraction
_NO_YOLO = "Name the folder with labels and data.yaml; for annotations in another format, leave `format` out"


def read(source: Source, options: ReadOptions = ReadOptions()) -> tuple[Dataset, ReadReport]:
    """Reads a folder in YOLO layout; polygons become their boxes, counted in the notes.

    Class names come from data.yaml, classes.txt or obj.names; without any, the numbers are the names. Splits come
    from data.yaml where its folders exist, else from folder names. Paths of data.yaml that leave the source are not
    followed, nothing it says is run, and label caches are not opened.

    Raises:
        AnnotationError: no picture, broken data.yaml or label rows (all files are named).
    """
    listing, pictures = source.files, source.pictures
    source.require_pictures()
    notebook = Notebook()
    config = read_config(listing)
    names = class_names(listing, config)
    folders = split_folders(listing, config, notebook)
    labels = {name: name for name in listing.with_suffix(".txt")}
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in labels if options.images is not None else ():
        by_stem[stem_of(name)].append(name)
    reader = _FileReader(pictures.root, listing.root, names, notebook)
    used: set[str] = set()
    records: list[ImageRecord] = []
    for picture in options.progress.items(pictures.pictures, "reading labels"):
        elsewhere = same_split(by_stem.get(stem_of(picture), []), folder_of(picture))
        label = labels.get(label_name(picture)) or (elsewhere[-1] if elsewhere else None)
        if label:
            used.add(label)
        if record := reader.record(picture, label, _split_of(picture, folders)):
            records.append(record)
    notebook.settle_bad(source.path, options.skip_bad)
    label_folders = {folder_of(label_name(picture)) for picture in pictures.pictures}
    for name in labels:
        if name not in used and name not in folders and folder_of(name) in label_folders and not _is_other_text(name):
            notebook.skipped.append(Skip(name, "labels without picture"))
    if not used:
        if not config and not names:
            raise AnnotationError(source.path, "holds neither label files nor class names of YOLO", _NO_YOLO)
        notebook.notes.append("no picture has a label file: every one was read as background")
    if reader.polygons:
        notebook.notes.append(f"{reader.polygons} polygons became their bounding boxes")
    if not names:
        highest = max((int(truth.label) for record in records for truth in record.truths), default=-1)
        names = tuple(str(index) for index in range(highest + 1))
        notebook.notes.append("no class names found (data.yaml, classes.txt): the class numbers are the names")
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
    """Writes OUT/images/SPLIT, OUT/labels/SPLIT and OUT/data.yaml; images without a split are `train`.

    Args:
        root: where `out` will lie in the end, for data.yaml; default: where it is.
        link: hard-link the pictures where the disk can, instead of copying them.
        place: brings the picture of a record to a path, instead of linking or copying it.

    Returns:
        name of each image record -> path of its picture below `out`.
    """
    put = place or (lambda image, target: place_picture(str(image.file), target, link))
    index = {name: number for number, name in enumerate(dataset.names)}
    placed = _file_names(dataset)
    for folder in sorted({split for split, _ in placed} | {"train"}):
        (out / "images" / folder).mkdir(parents=True, exist_ok=True)
        (out / "labels" / folder).mkdir(parents=True, exist_ok=True)
    for image, (split, stem) in progress.items(list(zip(dataset.images, placed, strict=True)), "writing data set"):
        put(image, f"{out}/images/{split}/{stem}{image.suffix}")
        rows = "".join(_row(index[truth.label], truth.box, image.width, image.height) for truth in image.truths)
        with open(f"{out}/labels/{split}/{stem}.txt", "wb", buffering=0) as file:
            file.write(rows.encode())
    write_config(dataset, out, root or out)
    return {
        image.name: f"images/{split}/{stem}{image.suffix}"
        for image, (split, stem) in zip(dataset.images, placed, strict=True)
    }


def write_config(dataset: Dataset, out: Path, root: Path) -> None:
    """Writes OUT/data.yaml for a data set that lies, or will lie, in `root`: absolute, as Ultralytics wants it."""
    config: dict[str, Any] = {"path": str(root.resolve()), "train": "images/train"}
    present = {image.split or "train" for image in dataset.images}
    config.update({split: f"images/{split}" for split in SPLITS if split in present})
    comment = "" if "val" in config else _NO_VAL
    config.setdefault("val", "images/train")
    config["names"] = dict(enumerate(dataset.names))
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    write_text(out / "data.yaml", comment + text)


def recognise(listing: Listing) -> bool:
    """Whether a folder has a data.yaml with names, a class list, or a .txt beside or parallel to a picture."""
    texts = set(listing.with_suffix(".txt"))
    return (
        bool(config_file(listing))
        or any(name.rpartition("/")[2] in NAME_LISTS for name in listing.others)
        or any(label_name(picture) in texts for picture in listing.pictures)
    )


def label_name(picture: str) -> str:
    """Where the labels of a picture lie: the last folder `images` becomes `labels`, the suffix .txt.

    Source: ultralytics 8.4.190 data/utils.py img2label_paths.
    """
    head, found, tail = f"/{picture}".rpartition("/images/")
    name = f"{head}/labels/{tail}"[1:] if found else picture
    return os.path.splitext(name)[0] + ".txt"


class _BadRow(ValueError):
    pass


@dataclass(slots=True)
class _FileReader:
    """Turns one picture and its label file into an ImageRecord, noting everything it mends."""

    root: Path
    source: Path
    names: tuple[str, ...]
    notebook: Notebook
    polygons: int = 0

    def record(self, picture: str, label: str | None, split: Split | None) -> ImageRecord | None:
        try:
            header = images.read_header(self.root / picture)
        except images.UnreadableImage as error:
            self.notebook.bad.append(Skip(picture, str(error)))
            return None
        width, height = header.upright_size
        truths: tuple[Truth, ...] = ()
        if label is not None:
            try:
                text = (self.source / label).read_text(encoding="utf-8-sig")
                truths = once(self._truths(text, label, width, height), label, self.notebook)
            except (OSError, ValueError) as error:
                self.notebook.bad.append(Skip(label, str(error)))
                return None
        return image_record(self.root, picture, header, truths, split)

    def _truths(self, text: str, label: str, width: int, height: int) -> Iterator[tuple[int, Truth]]:
        number = 0
        for line, row in enumerate(text.splitlines(), start=1):
            if not row.strip():
                continue
            number += 1
            name, corners = self._row(row.split(), line)
            if corners is None:
                self.notebook.dropped.append(Change(label, number, "no box", "a number of the row is not finite"))
                continue
            box, done = settle_box(_scale(corners, width, height), width, height)
            if box is None and max(map(abs, corners)) > _LARGEST_FRACTION:
                done[-1] = (done[-1][0], f"{done[-1][1]}; rows hold fractions: are these pixels?")
            if done:
                self.notebook.note(label, number, done, kept=box is not None)
            if box is not None:
                yield number, Truth(box, name)

    def _row(self, fields: list[str], line: int) -> tuple[str, tuple[float, float, float, float] | None]:
        """Class name and x0, y0, x1, y1 as fractions; None where a number is not finite."""
        if len(fields) != 5 and (len(fields) < 7 or len(fields) % 2 == 0):
            raise _BadRow(f"line {line}: {len(fields)} columns; a box has 5, a polygon an odd number from 7")
        try:
            number, values = float(fields[0]), [float(value) for value in fields[1:]]
        except ValueError:
            raise _BadRow(f"line {line}: not a row of numbers") from None
        classes = len(self.names) or _MOST_UNNAMED_CLASSES
        if not 0 <= number < classes or number % 1:
            raise _BadRow(f"line {line}: class {fields[0]}, but there are classes 0 to {classes - 1}")
        name = self.names[int(number)] if self.names else str(int(number))
        if not all(map(math.isfinite, values)):
            return name, None
        if len(values) > 4:
            self.polygons += 1
            xs, ys = values[0::2], values[1::2]
            return name, (min(xs), min(ys), max(xs), max(ys))
        cx, cy, w, h = values
        return name, (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)


def _scale(corners: tuple[float, float, float, float], width: int, height: int) -> Box:
    x0, y0, x1, y1 = corners
    return rounded_box(x0 * width, y0 * height, x1 * width, y1 * height)


def _row(index: int, box: Box, width: int, height: int) -> str:
    cx, cy = (box.x0 + box.x1) / 2 / width, (box.y0 + box.y1) / 2 / height
    return f"{index} {cx:.12g} {cy:.12g} {(box.x1 - box.x0) / width:.12g} {(box.y1 - box.y0) / height:.12g}\n"


def _file_names(dataset: Dataset) -> list[tuple[Split, str]]:
    """(split, stem) to write each image under. Stems differ even where case is ignored, as labels go by stem."""
    stems = distinct_stems([image.name for image in dataset.images])
    return [(image.split or "train", stem) for image, stem in zip(dataset.images, stems, strict=True)]


def _split_of(picture: str, folders: dict[str, Split]) -> Split | None:
    if picture in folders:
        return folders[picture]
    for parent in parents_of(picture):  # the nearest folder first
        if parent in folders:
            return folders[parent]
    return split_of_folder(picture)


def _is_other_text(name: str) -> bool:
    return name.rpartition("/")[2].lower().startswith(_OTHER_TEXTS)
