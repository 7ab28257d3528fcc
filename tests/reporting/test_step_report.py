"""The report of an attempt that goes by steps: what is said, drawn and set beside the judge's figures."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, started
from conftest import write_yaml
from PIL import Image
from tfapi_run import ATTEMPT, came_apart, save_tfapi_run, tfapi_curves

from yolo_pipeline.nouns import Curves
from yolo_pipeline.recipes.diagnose import as_json, results_of
from yolo_pipeline.reporting.curve_points import loss_columns, points, smoothed, smoothed_with_gaps
from yolo_pipeline.reporting.figures import draw_step_curves
from yolo_pipeline.reporting.pages.attempt import attempt_page
from yolo_pipeline.reporting.pages.comparison import comparison_page
from yolo_pipeline.reporting.report import write_report
from yolo_pipeline.reporting.tables import megabytes
from yolo_pipeline.results import Comparison, Results

Made = Callable[..., Results]


@pytest.fixture
def made(project: Path) -> Made:
    """A function that saves a run of attempt 4 and reads it."""
    write_yaml(project / "attempts/4.yaml", {**ATTEMPT, "base": 1, "data": {}})

    def make(curves: Curves | None = None, **record: Any) -> Results:
        save_tfapi_run(project, 4, curves, **record)
        return results_of(project, 4)

    return make


def written(results: Results) -> str:
    write_report(results)
    return results.run.report_file.read_text(encoding="utf-8")


def test_steps_and_not_epochs_are_counted_in_the_report(made: Made) -> None:
    report = written(made())
    assert "2,000 steps (of 2,000 asked), the best 1,600; over the last evaluations the loss on val fell by" in report
    assert "| loss | first step | lowest | last step |" in report
    assert "Losses on train are means of the steps around." in report
    assert not re.search(r"\d epoch|epoch \d", report)
    for row in ("| steps | 2000 | 2000 |", "| best_step | – | 1600 |", "| batch | 8 | 8 |", "| imgsz | – | 320 |"):
        assert row in report
    for row in ("| device | cpu |", "| size of the weights | 12.3 MB |"):
        assert row in report
    assert "| model | ssd_mobilenet_v2_fpnlite_320x320 | 2,600,000 parameters |" in report


def test_a_loss_under_two_names_stands_there_once(made: Made) -> None:
    report = written(made())
    assert report.count("| train/box_loss |") == 1
    assert "| train/localization_loss |" not in report
    assert "| train/regularization_loss |" in report


def test_the_api_s_figures_stand_beside_the_judge_s(made: Made) -> None:
    report = written(made())
    assert "What the framework says of its best step on val, by its own definitions, and the judge's figure" in report
    for row in (
        "| tfapi/DetectionBoxes_Precision/mAP@.50IOU | 0.7100 | mAP50 0.5050 |",
        "| tfapi/DetectionBoxes_Precision/mAP | 0.4900 | mAP50_95 0.5050 |",
        "| tfapi/DetectionBoxes_Recall/AR@100 | 0.6000 | – |",
    ):
        assert row in report


def test_another_track_is_told_without_the_settings_that_it_has_not(made: Made) -> None:
    keys = (
        ("model", "yolov8n", "ssd"),
        ("track", "yolo", "tfapi"),
        ("train.epochs", 1, None),
        ("train.steps", None, 9),
    )
    changed = [{"key": key, "before": old, "after": new} for key, old, new in (*keys, ("train.batch", 4, 8))]
    results = made(changed=changed)
    report = written(results)
    block = report[report.index("## Changed") : report.index("## Data")]
    assert "| track | yolo | tfapi |\n| train.batch | 4 | 8 |\n" in block
    assert "train.steps" not in block
    assert "2 settings of training that only one of the two tracks has are left out here." in block
    assert "Left out here: 2 settings of training" in text_of(attempt_page(results))


def test_the_page_speaks_of_steps(made: Made) -> None:
    words = text_of(attempt_page(made()))
    assert "ssd_mobilenet_v2_fpnlite_320x320 · imgsz 320 · batch 8 · 2,000 steps" in words
    assert "Best mAP50-95 on val at step 1,600 of 2,000 (at most 2,000)." in words
    assert "mAP50 0.5050" in words
    assert "size of the weights 12.3 MB" in words
    assert "How far each step moves the weights" in words
    assert not re.search(r"\d epochs|epoch \d", words)


def test_korean(made: Made) -> None:
    words = text_of(attempt_page(made(came_apart(tfapi_curves(), 700)), "ko"))
    assert "2,000 스텝" in words
    assert "val mAP50-95 값은 스텝 1,600에서 가장 높았습니다 (총 2,000 스텝, 최대 2,000)." in words
    assert "스텝 700부터 train 손실이 발산했습니다" in words
    assert "공통 채점기 tfapi/DetectionBoxes_Precision/mAP 0.4900 mAP50-95 0.5050" in words
    assert "에포크" not in words.replace("에포크 동안", "")


def test_plots_join_what_there_is_and_smooth_single_steps(made: Made) -> None:
    plots = {plot["options"].get("title"): plot for plot in data_of(attempt_page(made()))["plots"]}
    named = ["mAP", "box_loss", "cls_loss", "regularization_loss", "total_loss", "learning_rate"]
    assert [title for title in plots if title in named] == named
    assert {plots[title]["options"]["x"] for title in named} == {"step"}
    evaluated = plots["mAP"]["traces"][0]
    assert evaluated["x"] == [200.0 * number for number in range(1, 11)]
    assert None not in evaluated["y"]
    assert evaluated["markers"] is True
    assert plots["mAP"]["options"]["marks"] == [{"x": 1600, "text": "best: 1,600"}]
    thin, mean, val = plots["box_loss"]["traces"]
    assert (thin["name"], mean["name"], val["name"]) == ("train", "train", "val")
    assert (thin["legend"], thin["group"]) == (False, mean["group"])
    assert len(thin["x"]) == len(mean["x"]) == 200
    assert len(val["x"]) == 10
    assert len(plots["learning_rate"]["traces"]) == 1


def test_the_diagnosis_says_what_its_figures_count(made: Made) -> None:
    found = as_json(made(came_apart(tfapi_curves(), 700)))["curves"]
    assert (found["unit"], found["epochs"], found["best"], found["apart"]) == ("step", 2000, 1600, 700)


@pytest.mark.parametrize(
    ("curves", "size"),
    [
        pytest.param(tfapi_curves(), (1320, 792), id="everything"),
        pytest.param(came_apart(tfapi_curves(), 10), (1320, 792), id="no loss is a number"),
        pytest.param(Curves({"step": (1.0, 2.0), "val/mAP50": (0.1, math.nan)}), (440, 396), id="one point"),
        pytest.param(Curves({"step": (1.0,)}), (440, 396), id="nothing"),
    ],
)
def test_curves_are_drawn_whatever_there_is(tmp_path: Path, curves: Curves, size: tuple[int, int]) -> None:
    draw_step_curves(curves, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == size


def test_points_are_those_that_are_numbers() -> None:
    assert points((1.0, 2.0, math.nan, 4.0), (5.0, math.nan, 6.0, math.inf)) == ([1.0], [5.0])


def test_smoothed_is_the_mean_of_what_is_around() -> None:
    """3 % of 100 points on either side; of fewer at the ends."""
    values = [float(value) for value in range(100)]
    found = smoothed(values)
    assert found[50] == 50.0
    assert (found[0], found[1], found[99]) == (1.5, 2.0, 97.5)
    gaps = smoothed_with_gaps([math.nan, *values, math.nan])
    assert gaps[1:-1] == found
    assert math.isnan(gaps[0])
    assert smoothed_with_gaps([3.0, math.nan, 1.0])[::2] == [3.0, 1.0]


def test_each_loss_is_shown_once() -> None:
    two = Curves(dict.fromkeys(("train/cls_loss", "train/classification_loss", "val/classification_loss"), (1.0,)))
    assert loss_columns(two) == ["train/cls_loss", "val/classification_loss"]


@pytest.mark.parametrize(
    ("size", "said"),
    [(12_345_678, "12.3 MB"), (123_456_789_012, "123,456.8 MB"), (5, "0.005 kB"), (12_000, "12 kB")],
)
def test_megabytes(size: int, said: str) -> None:
    assert megabytes(size) == said


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def test_a_browser_draws_them_and_a_name_switches_off_thin_and_bold(
    made: Made, chromium: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(attempt_page(made()), encoding="utf-8")
    chromium.open(file)
    chromium.run("document.getElementById('curve-1').scrollIntoView({block: 'center', behavior: 'instant'})")
    chromium.wait("return document.querySelector('#curve-1 .legendtoggle')")
    drawn = "return document.getElementById('curve-1').data.map((trace) => [trace.name, trace.opacity, trace.visible])"
    assert chromium.run(drawn) == [["train", 0.35, True], ["train", 1, True], ["val", 1, True]]
    chromium.one("#curve-1 .legendtoggle").click()
    off = [["train", 0.35, "legendonly"], ["train", 1, "legendonly"], ["val", 1, True]]
    chromium.wait("return document.getElementById('curve-1').data[0].visible === 'legendonly'")
    assert chromium.run(drawn) == off
    assert chromium.errors() == []


def test_a_browser_joins_evaluations_over_the_steps_between(made: Made, chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "comparison.html"
    file.write_text(comparison_page(Comparison((made(),))), encoding="utf-8")
    chromium.open(file)
    place = "[...document.querySelectorAll('#curve-plots .plot')].find((plot) => plot.ariaLabel === 'val/mAP50')"
    chromium.run(f"{place}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    chromium.wait(f"return {place}.querySelector('svg.main-svg')")
    assert chromium.run(f"return {place}.data.map((trace) => [trace.connectgaps, trace.mode])") == [
        [True, "lines+markers"]
    ]
    assert chromium.errors() == []


def text_of(page: str) -> str:
    """What of a page is read: no markup, no data."""
    body = page[page.index("<main>") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found.group(1))
    return data
