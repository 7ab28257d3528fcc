"""What a classifier got wrong on one split, and how far that hangs on which pictures there are.

Of a share, intervals need no draws: those here are as wide as a bootstrap's, but for few mistakes, where a bootstrap
knows no others than those it saw. 60 right of 60 would lie between 1 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from yolo_pipeline.classification import Answer, PictureDiagnosis, PictureMatrix
from yolo_pipeline.diagnosis import Calibration, ConfusedPair, Difference, Interval
from yolo_pipeline.judging.bootstrap import LEAST_PAIRED
from yolo_pipeline.judging.classification import TOP, Floats, Told, told
from yolo_pipeline.judging.coco import CocoResults, CocoTruth
from yolo_pipeline.nouns import Split

_BINS = 10

_SURE, _HARDLY = 0.5, 0.05
"""Probability of another class from which on, and of the label up to which, the label is suspected."""

_CONFIDENCE, _Z = 0.95, 1.959964  # and the normal quantile for it


def diagnose_pictures(truth: CocoTruth, results: CocoResults, split: Split) -> PictureDiagnosis:
    """Counts what a classifier took for what. A picture of which nothing is said is wrong, but taken for no class.

    Raises:
        InputError: a probability outside 0..1, or more than 5,000 classes.
    """
    known = told(truth, results)
    answers = tuple(_answers(known))
    return PictureDiagnosis(
        split=split,
        answers=answers,
        matrix=_matrix(known),
        pairs=_pairs(known),
        calibration=_calibration(known),
        suspects=_suspects(known, answers),
    )


def picture_intervals(answers: Sequence[Answer]) -> dict[str, Interval]:
    """Where `top1` may lie: Wilson's interval, which Brown, Cai and DasGupta (Statist. Sci. 2001) recommend.

    Nothing for fewer than 2 pictures.
    """
    count, right = len(answers), sum(answer.is_right for answer in answers)
    if count < 2:
        return {}
    spread, whole = _Z**2, count + _Z**2
    centre = (right + spread / 2) / whole
    half = _Z / whole * math.sqrt(right * (count - right) / count + spread / 4)
    return {"top1": Interval(max(centre - half, 0.0), min(centre + half, 1.0), _CONFIDENCE)}


def picture_differences(truth: CocoTruth, before: CocoResults, after: CocoResults) -> dict[str, Difference]:
    """What `after` has more of `top1` than `before`, paired: picture by picture of one truth.

    The interval is that of Bonett and Price (J. Educ. Behav. Stat. 2012), which Fagerland, Lydersen and Laake (Stat.
    Med. 2014) recommend: six pictures that all went one way are clear, five are not, as in the sign test. Nothing for
    fewer than 6 pictures.

    Raises:
        InputError: as `diagnose_pictures`.
    """
    then, now = told(truth, before).right, told(truth, after).right
    count = len(then)
    if count < LEAST_PAIRED:
        return {}
    gained, lost = int((now & ~then).sum()), int((then & ~now).sum())
    up, down = (gained + 1) / (count + 2), (lost + 1) / (count + 2)
    half = _Z * math.sqrt((up + down - (up - down) ** 2) / (count + 2))
    interval = Interval(max(up - down - half, -1.0), min(up - down + half, 1.0), _CONFIDENCE)
    return {"top1": Difference((gained - lost) / count, interval)}


def _answers(known: Told) -> Iterator[Answer]:
    of_label = known.of_label.tolist()
    best = known.ranking[:, :TOP]
    scores = np.take_along_axis(known.probabilities, best, axis=1).tolist()
    for at, (file, label) in enumerate(zip(known.files, known.labels.tolist(), strict=True)):
        said = tuple(zip((known.names[number] for number in best[at].tolist()), scores[at], strict=True))
        yield Answer(file, known.names[label], said, of_label[at])


def _matrix(known: Told) -> PictureMatrix:
    side, spoken = len(known.names), known.said >= 0
    cells = known.labels[spoken] * side + known.said[spoken]
    counts = np.bincount(cells, minlength=side * side).astype(np.int64)
    return PictureMatrix(known.names, counts.reshape(side, side))


def _pairs(known: Told) -> tuple[ConfusedPair, ...]:
    """Most frequent first, then in the order of the classes; of the pictures the surest mistake first."""
    images: dict[tuple[int, int], list[str]] = {}
    wrong = np.flatnonzero(~known.right & (known.said >= 0))
    for at in wrong[np.argsort(-known.of_said[wrong], kind="stable")].tolist():
        images.setdefault((int(known.labels[at]), int(known.said[at])), []).append(known.files[at])
    there = np.bincount(known.labels, minlength=len(known.names)).tolist()
    ordered = sorted(images.items(), key=lambda entry: (-len(entry[1]), *entry[0]))
    return tuple(
        ConfusedPair(known.names[label], known.names[said], len(files), len(files) / there[label], tuple(files))
        for (label, said), files in ordered
    )


def _calibration(known: Told) -> Calibration:
    """Expected calibration error over tenths of the probability (Guo et al., ICML 2017), of the likeliest class."""
    tenth = np.minimum((known.of_said * _BINS).astype(np.int64), _BINS - 1)
    bins = tuple(
        (float(known.of_said[mine].mean()), float(known.right[mine].mean()), int(mine.sum()))
        for mine in (tenth == number for number in range(_BINS))
        if mine.any()
    )
    error = sum(count * abs(right - score) for score, right, count in bins) / max(len(known.labels), 1)
    return Calibration(error, bins)


def _suspects(known: Told, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Confident learning (Northcutt et al., JAIR 2021): another class is as likely as it is, on the mean, for the
    pictures of that class, and the label hardly likely at all; the widest apart first."""
    usual = _usual(known)[known.said]
    sure = known.of_said >= np.maximum(usual, _SURE)
    found = np.flatnonzero(~known.right & (known.said >= 0) & sure & (known.of_label <= _HARDLY))
    apart = known.of_said[found] - known.of_label[found]
    return tuple(answers[at] for at in found[np.argsort(-apart, kind="stable")].tolist())


def _usual(known: Told) -> Floats:
    """(C,) mean probability of each class for its own pictures; of one that has none, infinite."""
    there = np.bincount(known.labels, minlength=len(known.names))
    summed = np.bincount(known.labels, known.of_label, minlength=len(known.names))
    return np.where(there > 0, summed / np.maximum(there, 1), np.inf)
