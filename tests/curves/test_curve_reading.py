"""What curves say of under- and over-fitting."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.curves.reading import read
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


def test_stopped_early() -> None:
    said = read(curves([3, 2, 1]), asked=100)
    assert said is not None
    assert said.stopped_early
    assert (said.epochs, said.asked) == (3, 100)


def test_curves_that_begin_late_go_by_the_numbers_of_their_epochs() -> None:
    columns = {"epoch": (51.0, 52.0, 53.0), "val/box_loss": (3.0, 1.0, 2.0), "val/mAP50": (0.1, 0.3, 0.2)}
    said = read(Curves(columns), asked=53)
    assert said is not None
    assert (said.epochs, said.best, said.lowest, said.stopped_early) == (53, 52, 51, False)


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


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=40), st.integers(1, 50))
@settings(max_examples=150, deadline=None)
def test_whatever_the_numbers_the_reading_is_finite(values: list[float], asked: int) -> None:
    said = read(curves(values, mAP=values), asked)
    assert said is not None
    assert all(map(math.isfinite, (said.still_falling, said.val_rise, said.train_fall)))
    assert 1 <= said.best <= len(values)
    assert 1 <= said.lowest <= len(values)
