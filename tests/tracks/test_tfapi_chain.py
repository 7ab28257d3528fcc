"""The real TensorFlow Object Detection API from pictures to detections: a few steps of its smallest model.

Skipped where its environment is not there (`python -m yolo_pipeline setup-tfapi`).
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

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
from yolo_pipeline.nouns import Box, Truth
from yolo_pipeline.progress import Silent
from yolo_pipeline.recipes.build import build
from yolo_pipeline.recipes.train import train
from yolo_pipeline.run import Run, run_of
from yolo_pipeline.tfapi import environment
from yolo_pipeline.tfapi.child import Child

MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
STEPS, INTERRUPTED_AT = 10, 6
NUMBER = 1


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


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    try:
        environment.python()
    except InputError as error:
        pytest.skip(f"the API's environment is not here: {error}")
    root = tmp_path_factory.mktemp("chain") / "프로젝트 1"
    draw_pictures(root / "pictures", 14)
    write_yaml(
        root / "attempts" / f"{NUMBER}.yaml",
        {
            "track": "tfapi",
            "model": MODEL,
            "pretrained": False,
            "data": {
                "sources": [{"path": "pictures", "format": "labelimg"}],
                "split": {"train": 0.6, "val": 0.2, "test": 0.2},
            },
            "train": {"steps": STEPS, "batch": 2, "checkpoint_every": 5, "device": "cpu", "batch_norm_decay": 0.9},
        },
    )
    first, second = Interrupting(INTERRUPTED_AT), Interrupting()
    with pytest.raises(KeyboardInterrupt):
        train(root, NUMBER, progress=first)
    assert run_of(root, NUMBER).was_interrupted
    return Chain(root, train(root, NUMBER, resume=True, progress=second), first, second)


def draw_pictures(folder: Path, count: int) -> None:
    """Red squares are `사과`, blue ones `onion`; two of three pictures are no squares, one is grey."""
    folder.mkdir(parents=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        width, height = 96 + 32 * (number % 3), 96
        pixels = rng.integers(170, 230, size=(height, width, 3), dtype=np.uint8)
        label, colour = (("사과", (200, 30, 30)), ("onion", (30, 30, 200)))[number % 2]
        x, y = (int(value) for value in rng.integers(1, 40, size=2))
        pixels[y : y + 48, x : x + 48] = colour
        picture = folder / f"photo_{number:02}.png"
        Image.fromarray(pixels).convert("L" if number == 4 else "RGB").save(picture)
        truth = Truth(Box(x, y, x + 48, y + 48), label)
        picture.with_suffix(".xml").write_text(
            annotation_xml([truth], picture, width, height, origin=0), encoding="utf-8"
        )


@pytest.mark.slow
class TestChain:
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
        assert used["best_step"] in (5, 10)
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
        assert {5, STEPS} <= set(evaluated)

    def test_tensorflow_reads_from_the_records_what_was_written(self, chain: Chain, tmp_path: Path) -> None:
        built = build(attempts.load(chain.root, NUMBER)).built
        files = [str(chain.run.training / "records" / f"{split}.record") for split in ("train", "val", "test")]
        with Child("records", {"files": files}, tmp_path / "log") as child:
            (*_, last) = child.messages()
        read = {one["filename"]: one for one in last["done"]["examples"]}
        assert len(read) == len(built.dataset.images) == 14
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
        """At two confidences, for one class, two boxes a picture: after ten steps the network is sure of nothing."""
        truth = read_json(chain.run.truth_file("test"))
        folder = chain.root / chain.run.record["data"]["folder"]
        pictures = [folder / image["file_name"] for image in truth["images"]]
        options = ["--conf", "0.001,0.3", "--classes", "onion", "--max-boxes", "2", "--out", tmp_path / "out", "--json"]
        words = ["detect", *pictures, "--attempt", NUMBER, "--project", chain.root, *options]
        assert command_line([str(word) for word in words]) == 0
        counted = json.loads(capsys.readouterr().out)["thresholds"]
        assert counted["0.001"]["boxes"] == 2 * len(pictures) >= counted["0.3"]["boxes"]
        assert set(counted["0.001"]["classes"]) == {"onion"}
        (onion,) = (one["id"] for one in truth["categories"] if one["name"] == "onion")
        judged = [one for one in read_json(chain.run.detections_file("test")) if one["category_id"] == onion]
        with (tmp_path / "out" / "detections.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        for image, picture in zip(truth["images"], pictures, strict=True):
            there = [one for one in judged if one["image_id"] == image["id"]]
            best = sorted((one["score"] for one in there), reverse=True)[:2]
            found = [float(row["score"]) for row in rows if row["image"] == picture.name]
            assert found == pytest.approx(best, abs=1e-3)
