"""A diagnosis: small cases by hand, and what holds for any pair."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hotcoco import COCO, COCOeval
from hypothesis import given, settings
from hypothesis import strategies as st
from pairs import CocoPair, drawn, made

from yolo_pipeline.diagnosis import Case, ConfusedPair, FalseAlarms, Missed
from yolo_pipeline.errors import InputError
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.judging.diagnosing import diagnose
from yolo_pipeline.nouns import Box, Detection, Truth

DATA = Path(__file__).parents[1] / "data" / "judged"

_LEFT, _RIGHT, _LOW = (0, 0, 20, 20), (50, 0, 70, 20), (0, 60, 20, 80)


@pytest.fixture
def meal() -> CocoPair:
    """Two pictures with chicken and onion, and two of an empty table."""
    truths: Any = [[(_LEFT, "chicken"), (_RIGHT, "onion")], [(_LEFT, "chicken"), (_RIGHT, "chicken")], [], []]
    said: Any = [
        [(_LEFT, "onion", 0.9), (_RIGHT, "onion", 0.8), (_LOW, "chicken", 0.7)],
        [(_LEFT, "onion", 0.6), (_RIGHT, "chicken", 0.2)],
        [(_LOW, "chicken", 0.5)],
        [(_LOW, "chicken", 0.9), (_LEFT, "onion", 0.8), (_RIGHT, "onion", 0.1)],
    ]
    return made(truths, said, names=("chicken", "onion"))


def test_matrix_and_the_boxes_behind_it(meal: CocoPair) -> None:
    diagnosis = diagnose(*meal, "val", conf=0.5)
    assert (diagnosis.split, diagnosis.conf, diagnosis.images, diagnosis.truths) == ("val", 0.5, 4, 4)
    assert diagnosis.matrix.names == ("chicken", "onion")
    assert diagnosis.matrix.counts.tolist() == [[0, 2, 1], [0, 1, 0], [3, 1, 0]]
    left, right, low = Box(0, 0, 20, 20), Box(50, 0, 70, 20), Box(0, 60, 20, 80)
    assert diagnosis.cases == (
        Case("0.png", Truth(left, "chicken"), Detection(left, "onion", 0.9), 1.0),
        Case("0.png", Truth(right, "onion"), Detection(right, "onion", 0.8), 1.0),
        Case("0.png", None, Detection(low, "chicken", 0.7)),
        Case("1.png", Truth(left, "chicken"), Detection(left, "onion", 0.6), 1.0),
        Case("1.png", Truth(right, "chicken"), None),
        Case("2.png", None, Detection(low, "chicken", 0.5)),
        Case("3.png", None, Detection(low, "chicken", 0.9)),
        Case("3.png", None, Detection(left, "onion", 0.8)),
    )


def test_what_is_counted_from_the_matrix(meal: CocoPair) -> None:
    diagnosis = diagnose(*meal, "val", conf=0.5)
    assert diagnosis.pairs == (ConfusedPair("chicken", "onion", 2, pytest.approx(2 / 3), ("0.png", "1.png")),)
    assert diagnosis.by_class == (Missed("chicken", 3, 1), Missed("onion", 1, 0))
    assert diagnosis.alarms == FalseAlarms(boxes=4, backgrounds=2, fired=("3.png", "2.png"), fired_boxes=3)
    assert diagnosis.median_iou == 1.0


def test_pairs_count_both_directions_apart_and_the_most_frequent_come_first() -> None:
    truths: Any = [[(_LEFT, "a"), (_RIGHT, "b")], [(_LEFT, "b"), (_RIGHT, "b")], [(_LEFT, "b")]]
    said: Any = [
        [(_LEFT, "b", 0.9), (_RIGHT, "a", 0.8)],
        [(_LEFT, "a", 0.9), (_RIGHT, "a", 0.9)],
        [(_LEFT, "b", 0.9)],
    ]
    assert diagnose(*made(truths, said), "val", conf=0.5).pairs == (
        ConfusedPair("b", "a", 3, 0.75, ("1.png", "0.png")),
        ConfusedPair("a", "b", 1, 1.0, ("0.png",)),
    )


def test_the_best_scored_detection_of_an_object_is_the_one_that_counts() -> None:
    pair = made([[(_LEFT, "a")]], [[(_LEFT, "a", 0.8), (_LEFT, "b", 0.9)]])
    assert diagnose(*pair, "val", conf=0.5).matrix.counts.tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]
    # Two on one object: the second is false, but it does not lie on background.
    assert diagnose(*pair, "val", conf=0.5).alarms.boxes == 0


def test_a_crowd_is_neither_missed_nor_false() -> None:
    crowds: Any = [(0, (0, 0, 50, 50), "a")]
    pair = made([[(_LOW, "a")], []], [[((5, 5, 20, 20), "a", 0.9), ((5, 5, 20, 20), "b", 0.8)], []], crowds=crowds)
    diagnosis = diagnose(*pair, "val", conf=0.5)
    assert diagnosis.truths == 1
    assert diagnosis.matrix.counts.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert diagnosis.alarms == FalseAlarms(boxes=0, backgrounds=1, fired=(), fired_boxes=0)


def test_more_than_a_hundred_objects_in_an_image_are_all_found() -> None:
    grid = [((6.0 * x, 6.0 * y, 6.0 * x + 5, 6.0 * y + 5), "a") for x in range(12) for y in range(12)]
    pair = made([grid], [[(*one, 0.9) for one in grid]])
    assert diagnose(*pair, "val", conf=0.5).by_class[0] == Missed("a", 144, 0)


@pytest.mark.parametrize(
    ("size", "imgsz", "expected"),
    [
        pytest.param((1280, 640), 640, [("under 8 px", 1), ("8 to 16 px", 1), ("16 to 32 px", 1), ("32 to 96 px", 1), ("above 96 px", 1)], id="halved"),
        pytest.param((1280, 640), None, [("8 to 16 px", 1), ("16 to 32 px", 1), ("32 to 96 px", 2), ("above 96 px", 1)], id="no imgsz"),
        pytest.param(None, 640, [("8 to 16 px", 1), ("16 to 32 px", 1), ("32 to 96 px", 2), ("above 96 px", 1)], id="no size"),
        pytest.param((320, 320), 640, [("16 to 32 px", 1), ("32 to 96 px", 1), ("above 96 px", 3)], id="doubled"),
    ],
)  # fmt: skip
def test_sizes_are_those_that_the_model_sees(size: Any, imgsz: int | None, expected: Any) -> None:
    sides = (15.9, 16, 63.9, 64, 192)
    pair = made([[((0, 0, side, side / 2), "a")] for side in sides], [[]] * len(sides), size=size)
    assert diagnose(*pair, "val", 0.5, imgsz).by_size == tuple(Missed(name, n, n) for name, n in expected)


def test_the_curve_at_some_confidences(meal: CocoPair) -> None:
    curve = diagnose(*meal, "val", conf=0.5).curve
    assert len(curve.conf) == 101
    assert curve.conf[0] == 0.0
    assert curve.conf[55] == 0.55
    assert curve.conf[100] == 1.0
    # 9 detections; onion at .8 in the first picture and chicken at .2 in the second are right, of 4 objects.
    assert curve.at(0.0) == pytest.approx((2 / 9, 2 / 4, 4 / 13, 9 / 4))
    assert curve.at(0.2) == pytest.approx((2 / 8, 2 / 4, 4 / 12, 8 / 4))
    assert curve.at(0.5) == pytest.approx((1 / 7, 1 / 4, 2 / 11, 7 / 4))
    assert curve.at(0.9) == pytest.approx((0.0, 0.0, 0.0, 2 / 4))
    precision, recall, f1, boxes = curve.at(0.95)
    assert math.isnan(precision)
    assert (recall, f1, boxes) == (0.0, 0.0, 0.0)
    assert curve.best == judge(*meal).conf == 0.2


def test_precision_over_recall_and_calibration(meal: CocoPair) -> None:
    diagnosis = diagnose(*meal, "val", conf=0.5)
    assert diagnosis.recalls == pytest.approx([i / 100 for i in range(101)])
    # Of three chickens one is found, by the worst of four chicken detections.
    assert diagnosis.pr["chicken"] == pytest.approx([1 / 4] * 34 + [0.0] * 67)
    assert diagnosis.pr["onion"] == pytest.approx([1 / 2] * 101)  # second to the wrong one of .9
    assert [(round(score, 6), right, count) for score, right, count in diagnosis.calibration.bins] == [
        (0.1, 0.0, 1),
        (0.2, 1.0, 1),
        (0.5, 0.0, 1),
        (0.6, 0.0, 1),
        (0.7, 0.0, 1),
        (0.8, 0.5, 2),
        (0.9, 0.0, 2),
    ]
    assert diagnosis.calibration.error == pytest.approx((0.1 + 0.8 + 0.5 + 0.6 + 0.7 + 2 * 0.3 + 2 * 0.9) / 9)


@pytest.mark.parametrize(
    ("pair", "missed", "false"),
    [
        pytest.param(made([[(_LEFT, "a")], []], [[], []]), 1, 0, id="nothing said"),
        pytest.param(made([[], []], [[(_LEFT, "a", 0.9)], []]), 0, 1, id="nothing there"),
        pytest.param(made([[]], [[]]), 0, 0, id="neither"),
        pytest.param(made([], []), 0, 0, id="no image"),
        pytest.param(made([[]], [[]], names=()), 0, 0, id="no class"),
        pytest.param(made([[(_LEFT, "a")]], [[(_LEFT, "a", 0.1)]], names=("a",)), 1, 0, id="one class, below conf"),
        pytest.param(made([[(_LEFT, "a")]], [[]], size=None), 1, 0, id="image without size"),
        pytest.param(made([[(_LEFT, "background")]], [[(_LOW, "background", 0.9)]], names=("background",)), 1, 1, id="a class called background"),
        pytest.param(made([[((5, 5, 5, 5), "a")]], [[((5, 5, 5, 5), "a", 0.9)]]), 1, 1, id="boxes without area"),
        pytest.param(made([[((0, 0, 1e200, 1e200), "a")]], [[((0, 0, 1e200, 1e200), "a", 0.9)]]), 0, 0, id="endless boxes"),
    ],
)  # fmt: skip
def test_empty_and_odd_sides(pair: CocoPair, missed: int, false: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        diagnosis = diagnose(*pair, "test", conf=0.5, imgsz=640)
    assert sum(case.detection is None for case in diagnosis.cases) == missed
    assert sum(case.truth is None for case in diagnosis.cases) == false
    assert diagnosis.suspects == ()


def test_where_nothing_is_there_recall_is_unknown() -> None:
    curve = diagnose(*made([[]], [[(_LEFT, "a", 0.9)]]), "val", conf=0.5).curve
    precision, recall, f1, boxes = curve.at(0.5)
    assert (precision, boxes, curve.best) == (0.0, 1.0, None)
    assert math.isnan(recall)
    assert math.isnan(f1)


@pytest.mark.parametrize("score", [-0.1, 1.5])
def test_scores_must_be_probabilities(score: float) -> None:
    pair = made([[(_LEFT, "a")]], [[(_LEFT, "a", score)]])
    with pytest.raises(InputError, match="the detections: scores reach out of"):
        diagnose(*pair, "val", conf=0.5)


def test_thousands_of_classes_are_refused() -> None:
    pair = made([[]], [[]], names=[str(number) for number in range(5001)])
    with pytest.raises(InputError, match="has 5,001 classes"):
        diagnose(*pair, "val", conf=0.5)


def test_real_detections() -> None:
    truth, results = load_pair(DATA / "val-truth.json", DATA / "val-detections.json")
    scores = judge(truth, results)
    assert scores.conf is not None
    diagnosis = diagnose(truth, results, "val", scores.conf, imgsz=128)
    assert (diagnosis.images, diagnosis.truths, diagnosis.curve.best) == (40, 107, scores.conf)
    assert diagnosis.median_iou == pytest.approx(0.9259, abs=1e-4)
    assert diagnosis.error("Miss").count <= sum(missed.missed for missed in diagnosis.by_class)
    assert repr(diagnosis) == repr(diagnose(truth, results, "val", scores.conf, imgsz=128))


def _hotcoco(truth: dict[str, Any], results: list[dict[str, Any]], conf: float) -> list[list[int]]:
    ground = COCO(truth)
    evaluation = COCOeval(ground, ground.load_res(results), "bbox")
    told = evaluation.confusion_matrix(iou_thr=0.5, min_score=conf, max_det=10**6)
    return np.asarray(told["matrix"], dtype=np.int64).tolist()


_CONF = st.sampled_from([0.0, 0.25, 0.5, 0.9])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), ties=st.booleans(), conf=_CONF)
def test_the_matrix_is_hotcocos(seed: int, ties: bool, conf: float) -> None:
    """Without crowds: it takes what falls on one for a false alarm."""
    pair = drawn(seed, ties=ties)
    assert diagnose(*pair, "val", conf).matrix.counts.tolist() == _hotcoco(*pair, conf)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), crowds=st.booleans(), ties=st.booleans(), conf=_CONF)
def test_counts_agree_with_one_another_and_with_the_judge(seed: int, crowds: bool, ties: bool, conf: float) -> None:
    pair = drawn(seed, crowds=crowds, ties=ties)
    diagnosis, scores = diagnose(*pair, "val", conf), judge(*pair)
    counts = diagnosis.matrix.counts
    labels = {name: place for place, name in enumerate((*diagnosis.matrix.names, "background"))}
    behind = np.zeros_like(counts)
    for case in diagnosis.cases:
        behind[labels[case.row], labels[case.column]] += 1
        assert (case.iou >= 0.5) == (case.truth is not None and case.detection is not None)
        assert case.detection is None or case.detection.score >= conf
    assert behind.tolist() == counts.tolist()
    assert counts[:-1].sum() == diagnosis.truths == scores.truths
    assert [row.sum() for row in counts[:-1]] == [missed.truths for missed in diagnosis.by_class]
    assert counts[:-1, -1].tolist() == [missed.missed for missed in diagnosis.by_class]
    assert sum(missed.truths for missed in diagnosis.by_size) == diagnosis.truths
    assert sum(pair.count for pair in diagnosis.pairs) == sum(
        counts[i, j] for i in range(len(counts) - 1) for j in range(len(counts) - 1) if i != j
    )
    assert sum(count for _, _, count in diagnosis.calibration.bins) <= scores.detections
    assert diagnosis.curve.best == scores.conf
    assert diagnosis.curve.boxes[0] == pytest.approx(scores.detections / scores.images)
    for name, precision in diagnosis.pr.items():
        assert np.mean(precision) == pytest.approx(scores.classes[name].AP50)
    if ties and scores.conf is not None and scores.conf in diagnosis.curve.conf:
        assert diagnosis.curve.at(scores.conf)[:3] == (scores.precision, scores.recall, scores.f1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), conf=_CONF)
def test_the_order_of_detections_does_not_matter(seed: int, conf: float) -> None:
    """As long as no two have the same score: then COCO takes the first."""
    truth, results = drawn(seed, crowds=True)
    shuffled = [results[at] for at in np.random.default_rng(seed + 1).permutation(len(results))]
    one, other = (diagnose(truth, said, "val", conf) for said in (results, shuffled))
    for field in ("errors", "cases", "pairs", "by_size", "by_class", "alarms", "pr", "suspects", "median_iou"):
        assert getattr(one, field) == getattr(other, field), field
    assert one.matrix.counts.tolist() == other.matrix.counts.tolist()
    assert repr(one.curve) == repr(other.curve)
    assert one.calibration.error == pytest.approx(other.calibration.error)
