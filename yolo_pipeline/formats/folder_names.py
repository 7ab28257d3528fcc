"""Names of files and folders that every disk can hold, made of names that come from strangers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from yolo_pipeline.files import FORBIDDEN_ON_WINDOWS, WINDOWS_DEVICE, fits_windows
from yolo_pipeline.formats.source import composed

MARKED = re.compile(r".*~[0-9a-f]{8}(\.jpg)?", re.DOTALL)
"""Ends of names that `detecting.naming` gives, with digits of a sha256; nobody else may have one."""

HIDDEN = (".", "__MACOSX")
"""Beginnings of the names of folders that listings pass over."""

_MOST_BYTES = 200  # of one name; disks take 255, and `-12.jpg.part` may be put behind it


def is_safe(name: str) -> bool:
    """Whether every disk can hold a file of this name, in the folder where it is put."""
    usual = name.isprintable() and "\\" not in name and "/" not in name and fits_windows(name)
    return bool(name) and usual and len(name.encode()) <= _MOST_BYTES and not MARKED.fullmatch(name)


def cleaned(name: str) -> str:
    """A name for one file or folder, as near to `name` as every disk can hold it."""
    if is_safe(name):
        return name
    printable = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    kept = FORBIDDEN_ON_WINDOWS.sub("_", printable).encode()[: _MOST_BYTES * 3 // 4].decode(errors="ignore")
    kept = kept.rstrip(". ") or "_"
    return f"_{kept}" if WINDOWS_DEVICE.fullmatch(kept) else kept


@dataclass(slots=True)
class DistinctNames:
    """Gives names of which no two are one on a disk that ignores case or composes Unicode: the later are numbered."""

    _taken: set[str] = field(default_factory=set)
    _numbers: Counter[str] = field(default_factory=Counter)

    def take(self, wanted: str) -> str:
        name = wanted = cleaned(wanted)
        while (key := composed(name).casefold()) in self._taken:
            self._numbers[wanted] += 1
            name = f"{wanted}-{self._numbers[wanted] + 1}"
        self._taken.add(key)
        return name


def class_folders(names: Iterable[str], reserved: Iterable[str] = ()) -> dict[str, str]:
    """Class -> the folder of its pictures; no two share one, whatever the disk, and listings pass over none.

    Args:
        reserved: names that other files have there.
    """
    folders = DistinctNames()
    for name in reserved:
        folders.take(name)
    return {name: folders.take(f"_{name}" if name.startswith(HIDDEN) else name) for name in names}
