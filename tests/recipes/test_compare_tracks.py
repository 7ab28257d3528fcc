"""An attempt of the track tfapi beside attempts of the track yolo, in every form that `compare` has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Ended, write_yaml
from tfapi_run import ATTEMPT, save_tfapi_run

from yolo_pipeline import attempt as attempts
from yolo_pipeline.comparing.effects import effects
from yolo_pipeline.nouns import Curves
from yolo_pipeline.recipes.compare import compare
from yolo_pipeline.recipes.compare_output import as_json, as_markdown, rows
from yolo_pipeline.reporting.pages.comparison import comparison_page
from yolo_pipeline.run import Run

Cli = Callable[..., Ended]
YOLO_CURVES = Curves({"epoch": (1.0, 2.0), "step": (3.0, 6.0), "train/box_loss": (2.0, 1.0), "val/mAP50": (0.1, 0.6)})
OF_YOLO: dict[str, Any] = {
    "training": {
        "parameters": 3_000_000,
        "used": {"imgsz": 64, "batch": 4, "device": "cpu", "epochs": 1},
        "own_metrics": {"ultralytics/mAP50": 0.6},
    },
    "seconds": {"train": 100.0, "an_image": 0.01},
}


def _save(root: Path, number: int, **record: Any) -> Run:
    changed = [{"key": key, "before": old, "after": new} for key, old, new in attempts.load(root, number).changed]
    return save_tfapi_run(root, number, **{"changed": changed, **record})


@pytest.fixture
def both(project: Path) -> Path:
    """Attempt 1 of YOLO, without a word of how large its weights are; 4, built on it, and 5, half as long, of the API."""
    _save(project, 1, curves=YOLO_CURVES, **OF_YOLO)
    write_yaml(project / "attempts/4.yaml", {**ATTEMPT, "base": 1, "data": {}})
    write_yaml(project / "attempts/5.yaml", {"base": 4, "train": {"steps": 1000}})
    _save(project, 4, found=16)
    _save(project, 5)
    return project


def test_one_table_has_accuracy_time_size_and_settings_of_both(both: Path) -> None:
    header, table = rows(compare(both, [1, 4]))
    assert header == ["", "attempt 1", "attempt 4"]
    for row in (
        ["track", "yolo", "tfapi"],
        ["model", "yolov8n", "ssd_mobilenet_v2_fpnlite_320x320"],
        ["train.epochs", "1", "–"],
        ["train.steps", "–", "2000"],
        ["train.batch", "4", "8"],
        ["val mAP50", "0.5050", "1.0000"],
        ["ultralytics/mAP50", "0.6000", "–"],
        ["tfapi/DetectionBoxes_Precision/mAP@.50IOU", "–", "0.7100"],
        ["parameters", "3,000,000", "2,600,000"],
        ["weights", "–", "12.3 MB"],
        ["training", "100 s", "1400 s"],
        ["an image", "0.010 s", "0.050 s"],
    ):
        assert row in table
    assert "| weights | – | 12.3 MB |" in as_markdown(compare(both, [1, 4]))


def test_they_are_told_apart_by_the_judge_and_not_by_their_own_figures(both: Path) -> None:
    found = compare(both, [1, 4])
    assert found.judged[0].metric == "mAP50"
    assert found.judged[0].difference.is_clear
    assert found.notes == (
        "figures under the name of a framework go by its own definitions: they compare attempts of one framework",
    )


def test_json_and_page_by_the_command(cli: Cli, both: Path, tmp_path: Path) -> None:
    ended = cli("compare", 1, 4, "--project", both, "--json", "--html", tmp_path / "page.html", "--lang", "ko")
    assert ended.code == 0
    one, other = json.loads(ended.out)["attempts"]
    assert (one["track"], one["cost"]["weights_bytes"]) == ("yolo", None)
    assert (other["track"], other["cost"]["weights_bytes"]) == ("tfapi", 12_345_678)
    assert "가중치 파일" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_changed_with_the_track_leaves_out_what_the_other_has_not(both: Path) -> None:
    words = text_of(comparison_page(compare(both, [1, 4]), "en", effects))
    steps = words[words.index("From attempt 1 to attempt 4") :]
    shown = steps[: steps.index("Class by class")]
    assert shown.count("train.") == 1
    assert "train.batch 4 8" in shown
    only = {"imgsz", "epochs", "patience", "workers"} | set(attempts.load(both, 4).train) - {"batch", "seed"}
    assert f"and {len(only)} settings of training that only one of the two tracks has" in shown


def test_curves_of_both_stand_in_plots_of_their_own(both: Path) -> None:
    one, other = data_of(comparison_page(compare(both, [1, 4]), "en", effects))["curves"]
    assert list(one["columns"]) == ["train/box_loss (yolo)", "val/mAP50 (yolo)"]
    assert "sparse" not in one
    assert "train/box_loss (tfapi)" in other["columns"]
    assert "train/localization_loss (tfapi)" not in other["columns"]
    assert other["sparse"] is True
    known = [value for value in other["columns"]["val/mAP50 (tfapi)"] if value is not None]
    assert len(known) == 10
    assert len(other["along"]["step"]) == 200


def test_evaluations_stay_where_there_are_thousands_of_steps(both: Path) -> None:
    write_yaml(both / "attempts/6.yaml", {"base": 4, "train": {"steps": 25_000}})
    _save(both, 6)
    [found] = data_of(comparison_page(compare(both, [6]), "en", effects))["curves"]
    assert 500 < len(found["along"]["step"]) < 620
    assert len([value for value in found["columns"]["val/mAP50"] if value is not None]) == 10


def test_what_moved_the_one_track_says_nothing_of_the_other(both: Path) -> None:
    """Three attempts of each: pairs that are one setting apart are of one track, and so is every dot."""
    for number in (2, 3):
        _save(both, number, curves=YOLO_CURVES, found=number * 4, **OF_YOLO)
    write_yaml(both / "attempts/6.yaml", {"base": 4, "train": {"steps": 500}})
    _save(both, 6, found=4)
    found = data_of(comparison_page(compare(both, [1, 2, 3, 4, 5, 6]), "en", effects))["effects"]
    assert found["among"]["tfapi: train.steps"] == [3, 4, 5]
    assert found["settings"]["tfapi: train.steps"] == [None, None, None, 2000, 1000, 500]
    assert found["among"]["yolo: train.epochs"] == [0, 1, 2]
    assert not any(name.startswith(("track", "train", "model")) for name in found["settings"])
    moved = {name for rows_of_metric in found["pairs"] for name, *_ in rows_of_metric}
    assert moved == {"yolo: train.epochs", "yolo: data.classes", "tfapi: train.steps"}


def test_as_json_holds_the_steps(both: Path) -> None:
    last = as_json(compare(both, [5]))["attempts"][0]
    assert last["settings"]["train"]["steps"] == 1000
    assert {change["key"] for change in last["changed"]} == {
        "train.steps",
        "train.warmup_steps",
        "train.checkpoint_every",
    }


def text_of(page: str) -> str:
    """What of a page is read: no markup, no data."""
    body = page[page.index("<main>") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found.group(1))
    return data
