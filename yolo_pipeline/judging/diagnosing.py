"""What a model got wrong on one split, and the boxes behind every count. hotcoco matches and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from hotcoco import COCOeval

from yolo_pipeline.diagnosis import (
    ERROR_NAMES,
    Calibration,
    Case,
    ConfidenceCurve,
    ConfusedPair,
    ConfusionMatrix,
    Diagnosis,
    ErrorKind,
    FalseAlarms,
    Missed,
)
from yolo_pipeline.errors import InputError
from yolo_pipeline.judging.coco import CocoResults, CocoTruth
from yolo_pipeline.judging.detection import best_f1_confidence, matches_of
from yolo_pipeline.judging.evaluation import Bools, Floats, Ints, Matching, Pair, evaluate, load, match
from yolo_pipeline.judging.said import ALONE, Said, said_at
from yolo_pipeline.judging.suspects import suspects
from yolo_pipeline.nouns import Detection, Split, Truth

_SIZES = (8, 16, 32, 96)
_SIZE_NAMES = ("under 8 px", "8 to 16 px", "16 to 32 px", "32 to 96 px", "above 96 px")
_MOST_CLASSES = 5000  # the matrix of more would not fit into memory
_CURVE = np.arange(101) / 100


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # boxes may be absurdly large
def diagnose(truth: CocoTruth, results: CocoResults, split: Split, conf: float, imgsz: int | None = None) -> Diagnosis:
    """Counts the mistakes of detections (COCO results) on truths (COCO ground truth), as `judging.coco` makes them.

    Matrix, cases and misses take detections of at least `conf`, best first, and match them at IoU 0.5 with objects of
    any class; crowds and what falls on them are no cases. On a tie of scores the first class goes first. TIDE's dAP,
    the curve, calibration and PR curves take all detections, and match them as `judge` does.

    Args:
        imgsz: longer side in pixels that the model is given an image in; without it sizes are those in the image.

    Raises:
        InputError: not of that shape, scores outside 0..1, or more than 5,000 classes.
    """
    pair = load(truth, results)
    require_diagnosable(pair)
    whole = evaluate(pair)
    judged = match(whole, len(pair.truths), len(pair.found))
    said = said_at(pair, conf)
    cases = tuple(_cases(pair, said))
    hits = [case.iou for case in cases if case.is_hit]
    return Diagnosis(
        split=split,
        conf=conf,
        images=len(pair.files),
        truths=int(said.matching.real.sum()),
        errors=_errors(pair, whole, conf),
        matrix=_matrix(pair, said),
        cases=cases,
        pairs=_pairs(pair, cases, said.matching),
        by_size=_by_size(pair, said.matching, imgsz),
        by_class=_by_class(pair, said.matching),
        alarms=_alarms(pair, said),
        curve=_curve(pair, judged),
        recalls=tuple(whole.params.rec_thrs),
        pr=_precision_recall(pair, whole),
        calibration=_calibration(whole),
        suspects=suspects(pair, judged, said),
        median_iou=float(np.median(hits)) if hits else None,
    )


def require_diagnosable(pair: Pair, truth: str | Path = "the truth", detections: str | Path = "the detections") -> None:
    """Refuses what cannot be diagnosed, though it can be judged; `truth` and `detections` are what errors name.

    Raises:
        InputError: scores outside 0..1, or more than 5,000 classes.
    """
    if len(pair.names) > _MOST_CLASSES:
        raise InputError(truth, f"has {len(pair.names):,} classes", f"Judge at most {_MOST_CLASSES:,} at once")
    if len(pair.found) and not (0 <= pair.found.score.min() and pair.found.score.max() <= 1):
        raise InputError(detections, "scores reach out of 0..1", "Save them as probabilities, then judge again")


def _errors(pair: Pair, whole: COCOeval, conf: float) -> tuple[ErrorKind, ...]:
    gains = whole.tide_errors()["delta_ap"]
    counts = evaluate(pair, pair.found.only(pair.found.score >= conf)).tide_errors()["counts"]
    return tuple(ErrorKind(name, float(gains[name]), int(counts[name])) for name in ERROR_NAMES)


def _cases(pair: Pair, said: Said) -> Iterator[Case]:
    """Image by image: the objects in the truth's order, each with what found it, then false alarms, best first."""
    matching = said.matching
    finder = np.full(len(pair.truths), -1, dtype=np.int64)
    finder[matching.truth[matching.hit]] = np.flatnonzero(matching.hit)
    real = np.flatnonzero(matching.real)
    false = np.flatnonzero(matching.counts & ~matching.hit)
    false = false[np.argsort(-said.score[false], kind="stable")]
    image = np.concatenate((pair.truths.image[real], said.image[false]))
    truth, found = np.concatenate((real, np.full(len(false), -1))), np.concatenate((finder[real], false))
    ious = said.overlapping.of(found, truth).tolist()
    truths: list[Truth | None] = [*said.truths, None]  # place -1 is None
    detections: list[Detection | None] = [*said.detections, None]
    for at in np.argsort(image, kind="stable").tolist():
        yield Case(pair.files[image[at]], truths[truth[at]], detections[found[at]], ious[at])


def _matrix(pair: Pair, said: Said) -> ConfusionMatrix:
    side = len(pair.names) + 1
    matching, there, hit = said.matching, pair.truths.label, said.matching.hit
    found = there[matching.truth[hit]] * side + said.label[hit]
    false = (side - 1) * side + said.label[matching.counts & ~hit]
    missed = there[matching.lost] * side + side - 1
    counts = np.bincount(np.concatenate((found, false, missed)), minlength=side * side)
    return ConfusionMatrix(pair.names, counts.reshape(side, side).astype(np.int64))


def _pairs(pair: Pair, cases: Sequence[Case], matching: Matching) -> tuple[ConfusedPair, ...]:
    """Most frequent first, then in the order of the classes; images with most of it first, then in theirs."""
    confused: dict[tuple[str, str], Counter[str]] = {}
    for case in cases:
        if case.truth and case.detection and not case.is_hit:
            confused.setdefault((case.row, case.column), Counter())[case.image] += 1
    place = {name: at for at, name in enumerate(pair.names)}
    truths = dict(zip(pair.names, _per_class(pair, matching.real), strict=True))
    found = []
    for (truth, said), images in confused.items():
        count = images.total()
        most_first = tuple(image for image, _ in images.most_common())
        found.append(ConfusedPair(truth, said, count, count / truths[truth], most_first))
    return tuple(sorted(found, key=lambda one: (-one.count, place[one.truth], place[one.said])))


def _per_class(pair: Pair, which: Bools) -> list[int]:
    return [int(n) for n in np.bincount(pair.truths.label[which], minlength=len(pair.names))]


def _by_class(pair: Pair, matching: Matching) -> tuple[Missed, ...]:
    counts = zip(pair.names, _per_class(pair, matching.real), _per_class(pair, matching.lost), strict=True)
    return tuple(Missed(name, truths, lost) for name, truths, lost in counts)


def _by_size(pair: Pair, matching: Matching, imgsz: int | None) -> tuple[Missed, ...]:
    scale = np.nan_to_num(imgsz / pair.sizes, nan=1.0) if imgsz else np.ones(len(pair.files))
    longer = pair.truths.xywh[:, 2:].max(axis=1, initial=0.0) * scale[pair.truths.image]
    size = np.digitize(longer, _SIZES)
    truths, lost = (np.bincount(size[which], minlength=len(_SIZE_NAMES)) for which in (matching.real, matching.lost))
    return tuple(Missed(name, int(truths[at]), int(lost[at])) for at, name in enumerate(_SIZE_NAMES) if truths[at])


def _alarms(pair: Pair, said: Said) -> FalseAlarms:
    alone = said.matching.counts & (said.overlapping.best < ALONE)
    empty = np.bincount(pair.truths.image, minlength=len(pair.files)) == 0
    boxes = np.bincount(said.image, minlength=len(pair.files)) * empty
    fired = [at for at in np.argsort(-boxes, kind="stable").tolist() if boxes[at]]
    return FalseAlarms(int(alone.sum()), int(empty.sum()), tuple(pair.files[at] for at in fired), int(boxes.sum()))


def _curve(pair: Pair, judged: Matching) -> ConfidenceCurve:
    """Recall and F1 are NaN where there is no object."""
    every, _ = matches_of(pair, judged)
    said = _at_least(every.scores)
    hits = _at_least(every.scores[every.found])
    truths = float(every.truths) or np.nan
    precision = np.divide(hits, said, out=np.full(len(said), np.nan), where=said > 0)
    boxes = _at_least(pair.found.score) / max(len(pair.files), 1)
    return ConfidenceCurve(
        conf=tuple(_CURVE.tolist()),
        precision=tuple(precision.tolist()),
        recall=tuple((hits / truths).tolist()),
        f1=tuple((2 * hits / (said + truths)).tolist()),
        boxes=tuple(boxes.tolist()),
        best=best_f1_confidence(every),
    )


def _at_least(scores: Floats) -> Ints:
    """How many scores reach each confidence of the curve."""
    return len(scores) - np.searchsorted(np.sort(scores), _CURVE, side="left")


def _precision_recall(pair: Pair, whole: COCOeval) -> dict[str, tuple[float, ...]]:
    assert whole.eval is not None  # evaluate() accumulates
    precision = whole.eval["precision"][0, :, :, 0, 0]  # IoU 0.5: (101 recalls, C classes), -1 where no truth
    return {name: tuple(precision[:, at].tolist()) for at, name in enumerate(pair.names) if precision[:, at].min() > -1}


def _calibration(whole: COCOeval) -> Calibration:
    told = whole.calibration()
    bins = ((b["avg_confidence"], b["avg_accuracy"], b["count"]) for b in told["bins"] if b["count"])
    return Calibration(float(told["ece"]), tuple(bins))
