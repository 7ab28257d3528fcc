"""Networks in the TensorFlow Lite format (LiteRT): those of Ultralytics, to check what was exported, and SSDs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.runtimes import tflite_file, tflite_ssd
from yolo_pipeline.runtimes.description import describe
from yolo_pipeline.runtimes.network import Network, as_floats, fixed_size


def open_file(file: Path) -> Network | tflite_ssd.SsdNetwork:
    """Opens FILE.tflite: an SSD that `tflite_ssd` describes, or else what Ultralytics writes.

    Raises:
        WeightsError: it cannot be read, or is no detector.
    """
    said = tflite_file.noted(file)
    return tflite_ssd.open_noted(file, said) if tflite_ssd.is_ssd(said) else _open_yolo(file, said)


def _open_yolo(file: Path, said: Any) -> Network:
    """Of a fixed size, floats in and out, boxes as parts of that size."""
    told = describe(file, said)
    interpreter = tflite_file.interpreter(file)
    given, put_out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    shape = [int(side) for side in given["shape"]]
    colours_last = shape[-1:] == [3]
    size = fixed_size(file, [shape[at] for at in (0, 3, 1, 2)] if colours_last else shape)
    tflite_file.require_floats(file, given, put_out)

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
