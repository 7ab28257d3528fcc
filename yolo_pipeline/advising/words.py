"""Sentences with the numbers of an advice in them."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yolo_pipeline.errors import one_line

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Words:
    """What an advice says, with the names of its figures in braces; `{share:percent}` is written as 12 %."""

    measured: str
    cause: str
    remedy: str

    @property
    def fields(self) -> set[str]:
        """Names of the figures that they need."""
        whole = f"{self.measured}{self.cause}{self.remedy}"
        return {name for _, name, _, _ in string.Formatter().parse(whole) if name}


def said_of(
    rule: str, figures: Mapping[str, Any], words: Mapping[str, Words], of_track: Mapping[str, Mapping[str, Words]]
) -> Words:
    """The words of a rule, on the track that its figures name."""
    return of_track.get(str(figures.get("track")), {}).get(rule) or words[rule]


class _Figures(string.Formatter):
    def format_field(self, value: Any, spec: str) -> str:
        if spec == "percent":
            return _percent(float(value))
        if isinstance(value, str):
            return one_line(value)
        if isinstance(value, Sequence):
            return _named([one_line(str(name)) for name in value])
        return "-" if value is None else str(format(value, spec))


def fill(template: str, figures: Mapping[str, Any]) -> str:
    """`template` on one line with its figures; lists are named up to a few, hostile names cannot break the line."""
    return _Figures().vformat(template, (), figures)


def _percent(share: float) -> str:
    """`5 %`, `4.9 %`, `17 %`; a tenth only below ten."""
    digits = 1 if abs(share) < 0.1 else 0
    return f"{100 * share:.{digits}f}".removesuffix(".0") + " %"


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")
