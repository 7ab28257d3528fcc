"""How far a figure depends on which images it was measured on: bootstrap over images (Efron, Ann. Statist. 1979).

As many images as there are, drawn with replacement; matching stays as it is, only how often each image counts
changes. Intervals are percentiles. hotcoco's `compare` (1.3.0) counts an image once however often it was drawn, so
that its intervals are a quarter too narrow; it matches here, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from yolo_pipeline.diagnosis import Difference, Interval
from yolo_pipeline.judging.coco import CocoResults, CocoTruth
from yolo_pipeline.judging.evaluation import Bools, Floats, Ints, Pair, evaluate, load, match

_METRICS = ("mAP50", "mAP50_95")
_CONFIDENCE = 0.95
_MOST, _LEAST = 1000, 200  # resamples
_WORK = 50_000_000  # hits and detections to go through in all, which takes a second or two


def intervals(truth: CocoTruth, results: CocoResults, seed: int = 0) -> dict[str, Interval]:
    """Where `mAP50` and `mAP50_95` may lie; nothing for fewer than 2 images, or without objects.

    1,000 resamples of the images; large sets have fewer, but at least 200.

    Raises:
        InputError: not as `judging.coco` makes or reads them.
    """
    pair = load(truth, results)
    if not _is_enough(pair):
        return {}
    ranking = ranked(pair)
    draws = np.array([ranking.figures(weight) for weight in _weights(pair, seed, ranking.work)])
    return {name: _interval(draws[:, at]) for at, name in enumerate(_METRICS)}


def differences(truth: CocoTruth, before: CocoResults, after: CocoResults, seed: int = 0) -> dict[str, Difference]:
    """What `after` has more of `mAP50` and `mAP50_95` than `before`, paired: both on the same drawn images.

    Resamples, empty results and errors as in `intervals`.
    """
    old, new = load(truth, before), load(truth, after)
    if not _is_enough(old):
        return {}
    was, is_ = ranked(old), ranked(new)

    def gained(weight: Floats) -> Floats:
        return is_.figures(weight) - was.figures(weight)

    deltas = gained(np.ones(len(old.files)))
    draws = np.array([gained(weight) for weight in _weights(old, seed, was.work + is_.work)])
    return {name: Difference(float(deltas[at]), _interval(draws[:, at])) for at, name in enumerate(_METRICS)}


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A model's detections by class, best first, and its hits at each IoU, from which AP follows for any weights.

    A curve is the hits of one IoU and class, best first; curves go by IoU, then class.

    Attributes:
        image: (N,) of the detections.
        counts: (K, N) whether they count; K is 1 where that is the same at all IoUs, as it is without crowds.
        hit_image: (H,) of the hits, curve by curve.
        begin, end: (H,) where the detections of the class begin and where those after the hit do, in (K, N + 1), flat.
        curve: (H,) which one.
        first: (I * C + 1,) where each curve begins among the hits, and where the last one ends.
        truth_image, truth_label: (T,) of the objects.
        recalls: (R,) at which precision is read.
    """

    image: Ints
    counts: Bools
    hit_image: Ints
    begin: Ints
    end: Ints
    curve: Ints
    first: Ints
    truth_image: Ints
    truth_label: Ints
    recalls: Floats
    classes: int

    @property
    def work(self) -> int:
        return self.counts.size + len(self.hit_image)

    def figures(self, weight: Floats) -> Floats:
        """mAP50 and mAP50-95 where images count `weight` (I,) times; NaN without objects."""
        objects = np.bincount(self.truth_label, weight[self.truth_image], self.classes).astype(np.float64)
        said = _running(np.where(self.counts, weight[self.image], 0.0)).ravel()
        hits = _running(weight[self.hit_image])
        precision = hits[1:] - hits[self.first[self.curve]]
        precision /= np.maximum(said[self.end] - said[self.begin], 1.0)
        # The best precision from here on: curves are lifted over those after them, so that none reaches into another.
        lift = 2.0 * (len(self.first) - self.curve)
        best = np.append(np.maximum.accumulate((precision + lift)[::-1])[::-1] - lift, 0.0)
        # The first hit at which a curve has reached each recall. All counts are whole, so this is exact.
        needed = np.tile(_needed(self.recalls, objects), ((len(self.first) - 1) // self.classes, 1))
        place = np.searchsorted(hits[1:], hits[self.first[:-1], None] + needed)
        place = np.maximum(place, self.first[:-1, None])
        read = np.where(place < self.first[1:, None], best[place], 0.0).mean(axis=1)
        average = read.reshape(-1, self.classes)[:, objects > 0]
        return np.array([average[0].mean(), average.mean()]) if average.size else np.full(2, np.nan)


def _needed(recalls: Floats, objects: Floats) -> Floats:
    """How many hits reach each recall, (C, R): the least n with n / objects >= recall, as COCO divides."""
    objects = np.maximum(objects, 1.0)[:, None]
    least = np.ceil(recalls * objects)
    least -= (least - 1) / objects >= recalls
    return least + (least / objects < recalls)


def ranked(pair: Pair) -> Ranking:
    evaluation = evaluate(pair)
    params, found, classes = evaluation.params, pair.found, len(pair.names)
    matchings = [match(evaluation, len(pair.truths), len(found), iou) for iou in params.iou_thrs]
    order = np.lexsort((found.image, -found.score, found.label))
    label = found.label[order]
    counts = np.array([matching.counts[order] for matching in matchings])
    alike = bool((counts == counts[0]).all())
    iou, place = np.nonzero(np.array([matching.hit[order] for matching in matchings]))
    offset = np.zeros_like(iou) if alike else iou * (len(order) + 1)
    curve = iou * classes + label[place]
    real = matchings[0].real
    return Ranking(
        image=found.image[order],
        counts=counts[:1] if alike else counts,
        hit_image=found.image[order][place],
        begin=offset + np.searchsorted(label, label[place]),
        end=offset + place + 1,
        curve=curve,
        first=np.searchsorted(curve, np.arange(len(matchings) * classes + 1)),
        truth_image=pair.truths.image[real],
        truth_label=pair.truths.label[real],
        recalls=np.array(params.rec_thrs),
        classes=classes,
    )


def _running(values: Floats) -> Floats:
    """Sums up to each place along the last axis, one more than there are values: from 0 on."""
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums


def _weights(pair: Pair, seed: int, work: int) -> list[Floats]:
    """How often each image was drawn, (I,), for each resample."""
    rng, count = np.random.default_rng(seed), len(pair.files)
    resamples = max(_LEAST, min(_MOST, _WORK // max(work, 1)))
    return [np.bincount(rng.integers(0, count, count), minlength=count).astype(float) for _ in range(resamples)]


def _interval(draws: Floats) -> Interval:
    """Percentiles of the draws that hold objects."""
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(draws[~np.isnan(draws)], [tail, 1 - tail])
    return Interval(float(low), float(high), _CONFIDENCE)


def _is_enough(pair: Pair) -> bool:
    return len(pair.files) > 1 and not pair.truths.crowd.all()
