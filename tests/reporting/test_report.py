"""report.md of one attempt, as a person reads it: figures that agree with the judge, strangers' names, other runs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.judging.diagnosing import diagnose
from yolo_pipeline.nouns import JUDGED, Curves
from yolo_pipeline.reporting.report import write_report
from yolo_pipeline.reporting.tables import percent
from yolo_pipeline.results import Results
from yolo_pipeline.run import Run

DIGITS = Path(__file__).parents[1] / "data" / "judged"
CONF = 0.448843  # of the best F1 on the digits' val
HOSTILE = "<img src=x>![a](http://b.example/c.png)"

Change = Callable[[dict[str, Any]], None]


def results_of(root: Path, change: Change | None = None, **record: Any) -> Results:
    """The digits' fifth attempt, without pictures."""
    run = Run(root / "runs" / "attempt-5")
    (run.folder / "judged").mkdir(parents=True)
    scores, diagnoses = {}, {}
    for split in JUDGED:
        shutil.copy(DIGITS / f"{split}-detections.json", run.detections_file(split))
        truth = json.loads((DIGITS / f"{split}-truth.json").read_text(encoding="utf-8"))
        if change:
            change(truth)
        run.truth_file(split).write_text(json.dumps(truth), encoding="utf-8")
        pair = load_pair(run.truth_file(split), run.detections_file(split))
        scores[split], diagnoses[split] = judge(*pair), diagnose(*pair, split, CONF, 128)
    settings = {"base": 4, "model": "yolov8n", "train": {"epochs": 16}}
    whole = {"attempt": 5, "title": "more", "settings": settings, "changed": [], "data": {}, "training": {}, **record}
    return Results(5, run, whole, scores, Curves({}), {}, diagnoses)


def written(results: Results) -> str:
    write_report(results)
    return results.run.report_file.read_text(encoding="utf-8")


def test_the_row_of_the_best_f1_says_what_the_judge_says(tmp_path: Path) -> None:
    """Between two points of the curve: 103 of 109 boxes are right, of 107 objects, on 40 images."""
    report = written(results_of(tmp_path))
    assert "| 0.449 (best F1) | 0.945 | 0.963 | 0.954 | 2.7 |" in report
    assert "| precision | 0.9450 | 0.9459 |" in report


def test_it_says_that_test_has_a_confidence_of_its_own(tmp_path: Path) -> None:
    made = results_of(tmp_path)
    told = "which is kind to test"
    assert told in written(made)
    assert told not in written(replace(made, scores={"val": made.scores["val"]}))


def test_names_of_strangers_become_neither_html_nor_pictures(tmp_path: Path) -> None:
    def hostile(truth: dict[str, Any]) -> None:
        truth["categories"][1]["name"] = HOSTILE
        for image in truth["images"]:
            image["file_name"] = f"{image['id']}{HOSTILE}"

    finding = {"severity": "note", "text": HOSTILE, "remedy": HOSTILE}
    settings = {"base": None, "notes": f"one\n{HOSTILE}", "train": {HOSTILE: HOSTILE}}
    data = {"notes": [HOSTILE], "fingerprint": "0" * 64, "folder": f"`{HOSTILE}`", "findings": [finding]}
    training = {"own_metrics": {f"`{HOSTILE}": 0.5}}
    report = written(
        results_of(
            tmp_path, hostile, title=HOSTILE, settings=settings, data=data, training=training, findings=[finding]
        )
    )
    outside_code = re.sub(r"`[^`]*`", "", report)
    assert "<img" not in outside_code
    assert "![a](" not in outside_code
    assert outside_code.count("&lt;img src=x&gt;!\\[a]") > 8
    assert "\none\n&lt;img" in report


@pytest.mark.parametrize(
    ("share", "said"),
    [
        pytest.param(0.05, "5 %", id="whole"),
        pytest.param(0.0488, "4.9 %", id="a tenth below ten"),
        pytest.param(0.0996, "10 %", id="rounded up to ten"),
        pytest.param(1 / 6, "17 %", id="no tenth above ten"),
        pytest.param(0.0, "0 %", id="nothing"),
        pytest.param(-0.0001, "0 %", id="no minus before nothing"),
        pytest.param(-0.04, "-4 %", id="negative"),
        pytest.param(12.5, "1,250 %", id="above one"),
        pytest.param(float("nan"), "–", id="no number"),
    ],
)
def test_percents_have_a_space_and_a_tenth_only_below_ten(share: float, said: str) -> None:
    assert percent(share) == said


def test_percents_of_a_report_are_written_so(tmp_path: Path) -> None:
    data = {"counts": {"val": {"images": 40, "boxes": 107, "backgrounds": 2}}}
    report = written(results_of(tmp_path, data=data))
    assert "| val | 40 | 107 | 2 | 5 % |" in report
    assert "- 1 taken for 2, once (5.6 % of 1)" in report
    assert re.findall(r"\d%", report) == []


def test_a_run_from_elsewhere_is_reported_with_what_it_left(tmp_path: Path) -> None:
    record = {
        "imported": {"kind": "list", "file": "list.yaml"},
        "settings": {"base": 1},
        "changed": [{"key": "as told", "before": None, "after": "boxes redrawn"}, {"key": "train.imgsz", "after": 320}],
        "training": {"own_metrics": {"reported/mAP50": 0.522}},
    }
    report = written(Results(2, Run(tmp_path), record, {}, Curves({})))
    assert report.startswith("# Attempt 2\n")
    assert "As it was reported where it was made, by its own definitions: `reported/mAP50` 0.5220." in report
    assert "Nothing was judged" in report
    assert (
        "- boxes redrawn\n\n| setting | attempt 1 | attempt 2 |\n| --- | --- | --- |\n| train.imgsz | – | 320 |"
        in report
    )


@pytest.mark.parametrize("split", JUDGED)
def test_one_split_without_truths_or_detections_is_reported(tmp_path: Path, split: Any) -> None:
    made = results_of(tmp_path, lambda truth: truth["annotations"].clear())
    report = written(replace(made, scores={split: made.scores[split]}, diagnoses={split: made.diagnoses[split]}))
    assert "| mAP50 | – |" in report
    assert "best F1" not in report.replace("F1 is best", "")
    made.run.detections_file(split).write_text("[]", encoding="utf-8")
    pair = load_pair(made.run.truth_file(split), made.run.detections_file(split))
    empty = replace(made, scores={split: judge(*pair)}, diagnoses={split: diagnose(*pair, split, CONF, 128)})
    assert "| found of all | 0 of 0 |" in written(empty)
