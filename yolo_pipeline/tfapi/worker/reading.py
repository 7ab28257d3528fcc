"""Record files as TensorFlow itself reads them. Task `records` lists what is in some."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from .faults import Fault
from .talking import Parent

_BOX = ("xmin", "ymin", "xmax", "ymax")


def run(parent: Parent) -> None:
    """Every example of `job["files"]`, in order: boxes as [xmin, ymin, xmax, ymax], fractions of the picture."""
    parent.watch(parent.leave)
    records = tf.data.TFRecordDataset([str(file) for file in parent.job["files"]])
    parent.done({"examples": [_example(bytes(record.numpy())) for record in records]})


def has_records(reader: Any) -> bool:
    """Whether there is a first record: without one, endless reading would never return.

    Args:
        reader: an input_reader_pb2.InputReader.

    Raises:
        Fault: there is no such file.
    """
    patterns: Sequence[str] = list(reader.tf_record_input_reader.input_path)
    files = [file for pattern in patterns for file in tf.io.gfile.glob(pattern)]
    if not files:
        raise Fault(f"there is no record file {', '.join(patterns)}", "Write the records anew")
    return any(True for _ in tf.data.TFRecordDataset(files).take(1))


def _example(record: bytes) -> dict[str, Any]:
    sides = {f"image/object/bbox/{side}": tf.io.VarLenFeature(tf.float32) for side in _BOX}
    found = tf.io.parse_single_example(record, {
        "image/encoded": tf.io.FixedLenFeature([], tf.string),
        "image/filename": tf.io.FixedLenFeature([], tf.string),
        "image/source_id": tf.io.FixedLenFeature([], tf.string),
        "image/width": tf.io.FixedLenFeature([], tf.int64),
        "image/height": tf.io.FixedLenFeature([], tf.int64),
        "image/object/class/label": tf.io.VarLenFeature(tf.int64),
        "image/object/class/text": tf.io.VarLenFeature(tf.string),
        **sides,
    })  # fmt: skip
    encoded = bytes(found["image/encoded"].numpy())
    columns = [_values(found[side]) for side in sides]
    return {
        "filename": found["image/filename"].numpy().decode(),
        "source_id": found["image/source_id"].numpy().decode(),
        "sha256": hashlib.sha256(encoded).hexdigest(),
        "width": int(found["image/width"]),
        "height": int(found["image/height"]),
        "decoded": list(tf.io.decode_image(encoded).shape),
        "boxes": [list(box) for box in zip(*columns, strict=True)],
        "labels": _values(found["image/object/class/label"]),
        "names": [name.decode() for name in _values(found["image/object/class/text"])],
    }


def _values(sparse: Any) -> list[Any]:
    values: list[Any] = sparse.values.numpy().tolist()
    return values
