"""What a comparison says of a difference, in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from yolo_pipeline.comparison import BoxChange, DataDifference
from yolo_pipeline.diagnosis import Difference

Verdict = Literal["better", "worse", "no clear difference"]
INTERVALS_COVER = "Intervals cover the choice of images to judge on, not the luck of training"
_LISTED_PAIRS = 3


def verdict(difference: Difference) -> Verdict:
    """Of the later attempt; nothing is better or worse while the interval holds zero."""
    if not difference.is_clear:
        return "no clear difference"
    return "better" if difference.delta > 0 else "worse"


def data_line(difference: DataDifference) -> str:
    """All of a difference between two data sets in a line, such as `12 photos added, egg renamed eggs`."""
    return ", ".join(_parts(difference)) or "the same"


def _parts(found: DataDifference) -> Iterator[str]:
    yield from _counted(len(found.added), "photo", "added")
    yield from _counted(len(found.removed), "photo", "removed")
    yield from _counted(len(found.moved), "photo", "in another split")
    yield from _counted(len(found.redrawn), "box", "redrawn")
    whole = all(change.is_of_picture for change in found.relabelled)
    yield from _counted(
        len(found.relabelled), "picture" if whole else "box", f"relabelled ({_relabelled(found.relabelled)})"
    )
    yield from _counted(len(found.boxes_added), "box", "added on photos that were there")
    yield from _counted(len(found.boxes_removed), "box", "removed from photos that stay")
    yield from (f"{old} renamed {new}" for old, new in found.classes_renamed)
    yield from (f"class {name} added" for name in found.classes_added)
    yield from (f"class {name} removed" for name in found.classes_removed)
    before, after = found.backgrounds
    if before != after:
        yield f"backgrounds from {before} to {after}"


def _counted(count: int, noun: Literal["photo", "picture", "box"], what: str) -> Iterator[str]:
    plural = "boxes" if noun == "box" else f"{noun}s"
    if count:
        yield f"{count:,} {noun if count == 1 else plural} {what}"


def _relabelled(changes: tuple[BoxChange, ...]) -> str:
    pairs = Counter((change.before.label, change.after.label) for change in changes if change.before and change.after)
    most = sorted(pairs.items(), key=lambda entry: (-entry[1], entry[0]))
    said = [f"{old} to {new} {count}" for (old, new), count in most[:_LISTED_PAIRS]]
    return ", ".join(said) + " …" * (len(most) > _LISTED_PAIRS)
