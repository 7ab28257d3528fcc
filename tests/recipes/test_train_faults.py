"""The main job when something changes, breaks or contradicts itself on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ended, FakeTrack, find_squares, write_yaml
from PIL import Image

from yolo_pipeline.errors import AnnotationError, DataError, FinishedError, UsageError, WeightsError
from yolo_pipeline.files import folder_beside
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import run_of


class NoWeights(FakeTrack):
    def check(self, attempt: object, progress: object) -> None:
        raise WeightsError("weights/x.pt", "there is no such file")


def test_resume_refuses_other_settings_or_data_than_the_run_began_with(project: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(project, 1, track=FakeTrack(interrupt=True))
    text = (project / "attempts/1.yaml").read_text()
    (project / "attempts/1.yaml").write_text(text.replace("epochs: 1", "epochs: 9"))
    with pytest.raises(FinishedError, match=r"other settings than there are now \(train\.epochs\)"):
        train(project, 1, track=FakeTrack(), resume=True)
    (project / "attempts/1.yaml").write_text(text)
    next((project / "datasets/raw/pictures").glob("*.xml")).unlink()
    with pytest.raises(DataError, match=r"data: is no longer what the run was begun with\. Undo the change"):
        train(project, 1, track=FakeTrack(), resume=True)


def test_resume_remembers_what_the_command_line_had_set(project: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(project, 1, track=FakeTrack(interrupt=True), overrides={"epochs": 7})
    run = train(project, 1, track=FakeTrack(find_squares), resume=True)
    assert run.record["settings"]["train"]["epochs"] == 7
    with pytest.raises(UsageError):
        train(project, 1, track=FakeTrack(), resume=True, again=True)


def test_again_keeps_the_finished_run_in_place_until_a_new_one_can_begin(project: Path) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    with pytest.raises(WeightsError):
        train(project, 1, track=NoWeights(), again=True)
    assert run.finished
    assert [folder.name for folder in (project / "runs").iterdir()] == ["attempt-1"]


def test_a_truncated_picture_is_named_before_training(project: Path) -> None:
    picture = project / "datasets/raw/pictures/photo_003.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) * 6 // 10])
    track = FakeTrack()
    with pytest.raises(AnnotationError, match=r"1 cannot be trained on: .*photo_003\.png: .*truncated"):
        train(project, 1, track=track)
    assert track.calls == ["check"]
    assert not (project / "datasets/attempt-1").exists()


def test_a_picture_too_small_to_train_on_is_named(project: Path) -> None:
    Image.new("RGB", (8, 40)).save(project / "datasets/raw/pictures/photo_000.png")
    with pytest.raises(AnnotationError, match=r"photo_000\.png: 8x40 pixels are too few"):
        train(project, 1, track=FakeTrack())


def test_a_shared_data_folder_keeps_the_splits_of_the_base(project: Path, labelled_folder: Callable[..., Path]) -> None:
    sources = [{"path": "datasets/raw/pictures", "format": "labelimg"}]
    write_yaml(project / "data.yaml", {"path": "datasets/all", "sources": sources})
    first = train(project, 1, track=FakeTrack())
    before = first.read_splits()
    labelled_folder(project / "datasets/raw/pictures", count=20, start=200)
    after = train(project, 2, track=FakeTrack()).read_splits()
    assert before is not None
    assert after is not None
    assert len(after) == 40
    assert {sha: after[sha] for sha in before} == before
    assert not (project / "datasets/attempt-2").exists()


def test_class_names_with_dollars_are_no_formula(project: Path) -> None:
    for xml in (project / "datasets/raw/pictures").glob("*.xml"):
        xml.write_text(xml.read_text().replace("chicken", "A$_$B"))
    assert train(project, 1, track=FakeTrack()).finished


def test_labels_in_the_folder_parallel_to_the_backgrounds_are_seen(project: Path) -> None:
    for name in ("bg/images", "bg/labels"):
        (project / name).mkdir(parents=True)
    Image.new("RGB", (40, 40)).save(project / "bg/images/a.png")
    (project / "bg/labels/a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    write_yaml(project / "attempts/4.yaml", {"base": 1, "data": {"backgrounds": {"source": "bg/images", "share": 0.1}}})
    with pytest.raises(DataError, match=r"1 pictures of this background folder have labelled objects: a\.png"):
        train(project, 4, track=FakeTrack())


def test_null_removes_what_data_yaml_says(project: Path) -> None:
    backgrounds = {"source": "nowhere", "share": 0.05}
    sources = [{"path": "datasets/raw/pictures", "format": "labelimg"}]
    write_yaml(project / "data.yaml", {"sources": sources, "backgrounds": backgrounds})
    with pytest.raises(AnnotationError, match="nowhere"):
        train(project, 1, track=FakeTrack())
    write_yaml(project / "attempts/4.yaml", {"model": "yolov8n", "data": {"backgrounds": None}})
    assert train(project, 4, track=FakeTrack()).finished


def test_pictures_in_several_splits_of_a_source_are_said(project: Path, cli: Callable[..., Ended]) -> None:
    assert cli("convert", project / "datasets/raw/pictures", project / "yolo", "--from", "labelimg", "--copy").code == 0
    for split in ("valid", "test"):
        (project / f"yolo/{split}/images").mkdir(parents=True)
        (project / f"yolo/{split}/labels").mkdir(parents=True)
        (project / f"yolo/{split}/images/copy.png").write_bytes(
            (project / "yolo/images/train/photo_000.png").read_bytes()
        )
        (project / f"yolo/{split}/labels/copy.txt").write_text(
            (project / "yolo/labels/train/photo_000.txt").read_text()
        )
    settings = {"model": "yolov8n", "data": {"sources": [{"path": "yolo", "format": "yolo"}]}}
    write_yaml(project / "attempts/4.yaml", settings)
    record = train(project, 4, track=FakeTrack()).record
    assert any("3 pictures are in several splits of their source" in note for note in record["data"]["notes"])
    assert [record["data"]["counts"][split]["images"] for split in ("train", "val", "test")] == [20, 1, 1]


def test_a_class_that_data_yaml_names_in_vain_is_said_of_data_yaml(project: Path) -> None:
    sources = [{"path": "datasets/raw/pictures", "format": "labelimg"}]
    write_yaml(project / "data.yaml", {"sources": sources, "names": ["durian"]})
    with pytest.raises(DataError, match=r"data\.yaml: data\.classes: durian: no annotation has this class"):
        train(project, 1, track=FakeTrack())


def test_a_run_begun_by_a_version_that_noted_no_photos_notes_them_on_resume(project: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(project, 1, track=FakeTrack(interrupt=True))
    run = run_of(project, 1)
    run.dataset_file.unlink()
    train(project, 1, track=FakeTrack(find_squares), resume=True)
    assert len(run.read_dataset() or ()) == 20


def test_a_record_is_there_only_with_the_photos_that_it_speaks_of(project: Path) -> None:
    run = run_of(project, 1)
    run.dataset_file.with_name("dataset.json.part").mkdir(parents=True)
    with pytest.raises(OSError, match="dataset"):
        train(project, 1, track=FakeTrack())
    assert run.record == {}


def test_a_training_that_is_done_is_not_begun_anew_because_its_report_failed(
    project: Path, cli: Callable[..., Ended]
) -> None:
    run = run_of(project, 1)
    run.page_file.mkdir(parents=True)
    with pytest.raises(OSError, match=r"report\.html"):
        train(project, 1, track=FakeTrack(find_squares))
    run.checkpoint.unlink()  # not every framework leaves one behind
    assert (run.record["state"], run.scores_file.is_file()) == ("trained", True)
    with pytest.raises(FinishedError, match="Add --resume to go on"):
        train(project, 1, track=FakeTrack())
    assert "attempt-1: is not finished (finished: none)" in cli("report", "--attempt", 1, "--project", project).err
    run.page_file.rmdir()
    again = FakeTrack(find_squares)
    assert train(project, 1, track=again, resume=True).finished
    assert again.calls == ["check", "open"]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        pytest.param("curves.csv", "", "curves.csv: is damaged or missing", id="no curves"),
        pytest.param("curves.csv", "epoch\nhalf\n", "curves.csv: is damaged or missing", id="a word in curves"),
        pytest.param("curves.csv", "epoch,loss\n1\n", "curves.csv: is damaged or missing", id="half a row"),
        pytest.param("record.json", '{"state": "finished"}', "record.json: is no record of a run", id="no settings"),
        pytest.param(
            "record.json",
            '{"state": "finished", "settings": {}, "training": []}',
            "record.json: training is no mapping",
            id="a list for a block",
        ),
    ],
)
def test_damaged_files_of_a_run_are_named(
    project: Path, cli: Callable[..., Ended], file: str, text: str, said: str
) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    (run.folder / file).write_text(text)
    for words in (("compare",), ("report", "--attempt", 1)):
        ended = cli(*words, "--project", project)
        assert (ended.code, said in ended.err) == (3, True)


def test_evaluate_says_where_there_are_detections(project: Path, cli: Callable[..., Ended]) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    words = ("evaluate", "--attempt", 1, "--project", project)
    run.truth_file("test").unlink()
    assert "has no judged detections on test. There are some on val" in cli(*words).err
    run.truth_file("val").unlink()
    assert cli(*words).err.endswith("on test. It was made elsewhere: see what compare says of it\n")


def test_a_damaged_record_or_scores_file_is_said(project: Path, cli: Callable[..., Ended]) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    run.scores_file.write_text(json.dumps({"test": {"classes": {}}}))
    ended = cli("compare", "--project", project)
    assert (ended.code, "holds no scores" in ended.err) == (3, True)
    run.record_file.write_text("[")
    assert cli("compare", 1, "--project", project).code == 3


def test_a_swap_that_fails_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "mine.txt").write_text("old")
    rename = Path.rename

    def locked(self: Path, target: Path) -> Path:
        if self.name.endswith(".building"):
            raise PermissionError(13, "in use", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", locked)
    with pytest.raises(DataError, match="may not be written or read"), folder_beside(folder, replace=True) as building:
        (building / "new.txt").write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["set"]
    assert (folder / "mine.txt").read_text() == "old"
