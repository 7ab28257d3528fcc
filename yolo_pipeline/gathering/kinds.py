"""What a source is, told from its text and from what lies there."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from pathlib import Path
from typing import Literal

from yolo_pipeline import images
from yolo_pipeline.errors import InputError
from yolo_pipeline.gathering.finding import CLAIMING, NOWHERE
from yolo_pipeline.gathering.patterns import is_pattern

Kind = Literal["folder", "picture", "archive", "pattern", "list"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def kind_of(source: str) -> Kind:
    """The kind of a source that is no address to be fetched. What is really there is no pattern, whatever its name.

    Raises:
        InputError: it is nothing.
    """
    if not source.strip() or "\0" in source:
        raise InputError(source or '""', "names nothing", "Name a picture, a folder, a zip or an address")
    if _SCHEME.match(source):
        raise InputError(source, "is an address that is not fetched", "Name one with http:// or https://")
    try:
        mode = Path(source).stat().st_mode
        if stat.S_ISDIR(mode):
            return "folder"
        if not stat.S_ISREG(mode):
            raise InputError(source, "is a pipe or a device", "Name a file or a folder")
        return _kind_of_file(source)
    except OSError as error:
        if is_pattern(source) and not os.path.lexists(source):
            return "pattern"
        raise _absent(source, error) from error


def _kind_of_file(file: str) -> Kind:
    suffix = os.path.splitext(file)[1].lower()
    if suffix in CLAIMING:
        return "picture"
    if suffix == ".zip":
        return "archive"
    if images.starts_like_picture(images.start_of(file)):
        return "picture"
    return "archive" if zipfile.is_zipfile(file) else "list"


def _absent(source: str, error: OSError) -> InputError:
    if isinstance(error, PermissionError):
        return InputError(source, error.strerror or "may not be read", "Check its permissions")
    if os.path.islink(source):
        return InputError(source, f"is {NOWHERE}", "Name the file itself")
    return InputError(source, "there is no such file or folder", "Check the path")
