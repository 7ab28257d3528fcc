"""VGG Image Annotator (VIA) 1.x and 2.x JSON: project files, annotation exports, and one JSON file an image.

Coordinates are pixels of the upright picture, as a browser shows it, 0-based. `size` is the picture file's bytes. The
class is one of a region's attributes, whose name its makers chose: see `_label_key`.

Source: VIA 2.0.12 via.js (`_via_img_metadata`, `shape_attributes`; theta in radians), VIA 1.0.6 (regions as a dict).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.files import Notebook, clean_label
from yolo_pipeline.formats.json_files import BadJson, number, take_json
from yolo_pipeline.formats.records import Entry, Found, RecordMaker
from yolo_pipeline.formats.source import Listing, ReadOptions, Source
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, ReadReport, Skip

_LABEL_KEYS = frozenset({"label", "class", "name", "type", "category", "object", "species"})
_VIA_3_KEYS = frozenset({"project", "config", "attribute", "file", "metadata", "view"})
_NAMED_KEYS = 8  # attributes that an error lists
_NO_VIA = "Name a folder with VIA files; for annotations in another format, leave `format` out, or name that one"
_ASK = "Say which holds the class: --label-key KEY, or label_key: KEY in data.yaml"


def read(source: Source, options: ReadOptions = ReadOptions()) -> tuple[Dataset, ReadReport]:
    """Reads every VIA file of a source. A picture listed without regions is background.

    Shapes become their bounding boxes, counted in the notes; a point has none. Classes come in the order of the
    attribute's options where those hold all labels, else sorted.

    Raises:
        AnnotationError: no VIA file, no picture, files that cannot be read (all are named), VIA 3, or an attribute
            for the class that is not there or not clear.
    """
    notebook = Notebook()
    files = list(_via_files(source.files, notebook))
    if not files:
        notebook.settle_bad(source.path, options.skip_bad)
        raise AnnotationError(source.path, "holds no VIA file", _NO_VIA)
    source.require_pictures()
    where = source.files.root / files[0].name if len(files) == 1 else source.path
    key = _label_key(files, options.label_key, where)
    maker, shapes = RecordMaker(source, options, notebook), _Shapes()
    listed = [(file.name, image) for file in files for image in file.images]
    for name, image in options.progress.items(listed, "reading annotations"):
        found = [_found(region, key, shapes) for region in image.regions]
        maker.add(Entry(name, image.picture, found, otherwise=image.otherwise))
    notebook.notes += [f"{count} {shape}s became their bounding boxes" for shape, count in sorted(shapes.boxed.items())]
    records = maker.finish()
    return Dataset(_class_names(files, key, records), records), notebook.report()


def recognise(content: Any) -> bool:
    """Whether a JSON file is of VIA; that of VIA 3 counts, so that reading names what to do."""
    return _is_via_3(content) or _listed(content) is not None


class _BadVia(ValueError):
    """The file is not what VIA writes; the text says where."""


@dataclass(frozen=True, slots=True)
class _Region:
    shape: dict[str, Any]
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Image:
    """What a file says of one picture; `otherwise` is the name to look for where `picture` finds nothing."""

    picture: str
    otherwise: str
    regions: list[_Region]


@dataclass(frozen=True, slots=True)
class _ViaFile:
    """What one file says. `attributes` describes those of regions, where it is a project: key -> type, options."""

    name: str
    images: list[_Image]
    attributes: dict[str, Any]


def _via_files(listing: Listing, notebook: Notebook) -> Iterator[_ViaFile]:
    for name in listing.with_suffix(".json"):
        try:
            content = take_json(listing, name)
            if _is_via_3(content):
                raise _BadVia("is a VIA 3 project, which is not read; export it as COCO from VIA 3")
            listed = _listed(content)
            if listed is None:
                notebook.notes.append(f"{name} is no VIA file: passed over")
                continue
            found = [_image(key, entry, name) for key, entry in listed.items()]
        except (BadJson, _BadVia) as error:
            notebook.bad.append(Skip(name, str(error)))
            continue
        yield _ViaFile(name, found, _dict_at(content, "_via_attributes", "region"))


def _is_via_3(content: Any) -> bool:
    return isinstance(content, dict) and content.keys() >= _VIA_3_KEYS


def _listed(content: Any) -> dict[str, Any] | None:
    """VIA's key -> what is said of a picture; None where the file is none of VIA."""
    if not isinstance(content, dict):
        return None
    if "_via_img_metadata" in content:
        return _dict_at(content, "_via_img_metadata")
    one = _dict_at(content, "annotation")
    if "regions" in one or {"filename", "size"} <= one.keys():
        return {"": one}
    if "regions" in content and "filename" in content:
        return {"": content}
    if any(isinstance(entry, dict) and {"filename", "regions"} <= entry.keys() for entry in content.values()):
        return content
    return None


def _dict_at(content: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The dict below nested keys; an empty one where there is none."""
    for key in keys:
        value = content.get(key)
        content = value if isinstance(value, dict) else {}
    return content


def _image(key: str, entry: Any, file: str) -> _Image:
    """What is said of one picture, under VIA's key for it: its name and its bytes in one word."""
    if not isinstance(entry, dict):
        raise _BadVia(f"{key!r}: is no description of a picture")
    said, size = entry.get("filename"), entry.get("size")
    picture = said.strip() if isinstance(said, str) else ""
    if not picture and isinstance(size, int):
        picture = key.removesuffix(str(size))
    regions = entry.get("regions") or []
    if isinstance(regions, dict):  # VIA 1
        regions = list(regions.values())
    if not isinstance(regions, list) or not all(isinstance(region, dict) for region in regions):
        raise _BadVia(f"{picture or key!r}: its regions are no list of regions")
    found = [_Region(_dict_at(region, "shape_attributes"), _dict_at(region, "region_attributes")) for region in regions]
    return _Image(picture or key, "" if key else _named_like(file), found)


def _named_like(file: str) -> str:
    """The picture that a JSON file of one picture is named after: `a.jpg.json` says more than `a.json`."""
    name = Path(file).name
    stem = Path(file).stem
    return stem if Path(stem).suffix.lower() in images.PICTURE_SUFFIXES else name


def _label_key(files: list[_ViaFile], asked: str | None, where: Path) -> str:
    """The attribute that holds the class: the one asked for, the only one there is, or the only one so named.

    Raises:
        AnnotationError: there is no such attribute, or more than one may be it.
    """
    regions = [region for file in files for image in file.images for region in image.regions]
    keys = sorted({key for region in regions for key, value in region.attributes.items() if value not in ("", None)})
    if asked is not None:
        if regions and not any(asked in region.attributes for region in regions):
            there = f"there is {_named(keys)}" if keys else "there is none at all"
            raise AnnotationError(where, f"no region has the attribute {asked!r}; {there}", _ASK)
        return asked
    if regions and not keys:
        remedy = "Give the regions one in VIA (Attributes), and export them again"
        raise AnnotationError(where, "no region has an attribute that could be its class", remedy)
    if len(keys) <= 1:
        return keys[0] if keys else ""  # there is not one region
    usual = [key for key in keys if key.strip().lower() in _LABEL_KEYS]
    if len(usual) == 1:
        return usual[0]
    raise AnnotationError(where, f"the class may be any of the attributes {_named(usual or keys)}", _ASK)


def _named(keys: list[str]) -> str:
    return ", ".join(keys[:_NAMED_KEYS]) + (" and others" if len(keys) > _NAMED_KEYS else "")


def _found(region: _Region, key: str, shapes: _Shapes) -> Found:
    if key not in region.attributes:
        return Found("", None, f"the region has no attribute {key!r}", "no class")
    label, fault = _label(region.attributes[key], key)
    if fault:
        return Found("", None, fault, "no class")
    try:
        return Found(label, shapes.box(region.shape))
    except _NoBox as error:
        return Found(label, None, str(error))


def _label(value: Any, key: str) -> tuple[str, str]:
    """The class name that an attribute's value stands for, and why it stands for none."""
    if isinstance(value, dict):  # a group of checkboxes
        ticked = [option for option, is_ticked in value.items() if is_ticked is True]
        if len(ticked) > 1:
            return "", f"{len(ticked)} classes at once: {', '.join(map(repr, ticked[:_NAMED_KEYS]))}"
        return (ticked[0], "") if ticked else ("", f"nothing is ticked in {key!r}")
    if isinstance(value, str):
        return value, "" if value.strip() else f"{key!r} is empty"
    if number(value) is None:
        return "", f"{key!r} is neither a text nor a choice"
    return (str(value) if isinstance(value, int) else f"{value:g}"), ""


def _class_names(files: list[_ViaFile], key: str, records: tuple[ImageRecord, ...]) -> tuple[str, ...]:
    found = {truth.label for record in records for truth in record.truths}
    options = [clean_label(option) for file in files for option in _dict_at(file.attributes, key, "options")]
    ordered = tuple(dict.fromkeys(option for option in options if option))
    return ordered if found <= set(ordered) else tuple(sorted(found))


class _NoBox(ValueError):
    """The shape has no box; the text says why."""


class _Shapes:
    """Turns shapes into boxes, counting those that were none."""

    def __init__(self) -> None:
        self.boxed: Counter[str] = Counter()

    def box(self, shape: dict[str, Any]) -> Box:
        """The bounding box of a shape, exact.

        Raises:
            _NoBox: a point, an unknown shape, or numbers that are none.
        """
        name = shape.get("name")
        if name == "point":
            raise _NoBox("a point has no extent")
        if not isinstance(name, str) or name not in _BOX_OF:
            raise _NoBox(f"not a shape of VIA: {name!r:.40}")
        box = _BOX_OF[name](shape)
        if name != "rect":
            self.boxed[name] += 1
        return box


def _rect(shape: dict[str, Any]) -> Box:
    x, y, width, height = (_finite(shape, key) for key in ("x", "y", "width", "height"))
    return Box(x, y, x + width, y + height)


def _circle(shape: dict[str, Any]) -> Box:
    x, y, radius = (_finite(shape, key) for key in ("cx", "cy", "r"))
    return Box(x - radius, y - radius, x + radius, y + radius)


def _ellipse(shape: dict[str, Any]) -> Box:
    x, y, rx, ry = (_finite(shape, key) for key in ("cx", "cy", "rx", "ry"))
    theta = _finite(shape, "theta") if "theta" in shape else 0.0
    across = math.hypot(rx * math.cos(theta), ry * math.sin(theta))
    down = math.hypot(rx * math.sin(theta), ry * math.cos(theta))
    return Box(x - across, y - down, x + across, y + down)


def _points(shape: dict[str, Any]) -> Box:
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys) or not xs:
        raise _NoBox("all_points_x and all_points_y are no two lists of equal length")
    across, down = [number(x) for x in xs], [number(y) for y in ys]
    finite_x, finite_y = [x for x in across if x is not None], [y for y in down if y is not None]
    if len(finite_x) + len(finite_y) < len(xs) + len(ys):
        raise _NoBox("a point of it is not two finite numbers")
    return Box(min(finite_x), min(finite_y), max(finite_x), max(finite_y))


_BOX_OF: dict[str, Callable[[dict[str, Any]], Box]] = {
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "polygon": _points,
    "polyline": _points,
}


def _finite(shape: dict[str, Any], key: str) -> float:
    value = number(shape.get(key))
    if value is None:
        raise _NoBox(f"its {key} is not a finite number")
    return value
