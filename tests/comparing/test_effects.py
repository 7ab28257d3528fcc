"""Which setting moved a metric, over many attempts."""

from __future__ import annotations

import csv
import math
from typing import Any

import pytest
from conftest import SHARED

from yolo_pipeline.comparing.effects import Effect, Step, ValueResult, effects


def test_pairs_that_differ_in_one_setting_alone_tell_its_effect() -> None:
    found = effects(
        [
            ({"batch": 4, "imgsz": 320}, 0.50),
            ({"batch": 4, "imgsz": 640}, 0.75),
            ({"batch": 8, "imgsz": 320}, 0.50),
            ({"batch": 8, "imgsz": 640}, 0.625),
        ]
    )
    assert found == (
        Effect("imgsz", (Step(320, 640, 0.1875, 2),), (ValueResult(320, 2, 0.5, 0.5), ValueResult(640, 2, 0.75, 0.6875))),
        Effect("batch", (Step(4, 8, -0.0625, 2),), (ValueResult(4, 2, 0.75, 0.625), ValueResult(8, 2, 0.625, 0.5625))),
    )  # fmt: skip
    assert [effect.moved for effect in found] == [0.1875, 0.0625]


def test_values_are_told_without_pairs_where_attempts_differ_in_more() -> None:
    (first, second) = effects([({"lr0": 0.01, "model": "n"}, 0.5), ({"lr0": 0.1, "model": "s"}, 0.75)])
    assert (first.setting, first.steps, first.moved) == ("lr0", (), None)
    assert second.values == (ValueResult("n", 1, 0.5, 0.5), ValueResult("s", 1, 0.75, 0.75))


def test_a_result_that_is_told_twice_is_one_pair() -> None:
    (found,) = effects([({"lr0": 0.01}, 0.5), ({"lr0": 0.01}, 0.5), ({"lr0": 0.02}, 0.75)])
    assert found.steps == (Step(0.01, 0.02, 0.25, 1),)
    assert found.values[0] == ValueResult(0.01, 2, 0.5, 0.5)


@pytest.mark.parametrize(
    ("before", "after", "step"),
    [
        pytest.param({}, {"freeze": 10}, (None, 10), id="left out"),
        pytest.param({"freeze": None}, {"freeze": 10}, (None, 10), id="null"),
        pytest.param({"freeze": 10}, {"freeze": 9.0}, (9.0, 10), id="numbers by size"),
        pytest.param({"flip": True}, {"flip": False}, (False, True), id="truth values"),
        pytest.param({"flip": ["a", "b"]}, {"flip": ["a"]}, (["a", "b"], ["a"]), id="lists"),
        pytest.param({"flip": 1}, {"flip": True}, (1, True), id="1 is not true"),
        pytest.param({"flip": 2}, {"flip": 10**400}, (2, 10**400), id="no float is so large"),
    ],
)
def test_values_of_any_kind(before: dict[str, Any], after: dict[str, Any], step: tuple[Any, Any]) -> None:
    (found,) = effects([(before, 0.5), (after, 0.5)])
    assert [(s.before, s.after) for s in found.steps] == [step]


def test_what_never_changes_and_what_was_not_measured_says_nothing() -> None:
    assert effects([({"batch": 4}, 0.5), ({"batch": 4.0}, 0.75), ({"batch": 8}, math.nan)]) == ()
    assert effects([]) == ()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published results are not here")
def test_the_published_tooth_attempts() -> None:
    told: list[tuple[dict[str, Any], float]] = []
    with (SHARED / "history" / "tooth_attempts.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words = dict(pair.split("=") for pair in row["settings"].split(";"))
            settings = {"model": row["model"], "steps": row["steps"], **words}
            told.append((settings, float(row["map50"] or "nan")))
    found = {effect.setting: effect for effect in effects(told)}
    assert len(told) == 72
    assert sum(value.attempts for value in found["batch"].values) == 69  # the others have no mAP50
    # bn decay, 50 x 3000 steps with weights 1.2: only the learning rate was left out
    assert Step("0.02", "0.03", pytest.approx(-0.017), 1) in found["lr_base"].steps
    assert Step("2000", "3000", pytest.approx(-0.008), 1) in found["steps"].steps
    assert found["model"].steps == ()
