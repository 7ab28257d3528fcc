"""Attempts side by side: what was changed, what is better, and what a reader of the table is told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Ended, FakeTrack, find_squares, write_yaml

from yolo_pipeline.decoding import decode
from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Detection
from yolo_pipeline.recipes.compare import compare
from yolo_pipeline.recipes.compare_output import as_json, as_markdown, difference_lines, rows
from yolo_pipeline.recipes.import_run import import_run
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import run_of

Cli = Callable[..., Ended]
CHOSEN_ON_TEST = (
    "attempts 1 and 2 were judged on the same test images: by mAP50_95, val chooses attempt 1, test attempt 2; "
    "choose on val, as the figure of an attempt that was chosen on test is too good"
)


@pytest.fixture
def project(project: Path, labelled_folder: Callable[..., Path]) -> Path:
    """Of its 40 photos, 16 are for val and 16 for test: enough to tell a difference, even by one class."""
    labelled_folder(project / "datasets/raw/pictures", count=40)
    file = project / "attempts/1.yaml"
    text = file.read_text(encoding="utf-8").replace("0.2", "0.4").replace("train: 0.6", "train: 0.2")
    file.write_text(text, encoding="utf-8")
    return project


def test_compare_in_all_its_forms(cli: Cli, project: Path, tmp_path: Path) -> None:
    train(project, 1, track=FakeTrack())
    train(project, 2, track=FakeTrack(find_squares))
    train(project, 3, track=FakeTrack(lambda picture: [d for d in find_squares(picture) if d.label == "onion"]))
    files = ("--markdown", tmp_path / "table.md", "--html", tmp_path / "page.html", "--lang", "ko")
    ended = cli("compare", 1, 2, "--project", project, *files)
    assert ended.code == 0
    assert "train.epochs" in ended.out
    better = "attempt 2 against 1, test mAP50: better, +1.0000 (95 % interval +1.0000 to +1.0000, 16 images)"
    assert better in ended.out
    assert "Intervals cover the choice of images to judge on, not the luck of training" in ended.out
    markdown = (tmp_path / "table.md").read_text(encoding="utf-8")
    for line in (
        "| train.epochs | 1 | 2 |",
        "| data, against the one before | – | the same |",
        "| test images | 16 | 16 |",
        "| test mAP50 | 0.0000 | 1.0000 |",
        "| test found of all | 0 of 16 | 16 of 16 |",
        "| test AP50 of chicken | 0.0000 | 1.0000 |",
        "| fake/mAP50 | 0.5000 | 0.5000 |",
        "| parameters | 7 | 7 |",
        f"- A{better[1:]}.",
    ):
        assert line in markdown.splitlines()
    assert '<html lang="ko">' in (tmp_path / "page.html").read_text(encoding="utf-8")
    _check_json(json.loads(cli("compare", "--project", project, "--json").out))


def _check_json(found: dict[str, Any]) -> None:
    assert list(found) == ["attempts", "differences", "data", "notes"]
    assert [entry["attempt"] for entry in found["attempts"]] == [1, 2, 3]
    second = found["attempts"][1]
    assert {"attempt", "track", "changed", "settings", "scores", "cost"} <= set(second)
    assert second["changed"] == [{"key": "train.epochs", "before": 1, "after": 2}]
    assert (second["track"], second["settings"]["train"]["epochs"]) == ("yolo", 2)
    assert second["scores"]["test"]["classes"]["onion"]["AP50"] == pytest.approx(1.0)
    assert second["own_metrics"] == {"fake/mAP50": 0.5}
    assert (second["cost"]["parameters"], second["cost"]["device"]) == (7, "fake")
    deltas = {(d["a"], d["b"], d["metric"]): (d["delta"], d["low"], d["high"]) for d in found["differences"]}
    assert list(deltas) == [
        (a, b, f"{split} {metric}")
        for a, b in ((1, 2), (2, 3))
        for split in ("val", "test")
        for metric in ("mAP50", "mAP50_95")
    ]
    assert deltas[(1, 2, "test mAP50")] == pytest.approx((1.0, 1.0, 1.0))
    assert deltas[(2, 3, "test mAP50")] == pytest.approx((0.0, 0.0, 0.0))  # onions alone
    assert [(row["verdict"], row["shared"]) for row in found["differences"][3:5]] == [
        ("better", False),
        ("no clear difference", True),
    ]
    assert found["data"][1]["classes_removed"] == ["chicken"]
    assert (found["data"][1]["a"], found["data"][1]["b"], len(found["data"][1]["boxes_removed"])) == (2, 3, 20)
    assert found["notes"] == [
        f"attempts 2 and 3 were judged on different {split} classes; both judged again on the 16 images that they "
        "share, by the 1 class that both know: mAP50 1.0000 and 1.0000"
        for split in ("val", "test")
    ]


def test_a_choice_made_on_test_images_is_warned_of(cli: Cli, project: Path) -> None:
    cli("build", "--attempt", 1, "--project", project)
    train(project, 1, track=FakeTrack(_blind_to(project, "test")))
    train(project, 2, track=FakeTrack(_blind_to(project, "val")))
    found = compare(project, [1, 2])
    assert found.notes == (CHOSEN_ON_TEST,)
    assert difference_lines(found)[2].startswith(
        "attempt 2 against 1, test mAP50: no clear difference, +0.0644 (95 % interval +0.0000 to"
    )
    assert [judged.difference.is_clear for judged in found.judged] == [False] * 4
    assert compare(project, [2, 1]).notes == (CHOSEN_ON_TEST.replace("1 and 2", "2 and 1"),)


def _blind_to(project: Path, split: str) -> Callable[[np.ndarray], list[Detection]]:
    """Finds every square but that of one picture of a split."""
    picture = min((project / "datasets/attempt-1/images" / split).iterdir())
    hidden = decode(picture).tobytes()
    return lambda picture: [] if picture.tobytes() == hidden else find_squares(picture)


def test_redrawn_boxes_new_photos_and_a_renamed_class(project: Path, labelled_folder: Callable[..., Path]) -> None:
    train(project, 1, track=FakeTrack(find_squares))
    redrawn = labelled_folder(project / "datasets/raw/redrawn", count=40)
    for xml in redrawn.glob("*.xml"):
        text = xml.read_text(encoding="utf-8").replace("onion", "<b>양파|")
        text = text.replace("<b>", "&lt;b&gt;")
        xml.write_text(re.sub(r"<xmax>(\d+)</xmax>", lambda m: f"<xmax>{int(m[1]) - 8}</xmax>", text), encoding="utf-8")
    labelled_folder(project / "datasets/raw/more", count=2, start=100)
    more = [{"path": f"datasets/raw/{name}", "format": "labelimg"} for name in ("redrawn", "more")]
    write_yaml(project / "attempts/4.yaml", {"base": 1, "data": {"sources": more, "rename": {"onion": "<b>양파|"}}})
    train(project, 4, track=FakeTrack(find_chickens_tightly))
    found = compare(project, [1, 4])
    (difference,) = found.data.values()
    assert len(difference.redrawn) == 40
    _, table = rows(found)
    assert ["data, against the one before", "–", "2 photos added, 40 boxes redrawn, onion renamed <b>양파|"] in table
    assert "onion renamed &lt;b&gt;양파\\| |" in as_markdown(found)
    assert found.notes[1].endswith(
        "by the 1 class that both know and the boxes of attempt 4, which favours it: mAP50 1.0000 and 1.0000"
    )
    (tight,) = (judged for judged in found.judged if (judged.split, judged.metric) == ("test", "mAP50_95"))
    assert tight.shared
    assert tight.own_boxes
    assert tight.difference.delta > 0.2
    assert "attempt 4 against 1, test mAP50_95: better by its own boxes, +" in " ".join(difference_lines(found))
    first = as_json(found)["data"][0]
    assert first["classes_renamed"] == [["onion", "<b>양파|"]]
    assert len(first["redrawn"]) == 40
    before, after = first["redrawn"][0]["before"], first["redrawn"][0]["after"]
    assert [old - new for old, new in zip(before["box"], after["box"], strict=True)] == [0, 0, 8, 0]


def find_chickens_tightly(picture: np.ndarray) -> list[Detection]:
    """As the redrawn labels have them."""
    return [
        Detection(type(d.box)(d.box.x0, d.box.y0, d.box.x1 - 8, d.box.y1), d.label, d.score)
        for d in find_squares(picture)
        if d.label == "chicken"
    ]


def test_test_sets_that_differ_are_judged_again_on_what_they_share(project: Path) -> None:
    again = {"again": True, "train": 0.2, "val": 0.2, "test": 0.6, "seed": 3}
    write_yaml(project / "attempts/4.yaml", {"base": 1, "data": {"split": again}})
    first, second = (train(project, number, track=FakeTrack(find_squares)).read_splits() or {} for number in (1, 4))
    assert sum(split == "test" == second[content] for content, split in first.items()) == 13
    found = compare(project, [1, 4])
    assert [(judged.images, judged.shared) for judged in found.judged if judged.split == "test"] == [(13, True)] * 2
    assert (
        "attempts 1 and 4 were judged on different test images; both judged again on the 13 images that they share: "
        "mAP50 1.0000 and 1.0000"
    ) in found.notes
    seen = sum(split == "train" != second[content] for content, split in first.items())
    assert (
        "attempt 4 dealt its split again: scores cannot be compared directly with those of others, and "
        f"{seen} of its val and test photos were trained on in attempt 1"
    ) in found.notes


def test_runs_from_elsewhere_stand_in_the_same_table(cli: Cli, project: Path) -> None:
    train(project, 1, track=FakeTrack(find_squares))
    run_of(project, 7).write_record(
        {
            "state": "finished",
            "imported": {"kind": "results.csv", "file": "results.csv"},
            "settings": {"attempt": 7, "title": "old", "track": "yolov5", "model": "yolov5x", "train": {"epochs": 150}},
            "changed": [],
            "data": {"names": ["egg"], "counts": {"train": {"images": 2000}}},
            "training": {"used": {}, "own_metrics": {"yolov5/mAP50": 0.71552}},
            "seconds": {},
            "versions": {},
        }
    )
    run_of(project, 7).write_scores({})
    run_of(project, 8).write_record({"state": "finished", "imported": {"kind": "list"}, "settings": {}})
    found = compare(project, [1, 7, 8])
    assert found.judged == ()
    _, table = rows(found)
    for row in (
        ["imported from", "–", "results.csv", "list"],
        ["model", "yolov8n", "yolov5x", "–"],
        ["train images", "8", "2000", "–"],
        ["test mAP50", "1.0000", "–", "–"],
        ["fake/mAP50", "0.5000", "–", "–"],
        ["yolov5/mAP50", "–", "0.7155", "–"],
        ["parameters", "7", "–", "–"],
    ):
        assert row in table
    assert found.notes == (
        "attempts 7 and 8 left no detections to judge: they have only figures of their own",
        "figures under the name of a framework go by its own definitions: they compare attempts of one framework",
    )
    ended = cli("compare", "--json", "--project", project)
    assert ended.code == 0
    last = json.loads(ended.out)["attempts"][2]
    assert (last["attempt"], last["track"], last["changed"], last["scores"]) == (8, None, [], {})
    names = ("seconds", "parameters", "weights_bytes", "seconds_an_image", "device")
    assert last["cost"] == dict.fromkeys(names)


def _import(root: Path, number: int, truth: dict[str, Any], results: list[dict[str, Any]]) -> None:
    (root / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    (root / "results.json").write_text(json.dumps(results), encoding="utf-8")
    import_run(root, root / "results.json", number, truth=root / "truth.json")


def _squares(images: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A square in each image, and all of them found."""
    square = {"category_id": 1, "bbox": [5, 5, 20, 20]}
    truth = {
        "images": [{"id": at, "file_name": f"{at}.png"} for at in range(images)],
        "categories": [{"id": 1, "name": "square"}],
        "annotations": [{"image_id": at, **square} for at in range(images)],
    }
    return truth, [{"image_id": at, **square, "score": 0.9} for at in range(images)]


def test_of_many_differences_some_are_clear_by_chance(tmp_path: Path) -> None:
    truth, results = _squares(8)
    for number in range(1, 12):
        _import(tmp_path, number, truth, results[: 8 if number > 1 else 1])
    said = (
        "2 of 20 differences are clear; about 1 would be by chance alone if no attempt were better than the one before"
    )
    assert compare(tmp_path, []).notes == (said,)
    assert compare(tmp_path, range(1, 11)).notes == ()


def test_too_few_test_images_tell_no_difference(tmp_path: Path) -> None:
    truth, results = _squares(5)
    _import(tmp_path, 1, truth, [])
    _import(tmp_path, 2, truth, results)
    found = compare(tmp_path, [1, 2])
    assert found.judged == ()
    assert found.notes == (
        "attempts 1 and 2 share fewer than 6 test images with objects: too few to tell a difference from chance",
    )


def test_images_without_a_hash_in_another_order_are_the_same_test_set(tmp_path: Path) -> None:
    truth, results = _squares(8)
    _import(tmp_path, 1, truth, results[1:])
    _import(tmp_path, 2, {**truth, "images": truth["images"][::-1]}, results)
    found = compare(tmp_path, [1, 2])
    assert [(judged.images, judged.shared) for judged in found.judged] == [(8, False)] * 2
    assert found.judged[0].difference.delta == pytest.approx(1 - 88 / 101)
    assert found.notes == ()


def test_a_finished_attempt_stands_alone(project: Path) -> None:
    train(project, 1, track=FakeTrack(find_squares))
    found = compare(project, [1, 1])
    assert [entry.number for entry in found.attempts] == [1]
    assert (found.judged, found.notes, difference_lines(found)) == ((), (), [])
    with pytest.raises(InputError, match=r"attempt-2: is not there \(finished: 1\)"):
        compare(project, [1, 2])
    run_of(project, 1).dataset_file.write_text("[{}]", encoding="utf-8")
    with pytest.raises(InputError, match=r"dataset\.json: is damaged"):
        compare(project, [1])


def test_more_than_six_attempts_have_a_row_each(cli: Cli, tmp_path: Path) -> None:
    history = Path(__file__).parents[2] / "docs/history/tooth_attempts.csv"
    assert cli("import-run", history, "--attempt", 1, "--project", tmp_path).code == 0
    header, table = rows(compare(tmp_path, []))
    assert header == ["attempt", "title", "settings that differ", "reported/mAP50", "reported/mAP50_95"]
    assert len(table) == 72
    assert table[0] == [
        "1",
        "steps and batch, row 1",
        "model ssd_mobilenet_v2_fpnlite_320x320; batch 70; bn_decay 0.998; cls_weight 1.25; loc_weight 1.25; "
        "nms_iou 0.58; steps 4000",
        "0.7650",
        "0.6320",
    ]


def test_a_folder_is_no_file_for_the_page(cli: Cli, tmp_path: Path) -> None:
    history = Path(__file__).parents[2] / "docs/history/food_attempts.yaml"
    assert cli("import-run", history, "--project", tmp_path).code == 0
    (tmp_path / "pages").mkdir()
    ended = cli("compare", "--html", tmp_path / "pages", "--project", tmp_path)
    assert ended.code == 3
    assert f"{tmp_path / 'pages'}: is a folder, where a file must be. Name a file in it" in ended.err
    assert list(tmp_path.glob("*.part")) == []


def test_what_was_not_judged_is_not_called_faultless(cli: Cli, tmp_path: Path) -> None:
    history = Path(__file__).parents[2] / "docs/history/food_attempts.yaml"
    assert cli("import-run", history, "--project", tmp_path).code == 0
    said = "nothing was judged on val, so that there is little to advise on"
    assert cli("suggest", "--attempt", 2, "--project", tmp_path).out.splitlines() == [said]
    assert cli("report", "--attempt", 2, "--project", tmp_path).out.startswith(said.capitalize())
