"""The bytes of TFRecord files without TensorFlow: framing, checksums, and tf.train.Example as plain lists.

A record is: length (uint64), masked CRC-32C of the length (uint32), data, masked CRC-32C of the data (uint32), all
little-endian.

Source: tensorflow 2.20 core/lib/io/record_writer.h, core/lib/hash/crc32c.h (mask), core/example/example.proto and
feature.proto.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from yolo_pipeline.nouns import ImageRecord

MAX_PICTURE_BYTES = 2**30
_MAX_BYTES = MAX_PICTURE_BYTES + 2**26  # of a record: one picture and what is said of it
_FieldSpec = tuple[str, int, int, int, str]


class BadRecord(ValueError):
    """A record that cannot be read; the text says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One record of a file: its number, counted from 1, and its data, or why it cannot be read."""

    number: int
    data: bytes
    fault: str = ""


def frames(file: Path) -> Iterator[Frame]:
    """The records of a file, in order, one in memory at a time. After a broken length nothing more can be found.

    Raises:
        OSError: the file cannot be read.
    """
    left = file.stat().st_size
    number = 0
    with open(file, "rb") as opened:
        while left > 0:
            number += 1
            try:
                length = _length(opened.read(12), left - 12)
                data = opened.read(length)
                frame = _checked(number, data, opened.read(4), length)
            except BadRecord as error:
                yield Frame(number, b"", str(error))
                return
            left -= length + 16
            yield frame


def _length(head: bytes, left: int) -> int:
    """What the first 12 bytes of a record say; `left` bytes come after them."""
    if head.startswith(b"\x1f\x8b"):
        raise BadRecord("the file is compressed (gzip); unpack it first")
    if len(head) < 12:
        raise BadRecord("the file ends within its length")
    length, crc = struct.unpack("<QI", head)
    if masked_crc(head[:8]) != crc:
        raise BadRecord("the checksum of its length is wrong; what follows cannot be found")
    if length + 4 > left:
        raise BadRecord(f"it should have {length} bytes, more than are left in the file")
    if length > _MAX_BYTES:
        raise BadRecord(f"its {length} bytes are over the limit of {_MAX_BYTES}")
    return int(length)


def _checked(number: int, data: bytes, tail: bytes, length: int) -> Frame:
    if len(data) != length or len(tail) != 4:
        raise BadRecord("the file ends within it")
    if masked_crc(data) != struct.unpack("<I", tail)[0]:
        return Frame(number, b"", "the checksum of its data is wrong")
    return Frame(number, data)


def write_frame(out: BinaryIO, data: bytes) -> None:
    head = struct.pack("<Q", len(data))
    out.write(head + struct.pack("<I", masked_crc(head)))
    out.write(data)
    out.write(struct.pack("<I", masked_crc(data)))


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated right by 15 bits and shifted by a constant, as a checksum of checksums would be weak."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def encode_example(
    texts: Mapping[str, Sequence[bytes]], floats: Mapping[str, Sequence[float]], integers: Mapping[str, Sequence[int]]
) -> bytes:
    """A serialised tf.train.Example, the same bytes for the same features; floats are rounded to 32 bits.

    An empty list keeps its type, as TensorFlow refuses features of another.
    """
    example = _example_class()()
    for kind, features in (("bytes_list", texts), ("float_list", floats), ("int64_list", integers)):
        for key, values in features.items():
            found = getattr(example.features.feature[key], kind)
            found.value.extend(values)
            found.SetInParent()
    encoded: bytes = example.SerializeToString(deterministic=True)
    return encoded


def detection_example(
    picture: bytes, image: ImageRecord, ids: Mapping[str, int], *, format: str, name: str, source_id: str
) -> bytes:
    """A serialised example with all keys that the API's own tools write.

    Args:
        picture: the bytes of its file; `image` has its size, and what is in it.
        ids: class name -> number, from 1.
        format: of the file, as the API calls it: jpeg, png.

    Source: tensorflow/models object_detection/dataset_tools.
    """
    width, height, boxes = image.width, image.height, [truth.box for truth in image.truths]
    touches = [box.x0 <= 0 or box.y0 <= 0 or box.x1 >= width or box.y1 >= height for box in boxes]
    texts = {
        "image/encoded": [picture],
        "image/format": [format.encode()],
        "image/filename": [name.encode()],
        "image/source_id": [source_id.encode()],
        "image/key/sha256": [hashlib.sha256(picture).hexdigest().encode()],
        "image/object/class/text": [truth.label.encode() for truth in image.truths],
        "image/object/view": [b"Unspecified"] * len(boxes),
    }
    floats = {
        "image/object/bbox/xmin": [box.x0 / width for box in boxes],
        "image/object/bbox/xmax": [box.x1 / width for box in boxes],
        "image/object/bbox/ymin": [box.y0 / height for box in boxes],
        "image/object/bbox/ymax": [box.y1 / height for box in boxes],
    }
    integers = {
        "image/height": [height],
        "image/width": [width],
        "image/object/class/label": [ids[truth.label] for truth in image.truths],
        "image/object/difficult": [0] * len(boxes),
        "image/object/is_crowd": [0] * len(boxes),
        "image/object/truncated": [int(touch) for touch in touches],
    }
    return encode_example(texts, floats, integers)


class Example:
    """A decoded tf.train.Example."""

    def __init__(self, data: bytes) -> None:
        """
        Raises:
            BadRecord: not an Example.
        """
        message = _example_class()()
        try:
            message.ParseFromString(data)
        except (DecodeError, RecursionError) as error:
            raise BadRecord("it is not a tf.train.Example") from error
        self._feature = message.features.feature

    def picture(self) -> bytes:
        """The bytes of the picture's file.

        Raises:
            BadRecord: there is none, or it has more than MAX_PICTURE_BYTES.
        """
        encoded = self.texts("image/encoded")
        if len(encoded) != 1 or not encoded[0]:
            raise BadRecord("it has no picture (image/encoded)")
        if len(encoded[0]) > MAX_PICTURE_BYTES:
            raise BadRecord(f"its picture has {len(encoded[0])} bytes, over the limit of {MAX_PICTURE_BYTES}")
        return encoded[0]

    def texts(self, key: str) -> list[bytes]:
        return self._list(key, "bytes_list")

    def floats(self, key: str) -> list[float]:
        return self._list(key, "float_list")

    def integers(self, key: str) -> list[int]:
        return self._list(key, "int64_list")

    def _list(self, key: str, kind: str) -> list[Any]:
        if key not in self._feature:  # asking for it would add it
            return []
        feature = self._feature[key]
        found = feature.WhichOneof("kind")
        if found is None:
            return []
        values = list(getattr(feature, found).value)
        if values and found != kind:
            raise BadRecord(f"{key} holds a list of type {found}, not {kind}")
        return values


@lru_cache(maxsize=1)
def _example_class() -> Callable[[], Any]:
    """The class of tf.train.Example, built of its description."""
    field = descriptor_pb2.FieldDescriptorProto
    one, many, message = field.LABEL_OPTIONAL, field.LABEL_REPEATED, field.TYPE_MESSAGE
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")
    _add_message(file, "BytesList", ("value", 1, many, field.TYPE_BYTES, ""))
    _add_message(file, "FloatList", ("value", 1, many, field.TYPE_FLOAT, ""))
    _add_message(file, "Int64List", ("value", 1, many, field.TYPE_INT64, ""))
    feature = _add_message(
        file,
        "Feature",
        ("bytes_list", 1, one, message, "BytesList"),
        ("float_list", 2, one, message, "FloatList"),
        ("int64_list", 3, one, message, "Int64List"),
    )
    feature.oneof_decl.add(name="kind")
    for member in feature.field:
        member.oneof_index = 0
    features = _add_message(file, "Features", ("feature", 1, many, message, "Features.FeatureEntry"))
    entry = features.nested_type.add(name="FeatureEntry", options=descriptor_pb2.MessageOptions(map_entry=True))
    _add_field(entry, ("key", 1, one, field.TYPE_STRING, ""))
    _add_field(entry, ("value", 2, one, message, "Feature"))
    _add_message(file, "Example", ("features", 1, one, message, "Features"))
    return message_class(file, "tensorflow.Example")


def message_class(file: descriptor_pb2.FileDescriptorProto, name: str) -> Callable[[], Any]:
    """The class of a message that `file` describes, in a pool of its own: TensorFlow may be loaded beside."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made: Callable[[], Any] = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    return made


def _add_message(file: descriptor_pb2.FileDescriptorProto, name: str, *fields: _FieldSpec) -> Any:
    message = file.message_type.add(name=name)
    for spec in fields:
        _add_field(message, spec)
    return message


def _add_field(message: Any, spec: _FieldSpec) -> None:
    name, number, label, kind, of = spec
    message.field.add(name=name, number=number, label=label, type=kind, type_name=f".tensorflow.{of}" if of else None)
