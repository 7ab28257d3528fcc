"""A model of the TensorFlow Object Detection API asked by a child process: a run's best.zip, or a SavedModel."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import InputError, WeightsError, one_line
from yolo_pipeline.formats.label_map import BadLabelMap, read_label_map
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.runtimes.tflite_ssd import require_own_iou
from yolo_pipeline.tfapi import environment, weights
from yolo_pipeline.tfapi.child import Child
from yolo_pipeline.tfapi.pipeline_reading import described
from yolo_pipeline.tracks.tfapi.device import device_of

LABEL_MAP, CONFIG = "label_map.pbtxt", "pipeline.config"
_BATCH = 8
_MOST_CLASSES = 10_000


def open_weights(file: Path, asking: Asking) -> Predictor:
    """The model of a best.zip, as long as the predictor is there.

    Raises:
        WeightsError: it is none, or a damaged one.
        InputError: it is shown pictures of another size; or the child fails: one line with the path of its log.
    """
    unpacked = weights.unpack(file)
    job = {"config": str(unpacked.config), "checkpoint": unpacked.checkpoint}
    return _opened(file, job, unpacked.about.names, unpacked.about.size, asking)


def settings_of(path: Path) -> dict[str, Any]:
    """What a best.zip or an exported SavedModel says of how it is asked, in the words of an attempt's settings.

    Raises:
        WeightsError: it is neither, or says nothing of it.
    """
    file = path.parent / CONFIG if path.is_dir() else weights.unpack(path).config
    try:
        said = described(file.read_text(encoding="utf-8"))
    except InputError as error:
        raise WeightsError(path, f"its {CONFIG} cannot be used: {error.reason}", error.remedy) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = f"does not say how it is asked ({CONFIG}: {one_line(str(error))})"
        raise WeightsError(path, reason, "Name the folder as `export --to saved_model` writes it") from error
    return {"model": said.model, "train": {"imgsz": said.size, "iou_threshold": said.iou}}


def open_saved_model(folder: Path, asking: Asking) -> Predictor:
    """A SavedModel as it was exported, its label map and pipeline.config beside it, as long as the predictor is there.

    Raises:
        WeightsError: it says nothing of its classes, or numbers that cannot be.
        InputError: as `open_weights`, or the IoU that is asked for is not its own.
    """
    said = settings_of(folder)["train"]
    names, own_iou = _names(folder), said["iou_threshold"]
    require_own_iou(folder, own_iou, asking)
    return replace(_opened(folder, {"saved_model": str(folder)}, names, said["imgsz"], asking), own_iou=own_iou)


def _names(folder: Path) -> tuple[str, ...]:
    """The classes of a SavedModel by number, from 1 on; one that its label map leaves out is named by its number.

    Others' maps may say a key as the name, /m/01g317, and person as the name to show.
    """
    try:
        items = read_label_map(folder.parent / LABEL_MAP)
        if not items:
            raise BadLabelMap("it names none")
        if odd := [item.id for item in items if not 1 <= item.id <= _MOST_CLASSES]:
            raise BadLabelMap(f"it numbers one {odd[0]}, which is not from 1 to {_MOST_CLASSES}")
    except BadLabelMap as error:
        reason = f"does not say what its classes are ({LABEL_MAP}: {error})"
        raise WeightsError(folder, reason, "Name the folder as `export --to saved_model` writes it") from error
    named = {item.id: item.display_name or item.name for item in items}
    return tuple(named.get(number, str(number)) for number in range(1, max(named) + 1))


def _opened(file: Path, model: Mapping[str, Any], names: tuple[str, ...], size: int, asking: Asking) -> Predictor:
    if asking.imgsz not in (None, size):
        raise InputError(file, f"is shown {size} pixels, and cannot be shown {asking.imgsz}", "Leave imgsz out")
    how = {"iou": asking.iou, "most": asking.most, "conf": asking.conf, "device": device_of(asking.device, "device")}
    return Predictor(_Model({**model, **how}, names).find, names, size, _BATCH)


class _Model:
    """A child that answers one request after the other. Its log goes with it, unless something went wrong."""

    def __init__(self, job: Mapping[str, Any], names: tuple[str, ...]) -> None:
        self._names = names
        python = environment.python()  # without one, no log is begun
        self._log = environment.new_log("asking")
        self._child = Child("ask", job, self._log, python=python)
        self._child.__enter__()
        self._ends = weakref.finalize(self, _ended, self._child, self._log)  # at exit, too
        with self._watched():
            self._child.ready()

    def find(self, batch: Sequence[Pixels]) -> list[list[Detection]]:
        red_first = [np.ascontiguousarray(picture[..., ::-1]) for picture in batch]
        shapes = [list(picture.shape[:2]) for picture in red_first]
        with self._watched():
            answer = self._child.ask({"shapes": shapes}, [picture.data for picture in red_first])
            return self._detections(answer.get("found"), len(batch))

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """After an error or Ctrl-C it may still be working on what nobody waits for: it is ended, and its log kept."""
        try:
            yield
        except BaseException as error:
            if self._ends.detach() is not None:
                self._child.__exit__(InputError, None, None)
                if not isinstance(error, InputError):
                    self._log.unlink(missing_ok=True)
            raise

    def _detections(self, found: Any, count: int) -> list[list[Detection]]:
        """Boxes and scores that are no numbers are left out: a network that has come apart may say such."""
        try:
            return [list(self._rows(rows)) for _, rows in zip(range(count), found, strict=True)]
        except (TypeError, ValueError, IndexError) as error:
            reason = "the TensorFlow process answered with what fits no picture or class"
            raise InputError(self._log, reason, "Check that these weights are whole") from error

    def _rows(self, rows: Any) -> Iterator[Detection]:
        for x0, y0, x1, y1, label, score in rows:
            numbers = [float(number) for number in (x0, y0, x1, y1, score)]
            if all(map(math.isfinite, numbers)):
                yield Detection(Box(*numbers[:4]), self._names[_index(label)], numbers[4])


def _ended(child: Child, log: Path) -> None:
    child.__exit__(None, None, None)
    with suppress(OSError):
        log.unlink()


def _index(label: Any) -> int:
    number = int(label)
    if number != label or number < 0:
        raise ValueError(f"class {label}")
    return number
