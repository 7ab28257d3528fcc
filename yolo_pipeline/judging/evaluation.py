"""Truths and detections as arrays, and hotcoco's matching of them: what judge, diagnosis and bootstrap share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from hotcoco import COCO, COCOeval

from yolo_pipeline.errors import InputError
from yolo_pipeline.geometry import SAME_OBJECT_IOU
from yolo_pipeline.judging.coco import CocoResults, CocoTruth

_MAX_DETECTIONS = 100
_ALL_AREAS = [0.0, 1e10]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Truths:
    """Objects: indices of their images and classes, (N,) each; boxes (N, 4) x, y, width, height in pixels."""

    image: Ints
    label: Ints
    xywh: Floats
    area: Floats
    crowd: Bools

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Detections, as `Truths`; `score` (N,)."""

    image: Ints
    label: Ints
    xywh: Floats
    score: Floats

    def __len__(self) -> int:
        return len(self.image)

    def only(self, rows: Ints | Bools) -> Found:
        return Found(self.image[rows], self.label[rows], self.xywh[rows], self.score[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A truth and the results on it.

    Attributes:
        names: classes in the order of their ids.
        files: the images' file names, in the truth's order.
        sizes: their longer sides in pixels, (I,); NaN where the truth does not say.
        results: how many detections there were, with those of unknown classes.
    """

    names: tuple[str, ...]
    files: tuple[str, ...]
    sizes: Floats
    truths: Truths
    found: Found
    results: int


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Which detection found which object.

    Attributes:
        truth: (D,) row of the object that each detection found, -1 for none.
        counts: (D,) whether it counts at all: not on a crowd, not beyond the detections that an image may have.
        real: (T,) which objects are to be found: crowds are not.
    """

    truth: Ints
    counts: Bools
    real: Bools

    @property
    def hit(self) -> Bools:
        """(D,) which detections found an object."""
        return self.truth >= 0

    @property
    def lost(self) -> Bools:
        """(T,) which of the objects that are to be found nothing found."""
        lost = self.real.copy()
        lost[self.truth[self.hit]] = False
        return lost


def load(truth: CocoTruth, results: CocoResults) -> Pair:
    """The pair as arrays. Detections of classes that the truth does not list are left out.

    Raises:
        InputError: not as `judging.coco` makes or reads them.
    """
    try:
        images, annotations = truth["images"], truth["annotations"]
        categories = sorted(truth["categories"], key=itemgetter("id"))
        image_ids, category_ids = _column(images, "id", np.int64), _column(categories, "id", np.int64)
        truths = _truths(annotations, image_ids, category_ids)
        files = tuple(str(image.get("file_name", image["id"])) for image in images)
        sizes = np.array([_longer_side(image) for image in images], dtype=np.float64)
        names = tuple(str(category["name"]) for category in categories)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise _odd("the truths", error) from error
    try:
        found = _found(results, image_ids, category_ids)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _odd("the detections", error) from error
    return Pair(names, files, sizes, truths, found, len(results))


def evaluate(pair: Pair, found: Found | None = None, *, classes: bool = True) -> COCOeval:
    """hotcoco's evaluation over all areas, accumulated.

    Args:
        found: other detections than the pair's.
        classes: whether a detection finds objects of its own class alone, 100 of a class in an image; otherwise it
            finds any, and all are taken.
    """
    found = pair.found if found is None else found
    names = pair.names if classes else ("object",)
    truths = pair.truths
    ground = COCO.from_arrays(
        [{"id": number} for number in range(1, len(pair.files) + 1)],
        [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
        truths.image + 1,
        truths.label + 1 if classes else np.ones_like(truths.label),
        truths.xywh,
        area=truths.area,
        iscrowd=truths.crowd,
    )
    labels = found.label + 1 if classes else np.ones_like(found.label)
    rows = np.column_stack((found.image + 1, found.xywh, found.score, labels))
    evaluation = COCOeval(ground, ground.load_res(rows), "bbox")
    params = evaluation.params
    params.area_rng, params.area_rng_lbl = [_ALL_AREAS], ["all"]
    params.max_dets = [_MAX_DETECTIONS if classes else max(len(found), 1)]
    evaluation.params = params
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


def match(evaluation: COCOeval, truths: int, found: int, iou: float = SAME_OBJECT_IOU) -> Matching:
    """COCO's matching, of so many truths and detections as were evaluated; `iou` is one of 0.50, 0.55 … 0.95."""
    told = evaluation.image_diagnostics(iou_thr=iou, score_thr=np.inf)
    matched = told["dt_match"]
    truth = np.full(found, -1, dtype=np.int64)
    truth[_ids(matched)] = np.fromiter(matched.values(), np.int64, len(matched)) - 1
    counts, real = np.zeros(found, dtype=bool), np.zeros(truths, dtype=bool)
    counts[_ids(told["dt_status"])] = True
    real[_ids(told["gt_status"])] = True
    return Matching(truth, counts, real)


def _ids(told: dict[int, Any]) -> Ints:
    return np.fromiter(told, np.int64, len(told)) - 1


def _truths(rows: Sequence[dict[str, Any]], images: Ints, categories: Ints) -> Truths:
    image, label = _places(_column(rows, "image_id", np.int64), images), _column(rows, "category_id", np.int64)
    xywh, area = _boxes(rows), np.array([row.get("area") for row in rows], dtype=np.float64)
    with np.errstate(over="ignore"):
        area = np.where(np.isnan(area), xywh[:, 2] * xywh[:, 3], area)  # None became NaN
    crowd = np.array([bool(row.get("iscrowd")) for row in rows], dtype=bool)
    return Truths(image, _places(label, categories), xywh, area, crowd)


def _found(rows: Sequence[dict[str, Any]], images: Ints, categories: Ints) -> Found:
    image, score = _places(_column(rows, "image_id", np.int64), images), _column(rows, "score", np.float64)
    if not np.isfinite(score).all():
        raise ValueError("a score is no finite number")
    label = _column(rows, "category_id", np.int64)
    found = Found(image, label, _boxes(rows), score)
    known = np.isin(label, categories)
    kept = found if known.all() else found.only(known)
    return Found(kept.image, _places(kept.label, categories), kept.xywh, kept.score)


def _column(rows: Sequence[dict[str, Any]], key: str, kind: type[Any]) -> npt.NDArray[Any]:
    return np.fromiter(map(itemgetter(key), rows), kind, len(rows))


def _boxes(rows: Iterable[dict[str, Any]]) -> Floats:
    boxes = [row["bbox"] for row in rows]
    if set(map(len, boxes)) - {4}:
        raise ValueError("a box is no four numbers")
    xywh = np.fromiter(chain.from_iterable(boxes), np.float64, 4 * len(boxes)).reshape(-1, 4)
    if not np.isfinite(xywh).all():
        raise ValueError("a box is no four finite numbers")
    return xywh


def _places(values: Ints, ids: Ints) -> Ints:
    """Where each value stands among the ids."""
    order = np.argsort(ids, kind="stable")
    place = np.searchsorted(ids[order], values)
    if len(values) and (place.max() >= len(ids) or (ids[order][place] != values).any()):
        raise ValueError("an id that is not listed")
    return order[place]


def _longer_side(image: dict[str, Any]) -> float:
    side = max(float(image.get("width") or 0), float(image.get("height") or 0))
    return side if image.get("width") and image.get("height") and 0 < side < np.inf else np.nan


def _odd(where: str, error: Exception) -> InputError:
    return InputError(where, f"are not as COCO has them ({type(error).__name__}: {error})", "Judge the attempt again")
