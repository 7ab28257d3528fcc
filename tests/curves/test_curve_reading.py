"""What curves say of under- and over-fitting."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.curves.reading import by_evaluation, figures_at, read
from yolo_pipeline.diagnosis import CurveReading
from yolo_pipeline.nouns import Curves


def curves(val: list[float], train: list[float] | None = None, mAP: list[float] | None = None) -> Curves:  # noqa: N803
    count = len(val)
    columns = {
        "epoch": tuple(range(1, count + 1)),
        "train/box_loss": tuple(train or val),
        "val/box_loss": tuple(value / 2 for value in val),
        "val/cls_loss": tuple(value / 2 for value in val),
        "val/precision": (0.5,) * count,
        "val/mAP50_95": tuple(mAP or [0.0] * count),
    }
    return Curves({name: tuple(map(float, column)) for name, column in columns.items()})


def test_a_loss_that_falls_and_falls() -> None:
    """20, 19 … 1: from the median of epochs 13 to 16 (6.5) to that of 17 to 20 (2.5) is a fifth of 20."""
    said = read(curves([float(value) for value in range(20, 0, -1)]), asked=20)
    assert said == CurveReading(
        20, 20, best=20, still_falling=0.2, val_rise=0.0, lowest=20, train_fall=0.0, stopped_early=False
    )


def test_val_rises_while_train_falls() -> None:
    val = [10, 8, 6, 4, 4, 4, 4, 4, 5, 6, 6, 6, 6, 6]
    train = [10, 8, 6, 5, 4, 4, 4, 4, 3, 2, 2, 2, 2, 2]
    said = read(curves(val, train, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.5, 0.4, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]), asked=14)
    assert said is not None
    assert (said.lowest, said.best) == (4, 6)
    assert (said.val_rise, said.train_fall) == (0.5, 0.6)
    assert said.still_falling <= 0


def test_one_noisy_epoch_says_nothing() -> None:
    level = [10, 8, 6, 5, 4, 4, 4, 4, 4, 4, 4, 4]
    calm, noisy = read(curves(level), 12), read(curves([*level[:-1], 9.0]), 12)
    assert calm is not None
    assert noisy is not None
    assert (noisy.val_rise, noisy.still_falling) == (calm.val_rise, calm.still_falling) == (0.0, 0.0)


def of_classifier(loss: list[float], accuracy: list[float]) -> Curves:
    columns = {
        "epoch": tuple(float(epoch) for epoch in range(1, len(loss) + 1)),
        "train/loss": tuple(loss),
        "train/accuracy": tuple(accuracy),
        "val/loss": tuple(loss),
        "val/accuracy": tuple(accuracy),
    }
    return Curves(columns)


def test_a_classifier_is_best_at_its_best_accuracy() -> None:
    said = read(of_classifier([9, 7, 5, 4, 4, 4, 4, 4, 4, 5, 6, 6, 6], [0.5] * 10 + [0.9, 0.8, 0.8]), 13)
    assert said is not None
    assert (said.best, said.lowest, said.val_rise) == (11, 4, 0.5)


def test_of_epochs_with_one_accuracy_that_of_the_lowest_loss_is_best() -> None:
    said = read(of_classifier([3, 2, 1, 2, 3], [0.9, 0.9, 0.8, 0.9, 0.9]), 5)
    assert said is not None
    assert said.best == 2
    unknown = Curves({**of_classifier([1, 1, 1], [0.5, 0.9, 0.9]).columns, "val/loss": (math.nan,) * 3})
    assert (said := read(unknown, 3)) is not None
    assert said.best == 2


def test_figures_of_an_epoch() -> None:
    told = Curves({"epoch": (3.0, 4.0), "train/loss": (2.0, math.nan), "val/loss": (1.5, 1.0)})
    assert figures_at(told, 4) == {"epoch": 4.0, "val/loss": 1.0}
    assert figures_at(told, 5) == figures_at(told, None) == figures_at(Curves({}), 1) == {}


def test_stopped_early() -> None:
    said = read(curves([3, 2, 1]), asked=100)
    assert said is not None
    assert said.stopped_early
    assert (said.epochs, said.asked) == (3, 100)


def test_curves_that_begin_late_go_by_the_numbers_of_their_epochs() -> None:
    columns = {"epoch": (51.0, 52.0, 53.0), "val/box_loss": (3.0, 1.0, 2.0), "val/mAP50": (0.1, 0.3, 0.2)}
    said = read(Curves(columns), asked=53)
    assert said is not None
    assert (said.epochs, said.best, said.lowest, said.stopped_early) == (53, 52, 52, False)


def test_one_epoch() -> None:
    said = read(curves([12.0]), asked=1)
    assert said == CurveReading(1, 1, 1, 0.0, 0.0, 1, 0.0, stopped_early=False)


def test_without_losses_on_val() -> None:
    columns = {"epoch": (1.0, 2.0, 3.0), "train/box_loss": (3.0, 2.0, 1.0), "val/mAP50": (0.1, 0.3, 0.2)}
    said = read(Curves(columns), 3)
    assert said is not None
    assert (said.best, said.lowest, said.still_falling, said.val_rise) == (2, 2, 0.0, 0.0)


@pytest.mark.parametrize(
    "columns", [{}, {"epoch": ()}, {"step": (1.0,), "val/box_loss": (1.0,)}], ids=["none", "no row", "steps only"]
)
def test_without_epochs_nothing_is_read(columns: dict[str, tuple[float, ...]]) -> None:
    assert read(Curves(columns), 10) is None


def steps(train: list[float], every: int = 10, **val: dict[int, float]) -> Curves:
    """A row each ten steps; `val` holds what was said of val at some of them."""
    at = [float(every * (row + 1)) for row in range(len(train))]
    told = {name: tuple(values.get(int(step), math.nan) for step in at) for name, values in val.items()}
    epochs = tuple(step / 25 for step in at)
    columns = {"step": tuple(at), "epoch": epochs, "train/total_loss": tuple(train), "train/box_loss": tuple(train)}
    rates = tuple(0.01 if math.isfinite(loss) else math.nan for loss in train)
    return Curves({**columns, "learning_rate": rates, **{f"val/{name}": values for name, values in told.items()}})


def test_steps_are_read_where_val_was_evaluated() -> None:
    """Evaluations at 30, 60, 90 and 120: training says 4, 3, 2 and 1 there, whatever single steps said."""
    train = [9.0, 4.0, 4.0, 3.0, 0.1, 3.0, 2.0, 2.0, 50.0, 1.0, 1.0, 1.0, 7.0]
    losses, maps = {30: 8.0, 60: 4.0, 90: 4.0, 120: 6.0}, {30: 0.1, 60: 0.3, 90: 0.5, 120: 0.4}
    found = steps(train, box_loss=losses, mAP50_95=maps)
    table = by_evaluation(found).columns
    assert (table["step"], table["train/box_loss"]) == ((30.0, 60.0, 90.0, 120.0), (4.0, 3.0, 2.0, 1.0))
    said = read(found, asked=130, unit="step")
    assert said is not None
    assert (said.unit, said.epochs, said.asked, said.best, said.lowest) == ("step", 130, 130, 90, 60)
    assert (said.val_rise, said.train_fall) == (0.25, 0.5)  # medians: 6, 4, 4, 5 and 3.5, 3, 2, 1.5
    assert said.still_falling == pytest.approx((6 - 5) / 8)


def test_of_two_evaluations_the_lower_loss_is_the_lowest() -> None:
    said = read(steps([4.0, 3.0, 2.0, 1.0], box_loss={20: 3.0, 40: 1.5}, mAP50_95={20: 0.2, 40: 0.1}), 40, "step")
    assert said is not None
    assert (said.best, said.lowest, said.val_rise) == (20, 40, 0.0)


def test_steps_without_any_evaluation_are_read_row_by_row() -> None:
    said = read(steps([4.0, 3.0, 2.0, 1.0]), asked=40, unit="step")
    assert said == CurveReading(40, 40, 40, 0.0, 0.0, 40, 0.0, False, unit="step")


def test_no_patience_ends_what_goes_by_steps() -> None:
    said = read(steps([4.0, 3.0], mAP50={20: 0.5}), asked=1000, unit="step")
    assert said is not None
    assert (said.epochs, said.asked, said.stopped_early) == (20, 1000, False)


FALLING = [8.0 - row / 4 for row in range(20)]


@pytest.mark.parametrize(
    ("train", "apart"),
    [
        pytest.param(FALLING, None, id="falls"),
        pytest.param([2.0] * 20, None, id="level"),
        pytest.param([2.0] * 10 + [3.0] * 10, None, id="half as high again"),
        pytest.param([2.0] * 10 + [3.1] * 10, 110, id="more than that to the end"),
        pytest.param([2.0] * 8 + [90.0] * 4 + [2.0] * 8, None, id="came back"),
        pytest.param([2.0] * 18 + [90.0, 90.0], 190, id="the last rows alone"),
        pytest.param([2.0] * 19 + [90.0], None, id="one row is noise"),
        pytest.param([2.0] * 10 + [1e12] * 10, 110, id="too large for a loss"),
    ],
)
def test_where_the_loss_on_train_came_apart(train: list[float], apart: int | None) -> None:
    said = read(steps(train, box_loss={200: 1.0}), asked=200, unit="step")
    assert said is not None
    assert said.apart == apart


@pytest.mark.parametrize(
    ("first", "apart"), [pytest.param(0, 10, id="from the start"), pytest.param(10, 110, id="halfway")]
)
def test_a_loss_that_is_no_number_where_training_went_on_has_come_apart(first: int, apart: int) -> None:
    found = steps([2.0] * first + [math.nan] * (20 - first), box_loss={200: 1.0})
    assert read(Curves({**found.columns, "learning_rate": (0.01,) * 20}), 200, "step").apart == apart  # type: ignore[union-attr]
    assert read(found, 200, "step").apart is None  # type: ignore[union-attr]  # those rows are evaluations


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=40), st.integers(1, 50))
@settings(max_examples=150, deadline=None)
def test_whatever_the_numbers_the_reading_is_finite(values: list[float], asked: int) -> None:
    said = read(curves(values, mAP=values), asked)
    assert said is not None
    assert all(map(math.isfinite, (said.still_falling, said.val_rise, said.train_fall)))
    assert 1 <= said.best <= len(values)
    assert 1 <= said.lowest <= len(values)


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_whatever_the_numbers_steps_are_read(rows: list[tuple[float, float]]) -> None:
    at = tuple(float(step) for step in range(1, len(rows) + 1))
    train, val = zip(*rows, strict=True)
    said = read(Curves({"step": at, "train/box_loss": train, "val/box_loss": val, "val/mAP50": val}), len(rows), "step")
    assert said is not None
    assert all(map(math.isfinite, (said.still_falling, said.val_rise, said.train_fall)))
    assert all(1 <= number <= len(rows) for number in (said.best, said.lowest, said.epochs, said.apart or 1))
