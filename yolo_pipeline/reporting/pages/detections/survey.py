"""What a run found, counted over all its pictures, and which of them a page lists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from yolo_pipeline.errors import one_line
from yolo_pipeline.views import Seen, Tally, Views

_BUDGET = 8_000_000  # bytes of what is told of the pictures listed: names, classes, scores
_A_PICTURE, _A_BOX = 48, 12  # bytes, about, beside the name


@dataclass(frozen=True, slots=True)
class Survey:
    """What all pictures hold.

    Attributes:
        tally: boxes and pictures with boxes, by threshold.
        holding: (threshold, class) -> pictures with at least one box of the class.
        listed: names of the pictures that the page has room for, the most telling first: those of which most boxes
            vanish from the lowest threshold to the highest, then those with most boxes, then by name.
    """

    tally: Tally
    holding: Mapping[tuple[float, str], int]
    listed: tuple[str, ...]

    def classes(self) -> list[str]:
        """Those found or asked for, the one with most boxes first."""
        views = self.tally.views
        found = self.tally.boxes[views.lowest]
        return sorted({*found, *(views.classes or ())}, key=lambda name: (-found[name], name))


def survey(pictures: Iterable[Seen], views: Views) -> Survey:
    tally = Tally(views)
    holding: Counter[tuple[float, str]] = Counter()
    ranks: list[tuple[int, int, str, int]] = []
    for seen in pictures:
        tally.add(seen)
        for threshold in views.thresholds:
            holding.update((threshold, label) for label in {one.label for one in views.at(seen, threshold)})
        ranks.append(_rank(seen, views))
    ranks.sort()
    costs = accumulate(cost for *_, cost in ranks)
    listed = tuple(name for (*_, name, _), so_far in zip(ranks, costs, strict=True) if so_far <= _BUDGET)
    return Survey(tally, holding, listed)


def _rank(seen: Seen, views: Views) -> tuple[int, int, str, int]:
    """What a picture is sorted by, and about how many bytes the page needs to tell of it."""
    boxes = len(views.all(seen))
    vanishing = boxes - len(views.at(seen, views.thresholds[-1]))
    words = len(json.dumps([one_line(seen.name), seen.note]))
    return -vanishing, -boxes, seen.name, 2 * words + _A_PICTURE + _A_BOX * boxes
