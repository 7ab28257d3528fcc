"""SSDs of the TensorFlow Object Detection API in the TensorFlow Lite format, which suppress by themselves.

They take a stretched picture in floats, and give what TFLite_Detection_PostProcess gives: boxes (1, N, 4) as parts of
the picture, ymin, xmin, ymax, xmax; classes, from 0, and scores, (1, N) each; how many of them count.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.runtimes import tflite_file
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.runtimes.description import names_of, shown, size_of
from yolo_pipeline.runtimes.network import fixed_size
from yolo_pipeline.runtimes.stretching import stretched

KIND = "yolo_pipeline ssd"
"""What such a network notes as its `kind`."""

_EXPORT_AGAIN = "Export it again with yolo_pipeline"
_OUTPUTS = {(3, 4): "boxes", (1, 1): "count"}  # number of axes and length of the last one
_LARGEST = 1e6
_THREADS = 1
"""Of an interpreter. With more, TFLite_Detection_PostProcess loses a class (LiteRT 2.3.0: with two threads the third of
six), and may write beyond its memory. So each thread that asks has an interpreter of its own."""
_MOST_CALLERS = 8

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SsdDescription:
    """What such a network says of itself.

    Attributes:
        names: its classes, in order.
        imgsz: (height, width) in pixels that pictures are stretched to.
        iou: of two boxes of one class that overlap by more, it leaves out the less sure one.
        mean, std: of red, green and blue: what is taken off a pixel's brightness from 0 to 255, and divides it then.
    """

    names: tuple[str, ...]
    imgsz: tuple[int, int]
    iou: float
    mean: tuple[float, ...]
    std: tuple[float, ...]


def require_own_iou(path: Path, iou: float, asking: Asking) -> None:
    """For a network that suppresses by itself, at `iou`.

    Raises:
        InputError: another one is asked for; Asking's default stands for its own.
    """
    if asking.iou != Asking().iou:
        require_this_iou(path, iou, asking.iou)


def require_this_iou(path: Path, iou: float, asked: float) -> None:
    """The same where it is known that `asked` was said, and is no default.

    Raises:
        InputError: it is another one.
    """
    if not math.isclose(asked, iou, abs_tol=1e-6):
        reason = f"suppresses by itself, at IoU {iou:g}; {asked:g} cannot be had of it"
        raise InputError(path, reason, "Leave --iou out, or ask the weights that it was exported from")


def is_ssd(said: object) -> bool:
    return isinstance(said, Mapping) and said.get("kind") == KIND


def describe_ssd(file: Path, said: Mapping[str, Any]) -> SsdDescription:
    """Checks what a network's metadata say.

    Raises:
        WeightsError: something is missing or impossible.
    """
    (iou,) = _numbers(file, "iou", [said.get("iou")], 1, most=1.0)
    mean, std = (_numbers(file, key, said.get(key), 3, most=_LARGEST) for key in ("mean", "std"))
    if not (0 <= iou and min(std) > 0):
        raise WeightsError(file, f"says iou: {iou:g}, std: {list(std)}, which cannot be", _EXPORT_AGAIN)
    return SsdDescription(names_of(file, said.get("names")), size_of(file, said.get("imgsz")), iou, mean, std)


def _numbers(file: Path, key: str, said: object, count: int, most: float) -> tuple[float, ...]:
    values = list(said) if isinstance(said, list) else []
    right = [one for one in values if isinstance(one, (int, float)) and not isinstance(one, bool) and abs(one) <= most]
    if len(right) != count or len(values) != count:
        wanted = "a number" if count == 1 else f"{count} numbers"
        raise WeightsError(file, f"says {key}: {shown(said)}, which is not {wanted} up to {most:g}", _EXPORT_AGAIN)
    return tuple(map(float, right))


@dataclass(frozen=True, slots=True)
class SsdNetwork:
    """Such a network, opened.

    Attributes:
        run: a stretched picture as the network takes it, (1, height, width, 3) -> boxes, classes, scores, count; may be
            called by `callers` threads at the same time.
    """

    file: Path
    told: SsdDescription
    run: Callable[[Floats], Mapping[str, Floats]]
    callers: int

    def predictor(self, asking: Asking) -> Predictor:
        """
        Raises:
            InputError: the IoU that is asked for is not its own.
        """
        require_own_iou(self.file, self.told.iou, asking)

        def find(batch: Sequence[Pixels]) -> list[list[Detection]]:
            return [self._detections(picture, asking) for picture in batch]

        size, own_iou = max(self.told.imgsz), self.told.iou
        return Predictor(find, self.told.names, size, batch=1, callers=self.callers, own_iou=own_iou)

    def _detections(self, picture: Pixels, asking: Asking) -> list[Detection]:
        found = self._asked(picture)
        count = int(np.clip(np.nan_to_num(found["count"].ravel()[0]), 0, len(found["scores"][0])))
        rows = np.column_stack([found["boxes"][0], found["classes"][0], found["scores"][0]])[:count]
        rows = rows[np.isfinite(rows).all(axis=1)]
        rows = rows[rows[:, 5] >= np.float32(asking.conf)]
        labels = rows[:, 4].astype(np.intp)
        if ((labels != rows[:, 4]) | (labels < 0) | (labels >= len(self.told.names))).any():
            reason = f"puts out classes that are none of its {len(self.told.names)}"
            raise WeightsError(self.file, reason, _EXPORT_AGAIN)
        height, width = picture.shape[:2]
        corners = np.clip(rows[:, [1, 0, 3, 2]], 0, 1) * np.array([width, height, width, height], dtype=np.float32)
        listed = zip(corners.tolist(), labels.tolist(), rows[:, 5].tolist(), strict=True)
        boxes = [Detection(Box(*four), self.told.names[label], score) for four, label, score in listed]
        boxes = [one for one in boxes if one.box.width > 0 and one.box.height > 0]  # as the API leaves them out
        return sorted(boxes, key=lambda one: -one.score)[: asking.most]

    def _asked(self, picture: Pixels) -> Mapping[str, Floats]:
        mean, std = (np.array(values, dtype=np.float32) for values in (self.told.mean, self.told.std))
        try:
            floats = (stretched(picture, self.told.imgsz)[..., ::-1] - mean) / std
            return self.run(floats[None])
        except Exception as error:  # ValueError, RuntimeError
            raise WeightsError(self.file, f"cannot be asked: {complaint(error)}", _EXPORT_AGAIN) from error


def open_noted(file: Path, said: Mapping[str, Any]) -> SsdNetwork:
    """
    Raises:
        WeightsError: it was changed, is no such network, or does not fit what it says of itself.
    """
    told, network = describe_ssd(file, said), tflite_file.own_bytes(file, said)
    interpreter = tflite_file.interpreter(file, network, _THREADS)
    given, put_out = interpreter.get_input_details()[0], interpreter.get_output_details()
    tflite_file.require_floats(file, given, *put_out)
    shape = [int(side) for side in given["shape"]]
    size = fixed_size(file, [shape[at] for at in (0, 3, 1, 2)] if len(shape) == 4 else shape)
    if size != told.imgsz:
        raise WeightsError(file, f"takes {size}, but says that it takes {told.imgsz}", _EXPORT_AGAIN)
    return SsdNetwork(file, told, _asked_by_threads(file, network, given["index"], _outputs(file, put_out)), _callers())


def _asked_by_threads(
    file: Path, network: bytes, given: int, outputs: Mapping[str, int]
) -> Callable[[Floats], Mapping[str, Floats]]:
    """An interpreter for each thread that asks."""
    mine = threading.local()

    def run(floats: Floats) -> Mapping[str, Floats]:
        if not hasattr(mine, "interpreter"):
            mine.interpreter = tflite_file.interpreter(file, network, _THREADS)
        mine.interpreter.set_tensor(given, floats)
        mine.interpreter.invoke()
        return {name: mine.interpreter.get_tensor(index) for name, index in outputs.items()}

    return run


def _callers() -> int:
    return min(os.cpu_count() or 1, _MOST_CALLERS)


def _outputs(file: Path, put_out: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Which output is which. Of the two that are alike, the API names scores with the lower number."""
    found: dict[str, int] = {}
    alike = []
    for details in sorted(put_out, key=lambda one: str(one["name"])):
        shape = [int(side) for side in details["shape"]]
        role = _OUTPUTS.get((len(shape), shape[-1] if shape else 0))
        if role is not None and role not in found:
            found[role] = int(details["index"])
        elif len(shape) == 2:
            alike.append((shape[-1], int(details["index"])))
    lengths = {length for length, _ in alike}
    if len(put_out) != 4 or len(found) != 2 or len(alike) != 2 or len(lengths) != 1:
        raise WeightsError(file, "does not put out boxes, scores, classes and their number", _EXPORT_AGAIN)
    return {**found, "scores": alike[0][1], "classes": alike[1][1]}
