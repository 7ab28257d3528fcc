"""Task `ask`: what a model sees in pictures, request by request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from .faults import Fault
from .models import device_name, parameters, read_config, readable, restored, set_asking
from .talking import Parent

Pixels = npt.NDArray[np.uint8]
"""(height, width, 3), upright, red first."""

_FOUND = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
_WARM_SIZE = 64  # pixels of the picture that is looked at before the first request


class Model(Protocol):
    """What finds boxes in pictures."""

    def facts(self) -> dict[str, Any]:
        """What is known of it."""
        ...

    def find(self, pictures: Sequence[Pixels]) -> Iterator[npt.NDArray[np.float32]]:
        """(N, 6) a picture: x0, y0, x1, y1 as fractions of the picture, class index from 0, score; best first."""
        ...


def run(parent: Parent) -> None:
    """Says it is ready, then answers until stdin ends."""
    job = parent.job
    model: Model = SavedModel(job) if job.get("saved_model") else Checkpointed(job)
    list(model.find([np.zeros((_WARM_SIZE, _WARM_SIZE, 3), np.uint8)]))
    parent.send({"ready": {"device": device_name(), **model.facts()}})
    for header, blobs in parent.requests():
        shapes = [(height, width) for height, width in header["shapes"]]
        pictures = [np.frombuffer(blob, np.uint8).reshape(*shape, 3) for blob, shape in zip(blobs, shapes, strict=True)]
        found = zip(model.find(pictures), shapes, strict=True)
        parent.send({"found": [_in_pixels(rows, *shape) for rows, shape in found]})


class Checkpointed:
    """A config and a checkpoint. One graph for all pictures where the model's own resizing makes them equal; else none,
    which is slower."""

    def __init__(self, job: dict[str, Any]) -> None:
        config = read_config(job["config"])
        self._conf = float(job["conf"])
        set_asking(config, job.get("iou"), int(job["most"]), self._conf)
        self._model = restored(config, job["checkpoint"])
        picture = tf.TensorSpec([None, None, 3], tf.uint8)
        self._prepare = tf.function(self._model_input, input_signature=[picture])
        self._look: Callable[[Any, Any], tuple[Any, ...]] = self._detections  # anchors want to know the size of a graph
        size = self._prepare.get_concrete_function().structured_outputs[0].shape[1:3]
        if size.is_fully_defined():
            batch = [tf.TensorSpec([None, *size, 3], tf.float32), tf.TensorSpec([None, 3], tf.int32)]
            self._look = tf.function(self._detections, input_signature=batch)

    def facts(self) -> dict[str, Any]:
        return {"parameters": parameters(self._model)}

    def find(self, pictures: Sequence[Pixels]) -> Iterator[npt.NDArray[np.float32]]:
        prepared = [self._prepare(picture) for picture in pictures]
        if len({tuple(image.shape) for image, _ in prepared}) > 1:
            for picture in pictures:
                yield from self.find([picture])
        elif prepared:
            images, shapes = zip(*prepared, strict=True)
            found = (part.numpy() for part in self._look(tf.concat(images, 0), tf.concat(shapes, 0)))
            for boxes, classes, scores, count in zip(*found, strict=True):
                yield _rows(boxes, classes, scores, int(count), self._conf)

    def _model_input(self, picture: Any) -> tuple[Any, Any]:
        """[1, H, W, 3] float as the model takes it, and [1, 3] how much of that is picture."""
        image, shape = self._model.preprocess(tf.cast(picture, tf.float32)[tf.newaxis])
        return image, shape

    def _detections(self, images: Any, shapes: Any) -> tuple[Any, ...]:
        found = self._model.postprocess(self._model.predict(images, shapes), shapes)
        return tuple(found[name] for name in _FOUND)


class SavedModel:
    """An exported model, which has chosen its boxes as its config said; `conf` and `most` leave some of them out."""

    def __init__(self, job: dict[str, Any]) -> None:
        folder = Path(job["saved_model"])
        try:
            with readable(str(folder)) as path:
                self._loaded = tf.saved_model.load(path)
            self._look = self._loaded.signatures["serving_default"]
        except (OSError, KeyError, ValueError) as error:
            raise Fault(f"{folder} is no SavedModel that TensorFlow can open: {error}", "Export it anew") from error
        self._conf, self._most = float(job["conf"]), int(job["most"])

    def facts(self) -> dict[str, Any]:
        return {}

    def find(self, pictures: Sequence[Pixels]) -> Iterator[npt.NDArray[np.float32]]:
        for picture in pictures:
            found = self._look(tf.constant(picture[None]))
            boxes, classes, scores, count = (found[name][0].numpy() for name in _FOUND)
            yield _rows(boxes, classes - 1, scores, int(count), self._conf)[: self._most]


def _rows(boxes: Any, classes: Any, scores: Any, count: int, conf: float) -> npt.NDArray[np.float32]:
    """The API's (y0, x0, y1, x1), classes and scores, padded behind `count`, in one table, best first."""
    boxes, classes, scores = boxes[:count], classes[:count], scores[:count]
    table = np.column_stack([boxes[:, [1, 0, 3, 2]], classes, scores]).astype(np.float32)
    return table[np.argsort(-scores, kind="stable")][: np.count_nonzero(scores >= np.float32(conf))]


def _in_pixels(rows: npt.NDArray[np.float32], height: int, width: int) -> list[list[float]]:
    scaled = rows.astype(np.float64) * [width, height, width, height, 1, 1]
    scaled[:, :4] = scaled[:, :4].clip(0, [width, height, width, height])
    return [[*row[:4], int(row[4]), row[5]] for row in scaled.tolist()]
