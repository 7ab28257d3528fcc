"""Patterns such as `scraped/*.jpg`, which Windows shells hand on as they are. `**` stands for folders in folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from yolo_pipeline.errors import InputError
from yolo_pipeline.formats.source import composed
from yolo_pipeline.gathering.finding import File, Found, mode_of
from yolo_pipeline.gathering.walking import walk

_MAGIC = frozenset("*?[")


def is_pattern(text: str) -> bool:
    return not _MAGIC.isdisjoint(text)


def find_pattern(pattern: str) -> Found:
    """The pictures that a pattern matches, and those in the folders that it matches.

    Names in it may be composed or decomposed Unicode. Written here since Python's glob tells these apart, and follows
    links that loop.

    Raises:
        InputError: it matches nothing.
    """
    parts = Path(pattern).parts
    fixed = next(depth for depth, part in enumerate(parts) if is_pattern(part))
    folder, wanted = str(Path(*parts[:fixed])), [composed(part) for part in parts[fixed:]]
    if not stat.S_ISDIR(mode_of(folder)):
        raise InputError(pattern, f"there is no folder {folder}", "Check the path")
    found = _below(folder, wanted) if "**" in wanted else _beside(folder, wanted)
    if not (found.files or found.skipped or found.archives):
        reason = "matches no picture" if found.passed else "matches no file"
        raise InputError(pattern, reason, "Check it: * stands for any part of a name, ** for any folders")
    found.settle()
    return found


def _below(folder: str, wanted: Sequence[str]) -> Found:
    found = walk(folder)
    found.files = [file for file in found.files if _matches(file.name, wanted)]
    found.skipped = [skip for skip in found.skipped if _matches(skip.file, wanted)]
    found.archives = [file for file in found.archives if _fits(composed(file.name).split("/"), wanted)]
    found.passed = 0
    return found


def _matches(name: str, wanted: Sequence[str]) -> bool:
    """Whether a pattern matches a name, or a folder that it lies in."""
    parts = composed(name).split("/")
    return any(_fits(parts[: depth + 1], wanted) for depth in range(len(parts)))


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether parts of a name are those of a pattern, in which `**` is any number of them."""
    ends = {0}  # how many parts the pattern so far may have used up
    for one in wanted:
        if one == "**":
            ends = set(range(min(ends), len(parts) + 1)) if ends else ends
        else:
            ends = {end + 1 for end in ends if end < len(parts) and fnmatch(parts[end], one)}
    return len(parts) in ends


def _beside(folder: str, wanted: Sequence[str]) -> Found:
    found = Found(folder)
    for path in _expanded(folder, wanted, found):
        name = os.path.relpath(path, folder).replace(os.sep, "/")
        mode = mode_of(path)
        if stat.S_ISDIR(mode):
            _add_folder(found, name, path)
        elif not stat.S_ISREG(mode):
            found.other(name, path)
        else:
            real = os.path.realpath(path)
            found.consider(File(name, path, real, linked=os.path.islink(path)))
    return found


def _add_folder(found: Found, name: str, path: str) -> None:
    try:
        inside = walk(path).without_archives()
    except InputError as error:
        found.skip(name, error.reason)
        return
    found.files += [file._replace(name=f"{name}/{file.name}") for file in inside.files]
    for skip in inside.skipped:
        found.skip(f"{name}/{skip.file}", skip.why)
    found.notes += inside.notes
    found.passed += inside.passed


def _expanded(folder: str, wanted: Sequence[str], found: Found) -> Iterator[str]:
    """The paths that a pattern without `**` matches, in order."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        found.skip(os.path.relpath(folder, found.root).replace(os.sep, "/"), error)
        return
    for name in names:
        if not fnmatch(composed(name), wanted[0]) or (name[0] == "." and wanted[0][0] != "."):
            continue
        path = os.path.join(folder, name)
        if len(wanted) == 1:
            yield path
        elif stat.S_ISDIR(mode_of(path)):
            yield from _expanded(path, wanted[1:], found)
