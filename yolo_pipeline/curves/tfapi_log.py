"""log.jsonl, which the worker of the track tfapi writes as it trains and evaluates -> Curves."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from yolo_pipeline.curves.tfapi_tags import Part, is_known, table
from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Curves

_MAX_STEP = 2**53  # as far as a float counts
_MOST = 1e300


@dataclass(slots=True)
class _Log:
    """What was logged: part -> tag -> step -> value; a later line goes before an earlier one.

    Attributes:
        pace: step -> seconds that each step took since the logged one before it.
    """

    figures: dict[Part, dict[str, dict[int, float]]] = field(default_factory=lambda: {"train": {}, "val": {}})
    steps: set[int] = field(default_factory=set)
    pace: dict[int, float] = field(default_factory=dict)

    def add(self, part: Part, step: int, figures: Mapping[str, Any]) -> None:
        self.steps.add(step)
        for tag, value in figures.items():
            if is_known(tag) and (number := _number(value)) is not None:
                self.figures[part].setdefault(tag, {})[step] = number


def read(file: Path, batch: int, images: int) -> Curves:
    """One row a logged or evaluated step; NaN where there was no evaluation, or nothing else.

    `seconds` is the time of the steps alone, of those done twice the second time; evaluations and pauses do not count.
    A line that an interruption cut off is passed over.

    Args:
        batch: pictures a step.
        images: training pictures, for `epoch`, which is no whole number here.

    Raises:
        InputError: it cannot be read, or holds no step.
    """
    log = _logged(file)
    steps = sorted(log.steps)
    if not steps:
        raise InputError(file, "holds no step", "Begin anew with --again")
    return Curves({
        "step": tuple(map(float, steps)),
        "epoch": tuple(step * batch / images for step in steps),
        "seconds": tuple(_seconds(steps, log.pace)),
        **table(steps, log.figures),
    })  # fmt: skip


def _logged(file: Path) -> _Log:
    log = _Log()
    for line in _lines(file):
        if _is_step(step := line.get("step")):
            rate = {"learning_rate": line["learning_rate"]} if "learning_rate" in line else {}
            log.add("train", step, {**_mapping(line.get("losses")), **rate})
            seconds = _number(line.get("seconds"))
            log.pace[step] = seconds if seconds is not None and seconds >= 0 else 0.0
        elif _is_step(step := line.get("evaluated")):
            log.add("val", step, _mapping(line.get("metrics")))
    return log


def _seconds(steps: Sequence[int], pace: Mapping[int, float]) -> Iterator[float]:
    """Time up to each step. How many steps lie before the first is told by the distance of the next: a training may
    begin with another's step counter.
    """
    logged = sorted(pace)
    before = max(0, 2 * logged[0] - logged[1]) if len(logged) > 1 else 0
    elapsed = 0.0
    for step in steps:
        if step in pace:
            elapsed, before = elapsed + (step - before) * pace[step], step
        yield round(elapsed, 3)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(said, dict):
                    yield said
    except OSError as error:
        raise InputError(file, error.strerror or str(error), "Begin anew with --again") from error


def _number(value: Any) -> float | None:
    """NaN for what is infinite, too large, or NaN; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < _MOST else math.nan


def _is_step(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_STEP


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
