"""log.jsonl: what a training measured, a line for each logged step and each evaluation."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .evaluating import BEST_BY


class Log:
    """A file that is appended to; of two lines for one step the later one counts."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, line: Mapping[str, Any]) -> None:
        """NaN has no place in JSON, and becomes null."""
        with open(self._file, "a", encoding="utf-8") as file:
            file.write(json.dumps(_finite(line)) + "\n")

    def evaluations(self, until: int) -> dict[int, dict[str, float]]:
        """Metrics of each evaluated step up to `until`."""
        lines = (line for line in self._lines() if isinstance(line.get("evaluated"), int))
        return {line["evaluated"]: line["metrics"] for line in lines if line["evaluated"] <= until}

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Whole lines; the last one may have been cut off when an earlier process ended."""
        if not self._file.is_file():
            return
        for text in self._file.read_text("utf-8", "replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def score(metrics: Mapping[str, float | None]) -> float:
    """What the best step has most of; -1 where it was not measured, as COCO says it."""
    value = metrics.get(BEST_BY)
    return value if value is not None and math.isfinite(value) else -1.0


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
