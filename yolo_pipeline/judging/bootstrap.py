"""How far a figure depends on which images it was measured on: bootstrap over images (Efron, Ann. Statist. 1979).

As many images as there are, drawn with replacement; matching stays as it is, only how often each image counts
changes. Intervals are percentiles. hotcoco's `compare` (1.3.0) counts an image once however often it was drawn, so
that its intervals are a quarter too narrow; it matches here, and no more.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from yolo_pipeline.diagnosis import Difference, Draws, Interval
from yolo_pipeline.judging.coco import CocoResults, CocoTruth
from yolo_pipeline.judging.evaluation import Bools, Floats, Ints, Pair, evaluate, load, match

_METRICS = ("mAP50", "mAP50_95")
_CONFIDENCE = 0.95
_MOST, _LEAST = 1000, 150  # resamples
_LEAST_IMAGES = 2  # with objects
LEAST_PAIRED = 6
"""Images with objects that a difference takes: five go all one way by chance once in 16 times (sign test)."""
_WORK = 30_000_000  # hits and detections to go through in all, which takes about a second


def resampled(truth: CocoTruth, results: CocoResults, seed: int = 0) -> Draws:
    """`mAP50` and `mAP50_95` on 1,000 resamples of the images; large sets have fewer, but at least 150.

    Sets of as many images are drawn alike with the same seed, as far as the shorter one goes.

    Raises:
        InputError: not as `judging.coco` makes or reads them.
    """
    pair = load(truth, results)
    holding = len(np.unique(pair.truths.image[~pair.truths.crowd]))
    if holding < _LEAST_IMAGES:
        return Draws(holding, np.zeros(len(_METRICS)), np.zeros((0, len(_METRICS))))
    ranking = ranked(pair)
    with ThreadPoolExecutor() as pool:  # NumPy lets go of the interpreter lock
        draws = np.array(list(pool.map(ranking.figures, _weights(pair, seed, ranking.work))))
    return Draws(holding, ranking.figures(np.ones(len(pair.files))), draws)


def intervals_of(drawn: Draws) -> dict[str, Interval]:
    """Where `mAP50` and `mAP50_95` may lie; nothing for fewer than 2 images with objects."""
    if drawn.images < _LEAST_IMAGES:
        return {}
    return {name: _interval(drawn.figures[:, at]) for at, name in enumerate(_METRICS)}


def differences_of(before: Draws, after: Draws) -> dict[str, Difference]:
    """What `after` has more of `mAP50` and `mAP50_95` than `before`, paired: on the same drawn images of one truth.

    Nothing for fewer than 6 images with objects: resampling these shows no more than that all went one way, which is
    no proof.
    """
    if before.images < LEAST_PAIRED:
        return {}
    count = min(len(before.figures), len(after.figures))
    gained, whole = after.figures[:count] - before.figures[:count], after.whole - before.whole
    return {name: Difference(float(whole[at]), _interval(gained[:, at])) for at, name in enumerate(_METRICS)}


def intervals(truth: CocoTruth, results: CocoResults, seed: int = 0) -> dict[str, Interval]:
    """`intervals_of` the pair's resamples."""
    return intervals_of(resampled(truth, results, seed))


def differences(truth: CocoTruth, before: CocoResults, after: CocoResults, seed: int = 0) -> dict[str, Difference]:
    """`differences_of` the resamples of both."""
    return differences_of(resampled(truth, before, seed), resampled(truth, after, seed))


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A model's detections by class, best first, and its hits at each IoU, from which AP follows for any weights.

    A curve is the hits of one IoU and class, best first; curves go by IoU, then class.

    Attributes:
        image: (N,) of the detections.
        counts: (K, N) whether they count; K is 1 where that is the same at all IoUs, as it is without crowds.
        hit_image, hit_label: (H,) of the hits, curve by curve.
        begin, end: (H,) where the detections of the class begin and where those after the hit do, in (K, N + 1), flat.
        curve: (H,) which one.
        first: (I * C + 1,) where each curve begins among the hits, and where the last one ends.
        truth_image, truth_label: (T,) of the objects.
        recalls: (R,) at which precision is read.
    """

    image: Ints
    counts: Bools
    hit_image: Ints
    hit_label: Ints
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
        found = hits[1:] - hits[self.first[self.curve]]
        precision = found / np.maximum(said[self.end] - said[self.begin], 1.0)
        # The best precision from here on: curves are lifted over those after them, so that none reaches into another.
        lift = 2.0 * (len(self.first) - self.curve)
        best = np.maximum.accumulate((precision + lift)[::-1])[::-1] - lift
        # How many of the recalls at each hit are new: all counts are whole, so this is exact.
        table, place = self._reached(objects)
        reached = table[place[self.hit_label] + found.astype(np.int64)]
        gained = np.diff(reached, prepend=0)
        begin = self.first[:-1][self.first[:-1] < self.first[1:]]
        gained[begin] = reached[begin]
        read = np.zeros(len(self.first) - 1)
        if len(begin):
            read[self.curve[begin]] = np.add.reduceat(best * gained, begin) / len(self.recalls)
        average = read.reshape(-1, self.classes)[:, objects > 0]
        return np.array([average[0].mean(), average.mean()]) if average.size else np.full(2, np.nan)

    def _reached(self, objects: Floats) -> tuple[Ints, Ints]:
        """How many recalls 0, 1 … hits reach, class by class, and where each class (C,) begins; COCO's division."""
        each = objects.astype(np.int64) + 1
        place = np.append(0, np.cumsum(each))
        share = (np.arange(place[-1]) - np.repeat(place[:-1], each)) / np.repeat(np.maximum(objects, 1.0), each)
        return np.searchsorted(self.recalls, share, side="right"), place[:-1]


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
        hit_label=label[place],
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
