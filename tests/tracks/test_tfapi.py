"""The track tfapi by itself, its environment played by a script: how a model is opened, asked and let go."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fake_tfapi
import numpy as np
import pytest
from conftest import write_yaml
from PIL import Image

from yolo_pipeline import attempt as attempts
from yolo_pipeline import decoding
from yolo_pipeline.asking import Asking
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.files import write_text
from yolo_pipeline.formats.label_map import label_map_text
from yolo_pipeline.nouns import Box, Dataset, Detection, ImageRecord, Split, Truth
from yolo_pipeline.progress import silent
from yolo_pipeline.run import Run
from yolo_pipeline.settings import tfapi as facts
from yolo_pipeline.tfapi import environment, weights
from yolo_pipeline.tfapi.pipeline import Paths, pipeline_config
from yolo_pipeline.tracks import open_track
from yolo_pipeline.tracks.tfapi.device import device_of
from yolo_pipeline.tracks.tfapi.training import _duration

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environment is played by a script with a #! line")
MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
SQUARES = Asking(imgsz=320, iou=0.6)
Fake = Callable[..., Path]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def install(**behaviour: Any) -> Path:
        python = fake_tfapi.install(tmp_path / "python", **behaviour)
        monkeypatch.setenv(environment.NAMED_BY, str(python))
        return python

    install()
    return install


def config(names: int = 2, **train: Any) -> str:
    paths = Paths(Path("label_map.pbtxt"), "train.record", "val.record")
    return pipeline_config(MODEL, facts.check_train(MODEL, train), names, paths)


def packed(folder: Path, names: tuple[str, ...] = ("chicken", "onion"), **train: Any) -> Path:
    """A best.zip."""
    for part in ("index", "data-00000-of-00001"):
        (folder / f"ckpt-5.{part}").write_bytes(b"weights")
    about = weights.About(MODEL, 320, names, 5, 7)
    weights.pack(folder / "best.zip", about, config(len(names), **train), label_map_text(names), folder / "ckpt-5")
    return folder / "best.zip"


def test_pictures_reach_the_network_red_first_and_boxes_come_back(
    tmp_path: Path, fake: Fake, labelled_folder: Callable[..., Path]
) -> None:
    pictures = [decoding.decode(file) for file in sorted(labelled_folder(tmp_path / "pictures", 3).glob("*.png"))]
    pictures[1] = np.ascontiguousarray(pictures[1][:50, :])
    predict = open_track("tfapi").open(packed(tmp_path), SQUARES)
    assert (predict.names, predict.imgsz, predict.callers) == (("chicken", "onion"), 320, 1)
    found = predict(pictures)
    assert [[one.label for one in picture] for picture in found] == [["chicken"], ["onion"], ["chicken"]]
    red = (pictures[0][..., 2] > 150) & (pictures[0][..., 0] < 80)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert found[0] == [Detection(Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), "chicken", 0.9)]
    assert predict([]) == []


def test_the_child_ends_with_the_predictor(tmp_path: Path, fake: Fake) -> None:
    python = fake()
    predict = open_track("tfapi").open(packed(tmp_path), SQUARES)
    assert len(fake_tfapi.alive(python)) == 1
    del predict
    gc.collect()
    assert fake_tfapi.alive(python) == []
    assert list((environment.home() / "logs").iterdir()) == []


def test_the_child_ends_with_a_process_that_forgot_it(tmp_path: Path, fake: Fake) -> None:
    """Not even a thread that has called it keeps the process from ending."""
    python = fake()
    program = """
import sys, numpy as np
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from yolo_pipeline.asking import Asking
from yolo_pipeline.tracks import open_track
predict = open_track("tfapi").open(Path(sys.argv[1]), Asking(imgsz=320))
with ThreadPoolExecutor(1) as pool:
    print(list(pool.map(predict, [[np.zeros((9, 9, 3), np.uint8)]])))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, packed(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stdout.strip(), ended.stderr, ended.returncode) == ("[[[]]]", "", 0)
    assert fake_tfapi.alive(python) == []
    assert list((environment.home() / "logs").iterdir()) == []


def test_it_may_be_asked_from_another_thread(tmp_path: Path, fake: Fake) -> None:
    predict = open_track("tfapi").open(packed(tmp_path), SQUARES)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(predict([np.zeros((8, 8, 3), np.uint8)])))
    thread.start()
    thread.join(10)
    assert found == [[[]]]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"found": []}, id="too few"),
        pytest.param({"found": [[], []]}, id="too many"),
        pytest.param({"found": [[[0, 0, 1, 1, 2, 0.5]]]}, id="a class too many"),
        pytest.param({"found": [[[0, 0, 1, 1, -1, 0.5]]]}, id="a class below 0"),
        pytest.param({"found": [[[0, 0, 1, 1, 0.5, 0.5]]]}, id="half a class"),
        pytest.param({"found": [[[0, 0, 1, 0, 0.5]]]}, id="a corner too few"),
        pytest.param({"found": [["a"]]}, id="a word"),
    ],
)
def test_an_answer_that_makes_no_sense(tmp_path: Path, fake: Fake, answer: dict[str, Any]) -> None:
    python = fake(answer=answer)
    predict = open_track("tfapi").open(packed(tmp_path), SQUARES)
    with pytest.raises(InputError, match=r"asking-\w+\.log: .* answered with what fits no picture or class"):
        predict([np.zeros((8, 8, 3), np.uint8)])
    assert fake_tfapi.alive(python) == []


def test_boxes_that_are_no_numbers_are_left_out(tmp_path: Path, fake: Fake) -> None:
    fake(answer={"found": [[[0, 0, 1, float("nan"), 0, 0.5], [0, 0, 2, 3, 1, 0.5], [0, 0, 2, 3, 1, float("inf")]]]})
    predict = open_track("tfapi").open(packed(tmp_path), SQUARES)
    assert predict([np.zeros((8, 8, 3), np.uint8)]) == [[Detection(Box(0, 0, 2, 3), "onion", 0.5)]]


def test_what_the_child_says_of_a_model_that_it_cannot_open(tmp_path: Path, fake: Fake) -> None:
    python = fake(fault={"reason": "ckpt is of another model: a has the shape 3, not 4", "remedy": "Name another"})
    with pytest.raises(InputError, match=r"ckpt is of another model: a has the shape 3, not 4\. Name another"):
        open_track("tfapi").open(packed(tmp_path), SQUARES)
    assert fake_tfapi.alive(python) == []


def test_class_names_are_those_of_the_weights(tmp_path: Path, fake: Fake) -> None:
    predict = open_track("tfapi").open(packed(tmp_path, ("충치", "Zahn, krank")), SQUARES)
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[5:9, 6:11, 2] = 255
    assert predict([picture]) == [[Detection(Box(6, 5, 11, 9), "충치", 0.9)]]


def test_a_saved_model_as_it_was_exported(tmp_path: Path, fake: Fake) -> None:
    python = fake()
    folder = tmp_path / "export" / "saved_model"
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    track = open_track("tfapi")
    with pytest.raises(WeightsError, match=r"saved_model: does not say how it is asked \(pipeline\.config"):
        track.open(folder, Asking())
    write_text(folder.parent / "pipeline.config", config())
    with pytest.raises(WeightsError, match="does not say what its classes are"):
        track.open(folder, Asking())
    write_text(folder.parent / "label_map.pbtxt", label_map_text(("chicken", "onion")))
    predict = track.open(folder, Asking())
    assert (predict.names, predict.imgsz) == (("chicken", "onion"), 320)
    assert fake_tfapi.jobs(python)[-1]["job"]["saved_model"] == str(folder)
    assert predict.own_iou == 0.6


def saved_model(folder: Path, label_map: str) -> Path:
    """One with the label map of somebody else."""
    (folder / "saved_model").mkdir(parents=True)
    (folder / "saved_model" / "saved_model.pb").write_bytes(b"graph")
    write_text(folder / "pipeline.config", config())
    write_text(folder / "label_map.pbtxt", label_map)
    return folder / "saved_model"


@pytest.mark.parametrize(
    ("label_map", "names"),
    [
        pytest.param("item { id: 2 name: 'b' } item { id: 5 name: 'e' }", ("1", "b", "3", "4", "e"), id="gaps"),
        pytest.param("item { id: 3 name: 'c' } item { id: 1 name: 'a' }", ("a", "2", "c"), id="in any order"),
        pytest.param("item { id: 1 name: '/m/01g317' display_name: 'person' }", ("person",), id="a name to show"),
        pytest.param("item { id: 0 name: 'background' } item { id: 1 name: 'a' }", ("a",), id="a background"),
        pytest.param("item { id: 1 } item { id: 2 display_name: 'b' }", ("1", "b"), id="one without a name"),
    ],
)
def test_classes_of_a_saved_model_go_by_their_numbers(
    tmp_path: Path, fake: Fake, label_map: str, names: tuple[str, ...]
) -> None:
    fake(answer={"found": [[[0, 0, 2, 3, len(names) - 1, 0.5]]]})
    predict = open_track("tfapi").open(saved_model(tmp_path / "export", label_map), Asking())
    assert predict.names == names
    assert predict([np.zeros((8, 8, 3), np.uint8)]) == [[Detection(Box(0, 0, 2, 3), names[-1], 0.5)]]


@pytest.mark.parametrize(
    ("label_map", "said"),
    [
        pytest.param("", "it names none", id="none"),
        pytest.param("item { id: 0 name: 'a' }", "it numbers one 0, which is not from 1 to 10000", id="0"),
        pytest.param("item { id: -1 name: 'a' }", "it numbers one -1, which is not", id="below 0"),
        pytest.param("item { id: 10001 name: 'a' }", "it numbers one 10001, which is not", id="too large"),
    ],
)
def test_a_saved_model_whose_classes_cannot_be(tmp_path: Path, fake: Fake, label_map: str, said: str) -> None:
    python = fake()
    with pytest.raises(WeightsError, match=rf"does not say what its classes are \(label_map\.pbtxt: {said}"):
        open_track("tfapi").open(saved_model(tmp_path / "export", label_map), Asking())
    assert fake_tfapi.jobs(python) == []


def test_without_an_environment_no_log_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    monkeypatch.delenv(environment.NAMED_BY)
    with pytest.raises(InputError, match="has no environment yet"):
        open_track("tfapi").open(packed(tmp_path), SQUARES)
    assert not (environment.home() / "logs").exists()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"model": MODEL, "train": {"iou_threshold": 0.5}}, Asking(imgsz=320, iou=0.5, most=100), id="as it says"),
        pytest.param({"model": "ssd_resnet50_v1_fpn_640x640", "train": {}}, Asking(imgsz=640, iou=0.6, most=100), id="unknown"),
        pytest.param({"model": None}, Asking(imgsz=None, iou=0.6, most=100), id="nothing at all"),
        pytest.param({"model": "x", "train": {"imgsz": 512, "device": 0}}, Asking(imgsz=512, iou=0.6, most=100, device="0"), id="noted"),
    ],
)  # fmt: skip
def test_how_a_model_is_asked(settings: dict[str, Any], expected: Asking) -> None:
    assert open_track("tfapi").asking(settings) == expected


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param("0,1", "is 0,1, several devices", id="several"),
        pytest.param("cuda:0", "is cuda:0, which TensorFlow does not run on", id="torch's words"),
        pytest.param("99", "is 99, and there is no CUDA device. Say cpu", id="a GPU that is not there"),
    ],
)
def test_devices_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, asked: object, said: str) -> None:
    monkeypatch.setattr("yolo_pipeline.tracks.tfapi.device.has_cuda", lambda: False)
    with pytest.raises(InputError, match=said):
        device_of(asked, "device")


def test_devices_as_tensorflow_is_told_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yolo_pipeline.tracks.tfapi.device.has_cuda", lambda: True)
    assert [device_of(asked, "device") for asked in (None, "cpu", 0, "1")] == [None, "cpu", "0", "1"]


def test_without_val_pictures_the_last_checkpoint_is_used(tmp_path: Path, project: Path, fake: Fake) -> None:
    said: list[str] = []
    progress = type("Said", (type(silent),), {"say": lambda self, line: said.append(line)})()
    python = fake()
    write_yaml(project / "attempts/4.yaml", {
        "base": 1, "track": "tfapi", "model": MODEL, "pretrained": False, "train": {"steps": 4, "batch": 2},
    })  # fmt: skip
    run = Run(tmp_path / "run")
    dataset = _built(tmp_path / "data", ("train", "train", "test"))
    trained = open_track("tfapi").train(attempts.load(project, 4), dataset, run, progress, resume=False)
    assert "no val pictures: the last checkpoint is used, as none can be chosen" in said
    assert fake_tfapi.jobs(python)[-1]["job"]["val"] == 0
    assert (trained.used["best_step"], trained.own_metrics) == (4, {})
    assert "eval_input_reader" not in (run.training / "pipeline.config").read_text(encoding="utf-8")


def _built(folder: Path, splits: tuple[Split, ...]) -> BuiltDataset:
    folder.mkdir()
    images = []
    for number, split in enumerate(splits):
        file = folder / f"{number}.png"
        Image.new("RGB", (40, 40), (number, 0, 0)).save(file)
        images.append(ImageRecord(file, file.name, 40, 40, ".png", (Truth(Box(1, 1, 9, 9), "onion"),), split=split))
    return BuiltDataset(folder, Dataset(("onion",), tuple(images)), "", {one.name: one.name for one in images}, False)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (59, "59 s"), (61, "2 min"), (3600, "60 min"), (8000, "2 h 14 min"), (122400, "34 h 0 min")],
)
def test_durations(seconds: float, said: str) -> None:
    assert _duration(seconds) == said
