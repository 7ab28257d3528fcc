"""Writing so that a reader never meets half a file or half a folder: built beside, then renamed."""

from __future__ import annotations

import errno
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import platformdirs

from yolo_pipeline.errors import DataError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_KEPT_DAYS = 30  # in the cache
_FILE_IN_THE_WAY = ("is a file, or lies in one, where a folder must be", "Move the file away")

FORBIDDEN_ON_WINDOWS = re.compile(r'[<>:"|?*]')
WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def fits_windows(name: str) -> bool:
    """Whether Windows can hold a file or folder of this name (without `/`)."""
    return not (FORBIDDEN_ON_WINDOWS.search(name) or WINDOWS_DEVICE.fullmatch(name) or name.endswith((".", " ")))


def cache_folder() -> Path:
    """Where what can be made again is kept between runs: the user's cache, as the system has it."""
    return platformdirs.user_cache_path("yolo_pipeline")


def forget_old(folder: Path) -> None:
    """Removes from a folder of the cache the files and folders that were not touched in a month."""
    oldest = time.time() - _KEPT_DAYS * 24 * 3600
    for entry in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):  # another command was faster; or it cannot be written, which writing will say
            if entry.stat().st_mtime < oldest:
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 with `\\n` ends; `path` holds either the old text or the whole new one.

    File names that are no Unicode (lone surrogates in Python) are written as escapes, which JSON reads back.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, data: bytes) -> None:
    """`path` holds either what it held or all of `data`; nothing is left beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any, *, indent: int | None = 2) -> None:
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def folder_beside(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """A new folder to fill, which becomes `folder` when the block ends well and is removed when it does not.

    Args:
        replace: take away a `folder` that is there; without it, only an empty one may be.

    Raises:
        DataError: the disk is full; a file lies where a folder must be.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = _fresh(folder, "building")
    except FileExistsError as error:
        raise DataError(folder.parent, *_FILE_IN_THE_WAY) from error
    except OSError as error:
        raise explain_os_error(folder, error) or error from error
    try:
        yield building
        if folder.exists() and replace:
            old = _fresh(folder, "old")
            folder.rename(old / folder.name)
            try:
                building.rename(folder)
            except OSError:
                (old / folder.name).rename(folder)
                old.rmdir()
                raise
            shutil.rmtree(old, ignore_errors=True)
            return
        if folder.exists():
            folder.rmdir()
        building.rename(folder)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        if (explained := explain_os_error(folder, error)) is not None:
            raise explained from error
        raise
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def explain_os_error(where: Path | str, error: OSError) -> DataError | None:
    """A full disk, a missing permission or a file in the way as an error for the user; None for anything else."""
    if error.errno in _DISK_FULL:
        return DataError(
            where, "the disk is full", "Free some space and try again; nothing half-written was left behind"
        )
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        named = error.filename or where
        return DataError(named, "may not be written or read", "Close programs that use it, or mend its permissions")
    if isinstance(error, NotADirectoryError):
        return DataError(error.filename or where, *_FILE_IN_THE_WAY)
    if isinstance(error, IsADirectoryError):
        return DataError(error.filename2 or where, "is a folder, where a file must be", "Name a file in it")
    return None


def set_aside(folder: Path) -> None:
    """Renames a folder, if there is one, to `free_name`."""
    if folder.exists():
        folder.rename(free_name(folder))


def free_name(folder: Path) -> Path:
    """The first of FOLDER.1, FOLDER.2 … that nobody has."""
    number = 1
    while (target := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    return target


def _fresh(folder: Path, purpose: str) -> Path:
    """A new folder beside another, under a name that nobody has."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=f".{purpose}", dir=folder.parent))
    fresh.chmod(0o755)  # mkdtemp's is for its owner alone
    return fresh
