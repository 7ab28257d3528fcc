"""A folder and all below it. Links to folders are followed, and no folder is walked twice."""

from __future__ import annotations

import os
from collections import deque

from yolo_pipeline.errors import InputError
from yolo_pipeline.gathering.finding import File, Found

_PASSED_OVER = (".", "__MACOSX")


def walk(root: str) -> Found:
    """All pictures below a folder, hidden files and folders left out.

    A link to a folder that is walked already, or to one that it lies in, is not followed, and noted.

    Raises:
        InputError: the folder cannot be listed.
    """
    try:
        os.scandir(root).close()
    except OSError as error:
        raise InputError(root, error.strerror or str(error), "Check its permissions") from error
    walking = _Walk(root)
    walking.all()
    walking.found.settle()
    return walking.found


class _Walk:
    """Folders are known by their real paths; those behind links come after all that are really there."""

    def __init__(self, root: str) -> None:
        self.found = Found(root)
        self._walked: dict[str, str] = {}  # real path -> path as it was reached
        self._links: deque[tuple[str, str, str]] = deque([("", root, os.path.realpath(root))])  # prefix, path, real

    def all(self) -> None:
        while self._links:
            prefix, path, real = self._links.popleft()
            self._tree(prefix, path, real)

    def _tree(self, prefix: str, path: str, real: str) -> None:
        folders = [(prefix, path, real)]
        while folders:
            prefix, path, real = folders.pop()
            if (before := self._walked.setdefault(real, path)) != path:
                self.found.notes.append(f"{path}: leads to {before}, which is walked once")
                continue
            try:
                with os.scandir(path) as entries:
                    listed = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self.found.skip(prefix.rstrip("/"), error)
                continue
            folders += [inner for entry in listed if (inner := self._entry(entry, prefix, real)) is not None]

    def _entry(self, entry: os.DirEntry[str], prefix: str, folder: str) -> tuple[str, str, str] | None:
        """Takes a file, remembers a link to a folder, or gives the folder to go on with."""
        if entry.name.startswith(_PASSED_OVER):
            return None
        name = prefix + entry.name
        try:
            link, is_folder, is_file = entry.is_symlink(), entry.is_dir(), entry.is_file()
        except OSError:  # links that lead to each other
            self.found.other(name, entry.path)
            return None
        inner = os.path.join(folder, entry.name)
        real = os.path.realpath(inner) if link or (os.name == "nt" and is_folder) else inner  # junctions are no links
        if not is_folder:
            if is_file:
                self.found.consider(File(name, entry.path, real, linked=link or real != inner))
            else:
                self.found.other(name, entry.path)
        elif not link:
            return f"{name}/", entry.path, real
        elif f"{inner}{os.sep}".startswith(real.rstrip(os.sep) + os.sep):
            self.found.notes.append(f"{entry.path}: leads back to a folder that it lies in, which is walked once")
        else:
            self._links.append((f"{name}/", entry.path, real))
        return None
