"""The main job on the track tfapi, its environment played by a script: what is written, said, kept and gone on from."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fake_tfapi
import pytest
from conftest import Ended, write_yaml
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.errors import FinishedError, InputError
from yolo_pipeline.progress import Silent
from yolo_pipeline.recipes.detect import Order, detect
from yolo_pipeline.recipes.models import model_of_attempt, model_of_weights
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import Run, run_of
from yolo_pipeline.tfapi import environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environment is played by a script with a #! line")
MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
Fake = Callable[..., Path]


@dataclass
class Heard(Silent):
    """A progress that keeps what it hears, and is interrupted at a step."""

    interrupt_at: int | None = None
    lines: list[str] = field(default_factory=list)
    steps: list[tuple[float, float, str]] = field(default_factory=list)
    others: list[tuple[str, float, float]] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        if what != "training":
            self.others.append((what, done, total))
            return
        self.steps.append((done, total, detail))
        if done == self.interrupt_at:
            raise KeyboardInterrupt

    def has(self, text: str) -> bool:
        return any(text in line for line in self.lines)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A function that installs the script with a behaviour."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def install(**behaviour: Any) -> Path:
        python = fake_tfapi.install(tmp_path / "python", **behaviour)
        monkeypatch.setenv(environment.NAMED_BY, str(python))
        return python

    install()
    return install


@pytest.fixture
def tf_project(project: Path) -> Path:
    """`project` with attempt 4: the pictures of attempt 1 on this track, 10 steps, judged by the API every 5."""
    settings = {"steps": 10, "batch": 3, "checkpoint_every": 5, "device": "cpu"}
    write_yaml(
        project / "attempts/4.yaml",
        {"base": 1, "track": "tfapi", "model": MODEL, "pretrained": False, "train": settings},
    )
    return project


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that wants a trained project leaves it for the others."""
    return tmp_path_factory.mktemp("trained") / "project"


@pytest.fixture
def trained(tf_project: Path, fake: Fake, kept: Path) -> Run:
    """Attempt 4, trained."""
    if not kept.exists():
        train(tf_project, 4)
        shutil.copytree(tf_project, kept)
    else:
        shutil.copytree(kept, tf_project, dirs_exist_ok=True)
    return run_of(tf_project, 4)


def content(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_a_run_holds_what_any_run_does_and_what_the_api_needs(tf_project: Path, trained: Run) -> None:
    run = trained
    assert content(run.folder) >= {
        "record.json", "curves.csv", "scores.json", "report.html", "training/pipeline.config",
        "training/label_map.pbtxt", "training/records/train.record", "training/records/val.record", "training/records/test.record",
        "training/log.jsonl", "training/worker.log", "training/weights/best.zip", "training/best/ckpt-5.index",
    }  # fmt: skip
    assert run.read_scores()["test"].mAP50 == pytest.approx(1.0)
    text = (run.training / "pipeline.config").read_text(encoding="utf-8")
    for said in ("num_classes: 2", "batch_size: 3", "num_steps: 10", "/records/train.record", "/records/val.record"):
        assert said in text
    assert (run.training / "label_map.pbtxt").read_text(encoding="utf-8").count("item") == 2
    with zipfile.ZipFile(run.training / "weights/best.zip") as archive:
        about = json.loads(archive.read("model.json"))
        assert about["names"] == ["chicken", "onion"]
        assert (about["model"], about["size"], about["step"], about["parameters"]) == (MODEL, 320, 5, 7)
        assert archive.read("ckpt.index") == b"weights of step 5, index"
        assert str(tf_project).encode() not in archive.read("pipeline.config")


def test_the_record_says_what_was_used_and_what_the_api_says_of_itself(trained: Run) -> None:
    run, record = trained, trained.record
    assert (record["state"], record["settings"]["track"]) == ("finished", "tfapi")
    training = record["training"]
    assert training["start"] == {"file": None}
    assert training["bytes"] == (run.folder / training["weights"]).stat().st_size
    assert training["parameters"] == 7
    used = training["used"]
    assert {key: used[key] for key in ("imgsz", "batch", "steps", "best_step", "epochs", "device", "iou_threshold")} == {
        "imgsz": 320, "batch": 3, "steps": 10, "best_step": 5, "epochs": 2.5, "device": "cpu", "iou_threshold": 0.6,
    }  # fmt: skip
    assert used["learning_rate_base"] == 0.03
    assert training["own_metrics"] == {
        "tfapi/DetectionBoxes_Precision/mAP": 0.5,
        "tfapi/DetectionBoxes_Precision/mAP@.50IOU": 1.0,
    }
    assert record["versions"]["tensorflow"] == "2.21.0"
    curves = run.read_curves().columns
    assert curves["epoch"] == pytest.approx([step * 3 / 12 for step in range(1, 11)])
    assert curves["train/cls_loss"] == curves["train/classification_loss"]
    assert [value for value in curves["val/mAP50"] if value == value] == [1.0, 0.5]


def test_the_child_is_told_where_all_lies_and_ends(tf_project: Path, fake: Fake) -> None:
    python = fake()
    run = train(tf_project, 4)
    trained, asked = fake_tfapi.jobs(python)
    folder = run.training.absolute()
    assert trained["job"] == {
        "config": str(folder / "pipeline.config"), "model_dir": str(folder), "steps": 10, "checkpoint_every": 5,
        "seed": 0, "device": "cpu", "val": 4, "names": ["chicken", "onion"],
    }  # fmt: skip
    assert asked["task"] == "ask"
    assert {key: asked["job"][key] for key in ("iou", "most", "conf", "device")} == {
        "iou": 0.6, "most": 100, "conf": 0.001, "device": "cpu",
    }  # fmt: skip
    assert fake_tfapi.alive(python) == []
    assert list((environment.home() / "logs").iterdir()) == []


def test_losses_and_the_time_left_are_said(tf_project: Path, fake: Fake) -> None:
    heard = Heard()
    train(tf_project, 4, progress=heard)
    assert [(done, total) for done, total, _ in heard.steps] == [(step, 10) for step in range(1, 11)]
    assert heard.steps[0][2] == "cls_loss 1.00  box_loss 0.50"
    assert re.fullmatch(r"cls_loss 0\.20  box_loss 0\.10  \d+ s left", heard.steps[4][2])
    assert heard.steps[-1][2] == "cls_loss 0.10  box_loss 0.05  val mAP50 1.000"
    assert heard.has("builds the model")
    assert heard.others.count(("evaluating on val", 1, 4)) == 2  # after steps 5 and 10


def test_ctrl_c_saves_and_resume_goes_on(tf_project: Path, fake: Fake) -> None:
    python = fake(wait_at=8)
    with pytest.raises(KeyboardInterrupt):
        train(tf_project, 4, progress=Heard(interrupt_at=7))
    run = run_of(tf_project, 4)
    assert (run.was_interrupted, run.finished, run.record["state"]) == (True, False, "training")
    assert fake_tfapi.alive(python) == []
    saved = fake_tfapi.begun(run.training)
    assert saved in (7, 8)  # it may have begun the next step
    with pytest.raises(FinishedError, match=r"was interrupted\. Add --resume to go on"):
        train(tf_project, 4)
    heard = Heard()
    run = train(tf_project, 4, resume=True, progress=heard)
    assert run.finished
    assert [done for done, _, _ in heard.steps] == [*range(saved + 1, 11)]
    assert run.read_curves().columns["step"] == tuple(range(1, 11))
    seconds = run.read_curves().columns["seconds"]
    assert list(seconds) == sorted(seconds)
    assert run.record["training"]["used"]["best_step"] == 5


def test_what_was_begun_without_a_checkpoint_is_begun_anew(tf_project: Path, fake: Fake) -> None:
    fake(crash_at=3)
    with pytest.raises(InputError, match=r"worker\.log: .*RuntimeError: the anchors are at sea"):
        train(tf_project, 4)
    fake()
    run = train(tf_project, 4)
    assert run.read_curves().columns["step"] == tuple(range(1, 11))
    assert len((run.training / "log.jsonl").read_text().splitlines()) == 12


def test_after_a_crash_resume_goes_on_from_the_last_checkpoint(tf_project: Path, fake: Fake) -> None:
    fake(crash_at=7)
    with pytest.raises(InputError):
        train(tf_project, 4)
    fake()
    heard = Heard()
    assert train(tf_project, 4, resume=True, progress=heard).finished
    assert heard.steps[0][0] == 6


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        pytest.param({"crash_at": 7}, r"failed \(exit code 1\): RuntimeError: the anchors are at sea", id="a traceback"),
        pytest.param({"kill_at": 7}, r"was killed, most likely as memory ran out\. .*lower train\.batch", id="killed"),
        pytest.param({"fault": {"reason": "the loss is no number", "remedy": "Lower learning_rate_base"}}, r"worker\.log: the loss is no number\. Lower learning_rate_base", id="its own word"),
        pytest.param({"done": {"checkpoint": None}}, r"ended with something else than a result", id="a wrong result"),
        pytest.param({"done": {"interrupted": True}}, r"training ended at step 10 of 10\. .*--resume", id="an end nobody asked for"),
    ],
)  # fmt: skip
def test_how_the_child_may_end(tf_project: Path, fake: Fake, behaviour: dict[str, Any], said: str) -> None:
    python = fake(**behaviour)
    with pytest.raises(InputError, match=said) as ended:
        train(tf_project, 4)
    assert "\n" not in str(ended.value)
    run = run_of(tf_project, 4)
    assert not run.finished
    assert fake_tfapi.alive(python) == []
    assert not (run.training / "weights").exists()


def test_what_libraries_print_is_no_message(tf_project: Path, fake: Fake) -> None:
    fake(garbage_at=4)
    run = train(tf_project, 4)
    assert run.finished
    assert "a library that talks" in (run.training / "worker.log").read_text()


def test_without_the_environment_nothing_is_begun(
    tf_project: Path, fake: Fake, cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(environment.NAMED_BY)
    ended = cli("train", "--attempt", 4, "--project", tf_project)
    assert ended.code == 3
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error:")]
    assert "python -m yolo_pipeline setup-tfapi" in line
    assert not (tf_project / "runs").exists()
    assert not (tf_project / "datasets/attempt-4").exists()


def test_an_empty_test_split_is_said_and_not_judged(tf_project: Path, fake: Fake) -> None:
    split = {"train": 0.8, "val": 0.2, "test": 0, "again": True}
    write_yaml(tf_project / "attempts/5.yaml", {"base": 4, "data": {"split": split}})
    heard = Heard()
    run = train(tf_project, 5, progress=heard)
    assert heard.has("no test pictures: nothing is judged there")
    assert list(run.read_scores()) == ["val"]
    assert not (run.training / "records/test.record").exists()


def test_pictures_that_tensorflow_would_show_otherwise_are_converted_and_said(tf_project: Path, fake: Fake) -> None:
    for number in (0, 3):
        file = tf_project / f"datasets/raw/pictures/photo_00{number}.png"
        Image.open(file).convert("L").save(file)
    heard = Heard()
    run = train(tf_project, 4, progress=heard)
    assert heard.has("2 pictures go in")
    dataset, _ = formats.read(run.training / "records", "tfrecord")
    assert len(dataset.images) == 20


class TestStart:
    """What training may start from."""

    def attempt(self, project: Path, **keys: Any) -> None:
        write_yaml(project / "attempts/5.yaml", {"base": 4, "train": {"steps": 11}, **keys})

    def config(self, run: Run) -> str:
        return (run.training / "pipeline.config").read_text(encoding="utf-8")

    def test_the_weights_of_an_earlier_run(self, tf_project: Path, trained: Run) -> None:
        self.attempt(tf_project, pretrained="runs/attempt-4/training/weights/best.zip")
        run = train(tf_project, 5)
        assert run.record["training"]["start"] == {
            "file": "best.zip",
            "sha256": trained.record["training"]["sha256"],
        }
        assert "/ckpt" in self.config(run).split("fine_tune_checkpoint: ")[1].splitlines()[0]
        assert 'fine_tune_checkpoint_type: "detection"' in self.config(run)

    def test_a_checkpoint_of_their_own(self, tf_project: Path, fake: Fake) -> None:
        for part in ("index", "data-00000-of-00001"):
            (tf_project / f"ckpt-0.{part}").write_bytes(b"a checkpoint")
        train_more = {"steps": 11, "fine_tune_checkpoint": "ckpt-0", "fine_tune_checkpoint_type": "full"}
        self.attempt(tf_project, pretrained=True, train=train_more)
        run = train(tf_project, 5)
        assert run.record["training"]["start"]["file"] == "ckpt-0.data-00000-of-00001"
        assert len(run.record["training"]["start"]["sha256"]) == 64
        assert f'"{(tf_project / "ckpt-0").absolute().as_posix()}"' in self.config(run)

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            pytest.param({"pretrained": "nowhere.zip"}, r"5\.yaml: pretrained: .*nowhere\.zip", id="no such file"),
            pytest.param({"pretrained": "data.yaml"}, r"5\.yaml: pretrained: .*data\.yaml: is no checkpoint", id="another file"),
            pytest.param({"pretrained": "nowhere.zip", "train": {"fine_tune_checkpoint": "ckpt-0"}}, r"fine_tune_checkpoint: names weights to start from, and pretrained names weights, too\. Leave one", id="both"),
            pytest.param({"train": {"fine_tune_checkpoint": "ckpt-0"}}, "and pretrained says from scratch", id="from scratch, from something"),
            pytest.param({"train": {"device": "0,1"}}, r"train\.device: is 0,1, several devices", id="two devices"),
            pytest.param({"train": {"device": "mps"}}, "is mps, which TensorFlow does not run on", id="no device"),
            pytest.param({"train": {"steps": 0}}, r"train\.steps: is 0\. It must be a whole number above 0", id="no steps"),
            pytest.param({"model": "ssd_mobilenet_v2"}, "model: ssd_mobilenet_v2 is not known|model: is not known", id="no model"),
            pytest.param({"train": {"epochs": 3}}, r"train\.epochs: is no setting of this track\. Use steps", id="a key of the other track"),
        ],
    )  # fmt: skip
    def test_what_is_refused_before_any_work(
        self, tf_project: Path, fake: Fake, keys: dict[str, Any], said: str
    ) -> None:
        write_yaml(tf_project / "attempts/5.yaml", {"base": 4, **keys})
        with pytest.raises(InputError, match=said):
            train(tf_project, 5)
        assert not (tf_project / "datasets/attempt-5").exists()
        assert not (tf_project / "runs").exists()

    def test_weights_of_another_model(self, tf_project: Path, trained: Run) -> None:
        weights = "runs/attempt-4/training/weights/best.zip"
        self.attempt(tf_project, pretrained=weights, model="ssd_resnet50_v1_fpn_640x640")
        with pytest.raises(InputError, match=f"{weights} holds weights of {MODEL}.* is ssd_resnet50_v1_fpn_640x640"):
            train(tf_project, 5)

    def test_weights_for_other_classes_are_not_taken_whole(self, tf_project: Path, trained: Run) -> None:
        weights = "runs/attempt-4/training/weights/best.zip"
        whole = {"steps": 11, "fine_tune_checkpoint_type": "full"}
        self.attempt(tf_project, pretrained=weights, train=whole, data={"classes": ["onion", "chicken"]})
        with pytest.raises(
            InputError, match=r"other classes \(chicken, onion\) than the attempt has \(onion, chicken\)"
        ):
            train(tf_project, 5)
        assert not (tf_project / "datasets/attempt-5").exists()


class TestOwnConfig:
    """`--pipeline-config FILE`."""

    @pytest.fixture
    def own(self, tf_project: Path, trained: Run) -> Path:
        """A config that somebody has turned by hand: another overlap."""
        text = (trained.training / "pipeline.config").read_text(encoding="utf-8")
        file = tf_project / "own.config"
        file.write_text(text.replace("iou_threshold: 0.6", "iou_threshold: 0.45"), encoding="utf-8")
        assert "0.45" in file.read_text()
        write_yaml(tf_project / "attempts/5.yaml", {
            "base": 1, "track": "tfapi", "model": MODEL, "pretrained": False, "train": {"steps": 6, "batch": 2, "checkpoint_every": 3},
        })  # fmt: skip
        return file

    def test_all_but_paths_classes_batch_and_steps_is_kept(
        self, tf_project: Path, own: Path, fake: Fake, cli: Callable[..., Ended]
    ) -> None:
        python = fake()
        ended = cli("train", "--attempt", 5, "--project", tf_project, "--pipeline-config", own)
        assert ended.code == 0, ended.err
        run = run_of(tf_project, 5)
        assert run.record["overrides"] == {"pipeline_config": "own.config"}
        text = (run.training / "pipeline.config").read_text(encoding="utf-8")
        for said in ("iou_threshold: 0.45", "num_steps: 6", "batch_size: 2", "attempt-5/training/records/train.record"):
            assert said in text
        used = run.record["training"]["used"]
        assert used["iou_threshold"] == 0.45
        assert (used["network"], used["resizer"]) == ("ssd_mobilenet_v2_fpn_keras", "fixed_shape_resizer")
        assert [one["job"]["iou"] for one in fake_tfapi.jobs(python) if one["task"] == "ask"][-1] == 0.45
        assert model_of_attempt(tf_project, 5).asking.iou == 0.45

    def test_resume_has_it_and_refuses_another(self, tf_project: Path, own: Path, fake: Fake) -> None:
        fake(wait_at=5)
        with pytest.raises(KeyboardInterrupt):
            train(tf_project, 5, overrides={"pipeline_config": "own.config"}, progress=Heard(interrupt_at=4))
        before = own.read_text()
        own.write_text(before.replace("0.45", "0.5"))
        with pytest.raises(FinishedError, match=r"own\.config: was changed since the run was begun\. Undo that"):
            train(tf_project, 5, resume=True)
        own.write_text(before)
        assert train(tf_project, 5, resume=True).record["training"]["used"]["iou_threshold"] == 0.45

    def test_it_is_for_this_track(self, project: Path, cli: Callable[..., Ended]) -> None:
        ended = cli("train", "--attempt", 1, "--project", project, "--pipeline-config", "own.config")
        assert (ended.code, ended.out) == (2, "")
        assert "--pipeline-config is for the track tfapi, and attempt 1 is of the track yolo" in ended.err

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param(None, r"own\.config: there is no such file", id="not there"),
            pytest.param("model {", r"own\.config: ", id="half of one"),
            pytest.param("item { id: 1 }", r"own\.config: its model is none of ssd", id="a label map"),
            pytest.param(b"\xff\xfe\x00", r"own\.config: ", id="no text"),
        ],
    )
    def test_what_is_no_config_is_refused_before_any_work(
        self, tf_project: Path, fake: Fake, cli: Callable[..., Ended], text: str | bytes | None, said: str
    ) -> None:
        if text is not None:
            (tf_project / "own.config").write_bytes(text if isinstance(text, bytes) else text.encode())
        ended = cli("train", "--attempt", 4, "--project", tf_project, "--pipeline-config", tf_project / "own.config")
        assert ended.code == 3
        (line,) = [line for line in ended.err.splitlines() if line.startswith("error:")]
        assert said.replace("\\", "") in line
        assert not (tf_project / "datasets/attempt-4").exists()


class TestDetect:
    """Its models where people use them."""

    def test_several_thresholds_and_screening(
        self, tf_project: Path, trained: Run, fake: Fake, cli: Callable[..., Ended]
    ) -> None:
        python = fake()
        said = ("detect", tf_project / "datasets/raw/pictures", "--attempt", 4, "--project", tf_project, "--json")
        ended = cli(*said, "--conf", "0.3,0.95", "--classes", "onion", "--max-boxes", 5)
        assert ended.code == 0, ended.err
        assert json.loads(ended.out)["thresholds"] == {
            "0.3": {"boxes": 10, "images_with_boxes": 10, "classes": {"onion": 10}},
            "0.95": {"boxes": 0, "images_with_boxes": 0, "classes": {}},
        }
        assert "runtime tensorflow" in ended.err
        assert "OpenVINO" not in ended.err
        asked = fake_tfapi.jobs(python)[-1]["job"]
        assert (asked["iou"], asked["conf"]) == (0.6, 0.3)
        assert fake_tfapi.alive(python) == []

    def test_a_weights_file_is_opened_by_its_track(self, tf_project: Path, trained: Run, tmp_path: Path) -> None:
        (tmp_path / "mine.zip").write_bytes((trained.training / "weights/best.zip").read_bytes())
        by_attempt, by_file, by_folder = (
            model_of_attempt(tf_project, 4),
            model_of_weights(tmp_path / "mine.zip"),
            model_of_weights(trained.training / "weights"),
        )
        assert by_attempt.sha256 == by_file.sha256 == by_folder.sha256
        assert by_attempt.asking == by_file.asking
        assert (by_file.asking.imgsz, by_file.asking.iou, by_file.title) == (320, 0.6, "mine.zip")
        order = Order((str(tf_project / "datasets/raw/pictures"),), (0.5,), out=tmp_path / "out", pictures=False)
        assert detect(tf_project, by_file, order).counts.boxes == {0.5: {"chicken": 10, "onion": 10}}

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            pytest.param(["--runtime", "openvino"], "runtime openvino: cannot run this model, which tensorflow alone runs. Leave --runtime and --int8 out", id="another runtime"),
            pytest.param(["--runtime", "torch"], "runtime torch: cannot run this model", id="torch"),
            pytest.param(["--int8"], "runtime openvino-int8: cannot run this model", id="int8"),
            pytest.param(["--runtime", "tensorflow", "--int8"], "runtime tensorflow-int8: cannot run this model", id="int8 of its own"),
            pytest.param(["--imgsz", "640"], "is shown 320 pixels, and cannot be shown 640", id="another size"),
            pytest.param(["--device", "mps"], "device: is mps", id="no device"),
            pytest.param(["--classes", "caries"], "knows no class caries. Its classes: chicken, onion", id="no class"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_had(
        self, tf_project: Path, trained: Run, cli: Callable[..., Ended], options: list[str], said: str
    ) -> None:
        ended = cli("detect", tf_project / "datasets/raw/pictures", "--attempt", 4, "--project", tf_project, *options)
        assert ended.code == 3
        assert said in ended.err
        assert ended.err.count("error:") == 1

    def test_the_users_overlap_goes_before_the_models(
        self, tf_project: Path, trained: Run, fake: Fake, cli: Callable[..., Ended]
    ) -> None:
        python = fake()
        ended = cli(
            "detect", tf_project / "datasets/raw/pictures", "--attempt", 4, "--project", tf_project,
            "--iou", "0.3", "--runtime", "tensorflow",
        )  # fmt: skip
        assert ended.code == 0, ended.err
        assert fake_tfapi.jobs(python)[-1]["job"]["iou"] == 0.3

    def test_a_child_that_dies_while_it_is_asked(
        self, tf_project: Path, trained: Run, fake: Fake, cli: Callable[..., Ended]
    ) -> None:
        python = fake(kill_asked=True)
        ended = cli("detect", tf_project / "datasets/raw/pictures", "--attempt", 4, "--project", tf_project)
        assert ended.code == 3
        (line,) = [line for line in ended.err.splitlines() if line.startswith("error:")]
        (log,) = (environment.home() / "logs").iterdir()
        assert f"{log}: the TensorFlow process was killed" in line
        assert fake_tfapi.alive(python) == []

    @pytest.mark.parametrize(
        "weights",
        [
            pytest.param(b"PK no zip", id="no zip"),
            pytest.param(b"", id="empty"),
        ],
    )
    def test_a_zip_that_is_no_weights_file(self, tmp_path: Path, fake: Fake, weights: bytes) -> None:
        (tmp_path / "best.zip").write_bytes(weights)
        with pytest.raises(InputError, match=r"best\.zip: is no best\.zip of this track"):
            model_of_weights(tmp_path / "best.zip")
