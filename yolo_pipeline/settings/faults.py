"""What settings of every track share: what is wrong with one, and what was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

_NUMBER_WORD = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


class BadSettingError(ValueError):
    """A setting that its track does not take. The text is `KEY: REASON. WHAT WOULD BE RIGHT`."""

    @property
    def parts(self) -> tuple[str, str, str]:
        """Key, reason and remedy."""
        key, _, text = str(self).partition(": ")
        reason, _, remedy = text.partition(". ")
        return key, reason, remedy


def nearest(word: str, known: Iterable[str]) -> str:
    """A half sentence that helps with a misspelt word: `Did you mean …?` or a list of what is known."""
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    some = sorted(known)
    return f"Known are {', '.join(some[:12])}{' …' if len(some) > 12 else '.'}"


def require_known(train: Mapping[str, Any], known: Collection[str], in_other_words: Mapping[str, str]) -> None:
    """Refuses a training setting that its track does not know.

    Args:
        in_other_words: what others call a setting -> what is meant.
    """
    for key in train:
        if key not in known:
            right = f"Use {in_other_words[key]}" if key in in_other_words else nearest(key, known)
            raise BadSettingError(f"train.{key}: is no setting of this track. {right}")


def checked_values(train: Mapping[str, Any], check: Callable[[str, Any], tuple[bool, str]]) -> dict[str, Any]:
    """The settings, numbers as numbers, each of which fits.

    Args:
        check: key and value -> whether it is right, and what would be.
    """
    checked = {key: as_number(value) for key, value in train.items()}
    for key, value in checked.items():
        fits, expected = check(key, value)
        if not fits:
            raise BadSettingError(f"train.{key}: is {value!r}. It must be {expected}")
    return checked


def as_number(value: Any) -> Any:
    """YAML takes `1e-3` for a word; everybody writes it for a number."""
    return float(value) if isinstance(value, str) and _NUMBER_WORD.fullmatch(value) else value
