"""Names of files and folders that are made of the names of pictures and classes, which come from strangers."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from yolo_pipeline.files import FORBIDDEN_ON_WINDOWS, WINDOWS_DEVICE, fits_windows
from yolo_pipeline.formats.source import composed, stem_of
from yolo_pipeline.images import PICTURE_SUFFIXES

_MOST_BYTES = 200  # of one name; disks take 255, and `-12.jpg.part` may be put behind it
_MARKED = re.compile(r".*~[0-9a-f]{8}(\.jpg)?", re.DOTALL)


def file_name(name: str) -> str:
    """Where the drawn copy of a picture lies below its folder, with `/`; no two pictures share one.

    `a/b.jpg` stays as it is and `a/b.png` becomes `a/b.png.jpg`. A folder or file that a disk may refuse, that leads
    elsewhere, or that could be taken for one of these has such characters replaced and `~` with 8 digits of its
    sha256 put behind it: `../b.jpg` is `_~5ec1f7e7/b.jpg`.
    """
    *folders, file = name.split("/")
    return "/".join([*map(_folder, folders), _file(file)])


def _folder(name: str) -> str:
    return name if _is_safe(name) and not name.lower().endswith(".jpg") else _marked(name, name)


def _file(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    if suffix == ".jpg":
        kept, is_clear = name, os.path.splitext(stem)[1].lower() not in PICTURE_SUFFIXES
    else:
        kept, is_clear = f"{name}.jpg", suffix.lower() in PICTURE_SUFFIXES
    return kept if is_clear and _is_safe(kept) else _marked(stem, name) + ".jpg"


def _is_safe(name: str) -> bool:
    """Whether every disk can hold a file of this name, in the folder where it is put."""
    usual = name.isprintable() and "\\" not in name and "/" not in name and fits_windows(name)
    return bool(name) and usual and len(name.encode()) <= _MOST_BYTES and not _MARKED.fullmatch(name)


def _marked(shown: str, whole: str) -> str:
    return f"{cleaned(shown)}~{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def cleaned(name: str) -> str:
    """A name for one file or folder, as near to `name` as every disk can hold it."""
    if _is_safe(name):
        return name
    printable = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    kept = FORBIDDEN_ON_WINDOWS.sub("_", printable).encode()[: _MOST_BYTES * 3 // 4].decode(errors="ignore")
    kept = kept.rstrip(". ") or "_"
    return f"_{kept}" if WINDOWS_DEVICE.fullmatch(kept) else kept


def visible_stem(name: str) -> str:
    """The stem of a picture's name, for a folder of pictures: not hidden, and no formula in a table."""
    return stem_of(name).lstrip(".=+-@ ") or "picture"


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


def class_folders(names: Sequence[str]) -> dict[str, str]:
    """Class -> the folder of its pictures; no two share one, whatever the disk."""
    folders = DistinctNames()
    return {name: folders.take(name) for name in names}
