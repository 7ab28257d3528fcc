"""Networks in the ONNX format, by onnxruntime, on the processor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.runtimes.description import describe
from yolo_pipeline.runtimes.network import Network, as_floats, fixed_size, unreadable

_ERRORS_ALONE = 3
_MOST_CALLERS = 8
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def open_file(file: Path) -> Network:
    """Opens FILE.onnx, with what Ultralytics notes in its metadata.

    Cores work on a picture each, where there are enough callers: two do so 1.4 times as fast as both on one.

    Raises:
        WeightsError: it cannot be read, or is no detector.
    """
    cores = os.cpu_count() or 1
    callers = min(cores, _MOST_CALLERS)
    try:
        session = _session(file, threads=cores // callers)
        given, said = session.get_inputs()[0], session.get_modelmeta().custom_metadata_map
    except Exception as error:  # onnxruntime has a family of its own
        raise unreadable(file, "an ONNX network", error) from error
    told, size = describe(file, said), fixed_size(file, given.shape)
    if given.type not in _TYPES:
        raise WeightsError(file, f"takes {given.type}, no picture of floats", "Export it again")

    def run(shown: Pixels) -> npt.NDArray[np.floating]:
        floats = as_floats(shown).astype(_TYPES[given.type], copy=False)
        output: npt.NDArray[np.floating] = session.run(None, {given.name: floats})[0]
        return output

    return Network(file, told, size, run, callers)


def _session(file: Path, threads: int) -> Any:
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # its build for Windows reports to its makers
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ALONE
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
