"""The bytes of one Pascal VOC XML file -> what it says, nothing mended yet.

Two parsers give the same answer. Text that is laid out exactly as LabelImg writes it is taken apart by regular
expressions that must match to the last character, which is several times as fast as building a tree; all other text
goes to an XML parser that refuses entities.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple
from xml.etree import ElementTree

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

Corners = tuple[float, float, float, float]
CORNERS = ("xmin", "ymin", "xmax", "ymax")


class VocObject(NamedTuple):
    """An `<object>`: corners as written (xmin, ymin, xmax, ymax), or None with the fault that they have."""

    name: str
    difficult: bool
    corners: Corners | None
    fault: str = ""


class VocAnnotation(NamedTuple):
    """An `<annotation>`. Width and height are 0 where the file does not say them."""

    filename: str
    width: int
    height: int
    objects: list[VocObject]


class BadXml(ValueError):
    """The file is no Pascal VOC annotation; the text says why, without the file's name."""


class OtherXml(BadXml):
    """Sound XML, but of another kind."""


def parse(data: bytes) -> VocAnnotation:
    """Reads one file's bytes.

    Raises:
        BadXml: not well-formed, entities or external references, or another root than `<annotation>`.
    """
    return parse_labelimg(data) or parse_any(data)


_TEXT = r"[^<>&\x00-\x1f\ufffe\uffff]*"
_HEAD = re.compile(
    rf"""(?:<\?xml\ version="1\.0"(?:\ encoding="(?:utf|UTF)-8")?\ ?\?>\s*)?<annotation(?:\ verified="(?:yes|no)")?>
    \s*<folder>{_TEXT}</folder>\s*<filename>({_TEXT})</filename>\s*(?:<path>{_TEXT}</path>\s*)?
    <source>\s*<database>{_TEXT}</database>\s*</source>\s*
    <size>\s*<width>([0-9]{{1,9}})</width>\s*<height>([0-9]{{1,9}})</height>\s*<depth>[0-9]*</depth>\s*</size>\s*
    <segmented>[01]</segmented>\s*""",
    re.VERBOSE,
)
_NUMBER = r"(-?[0-9]{1,12}(?:\.[0-9]{1,20})?)"
_OBJECT = re.compile(
    rf"""<object>\s*<name>({_TEXT})</name>\s*<pose>{_TEXT}</pose>\s*<truncated>[01]</truncated>\s*
    <difficult>([01])</difficult>\s*<bndbox>\s*<xmin>{_NUMBER}</xmin>\s*<ymin>{_NUMBER}</ymin>\s*
    <xmax>{_NUMBER}</xmax>\s*<ymax>{_NUMBER}</ymax>\s*</bndbox>\s*</object>\s*""",
    re.VERBOSE,
)
_TAIL = re.compile(r"</annotation>\s*")


def parse_labelimg(data: bytes) -> VocAnnotation | None:
    """What a file says that is laid out exactly as LabelImg writes it; None for every other file."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    head = _HEAD.match(text)
    if head is None:
        return None
    filename, width, height = head.groups()
    objects = []
    at = head.end()
    while match := _OBJECT.match(text, at):
        name, difficult, xmin, ymin, xmax, ymax = match.groups()
        objects.append(VocObject(name, difficult == "1", (float(xmin), float(ymin), float(xmax), float(ymax))))
        at = match.end()
    if _TAIL.fullmatch(text, at) is None:
        return None
    return VocAnnotation(filename, int(width), int(height), objects)


def parse_any(data: bytes) -> VocAnnotation:
    """What any VOC file says. Raises BadXml as `parse`."""
    try:
        root = defusedxml.ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise BadXml(f"not well-formed XML ({error})") from error
    except DefusedXmlException as error:
        raise BadXml(f"declares entities or external references, which is refused ({error})") from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise BadXml(str(error)) from error
    if root.tag != "annotation":
        raise OtherXml(f"its root is <{root.tag}>, not <annotation>")
    width, height = _integer(root.findtext("size/width")), _integer(root.findtext("size/height"))
    return VocAnnotation(root.findtext("filename") or "", width, height, [_object(e) for e in root.findall("object")])


def _object(element: ElementTree.Element) -> VocObject:
    name, difficult = element.findtext("name") or "", (element.findtext("difficult") or "").strip() == "1"
    bndbox = element.find("bndbox")
    if bndbox is None:
        return VocObject(name, difficult, None, "no <bndbox>")
    xmin, ymin, xmax, ymax = (_number(bndbox.findtext(corner)) for corner in CORNERS)
    if any(math.isnan(value) for value in (xmin, ymin, xmax, ymax)):
        return VocObject(name, difficult, None, "a corner is missing or no finite number")
    return VocObject(name, difficult, (xmin, ymin, xmax, ymax))


def _number(text: str | None) -> float:
    """The number, or NaN for what is none or not finite."""
    try:
        value = float(text or "nan")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _integer(text: str | None) -> int:
    value = _number(text)
    return 0 if math.isnan(value) else int(value)
