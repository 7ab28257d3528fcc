"""JSON files from strangers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from yolo_pipeline.formats.source import Listing
from yolo_pipeline.nouns import Box

MAX_BYTES = 2**30
_LOOKED_AT = 8  # files that are opened to recognise a format, even where the first one is recognised
_MOST_LOOKED_AT = 2**28  # bytes of files that no format knows


class BadJson(ValueError):
    """The file cannot be read as JSON; the text says why, without the file's name."""


def take_json(listing: Listing, name: str) -> Any:
    """What a JSON file of a listing holds: as it was recognised, so that it is parsed once; forgotten then.

    NaN and Infinity, which Python reads, come as floats: see `number`.

    Raises:
        BadJson: not JSON, nested too deep, over MAX_BYTES, or unreadable.
    """
    return listing.parsed.pop(name) if name in listing.parsed else load_json(listing.root / name)


def load_json(file: Path) -> Any:
    """What `take_json` gives, of any file."""
    try:
        if (size := file.stat().st_size) > MAX_BYTES:
            raise BadJson(f"{size} bytes are over the limit of {MAX_BYTES}")
        return json.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise BadJson(error.strerror or str(error)) from error
    except RecursionError as error:
        raise BadJson("it is nested too deep") from error
    except ValueError as error:  # also bytes that are no UTF-8, and integers of thousands of digits
        raise BadJson(str(error) if isinstance(error, BadJson) else f"not a whole JSON file ({error})") from error


def recognised_json(listing: Listing, formats: Mapping[str, Callable[[Any], bool]]) -> set[str]:
    """Which formats the JSON files of a listing are of, by functions of what a file holds.

    Looks at the first few, and where no format knows one of them, at the others until one does. What was parsed is
    kept for `take_json` where a format knows it.
    """
    found: set[str] = set()
    unknown = 0
    for at, name in enumerate(listing.with_suffix(".json")):
        if at >= _LOOKED_AT and (found or unknown > _MOST_LOOKED_AT):
            break
        file = listing.root / name
        try:
            content = load_json(file)
        except BadJson:
            continue
        known = {format for format, is_of in formats.items() if is_of(content)}
        if known:
            listing.parsed[name] = content
        else:
            unknown += file.stat().st_size
        found |= known
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
