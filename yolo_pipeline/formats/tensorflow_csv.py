"""CSV tables of boxes, a row an object: TensorFlow's, as `xml_to_csv.py` and Roboflow write it, and keras-retinanet's.

    filename,width,height,class,xmin,ymin,xmax,ymax      with these names in any order, or without names in this one
    path,x1,y1,x2,y2,class                               without names; all but the path empty: a background

Corners are taken 0-based, x0 = xmin and x1 = xmax, on the pixels as stored: such tables are made from LabelImg's XML.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.files import Notebook
from yolo_pipeline.formats.json_files import box_of, number
from yolo_pipeline.formats.records import Entry, Found, RecordMaker
from yolo_pipeline.formats.source import Listing, ReadOptions, Source
from yolo_pipeline.nouns import Dataset, ReadReport, Skip

MAX_BYTES = 2**28
_HEAD_BYTES = 65536  # what a table is recognised by
_DELIMITERS = ",;\t"
_QUOTED = re.compile(r'"[^"]*"')
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_SYNONYMS = {"picture": ("filename", "image_id", "image"), "label": ("class", "label")}
_TENSORFLOW = ("picture", "width", "height", "label", *_CORNERS)
_RETINANET = ("picture", *_CORNERS, "label")
_NO_TABLE = "It needs the columns filename, class, xmin, ymin, xmax, ymax; leave `format` out for another format"


def read(source: Source, options: ReadOptions = ReadOptions()) -> tuple[Dataset, ReadReport]:
    """Reads every table of boxes of a source. A picture of which two tables say the same counts once.

    Raises:
        AnnotationError: no such table, no picture, or files that cannot be read (all are named).
    """
    notebook = Notebook()
    tables = list(_tables(source.files, notebook))
    if not tables and not notebook.bad:
        raise AnnotationError(source.path, "holds no CSV table of boxes", _NO_TABLE)
    source.require_pictures()
    maker = RecordMaker(source, options, notebook)
    for entry in options.progress.items([entry for table in tables for entry in table], "reading annotations"):
        maker.add(entry)
    records = maker.finish()
    names = sorted({truth.label for record in records for truth in record.truths})
    return Dataset(tuple(names), records), notebook.report()


def recognise(listing: Listing) -> bool:
    """Whether a CSV file begins as a table of boxes does."""
    return any(_begins_as_table(listing.root / name) for name in listing.with_suffix(".csv"))


class _BadTable(ValueError):
    """The table cannot be read; the text names the line."""


class _NoTable(ValueError):
    """The file is no table of boxes."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where in a row what stands."""

    columns: int
    places: dict[str, int]
    has_header: bool

    def of(self, row: Sequence[str], key: str) -> str:
        return row[self.places[key]].strip() if key in self.places else ""

    def is_background(self, row: Sequence[str]) -> bool:
        return not any(self.of(row, key) for key in (*_CORNERS, "label"))


def _tables(listing: Listing, notebook: Notebook) -> Iterator[list[Entry]]:
    for name in listing.with_suffix(".csv"):
        try:
            yield _read_table(name, _text(listing.root / name), notebook)
        except _NoTable:
            notebook.notes.append(f"{name} is no table of boxes: passed over")
        except _BadTable as error:
            notebook.bad.append(Skip(name, str(error)))


def _read_table(name: str, text: str, notebook: Notebook) -> list[Entry]:
    """One entry for each picture that a table names."""
    rows = _rows(text)
    start = next(rows, (0, []))
    layout = _layout(start[1])
    objects: dict[str, list[Found]] = defaultdict(list)
    sizes: dict[str, dict[tuple[float, float] | None, None]] = defaultdict(dict)  # in the order of the file
    for line, row in rows if layout.has_header else chain([start], rows):
        if len(row) != layout.columns:
            raise _BadTable(f"line {line}: {len(row)} columns, where the first line has {layout.columns}")
        picture = layout.of(row, "picture")
        if not picture:
            raise _BadTable(f"line {line}: names no picture")
        sizes[picture][_size(layout, row, line)] = None
        if layout.is_background(row):
            objects[picture] += ()
        else:
            objects[picture].append(_found(layout, row))
    if several := sum(len(said) > 1 for said in sizes.values()):
        notebook.notes.append(f"{name} gives {several} pictures more than one size: the first is compared with theirs")
    return [Entry(name, picture, found, next(iter(sizes[picture])), True) for picture, found in objects.items()]


def _found(layout: _Layout, row: Sequence[str]) -> Found:
    box = box_of([layout.of(row, key) for key in _CORNERS])
    fault = "" if box else f"{', '.join(_CORNERS)} are not four finite numbers"
    return Found(row[layout.places["label"]], box, fault)


def _size(layout: _Layout, row: Sequence[str], line: int) -> tuple[float, float] | None:
    """(width, height) as a row says it; None where it does not."""
    said = [layout.of(row, key) for key in ("width", "height")]
    if not all(said):
        return None
    width, height = map(number, said)
    if width is None or height is None:
        raise _BadTable(f"line {line}: width and height are not two numbers")
    return width, height


def _layout(first: list[str]) -> _Layout:
    """The layout that the first row of a file shows.

    Raises:
        _NoTable: it is that of another table.
        _BadTable: a column that is needed stands there twice.
    """
    heads = [head.strip().casefold() for head in first]
    wanted = {key: (key,) for key in ("width", "height", *_CORNERS)} | _SYNONYMS
    places = {key: heads.index(name) for key, names in wanted.items() for name in names[::-1] if name in heads}
    if {"picture", "label", *_CORNERS} <= places.keys():
        for place in places.values():
            if heads.count(heads[place]) > 1:
                raise _BadTable(f"line 1: the column {heads[place]} stands there twice")
        return _Layout(len(heads), places, has_header=True)
    for columns in (_TENSORFLOW, _RETINANET):
        layout = _Layout(len(columns), {key: at for at, key in enumerate(columns)}, has_header=False)
        if len(first) == len(columns) and _is_row(layout, first):
            return layout
    raise _NoTable


def _is_row(layout: _Layout, row: list[str]) -> bool:
    numbers = [key for key in layout.places if key not in ("picture", "label")]
    said = [layout.of(row, key) for key in numbers]
    return layout.is_background(row) or all(_is_number(text) for text in said)


def _is_number(text: str) -> bool:
    try:
        float(text)  # `nan` counts: it is a row, if a bad one
    except ValueError:
        return False
    return True


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise _BadTable(f"line {reader.line_num}: {error}") from error


def _delimiter(text: str) -> str:
    """What separates the fields: the one that gives the first line the most of them."""
    first = _QUOTED.sub("", text.lstrip().partition("\n")[0])
    return max(_DELIMITERS, key=first.count)


def _text(file: Path) -> str:
    """A file's text: UTF-8, else CP949, in which Korean spreadsheets save."""
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise _BadTable(f"{size} bytes are over the limit of {MAX_BYTES}")
        data = file.read_bytes()
    except OSError as error:
        raise _BadTable(error.strerror or str(error)) from error
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _BadTable("is neither UTF-8 nor CP949")


def _begins_as_table(file: Path) -> bool:
    try:
        with open(file, "rb") as opened:
            head = opened.read(_HEAD_BYTES).decode("utf-8-sig", "replace")
        return bool(_layout(next(_rows(head), (0, []))[1]))
    except (OSError, _NoTable, _BadTable):
        return False
