"""COCO JSON: one file lists pictures, categories and objects. As Roboflow and the COCO data set itself write it.

`bbox` is x, y, width, height in pixels of the upright picture, 0-based. Ids have a meaning within one file only: files
are joined by the names of classes and pictures.

Source: pycocotools 2.0.11 coco.py (keys); cocodataset.org, "Data format".
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.files import write_json
from yolo_pipeline.formats.files import (
    ROUNDING_DIGITS,
    Notebook,
    clean_label,
    distinct_stems,
    place_picture,
    rounded_box,
)
from yolo_pipeline.formats.json_files import BadJson, box_of, number, take_json
from yolo_pipeline.formats.records import Entry, Found, RecordMaker
from yolo_pipeline.formats.source import Listing, ReadOptions, Source
from yolo_pipeline.nouns import Box, Change, Dataset, ImageRecord, ReadReport, Skip
from yolo_pipeline.progress import Progress, silent

ANNOTATION_FILE = "_annotations.coco.json"
_NO_COCO = "Name a folder with COCO files; for annotations in another format, leave `format` out, or name that one"
_Id = int | str
_ID_DIGITS = 19


def read(source: Source, options: ReadOptions = ReadOptions()) -> tuple[Dataset, ReadReport]:
    """Reads every COCO file of a source, whatever it is called; a picture listed without objects is background.

    Classes come in the order of their ids in the first file, then those that later files add. The pseudo-class that
    Roboflow puts above all others is left out where no object has it. Crowds are dropped: they are no single object.

    Raises:
        AnnotationError: no COCO file, no picture, or files that cannot be read (all are named).
    """
    notebook = Notebook()
    files = list(_coco_files(source.files, notebook))
    if not files and not notebook.bad:
        raise AnnotationError(source.path, "holds no COCO JSON file", _NO_COCO)
    source.require_pictures()
    maker = RecordMaker(source, options, notebook)
    entries = [entry for file in files for entry in file.entries]
    for entry in options.progress.items(entries, "reading annotations"):
        maker.add(entry)
    return Dataset(_class_names(files, notebook), maker.finish()), notebook.report()


def write(
    dataset: Dataset, out: Path, *, root: Path | None = None, link: bool = False, progress: Progress = silent
) -> dict[str, str]:
    """Writes OUT/SPLIT/_annotations.coco.json beside the pictures of each split; images without a split lie in OUT.

    Every file lists all classes, with ids from 1 in their order.

    Args:
        root, link, progress: as in `yolo.write`; COCO files do not say where they lie.

    Returns:
        name of each image record -> path of its picture below `out`.
    """
    ids = {name: id for id, name in enumerate(dataset.names, start=1)}
    files: dict[str, _CocoWriter] = {}
    placed: dict[str, str] = {}
    stems = distinct_stems(image.name for image in dataset.images)
    for image, stem in progress.items(list(zip(dataset.images, stems, strict=True)), "writing data set"):
        folder: str = image.split or ""
        if folder not in files:
            files[folder] = _CocoWriter(dataset.names)
            (out / folder).mkdir(parents=True, exist_ok=True)
        file_name = f"{stem}{image.suffix}"
        placed[image.name] = f"{folder}/{file_name}" if folder else file_name
        place_picture(str(image.file), f"{out}/{placed[image.name]}", link)
        files[folder].add(image, file_name, ids)
    for folder, file in (files or {"": _CocoWriter(dataset.names)}).items():
        write_json(out / folder / ANNOTATION_FILE, file.content(), indent=None)
    return placed


class _BadCoco(ValueError):
    """The file is not what COCO says; the text names the key."""


@dataclass(frozen=True, slots=True)
class _Category:
    name: str
    is_pseudo: bool  # stands above all others and is no object's class


@dataclass(frozen=True, slots=True)
class _CocoFile:
    """What one file says; its categories in the order of their ids."""

    categories: dict[_Id, _Category]
    entries: list[Entry]


def _coco_files(listing: Listing, notebook: Notebook) -> Iterator[_CocoFile]:
    polygons = 0
    for name in listing.with_suffix(".json"):
        try:
            content = take_json(listing, name)
            if not recognise(content):
                notebook.notes.append(f"{name} is no COCO file: passed over")
                continue
            reader = _CocoReader(name, notebook)
            yield reader.read(content)
            polygons += reader.polygons
        except (BadJson, _BadCoco) as error:
            notebook.bad.append(Skip(name, str(error)))
    if polygons:
        notebook.notes.append(f"{polygons} polygons without a box became their bounding boxes")


def recognise(content: Any) -> bool:
    """Whether a JSON file lists pictures and categories or objects; COCO's captions are a list of neither."""
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        return False
    annotations = content.get("annotations")
    if isinstance(content.get("categories"), list):
        return True
    return isinstance(annotations, list) and (
        not annotations or any(isinstance(entry, dict) and "category_id" in entry for entry in annotations)
    )


def _class_names(files: list[_CocoFile], notebook: Notebook) -> tuple[str, ...]:
    categories = [category for file in files for category in file.categories.values()]
    names = dict.fromkeys(category.name for category in categories if not category.is_pseudo and category.name)
    pseudo = dict.fromkeys(category.name for category in categories if category.is_pseudo)
    for name in (name for name in pseudo if name not in names):
        notebook.notes.append(f"category {name!r} stands above all others and has no object: left out")
    return tuple(names)


@dataclass(slots=True)
class _CocoReader:
    """Reads one file."""

    file: str
    notebook: Notebook
    polygons: int = 0

    def read(self, content: dict[str, Any]) -> _CocoFile:
        pictures = _by_id(_list_of_dicts(content, "images"), "images")
        named = _by_id(_list_of_dicts(content, "categories"), "categories")
        annotations = _list_of_dicts(content, "annotations")
        labels = {id: _text(entry, "name", f"categories[{at}]") for id, (at, entry) in named.items()}
        objects: dict[_Id, list[Found]] = defaultdict(list)
        used: set[_Id | None] = set()
        dropped = []
        for at, annotation in enumerate(annotations, start=1):
            image_id, category_id = _id(annotation.get("image_id")), _id(annotation.get("category_id"))
            used.add(category_id)
            if image_id is None or image_id not in pictures:
                why = f"image_id {image_id!r} is no image of the file"
                dropped.append(Change(self.file, at, "no picture", why))
                continue
            objects[image_id].append(self._object(annotation, category_id, labels))
        entries = [self._entry(at, image, objects.get(id, ())) for id, (at, image) in pictures.items()]
        categories = self._categories(named, labels, used)
        self.notebook.dropped += dropped
        return _CocoFile(categories, entries)

    def _entry(self, at: int, image: dict[str, Any], objects: list[Found] | tuple[()]) -> Entry:
        file_name = _text(image, "file_name", f"images[{at}]")
        if not file_name.strip():
            raise _BadCoco(f"images[{at}].file_name: is empty")
        width, height = _length(image, "width", at), _length(image, "height", at)
        size = None if width is None or height is None else (width, height)
        return Entry(self.file, file_name, objects, size)

    def _object(self, annotation: dict[str, Any], category_id: _Id | None, labels: dict[_Id, str]) -> Found:
        if category_id is None or category_id not in labels:
            return Found("", None, f"category_id {category_id!r} is no category of {self.file}", "no class")
        label = labels[category_id]
        if annotation.get("iscrowd") in (1, "1"):
            return Found(label, None, "marked iscrowd: a crowd is no single object", "crowd")
        said = annotation.get("bbox")
        if said not in (None, []):
            box = _box(said)
            return Found(label, box, "" if box else "bbox does not hold four finite numbers")
        box = _box_around(annotation.get("segmentation"))
        self.polygons += box is not None
        return Found(label, box, "" if box else "there is neither a bbox nor a polygon")

    def _categories(
        self, named: dict[_Id, tuple[int, dict[str, Any]]], labels: dict[_Id, str], used: set[_Id | None]
    ) -> dict[_Id, _Category]:
        """The categories in the order of their ids; reports those that share a name."""
        above = Counter(name for _, entry in named.values() if isinstance(name := entry.get("supercategory"), str))
        first: dict[str, _Id] = {}
        categories: dict[_Id, _Category] = {}
        for id in sorted(named, key=lambda id: (isinstance(id, str), id if isinstance(id, int) else 0)):
            stands_above_others = len(named) > 1 and above[labels[id]] == len(named) - 1
            is_pseudo = stands_above_others and named[id][1].get("supercategory") != labels[id] and id not in used
            categories[id] = _Category(name := clean_label(labels[id]), is_pseudo)
            if not is_pseudo and first.setdefault(name, id) != id:
                self.notebook.notes.append(
                    f"{self.file}: categories {first[name]} and {id} are both named {name!r}: taken as one class"
                )
        return categories


def _list_of_dicts(content: dict[str, Any], key: str) -> list[dict[str, Any]]:
    if key not in content:
        raise _BadCoco(f"{key}: is missing")
    entries = content[key]
    if not isinstance(entries, list):
        raise _BadCoco(f"{key}: is not a list")
    for at, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise _BadCoco(f"{key}[{at}]: does not hold keys and values")
    return entries


def _by_id(entries: list[dict[str, Any]], key: str) -> dict[_Id, tuple[int, dict[str, Any]]]:
    """id -> (place in the list, entry)."""
    found: dict[_Id, tuple[int, dict[str, Any]]] = {}
    for at, entry in enumerate(entries):
        id = _id(entry.get("id"))
        if id is None:
            raise _BadCoco(f"{key}[{at}].id: is {'no whole number' if 'id' in entry else 'missing'}")
        if id in found:
            raise _BadCoco(f"{key}[{at}].id: {id!r} is that of {key}[{found[id][0]}], too")
        found[id] = (at, entry)
    return found


def _id(value: Any) -> _Id | None:
    """An id as it is joined by: 7, 7.0 and "7" are one, as some tools write it as a text here and a number there."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() and len(value) < _ID_DIGITS else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(entry: dict[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise _BadCoco(f"{where}.{key}: is {'not a text' if key in entry else 'missing'}")
    return value


def _length(image: dict[str, Any], key: str, at: int) -> float | None:
    """A width or height in pixels; None where the file does not say it."""
    value = image.get(key)
    if value is None:
        return None
    length = number(value)
    if length is None:
        raise _BadCoco(f"images[{at}].{key}: is not a number")
    return length


def _box(said: Any) -> Box | None:
    """The box that a `bbox` of x, y, width, height says, if these are four finite numbers."""
    values = box_of(said)
    if values is None:
        return None
    x, y, width, height = values.x0, values.y0, values.x1, values.y1
    box = rounded_box(x, y, x + width, y + height)
    return box if math.isfinite(box.x1) and math.isfinite(box.y1) else None


def _box_around(segmentation: Any) -> Box | None:
    """The box around the polygons of an object, each a list of x, y, x, y, ...; None for other masks."""
    if not isinstance(segmentation, list) or not segmentation:
        return None
    xs: list[float] = []
    ys: list[float] = []
    for polygon in segmentation:
        points = [number(value) for value in polygon] if isinstance(polygon, list) else []
        finite = [value for value in points if value is not None]
        if len(points) < 6 or len(points) % 2 or len(finite) < len(points):
            return None
        xs += finite[0::2]
        ys += finite[1::2]
    return rounded_box(min(xs), min(ys), max(xs), max(ys))


@dataclass(slots=True)
class _CocoWriter:
    """Gathers what one file will hold."""

    names: tuple[str, ...]
    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)

    def add(self, image: ImageRecord, file_name: str, ids: dict[str, int]) -> None:
        image_id = len(self.images) + 1
        size = {"width": image.width, "height": image.height}
        self.images.append({"id": image_id, "file_name": file_name, **size})
        for truth in image.truths:
            box = truth.box
            annotation = {
                "id": len(self.annotations) + 1,
                "image_id": image_id,
                "category_id": ids[truth.label],
                "bbox": [_pixels(value) for value in (box.x0, box.y0, box.width, box.height)],
                "area": _pixels(box.width * box.height),
                "iscrowd": 0,
                "segmentation": [],
            }
            self.annotations.append(annotation)

    def content(self) -> dict[str, Any]:
        categories = [{"id": id, "name": name} for id, name in enumerate(self.names, start=1)]
        return {"categories": categories, "images": self.images, "annotations": self.annotations}


def _pixels(value: float) -> float | int:
    rounded = round(float(value), ROUNDING_DIGITS)
    return int(rounded) if rounded.is_integer() else rounded
