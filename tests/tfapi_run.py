"""A run of the track tfapi as training leaves it, made up: no TensorFlow is needed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from yolo_pipeline import attempt as attempts
from yolo_pipeline.files import write_json
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import Curves
from yolo_pipeline.run import Run, run_of

MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
ATTEMPT = {
    "title": "SSD",
    "track": "tfapi",
    "model": MODEL,
    "pretrained": False,
    "data": {"split": {"train": 0.6, "val": 0.2, "test": 0.2}},
    "train": {"steps": 2000, "batch": 8},
}


def tfapi_curves(steps: int = 2000, every: int = 10, evaluations: int = 10, images: int = 328) -> Curves:
    """A row each ten steps, with the noise of single steps; ten evaluations; the best of them is the eighth."""
    rng = np.random.default_rng(0)
    at = np.arange(every, steps + 1, every, dtype=float)
    learnt = 1 - np.exp(-3 * at / steps)
    box, cls = 0.7 * (1 - 0.8 * learnt), 1.1 * (1 - 0.75 * learnt)
    weights = 0.16 * (1 - 0.3 * at / steps)
    noise = 1 + 0.25 * rng.standard_normal((2, len(at)))
    rate = np.minimum(at / (0.1 * steps), 0.5 * (1 + np.cos(np.pi * at / steps))) * 0.03
    gaps = np.arange(1, len(at) + 1) % (len(at) // evaluations) != 0
    learnt_on_val = np.where(gaps, np.nan, np.minimum(learnt, learnt[int(0.8 * len(at)) - 1]) * 0.9 - at / steps * 0.01)
    columns = {"step": at, "epoch": at * 8 / images, "seconds": at * 0.7, "learning_rate": rate}
    losses = {"train": (box * noise[0], cls * noise[1]), "val": (box * 1.1, cls * 1.1)}
    for part, (one, other) in losses.items():
        named = {"box_loss": one, "localization_loss": one, "cls_loss": other, "classification_loss": other}
        named |= {"regularization_loss": weights, "total_loss": one + other + weights}
        columns |= {
            f"{part}/{name}": np.where(gaps & (part == "val"), np.nan, values) for name, values in named.items()
        }
    columns |= {"val/mAP50": learnt_on_val, "val/mAP50_95": learnt_on_val * 0.7}
    return Curves({name: tuple(map(float, values)) for name, values in columns.items()})


def save_tfapi_run(root: Path, number: int, curves: Curves | None = None, found: int = 8, **record: Any) -> Run:
    """A finished run of `attempts/NUMBER.yaml`, judged on 16 pictures of val and of test, of which it finds `found`."""
    run, settings = run_of(root, number), attempts.load(root, number).settings()
    steps = settings["train"].get("steps", 2000)
    curves = tfapi_curves(steps) if curves is None else curves
    boxes = [{"image_id": n, "category_id": n % 2 + 1, "bbox": [5, 5, 30, 30]} for n in range(1, 17)]
    scores = {}
    for split in ("val", "test"):
        truth = {
            "images": [
                {"id": n, "file_name": f"images/{split}/{n}.png", "width": 64, "height": 64} for n in range(1, 17)
            ],
            "categories": [{"id": 1, "name": "chicken"}, {"id": 2, "name": "onion"}],
            "annotations": [{**box, "id": n, "area": 900, "iscrowd": 0} for n, box in enumerate(boxes, start=1)],
        }
        results = [{**box, "score": 0.9} for box in boxes[:found]]
        write_json(run.truth_file(split), truth)
        write_json(run.detections_file(split), results)
        scores[split] = judge(truth, results)
    run.write_scores(scores)
    run.write_curves(curves)
    training = {
        "start": {"file": None},
        "weights": "training/weights/best.zip",
        "sha256": "0" * 64,
        "bytes": 12_345_678,
        "parameters": 2_600_000,
        "used": {
            "imgsz": 320,
            "batch": 8,
            "device": "cpu",
            "steps": steps,
            "best_step": 4 * steps // 5,
            "epochs": 48.78,
        },
        "own_metrics": {
            "tfapi/DetectionBoxes_Precision/mAP": 0.49,
            "tfapi/DetectionBoxes_Precision/mAP@.50IOU": 0.71,
            "tfapi/DetectionBoxes_Recall/AR@100": 0.6,
        },
    }
    counts = {"images": 328, "boxes": 656, "backgrounds": 0, "classes": {"chicken": 328, "onion": 328}}
    whole = {
        "state": "finished",
        "attempt": number,
        "title": settings["title"],
        "settings": settings,
        "changed": [],
        "data": {
            "names": ["chicken", "onion"],
            "counts": {"train": counts, "val": {"images": 16}, "test": {"images": 16}},
        },
        "training": training,
        "seconds": {"build": 1.0, "train": 1400.0, "judge": 3.0, "an_image": 0.05},
        "versions": {"tensorflow": "2.21.0"},
    }
    run.write_record({**whole, **record})
    return run


def came_apart(curves: Curves, step: int, loss: float = math.nan) -> Curves:
    """The same, the losses on train being `loss` from a step on."""
    at = curves.columns["step"]
    broken = {
        name: tuple(value if number < step else loss for number, value in zip(at, values, strict=True))
        for name, values in curves.columns.items()
        if name.startswith("train/")
    }
    return Curves({**curves.columns, **broken})
