"""Progress on stderr: bars on a terminal, one line a step in a log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from yolo_pipeline.errors import printable

T = TypeVar("T")
_SECONDS_BETWEEN_LINES = 10.0


class TerminalProgress:
    """A `Progress` that draws bars; it must be open (`with terminal_progress()`)."""

    def __init__(self, console: Console, bars: Bars) -> None:
        self._console, self._bars = console, bars
        self._tasks: dict[str, TaskID] = {}

    def items(self, items: Sequence[T], what: str) -> Iterable[T]:
        return self._bars.track(items, total=len(items), description=what) if len(items) else items

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total, description=f"{what}  {detail}")

    def say(self, line: str) -> None:
        self._console.print(Text(printable(line)))


class LogProgress:
    """A `Progress` for logs and pipes: lines, the ones about a step at most every ten seconds."""

    def __init__(self, console: Console) -> None:
        self._console, self._last = console, time.monotonic()

    def items(self, items: Sequence[T], what: str) -> Iterable[T]:
        for number, item in enumerate(items):
            yield item
            self.at(what, number + 1, len(items))

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            self.say(f"{what} {done:.1f} of {total:g}  {detail}".replace(".0 of", " of").rstrip())

    def say(self, line: str) -> None:
        self._console.print(Text(printable(line)), soft_wrap=True)


@contextmanager
def terminal_progress() -> Iterator[TerminalProgress | LogProgress]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield LogProgress(console)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        yield TerminalProgress(console, bars)
