"""Label maps of the TensorFlow Object Detection API: class numbers and names as protobuf text, `label_map.pbtxt`.

Source: tensorflow/models object_detection/protos/string_int_label_map.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, text_format

from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.formats.tfrecord_files import message_class

MAX_BYTES = 2**24
_MAX_DEPTH = 100
_SHOWN = 200  # characters of a parser's complaint, which quotes whole lines


class BadLabelMap(ValueError):
    """The file cannot be read as a label map; the text says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Item:
    """A class: its number, its name as records say it, and the name to show, which may be missing."""

    id: int
    name: str
    display_name: str = ""


def read_label_map(file: Path) -> list[Item]:
    """The named items of a label map, by number; none where the file holds other protobuf text.

    Raises:
        BadLabelMap: no protobuf text, a number twice, over MAX_BYTES, or unreadable.
    """
    try:
        if (size := file.stat().st_size) > MAX_BYTES:
            raise BadLabelMap(f"{size} bytes are over the limit of {MAX_BYTES}")
        text = file.read_text(encoding="utf-8-sig")
        message = _label_map_class()()
        text_format.Parse(text, message, allow_unknown_field=True, max_recursion_depth=_MAX_DEPTH)
    except OSError as error:
        raise BadLabelMap(error.strerror or str(error)) from error
    except (text_format.ParseError, RecursionError, ValueError) as error:  # also bytes that are no UTF-8
        raise BadLabelMap(_said_by(error)) from error
    items = {item.id: Item(item.id, clean_label(item.name), clean_label(item.display_name)) for item in message.item}
    if len(items) < len(message.item):
        raise BadLabelMap("a number stands for two classes")
    return [item for _, item in sorted(items.items()) if (item.name or item.display_name) and not _is_background(item)]


def _is_background(item: Item) -> bool:
    """Whether it is the class 0 that the API keeps for what is no object."""
    return item.id == 0 and item.name in ("background", "none_of_the_above")


def _said_by(error: Exception) -> str:
    return str(error) if isinstance(error, BadLabelMap) else f"not a label map ({str(error)[:_SHOWN]})"


def label_map_text(names: Iterable[str]) -> str:
    """The text of a label map with numbers from 1, as 0 is the API's background."""
    message = _label_map_class()()
    for id, name in enumerate(names, start=1):
        message.item.add(id=id, name=name)
    return str(text_format.MessageToString(message, as_utf8=True, use_index_order=True))


@lru_cache(maxsize=1)
def _label_map_class() -> Callable[[], Any]:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="string_int_label_map.proto", package="tensorflow", syntax="proto2")
    item = file.message_type.add(name="StringIntLabelMapItem")
    text, integer = field.TYPE_STRING, field.TYPE_INT32
    for name, number, kind in (("id", 2, integer), ("name", 1, text), ("display_name", 3, text)):
        item.field.add(name=name, number=number, label=field.LABEL_OPTIONAL, type=kind)
    file.message_type.add(name="StringIntLabelMap").field.add(
        name="item",
        number=1,
        label=field.LABEL_REPEATED,
        type=field.TYPE_MESSAGE,
        type_name=".tensorflow.StringIntLabelMapItem",
    )
    return message_class(file, "tensorflow.StringIntLabelMap")
