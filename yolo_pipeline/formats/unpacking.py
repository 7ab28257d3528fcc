"""Folders in the user's cache with what archives and records hold: made once, found again, forgotten after a month."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from yolo_pipeline.files import cache_folder, explain_os_error, folder_beside, forget_old, write_json

_MANIFEST = ".manifest.json"
"""In each folder: the size of every file as it was made. Listings pass over hidden names."""


def unpacked_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """The folder `name` of the cache, filled by `fill` where it is not there as it was made.

    What was not asked for in a month is removed. Where two commands make it at once, the first one's is taken.

    Raises:
        DataError: the disk is full, the cache may not be written, or a file lies where it must be.
        Exception: what `fill` raises; the folder is not there then.
    """
    folder = cache_folder() / "unpacked" / name
    try:
        if not _is_whole(folder):
            forget_old(folder.parent)
            _make(folder, fill)
        folder.touch()
    except OSError as error:
        raise explain_os_error(folder, error) or error from error
    return folder


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    try:
        with folder_beside(folder, replace=folder.is_dir()) as building:
            fill(building)
            write_json(building / _MANIFEST, _sizes(building), indent=None)
    except OSError:
        if not _is_whole(folder):  # else another command was faster
            raise


def _is_whole(folder: Path) -> bool:
    try:
        said = json.loads((folder / _MANIFEST).read_bytes())
        return bool(said == _sizes(folder))
    except (OSError, ValueError, RecursionError):
        return False


def _sizes(folder: Path) -> dict[str, int]:
    """Relative name -> bytes of every file that is not hidden."""
    return {
        os.path.relpath(os.path.join(below, file), folder): Path(below, file).stat().st_size
        for below, _, files in os.walk(folder)
        for file in files
        if not file.startswith(".")
    }
