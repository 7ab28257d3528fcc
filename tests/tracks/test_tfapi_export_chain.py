"""The real TensorFlow Object Detection API's exports: written, opened again, and held to what the weights find.

Skipped where its environment is not there (`python -m yolo_pipeline setup-tfapi`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from conftest import write_yaml
from PIL import Image

from yolo_pipeline import decoding
from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError
from yolo_pipeline.files import read_json
from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.nouns import Box, Truth
from yolo_pipeline.recipes.export import Exported, export
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import run_of
from yolo_pipeline.tfapi import environment
from yolo_pipeline.tracks import open_track

pytestmark = pytest.mark.slow
NAMES = ["onion", "사과"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose attempt 1 was trained for 30 steps, in which it learns a little.

    With the usual settings it would say the same of all pictures after so few, so that any export would agree.
    """
    try:
        environment.python()
    except InputError as error:
        pytest.skip(f"the API's environment is not here: {error}")
    root = tmp_path_factory.mktemp("export") / "프로젝트 1"
    draw_pictures(root / "pictures", 24)
    settings = {
        "track": "tfapi",
        "title": "thirty steps",
        "model": "ssd_mobilenet_v2_fpnlite_320x320",
        "pretrained": False,
        "data": {
            "sources": [{"path": "pictures", "format": "labelimg"}],
            "split": {"train": 0.6, "val": 0.2, "test": 0.2},
        },
        "train": {
            "steps": 30,
            "batch": 4,
            "checkpoint_every": 30,
            "device": "cpu",
            "learning_rate_base": 0.05,
            "batch_norm_decay": 0.7,
            "classification_weight": 3.0,
        },
    }
    write_yaml(root / "attempts" / "1.yaml", settings)
    train(root, 1)
    return root


def draw_pictures(folder: Path, count: int) -> None:
    """Red squares are `onion`, blue ones `사과`, on noise; the pictures are of several shapes, JPEG and PNG."""
    folder.mkdir(parents=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        width, height = 96 + 64 * (number % 3), 96 + 32 * (number % 2)
        pixels = rng.integers(100, 230, size=(height // 8, width // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        label, colour = ((NAMES[0], (200, 30, 30)), (NAMES[1], (30, 30, 200)))[number % 2]
        x, y = (int(value) for value in rng.integers(1, 40, size=2))
        pixels[y : y + 48, x : x + 48] = colour
        picture = folder / f"photo_{number:02}.{('jpg', 'png')[number % 4 == 0]}"
        Image.fromarray(pixels).save(picture)
        truth = Truth(Box(x, y, x + 48, y + 48), label)
        annotation = annotation_xml([truth], picture, width, height, origin=0)
        picture.with_suffix(".xml").write_text(annotation, encoding="utf-8")


@pytest.fixture(scope="module")
def exported(trained: Path) -> dict[str, Exported]:
    pytest.importorskip("ai_edge_litert", reason="ai_edge_litert is not installed (the extra litert)")
    return {one.target: one for one in export(trained, 1, ["tflite", "tflite-int8", "saved_model", "bundle"])}


@pytest.mark.parametrize("target", ["tflite", "saved_model", "bundle"])
def test_floats_find_what_the_weights_find(exported: dict[str, Exported], target: str) -> None:
    checked = exported[target].card["agreement"]
    assert checked["pictures"] == len(set(checked["on"])) == 8
    assert checked["compared"] >= 8
    assert checked["corner_difference"] <= (0.02 if target == "bundle" else 0.1)
    assert checked["score_difference"] < 0.001


def test_whole_numbers_are_judged(exported: dict[str, Exported]) -> None:
    judged = exported["tflite-int8"].card["worth"]
    assert (judged["held_to"], judged["pictures"]) == ("labels", 5)
    whole, floats = (exported[target].path.stat().st_size for target in ("tflite-int8", "tflite"))
    assert whole < 0.5 * floats


def test_what_lies_in_the_folders(exported: dict[str, Exported], trained: Path) -> None:
    there = run_of(trained, 1).exports
    files = {file.relative_to(there).as_posix() for file in there.rglob("*") if file.is_file()}
    saved = {"saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"}
    assert files == {
        *(f"{target}/{name}" for target in ("tflite", "tflite-int8") for name in ("attempt-1.tflite", "label_map.pbtxt")),
        *(f"saved_model/saved_model/{name}" for name in saved),
        *(f"saved_model/{name}" for name in ("pipeline.config", "label_map.pbtxt", "checkpoint/checkpoint")),
        *(f"saved_model/checkpoint/ckpt-0.{part}" for part in ("index", "data-00000-of-00001")),
        "bundle/attempt-1.tar.gz",
        *(f"{target}/export.json" for target in exported),
    }  # fmt: skip
    for file in files:
        assert str(trained).encode() not in (there / file).read_bytes(), file
    assert read_json(there / "tflite" / "export.json")["names"] == NAMES


def test_a_tflite_file_is_detected_with_by_itself(exported: dict[str, Exported], trained: Path, tmp_path: Path) -> None:
    """By litert alone: the API's environment is not there, and TensorFlow is not imported."""
    pictures = sorted((trained / "pictures").glob("*.jpg"))[:3]
    words = ["detect", "--weights", exported["tflite"].path, *pictures, "--conf", "0.005", "--out", tmp_path, "--json"]
    hidden = {**os.environ, environment.NAMED_BY: str(tmp_path / "none")}
    command = [sys.executable, "-m", "yolo_pipeline", *map(str, words)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=hidden)
    assert done.returncode == 0, done.stderr
    asking = Asking(imgsz=320, conf=0.005, iou=0.6, most=100, device="cpu")
    weights = run_of(trained, 1).training / "weights" / "best.zip"
    found = open_track("tfapi").open(weights, asking)([decoding.decode(picture) for picture in pictures])
    counted = json.loads(done.stdout)["thresholds"]["0.005"]
    assert counted["boxes"] == pytest.approx(sum(map(len, found)), abs=2)
    assert counted["boxes"] > 0


def test_a_bundle_works_where_there_is_no_yolo_pipeline(exported: dict[str, Exported], tmp_path: Path) -> None:
    with tarfile.open(exported["bundle"].path) as archive:
        entries = archive.getmembers()
        archive.extractall(tmp_path, filter="data")
    assert {(entry.mtime, entry.uid, entry.uname) for entry in entries} == {(0, 0, "")}
    folder = tmp_path / "attempt-1"
    assert {entry.name.split("/")[1] for entry in entries} == {
        "README.md", "checkpoint", "example.py", "label_map.pbtxt", "names.json", "pipeline.config", "saved_model",
        "scores.json", "settings.yaml",
    }  # fmt: skip
    assert read_json(folder / "names.json") == NAMES
    card = (folder / "README.md").read_text(encoding="utf-8")
    for said in (
        "A network of the TensorFlow Object Detection API (ssd_mobilenet_v2_fpnlite_320x320)",
        "    pip install tensorflow\n",
        "stretches every picture to 320 x 320 pixels",
        "Apache License 2.0",
        "| tensorflow | 2.",
    ):
        assert said in card, said
    assert "Ultralytics" not in card
    settings = (folder / "settings.yaml").read_text(encoding="utf-8")
    (folder / "settings.yaml").write_text(re.sub(r"(?m)^conf: .*$", "conf: 0.0001", settings), encoding="utf-8")
    upright, turned = picture_and_its_turned_twin(tmp_path)
    (tmp_path / "none.jpg").touch()
    command = [str(environment.python()), "example.py", str(upright), str(turned), str(tmp_path / "none.jpg")]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"}
    )
    assert done.returncode == 1
    assert f"{tmp_path / 'none.jpg'}: cannot be read as a picture" in done.stderr.splitlines()
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    boxes = [[row["box"] for row in rows if row["picture"] == str(file)] for file in (upright, turned)]
    assert len(boxes[0]) == 100
    assert boxes[0] == boxes[1]


def picture_and_its_turned_twin(folder: Path) -> tuple[Path, Path]:
    """The same pixels, stored as they are and lying on their side as phones store them; blocks, which JPEG keeps."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    image = Image.fromarray(pixels).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(folder / "upright.jpg", quality=100, subsampling=0)
    image.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", quality=100, subsampling=0, exif=exif)
    return folder / "upright.jpg", folder / "turned.jpg"
