"""The advice on trainings into which a fault was planted; benchmarks/advice.py makes their evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolo_pipeline.advising.korean import in_korean
from yolo_pipeline.diagnosis import Advice
from yolo_pipeline.files import write_json
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import Curves
from yolo_pipeline.recipes.diagnose import results_of_run
from yolo_pipeline.run import Run

DATA = Path(__file__).parents[1] / "data"
FIRST = {
    "leakage": "leakage",
    "mirrored-digits": "mirrored classes",
    "one-epoch": "hardly any epochs",
    "tiny-imgsz": "larger pictures",
    "no-backgrounds": "background images",
    "swapped-labels": "wrong labels",
    "loose-boxes": "loose boxes",
    "rare-class": "rare class",
    "too-high-conf": "confidence",
    "overfitting": "overfitting",
}


def advice_on(folder: Path) -> tuple[Advice, ...]:
    return results_of_run(folder, 1, Run(folder)).advice


def test_every_fault_is_saved_and_small() -> None:
    folders = {folder.name for folder in (DATA / "advice").iterdir() if folder.is_dir()}
    assert folders == {"control", *FIRST}
    assert sum(file.stat().st_size for file in (DATA / "advice").rglob("*") if file.is_file()) < 600_000


@pytest.mark.parametrize(("fault", "rule"), FIRST.items())
def test_the_matching_rule_comes_first(fault: str, rule: str) -> None:
    advice = advice_on(DATA / "advice" / fault)
    assert advice[0].rule == rule
    assert all(in_korean(one).measured for one in advice)


def test_where_nothing_was_planted_nothing_is_found() -> None:
    assert advice_on(DATA / "advice" / "control") == ()


def test_attempt_5_of_the_digits_gets_no_advice(tmp_path: Path) -> None:
    """mAP50 0.987 on 40 pictures of val, the loss falling by 0.045 over the last fifth."""
    truth, results = load_pair(DATA / "judged" / "val-truth.json", DATA / "judged" / "val-detections.json")
    run = Run(tmp_path)
    write_json(run.truth_file("val"), truth)
    write_json(run.detections_file("val"), results)
    run.write_scores({"val": judge(truth, results)})
    losses = (11.48, 12.73, 10.42, 10.56, 9.0, 7.21, 4.31, 3.35, 2.93, 2.65, 2.56, 2.73, 2.73, 2.28, 2.16, 2.16)
    run.write_curves(Curves({"epoch": tuple(map(float, range(1, 17))), "val/box_loss": losses}))
    classes = {"0": 142, "1": 146, "2": 142, "3": 143, "4": 144, "6": 145}
    record = {
        "state": "finished",
        "settings": {
            "track": "yolo",
            "model": "yolov8n",
            "data": {},
            "train": {"imgsz": 128, "epochs": 16, "fliplr": 0.0},
        },
        "training": {"used": {"imgsz": 128}},
        "data": {
            "names": list(classes),
            "counts": {
                "train": {"images": 328, "boxes": 862, "backgrounds": 16, "classes": classes},
                "val": {"images": 40, "boxes": 107, "backgrounds": 2},
            },
        },
    }
    found = results_of_run(tmp_path, 5, run, record)
    assert found.scores["val"].mAP50 == pytest.approx(0.9866, abs=1e-4)
    assert found.reading is not None
    assert found.reading.still_falling == pytest.approx(0.045, abs=0.005)
    assert found.advice == ()
