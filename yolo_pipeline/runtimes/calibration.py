"""OpenVINO's networks in whole numbers of 8 bits, whose scales are measured on pictures. By NNCF; needs no torch."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_pipeline import decoding
from yolo_pipeline.runtimes.letterbox import letterbox, rounded_up
from yolo_pipeline.runtimes.network import as_floats
from yolo_pipeline.runtimes.openvino import described, quiet_openvino


def quantize(network: Path, samples: Sequence[Path], imgsz: int | None, folder: Path) -> Path:
    """Writes a network into a folder again, its weights and what flows between its layers in 8 bits.

    The last part of the head stays in floats, as in Ultralytics' own export (utils/export/openvino.py). The scales are
    measured on pictures as they are shown later: rectangles, their longer side `imgsz`.

    Raises:
        Exception: what NNCF or OpenVINO raises.
    """
    openvino = quiet_openvino()
    import nncf

    nncf.set_log_level(logging.ERROR)
    told = described(network)
    side = rounded_up(imgsz or max(told.imgsz), told.stride)

    def shown(file: Path) -> npt.NDArray[np.float32]:
        return as_floats(letterbox(decoding.decode_any(file).pixels, (side, side), told.stride)[0])

    model = openvino.Core().read_model(network)
    quantized = nncf.quantize(
        model,
        nncf.Dataset(samples, shown),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(samples),
        ignored_scope=nncf.IgnoredScope(names=_left_in_floats(model)),
    )
    openvino.save_model(quantized, folder / network.name, compress_to_fp16=False)
    shutil.copyfile(network.with_name("metadata.yaml"), folder / "metadata.yaml")
    return folder / network.name


def _left_in_floats(model: Any) -> list[str]:
    """Every sigmoid, and the head's own operations: those that turn its layers' outputs into boxes and scores."""
    operations = [(one.get_friendly_name(), one.get_type_name()) for one in model.get_ordered_ops()]
    sigmoids = [name for name, kind in operations if kind == "Sigmoid"]
    if not sigmoids:
        return []
    head = sigmoids[-1].split("/", 1)[0]
    return [name for name, _ in operations if name in sigmoids or name.startswith((f"{head}/", f"{head}.dfl"))]
