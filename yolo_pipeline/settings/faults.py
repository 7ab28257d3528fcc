"""What settings of every track share: what is wrong with one, and what was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

_NUMBER_WORD = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


class BadSettingError(ValueError):
    """A setting that its track does not take. The text says why and what would be right."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A half sentence that helps with a misspelt word: `Did you mean …?` or a list of what is known."""
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    some = sorted(known)
    return f"Known are {', '.join(some[:12])}{' …' if len(some) > 12 else '.'}"


def as_number(value: Any) -> Any:
    """YAML takes `1e-3` for a word; everybody writes it for a number."""
    return float(value) if isinstance(value, str) and _NUMBER_WORD.fullmatch(value) else value
