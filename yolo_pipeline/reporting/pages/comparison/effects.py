"""Which setting moved mAP, over many attempts: what it takes from `comparing`, and what the page shows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from yolo_pipeline.reporting.pages.comparison.fields import Field, setting_fields
from yolo_pipeline.reporting.tables import plain
from yolo_pipeline.results import Results, flat_settings, part
from yolo_pipeline.settings import BadSettingError, check_train

_LEAST_ATTEMPTS = 3  # that were judged; what two differ in, the table says
_DECIDING = ("steps", "learning_rate_base")
_FOLLOWING = ("warmup_learning_rate", "warmup_steps", "checkpoint_every")
_MOST_VALUES = 60  # of a setting that is worth a plot


class Step(Protocol):
    """As in comparing.effects, which this room does not know."""

    @property
    def before(self) -> Any: ...
    @property
    def after(self) -> Any: ...
    @property
    def change(self) -> float: ...
    @property
    def pairs(self) -> int: ...


class Effect(Protocol):
    @property
    def setting(self) -> str: ...
    @property
    def steps(self) -> Sequence[Step]: ...


Effects = Callable[[Sequence[tuple[Mapping[str, Any], float]]], Sequence[Effect]]
"""Settings by dotted key and a metric, of each attempt -> settings, the one that moved it most first."""


def effects_data(
    attempts: Sequence[Results], metrics: Sequence[Mapping[str, Any]], effects: Effects | None
) -> dict[str, Any] | None:
    """Values of the settings that differ, and pairs that are one setting apart; None where it would say nothing.

    Args:
        metrics: each with its `values`, one an attempt, None where it has none.
    """
    settings: dict[str, list[Any]] = {}
    among: dict[str, list[int]] = {}
    pairs: list[list[list[Any]]] = [[] for _ in metrics]
    groups = _by_track(attempts)
    for track, places in groups.items():
        mine = [attempts[at] for at in places]
        values = [[metric["values"][at] for at in places] for metric in metrics]
        fields = [field for field in setting_fields(mine) if _is_worth_it(field, len(mine))]
        if not fields or max((_known(figures) for figures in values), default=0) < _LEAST_ATTEMPTS:
            continue
        before = f"{track}: " if len(groups) > 1 else ""
        for field in fields:
            orders = dict(zip(places, (cell.order for cell in field.cells), strict=True))
            settings[before + field.name] = [orders.get(at) for at in range(len(attempts))]
            among[before + field.name] = places
        flat = [_without_what_follows(flat_settings(attempt.record)) for attempt in mine]
        for found, figures in zip(pairs, values, strict=True):
            found += [[before + name, *rest] for name, *rest in _pairs(flat, figures, effects)] if effects else []
    if not settings:
        return None
    told = {"settings": settings, "pairs": pairs if effects else None}
    return {**told, "among": among} if len(groups) > 1 else told


def _by_track(attempts: Sequence[Results]) -> dict[str, list[int]]:
    """Track -> places of its attempts: what moves the one framework says nothing of another."""
    groups: dict[str, list[int]] = {}
    for at, attempt in enumerate(attempts):
        groups.setdefault(plain(part(attempt.record, "settings").get("track")), []).append(at)
    return groups


def _without_what_follows(flat: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings without those that the API's steps and rate decide where nobody says them: they are no second change."""
    said = {name: flat[key] for name in _DECIDING if (key := f"train.{name}") in flat}
    try:
        follows = check_train("tfapi", str(flat.get("model")), said) if flat.get("track") == "tfapi" else {}
    except (BadSettingError, KeyError):  # of a run from elsewhere
        return flat
    same = {key for name in _FOLLOWING if (key := f"train.{name}") in flat and flat[key] == follows.get(name)}
    return {key: value for key, value in flat.items() if key not in same}


def _known(values: Sequence[float | None]) -> int:
    return sum(value is not None for value in values)


def _is_worth_it(field: Field, attempts: int) -> bool:
    """Whether it has several values, but not one for each of many attempts."""
    return field.varies and len({cell.text for cell in field.cells}) <= min(_MOST_VALUES, max(6, attempts // 2))


def _pairs(flat: Sequence[Mapping[str, Any]], values: Sequence[float | None], effects: Effects) -> Iterator[list[Any]]:
    """Setting, value before, value after, mean change, how many pairs."""
    told = [(settings, value) for settings, value in zip(flat, values, strict=True) if value is not None]
    for effect in effects(told):
        for step in effect.steps:
            yield [effect.setting, plain(step.before), plain(step.after), round(step.change, 5), step.pairs]
