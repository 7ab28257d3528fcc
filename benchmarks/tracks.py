"""What two tracks reach on the same pictures in the same minutes, judged by the same judge. To run, on an idle machine:

    python -m pip install -e . && python -m yolo_pipeline setup-tfapi
    python benchmarks/tracks.py --minutes 10

The pictures are those of attempt 5 of this repository: scikit-learn's digits as LabelImg would have written them, with
its split. Both models start from scratch. Ultralytics is given the minutes as its setting `time`. The TensorFlow
Object Detection API counts steps: of a training of 20 steps before, the median seconds of a step and what passes
before the first one are taken, and as many steps as fit. Its evaluations on val are part of the minutes of both.

The minutes really used are in the table; the figures are those of the test images, which neither training saw.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
TRIED = 20  # steps, to know how long one takes
EVALUATIONS = 5
YOLO, TFAPI, TRIAL = 101, 102, 103  # attempt numbers


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="tracks-benchmark-") as temporary:
        project = Path(temporary)
        shutil.copyfile(ROOT / "data.yaml", project / "data.yaml")
        shutil.copytree(ROOT / "attempts", project / "attempts")
        seconds = 60 * arguments.minutes
        tfapi = {"track": "tfapi", "model": arguments.tfapi_model, "pretrained": False}
        settings = {"batch": arguments.batch, "batch_norm_decay": 0.97, "random_horizontal_flip": False}
        trial = {"steps": TRIED, "checkpoint_every": TRIED, **settings}
        train(project, TRIAL, {"base": 5, **tfapi, "train": trial})
        steps = steps_within(project, seconds)
        told = {"steps": steps, "checkpoint_every": -(-steps // EVALUATIONS), **settings}
        train(project, TFAPI, {"base": 5, **tfapi, "train": told})
        timed = {"time": seconds / 3600, "epochs": 1000, "patience": 0}
        train(project, YOLO, {"base": 5, "model": arguments.yolo_model, "pretrained": False, "train": timed})
        rows = [figures(project, number) for number in (YOLO, TFAPI)]
    print(json.dumps(rows, indent=2) if arguments.json else table(rows))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Two tracks, the same data, judge and minutes.")
    parser.add_argument("--minutes", type=float, default=10, help="of training for each (default 10)")
    parser.add_argument("--yolo-model", default="yolov8n")
    parser.add_argument("--tfapi-model", default="ssd_mobilenet_v2_fpnlite_320x320")
    parser.add_argument("--batch", type=int, default=4, help="of the TF-API track (default 4)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args()


def train(project: Path, number: int, attempt: dict[str, Any]) -> None:
    file = project / "attempts" / f"{number}.yaml"
    file.write_text(yaml.safe_dump({"title": str(attempt.get("model", number)), **attempt}))
    command = [sys.executable, "-m", "yolo_pipeline", "train", "--attempt", str(number), "--project", str(project)]
    subprocess.run(command, check=True)


def steps_within(project: Path, seconds: float) -> int:
    """Steps that fit, going by the trial: its start, its step, and an evaluation taken as long as the start."""
    rows = (project / f"runs/attempt-{TRIAL}/curves.csv").read_text(encoding="utf-8").splitlines()
    names = rows[0].split(",")
    times = [float(row.split(",")[names.index("seconds")]) for row in rows[1:]]
    record = json.loads((project / f"runs/attempt-{TRIAL}/record.json").read_text(encoding="utf-8"))
    step = median(after - before for before, after in itertools.pairwise(times))
    around = record["seconds"]["train"] - TRIED * step
    return max(TRIED, int((seconds - around) / step))


def figures(project: Path, number: int) -> dict[str, Any]:
    run = project / f"runs/attempt-{number}"
    record = json.loads((run / "record.json").read_text(encoding="utf-8"))
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))["test"]
    used = record["training"]["used"]
    return {
        "track": record["settings"]["track"],
        "model": record["settings"]["model"],
        "minutes": round(record["seconds"]["train"] / 60, 1),
        "trained": f"{used['steps']:,} steps" if "steps" in used else f"{used['epochs']} epochs",
        "mAP50": round(scores["mAP50"], 3),
        "mAP50_95": round(scores["mAP50_95"], 3),
        "correct": f"{scores['correct']} of {scores['truths']}",
        "seconds an image": record["seconds"]["an_image"],
        "parameters": f"{record['training']['parameters']:,}",
    }


def table(rows: list[dict[str, Any]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
