"""Classes that took another name from one data set to the next, found by what became of their boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from typing import Literal

from yolo_pipeline.comparing.boxes import Pairs

_NEARLY_ALL = 0.9  # of the boxes that have a partner
_MOST = 0.5  # of all boxes
_BEFORE: Literal[0] = 0
_AFTER: Literal[1] = 1


def renamed_classes(
    followed: Iterable[Pairs], names_before: Set[str], names_after: Set[str]
) -> tuple[tuple[str, str], ...]:
    """(name before, name after), where nearly all boxes of the one are those of the other.

    One class becomes one class: where two are joined, or one is parted, boxes were relabelled. The new name was not
    there before, or its own class gave it up for another; backwards, the same holds of the old name.

    Args:
        followed: the boxes of each photo that both data sets have, paired by their place alone.
        names_before, names_after: all classes of each data set.
    """
    went: Counter[tuple[str, str]] = Counter()
    left: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for pairs in followed:
        went.update((old.label, new.label) for old, new, _ in pairs.same)
        left[_BEFORE].update(truth.label for truth in pairs.gone)
        left[_AFTER].update(truth.label for truth in pairs.new)
    paired = (_count(went, _BEFORE), _count(went, _AFTER))

    def is_taken(name: str, side: Literal[0, 1]) -> bool:
        """Whether a class of this name is there on one side, and does not become, or come from, another."""
        names = (names_before, names_after)[side]
        kept = went[name, name] > (1 - _NEARLY_ALL) * paired[side][name]
        return name in names and (kept or not paired[side][name])

    def is_renamed(old: str, new: str, count: int) -> bool:
        partners = max(paired[_BEFORE][old], paired[_AFTER][new])
        boxes = max(paired[_BEFORE][old] + left[_BEFORE][old], paired[_AFTER][new] + left[_AFTER][new])
        whole = count >= _NEARLY_ALL * partners and count >= _MOST * boxes
        return old != new and whole and not is_taken(new, _BEFORE) and not is_taken(old, _AFTER)

    return tuple(sorted(pair for pair, count in went.items() if is_renamed(*pair, count)))


def _count(went: Counter[tuple[str, str]], side: Literal[0, 1]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for pair, count in went.items():
        counted[pair[side]] += count
    return counted
