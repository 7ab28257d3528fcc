"""JSON files from strangers."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from yolo_pipeline.formats.source import Listing
from yolo_pipeline.nouns import Box

MAX_BYTES = 2**30
_LOOKED_AT = 8  # files that are opened to recognise a format


class BadJson(ValueError):
    """The file cannot be read as JSON; the text says why, without the file's name."""


def load_json(file: Path) -> Any:
    """What a JSON file holds. NaN and Infinity, which Python reads, come as floats: see `number`.

    Do not change it: it is remembered, as recognising a source and reading it open the same file.

    Raises:
        BadJson: not JSON, nested too deep, over MAX_BYTES, or unreadable.
    """
    try:
        status = file.stat()
        if status.st_size > MAX_BYTES:
            raise BadJson(f"{status.st_size} bytes are over the limit of {MAX_BYTES}")
        return _load(file, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise BadJson(error.strerror or str(error)) from error
    except RecursionError as error:
        raise BadJson("it is nested too deep") from error
    except ValueError as error:  # also bytes that are no UTF-8, and integers of thousands of digits
        raise BadJson(str(error) if isinstance(error, BadJson) else f"not a whole JSON file ({error})") from error


@lru_cache(maxsize=1)
def _load(file: Path, _changed: int, _size: int) -> Any:
    return json.loads(file.read_bytes().decode("utf-8-sig"))


def first_json(listing: Listing) -> list[Any]:
    """What the first readable JSON files of a listing hold, for recognising a format."""
    found = []
    for name in listing.with_suffix(".json")[:_LOOKED_AT]:
        try:
            found.append(load_json(listing.root / name))
        except BadJson:
            continue
    return found


def number(value: Any) -> float | None:
    """A finite number, or None; a text that holds one counts, as some tools write it."""
    if type(value) is float:  # as nearly all are
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def box_of(values: Any) -> Box | None:
    """A box of four finite numbers, or None."""
    if not isinstance(values, (list, tuple)) or len(values) != 4:
        return None
    x0, y0, x1, y1 = (number(value) for value in values)
    if x0 is None or y0 is None or x1 is None or y1 is None:
        return None
    return Box(x0, y0, x1, y1)
