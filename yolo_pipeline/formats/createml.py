"""CreateML JSON, as Apple documents it and Roboflow and LabelImg write it: a list of pictures with their objects.

`coordinates` are the centre, width and height of a box in pixels of the upright picture, 0-based.

Source: Apple's "Building an object detector data source" (keys `image`, `annotations`) and
`MLObjectDetector.AnnotationType.boundingBox` (keys `imagefilename`, `annotation`; pixels, top left, centre by default).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.files import Notebook, rounded_box
from yolo_pipeline.formats.json_files import BadJson, box_of, take_json
from yolo_pipeline.formats.records import Entry, Found, RecordMaker
from yolo_pipeline.formats.source import Listing, ReadOptions, Source
from yolo_pipeline.nouns import Box, Dataset, ReadReport, Skip

_PICTURE_KEYS = ("image", "imagefilename")
_OBJECT_KEYS = ("annotations", "annotation")
_BOX_KEYS = ("x", "y", "width", "height")
_NO_CREATEML = "Name a folder with CreateML files; for annotations in another format, leave `format` out"


def read(source: Source, options: ReadOptions = ReadOptions()) -> tuple[Dataset, ReadReport]:
    """Reads every CreateML file of a source; a picture listed without objects is background.

    Raises:
        AnnotationError: no CreateML file, no picture, or files that cannot be read (all are named).
    """
    notebook = Notebook()
    entries = list(_entries(source.files, notebook))
    if not entries and not notebook.bad:
        raise AnnotationError(source.path, "holds no CreateML JSON file", _NO_CREATEML)
    source.require_pictures()
    maker = RecordMaker(source, options, notebook)
    for entry in options.progress.items(entries, "reading annotations"):
        maker.add(entry)
    records = maker.finish()
    names = sorted({truth.label for record in records for truth in record.truths})
    return Dataset(tuple(names), records), notebook.report()


class _BadCreateml(ValueError):
    """The file is not what CreateML says; the text names the key."""


def _entries(listing: Listing, notebook: Notebook) -> Iterator[Entry]:
    for name in listing.with_suffix(".json"):
        try:
            content = take_json(listing, name)
            if recognise(content):
                yield from [_entry(name, f"[{at}]", picture) for at, picture in enumerate(content)]
            else:
                notebook.notes.append(f"{name} is no CreateML file: passed over")
        except (BadJson, _BadCreateml) as error:
            notebook.bad.append(Skip(name, str(error)))


def recognise(content: Any) -> bool:
    """Whether a JSON file is a list whose first has the keys of a picture with objects."""
    if not isinstance(content, list) or not content or not isinstance(content[0], dict):
        return False
    first = content[0]
    return _key(first, _PICTURE_KEYS) is not None and isinstance(first.get(_key(first, _OBJECT_KEYS) or ""), list)


def _entry(file: str, where: str, picture: Any) -> Entry:
    if not isinstance(picture, dict):
        raise _BadCreateml(f"{where}: does not hold keys and values")
    name_key, objects_key = _key(picture, _PICTURE_KEYS), _key(picture, _OBJECT_KEYS)
    if name_key is None:
        raise _BadCreateml(f"{where}.image: is missing")
    if objects_key is None:
        raise _BadCreateml(f"{where}.annotations: is missing")
    name, objects = picture[name_key], picture[objects_key]
    if not isinstance(name, str) or not name.strip():
        raise _BadCreateml(f"{where}.{name_key}: is not the name of a file")
    if not isinstance(objects, list):
        raise _BadCreateml(f"{where}.{objects_key}: is not a list")
    return Entry(file, name, [_found(f"{where}.{objects_key}[{at}]", said) for at, said in enumerate(objects)])


def _found(where: str, said: Any) -> Found:
    if not isinstance(said, dict):
        raise _BadCreateml(f"{where}: does not hold keys and values")
    label = said.get("label")
    if not isinstance(label, str):
        raise _BadCreateml(f"{where}.label: is {'not a text' if 'label' in said else 'missing'}")
    box = _box(said.get("coordinates"))
    return Found(label, box, "" if box else "coordinates does not hold finite x, y, width and height")


def _box(said: Any) -> Box | None:
    """The box of a centre and a size, if these are four finite numbers."""
    values = box_of([said.get(key) for key in _BOX_KEYS]) if isinstance(said, dict) else None
    if values is None:
        return None
    x, y, width, height = values.x0, values.y0, values.x1, values.y1
    corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return rounded_box(*corners) if box_of(corners) else None  # a sum may have become infinite


def _key(entry: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    """Which of two spellings of a key an entry has."""
    return next((key for key in keys if key in entry), None)
