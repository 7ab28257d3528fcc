"""The one judge of detections: COCO's definitions, by hotcoco, whatever framework made them.

mAP: COCO's, 101 recall points, IoU 0.50 to 0.95, all areas, 100 detections an image (equal to pycocotools 2.0
cocoeval.py). Precision, recall and F1 count boxes of all classes together at IoU 0.5, with COCO's matching.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hotcoco import COCO, COCOeval

from yolo_pipeline.diagnosis import ConfusionMatrix
from yolo_pipeline.geometry import iou
from yolo_pipeline.judging.coco import CocoResults, CocoTruth
from yolo_pipeline.nouns import ClassScores, Detection, Scores, Truth

_MAX_DETECTIONS = 100
_ALL_AREAS = [0.0, 1e10]


@dataclass(frozen=True, slots=True)
class _Matches:
    """One class's detections, unordered: score and whether it found a truth, each (N,); and how many truths."""

    scores: npt.NDArray[np.float64]
    found: npt.NDArray[np.bool_]
    truths: int


def judge(truth: CocoTruth, results: CocoResults) -> Scores:
    """Scores detections (COCO results) against truths (COCO ground truth), as `judging.coco` makes them."""
    names = {category["id"]: category["name"] for category in truth["categories"]}
    ids = sorted(names)
    evaluation = _evaluate(truth, results)
    matches = _match(evaluation, ids)
    every = _Matches(
        np.concatenate([matches[i].scores for i in ids]) if ids else np.zeros(0),
        np.concatenate([matches[i].found for i in ids]) if ids else np.zeros(0, dtype=bool),
        sum(matches[i].truths for i in ids),
    )
    conf = best_f1_confidence(every)
    precision, recall, f1 = _at(every, conf)
    ap50, ap = _average_precision(evaluation, ids)
    return Scores(
        images=len(truth["images"]),
        truths=every.truths,
        detections=len(results),
        mAP50=_mean(ap50.values()),
        mAP50_95=_mean(ap.values()),
        precision=precision,
        recall=recall,
        f1=f1,
        conf=conf,
        correct=0 if conf is None else int(every.found[every.scores >= conf].sum()),
        classes={names[i]: _class_scores(matches[i], conf, ap50[i], ap[i]) for i in ids},
    )


def confusion_matrix(truth: CocoTruth, results: CocoResults, conf: float) -> ConfusionMatrix:
    """Which class was taken for which, at IoU 0.5, among detections with a score of at least `conf`."""
    names = {category["id"]: category["name"] for category in truth["categories"]}
    known = [row for row in results if row["score"] >= conf]
    found = _evaluate(truth, known).confusion_matrix(iou_thr=0.5)
    ordered = tuple(names[i] for i in found["cat_ids"])
    return ConfusionMatrix(ordered, np.asarray(found["matrix"], dtype=np.int64))


def mistakes(truths: Sequence[Truth], detections: Sequence[Detection]) -> int:
    """On one picture: truths not found plus detections that found none, at IoU 0.5, detections taken best first."""
    left = list(truths)
    wrong = 0
    for found in sorted(detections, key=lambda detection: -detection.score):
        fits = [truth for truth in left if truth.label == found.label and iou(truth.box, found.box) >= 0.5]
        if fits:
            left.remove(max(fits, key=lambda truth: iou(truth.box, found.box)))
        else:
            wrong += 1
    return wrong + len(left)


def best_f1_confidence(matches: _Matches) -> float | None:
    """The score at which keeping every detection that has at least it gives the best F1; the higher one on a tie."""
    if not matches.truths or not len(matches.scores):
        return None
    order = np.argsort(-matches.scores, kind="stable")
    scores, hits = matches.scores[order], np.cumsum(matches.found[order])
    last = np.append(scores[1:] != scores[:-1], True)  # equal scores are kept or left together
    f1 = np.where(last, 2 * hits / (np.arange(1, len(scores) + 1) + matches.truths), -1.0)
    return float(scores[int(np.argmax(f1))])


def _evaluate(truth: CocoTruth, results: CocoResults) -> COCOeval:
    ground = COCO(truth)
    evaluation = COCOeval(ground, ground.load_res(results), "bbox")
    params = evaluation.params
    params.area_rng, params.area_rng_lbl, params.max_dets = [_ALL_AREAS], ["all"], [_MAX_DETECTIONS]
    evaluation.params = params
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


def _match(evaluation: COCOeval, ids: list[int]) -> dict[int, _Matches]:
    """Category id -> its detections with COCO's matching at IoU 0.5; crowds and what falls on them are left out."""
    scores: dict[int, list[float]] = defaultdict(list)
    found: dict[int, list[bool]] = defaultdict(list)
    truths: dict[int, int] = defaultdict(int)
    for entry in evaluation.eval_imgs:
        if entry is None:
            continue
        category = entry["category_id"]
        truths[category] += sum(not ignored for ignored in entry["gtIgnore"])
        for score, matched, ignored in zip(entry["dtScores"], entry["dtMatched"][0], entry["dtIgnore"][0], strict=True):
            if not ignored:
                scores[category].append(score)
                found[category].append(matched)
    return {i: _Matches(np.array(scores[i], dtype=float), np.array(found[i], dtype=bool), truths[i]) for i in ids}


def _at(matches: _Matches, conf: float | None) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 at a confidence; None where there is no truth. No detection: precision 0."""
    if not matches.truths:
        return None, None, None
    kept = matches.scores >= conf if conf is not None else np.zeros(0, dtype=bool)
    hits = int(matches.found[kept].sum()) if len(kept) else 0
    said = int(kept.sum())
    precision = hits / said if said else 0.0
    return precision, hits / matches.truths, 2 * hits / (said + matches.truths)


def _average_precision(evaluation: COCOeval, ids: list[int]) -> tuple[dict[int, float | None], dict[int, float | None]]:
    """Category id -> AP50 and AP50-95; None where there is no truth."""
    evaluated = evaluation.eval
    assert evaluated is not None  # accumulate() ran
    precision = evaluated["precision"][:, :, :, 0, 0]  # (10 IoUs, 101 recalls, C classes); -1 where no truth

    def mean(values: npt.NDArray[np.float64]) -> float | None:
        return float(values.mean()) if values.size and values.min() > -1 else None

    order = list(evaluation.params.cat_ids)
    ap50 = {i: mean(precision[0, :, order.index(i)]) for i in ids}
    ap = {i: mean(precision[:, :, order.index(i)]) for i in ids}
    return ap50, ap


def _class_scores(matches: _Matches, conf: float | None, ap50: float | None, ap: float | None) -> ClassScores:
    return ClassScores(matches.truths, ap50, ap, *_at(matches, conf))


def _mean(values: object) -> float | None:
    there = [value for value in values if value is not None]  # type: ignore[attr-defined]
    return float(np.mean(there)) if there else None
