"""TIDE's six kinds against tidecv 1.0.1, kind by kind.

Where scores differ and nothing is a crowd, both find the same errors. Their dAP differ by less than 0.002, since
tidecv reads precision at recalls i / 100 and COCO at multiples of 0.01 as floating point has them: a recall such as
7/25 lies beside the one or the other. With COCO's recalls in tidecv, all agree to a billionth.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pairs import CocoPair, drawn, made
from tidecv import TIDE, Data, ap

from yolo_pipeline.diagnosis import ERROR_NAMES, ErrorKind, ErrorName
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.diagnosing import diagnose

DATA = Path(__file__).parents[1] / "data" / "judged"
_DRAWN = {f"seed {seed}": drawn(seed, images=20) for seed in range(25)}
_REAL = {split: load_pair(DATA / f"{split}-truth.json", DATA / f"{split}-detections.json") for split in ("val", "test")}


def _tidecv(truth: dict[str, Any], results: list[dict[str, Any]], conf: float = 0.0) -> dict[str, tuple[float, int]]:
    """Kind -> dAP in 0..1 and count."""
    there, said = Data("truths"), Data("detections")
    for category in truth["categories"]:
        there.add_class(category["id"], category["name"])
    for image in truth["images"]:
        there.add_image(image["id"], image["file_name"])
    for row in truth["annotations"]:
        there.add_ground_truth(row["image_id"], row["category_id"], row["bbox"])
    for row in results:
        if row["score"] >= conf:
            said.add_detection(row["image_id"], row["category_id"], row["score"], row["bbox"])
    tide = TIDE()
    run = tide.evaluate(there, said, pos_threshold=0.5, background_threshold=0.1, mode=TIDE.BOX)
    (gains,) = tide.get_main_errors().values()
    return {kind.short_name: (gains[kind.short_name] / 100, len(found)) for kind, found in run.error_dict.items()}


@pytest.fixture
def coco_recalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """tidecv with the recalls that COCO reads precision at."""

    def array(values: Any) -> Any:
        same = len(values) == 101 and values == [i / 100 for i in range(101)]
        return np.linspace(0, 1, 101) if same else np.array(values)

    monkeypatch.setattr(ap, "np", SimpleNamespace(array=array, searchsorted=np.searchsorted))


@pytest.mark.parametrize("pair", [pytest.param(pair, id=name) for name, pair in {**_DRAWN, **_REAL}.items()])
def test_equal_to_tidecv(pair: CocoPair) -> None:
    theirs = _tidecv(*pair)
    for error in diagnose(*pair, "val", conf=0.0).errors:
        dAP, count = theirs[error.name]
        assert error.count == count, error.name
        assert error.dAP == pytest.approx(dAP, abs=2e-3), error.name


def test_without_that_some_differ() -> None:
    differ = 0
    for pair in _DRAWN.values():
        theirs = _tidecv(*pair)
        errors = diagnose(*pair, "val", conf=0.0).errors
        differ += any(abs(error.dAP - theirs[error.name][0]) > 1e-5 for error in errors)
    assert differ > 5


@pytest.mark.usefixtures("coco_recalls")
@pytest.mark.parametrize("pair", [pytest.param(pair, id=name) for name, pair in {**_DRAWN, **_REAL}.items()])
def test_equal_to_the_last_digit_at_the_same_recalls(pair: CocoPair) -> None:
    theirs = _tidecv(*pair)
    for error in diagnose(*pair, "val", conf=0.0).errors:
        assert error.dAP == pytest.approx(theirs[error.name][0], abs=1e-9), error.name


@pytest.mark.parametrize("conf", [0.25, 0.75])
def test_counts_are_of_detections_of_at_least_the_confidence_but_gains_of_all(conf: float) -> None:
    pair = _DRAWN["seed 1"]
    errors = diagnose(*pair, "val", conf).errors
    assert [error.count for error in errors] == [_tidecv(*pair, conf)[error.name][1] for error in errors]
    assert [error.dAP for error in errors] == [error.dAP for error in diagnose(*pair, "val", 0.0).errors]


def test_tidecv_puts_errors_before_hits_of_the_same_score() -> None:
    """So that mending one kind seems to gain less there, or nothing; the errors found are the same."""
    pair = drawn(1, images=20, ties=True)
    theirs = _tidecv(*pair)
    mine = {error.name: error for error in diagnose(*pair, "val", conf=0.0).errors}
    assert {name: error.count for name, error in mine.items()} == {name: count for name, (_, count) in theirs.items()}
    assert all(mine[name].dAP > dAP for name, (dAP, _) in theirs.items())


# One object of class a, 40 pixels wide. A third of its box and of one shifted by half its width is common to both.
_AT, _ASIDE, _AWAY, _SECOND = (10, 10, 50, 50), (30, 10, 70, 50), (60, 60, 80, 80), (55, 10, 95, 50)


@pytest.mark.parametrize(
    ("truths", "said", "kind", "gain"),
    [
        pytest.param([(_AT, "a")], [(_AT, "b", 0.9)], "Cls", 1.0, id="another class"),
        pytest.param([(_AT, "a")], [(_ASIDE, "a", 0.9)], "Loc", 1.0, id="IoU of a third"),
        pytest.param([(_AT, "a"), (_AT, "b")], [(_AT, "a", 0.9), (_AT, "b", 0.8), (_ASIDE, "c", 0.7)], "Both", 0.0, id="another class, IoU of a third"),
        pytest.param([(_AT, "a"), (_SECOND, "a")], [(_AT, "a", 0.9), (_AT, "a", 0.8), (_SECOND, "a", 0.7)], "Dupe", 50 / 3 / 101, id="found twice"),
        pytest.param([(_AT, "a")], [(_AWAY, "a", 0.9), (_AT, "a", 0.8)], "Bkg", 0.5, id="nothing there"),
        pytest.param([(_AT, "a"), (_AWAY, "a")], [(_AT, "a", 0.9)], "Miss", 50 / 101, id="not found"),
    ],
)  # fmt: skip
def test_each_kind(truths: Any, said: Any, kind: ErrorName, gain: float) -> None:
    diagnosis = diagnose(*made([truths], [said], names=("a", "b", "c")), "val", conf=0.5)
    assert [error.name for error in diagnosis.errors] == list(ERROR_NAMES)
    assert [error.name for error in diagnosis.errors if error.count] == [kind]
    assert diagnosis.error(kind) == ErrorKind(kind, pytest.approx(gain), 1)


def test_what_falls_on_a_crowd_is_no_error() -> None:
    pair = made([[(_AWAY, "a")]], [[(_AWAY, "a", 0.9), (_AT, "a", 0.8)]], crowds=[(0, (5, 5, 55, 55), "a")])
    assert [error.count for error in diagnose(*pair, "val", conf=0.5).errors] == [0] * 6
