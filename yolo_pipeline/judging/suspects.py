"""Labels that the model disagrees with, surely enough to look at them.

A disagreement counts for as much as the model is usually right: trust in a detection is how often the model's other
detections of its class and of about its score find an object. So a poor model suspects little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from yolo_pipeline.diagnosis import Suspect, SuspectKind
from yolo_pipeline.geometry import SAME_OBJECT_IOU, iou
from yolo_pipeline.judging.evaluation import Bools, Floats, Ints, Matching, Pair
from yolo_pipeline.judging.said import ALONE, Said

_USUALLY = 0.6  # trust from which a disagreement is worth a look
_WORTH = 0.1  # weight from which it is worth a look
_NEAR = 0.1  # how far from a score its neighbours lie
_PRIOR = 5  # the trust in a class counts all classes together as so many detections

_BESIDE = 0.3  # IoU with an object of another class up to which an object may be missing

_LOOSE = 0.75  # IoU below which a box may be loose
_LOOSER_BY = 0.15  # how far below the median of its size it must lie
_TIGHT = 0.8  # median IoU from which the model is said to draw well
_ENOUGH = 10  # hits of a size from which they have a median of their own

_INSIDE = 0.8  # share of a part's area that lies in the object
_PART = 0.5  # largest area of a part, as a share of the group's
_COVERED = 0.4  # least share of the group that its parts cover
_SAME_PART = 0.3  # IoU from which two parts are one

_Found = Iterator[tuple[int, Suspect]]
"""The index of the image, and the suspect."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the kinds are found in. `trust` (D,): how often such a detection is right, 0..1."""

    pair: Pair
    said: Said
    trust: Floats

    def suspect(self, kind: SuspectKind, truth: int | None, found: list[int], weight: float) -> tuple[int, Suspect]:
        """Of an object, if there is one, and the detections proposed instead."""
        image = int(self.said.image[found[0]])
        label = None if truth is None else self.said.truths[truth]
        proposed = tuple(self.said.detections[at] for at in found)
        return image, Suspect(kind, self.pair.files[image], label, proposed, float(weight))


def suspects(pair: Pair, judged: Matching, said: Said) -> tuple[Suspect, ...]:
    """All of them, the heaviest first.

    Args:
        judged: matching of all detections, as `judge` has it.
        said: those that are confident.
    """
    groups = _groups_with_parts(pair, said)
    parts = [part for members in groups.values() for part in members]
    evidence = Evidence(pair, said, _trust(pair, judged, said.rows, said.rows[parts]))
    found = [*_groups(evidence, groups), *_missing(evidence, parts), *_wrong_class(evidence), *_loose(evidence)]
    found = [one for one in found if one[1].weight >= _WORTH]
    order = sorted(range(len(found)), key=lambda at: (-found[at][1].weight, found[at][0], at))
    return tuple(found[at][1] for at in order)


def _trust(pair: Pair, judged: Matching, rows: Ints, disputed: Ints) -> Floats:
    """How often the model is right about detections like those in `rows`, (D,).

    Like one are the others of its class with about its score, and five more that are right as often as those of all
    classes. Disputed ones count nowhere.
    """
    counted = judged.counts.copy()
    counted[disputed] = False
    labels, score, hit = pair.found.label, pair.found.score, judged.hit
    right, all_ = _like(rows, counted, score, hit)
    usual = (right + 1) / (all_ + 2)
    trust = np.zeros(len(rows))
    for label in np.unique(labels[rows]):
        mine = labels[rows] == label
        right, all_ = _like(rows[mine], counted & (labels == label), score, hit)
        trust[mine] = (right + _PRIOR * usual[mine]) / (all_ + _PRIOR)
    return trust


def _like(rows: Ints, counted: Bools, score: Floats, hit: Bools) -> tuple[Ints, Ints]:
    """Of the detections that count, how many hits and how many at all have about the score of each row's.

    The row's own detection is left out.
    """
    order = np.flatnonzero(counted)
    order = order[np.argsort(score[order])]
    low = np.searchsorted(score[order], score[rows] - _NEAR, side="left")
    high = np.searchsorted(score[order], score[rows] + _NEAR, side="right")
    hits = np.concatenate(([0], np.cumsum(hit[order])))
    return hits[high] - hits[low] - (hit & counted)[rows], high - low - counted[rows]


def _missing(evidence: Evidence, parts: list[int]) -> _Found:
    """A trusted detection where nothing is; of those on one place, the heaviest."""
    said, truths = evidence.said, evidence.pair.truths
    found, truth = said.overlapping.found, said.overlapping.truth
    same = (said.label[found] == truths.label[truth]) | truths.crowd[truth]
    near = said.overlapping.iou >= np.where(same, ALONE, _BESIDE)
    free = said.matching.counts & ~said.matching.hit & (evidence.trust >= _USUALLY)
    free[found[near | (same & (_common(evidence.pair, said) >= _INSIDE * said.area[found]))]] = False
    free[parts] = False
    weight = said.score * evidence.trust
    places = np.flatnonzero(free)
    taken: dict[int, list[int]] = {}
    for at in places[np.argsort(-weight[places], kind="stable")].tolist():
        others = taken.setdefault(int(said.image[at]), [])
        if all(_iou(said, at, other) < SAME_OBJECT_IOU for other in others):
            others.append(at)
            yield evidence.suspect("missing", None, [at], weight[at])


def _wrong_class(evidence: Evidence) -> _Found:
    """A trusted detection of another class on an object that no detection of its own class finds."""
    said, labels = evidence.said, evidence.pair.truths.label
    found, truth = said.overlapping.found, said.overlapping.truth
    defended = np.zeros(len(labels), dtype=bool)
    defended[truth[(said.label[found] == labels[truth]) & (said.overlapping.iou >= SAME_OBJECT_IOU)]] = True
    hits = np.flatnonzero(said.matching.hit)
    classes = labels[said.matching.truth[hits]]
    taken = Counter(zip(classes.tolist(), said.label[hits].tolist(), strict=True))
    objects = np.bincount(labels[said.matching.real], minlength=len(evidence.pair.names))
    for at, label in zip(hits.tolist(), classes.tolist(), strict=True):
        there, called = int(said.matching.truth[at]), int(said.label[at])
        if label != called and not defended[there] and evidence.trust[at] >= _USUALLY:
            # Where the model often takes the one class for the other, it is rather the model that errs.
            often = (taken[label, called] - 1) / max(objects[label] - 1, 1)
            yield evidence.suspect("wrong class", there, [at], said.score[at] * evidence.trust[at] * (1 - often))


def _loose(evidence: Evidence) -> _Found:
    """A box that its detection fits badly, where the model's boxes of that size usually fit well."""
    said, truths = evidence.said, evidence.pair.truths
    hits = np.flatnonzero(said.matching.hit)
    hits = hits[said.label[hits] == truths.label[said.matching.truth[hits]]]
    there = said.matching.truth[hits]
    fit = said.overlapping.of(hits, there)
    usual = _usual_fit(truths.xywh[there, 2:].max(axis=1, initial=1.0), fit)
    loose = (usual >= _TIGHT) & (fit < _LOOSE) & (fit <= usual - _LOOSER_BY) & (evidence.trust[hits] >= _USUALLY)
    weight = said.score[hits] * evidence.trust[hits] * (usual - fit) / SAME_OBJECT_IOU
    for at in np.flatnonzero(loose).tolist():
        yield evidence.suspect("loose", int(there[at]), [int(hits[at])], weight[at])


def _usual_fit(longer: Floats, fit: Floats) -> Floats:
    """Median IoU of the hits whose size is in the same octave, or of all where these are few, (H,)."""
    usual = np.full(len(fit), np.median(fit) if len(fit) else 0.0)
    octave = np.floor(np.log2(longer))
    for one in np.unique(octave):
        mine = octave == one
        if mine.sum() >= _ENOUGH:
            usual[mine] = np.median(fit[mine])
    return usual


def _groups(evidence: Evidence, groups: dict[int, list[int]]) -> _Found:
    for truth, parts in groups.items():
        trust = evidence.trust[parts].mean()
        if trust >= _USUALLY:
            yield evidence.suspect("group", truth, parts, evidence.said.score[parts].mean() * trust)


def _groups_with_parts(pair: Pair, said: Said) -> dict[int, list[int]]:
    """Objects that nothing finds, but in which smaller detections of their class lie: these, best first."""
    found, truth = said.overlapping.found, said.overlapping.truth
    whole, common = pair.truths.xywh[:, 2] * pair.truths.xywh[:, 3], _common(pair, said)
    is_part = (said.label[found] == pair.truths.label[truth]) & said.matching.lost[truth] & ~said.matching.hit[found]
    is_part &= (common >= _INSIDE * said.area[found]) & (said.area[found] <= _PART * whole[truth])
    parts: dict[int, list[int]] = {}
    covered = np.zeros(len(whole))
    each = np.flatnonzero(is_part)
    for at in each[np.argsort(-said.score[found[each]], kind="stable")].tolist():
        part, chosen = int(found[at]), parts.setdefault(int(truth[at]), [])
        if all(_iou(said, part, other) < _SAME_PART for other in chosen):
            chosen.append(part)
            covered[truth[at]] += common[at] / whole[truth[at]]
    return {group: chosen for group, chosen in sorted(parts.items()) if len(chosen) > 1 and covered[group] >= _COVERED}


def _common(pair: Pair, said: Said) -> Floats:
    """Area in square pixels that each overlapping detection and object share, (O,); of crowds it is of no use."""
    overlapping = said.overlapping
    whole = (pair.truths.xywh[:, 2] * pair.truths.xywh[:, 3])[overlapping.truth]
    return overlapping.iou * (said.area[overlapping.found] + whole) / (1 + overlapping.iou)


def _iou(said: Said, at: int, other: int) -> float:
    return iou(said.detections[at].box, said.detections[other].box)
