"""The main job through a track that needs no framework: what is built, judged, recorded, reported, kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FakeTrack, find_squares, write_yaml
from PIL import Image

from yolo_pipeline.errors import AnnotationError, DataError, FinishedError
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import run_of


def test_a_run_holds_record_curves_scores_report_and_figures(project: Path) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    there = {file.relative_to(run.folder).as_posix() for file in run.folder.rglob("*") if file.is_file()}
    assert there == {
        "record.json", "dataset.json", "splits.json", "curves.csv", "scores.json", "report.md",
        "report.html", "diagnosis.json", "figures/curves.png", "figures/confidence.png", "figures/confusion.png", "figures/samples.png",
        "judged/val-truth.json", "judged/val-detections.json", "judged/test-truth.json", "judged/test-detections.json",
        "training/weights/best.pt", "training/weights/last.pt",
    }  # fmt: skip
    scores = json.loads(run.scores_file.read_text(encoding="utf-8"))
    assert list(scores) == ["val", "test"]
    assert scores["test"]["images"] == 4
    assert scores["test"]["mAP50"] == pytest.approx(1.0)
    assert scores["test"]["correct"] == scores["test"]["truths"] == 4
    assert list(scores["test"]["classes"]) == ["chicken", "onion"]
    assert run.curves_file.read_text(encoding="utf-8").splitlines()[0] == (
        "epoch,train/box_loss,train/cls_loss,val/box_loss,val/mAP50"
    )


def test_the_record_says_what_was_asked_and_what_was_used(project: Path) -> None:
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    record = train(project, 2, track=FakeTrack(find_squares), overrides={"batch": 8}).record
    assert record["state"] == "finished"
    assert record["settings"]["train"]["batch"] == 8
    assert record["training"]["used"]["batch"] == 2
    assert {entry["key"]: (entry["before"], entry["after"]) for entry in record["changed"]} == {
        "train.batch": (4, 8),
        "train.epochs": (1, 2),
    }
    assert record["data"]["counts"]["train"] == {
        "images": 12, "boxes": 12, "backgrounds": 0, "classes": {"chicken": 6, "onion": 6},
    }  # fmt: skip
    assert record["training"]["parameters"] == 7
    assert len(record["training"]["sha256"]) == 64
    assert record["training"]["bytes"] == len(b"whole")
    assert record["training"]["own_metrics"] == {"fake/mAP50": 0.5}
    assert record["versions"]["fake"] == "1.0"
    assert set(record["seconds"]) == {"build", "train", "judge", "an_image"}


def test_the_report_has_no_blank_line_where_a_figure_belongs(project: Path) -> None:
    report = train(project, 2, track=FakeTrack(find_squares)).report_file.read_text(encoding="utf-8")
    for said in (
        "| train.epochs | 1 | 2 |",
        "| f1 | 1.0000 | 1.0000 |",
        "| train/box_loss | 2.0000 | 1.0000 | 1.0000 |",
        "| chicken | 2 | 1.0000 |",
        "| batch | 4 | 2 |",
        "fake/mAP50` 0.5000",
    ):
        assert said in report
    assert not [line for line in report.splitlines() if line.rstrip().endswith(":")]


def test_a_detector_that_says_nothing_is_judged_and_reported(project: Path) -> None:
    run = train(project, 1, track=FakeTrack())
    scores = run.read_scores()["test"]
    assert (scores.mAP50, scores.recall, scores.conf, scores.correct) == (0.0, 0.0, None, 0)
    assert "| f1 | 0.0000 | 0.0000 |" in run.report_file.read_text(encoding="utf-8")


def test_a_finished_run_is_never_overwritten(project: Path) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    before = run.record_file.read_bytes()
    with pytest.raises(FinishedError, match=r"Write .*attempts/4\.yaml with `base: 1`.*or add --again"):
        train(project, 1, track=FakeTrack())
    with pytest.raises(FinishedError):
        train(project, 1, track=FakeTrack(), resume=True)
    assert run.record_file.read_bytes() == before


def test_again_keeps_the_old_run_under_a_number(project: Path) -> None:
    train(project, 1, track=FakeTrack())
    train(project, 1, track=FakeTrack(find_squares), again=True)
    train(project, 1, track=FakeTrack(find_squares), again=True)
    folders = sorted(folder.name for folder in (project / "runs").iterdir())
    assert folders == ["attempt-1", "attempt-1.1", "attempt-1.2"]
    assert json.loads((project / "runs/attempt-1.1/scores.json").read_text())["test"]["correct"] == 0
    assert run_of(project, 1).read_scores()["test"].correct == 4


def test_an_interrupted_training_goes_on_when_asked(project: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(project, 1, track=FakeTrack(interrupt=True))
    with pytest.raises(FinishedError, match=r"was interrupted\. Add --resume to go on"):
        train(project, 1, track=FakeTrack())
    track = FakeTrack(find_squares)
    assert train(project, 1, track=track, resume=True).finished
    assert track.calls == ["check", "resume", "open"]


def test_a_run_that_ended_after_training_is_only_judged(project: Path) -> None:
    def fail(picture: object) -> list[object]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(project, 1, track=FakeTrack(fail))  # type: ignore[arg-type]
    track = FakeTrack(find_squares)
    assert train(project, 1, track=track, resume=True).finished
    assert track.calls == ["check", "open"]


def test_an_unchanged_data_set_is_reused_and_a_changed_one_rebuilt(project: Path) -> None:
    lines: list[str] = []
    progress = _Recorder(lines)
    train(project, 1, track=FakeTrack(), progress=progress)
    train(project, 1, track=FakeTrack(), progress=progress, again=True)
    xml = project / "datasets/raw/pictures/photo_000.xml"
    xml.write_text(xml.read_text(encoding="utf-8").replace("chicken", "beef"), encoding="utf-8")
    train(project, 1, track=FakeTrack(), progress=progress, again=True)
    assert [line.split(":")[0] for line in lines if line.startswith("data set")] == [
        "data set built", "data set unchanged", "data set built",
    ]  # fmt: skip


def test_images_keep_the_split_of_the_base_when_pictures_are_added(
    project: Path, labelled_folder: Callable[..., Path]
) -> None:
    first = train(project, 1, track=FakeTrack())
    labelled_folder(project / "datasets/raw/more", count=10, start=100)
    more = {"base": 1, "data": {"sources": [
        {"path": "datasets/raw/pictures", "format": "labelimg"}, {"path": "datasets/raw/more", "format": "labelimg"},
    ]}}  # fmt: skip
    write_yaml(project / "attempts/4.yaml", more)
    second = train(project, 4, track=FakeTrack())
    tested = [
        {image["sha256"] for image in json.loads(run.truth_file("test").read_text())["images"]}
        for run in (first, second)
    ]
    assert tested[0] < tested[1]


def test_the_split_does_not_depend_on_whether_the_base_was_built(project: Path, tmp_path: Path) -> None:
    write_yaml(project / "attempts/4.yaml", {"base": 1, "data": {"split": {"train": 0.5, "val": 0.25, "test": 0.25}}})
    alone = train(project, 4, track=FakeTrack()).record["data"]["fingerprint"]
    train(project, 1, track=FakeTrack())
    assert train(project, 4, track=FakeTrack(), again=True).record["data"]["fingerprint"] == alone


def test_an_empty_test_split_is_said_and_not_judged(project: Path) -> None:
    split = {"train": 0.8, "val": 0.2, "test": 0, "again": True}
    write_yaml(project / "attempts/4.yaml", {"base": 1, "data": {"split": split}})
    lines: list[str] = []
    run = train(project, 4, track=FakeTrack(find_squares), progress=_Recorder(lines))
    assert lines.count("no test pictures: nothing is judged there") == 1
    assert list(run.read_scores()) == ["val"]


def test_dealing_again_is_said_in_the_report(project: Path) -> None:
    write_yaml(project / "attempts/4.yaml", {"base": 1, "data": {"split": {"again": True, "seed": 9}}})
    report = train(project, 4, track=FakeTrack()).report_file.read_text(encoding="utf-8")
    assert "scores cannot be compared directly" in report


def test_korean_names_reach_data_record_and_report(project: Path) -> None:
    for xml in (project / "datasets/raw/pictures").glob("*.xml"):
        xml.write_text(xml.read_text(encoding="utf-8").replace("chicken", "닭고기"), encoding="utf-8")
    run = train(project, 1, track=FakeTrack())
    assert "닭고기" in (project / "datasets/attempt-1/data.yaml").read_text(encoding="utf-8")
    assert run.record["data"]["names"] == ["onion", "닭고기"]
    assert "| 닭고기 |" in run.report_file.read_text(encoding="utf-8")


def test_source_files_are_never_changed(project: Path) -> None:
    raw = project / "datasets/raw/pictures"
    before = {file.name: file.read_bytes() for file in raw.iterdir()}
    train(project, 1, track=FakeTrack(find_squares))
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"data": {"classes": ["beef"]}}, "data.classes: beef: no annotation has this class", id="class"),
        pytest.param({"data": {"rename": {"egg": "eggs"}}}, "data.rename: egg: no annotation has", id="rename"),
        pytest.param(
            {"data": {"sources": [{"path": "datasets/raw/two", "format": "labelimg"}]}},
            "val would be empty: 2 images in 2 groups are too few",
            id="split",
        ),
        pytest.param(
            {"data": {"backgrounds": {"source": "datasets/raw/paper", "share": 0.1}}},
            "10% of train are 1 background pictures, 1 are missing",
            id="too few backgrounds",
        ),
        pytest.param(
            {"data": {"backgrounds": {"source": "datasets/raw/pictures", "share": 0.1}}},
            "20 pictures of this background folder have labelled objects",
            id="labelled backgrounds",
        ),
        pytest.param({"data": {"sources": [{"path": "nowhere"}]}}, "there is no such folder", id="no folder"),
        pytest.param({"data": {"sources": [{"path": "datasets/raw/paper"}]}}, "holds no picture", id="empty"),
    ],
)  # fmt: skip
def test_bad_data_stops_before_anything_is_left(
    project: Path, labelled_folder: Callable[..., Path], change: dict, said: str
) -> None:
    labelled_folder(project / "datasets/raw/two", count=2, start=50)
    (project / "datasets/raw/paper").mkdir()
    write_yaml(project / "attempts/4.yaml", {"base": 1, **change})
    with pytest.raises((DataError, AnnotationError)) as caught:
        train(project, 4, track=FakeTrack())
    assert said in str(caught.value)
    assert not (project / "runs").exists()
    assert not (project / "datasets/attempt-4").exists()


def test_backgrounds_are_added_to_train_alone(project: Path) -> None:
    paper = project / "datasets/raw/paper"
    paper.mkdir()
    for number in range(3):
        Image.new("RGB", (40, 40), (number, 200, 90)).save(paper / f"{number}.png")
    settings = {"base": 1, "data": {"backgrounds": {"source": "datasets/raw/paper", "share": 0.1}}}
    write_yaml(project / "attempts/4.yaml", settings)
    counts = train(project, 4, track=FakeTrack()).record["data"]["counts"]
    assert [counts[split]["backgrounds"] for split in ("train", "val", "test")] == [1, 0, 0]


class _Recorder:
    """A progress that keeps what is said."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def items(self, items, what: str):
        return items

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        pass

    def say(self, line: str) -> None:
        self.lines.append(line)
