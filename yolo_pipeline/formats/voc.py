"""Pascal VOC XML, as LabelImg, Roboflow and the VOC challenge write it.

Two pixel conventions share this format. `origin=1` is Pascal VOC's own, 1-based and inclusive: x0 = xmin - 1,
x1 = xmax. `origin=0` is how LabelImg counts: x0 = xmin, x1 = xmax.
"""

from __future__ import annotations

import math
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.files import (
    Listing,
    Notebook,
    ReadOptions,
    clean_label,
    folder_of,
    group_of,
    list_files,
    once,
    require_folder,
    settle_box,
    split_of_folder,
    stem_of,
)
from yolo_pipeline.geometry import turn_box
from yolo_pipeline.nouns import SPLITS, Box, Change, Dataset, ImageRecord, ReadReport, Skip, Split, Truth

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_DECLARED_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ASCII_SUPERSETS = frozenset({b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1"})


def read(source: Path, options: ReadOptions = ReadOptions(), *, origin: int = 1) -> tuple[Dataset, ReadReport]:
    """Reads a folder of XML files and the pictures beside them (or below `options.images`).

    Args:
        origin: 1 for Pascal VOC (default), 0 for LabelImg; see the module's text.

    Raises:
        AnnotationError: no folder, no XML, no picture, or files that cannot be read (all are named).
    """
    require_folder(source)
    listing = list_files(source)
    pictures = listing
    if options.images is not None:
        require_folder(options.images)
        pictures = list_files(options.images)
    annotations = listing.with_suffix(".xml")
    if not annotations:
        raise AnnotationError(source, "holds no Pascal VOC XML file", "Label some pictures first, or check the path")
    if not pictures.pictures:
        raise AnnotationError(
            pictures.root, "holds no picture", "Put the pictures there, or name their folder (images)"
        )

    notebook = Notebook()
    splits = _image_sets(listing)
    reader = _FileReader(pictures.root, options, origin, splits, notebook)
    pairs = dict(_pair(annotations, pictures.pictures, listing, notebook))
    records = []
    for picture in options.progress.items(pictures.pictures, "reading annotations"):
        if picture in pairs:
            record = reader.labelled(picture, pairs[picture], source / pairs[picture])
        elif options.unlabelled == "background":
            record = reader.background(picture)
        else:
            notebook.skipped.append(Skip(picture, "unlabelled: no annotation file"))
            continue
        if record is not None:
            records.append(record)
    notebook.settle_bad(source, options.skip_bad)
    if not records:
        raise AnnotationError(source, "no annotation has its picture", "Name the pictures' folder (images)")
    names = sorted({truth.label for record in records for truth in record.truths})
    return Dataset(tuple(names), tuple(records)), notebook.report()


def write(dataset: Dataset, out: Path, *, origin: int = 1) -> None:
    """Writes pictures (copied) and XML side by side, as LabelImg keeps them; in one folder a split if there are any.

    Source: LabelImg 1.8.6 pascal_voc_io.py (element order, tab indent).
    """
    for image in dataset.images:
        folder = out / image.split if image.split else out
        picture = (folder / image.name).with_suffix(image.suffix)
        picture.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(image.file, picture)
        text = annotation_xml(image.truths, picture, image.width, image.height, origin=origin)
        picture.with_suffix(".xml").write_text(text, encoding="utf-8")


def annotation_xml(truths: Sequence[Truth], picture: Path, width: int, height: int, *, origin: int = 1) -> str:
    """The XML text that LabelImg would save for one picture. Sizes and boxes in pixels."""
    lines = [
        "<annotation>",
        f"\t<folder>{escape(picture.parent.name)}</folder>",
        f"\t<filename>{escape(picture.name)}</filename>",
        f"\t<path>{escape(picture.name)}</path>",
        "\t<source>\n\t\t<database>Unknown</database>\n\t</source>",
        f"\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>3</depth>\n\t</size>",
        "\t<segmented>0</segmented>",
    ]
    for truth in truths:
        box = truth.box
        values = (box.x0 + origin, box.y0 + origin, box.x1, box.y1)
        corners = "".join(
            f"\n\t\t\t<{key}>{_number(value)}</{key}>" for key, value in zip(_CORNERS, values, strict=True)
        )
        touches = box.x0 <= 0 or box.y0 <= 0 or box.x1 >= width or box.y1 >= height
        lines.append(
            f"\t<object>\n\t\t<name>{escape(truth.label)}</name>\n\t\t<pose>Unspecified</pose>\n"
            f"\t\t<truncated>{int(touches)}</truncated>\n\t\t<difficult>0</difficult>\n"
            f"\t\t<bndbox>{corners}\n\t\t</bndbox>\n\t</object>"
        )
    return "\n".join([*lines, "</annotation>", ""])


def recognise(listing: Listing) -> bool:
    """Whether the first XML file below a folder has `<annotation>` for its root."""
    for name in listing.with_suffix(".xml")[:1]:
        try:
            return _parse((listing.root / name).read_bytes()).tag == "annotation"
        except (OSError, _BadXml):
            return True  # broken, but nothing else writes XML: let reading name the fault
    return False


class _BadXml(ValueError):
    pass


@dataclass(slots=True)
class _FileReader:
    """Turns one picture and its XML into an ImageRecord, noting everything it mends."""

    root: Path
    options: ReadOptions
    origin: int
    splits: dict[str, Split]
    notebook: Notebook

    def labelled(self, picture: str, name: str, file: Path) -> ImageRecord | None:
        header = self._header(picture)
        try:
            root = _parse(file.read_bytes())
            if root.tag != "annotation":
                raise _BadXml(f"its root is <{root.tag}>, not <annotation>")
        except (OSError, _BadXml) as error:
            self.notebook.bad.append(Skip(name, str(error)))
            return None
        if header is None:
            return None
        turned = self._check_size(root, name, header)
        truths = once(self._objects(root, name, header, turned), name, self.notebook)
        return self._record(picture, header, truths)

    def background(self, picture: str) -> ImageRecord | None:
        header = self._header(picture)
        return self._record(picture, header, ()) if header else None

    def _header(self, picture: str) -> images.Header | None:
        try:
            return images.read_header(self.root / picture)
        except images.UnreadableImage as error:
            self.notebook.bad.append(Skip(picture, str(error)))
            return None

    def _record(self, picture: str, header: images.Header, truths: tuple[Truth, ...]) -> ImageRecord:
        file = self.root / picture
        width, height = header.upright_size
        split = self.splits.get(stem_of(picture)) or split_of_folder(picture)
        suffix = images.trainable_suffix(file, header)
        return ImageRecord(file, picture, width, height, suffix, truths, group_of(picture), split)

    def _check_size(self, root: ElementTree.Element, name: str, header: images.Header) -> bool:
        """Reports a size that is not the picture's. Returns whether the boxes must be turned to stand upright."""
        said = (_integer(root.findtext("size/width")), _integer(root.findtext("size/height")))
        stored = (header.width, header.height)
        upright = header.upright_size
        if said not in (stored, upright):
            why = f"the XML says {said[0]}x{said[1]}, the picture has {stored[0]}x{stored[1]}; the picture's is used"
            self.notebook.fixed.append(Change(name, 0, "size", why))
        turned = header.orientation != 1 and (said != upright or stored == upright)
        if turned:
            why = f"boxes turned with the picture (EXIF orientation {header.orientation})"
            self.notebook.fixed.append(Change(name, 0, "EXIF", why))
        return turned

    def _objects(
        self, root: ElementTree.Element, name: str, header: images.Header, turned: bool
    ) -> Iterator[tuple[int, Truth]]:
        width, height = header.upright_size
        for number, element in enumerate(root.findall("object"), start=1):
            written = element.findtext("name") or ""
            label = clean_label(written)
            if not label:
                self.notebook.dropped.append(Change(name, number, "no class", "the object has no name"))
                continue
            if label != written:
                self.notebook.fixed.append(Change(name, number, "label", f"{written!r} read as {label!r}"))
            if not self._keeps_difficult(element, name, number):
                continue
            corners = self._corners(element, name, number)
            if corners is None:
                continue
            if turned:
                corners = turn_box(corners, header.orientation, header.width, header.height)
            box, done = settle_box(corners, width, height)
            changes = [Change(name, number, what, why) for what, why in done]
            if box is None:
                self.notebook.dropped.append(changes.pop())
            self.notebook.fixed += changes
            if box is not None:
                yield number, Truth(box, label)

    def _keeps_difficult(self, element: ElementTree.Element, name: str, number: int) -> bool:
        if (element.findtext("difficult") or "0").strip() != "1":
            return True
        keep = self.options.difficult == "keep"
        why = f"marked difficult, {'kept' if keep else 'dropped as asked'}"
        (self.notebook.fixed if keep else self.notebook.dropped).append(Change(name, number, "difficult", why))
        return keep

    def _corners(self, element: ElementTree.Element, name: str, number: int) -> Box | None:
        """The box on the stored pixels, corners as written but for the origin; None where there is none."""
        bndbox = element.find("bndbox")
        values = [] if bndbox is None else [_finite(bndbox.findtext(corner)) for corner in _CORNERS]
        xmin, ymin, xmax, ymax = values or [math.nan] * 4
        if any(math.isnan(value) for value in (xmin, ymin, xmax, ymax)):
            why = "no <bndbox>" if bndbox is None else "a corner is missing or no finite number"
            self.notebook.dropped.append(Change(name, number, "no box", why))
            return None
        if xmin == xmax or ymin == ymax:
            why = f"xmin {xmin:g}, ymin {ymin:g}, xmax {xmax:g}, ymax {ymax:g} has no area"
            self.notebook.dropped.append(Change(name, number, "no area", why))
            return None
        if xmin > xmax or ymin > ymax:
            xmin, xmax, ymin, ymax = min(xmin, xmax), max(xmin, xmax), min(ymin, ymax), max(ymin, ymax)
            why = f"reordered to xmin {xmin:g}, ymin {ymin:g}, xmax {xmax:g}, ymax {ymax:g}"
            self.notebook.fixed.append(Change(name, number, "swapped corners", why))
        return Box(xmin - self.origin, ymin - self.origin, xmax, ymax)


def _parse(data: bytes) -> ElementTree.Element:
    """An XML file's root; entities, external references and broken XML are refused.

    Only a DOCTYPE can declare an entity. Where the bytes show that there is none, the fast parser of the standard
    library is safe; every other file goes to defusedxml.
    """
    try:
        if _has_no_doctype(data):
            return ElementTree.fromstring(data)
        root: ElementTree.Element = defusedxml.ElementTree.fromstring(data)
        return root
    except ElementTree.ParseError as error:
        raise _BadXml(f"not well-formed XML ({error})") from error
    except DefusedXmlException as error:
        raise _BadXml(f"declares entities or external references, which is refused ({error})") from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise _BadXml(str(error)) from error


def _has_no_doctype(data: bytes) -> bool:
    if b"<!DOCTYPE" in data or b"\0" in data:
        return False
    declared = _DECLARED_ENCODING.match(data.lstrip(b"\xef\xbb\xbf \t\r\n")[:200])
    if declared is None:
        return b"encoding" not in data[:200]
    return declared.group(1).lower() in _ASCII_SUPERSETS


def _pair(
    annotations: Sequence[str], pictures: Sequence[str], listing: Listing, notebook: Notebook
) -> Iterator[tuple[str, str]]:
    """(picture, annotation) pairs by stem. Whatever has no partner, or no single one, is noted."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for picture in pictures:
        by_stem[stem_of(picture)].append(picture)
    claimed: dict[str, str] = {}
    for name in annotations:
        candidates = by_stem.get(stem_of(name), [])
        if len(candidates) > 1:
            candidates = _nearest(name, candidates, listing)
        if not candidates:
            notebook.skipped.append(Skip(name, "annotation without picture"))
        elif len(candidates) > 1:
            notebook.bad.append(Skip(name, f"belongs to any of {', '.join(candidates)}; let <filename> say which"))
        elif candidates[0] in claimed:
            notebook.bad.append(Skip(name, f"annotates {candidates[0]}, as {claimed[candidates[0]]} does; keep one"))
        else:
            claimed[candidates[0]] = name
            yield candidates[0], name


def _nearest(name: str, candidates: list[str], listing: Listing) -> list[str]:
    """Of several pictures with the annotation's stem: those in its folder, then those that `<filename>` names."""
    beside = [picture for picture in candidates if folder_of(picture) == folder_of(name)] or candidates
    if len(beside) == 1:
        return beside
    try:
        said = _parse((listing.root / name).read_bytes()).findtext("filename") or ""
    except (OSError, _BadXml):
        return beside[:1]  # reading it will name the fault
    said = clean_label(said.replace("\\", "/").rpartition("/")[2])
    return [picture for picture in beside if clean_label(picture.rpartition("/")[2]) == said] or beside


def _image_sets(listing: Listing) -> dict[str, Split]:
    """Stem -> split from VOC's ImageSets/Main/{train,val,test}.txt, where those files are."""
    splits: dict[str, Split] = {}
    for split in SPLITS:
        for name in listing.others:
            if name.endswith(f"ImageSets/Main/{split}.txt"):
                text = (listing.root / name).read_text(encoding="utf-8", errors="replace")
                splits.update((clean_label(line), split) for line in text.splitlines() if line.strip())
    return splits


def _finite(text: str | None) -> float:
    try:
        value = float(text or "nan")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _integer(text: str | None) -> int:
    value = _finite(text)
    return 0 if math.isnan(value) else int(value)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
