"""TFRecord files -> image records. Imported late, as protobuf takes its time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.files import Notebook, clean_label, group_of, once, settle_box
from yolo_pipeline.formats.label_map import BadLabelMap, Item, read_label_map
from yolo_pipeline.formats.source import Listing, ReadOptions, Source, split_folder, split_of_file, stem_of
from yolo_pipeline.formats.tfrecord_files import BadRecord, Example, Frame, frames
from yolo_pipeline.formats.tfrecord_pictures import safe_name, unpack_pictures
from yolo_pipeline.geometry import turn_box
from yolo_pipeline.nouns import Box, Change, Dataset, ImageRecord, ReadReport, Skip, Truth

T = TypeVar("T")

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_DIGITS = 3
_TURNED_ALIKE = 1e-9  # pixels; what subtracting from the width does to a number of three decimals is far less


@dataclass(frozen=True, slots=True)
class _Object:
    """One object as a record says it; `corners` are fractions: xmin, ymin, xmax, ymax."""

    corners: tuple[float, float, float, float]
    text: str
    id: int | None
    is_difficult: bool
    is_crowd: bool


@dataclass(frozen=True, slots=True)
class _Record:
    """What one record says of its picture. `name` is as written, `size` (width, height) or None."""

    number: int
    name: str
    size: tuple[int, int] | None
    objects: tuple[_Object, ...]


@dataclass(slots=True)
class _Classes:
    """Gives every object its class: its text, else what the label map says of its number."""

    by_id: dict[int, str]
    disagreements: list[str] = field(default_factory=list)

    def label(self, found: _Object) -> tuple[str, str]:
        """The class as written, and why there is none."""
        mapped = "" if found.id is None else self.by_id.get(found.id, "")
        if not clean_label(found.text):
            return mapped, "" if mapped else f"it has no text, and number {found.id} is not in the label map"
        if mapped and mapped != clean_label(found.text):
            self.disagreements.append(f"{found.id} is {mapped!r} in the label map, {found.text!r} in a record")
        return found.text, ""

    def names(self, found: Iterable[str]) -> tuple[str, ...]:
        """All classes: those of the label map by number, then others that occur."""
        return tuple(dict.fromkeys([*self.by_id.values(), *sorted(set(found))]))


def read_records(source: Source, options: ReadOptions) -> tuple[Dataset, ReadReport]:
    """What `tfrecord.read` gives, of a source with record files."""
    notebook = Notebook()
    names = source.files.records()
    found = {name: list(_records(source.files, name, notebook)) for name in names}
    classes = _classes(source, options, notebook, [record for records in found.values() for record in records])
    folders = _folders(names)
    reader = _RecordReader(options, classes, notebook)
    made: list[ImageRecord] = []
    for name in options.progress.items(names, "reading records"):
        made += reader.file(source.files.root / name, name, folders[name], found[name])
    notebook.settle_bad(source.path, options.skip_bad)
    if not made:
        raise AnnotationError(source.path, "its record files hold no picture", "Check that they are whole")
    _note_rest(source, classes, notebook)
    labels = (truth.label for image in made for truth in image.truths)
    return Dataset(classes.names(labels), tuple(made)), notebook.report()


def _note_rest(source: Source, classes: _Classes, notebook: Notebook) -> None:
    if classes.disagreements:
        count, first = len(classes.disagreements), classes.disagreements[0]
        notebook.notes.append(
            f"{count} objects have another class in the label map than by their text, which counts: {first}"
        )
    if source.files.pictures:
        notebook.notes.append(
            f"{len(source.files.pictures)} pictures beside the record files are no part of them: passed over"
        )


def _records(listing: Listing, name: str, notebook: Notebook) -> Iterator[_Record]:
    try:
        for frame in frames(listing.root / name):
            try:
                yield _record(frame)
            except BadRecord as error:
                notebook.bad.append(Skip(f"{name}: record {frame.number}", str(error)))
    except OSError as error:
        notebook.bad.append(Skip(name, error.strerror or str(error)))


def _record(frame: Frame) -> _Record:
    if frame.fault:
        raise BadRecord(frame.fault)
    example = Example(frame.data)
    example.picture()
    names = example.texts("image/filename")
    width, height = example.integers("image/width")[:1], example.integers("image/height")[:1]
    size = (width[0], height[0]) if width and height else None
    return _Record(frame.number, _text(names[0]) if names else "", size, tuple(_objects(example)))


def _objects(example: Example) -> Iterator[_Object]:
    corners = [example.floats(f"image/object/bbox/{corner}") for corner in _CORNERS]
    count = len(corners[0])
    if any(len(values) != count for values in corners):
        raise BadRecord(f"its boxes have {', '.join(f'{len(v)} {c}' for c, v in zip(_CORNERS, corners, strict=True))}")
    texts = _of_each(example.texts("image/object/class/text"), b"", count, "class/text")
    ids = _of_each(example.integers("image/object/class/label"), None, count, "class/label")
    difficult = _of_each(example.integers("image/object/difficult"), 0, count, "difficult")
    crowds = _of_each(example.integers("image/object/is_crowd"), 0, count, "is_crowd")
    boxes = zip(*corners, strict=True)
    for (xmin, ymin, xmax, ymax), text, id, is_difficult, is_crowd in zip(
        boxes, texts, ids, difficult, crowds, strict=True
    ):
        yield _Object((xmin, ymin, xmax, ymax), _text(text), id, bool(is_difficult), bool(is_crowd))


def _of_each(values: Sequence[T], default: T, count: int, key: str) -> Sequence[T]:
    """One value an object; `default` for all where the record has none."""
    if values and len(values) != count:
        raise BadRecord(f"{len(values)} values of image/object/{key} for {count} boxes")
    return values or [default] * count


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _classes(source: Source, options: ReadOptions, notebook: Notebook, records: Sequence[_Record]) -> _Classes:
    """The classes of a source's label maps.

    Raises:
        AnnotationError: there is no label map, but an object that has a number alone.
    """
    objects = [found for record in records for found in record.objects]
    texts = {clean_label(found.text) for found in objects}
    items = _label_map_items(source.files, notebook)
    if not items and any(not clean_label(found.text) and found.id is not None for found in objects):
        notebook.settle_bad(source.path, options.skip_bad)  # where it is the label map that cannot be read
        remedy = "Put their label map (.pbtxt) beside the record files"
        raise AnnotationError(source.path, "its objects have numbers for classes, and there is no label map", remedy)
    return _Classes({item.id: _class_name(item, texts) for item in items})


def _label_map_items(listing: Listing, notebook: Notebook) -> list[Item]:
    """The items of all label maps by number. Two maps that give one number to two classes are a fault."""
    items: dict[int, Item] = {}
    first: dict[int, str] = {}
    for name in listing.with_suffix(".pbtxt"):
        try:
            for item in read_label_map(listing.root / name):
                if items.setdefault(item.id, item) != item:
                    raise BadLabelMap(f"{item.id} is another class in {first[item.id]}; keep the right one of them")
                first.setdefault(item.id, name)
        except BadLabelMap as error:
            notebook.bad.append(Skip(name, str(error)))
    return [item for _, item in sorted(items.items())]


def _class_name(item: Item, texts: set[str]) -> str:
    """Some maps have a code for the name, and records say the name to show: what records say counts."""
    shown = item.display_name and (not item.name or (item.display_name in texts and item.name not in texts))
    return item.display_name if shown else item.name


def _folders(names: Sequence[str]) -> dict[str, str]:
    """Record file -> folder under which its pictures are named: its split's, or its stem; else its whole name."""
    short = {name: split_folder(name) or stem_of(name) for name in names}
    return short if len(set(short.values())) == len(names) else {name: name for name in names}


@dataclass(slots=True)
class _RecordReader:
    """Turns what records say, and their pictures, into image records, noting everything it mends."""

    options: ReadOptions
    classes: _Classes
    notebook: Notebook

    def file(self, file: Path, name: str, folder: str, records: Sequence[_Record]) -> Iterator[ImageRecord]:
        said = {record.number: safe_name(record.name) for record in records}
        try:
            pictures = unpack_pictures(file, said)
        except OSError as error:
            self.notebook.bad.append(Skip(name, error.strerror or str(error)))
            return
        for record in records:
            try:
                header = images.read_header(pictures[record.number])
            except images.UnreadableImage as error:
                self.notebook.bad.append(Skip(f"{name}: record {record.number}", str(error)))
                continue
            unpacked = pictures[record.number]
            picture = f"{folder}/{unpacked.name}"
            truths = once(self._truths(picture, record, header), picture, self.notebook)
            width, height = header.upright_size
            group, split = group_of(said[record.number]), split_of_file(name)
            yield ImageRecord(unpacked, picture, width, height, unpacked.suffix, truths, group, split)

    def _truths(self, picture: str, record: _Record, header: images.Header) -> Iterator[tuple[int, Truth]]:
        turned = self.notebook.check_size(picture, "the record", record.size, header, stored_axes=True)
        for number, found in enumerate(record.objects, start=1):
            label = self._label(picture, number, found)
            if not label or not self._is_wanted(picture, number, found):
                continue
            if not all(map(math.isfinite, found.corners)):
                self.notebook.dropped.append(Change(picture, number, "no box", "a corner is not a finite number"))
                continue
            box, done = settle_box(_pixels(found.corners, header, turned), *header.upright_size)
            if done:
                self.notebook.note(picture, number, done, kept=box is not None)
            if box is not None:
                yield number, Truth(box, label)

    def _label(self, picture: str, number: int, found: _Object) -> str:
        said, fault = self.classes.label(found)
        label = clean_label(said)
        if not label:
            self.notebook.dropped.append(Change(picture, number, "no class", fault))
        elif label != said:
            self.notebook.fixed.append(Change(picture, number, "label", f"{said!r} read as {label!r}"))
        return label

    def _is_wanted(self, picture: str, number: int, found: _Object) -> bool:
        if found.is_crowd:
            why = "marked is_crowd: a crowd is no single object"
            self.notebook.dropped.append(Change(picture, number, "crowd", why))
            return False
        keep = self.options.difficult == "keep"
        return not found.is_difficult or self.notebook.wants_difficult(picture, number, keep=keep)


def _pixels(corners: tuple[float, float, float, float], header: images.Header, turned: bool) -> Box:
    """The box in pixels of the upright picture; `corners` are fractions, of the stored one where it is `turned`."""
    width, height = (header.width, header.height) if turned else header.upright_size
    x0, y0, x1, y1 = (pixel(c, side) for c, side in zip(corners, (width, height) * 2, strict=True))
    if not turned:
        return Box(x0, y0, x1, y1)
    box = turn_box(Box(x0, y0, x1, y1), header.orientation, width, height)
    return Box(*(_rounded(value) for value in (box.x0, box.y0, box.x1, box.y1)))


def pixel(fraction: float, side: int) -> float:
    """The coordinate that was stored as a 32-bit `fraction` of `side` pixels.

    The number of three decimals that would be stored alike is taken for it, so that whole pixels survive.
    """
    exact = fraction * side
    near = round(exact, _DIGITS)
    return near if float(np.float32(near / side)) == fraction else exact


def _rounded(value: float) -> float:
    near = round(value, _DIGITS)
    return near if abs(near - value) < _TURNED_ALIKE else value
