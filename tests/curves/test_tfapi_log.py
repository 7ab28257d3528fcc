"""log.jsonl of the worker: what it says as curves, whatever interrupted it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.curves import tfapi_log
from yolo_pipeline.curves.tfapi_tags import own_metrics
from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Curves
from yolo_pipeline.run import Run


def step(number: int, loss: float | None, seconds: float, **more: Any) -> dict[str, Any]:
    losses = {"Loss/classification_loss": loss, "Loss/localization_loss": 0.25, "Loss/regularization_loss": 0.125}
    return {"step": number, "losses": losses, "learning_rate": 0.5, "seconds": seconds, **more}


def evaluated(number: int, score: float) -> dict[str, Any]:
    tags = {"DetectionBoxes_Precision/mAP@.50IOU": score, "DetectionBoxes_Precision/mAP": score / 2}
    return {
        "evaluated": number,
        "metrics": {**tags, "Loss/localization_loss": 0.75, "learning_rate": 0.5},
        "best": True,
    }


def write(folder: Path, *lines: dict[str, Any] | str) -> Path:
    file = folder / "log.jsonl"
    file.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines), encoding="utf-8")
    return file


def columns(curves: Curves) -> dict[str, list[float | None]]:
    """With None for NaN, which is not equal to itself."""
    return {name: [None if math.isnan(value) else value for value in values] for name, values in curves.columns.items()}


def test_a_row_for_each_step_with_the_shared_names_and_the_apis_own(tmp_path: Path) -> None:
    file = write(tmp_path, step(10, 2.0, 0.5), step(20, 1.0, 0.5), evaluated(20, 0.5), step(30, 0.5, 1.0))
    assert columns(tfapi_log.read(file, batch=4, images=80)) == {
        "step": [10, 20, 30],
        "epoch": [0.5, 1.0, 1.5],
        "seconds": [5, 10, 20],
        "train/cls_loss": [2, 1, 0.5],
        "train/classification_loss": [2, 1, 0.5],
        "train/box_loss": [0.25, 0.25, 0.25],
        "train/localization_loss": [0.25, 0.25, 0.25],
        "train/regularization_loss": [0.125, 0.125, 0.125],
        "learning_rate": [0.5, 0.5, 0.5],
        "val/mAP50": [None, 0.5, None],
        "val/mAP50_95": [None, 0.25, None],
        "val/box_loss": [None, 0.75, None],
        "val/localization_loss": [None, 0.75, None],
    }


def test_of_a_step_done_twice_the_later_counts(tmp_path: Path) -> None:
    """As after an interruption at step 25, from the checkpoint of step 20."""
    cut = '{"step": 26, "los'
    file = write(tmp_path, step(20, 2.0, 0.5), step(25, 1.5, 9.0), cut, step(25, 1.0, 0.5), step(30, 0.5, 2.0))
    found = columns(tfapi_log.read(file, batch=1, images=1))
    assert (found["step"], found["train/cls_loss"], found["seconds"]) == ([20, 25, 30], [2, 1, 0.5], [2.5, 5, 15])


def test_an_evaluated_step_that_was_not_logged_has_a_row(tmp_path: Path) -> None:
    found = columns(tfapi_log.read(write(tmp_path, step(10, 2.0, 0.5), evaluated(15, 0.5)), 1, 10))
    assert (found["step"], found["seconds"], found["train/cls_loss"]) == ([10, 15], [5, 5], [2, None])


def test_time_counts_from_the_step_that_a_training_took_over(tmp_path: Path) -> None:
    """As with fine_tune_checkpoint_type: full."""
    file = write(tmp_path, step(25_010, 2.0, 0.5), step(25_020, 1.0, 0.5))
    assert columns(tfapi_log.read(file, 1, 1))["seconds"] == [5, 10]


def test_curves_with_gaps_come_back_from_a_run(tmp_path: Path) -> None:
    curves = tfapi_log.read(write(tmp_path, step(1, None, 1.0), evaluated(2, 0.5)), 4, 30)
    run = Run(tmp_path)
    run.write_curves(curves)
    again = columns(run.read_curves())
    assert again.keys() == curves.columns.keys()
    for name, values in columns(curves).items():
        assert again[name] == pytest.approx(values), name


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("", id="a blank line"),
        pytest.param("[1]", id="a list"),
        pytest.param('{"step": "x", "losses": 3}', id="a word for a step"),
        pytest.param('{"step": true}', id="a truth value"),
        pytest.param('{"step": -1}', id="a negative step"),
        pytest.param('{"step": 1e30}', id="a huge float"),
        pytest.param(f'{{"step": {10**30}}}', id="a huge step"),
        pytest.param('{"evaluated": null, "metrics": []}', id="nothing evaluated"),
        pytest.param('{"step":' + "[" * 50_000, id="fifty thousand deep"),
        pytest.param("\ufffd\x00", id="no text"),
    ],
)
def test_lines_that_are_none_are_passed_over(tmp_path: Path, odd: str) -> None:
    found = columns(tfapi_log.read(write(tmp_path, step(1, 2.0, 1.0), odd, step(2, 1.0, 2.0)), 1, 1))
    assert found["train/cls_loss"] == [2, 1]


def test_figures_that_are_none_are_gaps(tmp_path: Path) -> None:
    odd = (
        '{"step": 1, "losses": {"Loss/total_loss": NaN, "Loss/localization_loss": '
        + "9" * 400
        + '}, "learning_rate": Infinity, "seconds": "now"}'
    )
    found = columns(tfapi_log.read(write(tmp_path, odd), 1, 1))
    assert found == {
        "step": [1], "epoch": [1], "seconds": [0], "learning_rate": [None], "train/total_loss": [None],
        "train/box_loss": [None], "train/localization_loss": [None],
    }  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [("", "holds no step"), ("{}\n", "holds no step"), (None, "No such file")])
def test_a_log_without_steps_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(InputError, match=rf"log\.jsonl: {said}.*\. Begin anew with --again"):
        tfapi_log.read(tmp_path / "log.jsonl", 1, 1)


@given(cut=st.integers(min_value=0, max_value=2000))
@settings(max_examples=40, deadline=None)
def test_a_log_cut_anywhere_is_read_as_far_as_it_goes(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    file = write(tmp_path_factory.mktemp("log"), *(step(number, 1.0, number) for number in range(1, 11)))
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])
    ended = whole[:cut].count(b"\n")
    try:
        assert len(tfapi_log.read(file, 1, 1)) - ended in (0, 1)  # a last line without its line end may be whole
    except InputError:
        assert ended == 0


def test_own_metrics_are_the_coco_figures_that_are_any() -> None:
    figures = {"DetectionBoxes_Recall/AR@1": 0.5, "DetectionBoxes_Precision/mAP": math.nan, "Loss/total_loss": 1.0}
    figures["DetectionBoxes_Precision/mAP (large)"] = -1.0  # what COCO's tool says where there are none
    assert own_metrics(figures) == {"tfapi/DetectionBoxes_Recall/AR@1": 0.5}
