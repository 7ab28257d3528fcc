"""Which setting moved a metric, over many attempts: what each value came to, and pairs that differ in it alone."""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

_Key = tuple[int, float, str]
"""What a value is sorted and known by: its kind, itself as a number, and as a word."""


@dataclass(frozen=True, slots=True)
class Step:
    """What came of changing one setting from one value to another, and nothing else.

    Attributes:
        before, after: the values, the smaller number first; None: left out.
        change: mean change of the metric.
        pairs: of how many pairs of settings.
    """

    before: Any
    after: Any
    change: float
    pairs: int


@dataclass(frozen=True, slots=True)
class ValueResult:
    """What attempts with one value of a setting came to, whatever else they had; None: left out."""

    value: Any
    attempts: int
    best: float
    mean: float


@dataclass(frozen=True, slots=True)
class Effect:
    """All that attempts tell of one setting.

    Attributes:
        steps: where attempts differ in it alone; may be empty.
        values: two or more; beware, attempts with different values may differ in more.
    """

    setting: str
    steps: tuple[Step, ...]
    values: tuple[ValueResult, ...]

    @property
    def moved(self) -> float | None:
        """Mean size of the change over all pairs; None without pairs."""
        pairs = sum(step.pairs for step in self.steps)
        return sum(abs(step.change) * step.pairs for step in self.steps) / pairs if pairs else None


def effects(attempts: Sequence[tuple[Mapping[str, Any], float]]) -> tuple[Effect, ...]:
    """Every setting that takes two or more values, the one that moved the metric most first.

    Attempts whose metric is no finite number are left out. Attempts with the same settings count as one when pairs
    are made, with the mean of their metric: a result that is told twice is no second proof.

    Args:
        attempts: settings by dotted key, and the metric.
    """
    told = [(settings, metric) for settings, metric in attempts if math.isfinite(metric)]
    found = [_effect(setting, told) for setting in sorted({key for settings, _ in told for key in settings})]
    several = [effect for effect in found if len(effect.values) > 1]
    return tuple(sorted(several, key=lambda effect: (effect.moved is None, -(effect.moved or 0.0), effect.setting)))


def _effect(setting: str, told: Sequence[tuple[Mapping[str, Any], float]]) -> Effect:
    values: dict[_Key, Any] = {}
    metrics: dict[_Key, list[float]] = defaultdict(list)
    by_others: dict[str, dict[_Key, list[float]]] = defaultdict(lambda: defaultdict(list))
    for settings, metric in told:
        value = settings.get(setting)
        key = _key(value)
        values.setdefault(key, value)
        metrics[key].append(metric)
        by_others[_others(settings, setting)][key].append(metric)
    changes: dict[tuple[_Key, _Key], list[float]] = defaultdict(list)
    for group in by_others.values():
        for before, after in combinations(sorted(group), 2):
            changes[before, after].append(fmean(group[after]) - fmean(group[before]))
    return Effect(
        setting,
        tuple(Step(values[a], values[b], fmean(found), len(found)) for (a, b), found in sorted(changes.items())),
        tuple(ValueResult(values[key], len(found), max(found), fmean(found)) for key, found in sorted(metrics.items())),
    )


def _others(settings: Mapping[str, Any], setting: str) -> str:
    """All settings but one, as one word that is equal where they are; what is left out is None."""
    others = {key: _key(value) for key, value in settings.items() if key != setting and value is not None}
    return json.dumps(others, sort_keys=True)


def _key(value: Any) -> _Key:
    """1 and 1.0 are one value; None comes first, then numbers by size, then everything else."""
    if value is None:
        return 0, 0.0, ""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max:
        return 1, float(value), ""
    return 2, 0.0, json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
