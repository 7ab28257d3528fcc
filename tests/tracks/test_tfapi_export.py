"""Exports of the track tfapi, its environment played by a script: what is asked of it, and what is left."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.formats.label_map import label_map_text
from yolo_pipeline.progress import silent
from yolo_pipeline.runtimes import open_network, tflite_file
from yolo_pipeline.settings import tfapi as facts
from yolo_pipeline.tfapi import environment, weights
from yolo_pipeline.tfapi.pipeline import Paths, pipeline_config
from yolo_pipeline.tracks.tfapi import export as tfapi_export

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environment is played by a script with a #! line")
SQUARES = Path(__file__).parents[1] / "data" / "tfapi" / "squares.tflite"
MOBILENET, RESNET = "ssd_mobilenet_v2_fpnlite_320x320", "ssd_resnet50_v1_fpn_640x640"
NAMES = ("빨강", "green", "blue", "cyan", "magenta", "yellow")
ASKING = Asking(imgsz=320, conf=0.001, iou=0.6, most=100)
SCRIPT = """
import json, pathlib, shutil, sys
if "tensorflow" in sys.argv:
    print(json.dumps({"versions": {"Python": "3.11.9"}, "lacks": [], "python": [3, 11]}))
    sys.exit()
first = json.loads(sys.stdin.readline())
pathlib.Path(HERE, "asked.json").write_text(json.dumps(first))
out = pathlib.Path(first["job"]["out"])
if (fault := pathlib.Path(HERE, "fault.json")).is_file():
    (out / "half").touch()
    print(fault.read_text(), flush=True)
    sys.exit(1)
made = out / "model.tflite"
if first["job"]["target"] == "saved_model":
    made = out / "saved_model"
    for folder in (made, out / "checkpoint"):
        folder.mkdir()
    (made / "saved_model.pb").write_bytes(b"graph")
    (made / "fingerprint.pb").write_bytes(b"17")
    (out / "checkpoint" / "checkpoint").write_text("last_preserved_timestamp: 17")
else:
    shutil.copyfile(SQUARES, made)
print(json.dumps({"say": "converts it"}), flush=True)
print(json.dumps({"done": {"file": str(made)}}), flush=True)
"""

Made = Callable[..., Path]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the environment that is played; `asked.json` holds what it was last asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "environment"
    folder.mkdir()
    python = folder / "python"
    python.write_text(f"#!{sys.executable}\nHERE, SQUARES = {str(folder)!r}, {str(SQUARES)!r}\n{SCRIPT}")
    python.chmod(0o755)
    monkeypatch.setenv(environment.NAMED_BY, str(python))
    return folder


def packed(folder: Path, model: str = MOBILENET, config: str | None = None) -> Path:
    """A best.zip."""
    folder.mkdir()
    for part in ("index", "data-00000-of-00001"):
        (folder / f"ckpt-5.{part}").write_bytes(b"weights")
    paths = Paths(Path("label_map.pbtxt"), "train.record", "val.record")
    text = config or pipeline_config(model, facts.check_train(model, {}), len(NAMES), paths)
    about = weights.About(model, facts.MODELS[model].size, NAMES, 5, 7)
    weights.pack(folder / "attempt-1.zip", about, text, label_map_text(NAMES), folder / "ckpt-5")
    return folder / "attempt-1.zip"


def samples(folder: Path, count: int, suffix: str = ".png") -> list[Path]:
    return [folder / f"{number:04}{suffix}" for number in range(count)]


def exported(target: str, file: Path, out: Path, pictures: list[Path] | None = None) -> Path:
    return tfapi_export.export(file, target, out, ASKING, pictures or [], silent)


def asked(here: Path) -> dict[str, Any]:
    job: dict[str, Any] = json.loads((here / "asked.json").read_text())["job"]
    return job


@pytest.mark.parametrize(
    ("model", "size", "mean", "std"),
    [
        pytest.param(MOBILENET, 320, [127.5] * 3, [127.5] * 3, id="MobileNet: from -1 to 1"),
        pytest.param(RESNET, 640, [123.68, 116.779, 103.939], [1, 1, 1], id="ResNet: less the mean of ImageNet"),
    ],
)
def test_a_tflite_file_says_how_it_is_asked(
    tmp_path: Path, here: Path, model: str, size: int, mean: list[float], std: list[float]
) -> None:
    path = exported("tflite", packed(tmp_path / "weights", model), tmp_path / "out")
    assert path == tmp_path / "out" / "attempt-1.tflite"
    assert {file.name for file in path.parent.iterdir()} == {"attempt-1.tflite", "label_map.pbtxt"}
    assert path.with_name("label_map.pbtxt").read_text(encoding="utf-8") == label_map_text(NAMES)
    said = tflite_file.noted(path)
    assert (said["names"], said["imgsz"], said["iou"]) == (list(NAMES), [size, size], 0.6)
    assert (said["mean"], said["std"]) == (mean, std)
    job = asked(here)
    assert {key: job[key] for key in ("target", "conf", "iou", "most", "samples", "device")} == {
        "target": "tflite", "conf": 0.001, "iou": 0.6, "most": 100, "samples": [], "device": "cpu",
    }  # fmt: skip


def test_a_file_whose_size_is_not_what_the_config_says_is_no_export(tmp_path: Path, here: Path) -> None:
    """What is played gives a network of 32 x 32 pixels."""
    path = exported("tflite", packed(tmp_path / "weights"), tmp_path / "out")
    with pytest.raises(WeightsError, match=r"takes \(32, 32\), but says that it takes \(320, 320\)"):
        open_network(path, ASKING)


def test_what_comes_out_runs_in_litert(tmp_path: Path, here: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai_edge_litert is not installed (the extra litert)")
    paths = Paths(Path("label_map.pbtxt"), "train.record", "val.record")
    config = pipeline_config(MOBILENET, facts.check_train(MOBILENET, {}), len(NAMES), paths)
    small = config.replace("height: 320", "height: 32").replace("width: 320", "width: 32")
    path = exported("tflite", packed(tmp_path / "weights", config=small), tmp_path / "out")
    pixels = np.full((32, 32, 3), 128, dtype=np.uint8)
    pixels[8:12, 4:8] = (0, 0, 255)  # blue first
    ((found,),) = open_network(path, Asking(conf=0.5))([pixels])
    assert found.label == "빨강"


def test_a_network_that_is_shown_rectangles(tmp_path: Path, here: Path) -> None:
    paths = Paths(Path("label_map.pbtxt"), "train.record", "val.record")
    config = pipeline_config(MOBILENET, facts.check_train(MOBILENET, {}), len(NAMES), paths)
    wide = config.replace("width: 320", "width: 640")
    path = exported("tflite", packed(tmp_path / "weights", config=wide), tmp_path / "out")
    assert tflite_file.noted(path)["imgsz"] == [320, 640]


def test_no_more_boxes_are_asked_for_than_tensorflow_lite_can_give(tmp_path: Path, here: Path) -> None:
    tfapi_export.export(
        packed(tmp_path / "weights"), "tflite", tmp_path / "out", Asking(imgsz=320, most=300), [], silent
    )
    assert asked(here)["most"] == 100


def test_scales_are_measured_on_a_hundred_training_pictures(tmp_path: Path, here: Path) -> None:
    pictures = samples(tmp_path, 250) + samples(tmp_path, 30, ".webp")
    exported("tflite-int8", packed(tmp_path / "weights"), tmp_path / "out", pictures)
    chosen = asked(here)["samples"]
    assert len(chosen) == len(set(chosen)) == 100
    assert {Path(file).suffix for file in chosen} == {".png"}
    assert (Path(chosen[0]).name, Path(chosen[-1]).name) == ("0000.png", "0247.png")


@pytest.mark.parametrize(
    "pictures",
    [
        pytest.param([], id="none"),
        pytest.param(samples(Path(), 7), id="seven"),
        pytest.param(samples(Path(), 7) + samples(Path(), 20, ".webp"), id="that TensorFlow reads"),
    ],
)
def test_too_few_pictures_for_scales(tmp_path: Path, here: Path, pictures: list[Path]) -> None:
    with pytest.raises(InputError, match=r"--to tflite-int8: measures its scales on training pictures .*, at least 8;"):
        exported("tflite-int8", packed(tmp_path / "weights"), tmp_path / "out", pictures)
    assert not (here / "asked.json").exists()


@pytest.mark.parametrize("target", ["saved_model", "bundle"])
def test_a_saved_model_has_all_that_belongs_to_it(tmp_path: Path, here: Path, target: str) -> None:
    path = exported(target, packed(tmp_path / "weights"), tmp_path / "out")
    assert path == tmp_path / "out" / ("saved_model" if target == "saved_model" else "")
    files = {file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert files == {"saved_model/saved_model.pb", "checkpoint/checkpoint", "pipeline.config", "label_map.pbtxt"}
    assert asked(here)["target"] == "saved_model"
    listed = (tmp_path / "out" / "checkpoint" / "checkpoint").read_text()
    assert listed == 'model_checkpoint_path: "ckpt-0"\nall_model_checkpoint_paths: "ckpt-0"\n'  # no times


def test_a_model_that_is_shown_its_pictures_in_a_way_that_is_not_known(tmp_path: Path, here: Path) -> None:
    paths = Paths(Path("label_map.pbtxt"), "train.record", "val.record")
    config = pipeline_config(MOBILENET, facts.check_train(MOBILENET, {}), len(NAMES), paths)
    other = config.replace("ssd_mobilenet_v2_fpn_keras", "ssd_efficientnet-b0_bifpn_keras")
    with pytest.raises(WeightsError) as refused:
        exported("tflite", packed(tmp_path / "weights", config=other), tmp_path / "out")
    assert "is a model of ssd_efficientnet-b0_bifpn_keras with fixed_shape_resizer" in str(refused.value)
    assert str(refused.value).endswith("Use --to saved_model")


def test_without_an_environment_no_log_is_left(tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(environment.NAMED_BY)
    with pytest.raises(InputError, match="has no environment yet"):
        exported("tflite", packed(tmp_path / "weights"), tmp_path / "out")
    assert not (environment.home() / "logs").exists()


@pytest.mark.parametrize(
    ("said", "text"),
    [
        pytest.param({"fault": {"reason": "no", "remedy": "Do"}}, "no. Do", id="a fault"),
        pytest.param({"done": {"file": "/nowhere"}}, "ended without the file that it was to write", id="no file"),
        pytest.param({"done": None}, "ended without the file that it was to write", id="nothing"),
    ],
)
def test_what_goes_wrong_in_the_process_is_a_line_with_its_log(
    tmp_path: Path, here: Path, said: dict[str, Any], text: str
) -> None:
    (here / "fault.json").write_text(json.dumps(said))
    with pytest.raises(InputError) as failed:
        exported("tflite", packed(tmp_path / "weights"), tmp_path / "out")
    assert text in str(failed.value)
    assert Path(failed.value.where).is_file()
    assert list((tmp_path / "out").iterdir()) == []
