"""Classifiers side by side, and beside detectors, in every form that `compare` has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from classified_run import classified_run, sure
from conftest import write_yaml
from tfapi_run import save_tfapi_run

from yolo_pipeline.classification import whole
from yolo_pipeline.comparing.effects import effects
from yolo_pipeline.comparison import SavedImage
from yolo_pipeline.nouns import Curves
from yolo_pipeline.recipes.compare import compare
from yolo_pipeline.recipes.compare_output import as_html, as_json, as_markdown, difference_lines, rows
from yolo_pipeline.reporting.pages.comparison.data import page_data
from yolo_pipeline.reporting.pages.comparison.words import Say
from yolo_pipeline.run import run_of

NAMES = ("cat", "dog", "<b>사과</b>")
PLAIN, DROPOUT, NO_HEAD = (
    [{"units": 256, "dropout": 0.0}, {"units": 128, "dropout": 0.0}],
    [{"units": 256, "dropout": 0.3}, {"units": 128, "dropout": 0.0}],
    [],
)


def answers(right: int, of: int = 30) -> list[tuple[str, list[float]]]:
    """The first ones are right; the others say the next class."""
    labels = [NAMES[at % 3] for at in range(of)]
    return [(label, sure(NAMES, label if at < right else NAMES[(at + 1) % 3])) for at, label in enumerate(labels)]


def attempt(root: Path, number: int, head: list[dict[str, Any]], epochs: int, right: int) -> None:
    """With `right` of 30 pictures of val named rightly, and as many of test."""
    settings = {"base": number - 1 or None, "head": head, "train": {"epochs": epochs, "seed": 0}}
    judged = {"val": answers(right), "test": answers(right)}
    classified_run(root, number, NAMES, judged, settings=settings, record={"title": f"number {number}"})


@pytest.fixture
def ablation(tmp_path: Path) -> Path:
    """The seeds' own: dense layers, dropout and epochs, one after the other."""
    attempt(tmp_path, 1, NO_HEAD, 150, 15)
    attempt(tmp_path, 2, PLAIN, 150, 18)
    attempt(tmp_path, 3, DROPOUT, 150, 24)
    attempt(tmp_path, 4, DROPOUT, 600, 30)
    return tmp_path


def test_the_ablation_is_one_table(ablation: Path) -> None:
    header, table = rows(compare(ablation, []))
    assert header == ["", "attempt 1", "attempt 2", "attempt 3", "attempt 4"]
    for row in (
        ["head", "none", "256; 128", "256 (0.3); 128", "256 (0.3); 128"],
        ["train.epochs", "150", "150", "150", "600"],
        ["val images", "30", "30", "30", "30"],
        ["val top1", "0.5000", "0.6000", "0.8000", "1.0000"],
        ["val top5", "1.0000", "1.0000", "1.0000", "1.0000"],
        ["val right of all", "15 of 30", "18 of 30", "24 of 30", "30 of 30"],
        ["test right of all", "15 of 30", "18 of 30", "24 of 30", "30 of 30"],
        ["val F1 of cat", "0.5000", "0.6000", "0.8000", "1.0000"],
        ["test F1 of <b>사과</b>", "0.5000", "0.6000", "0.8000", "1.0000"],
        ["training", "12 s", "12 s", "12 s", "12 s"],
    ):
        assert row in table
    names = [row[0] for row in table]
    assert not [name for name in names if any(word in name for word in ("mAP", "AP50", "conf", "found of all"))]


def test_loss_is_the_judges_cross_entropy(ablation: Path) -> None:
    _, table = rows(compare(ablation, [4]))
    assert ["val loss", "0.1054"] in table  # -ln 0.9


def test_json_holds_the_scores_of_pictures(ablation: Path) -> None:
    told = json.loads(json.dumps(as_json(compare(ablation, [1, 4])), allow_nan=False))
    first = told["attempts"][0]["scores"]["val"]
    assert {key: first[key] for key in ("images", "top1", "top5")} == {"images": 30, "top1": 0.5, "top5": 1.0}
    assert first["classes"]["cat"] == {"images": 10, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert told["attempts"][0]["settings"]["head"] == []
    differences = {entry["metric"]: (entry["delta"], entry["verdict"]) for entry in told["differences"]}
    assert differences == {"val top1": (0.5, "better"), "test top1": (0.5, "better")}


def test_markdown_escapes_names(ablation: Path) -> None:
    told = as_markdown(compare(ablation, []))
    assert "| val F1 of &lt;b&gt;사과&lt;/b&gt; | 0.5000 |" in told
    assert "<b>" not in told


def test_many_attempts_have_a_row_each_with_top1_and_loss(tmp_path: Path) -> None:
    for number in range(1, 8):
        attempt(tmp_path, number, PLAIN, 10 * number, 10 + number)
    header, table = rows(compare(tmp_path, []))
    assert header[:3] == ["attempt", "title", "settings that differ"]
    assert header[3:] == ["val top1", "val loss", "test top1", "test loss"]
    assert table[0][:4] == ["1", "number 1", "epochs 10", "0.3667"]


def test_the_page_says_which_setting_moved_top1(ablation: Path) -> None:
    comparison = compare(ablation, [])
    data = page_data(comparison, Say("en"), effects)
    assert [metric["name"] for metric in data["metrics"]] == ["val top1", "test top1"]
    assert data["metrics"][0]["values"] == [0.5, 0.6, 0.8, 1.0]
    assert data["metrics"][0]["low"][0] < 0.5 < data["metrics"][0]["high"][0]
    assert data["effects"]["settings"]["head"] == ["none", "256; 128", "256 (0.3); 128", "256 (0.3); 128"]
    assert ["train.epochs", "150", "600", 0.2, 1] in data["effects"]["pairs"][0]
    assert ["head", "256; 128", "256 (0.3); 128", 0.2, 1] in data["effects"]["pairs"][0]
    assert data["classes"]["val"]["figures"] == ["F1", "precision", "recall", "images"]
    assert set(data["curves"][0]["columns"]) == {"train/loss", "train/accuracy", "val/loss", "val/accuracy"}
    assert data["pr"] == {}


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        pytest.param("en", ("Which setting moved top1", "Pictures named rightly, with intervals"), id="English"),
        pytest.param("ko", ("어떤 설정이 top1을 움직였나", "맞은 이미지의 비율과 95 % 구간"), id="Korean"),
    ],
)
def test_the_page_is_of_pictures(ablation: Path, lang: Any, words: tuple[str, ...]) -> None:
    page = as_html(compare(ablation, []), lang)
    body = page.partition("<main>")[2].partition("</main>")[0]
    for word in words:
        assert word in body
    assert "256 (0.3); 128" in body
    assert "★ 1.000" in body
    assert "mAP" not in body
    assert "<b>사과</b>" not in body


def _beside_a_detector(project: Path) -> Path:
    write_yaml(project / "attempts/4.yaml", {"base": 1})
    curves = Curves({"epoch": (1.0, 2.0), "train/box_loss": (2.0, 1.0), "val/mAP50": (0.1, 0.6)})
    save_tfapi_run(project, 1, curves)
    classified_run(project, 7, NAMES, {"val": answers(15)})
    return project


def test_beside_a_detector_figures_of_the_other_are_dashes(project: Path) -> None:
    _, table = rows(compare(_beside_a_detector(project), [1, 7]))
    found = {row[0]: row[1:] for row in table}
    assert found["val mAP50"] == [found["val mAP50"][0], "–"]
    assert found["val mAP50"][0] != "–"
    assert found["val top1"] == ["–", "0.5000"]
    assert found["val right of all"] == ["–", "15 of 30"]
    assert found["val F1 of cat"] == ["–", "0.5000"]
    assert found["val found of all"][1] == "–"


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_of_both_has_the_figures_of_both(project: Path, lang: Any) -> None:
    comparison = compare(_beside_a_detector(project), [1, 7])
    data = page_data(comparison, Say(lang), effects)
    values = {metric["name"]: metric["values"] for metric in data["metrics"]}
    assert values["val top1"] == [None, 0.5]
    assert values["val mAP50"][1] is None
    assert data["judged"] == "both"
    assert data["all judged"]
    assert "top1" in as_html(comparison, lang)


def test_a_classifier_that_was_not_judged_has_dashes(tmp_path: Path) -> None:
    attempt(tmp_path, 1, PLAIN, 10, 15)
    run = classified_run(tmp_path, 2, NAMES, {}, curves=None)
    run.scores_file.unlink()
    comparison = compare(tmp_path, [])
    _, table = rows(comparison)
    assert ["val top1", "0.5000", "–"] in table
    assert ["val F1 of cat", "0.5000", "–"] in table
    assert as_html(comparison, "en").startswith("<!doctype html>")


def test_classes_that_only_one_knows_are_dashes_for_the_other(tmp_path: Path) -> None:
    attempt(tmp_path, 1, PLAIN, 10, 15)
    names = ("cat", "bird")
    classified_run(tmp_path, 2, names, {"val": [(name, sure(names, name)) for name in names]})
    _, table = rows(compare(tmp_path, []))
    assert ["val F1 of cat", "0.5000", "1.0000"] in table
    assert ["val F1 of bird", "–", "1.0000"] in table
    assert ["val F1 of dog", "0.5000", "–"] in table


def test_a_picture_in_another_class_was_relabelled(tmp_path: Path) -> None:
    for number, label in ((1, "cat"), (2, "dog")):
        attempt(tmp_path, number, PLAIN, 10, 15)
        labels = {"a.png": label, "b.png": "cat", "c.png": "dog"}
        run_of(tmp_path, number).write_dataset(
            SavedImage(name, name, "val", name, 28, 28, (whole(of, 28, 28),)) for name, of in labels.items()
        )
    comparison = compare(tmp_path, [])
    _, table = rows(comparison)
    assert ["data, against the one before", "–", "1 picture relabelled (cat to dog 1)"] in table
    assert "Pictures relabelled: 1" in as_html(comparison, "en")
    assert "라벨을 바꾼 이미지: 1" in as_html(comparison, "ko")


def test_where_labels_were_corrected_the_later_ones_judge_both(tmp_path: Path) -> None:
    """The first attempt was right of 15 labels; by those of the second, of none."""
    before = answers(15)
    corrected = [NAMES[(at + 1) % 3] if at < 15 else label for at, (label, _) in enumerate(before)]
    classified_run(tmp_path, 1, NAMES, {"val": before})
    classified_run(tmp_path, 2, NAMES, {"val": [(label, sure(NAMES, label)) for label in corrected]})
    comparison = compare(tmp_path, [])
    [note] = comparison.notes
    assert note == (
        "attempts 1 and 2 were judged on different val labels; both judged again on the 30 images that they share, by the "
        "labels of attempt 2, which favours it: top1 0.0000 and 1.0000"
    )
    assert difference_lines(comparison)[0].startswith(
        "attempt 2 against 1, val top1: better by its own labels, +1.0000"
    )
    assert "by its own labels" in as_html(comparison, "en")
    assert "(자기 라벨 기준)" in as_html(comparison, "ko")
    assert not [text for text in (note, as_markdown(comparison)) if "boxes" in text]
