"""The command line: results on stdout, words on stderr, exit codes."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from conftest import Ended, FakeTrack, find_squares, write_yaml

from yolo_pipeline.recipes import doctor
from yolo_pipeline.recipes.train import train

Cli = Callable[..., Ended]


def test_convert_prints_one_json_document(cli: Cli, labelled_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = labelled_folder(tmp_path / "raw", count=4)
    (source / "photo_003.xml").unlink()
    ended = cli("convert", source, tmp_path / "out", "--from", "labelimg", "--to", "yolo", "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert {key: found[key] for key in ("images", "boxes", "backgrounds", "classes", "splits")} == {
        "images": 3, "boxes": 3, "backgrounds": 0, "classes": ["chicken", "onion"],
        "splits": {"train": {"images": 3, "boxes": 3}},
    }  # fmt: skip
    assert found["skipped"] == [{"file": "photo_003.png", "why": "unlabelled: no annotation file"}]
    assert sorted(file.name for file in (tmp_path / "out/images/train").iterdir()) == [
        "photo_000.png", "photo_001.png", "photo_002.png",
    ]  # fmt: skip


def test_convert_round_trip_through_the_command_line(
    cli: Cli, labelled_folder: Callable[..., Path], tmp_path: Path
) -> None:
    source = labelled_folder(tmp_path / "raw", count=4)
    assert cli("convert", source, tmp_path / "yolo", "--from", "labelimg").code == 0
    assert cli("convert", tmp_path / "yolo", tmp_path / "voc", "--to", "labelimg").code == 0
    assert cli("convert", tmp_path / "voc", tmp_path / "back", "--from", "labelimg").code == 0
    labels = [
        {file.stem: file.read_text() for file in (tmp_path / name / "labels/train").glob("photo*.txt")}
        for name in ("yolo", "back")
    ]
    assert labels[0] == labels[1]
    assert len(labels[0]) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(("train",), 2, "--attempt", id="no attempt"),
        pytest.param(("train", "--attempt", "0"), 2, "--attempt", id="attempt 0"),
        pytest.param(("fly",), 2, "fly", id="no such command"),
        pytest.param(("convert", "a", "b", "--to", "doc"), 2, "format 'doc' is not known", id="format"),
        pytest.param(("evaluate",), 2, "either --attempt N", id="nothing to evaluate"),
        pytest.param(("train", "--attempt", "9"), 3, "error: attempts/9.yaml: there is no attempt 9", id="unknown"),
        pytest.param(("train", "--attempt", "1", "--set", "epochs"), 2, "KEY=VALUE", id="--set without ="),
        pytest.param(
            ("train", "--attempt", "1", "--set", "epoch=3"), 3, "train.epoch: is no training setting", id="--set typo"
        ),
        pytest.param(("compare",), 3, "there is no finished attempt", id="nothing to compare"),
        pytest.param(("evaluate", "--attempt", "1"), 3, "is not there (finished: none)", id="not finished"),
        pytest.param(("convert", "nowhere", "out"), 3, "error: nowhere: there is no such folder", id="no source"),
    ],
)  # fmt: skip
def test_errors_are_one_line_with_an_exit_code(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(project)
    ended = cli(*arguments)
    assert ended.code == code
    assert said in ended.err
    assert ended.out == ""
    if code == 3:
        assert len(ended.err.strip().splitlines()) == 1


def test_init_makes_a_project_whose_attempt_is_valid(
    cli: Cli, tmp_path: Path, labelled_folder: Callable[..., Path]
) -> None:
    from yolo_pipeline.attempt import load

    assert cli("init", tmp_path / "내 프로젝트").code == 0
    root = tmp_path / "내 프로젝트"
    assert sorted(file.name for file in root.iterdir()) == [".gitignore", "attempts", "data.yaml", "datasets", "runs"]
    assert load(root, 1).train["patience"] == 20
    labelled_folder(root / "datasets/raw/pictures")
    assert cli("build", "--attempt", 1, "--project", root).code == 0
    assert cli("init", root).code == 3


def test_build_shows_the_splits(cli: Cli, project: Path) -> None:
    ended = cli("build", "--attempt", 1, "--project", project)
    assert ended.code == 0
    assert "train" in ended.out
    assert (project / "datasets/attempt-1/data.yaml").is_file()
    assert "unchanged" in cli("build", "--attempt", 1, "--project", project).out


def test_evaluate_agrees_with_the_run(cli: Cli, project: Path) -> None:
    run = train(project, 1, track=FakeTrack(find_squares))
    saved = json.loads(run.scores_file.read_text(encoding="utf-8"))["test"]
    assert json.loads(cli("evaluate", "--attempt", 1, "--project", project, "--json").out) == saved
    pair = ("--truth", run.truth_file("test"), "--detections", run.detections_file("test"))
    assert json.loads(cli("evaluate", *pair, "--json").out) == saved
    assert "chicken" in cli("evaluate", *pair).out


def test_names_with_markup_are_shown_as_text(cli: Cli, project: Path) -> None:
    for xml in (project / "datasets/raw/pictures").glob("*.xml"):
        xml.write_text(xml.read_text(encoding="utf-8").replace("chicken", "[red]a|b[/red]"), encoding="utf-8")
    run = train(project, 1, track=FakeTrack())
    assert "a\\|b" in run.report_file.read_text(encoding="utf-8")
    assert "[red]a|b[/red]" in cli("evaluate", "--attempt", 1, "--project", project).out


def test_doctor_says_twelve_lines(cli: Cli, project: Path) -> None:
    ended = cli("doctor", "--project", project)
    assert ended.code == 0
    lines = ended.out.strip().splitlines()
    assert len(lines) == 12
    assert [line.split(":")[0].split(maxsplit=1)[1] for line in lines] == [
        "Python", "packages", "torch", "CUDA driver", "GPU", "runtimes", "TF-API", "weights", "font", "disk", "network", "project",
    ]  # fmt: skip


def test_doctor_sees_two_versions_of_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"ultralytics": "8.4.190", "opencv-python": "5.0.0.93", "opencv-python-headless": "4.10.0.84"}
    monkeypatch.setattr(importlib.metadata, "version", versions.__getitem__)
    check = doctor._packages()
    assert not check.well
    assert check.remedy.endswith("--no-deps opencv-python==5.0.0.93 opencv-python-headless==5.0.0.93")
    versions["opencv-python-headless"] = "5.0.0.93"
    assert doctor._packages().well


def test_doctor_sees_a_runtime_whose_wheel_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    runtime = ModuleType("onnxruntime")
    runtime.__spec__, runtime.__version__ = ModuleSpec("onnxruntime", None, origin="here"), "1.30.0"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    monkeypatch.setattr(importlib.metadata, "version", version)
    assert "onnxruntime 1.30.0" in doctor._runtimes().found


def test_help_and_convert_do_not_import_torch() -> None:
    code = (
        "import sys; from yolo_pipeline.cli import run; import yolo_pipeline.recipes.convert, yolo_pipeline.attempt;"
        "run(['--help']); assert not {'torch', 'ultralytics', 'cv2', 'sklearn'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_wrong_yaml_type_of_overrides_is_said(cli: Cli, project: Path) -> None:
    write_yaml(project / "attempts/1.yaml", {"model": "yolov8n", "train": [1, 2]})
    ended = cli("train", "--attempt", 1, "--project", project)
    assert (ended.code, ended.err.split(". ")[0]) == (3, f"error: {project}/attempts/1.yaml: train: is [1, 2]")
