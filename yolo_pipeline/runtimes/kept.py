"""Exported networks kept in the user's cache, by the sha256 of the weights that they were made from.

networks/SHA256-RUNTIME/             the network, with a manifest by which a damaged one is told
networks/SHA256-RUNTIME.notes.json   what was found out about it
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from yolo_pipeline import images
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.files import cache_folder, explain_os_error, folder_beside, forget_old, write_json
from yolo_pipeline.runtimes import network_file

_MANIFEST = ".manifest.json"
_LAYOUT_VERSION = 1


def find(weights: Path, runtime: str, made_with: str | None = None) -> Path | None:
    """The network of a runtime, whole as it was made; None: there is none.

    Args:
        made_with: what else it must have been made with; None: anything.

    Raises:
        WeightsError: there is no such weights file.
    """
    manifest = _manifest(_folder(weights, runtime))
    if manifest is None or made_with not in (None, manifest["made_with"]):
        return None
    return network_file(_folder(weights, runtime) / manifest["network"])


def make(weights: Path, runtime: str, fill: Callable[[Path], Path], made_with: str = "") -> Path:
    """Makes a network anew, or not at all; what was not asked for in a month is removed.

    Args:
        fill: writes it into the folder that it is given, and returns its file there.

    Raises:
        DataError: the disk is full, or the cache may not be written.
        Exception: what `fill` raises.
    """
    folder = _folder(weights, runtime)
    try:
        forget_old(folder.parent)
        with folder_beside(folder, replace=True) as building:
            network = fill(building)
            hashes = {file.name: images.sha256(file) for file in sorted(building.iterdir())}
            written = {"network": network.name, "made_with": made_with, "files": hashes}
            write_json(building / _MANIFEST, written, indent=None)
    except OSError as error:
        if (found := find(weights, runtime, made_with)) is not None:  # another command was faster
            return found
        raise explain_os_error(folder, error) or error from error
    return folder / network.name


def note(weights: Path, runtime: str, key: str, value: Any) -> None:
    """Keeps something that was found out about a network, for as long as it is the same."""
    kept = {"network": _identity(weights, runtime), "notes": {**_notes(weights, runtime), key: value}}
    file = _notes_file(weights, runtime)
    try:
        write_json(file, kept)
    except OSError as error:
        raise explain_os_error(file, error) or error from error


def noted(weights: Path, runtime: str, key: str) -> Any:
    """What was noted under a key; None: nothing."""
    return _notes(weights, runtime).get(key)


def _notes(weights: Path, runtime: str) -> dict[str, Any]:
    said = _json(_notes_file(weights, runtime))
    if not isinstance(said, dict) or said.get("network") != _identity(weights, runtime):
        return {}
    notes = said.get("notes")
    return notes if isinstance(notes, dict) else {}


def _identity(weights: Path, runtime: str) -> str:
    """Of the network's bytes; the same for all runtimes that need no network of their own."""
    manifest = _manifest(_folder(weights, runtime))
    return hashlib.sha256(json.dumps(manifest).encode()).hexdigest()


def _manifest(folder: Path) -> dict[str, Any] | None:
    """What the manifest says, where all files are as it says."""
    said = _json(folder / _MANIFEST)
    if not isinstance(said, dict) or not isinstance(said.get("files"), dict):
        return None
    if str(said.get("network")) not in said["files"]:
        return None
    try:
        whole = all(_sha256(folder / name) == digest for name, digest in said["files"].items())
    except (OSError, ValueError):
        return None
    with suppress(OSError):  # that it was asked for; a cache of others may not be written
        folder.touch()
    return {"made_with": "", **said} if whole else None


def _folder(weights: Path, runtime: str) -> Path:
    try:
        digest = _sha256(weights)
    except OSError as error:
        raise WeightsError(weights, "cannot be read, or is not there", "Check the path") from error
    return cache_folder() / "networks" / f"{digest}-{runtime}-{_LAYOUT_VERSION}"


def _notes_file(weights: Path, runtime: str) -> Path:
    return _folder(weights, runtime).with_suffix(".notes.json")


def _sha256(file: Path) -> str:
    """Of a file that is asked for several times in one command, read once."""
    told = file.stat()
    return _read_sha256(file, told.st_size, told.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _read_sha256(file: Path, size: int, time: int) -> str:
    return images.sha256(file)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
