"""The real TensorFlow Object Detection API from pictures to TFLite: a hundred steps of its smallest model.

Skipped where its environment is not there (`python -m yolo_pipeline setup-tfapi`).
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import write_yaml
from PIL import Image

from yolo_pipeline import attempt as attempts
from yolo_pipeline.cli import run as command_line
from yolo_pipeline.curves import events
from yolo_pipeline.errors import InputError
from yolo_pipeline.files import read_json
from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.images import sha256
from yolo_pipeline.judging.agreement import agreement
from yolo_pipeline.nouns import Box, Detection, Truth
from yolo_pipeline.progress import Silent
from yolo_pipeline.recipes.build import build
from yolo_pipeline.recipes.export import Exported, export
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import Run, run_of
from yolo_pipeline.tfapi import environment
from yolo_pipeline.tfapi.child import Child

pytestmark = pytest.mark.slow
MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
NAMES = ["onion", "사과"]
STEPS, EVERY, INTERRUPTED_AT = 100, 50, 6
"""After thirty steps chance decides what whole numbers keep of the network. These end at mAP50 0.29 to 0.40 on val."""
NUMBER = 1
PICTURES = 24


@dataclass
class Interrupting(Silent):
    """A progress that presses Ctrl-C at a step, and keeps what is said."""

    at_step: int | None = None
    lines: list[str] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        if what == "training":
            self.steps.append(done)
            if done == self.at_step:
                raise KeyboardInterrupt


@dataclass(frozen=True)
class Chain:
    """A project whose attempt 1 was trained, interrupted, gone on with and judged.

    Attributes:
        first, second: what was heard before and after the interruption.
    """

    root: Path
    run: Run
    first: Interrupting
    second: Interrupting

    def judged(self) -> tuple[dict[str, Any], list[dict[str, Any]], list[Path]]:
        """Truth and detections of test, and its pictures in that order."""
        truth = read_json(self.run.truth_file("test"))
        folder = self.root / self.run.record["data"]["folder"]
        pictures = [folder / image["file_name"] for image in truth["images"]]
        return truth, read_json(self.run.detections_file("test")), pictures


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """With the usual settings it would say the same of all pictures after so few steps, and any export would agree."""
    try:
        environment.python()
    except InputError as error:
        pytest.skip(f"the API's environment is not here: {error}")
    root = tmp_path_factory.mktemp("chain") / "프로젝트 1"
    draw_pictures(root / "pictures")
    settings = {
        "track": "tfapi",
        "title": "a hundred steps",
        "model": MODEL,
        "pretrained": False,
        "data": {
            "sources": [{"path": "pictures", "format": "labelimg"}],
            "split": {"train": 0.6, "val": 0.2, "test": 0.2},
        },
        "train": {
            "steps": STEPS,
            "batch": 2,
            "checkpoint_every": EVERY,
            "device": "cpu",
            "learning_rate_base": 0.04,
            "batch_norm_decay": 0.7,
            "classification_weight": 3.0,
        },
    }
    write_yaml(root / "attempts" / f"{NUMBER}.yaml", settings)
    first, second = Interrupting(INTERRUPTED_AT), Interrupting()
    with pytest.raises(KeyboardInterrupt):
        train(root, NUMBER, progress=first)
    assert run_of(root, NUMBER).was_interrupted
    return Chain(root, train(root, NUMBER, resume=True, progress=second), first, second)


def draw_pictures(folder: Path) -> None:
    """Red squares are `onion`, blue ones `사과`, on noise; of several shapes, JPEG and PNG, one of these grey."""
    folder.mkdir(parents=True)
    for number in range(PICTURES):
        rng = np.random.default_rng(number)
        width, height = 96 + 64 * (number % 3), 96 + 32 * (number % 2)
        pixels = rng.integers(100, 230, size=(height // 8, width // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        label, colour = ((NAMES[0], (200, 30, 30)), (NAMES[1], (30, 30, 200)))[number % 2]
        x, y = (int(value) for value in rng.integers(1, 40, size=2))
        pixels[y : y + 48, x : x + 48] = colour
        picture = folder / f"photo_{number:02}.{('jpg', 'png')[number % 4 == 0]}"
        Image.fromarray(pixels).convert("L" if number == 4 else "RGB").save(picture)
        truth = Truth(Box(x, y, x + 48, y + 48), label)
        annotation = annotation_xml([truth], picture, width, height, origin=0)
        picture.with_suffix(".xml").write_text(annotation, encoding="utf-8")


class TestTraining:
    def test_an_interrupted_training_went_on_where_it_was_saved(self, chain: Chain) -> None:
        assert chain.first.steps == list(range(1, INTERRUPTED_AT + 1))
        saved = chain.second.steps[0] - 1
        assert saved >= INTERRUPTED_AT
        assert chain.second.steps == [*range(int(saved) + 1, STEPS + 1)]
        assert f"goes on from step {saved:g}" in chain.second.lines
        assert any("photo_04.png (grey)" in line for line in chain.first.lines)

    def test_what_is_recorded(self, chain: Chain) -> None:
        record = chain.run.record
        assert chain.run.finished
        assert set(chain.run.read_scores()) == {"val", "test"}
        training = record["training"]
        used = training["used"]
        assert (used["steps"], used["imgsz"], used["batch"], used["device"]) == (STEPS, 320, 2, "cpu")
        assert used["best_step"] in (EVERY, STEPS)
        assert training["parameters"] > 2_000_000
        assert training["bytes"] == (chain.run.folder / training["weights"]).stat().st_size > 8_000_000
        own = training["own_metrics"]
        assert {"tfapi/DetectionBoxes_Precision/mAP", "tfapi/DetectionBoxes_Recall/AR@100"} <= own.keys()
        assert {"tensorflow", "tf-keras"} <= record["versions"].keys()

    def test_curves_are_those_of_tensorboards_events(self, chain: Chain) -> None:
        curves, found = chain.run.read_curves().columns, events.read(chain.run.training).curves.columns
        assert curves["step"] == tuple(range(1, STEPS + 1)) == found["step"]
        assert curves.keys() - found.keys() == {"epoch"}
        assert found.keys() - curves.keys() == set()
        for name in found.keys() - {"seconds"}:
            assert curves[name] == pytest.approx(found[name], rel=1e-5, nan_ok=True), name
        for name in ("train/cls_loss", "train/box_loss", "train/regularization_loss", "learning_rate"):
            assert all(map(math.isfinite, curves[name])), name
        evaluated = [at for at, value in enumerate(curves["val/mAP50_95"], start=1) if not math.isnan(value)]
        assert evaluated[-1] == STEPS
        assert {EVERY, STEPS} <= set(evaluated)

    def test_tensorflow_reads_from_the_records_what_was_written(self, chain: Chain, tmp_path: Path) -> None:
        built = build(attempts.load(chain.root, NUMBER)).built
        files = [str(chain.run.training / "records" / f"{split}.record") for split in ("train", "val", "test")]
        with Child("records", {"files": files}, tmp_path / "log") as child:
            (*_, last) = child.messages()
        read = {one["filename"]: one for one in last["done"]["examples"]}
        assert len(read) == len(built.dataset.images) == PICTURES
        for image in built.dataset.images:
            one, width, height = read[image.name], image.width, image.height
            boxes = [[t.box.x0 / width, t.box.y0 / height, t.box.x1 / width, t.box.y1 / height] for t in image.truths]
            assert (one["width"], one["height"]) == (width, height)
            assert np.allclose(one["boxes"], boxes, atol=1e-6)
            assert one["labels"] == [built.dataset.names.index(t.label) + 1 for t in image.truths]
            assert one["names"] == [t.label for t in image.truths]
            assert one["decoded"] == [height, width, 3]
            is_grey = image.name == "photo_04.png"  # it is there in colours
            assert (one["sha256"] == sha256(built.picture(image.name))) is not is_grey

    def test_detect_finds_what_was_judged(
        self, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """At two confidences, for one class, at most two boxes a picture."""
        truth, detections, pictures = chain.judged()
        options = ["--conf", "0.001,0.3", "--classes", "onion", "--max-boxes", "2", "--out", tmp_path / "out", "--json"]
        words = ["detect", *pictures, "--attempt", NUMBER, "--project", chain.root, *options]
        assert command_line([str(word) for word in words]) == 0
        counted = json.loads(capsys.readouterr().out)["thresholds"]
        assert 2 * len(pictures) >= counted["0.001"]["boxes"] >= counted["0.3"]["boxes"]
        assert counted["0.001"]["boxes"] > 0
        assert set(counted["0.001"]["classes"]) == {"onion"}
        (onion,) = (one["id"] for one in truth["categories"] if one["name"] == "onion")
        judged = [one for one in detections if one["category_id"] == onion]
        rows = rows_of(tmp_path / "out")
        for image, picture in zip(truth["images"], pictures, strict=True):
            there = [one for one in judged if one["image_id"] == image["id"]]
            best = sorted((one["score"] for one in there), reverse=True)[:2]
            found = [float(row["score"]) for row in rows if row["image"] == picture.name]
            assert found == pytest.approx(best, abs=1e-3)


@pytest.fixture(scope="module")
def exported(chain: Chain) -> dict[str, Exported]:
    """In one call, which starts the weights once."""
    pytest.importorskip("ai_edge_litert", reason="ai_edge_litert is not installed (the extra litert)")
    return {one.target: one for one in export(chain.root, NUMBER, ["tflite", "saved_model", "bundle", "tflite-int8"])}


@pytest.mark.parametrize("target", ["tflite", "saved_model", "bundle"])
def test_floats_find_what_the_weights_find(exported: dict[str, Exported], target: str) -> None:
    checked = exported[target].card["agreement"]
    assert checked["pictures"] == len(set(checked["on"])) == 8
    assert checked["conf"] == 0.25  # it has learnt something
    assert checked["compared"] >= 5
    assert checked["corner_difference"] <= (0.02 if target == "bundle" else 0.1)
    assert checked["score_difference"] < 0.001


def test_whole_numbers_are_judged(exported: dict[str, Exported]) -> None:
    judged = exported["tflite-int8"].card["worth"]
    assert (judged["held_to"], judged["pictures"]) == ("labels", 5)
    assert judged["weights_mAP50"] > 0.01  # less would be nothing to lose
    assert exported["tflite-int8"].path.stat().st_size < 0.5 * exported["tflite"].path.stat().st_size


def test_what_lies_in_the_folders(exported: dict[str, Exported], chain: Chain) -> None:
    there = chain.run.exports
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
    for file in files - {"bundle/attempt-1.tar.gz"}:  # which is looked into below
        assert str(chain.root).encode() not in (there / file).read_bytes(), file
    assert read_json(there / "tflite" / "export.json")["names"] == NAMES


def test_a_tflite_file_is_detected_with_by_itself(exported: dict[str, Exported], chain: Chain, tmp_path: Path) -> None:
    """By litert alone: the API's environment is not there. It finds what the weights found when they were judged."""
    truth, judged, pictures = chain.judged()
    words = ["detect", "--weights", exported["tflite"].path, *pictures, "--conf", "0.05", "--out", tmp_path]
    hidden = {**os.environ, environment.NAMED_BY: str(tmp_path / "none")}
    command = [sys.executable, "-m", "yolo_pipeline", *map(str, words)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=hidden)
    assert done.returncode == 0, done.stderr
    labels = {category["id"]: category["name"] for category in truth["categories"]}
    theirs = [
        [judged_detection(one, labels) for one in judged if one["image_id"] == image["id"]] for image in truth["images"]
    ]
    rows = rows_of(tmp_path)
    names = [picture.name for picture in pictures]
    ours = [[detection(row) for row in rows if row["image"] == name] for name in names]
    agreed = agreement(names, theirs, ours, 0.1, pixels=0.1)
    assert agreed.compared >= 5
    assert agreed.score_difference < 0.001


def rows_of(folder: Path) -> list[dict[str, str]]:
    """What `detect` left in a folder, a row a box."""
    with (folder / "detections.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def judged_detection(one: dict[str, Any], labels: dict[int, str]) -> Detection:
    x, y, width, height = one["bbox"]
    return Detection(Box(x, y, x + width, y + height), labels[one["category_id"]], one["score"])


def detection(row: dict[str, str]) -> Detection:
    return Detection(Box(*(float(row[side]) for side in ("x0", "y0", "x1", "y1"))), row["class"], float(row["score"]))


def test_a_bundle_works_where_there_is_no_yolo_pipeline(
    exported: dict[str, Exported], chain: Chain, tmp_path: Path
) -> None:
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
    for name in ("saved_model.pb", "variables/variables.data-00000-of-00001"):  # each of the two was written by itself
        assert (folder / "saved_model" / name).read_bytes() == (exported["saved_model"].path / name).read_bytes()
    for file in (file for file in folder.rglob("*") if file.is_file()):
        assert str(chain.root).encode() not in file.read_bytes(), file
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
    assert boxes[0]
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
