"""Exported networks, asked without what trained them: one runtime a file, imported when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.runtimes.network import Network

RUNTIMES = {
    ".onnx": "yolo_pipeline.runtimes.onnx",
    ".xml": "yolo_pipeline.runtimes.openvino",
    ".torchscript": "yolo_pipeline.runtimes.torchscript",
    ".tflite": "yolo_pipeline.runtimes.tflite",
}
"""Suffix of an exported network -> module with a function `open_file`."""

PACKAGES = {".onnx": "onnxruntime", ".xml": "openvino", ".torchscript": "torch", ".tflite": "ai_edge_litert"}
"""Suffix -> package that the runtime needs."""

EXTRAS = {"onnxruntime": "onnx", "onnx": "onnx", "openvino": "openvino", "nncf": "openvino"}
"""Package -> extra that installs it; ai_edge_litert and litert_torch: tflite."""


def network_file(path: Path) -> Path | None:
    """The file of an exported network: itself, or the one in a folder that OpenVINO's export makes; None: neither."""
    if path.suffix.lower() in RUNTIMES:
        return path
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix == ".xml")
        return files[0] if len(files) == 1 else None
    return None


def open_network(path: Path, asking: Asking) -> Predictor:
    """Opens an exported network. One of a fixed size keeps that, whatever imgsz is asked for.

    Raises:
        WeightsError: it is none, cannot be read, or is no detector.
        InputError: the package that runs it is not installed.
    """
    file = network_file(path)
    if file is None:
        raise WeightsError(path, "is no exported network", f"Name a file that ends in {', '.join(RUNTIMES)}")
    if not file.is_file():
        raise WeightsError(file, "there is no such file", "Check the path")
    suffix = file.suffix.lower()
    require(PACKAGES[suffix], str(file))
    network: Network = importlib.import_module(RUNTIMES[suffix]).open_file(file)
    return network.predictor(asking)


def installed(*packages: str) -> bool:
    """Whether packages are there to be imported; imports none. A folder `onnx` of exports is no package."""
    specs = [importlib.util.find_spec(package) for package in packages]
    return all(spec is not None and spec.origin is not None for spec in specs)


def require(package: str, where: str) -> None:
    """
    Raises:
        InputError: the package is not installed.
    """
    if not installed(package):
        raise InputError(where, f"needs {package}, which is not installed", f"Type: {install_command(package)}")


def install_command(package: str) -> str:
    return f'python -m pip install "yolo_pipeline[{EXTRAS.get(package, "tflite")}]"'
