"""Settings and texts without the folders of the disk that they were written on, to be handed to others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Any

_START = (
    r"(?:file:/+|~[\w.-]*[\\/]|\.\.[\\/]|[A-Za-z]:[\\/]|\\\\[^\s\\/]|/)"  # an address, home, parent, drive, share, root
)
_PATH = re.compile(rf"{_START}.*", re.DOTALL)
_PATH_IN_TEXT = re.compile(rf"(?<![\w.:/\\~]){_START}[^\s\\/,;:'\"]*(?:[\\/][^\s\\/,;:'\"]*)+|(?<!\S)~[\\/]\S+")


def portable(value: Any) -> Any:
    """The same settings, where of every path that leads out of the project only the last part is left.

    `datasets/raw` stays as it is; `/home/kim/photos`, `~/photos`, `../photos` and `C:\\Users\\kim\\photos` become
    `photos`. Lists and mappings are gone through; what is neither text nor one of these stays.
    """
    if isinstance(value, str):
        return _name(value) if _PATH.fullmatch(value) else _PATH_IN_TEXT.sub(lambda found: _name(found.group()), value)
    if isinstance(value, Mapping):
        return {key: portable(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [portable(entry) for entry in value]
    return value


def _name(path: str) -> str:
    return PureWindowsPath(path).name  # takes both kinds of slashes
