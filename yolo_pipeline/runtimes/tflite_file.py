"""A TensorFlow Lite file: the network, and behind it an archive in which it says what it is, as Ultralytics has it."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from yolo_pipeline.errors import WeightsError
from yolo_pipeline.runtimes.network import unreadable

_NOTED_IN, _NETWORK = "metadata.json", "network"
_MOST_NOTED = 2**22  # bytes
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what unpacks the others has errors of its own
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of the ZIP format: the same network gives the same bytes
_UNREADABLE = (OSError, EOFError, KeyError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)


def noted(file: Path) -> Any:
    """What a network says of itself, hostile until checked; None: nothing that can be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            entry = archive.getinfo(_NOTED_IN)
            if entry.file_size > _MOST_NOTED or entry.compress_type not in _PACKED:
                return None
            return json.loads(archive.read(entry))
    except _UNREADABLE:
        return None


def append_note(file: Path, said: Mapping[str, Any]) -> None:
    """Lets a network say what it is; and how long it is, and its sha256, by which `own_bytes` tells a damaged one.

    Raises:
        OSError: the disk is full, or the file cannot be written.
    """
    network = file.read_bytes()
    known = {"bytes": len(network), "sha256": hashlib.sha256(network).hexdigest()}
    entry = zipfile.ZipInfo(_NOTED_IN, _FIRST_DAY)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(entry, json.dumps({**said, _NETWORK: known}, ensure_ascii=False, indent=2) + "\n")


def own_bytes(file: Path, said: Mapping[str, Any]) -> bytes:
    """The network without what is appended to it, as it was when `append_note` described it.

    Raises:
        WeightsError: it was changed since, or cannot be read. LiteRT itself runs one with another weight.
    """
    known = said.get(_NETWORK)
    length = known.get("bytes") if isinstance(known, Mapping) else None
    try:
        data = file.read_bytes()
    except OSError as error:
        raise unreadable(file, "a TensorFlow Lite network", error) from error
    network = data[:length] if isinstance(length, int) and not isinstance(length, bool) and length > 0 else b""
    if not isinstance(known, Mapping) or hashlib.sha256(network).hexdigest() != known.get("sha256"):
        raise WeightsError(file, "was changed since it was exported, or is damaged", "Export it again")
    return network


def interpreter(file: Path, network: bytes | None = None, threads: int | None = None) -> Any:
    """LiteRT's, ready to be asked by one thread at a time.

    Args:
        network: the bytes to run; None: those of the file.
        threads: that it uses itself; None: one for each core.

    Raises:
        WeightsError: it is no such network.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        path = None if network is not None else str(file)
        opened = Interpreter(path, network, num_threads=threads or os.cpu_count())
        opened.allocate_tensors()
        if not (opened.get_input_details() and opened.get_output_details()):
            raise ValueError("it takes or gives nothing")
    except Exception as error:  # ValueError, RuntimeError and others
        raise unreadable(file, "a TensorFlow Lite network", error) from error
    return opened


def require_floats(file: Path, *tensors: Mapping[str, Any]) -> None:
    """
    Raises:
        WeightsError: one of them holds something else.
    """
    if any(details["dtype"] is not np.float32 for details in tensors):
        raise WeightsError(file, "takes or gives whole numbers", "Export it with floats in and out")
