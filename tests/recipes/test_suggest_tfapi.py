"""What `suggest` says after an attempt of the track tfapi, and the attempt that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import write_yaml
from tfapi_run import ATTEMPT, came_apart, save_tfapi_run, tfapi_curves

from yolo_pipeline import attempt as attempts
from yolo_pipeline.advising.korean import in_korean
from yolo_pipeline.recipes.suggest import lines, suggest


@pytest.fixture
def tfapi_project(project: Path) -> Path:
    """The project with attempt 4, of 2,000 steps."""
    write_yaml(project / "attempts/4.yaml", ATTEMPT)
    return project


def test_a_loss_that_came_apart_is_trained_anew_at_a_lower_rate(tfapi_project: Path) -> None:
    save_tfapi_run(tfapi_project, 4, came_apart(tfapi_curves(), 700))
    found = suggest(tfapi_project, 4)
    assert [advice.rule for advice in found.advice] == ["diverged", "larger val set"]
    assert found.file is not None
    assert found.file.read_text(encoding="utf-8").startswith(
        'title: "diverged"\n'
        "base: 4\n"
        "train:\n"
        "  # diverged: from step 700 of 2,000 on the loss on train is no number, or half as high again as it\n"
    )
    written = attempts.load(tfapi_project, 5)
    assert (written.track, written.model) == ("tfapi", ATTEMPT["model"])
    assert written.changed == (
        ("train.learning_rate_base", 0.03, 0.01),
        ("train.warmup_learning_rate", 0.01, 0.0033),
    )


def test_ten_steps_are_hardly_any(tfapi_project: Path) -> None:
    write_yaml(tfapi_project / "attempts/4.yaml", {**ATTEMPT, "train": {"steps": 10}})
    save_tfapi_run(tfapi_project, 4, tfapi_curves(10, every=1, evaluations=1), found=0)
    found = suggest(tfapi_project, 4)
    assert list(lines(found))[:4] == [
        "1. hardly any steps: training ended with step 10, and warming up alone takes 200 of the usual 2,000",
        "   cause: It ended before it had learnt what the pictures hold",
        "   next: Train 2,000 steps; the weights of the best evaluation on val are kept",
        "   settings: train: {steps: 2000}",
    ]
    assert attempts.load(tfapi_project, 5).train["steps"] == 2000


def test_korean(tfapi_project: Path) -> None:
    save_tfapi_run(tfapi_project, 4, came_apart(tfapi_curves(), 700))
    said = list(lines(suggest(tfapi_project, 4, in_korean), "ko"))
    assert said[0].startswith("1. diverged: 총 2,000 스텝 중 스텝 700부터 끝까지 train 손실이 숫자가 아니거나")
    assert attempts.load(tfapi_project, 5).train["learning_rate_base"] == 0.01


def test_a_flip_that_makes_other_signs_is_switched_off(tfapi_project: Path) -> None:
    """Digits, of which half are found; the API flips pictures unless it is told not to."""
    run = save_tfapi_run(tfapi_project, 4)
    for file in (run.truth_file("val"), run.scores_file, run.record_file):
        text = file.read_text(encoding="utf-8").replace('"chicken"', '"2"').replace('"onion"', '"5"')
        file.write_text(text, encoding="utf-8")
    found = suggest(tfapi_project, 4)
    [mirrored] = [advice for advice in found.advice if advice.rule == "mirrored classes"]
    assert mirrored.measured.startswith("train.random_horizontal_flip shows 2, 5 mirrored or turned")
    assert attempts.load(tfapi_project, 5).train["random_horizontal_flip"] is False
