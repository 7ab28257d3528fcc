"""Which setting moved mAP, over many attempts: what it takes from `comparing`, and what the page shows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from yolo_pipeline.reporting.pages.comparison.fields import Field, setting_fields
from yolo_pipeline.reporting.tables import plain
from yolo_pipeline.results import Results, flat_settings

_LEAST_ATTEMPTS = 3  # that were judged; what two differ in, the table says
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
    known = max((sum(value is not None for value in metric["values"]) for metric in metrics), default=0)
    settings = {
        field.name: [None if cell.order is None else cell.order for cell in field.cells]
        for field in setting_fields(attempts)
        if _is_worth_it(field, len(attempts))
    }
    if known < _LEAST_ATTEMPTS or not settings:
        return None
    flat = [flat_settings(attempt.record) for attempt in attempts]
    pairs = [list(_pairs(flat, metric["values"], effects)) for metric in metrics] if effects else None
    return {"settings": settings, "pairs": pairs}


def _is_worth_it(field: Field, attempts: int) -> bool:
    """Whether it has several values, but not one for each of many attempts."""
    return field.varies and len({cell.text for cell in field.cells}) <= min(_MOST_VALUES, max(6, attempts // 2))


def _pairs(flat: Sequence[Mapping[str, Any]], values: Sequence[float | None], effects: Effects) -> Iterator[list[Any]]:
    """Setting, value before, value after, mean change, how many pairs."""
    told = [(settings, value) for settings, value in zip(flat, values, strict=True) if value is not None]
    for effect in effects(told):
        for step in effect.steps:
            yield [effect.setting, plain(step.before), plain(step.after), round(step.change, 5), step.pairs]
