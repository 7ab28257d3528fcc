"""Names for pictures of several sources, so that no two are equal."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def labels(roots: Sequence[str], single: Sequence[bool]) -> list[str]:
    """What goes before the names of each source: as many of its last folders as tell it from the others.

    Args:
        roots: the folder or file of each.
        single: whether it is a file, whose name is that of the picture: then the folders before it, mostly none.
    """
    paths = [Path(os.path.normpath(Path(root).absolute())) for root in roots]
    files = _tails({path for path, one in zip(paths, single, strict=True) if one})
    folders = _tails({path for path, one in zip(paths, single, strict=True) if not one})
    return ["/".join(files[path][:-1] if one else folders[path]) for path, one in zip(paths, single, strict=True)]


def _tails(paths: set[Path]) -> dict[Path, tuple[str, ...]]:
    """The shortest ends of paths that differ from each other's."""
    parts = {path: path.parts[1:] for path in paths}  # without the disk
    depth = dict.fromkeys(paths, 1)
    while True:
        tails = {path: parts[path][-depth[path] :] for path in paths}
        counts = Counter(tails.values())
        longer = [path for path in paths if counts[tails[path]] > 1 and depth[path] < len(parts[path])]
        if not longer:
            return tails
        for path in longer:
            depth[path] += 1


def unique(names: Sequence[str]) -> list[str]:
    """Names with a number where one was there before: `a.jpg`, `a-2.jpg`."""
    taken = set(names)
    if len(taken) == len(names):
        return list(names)
    given: set[str] = set()
    return [_numbered(name, taken, given) for name in names]


def _numbered(name: str, taken: set[str], given: set[str]) -> str:
    if name in given:
        stem, suffix = os.path.splitext(name)
        number = 2
        while (numbered := f"{stem}-{number}{suffix}") in taken:
            number += 1
        taken.add(numbered)
        return numbered
    given.add(name)
    return name
