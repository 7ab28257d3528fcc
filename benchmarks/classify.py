"""How much sooner a head is trained on kept features than in the plain loop, and that it learns the same. To run:

    python benchmarks/classify.py

The data are of the size that a project of handwritten digits had: 450 pictures to train on, 60 of val, ten classes,
here scikit-learn's digits, enlarged. Under the head lies a frozen ResNet50 with random weights, and each training
picture has ten draws. Both trainings are those of the track classify, with equal seeds and draws:

    kept    features are computed once, and 600 epochs are trained on them
    plain   every epoch sends its pictures through the frozen network, for a few epochs

An epoch counts from the end of one to the end of the next; of all of them, the median. What computing the features took
stands by itself. Both are compared after the same epochs.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from sklearn.datasets import load_digits

from yolo_pipeline.attempt import load
from yolo_pipeline.progress import silent
from yolo_pipeline.recipes.build import build
from yolo_pipeline.run import Run
from yolo_pipeline.tracks.classify.track import track

TRAIN, VAL, SIDE = 450, 60, 64
HEAD = [{"units": 256, "dropout": 0.3}, {"units": 128, "dropout": 0.3}]
AUGMENT = {"rotation_deg": 10, "zoom": 0.1, "shift": 0.1}


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="classify-benchmark-") as temporary:
        root = Path(temporary)
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")  # features of an earlier run would cost nothing
        write_digits(root / "raw")
        kept = measure(root, 1, arguments, arguments.epochs)
        kept.MOST_BYTES = 0  # no room for features: the plain loop
        plain = measure(root, 2, arguments, arguments.plain_epochs)
    found = compared(kept, plain)
    print(json.dumps(found, indent=2) if arguments.json else table(found))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--imgsz", type=int, default=64, help="pixels (default 64)")
    parser.add_argument("--epochs", type=int, default=600, help="on kept features (default 600)")
    parser.add_argument("--plain-epochs", type=int, default=3, help="in the plain loop (default 3)")
    parser.add_argument("--draws", type=int, default=10, help="of each training picture (default 10)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args()


def write_digits(folder: Path) -> None:
    """Folders of classes; the pictures of train and val are dealt evenly among them."""
    digits = load_digits()
    by_class = [np.flatnonzero(digits.target == number) for number in range(10)]
    order = [place for places in zip(*by_class, strict=False) for place in places]
    for number, place in enumerate(order[: TRAIN + VAL]):
        file = folder / ("train" if number < TRAIN else "val") / str(digits.target[place]) / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        values = np.clip(digits.images[place] * 16, 0, 255).astype(np.uint8)
        cv2.imwrite(str(file), cv2.resize(values, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def measure(root: Path, number: int, arguments: argparse.Namespace, epochs: int) -> dict[str, Any]:
    """One training from start to end, and its curves."""
    settings = {"imgsz": arguments.imgsz, "epochs": epochs, "freeze": "all", "early_stopping": {"patience": 0}}
    attempt = {
        "track": "classify", "model": arguments.model, "pretrained": False, "head": HEAD,
        "data": {"sources": [{"path": "raw", "format": "folders"}]},
        "train": {**settings, "augment": {**AUGMENT, "draws": arguments.draws}},
    }  # fmt: skip
    file = root / "attempts" / f"{number}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(attempt), encoding="utf-8")
    loaded, run = load(root, number), Run(root / "runs" / str(number))
    data = build(loaded).built
    began = time.perf_counter()
    trained = track.train(loaded, data, run, silent, resume=False)
    seconds = time.perf_counter() - began
    columns = track.curves(run).columns
    steps = [after - before for before, after in itertools.pairwise((0.0, *columns["seconds"]))]
    return {
        "epochs": len(steps),
        "seconds": seconds,
        "features": (trained.used["features"] or {}).get("seconds", 0.0),
        "an epoch": statistics.median(steps),
        "curves": {name: columns[name] for name in ("train/loss", "val/loss", "val/accuracy")},
    }


def compared(kept: dict[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
    shared = plain["epochs"]
    apart = {
        name: max(abs(a - b) for a, b in zip(kept["curves"][name], plain["curves"][name], strict=False))
        for name in kept["curves"]
    }
    return {
        "features, seconds once": round(kept["features"], 1),
        "kept, milliseconds an epoch": round(1000 * kept["an epoch"], 1),
        "plain, milliseconds an epoch": round(1000 * plain["an epoch"], 1),
        "plain / kept, an epoch": round(plain["an epoch"] / kept["an epoch"], 1),
        f"kept, seconds for {kept['epochs']} epochs": round(kept["seconds"] - kept["features"], 1),
        f"plain, seconds for {kept['epochs']} epochs, reckoned": round(plain["an epoch"] * kept["epochs"], 1),
        f"kept, val accuracy after {shared} epochs": round(kept["curves"]["val/accuracy"][shared - 1], 4),
        f"plain, val accuracy after {shared} epochs": round(plain["curves"]["val/accuracy"][shared - 1], 4),
        **{f"largest difference of {name}": float(f"{value:.2g}") for name, value in apart.items()},
        f"kept, best val accuracy of {kept['epochs']} epochs": round(max(kept["curves"]["val/accuracy"]), 4),
    }


def table(found: dict[str, Any]) -> str:
    return "\n".join(["| figure | |", "|---|---|", *(f"| {name} | {value} |" for name, value in found.items())])


if __name__ == "__main__":
    main()
