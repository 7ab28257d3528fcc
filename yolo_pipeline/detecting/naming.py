"""Names of files and folders that are made of the names of pictures and classes, which come from strangers."""

from __future__ import annotations

import hashlib
import os

from yolo_pipeline.formats.folder_names import DistinctNames, class_folders, cleaned, is_safe
from yolo_pipeline.formats.source import stem_of
from yolo_pipeline.images import PICTURE_SUFFIXES

__all__ = ["DistinctNames", "class_folders", "cleaned", "file_name", "visible_stem"]


def file_name(name: str) -> str:
    """Where the drawn copy of a picture lies below its folder, with `/`; no two pictures share one.

    `a/b.jpg` stays as it is and `a/b.png` becomes `a/b.png.jpg`. A folder or file that a disk may refuse, that leads
    elsewhere, or that could be taken for one of these has such characters replaced and `~` with 8 digits of its
    sha256 put behind it: `../b.jpg` is `_~5ec1f7e7/b.jpg`.
    """
    *folders, file = name.split("/")
    return "/".join([*map(_folder, folders), _file(file)])


def _folder(name: str) -> str:
    return name if is_safe(name) and not name.lower().endswith(".jpg") else _marked(name, name)


def _file(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    if suffix == ".jpg":
        kept, is_clear = name, os.path.splitext(stem)[1].lower() not in PICTURE_SUFFIXES
    else:
        kept, is_clear = f"{name}.jpg", suffix.lower() in PICTURE_SUFFIXES
    return kept if is_clear and is_safe(kept) else _marked(stem, name) + ".jpg"


def _marked(shown: str, whole: str) -> str:
    return f"{cleaned(shown)}~{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def visible_stem(name: str) -> str:
    """The stem of a picture's name, for a folder of pictures: not hidden, and no formula in a table."""
    return stem_of(name).lstrip(".=+-@ ") or "picture"
