"""Finished runs of classifiers as `train` leaves them, made of what is said of each picture; no framework is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from yolo_pipeline.classification import PictureScores, whole
from yolo_pipeline.files import write_json
from yolo_pipeline.images import sha256
from yolo_pipeline.judging.classification import judge_pictures
from yolo_pipeline.judging.coco import results_json, truth_json
from yolo_pipeline.nouns import Curves, Detection, ImageRecord, Split
from yolo_pipeline.run import Run, run_of

SIDE = 28  # pixels

Said = tuple[str, Sequence[float]]
"""The label of a picture and the probability of every class."""

CURVES = Curves(
    {
        "step": (1.0, 2.0, 3.0),
        "epoch": (1.0, 2.0, 3.0),
        "seconds": (1.0, 2.0, 3.0),
        "train/loss": (2.0, 1.0, 0.5),
        "train/accuracy": (0.25, 0.5, 0.875),
        "val/loss": (2.0, 0.75, 1.0),
        "val/accuracy": (0.25, 0.75, 0.625),
    }
)


def sure(names: Sequence[str], said: str, probability: float = 0.9) -> list[float]:
    """That probability for one class, the rest shared by the others."""
    rest = (1 - probability) / (len(names) - 1)
    return [probability if name == said else rest for name in names]


def at_random(names: Sequence[str], count: int, wrong: float, seed: int = 0) -> list[Said]:
    """Answers of which about that share is wrong."""
    rng = np.random.default_rng(seed)
    answers = []
    for number in range(count):
        label = names[number % len(names)]
        said = str(rng.choice([name for name in names if name != label])) if rng.random() < wrong else label
        answers.append((label, sure(names, said, float(rng.uniform(0.45, 0.99)))))
    return answers


def classified_run(
    root: Path,
    number: int,
    names: Sequence[str],
    answers: Mapping[Split, Sequence[Said]],
    *,
    settings: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    curves: Curves | None = CURVES,
    pictures: Mapping[str, Sequence[Path]] | None = None,
) -> Run:
    """runs/attempt-N with judged truth and answers, scores, curves and record, and its data set of noise.

    Args:
        settings: of the attempt, over those of a small one.
        record: what else it holds.
        pictures: label -> files to take instead of noise, in turn.
    """
    run, folder = run_of(root, number), root / "datasets" / f"attempt-{number}"
    run.folder.mkdir(parents=True)
    counts: dict[str, Any] = {}
    scores: dict[Split, PictureScores] = {}
    for split, said in answers.items():
        records, files, hashes = _written(folder, split, names, said, pictures or {})
        found = [
            [Detection(whole(label, SIDE, SIDE).box, name, p) for name, p in zip(names, probabilities, strict=True)]
            for label, probabilities in said
        ]
        truth, results = truth_json(records, names, files, hashes), results_json(found, names)
        write_json(run.truth_file(split), truth)
        write_json(run.detections_file(split), results)
        scores[split] = judge_pictures(truth, results)
        labels = [label for label, _ in said]
        counts[split] = {"images": len(said), "boxes": len(said), "backgrounds": 0}
        counts[split]["classes"] = {name: labels.count(name) for name in names}
    run.write_scores(scores)
    if curves is not None:
        run.write_curves(curves)
    run.write_record(
        {
            "state": "finished",
            "attempt": number,
            "title": "",
            "settings": {
                "attempt": number,
                "base": None,
                "track": "classify",
                "model": "resnet50",
                "pretrained": False,
                "head": [{"units": 256, "dropout": 0.3}, {"units": 128, "dropout": 0.0}],
                "data": {},
                "train": {"imgsz": 32, "epochs": 3, "seed": 0},
                "notes": "",
                **(settings or {}),
            },
            "changed": [],
            "data": {"folder": f"datasets/attempt-{number}", "names": list(names), "counts": counts},
            "training": {"start": {"file": None}, "used": {"device": "cpu", "epochs": 3, "best_epoch": 2}},
            "seconds": {"train": 12.0, "judge": 0.5, "an_image": 0.002},
            "versions": {"python": "3.11.7"},
            **(record or {}),
        }
    )
    return run


def _written(
    folder: Path, split: Split, names: Sequence[str], said: Sequence[Said], pictures: Mapping[str, Sequence[Path]]
) -> tuple[list[ImageRecord], dict[str, str], dict[Path, str]]:
    records, files, hashes = [], {}, {}
    for at, (label, _) in enumerate(said):
        place = f"{split}/{names.index(label)}/{at:03}.png"
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        if mine := pictures.get(label):
            file.write_bytes(mine[at % len(mine)].read_bytes())
        else:
            noise = np.random.default_rng([at, len(split)]).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(noise).save(file)
        name = f"{split}-{at}"
        records.append(ImageRecord(file, name, SIDE, SIDE, ".png", (whole(label, SIDE, SIDE),), split=split))
        files[name], hashes[file] = place, sha256(file)
    return records, files, hashes
