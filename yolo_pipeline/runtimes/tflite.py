"""Networks in the TensorFlow Lite format (LiteRT), to check what was exported."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.runtimes.description import describe
from yolo_pipeline.runtimes.network import Network, as_floats, fixed_size, unreadable

_NOTED_IN = "metadata.json"
_MOST_NOTED = 2**22  # bytes


def open_file(file: Path) -> Network:
    """Opens FILE.tflite as Ultralytics writes it: of a fixed size, floats in and out, boxes as parts of that size.

    Raises:
        WeightsError: it cannot be read, or is no detector.
    """
    from ai_edge_litert.interpreter import Interpreter

    told = describe(file, _noted(file))
    try:
        interpreter = Interpreter(str(file), num_threads=os.cpu_count())
        interpreter.allocate_tensors()
        given, put_out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        shape = [int(side) for side in given["shape"]]
    except Exception as error:  # ValueError, RuntimeError and others
        raise unreadable(file, "a TensorFlow Lite network", error) from error
    colours_last = shape[-1:] == [3]
    size = fixed_size(file, [shape[at] for at in (0, 3, 1, 2)] if colours_last else shape)
    if any(details["dtype"] is not np.float32 for details in (given, put_out)):
        raise WeightsError(file, "takes or gives whole numbers", "Export it with floats in and out")

    def run(shown: Pixels) -> npt.NDArray[np.floating]:
        floats = as_floats(shown)
        interpreter.set_tensor(given["index"], floats.transpose(0, 2, 3, 1) if colours_last else floats)
        interpreter.invoke()
        output: npt.NDArray[np.float32] = interpreter.get_tensor(put_out["index"])
        return output if told.suppresses else _in_pixels(output, shown)

    return Network(file, told, size, run)


def _in_pixels(output: npt.NDArray[np.float32], shown: Pixels) -> npt.NDArray[np.float32]:
    height, width = shown.shape[:2]
    output[:, :4] *= np.array([width, height, width, height], dtype=np.float32)[:, None]
    return output


def _noted(file: Path) -> Any:
    """What is noted in the archive that Ultralytics appends to the network."""
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.getinfo(_NOTED_IN).file_size > _MOST_NOTED:
                return None
            return json.loads(archive.read(_NOTED_IN))
    except (OSError, KeyError, ValueError, RecursionError, NotImplementedError, zipfile.BadZipFile):
        return None
