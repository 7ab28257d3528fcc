"""How a long step says how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Where long steps report to. `silent` is one; the command line's bar is another."""

    def items(self, items: Sequence[T], what: str) -> Iterable[T]:
        """Hands on `items` one by one; `what` is said beside the bar."""
        ...

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        """A step that counts for itself: `done` of `total`, `detail` beside it."""
        ...

    def say(self, line: str) -> None:
        """One line for the user to keep."""
        ...


class Silent:
    """Reports nothing."""

    def items(self, items: Sequence[T], what: str) -> Iterable[T]:
        return items

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        pass

    def say(self, line: str) -> None:
        pass


silent = Silent()
