"""Which model a path means, and how it is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import FakeTrack

from yolo_pipeline.errors import InputError
from yolo_pipeline.files import write_json
from yolo_pipeline.images import sha256
from yolo_pipeline.recipes.models import model_of_attempt, model_of_weights, pictures_of
from yolo_pipeline.run import run_of


def finished(root: Path, **settings: object) -> None:
    """Attempt 1, a finished classifier with its data set beside it."""
    run = run_of(root, 1)
    weights = run.training / "weights" / "best.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"whole")
    for split, folder, name in (("train", "b", "1.png"), ("train", "a", "2.png"), ("val", "a", "3.png")):
        (root / "datasets/d" / split / folder).mkdir(parents=True, exist_ok=True)
        (root / "datasets/d" / split / folder / name).write_bytes(b"")
    write_json(run.scores_file, {"val": {"images": 1, "top1": 1.0, "top5": 1.0, "loss": 0.1, "classes": {}}})
    record = {
        "state": "finished",
        "settings": {"track": "classify", "model": "resnet18", "train": {"imgsz": 48}, **settings},
        "data": {"folder": "datasets/d"},
        "training": {"weights": "training/weights/best.safetensors", "sha256": sha256(weights)},
    }
    run.write_record(record)


@pytest.mark.parametrize(
    ("settings", "conf"),
    [
        pytest.param({}, 0.01, id="what nobody says"),
        pytest.param({"detect": {"conf": 0.4}}, 0.4, id="the attempt's own"),
    ],
)
def test_a_classifier_of_an_attempt(tmp_path: Path, settings: dict[str, object], conf: float) -> None:
    finished(tmp_path, **settings)
    model = model_of_attempt(tmp_path, 1, FakeTrack(task="classify"))  # type: ignore[arg-type]
    assert (model.conf, model.asking.imgsz, model.classifies) == (conf, 48, True)
    assert [file.relative_to(tmp_path).as_posix() for file in model.training] == [
        "datasets/d/train/a/2.png",
        "datasets/d/train/b/1.png",
    ]


def test_pictures_of_a_data_set_with_boxes_lie_below_images(tmp_path: Path) -> None:
    for name in ("images/train/a.png", "labels/train/a.txt", "train/stray.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert pictures_of(tmp_path, "train") == [tmp_path / "images/train/a.png"]
    assert pictures_of(tmp_path, "val") == []


def test_a_classifier_of_ultralytics_is_known_by_its_file(tmp_path: Path) -> None:
    from ultralytics import YOLO

    YOLO("yolov8n-cls.yaml").save(tmp_path / "mine.pt")
    YOLO("yolov8n.yaml").save(tmp_path / "boxes.pt")
    (tmp_path / "alone").mkdir()
    shutil.copy(tmp_path / "mine.pt", tmp_path / "alone")
    assert model_of_weights(tmp_path / "alone").classifies
    model = model_of_weights(tmp_path / "mine.pt")
    assert (model.title, model.classifies, model.conf, model.sha256) == (
        "mine.pt",
        True,
        0.01,
        sha256(tmp_path / "mine.pt"),
    )
    boxes = model_of_weights(tmp_path / "boxes.pt")
    assert (boxes.classifies, boxes.conf) == (False, 0.25)


def test_a_weights_file_of_ours_is_no_weights_file_when_it_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "best.safetensors").write_bytes(b"\xff" * 64)
    for named in (tmp_path, tmp_path / "best.safetensors"):
        with pytest.raises(InputError, match=r"best\.safetensors: "):
            model_of_weights(named)
