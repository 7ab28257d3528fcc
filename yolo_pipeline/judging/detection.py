"""The one judge of detections: COCO's definitions, by hotcoco, whatever framework made them.

mAP: COCO's, 101 recall points, IoU 0.50 to 0.95, all areas, 100 detections an image (equal to pycocotools 2.0
cocoeval.py). Precision, recall and F1 count boxes of all classes together at IoU 0.5, with COCO's matching.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hotcoco import COCOeval

from yolo_pipeline.judging.coco import CocoResults, CocoTruth
from yolo_pipeline.judging.evaluation import Matching, Pair, evaluate, load, match
from yolo_pipeline.nouns import ClassScores, Scores


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Detections, unordered: score and whether it found a truth, each (N,); and how many truths there are."""

    scores: npt.NDArray[np.float64]
    found: npt.NDArray[np.bool_]
    truths: int


def judge(truth: CocoTruth, results: CocoResults) -> Scores:
    """Scores detections (COCO results) against truths (COCO ground truth), as `judging.coco` makes them.

    Raises:
        InputError: not of that shape.
    """
    pair = load(truth, results)
    evaluation = evaluate(pair)
    every, by_class = matches_of(pair, match(evaluation, len(pair.truths), len(pair.found)))
    conf = best_f1_confidence(every)
    precision, recall, f1 = _at(every, conf)
    ap50, ap = _average_precision(evaluation, len(pair.names))
    return Scores(
        images=len(pair.files),
        truths=every.truths,
        detections=pair.results,
        mAP50=_mean(ap50),
        mAP50_95=_mean(ap),
        precision=precision,
        recall=recall,
        f1=f1,
        conf=conf,
        correct=0 if conf is None else int(every.found[every.scores >= conf].sum()),
        classes={
            name: ClassScores(mine.truths, ap50[i], ap[i], *_at(mine, conf))
            for i, (name, mine) in enumerate(zip(pair.names, by_class, strict=True))
        },
    )


def best_f1_confidence(matches: Matches) -> float | None:
    """The score at which keeping every detection that has at least it gives the best F1; the higher one on a tie."""
    if not matches.truths or not len(matches.scores):
        return None
    order = np.argsort(-matches.scores, kind="stable")
    scores, hits = matches.scores[order], np.cumsum(matches.found[order])
    last = np.append(scores[1:] != scores[:-1], True)  # equal scores are kept or left together
    f1 = np.where(last, 2 * hits / (np.arange(1, len(scores) + 1) + matches.truths), -1.0)
    return float(scores[int(np.argmax(f1))])


def matches_of(pair: Pair, matching: Matching) -> tuple[Matches, list[Matches]]:
    """All detections that count, and those of each class; crowds and what falls on them are left out."""
    kept = matching.counts
    scores, found, said = pair.found.score[kept], matching.hit[kept], pair.found.label[kept]
    truths = np.bincount(pair.truths.label[matching.real], minlength=len(pair.names)).tolist()
    each = (said == label for label in range(len(pair.names)))
    return Matches(scores, found, sum(truths)), [
        Matches(scores[mine], found[mine], count) for mine, count in zip(each, truths, strict=True)
    ]


def _at(matches: Matches, conf: float | None) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 at a confidence; None where there is no truth. No detection: precision 0."""
    if not matches.truths:
        return None, None, None
    kept = matches.scores >= conf if conf is not None else np.zeros(0, dtype=bool)
    hits = int(matches.found[kept].sum()) if len(kept) else 0
    said = int(kept.sum())
    precision = hits / said if said else 0.0
    return precision, hits / matches.truths, 2 * hits / (said + matches.truths)


def _average_precision(evaluation: COCOeval, classes: int) -> tuple[list[float | None], list[float | None]]:
    """AP50 and AP50-95 of each class; None where there is no truth."""
    evaluated = evaluation.eval
    assert evaluated is not None  # accumulate() ran
    precision = evaluated["precision"][:, :, :, 0, 0]  # (10 IoUs, 101 recalls, C classes); -1 where no truth

    def mean(values: npt.NDArray[np.float64]) -> float | None:
        return float(values.mean()) if values.size and values.min() > -1 else None

    return [mean(precision[0, :, i]) for i in range(classes)], [mean(precision[:, :, i]) for i in range(classes)]


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
