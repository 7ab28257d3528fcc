"""What training leaves for a person to read, and what `report` writes anew from the saved files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Ended, FakeTrack, find_squares

from yolo_pipeline.decoding import decode
from yolo_pipeline.formats import ReadOptions, read
from yolo_pipeline.nouns import Box, Detection, Truth
from yolo_pipeline.recipes.diagnose import results_of
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import Run, run_of


@pytest.fixture
def disputed(project: Path) -> tuple[Path, str]:
    """The finished attempt 1, in which the model sees an onion where one chicken of val is labelled; that picture's stem."""
    settings = (project / "attempts/1.yaml").read_text(encoding="utf-8")
    for before, after in (("train: 0.6", "train: 0.3"), ("val: 0.2", "val: 0.6"), ("test: 0.2", "test: 0.1")):
        settings = settings.replace(before, after)
    (project / "attempts/1.yaml").write_text(settings, encoding="utf-8")
    photos = train(project, 1, track=FakeTrack(find_squares)).read_dataset()
    assert photos is not None
    chosen = next(image for image in photos if image.split == "val" and image.truths[0].label == "chicken")
    pixels = decode(project / chosen.file)

    def detect(picture: np.ndarray) -> list[Detection]:
        found = find_squares(picture)
        return [replace(one, label="onion") for one in found] if np.array_equal(picture, pixels) else found

    train(project, 1, track=FakeTrack(detect), again=True)
    return project, Path(chosen.name).stem


def test_training_leaves_report_page_diagnosis_and_photos(project: Path) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    diagnosis = json.loads(run.diagnosis_file.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert diagnosis["val"]["matrix"] == {
        "names": ["chicken", "onion", "background"],
        "counts": [[2, 0, 0], [0, 2, 0], [0, 0, 0]],
    }
    assert diagnosis["intervals"]["test"]["mAP50"] == pytest.approx([1.0, 1.0])
    assert run.page_file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not run.suspects.exists()
    photos = run.read_dataset()
    assert photos is not None
    assert len(photos) == 20
    first = photos[0]
    assert (first.name, first.file, first.width, first.height) == (
        "photo_000.png",
        "datasets/raw/pictures/photo_000.png",
        64,
        64,
    )
    assert [truth.label for truth in first.truths] == ["chicken"]


def test_the_report_tells_what_went_wrong(project: Path) -> None:
    def says_onion(picture: np.ndarray) -> list[Detection]:
        return [replace(found, label="onion") for found in find_squares(picture)]

    report = train(project, 1, track=FakeTrack(says_onion)).report_file.read_text(encoding="utf-8")
    assert "- chicken taken for onion, 2 times (100 % of chicken)" in report
    assert "| Cls | right place, wrong class | 2 |" in report
    assert "False alarms where nothing is: 0; the split has no images without objects." in report


def test_a_suspect_label_is_ready_to_be_corrected_and_the_users_file_stays(disputed: tuple[Path, str]) -> None:
    project, stem = disputed
    suspects = run_of(project, 1).suspects
    dataset, _ = read(suspects, "labelimg", ReadOptions())
    assert [Path(image.name).stem for image in dataset.images] == [stem]
    truth, proposal = dataset.images[0].truths
    assert (truth.label, proposal.label) == ("chicken", "onion?")
    assert truth.box == proposal.box
    xml = (suspects / f"{stem}.xml").read_text(encoding="utf-8")
    assert "<folder>suspects</folder>" in xml
    assert not [line for line in xml.splitlines() if line.strip().startswith(("<x", "<y")) and "." in line]
    with (suspects / "suspects.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["image"], row["kind"], row["label"], row["proposed"]) == (
        f"{stem}.png",
        "wrong class",
        "chicken",
        "onion",
    )
    labelled = (project / f"datasets/raw/pictures/{stem}.xml").read_text(encoding="utf-8")
    assert "onion" not in labelled


def test_what_was_corrected_among_the_suspects_stays(disputed: tuple[Path, str], cli: Callable[..., Ended]) -> None:
    project, stem = disputed
    corrected = run_of(project, 1).suspects / f"{stem}.xml"
    corrected.write_text("corrected", encoding="utf-8")
    assert cli("report", "--attempt", 1, "--project", project).code == 0
    assert corrected.read_text(encoding="utf-8") == "corrected"


def test_report_writes_the_same_bytes_again(project: Path, cli: Callable[..., Ended]) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    before = _read_all(run)
    ended = cli("report", "--attempt", 1, "--project", project)
    assert ended.code == 0
    assert ended.out.endswith(f"Report: {run.page_file}\n")
    assert _read_all(run) == before


def test_the_page_speaks_korean(project: Path, cli: Callable[..., Ended]) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    assert cli("report", "--attempt", 1, "--lang", "ko", "--project", project).code == 0
    page = run.page_file.read_text(encoding="utf-8")
    assert '<html lang="ko">' in page


def test_an_unfinished_attempt_has_no_report(project: Path, cli: Callable[..., Ended]) -> None:
    ended = cli("report", "--attempt", 2, "--project", project)
    assert ended.code == 3
    assert ended.err.startswith("error: ")
    assert "is not there (finished: none). Type: python -m yolo_pipeline train --attempt 2" in ended.err


def test_mistakes_are_counted_at_the_confidence_of_the_attempt(project: Path) -> None:
    settings = (project / "attempts/1.yaml").read_text(encoding="utf-8")
    (project / "attempts/1.yaml").write_text(settings + "detect: {conf: 0.95}\n", encoding="utf-8")
    train(project, 1, track=FakeTrack(find_squares))
    diagnosis = results_of(project, 1).diagnoses["val"]
    assert diagnosis.conf == 0.95
    assert diagnosis.error("Miss").count == 4
    assert [case.truth for case in diagnosis.cases if case.detection] == []


def test_damaged_notes_of_the_photos_are_named(project: Path) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    run.dataset_file.write_text('[{"name": "a.png"}]', encoding="utf-8")
    with pytest.raises(Exception, match=r"dataset\.json: is damaged .*Train with --again"):
        run.read_dataset()


def test_photos_are_noted_with_their_boxes(project: Path) -> None:
    photos = train(project, 1, track=FakeTrack(find_squares)).read_dataset()
    assert photos is not None
    boxes = {image.name: image.truths for image in photos}
    truth = boxes["photo_000.png"][0]
    assert isinstance(truth, Truth)
    assert isinstance(truth.box, Box)
    assert (truth.box.width, truth.box.height) == (32, 32)


def _read_all(run: Run) -> dict[str, bytes]:
    files = (run.report_file, run.page_file, run.diagnosis_file)
    return {file.name: file.read_bytes() for file in files}
