"""How long it takes to judge and diagnose detections, against pycocotools. To run:

    python -m pip install -e ".[dev]"
    python benchmarks/judge.py

The contenders, all on the same truth and results, as COCO JSON in memory:

* pycocotools: load both, evaluate, accumulate, summarize; what it prints is thrown away;
* judge: `yolo_pipeline.judging.detection.judge`, with AP, and precision, recall and F1 of every class;
* diagnose: `yolo_pipeline.judging.diagnosing.diagnose`, with every box behind the confusion matrix;
* intervals: `yolo_pipeline.judging.bootstrap.intervals` of both mAP;
* all of ours: these three, one after the other, each from the JSON in memory.

The data are made anew from a seed: 5,000 images of 640x480 with 1 to 13 objects of 10 classes, about 35,000, and about
50,000 detections: six objects in seven are found, more or less exactly, some of them in another class, and three false
alarms an image are scored lower. They lie in one temporary folder, which is removed at the end.

Every run is a process of its own. Its clock starts after the imports and once the JSON is read. The order is rotated
from repeat to repeat; medians count. After the first repeat, mAP50 and mAP50-95 of the judge and of pycocotools are
compared, to a trillionth.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

SEED = 20240607
WIDTH, HEIGHT = 640, 480
CLASSES = 10
CONF = 0.3
TOLERANCE = 1e-12

Truth = dict[str, Any]
Results = list[dict[str, Any]]
Figures = list[float | None]
"""mAP50 and mAP50-95, where a contender tells them."""


def main() -> None:
    arguments = parse_arguments()
    if arguments.child:
        name, folder = arguments.child
        print(json.dumps(timed(name, Path(folder))))
        return
    with tempfile.TemporaryDirectory(prefix="judge-benchmark-") as folder:
        objects, detections = write_data(Path(folder), arguments.images)
        seconds = measure(Path(folder), arguments.repeats)
    result = summary(seconds, arguments.images, objects, detections)
    print(json.dumps(result, indent=2) if arguments.json else table(result))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times judging and diagnosing against pycocotools.")
    parser.add_argument("--images", type=positive, default=5000, metavar="N", help="images (default 5000)")
    parser.add_argument("--repeats", type=positive, default=3, metavar="N", help="runs of each (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


# The contenders. Each imports first and hands back the call that is timed.


def pycocotools() -> Callable[[Truth, Results], Figures]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def run(truth: Truth, results: Results) -> Figures:
        with contextlib.redirect_stdout(io.StringIO()):
            ground = COCO()
            ground.dataset = truth
            ground.createIndex()
            evaluation = COCOeval(ground, ground.loadRes(results), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return [float(evaluation.stats[1]), float(evaluation.stats[0])]

    return run


def judge() -> Callable[[Truth, Results], Figures]:
    from yolo_pipeline.judging import detection

    def run(truth: Truth, results: Results) -> Figures:
        scores = detection.judge(truth, results)
        return [scores.mAP50, scores.mAP50_95]

    return run


def diagnose() -> Callable[[Truth, Results], Figures]:
    from yolo_pipeline.judging import diagnosing

    def run(truth: Truth, results: Results) -> Figures:
        diagnosing.diagnose(truth, results, "val", CONF, imgsz=WIDTH)
        return []

    return run


def intervals() -> Callable[[Truth, Results], Figures]:
    from yolo_pipeline.judging import bootstrap

    def run(truth: Truth, results: Results) -> Figures:
        bootstrap.intervals(truth, results)
        return []

    return run


def all_of_ours() -> Callable[[Truth, Results], Figures]:
    parts = [judge(), diagnose(), intervals()]

    def run(truth: Truth, results: Results) -> Figures:
        return [figure for part in parts for figure in part(truth, results)]

    return run


CONTENDERS: dict[str, Callable[[], Callable[[Truth, Results], Figures]]] = {
    "pycocotools": pycocotools,
    "judge": judge,
    "diagnose": diagnose,
    "intervals": intervals,
    "all of ours": all_of_ours,
}


# The measurement.


def timed(name: str, folder: Path) -> dict[str, Any]:
    """Seconds of one run in this process, and the figures."""
    run = CONTENDERS[name]()
    truth, results = (json.loads((folder / file).read_text()) for file in ("truth.json", "results.json"))
    start = time.perf_counter()
    figures = run(truth, results)
    return {"seconds": time.perf_counter() - start, "figures": figures}


def measure(folder: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds of every run of every contender. Figures of the first repeat are compared."""
    names = list(CONTENDERS)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(repeats):
        figures: dict[str, list[float]] = {}
        turn = repeat % len(names)
        for name in names[turn:] + names[:turn]:
            done = run_child(name, folder)
            seconds[name].append(done["seconds"])
            figures[name] = done["figures"]
        if repeat == 0:
            compare(figures["judge"], figures["pycocotools"])
    return seconds


def run_child(name: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, __file__, "--child", name, str(folder)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def compare(ours: list[float], theirs: list[float]) -> None:
    if any(abs(mine - other) > TOLERANCE for mine, other in zip(ours, theirs, strict=True)):
        sys.exit(f"the judge says {ours}, pycocotools {theirs}")


# The data.


def write_data(folder: Path, images: int) -> tuple[int, int]:
    """Writes truth.json and results.json. Returns the numbers of objects and detections."""
    truth, results = make_data(images)
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "results.json").write_text(json.dumps(results))
    return len(truth["annotations"]), len(results)


def make_data(images: int) -> tuple[Truth, Results]:
    generator = np.random.default_rng(SEED)
    annotations: list[dict[str, Any]] = []
    results: Results = []
    for image in range(1, images + 1):
        for _ in range(generator.integers(1, 14)):
            box, category = some_box(generator), int(generator.integers(1, CLASSES + 1))
            row = {"image_id": image, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            annotations.append({"id": len(annotations) + 1, **row})
            if generator.random() < 6 / 7:
                results.append(found(generator, image, category, box))
        for _ in range(generator.integers(0, 9)):
            category, score = int(generator.integers(1, CLASSES + 1)), round(float(generator.beta(1.5, 4)), 6)
            results.append({"image_id": image, "category_id": category, "bbox": some_box(generator), "score": score})
    truth = {
        "images": [
            {"id": number, "file_name": f"{number:05d}.jpg", "width": WIDTH, "height": HEIGHT, "sha256": ""}
            for number in range(1, images + 1)
        ],
        "categories": [{"id": number, "name": f"class {number}"} for number in range(1, CLASSES + 1)],
        "annotations": annotations,
    }
    return truth, results


def some_box(generator: np.random.Generator) -> list[float]:
    """x, y, width, height, within the image."""
    width, height = generator.uniform(12, 200, 2)
    x, y = generator.uniform(0, WIDTH - width), generator.uniform(0, HEIGHT - height)
    return [round(float(value), 3) for value in (x, y, width, height)]


def found(generator: np.random.Generator, image: int, category: int, box: list[float]) -> dict[str, Any]:
    """A detection whose box lies a tenth of the object's size off, and in one of ten cases says another class."""
    x, y, width, height = box
    dx, dy, wider, higher = generator.normal(0, 0.07, 4)
    near = [x + dx * width, y + dy * height, width * np.exp(wider), height * np.exp(higher)]
    other = generator.random() < 0.1
    return {
        "image_id": image,
        "category_id": int(generator.integers(1, CLASSES + 1)) if other else category,
        "bbox": [round(float(value), 3) for value in near],
        "score": round(float(generator.beta(4, 1.5)), 6),
    }


# The result.


def summary(seconds: dict[str, list[float]], images: int, objects: int, detections: int) -> dict[str, Any]:
    medians = {name: median(runs) for name, runs in seconds.items()}
    return {
        "images": images,
        "objects": objects,
        "detections": detections,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "pycocotools": importlib.metadata.version("pycocotools"),
        "hotcoco": importlib.metadata.version("hotcoco"),
        "contenders": [
            {
                "contender": name,
                "seconds": medians[name],
                "times_as_fast": medians["pycocotools"] / medians[name],
                "runs": runs,
            }
            for name, runs in seconds.items()
        ],
    }


def table(result: dict[str, Any]) -> str:
    lines = ["| contender | median seconds | times pycocotools' speed |", "| --- | ---: | ---: |"]
    for row in result["contenders"]:
        lines.append(f"| {row['contender']} | {row['seconds']:.2f} | {row['times_as_fast']:.1f} |")
    runs = len(result["contenders"][0]["runs"])
    return "\n".join(
        [
            *lines,
            "",
            f"{result['images']:,} images, {result['objects']:,} objects, {result['detections']:,} detections, medians "
            f"of {runs}. Python {result['python']}, {result['cpus']} CPUs, pycocotools {result['pycocotools']}, "
            f"hotcoco {result['hotcoco']}.",
        ]
    )


if __name__ == "__main__":
    main()
