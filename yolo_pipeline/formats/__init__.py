"""Annotation formats. One file a format; the table below is all that the rest of the house knows of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from yolo_pipeline.classification import is_whole
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats import coco, createml, folders, roboflow, tensorflow_csv, tfrecord, via, voc, yolo
from yolo_pipeline.formats.json_files import BadJson, load_json, recognised_json
from yolo_pipeline.formats.source import Listing, ReadOptions, Source, open_source
from yolo_pipeline.nouns import Dataset, ReadReport, Skip
from yolo_pipeline.progress import Progress, silent

__all__ = ["FORMATS", "Format", "ReadOptions", "is_of_pictures", "read", "recognise"]


class Reader(Protocol):
    def __call__(self, source: Source, options: ReadOptions) -> tuple[Dataset, ReadReport]: ...


class Writer(Protocol):
    """Fills the folder `out`, which will lie at `root` in the end; gives image name -> path of its picture."""

    def __call__(
        self, dataset: Dataset, out: Path, *, root: Path | None = None, link: bool = False, progress: Progress = silent
    ) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format's functions.

    Attributes:
        recognise: whether a listing is of the format; None where content cannot tell it from another of the table.
        recognise_json: the same of what a JSON file holds, for formats that are JSON.
        recognise_last: as `recognise`, asked only where no other format of the table is recognised.
    """

    read: Reader
    write: Writer | None
    recognise: Callable[[Listing], bool] | None = None
    recognise_json: Callable[[Any], bool] | None = None
    recognise_last: Callable[[Listing], bool] | None = None


FORMATS: dict[str, Format] = {
    "voc": Format(voc.read, voc.write, voc.recognise),
    "labelimg": Format(partial(voc.read, origin=0), partial(voc.write, origin=0)),
    "yolo": Format(yolo.read, yolo.write, yolo.recognise),
    "coco": Format(coco.read, coco.write, recognise_json=coco.recognise),
    "createml": Format(createml.read, None, recognise_json=createml.recognise),
    "csv": Format(tensorflow_csv.read, None, tensorflow_csv.recognise),
    "via": Format(via.read, None, recognise_json=via.recognise),
    "tfrecord": Format(tfrecord.read, tfrecord.write, tfrecord.recognise),
    "folders": Format(folders.read, folders.write, recognise_last=folders.recognise),
}


def recognise(source: Source) -> str:
    """The name of the format of a source, by what it holds.

    Raises:
        AnnotationError: nothing is recognised, or more than one format is.
    """
    of_json = {name: entry.recognise_json for name, entry in FORMATS.items() if entry.recognise_json}
    by_json = recognised_json(source.files, of_json)
    found = [
        name
        for name, entry in FORMATS.items()
        if name in by_json or (entry.recognise and entry.recognise(source.files))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise AnnotationError(
            source.path,
            f"may be any of {', '.join(found)}",
            f"Say which: --from {found[0]}, or `format: {found[0]}` in data.yaml",
        )
    for name in source.files.with_suffix(".json"):
        try:
            load_json(source.files.root / name)
        except BadJson as error:
            raise AnnotationError(source.files.root / name, str(error), "Mend or remove it") from error
    for name, entry in FORMATS.items():
        if entry.recognise_last and entry.recognise_last(source.files):
            return name
    known = ", ".join(FORMATS)
    raise AnnotationError(source.path, "holds no annotations of a known format", f"Known formats: {known}")


def is_of_pictures(dataset: Dataset, path: Path, format: str = "auto") -> bool:
    """Whether a data set that was read from `path` has a class for each picture, and not boxes as large as pictures."""
    if not dataset.images or not all(map(is_whole, dataset.images)):
        return False
    return (recognise(open_source(path)) if format == "auto" else format) == "folders"


def read(path: Path, format: str = "auto", options: ReadOptions = ReadOptions()) -> tuple[Dataset, ReadReport]:
    """Reads a source (a folder, a zip, an annotation file) in a named format, or in the one it is recognised as."""
    source = open_source(path, options)
    try:
        return read_opened(source, format, options)
    except AnnotationError as error:
        unpacked = str(source.files.root)
        if source.files.root in (path, path.parent) or not error.where.startswith(unpacked):
            raise
        inside = error.where.removeprefix(unpacked).lstrip("/\\")
        raise type(error)(f"{path}: {inside}" if inside else path, error.reason, error.remedy) from error


def read_opened(source: Source, format: str, options: ReadOptions) -> tuple[Dataset, ReadReport]:
    name = recognise(source) if format == "auto" else format
    dataset, report = FORMATS[name].read(source, options)
    links = dict.fromkeys((*source.files.links, *source.pictures.links))
    skipped = tuple(Skip(link, "a link to a folder, which is not followed") for link in links)
    return dataset, report + ReadReport(skipped=skipped, facts=roboflow.facts(source.files, source.path.name))
