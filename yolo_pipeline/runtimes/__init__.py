"""Exported networks, asked without what trained them: one runtime a file, imported when it is asked for."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.errors import InputError, WeightsError


class Opened(Protocol):
    """An exported network, opened: `network.Network`, or one that suppresses by itself."""

    def predictor(self, asking: Asking) -> Predictor:
        """
        Raises:
            InputError: it cannot be asked in this way.
        """
        ...


RUNTIMES = {
    ".onnx": "yolo_pipeline.runtimes.onnx",
    ".xml": "yolo_pipeline.runtimes.openvino",
    ".torchscript": "yolo_pipeline.runtimes.torchscript",
    ".tflite": "yolo_pipeline.runtimes.tflite",
}
"""Suffix of an exported network -> module with a function `open_file`."""

WEIGHTS = ".pt"
"""Suffix of what training leaves."""

PACKAGES = {".onnx": "onnxruntime", ".xml": "openvino", ".torchscript": "torch", ".tflite": "ai_edge_litert"}
"""Suffix -> package that the runtime needs."""

EXTRAS = {
    "onnxruntime": "onnx",
    "onnx": "onnx",
    "openvino": "openvino",
    "nncf": "openvino",
    "ai_edge_litert": "litert",
    "litert_torch": "tflite",
}
"""Package -> extra that installs it."""


def network_file(path: Path) -> Path | None:
    """The file of an exported network: itself, or the one in a folder that OpenVINO's export makes; None: neither."""
    if path.suffix.lower() in RUNTIMES:
        return path
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix == ".xml")
        return files[0] if len(files) == 1 else None
    return None


def model_file(path: Path) -> Path:
    """The weights or the exported network that a path stands for: itself, or the only one in a folder.

    Raises:
        WeightsError: it is neither, or a folder that holds none or several.
        OSError: it cannot be looked into.
    """
    kinds = (WEIGHTS, *RUNTIMES)
    if path.is_dir():
        return _only_one(path, kinds)
    if path.suffix.lower() not in kinds:
        reason = "is no weights file and no exported network"
        raise WeightsError(path, reason, f"Name a file that ends in {', '.join(kinds[:-1])} or {kinds[-1]}")
    if not path.is_file():
        raise WeightsError(path, "there is no such file", "Check the path")
    return path


def _only_one(folder: Path, kinds: Sequence[str]) -> Path:
    """OpenVINO's export is a folder in a folder."""
    for depth in ("*", "*/*"):
        files = sorted(file for file in folder.glob(depth) if file.suffix.lower() in kinds and file.is_file())
        if len(files) == 1:
            return files[0]
        if files:
            some = ", ".join(file.relative_to(folder).as_posix() for file in files[:4])
            more = ", …" if len(files) > 4 else ""
            raise WeightsError(
                folder, f"is a folder that holds several models: {some}{more}", "Name one of these files"
            )
    reason = f"is a folder that holds no weights and no exported network ({', '.join(kinds)})"
    raise WeightsError(folder, reason, "Name the file")


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
    network: Opened = importlib.import_module(RUNTIMES[suffix]).open_file(file)
    return network.predictor(asking)


def installed(*packages: str) -> bool:
    """Whether packages are there to be imported; imports none. A folder `onnx` of exports is no package."""
    specs = [importlib.util.find_spec(package) for package in packages]
    return all(spec is not None and spec.origin is not None for spec in specs)


def version(package: str) -> str:
    """The version of a package that is installed, by the name that it is imported by.

    Wheels such as onnxruntime-gpu bear another name than what is in them: that says its version itself, if it can.
    """
    try:
        return importlib.metadata.version(package.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        with suppress(Exception):  # whatever a package raises while it is imported
            return str(importlib.import_module(package).__version__)
        return "unknown"


def require(package: str, where: str) -> None:
    """
    Raises:
        InputError: the package is not installed.
    """
    if not installed(package):
        raise InputError(where, f"needs {package}, which is not installed", f"Type: {install_command(package)}")


def install_command(package: str) -> str:
    wanted = f'"yolo_pipeline[{EXTRAS[package]}]"' if package in EXTRAS else package
    return f"python -m pip install {wanted}"
