"""Networks in the TorchScript format, to check what was exported: slower than the others, and it needs torch."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.runtimes.description import describe
from yolo_pipeline.runtimes.network import Network, as_floats, unreadable

_NOTED_IN = "config.txt"


def open_file(file: Path) -> Network:
    """Opens FILE.torchscript.

    Raises:
        WeightsError: it cannot be read, or is no detector.
    """
    import torch

    noted = {_NOTED_IN: ""}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the format is going to be given up
            network = torch.jit.load(str(file), "cpu", noted).eval()  # type: ignore[no-untyped-call]
    except Exception as error:  # RuntimeError, and what damaged archives raise
        raise unreadable(file, "a TorchScript network", error) from error
    try:
        told = describe(file, json.loads(noted[_NOTED_IN]))
    except (ValueError, RecursionError) as error:
        raise WeightsError(file, "says nothing of its classes and size", "Export it again") from error

    def run(shown: Pixels) -> npt.NDArray[np.floating]:
        with torch.inference_mode():
            output = network(torch.from_numpy(as_floats(shown)))
        first = output[0] if isinstance(output, (list, tuple)) else output
        return np.asarray(first.numpy())

    return Network(file, told, None if told.dynamic else told.imgsz, run)
