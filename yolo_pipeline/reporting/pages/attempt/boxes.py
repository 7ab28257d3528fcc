"""All boxes of a split, matched once by the judge, so that a page can count and draw them at any confidence.

COCO's matching takes detections best first, so those of at least some confidence match as they do among all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_pipeline.diagnosis import Diagnosis
from yolo_pipeline.errors import one_line
from yolo_pipeline.judging.coco import CocoTruth, load_pair
from yolo_pipeline.judging.evaluation import Bools, Floats, Ints, Matching, Pair, evaluate, load, match
from yolo_pipeline.reporting.pages.corners import short
from yolo_pipeline.run import Run

LOWEST = 0.01
"""Confidence below which boxes are of no use to anybody."""
_MOST = 40_000  # boxes on a page


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a split at some confidence: boxes that count, and what became of boxes and objects."""

    boxes: int
    found: int
    missed: int
    false: int

    @property
    def precision(self) -> float:
        return self.found / self.boxes if self.boxes else 0.0

    @property
    def recall(self) -> float | None:
        truths = self.found + self.missed
        return self.found / truths if truths else None

    @property
    def f1(self) -> float | None:
        total = self.boxes + self.found + self.missed
        return 2 * self.found / total if self.found + self.missed else None


@dataclass(frozen=True, slots=True, eq=False)
class SplitBoxes:
    """A split's boxes.

    Attributes:
        conf: that mistakes are counted at.
        sizes: (I, 2) float, width and height of each image in pixels; what holds its boxes where the truth says none.
        floor: the lowest confidence of the boxes that are put on the page.
    """

    conf: float
    pair: Pair
    matching: Matching
    sizes: Floats
    floor: float

    def counts(self, conf: float) -> Counts:
        kept = self._kept(conf)
        boxes, found = int(kept.sum()), int((kept & self.matching.hit).sum())
        return Counts(boxes, found, int(self.matching.real.sum()) - found, boxes - found)

    def worst(self) -> list[int]:
        """Indices of images, those with most mistakes first; then those with most objects."""
        kept, count = self._kept(self.conf), len(self.pair.files)
        hit = np.bincount(self.pair.found.image[kept & self.matching.hit], minlength=count)
        boxes = np.bincount(self.pair.found.image[kept], minlength=count)
        truths = np.bincount(self.pair.truths.image[self.matching.real], minlength=count)
        mistakes = truths + boxes - 2 * hit
        return [int(at) for at in np.lexsort((np.arange(count), -truths, -mistakes))]

    def size_of(self) -> dict[str, tuple[float, float]]:
        return {name: (width, height) for name, (width, height) in self._named_sizes()}

    def as_json(self) -> dict[str, Any]:
        """Of each image its objects, [class, x0, y0, x1, y1, class, …], and its boxes, the best first, with two numbers
        more each: score, and index of the object found or -1."""
        places = _within(self.pair.truths.image, self.matching.real, len(self.pair.files))
        return {
            "conf": self.conf,
            "floor": self.floor,
            "names": [one_line(name) for name in self.pair.names],
            "images": [[one_line(name), *size] for name, size in self._named_sizes()],
            "truths": self._truths(),
            "boxes": self._boxes(places),
            "order": self.worst(),
        }

    def _named_sizes(self) -> Iterable[tuple[str, list[float]]]:
        return zip(self.pair.files, self.sizes.tolist(), strict=True)

    def _kept(self, conf: float) -> Bools:
        return self.matching.counts & (self.pair.found.score >= conf)

    def _truths(self) -> list[list[float]]:
        rows: list[list[float]] = [[] for _ in self.pair.files]
        truths = self.pair.truths
        for row in np.flatnonzero(self.matching.real).tolist():
            rows[truths.image[row]] += [int(truths.label[row]), *self._corners(truths.xywh[row])]
        return rows

    def _boxes(self, places: Ints) -> list[list[float]]:
        rows: list[list[float]] = [[] for _ in self.pair.files]
        found, matched = self.pair.found, self.matching.truth
        for row in np.argsort(-found.score, kind="stable").tolist():
            if found.score[row] >= self.floor and self.matching.counts[row]:
                place = int(places[matched[row]]) if matched[row] >= 0 else -1
                corners = self._corners(found.xywh[row])
                rows[found.image[row]] += [int(found.label[row]), *corners, float(found.score[row]), place]
        return rows

    @staticmethod
    def _corners(xywh: Floats) -> list[float]:
        x, y, width, height = xywh.tolist()
        return [short(value) for value in (x, y, x + width, y + height)]


def split_boxes(run: Run, diagnosis: Diagnosis) -> SplitBoxes | None:
    """Those of a judged split; None where the run did not save them.

    Raises:
        InputError: what it saved is damaged.
    """
    truth_file, detections_file = run.truth_file(diagnosis.split), run.detections_file(diagnosis.split)
    if not truth_file.is_file() or not detections_file.is_file():
        return None
    truth, results = load_pair(truth_file, detections_file)
    pair = load(truth, results)
    matching = match(evaluate(pair), len(pair.truths), len(pair.found))
    return SplitBoxes(diagnosis.conf, pair, matching, _sizes(truth, pair), _floor(pair, matching, diagnosis.conf))


def _floor(pair: Pair, matching: Matching, conf: float) -> float:
    """LOWEST, or as much more as leaves no more boxes than a page can hold; the chosen confidence stays in reach."""
    scores = np.sort(pair.found.score[matching.counts])[::-1]
    least = min(LOWEST, conf)
    if len(scores) <= _MOST or scores[_MOST] < least:
        return least
    return min(conf, math.ceil(float(scores[_MOST]) * 100 + 1e-9) / 100)


def _sizes(truth: CocoTruth, pair: Pair) -> Floats:
    reach = np.ones((len(pair.files), 2))
    for boxes in (pair.truths, pair.found):
        np.maximum.at(reach, boxes.image, boxes.xywh[:, :2] + boxes.xywh[:, 2:])
    for at, image in enumerate(truth["images"]):
        width, height = image.get("width") or 0, image.get("height") or 0
        if width > 0 and height > 0:
            reach[at] = width, height
    return reach


def _within(image: Ints, real: Bools, images: int) -> Ints:
    """Where each real object stands among those of its image."""
    places = np.zeros(len(image), dtype=np.int64)
    seen = [0] * images
    for row in np.flatnonzero(real).tolist():
        places[row] = seen[image[row]]
        seen[image[row]] += 1
    return places
