"""Intervals and paired differences against a bootstrap written out: draw images, judge again, take percentiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pairs import CocoPair, drawn, made

from yolo_pipeline.diagnosis import Difference, Draws, Interval
from yolo_pipeline.judging.bootstrap import differences, differences_of, intervals, ranked, resampled
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.judging.evaluation import load

_BOX = (10, 10, 50, 50)


def _drawn_again(truth: dict[str, Any], results: list[dict[str, Any]], images: npt.NDArray[np.int64]) -> CocoPair:
    """The pair with these images, some of them several times."""
    chosen = list(enumerate((images + 1).tolist(), start=1))
    rows = [{**row, "image_id": new} for new, old in chosen for row in truth["annotations"] if row["image_id"] == old]
    return (
        {
            "images": [{"id": new} for new, _ in chosen],
            "categories": truth["categories"],
            "annotations": [{**row, "id": number} for number, row in enumerate(rows, start=1)],
        },
        [{**row, "image_id": new} for new, old in chosen for row in results if row["image_id"] == old],
    )


def _resampled(truth: dict[str, Any], results: list[dict[str, Any]], draws: int) -> npt.NDArray[np.float64]:
    """(draws, 2): mAP50 and mAP50-95 of each; the same images on each call."""
    rng, count = np.random.default_rng(0), len(truth["images"])
    figures = []
    for _ in range(draws):
        scores = judge(*_drawn_again(truth, results, rng.integers(0, count, count)))
        figures.append((scores.mAP50, scores.mAP50_95))
    return np.array(figures, dtype=np.float64)


def _interval(figures: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(figures, [2.5, 97.5])
    return float(low), float(high)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), crowds=st.booleans(), most=st.sampled_from([10, 300]), classes=st.integers(1, 12))
def test_images_that_count_several_times_give_what_judging_them_so_often_gives(
    seed: int, crowds: bool, most: int, classes: int
) -> None:
    truth, results = drawn(seed, images=8, most_said=most, crowds=crowds, classes=classes)
    images = np.random.default_rng(seed).integers(0, 8, 8)
    scores = judge(*_drawn_again(truth, results, images))
    if scores.mAP50 is not None:
        figures = ranked(load(truth, results)).figures(np.bincount(images, minlength=8).astype(float))
        assert figures.tolist() == pytest.approx([scores.mAP50, scores.mAP50_95], abs=1e-12)


def test_intervals_are_percentiles_over_drawn_images() -> None:
    truth, results = drawn(3, images=60)
    scores, told, figures = judge(truth, results), intervals(truth, results), _resampled(truth, results, 400)
    assert list(told) == ["mAP50", "mAP50_95"]
    for column, (name, interval) in enumerate(told.items()):
        low, high = _interval(figures[:, column])
        tolerance = 0.2 * (high - low)  # the ends of 400 and 1,000 draws scatter by about a tenth of the width
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=tolerance)
        assert interval.low < getattr(scores, name) < interval.high
        assert (interval.confidence, interval.width) == (0.95, interval.high - interval.low)


def test_the_interval_is_that_of_a_share() -> None:
    """Where half of 100 objects are found and nothing else, mAP50 is about that share: 1.96 * sqrt(0.25 / 100)."""
    truth, results = made([[(_BOX, "a")]] * 100, [[(_BOX, "a", 0.9)] if at % 2 else [] for at in range(100)])
    interval = intervals(truth, results)["mAP50"]
    assert interval.width == pytest.approx(2 * 0.098, rel=0.1)
    assert (interval.low + interval.high) / 2 == pytest.approx(0.5, abs=0.02)


def test_two_images_are_drawn_twice_each_or_once_each() -> None:
    truth, results = made([[(_BOX, "a")], [(_BOX, "a")]], [[(_BOX, "a", 0.9)], []])
    assert intervals(truth, results)["mAP50"] == Interval(0.0, 1.0)


def test_draws_without_objects_are_passed_over() -> None:
    truth, results = made([[(_BOX, "a")]] * 2 + [[]] * 3, [[(_BOX, "a", 0.9)]] * 2 + [[]] * 3)
    assert intervals(truth, results)["mAP50"] == Interval(1.0, 1.0)


@pytest.mark.parametrize(("images", "told"), [(5, False), (6, True)])
def test_five_images_that_go_one_way_prove_nothing(images: int, told: bool) -> None:
    truth, after = made([[(_BOX, "a")]] * images + [[]] * 9, [[(_BOX, "a", 0.9)]] * images + [[]] * 9)
    assert bool(differences(truth, [], after)) is told
    assert intervals(truth, after)["mAP50"] == Interval(1.0, 1.0)


def test_draws_of_one_truth_are_paired_whatever_their_number() -> None:
    truth, after = drawn(4, images=30)
    short, long = resampled(truth, after[::2]), resampled(truth, after)
    some = Draws(short.images, short.whole, short.figures[:300])
    assert differences_of(some, long)["mAP50"].delta == differences(truth, after[::2], after)["mAP50"].delta
    same = Draws(long.images, long.whole, long.figures[:300])
    assert differences_of(same, long)["mAP50"] == Difference(0.0, Interval(0.0, 0.0))


def test_differences_are_paired() -> None:
    truth, after = drawn(3, images=60)
    before = [row for at, row in enumerate(after) if at % 4]
    told = differences(truth, before, after)
    figures = _resampled(truth, after, 400) - _resampled(truth, before, 400)
    old, new = judge(truth, before), judge(truth, after)
    assert old.mAP50 is not None
    assert new.mAP50 is not None
    assert told["mAP50"].delta == pytest.approx(new.mAP50 - old.mAP50)
    for column, difference in enumerate(told.values()):
        low, high = _interval(figures[:, column])
        assert (difference.interval.low, difference.interval.high) == pytest.approx((low, high), abs=0.2 * (high - low))
    assert told["mAP50"].interval.width < intervals(truth, after)["mAP50"].width


def test_the_other_way_round_changes_the_sign() -> None:
    truth, after = drawn(4, images=30)
    before = after[::2]
    one, other = differences(truth, before, after)["mAP50"], differences(truth, after, before)["mAP50"]
    assert one.delta == pytest.approx(-other.delta)
    assert (one.interval.low, one.interval.high) == pytest.approx((-other.interval.high, -other.interval.low))


def test_identical_detections_differ_by_exactly_nothing() -> None:
    truth, results = drawn(5, images=30)
    none = Difference(0.0, Interval(0.0, 0.0))
    assert differences(truth, results, list(results)) == {"mAP50": none, "mAP50_95": none}
    assert not none.is_clear


def test_a_seed_gives_the_same_again() -> None:
    pair = drawn(6, images=30)
    assert intervals(*pair, seed=1) == intervals(*pair, seed=1)
    assert intervals(*pair, seed=1) != intervals(*pair, seed=2)


def test_a_clear_difference_is_told() -> None:
    truth, after = made([[(_BOX, "a")]] * 40, [[(_BOX, "a", 0.9)]] * 40)
    difference = differences(truth, after[:20], after)["mAP50"]
    assert difference.is_clear
    assert difference.delta == pytest.approx(1 - 51 / 101)


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(made([[(_BOX, "a")]], [[(_BOX, "a", 0.9)]]), id="one image"),
        pytest.param(made([[], []], [[(_BOX, "a", 0.9)], []]), id="no objects"),
        pytest.param(made([[(_BOX, "a")], [], []], [[(_BOX, "a", 0.9)], [], []]), id="one image with objects"),
        pytest.param(made([[], []], [[], []], crowds=[(0, _BOX, "a")]), id="crowds alone"),
        pytest.param(made([], []), id="no images"),
    ],
)
def test_too_little_gives_no_interval(pair: CocoPair) -> None:
    assert intervals(*pair) == {}
    assert differences(pair[0], pair[1], pair[1]) == {}


def test_without_detections_the_interval_is_nought() -> None:
    truth, _ = made([[(_BOX, "a")]] * 5, [[]] * 5)
    assert intervals(truth, [])["mAP50"] == Interval(0.0, 0.0)
