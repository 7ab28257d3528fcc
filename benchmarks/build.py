"""How long it takes to build a data set with resized and augmented pictures, against the bare pixel work. To run:

    python benchmarks/build.py

The contenders, which end with the same pictures, byte by byte:

* ours: `yolo_pipeline.recipes.build.build` with all its checks: reading the XML, hashing every picture, dealing,
  drawing what becomes of each, rendering, labels, the manifest and the preview;
* bare: the calls to OpenCV alone (decode, resize, turn, rotate, brighten, blur, encode) and the writing of files, by as
  many threads, with everything else known beforehand (`bare` below): nothing is read but pictures, nothing is checked.

The data are made anew from a seed: 1280x960 JPEGs of 200 to 400 KB with 1 to 12 boxes each, and XML as LabelImg writes
it beside them. 80 % are for training, each of which becomes three pictures of 640x640.

Every run is a process of its own. Its clock starts after the imports and stops when the work is done. Before it,
everything is read once, so that it comes from memory for both, and writes still pending are flushed. The two take turns
in being first; medians count.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import yaml
from PIL import Image

from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.nouns import Box, Truth

SEED = 20240607
WIDTH, HEIGHT = 1280, 960
DIFFERENT_PICTURES = 40
CLASSES = ("bean", "carrot", "chicken", "leek", "onion", "potato")
ATTEMPT = {
    "model": "yolov8n",
    "data": {
        "split": {"train": 0.8, "val": 0.1, "test": 0.1},
        "resize": {"size": 640, "mode": "stretch"},
        "augment": {
            "outputs_per_example": 3,
            "flip": ["horizontal", "vertical"],
            "rotation_deg": 15,
            "brightness": 0.25,
            "blur_px": 3,
        },
    },
}

Calls = list[tuple[str, Any]]
"""What OpenCV is asked to do, in order: ("turn", EXIF orientation), ("rotate", degrees), …"""

Plan = dict[str, list[tuple[str, Calls]]]
"""Picture -> (file to write, what is done after resizing)."""


def main() -> None:
    arguments = parse_arguments()
    if arguments.child:
        name, project, out = arguments.child
        print(json.dumps({"seconds": CONTENDERS[name](Path(project), Path(out))}))
        return
    with tempfile.TemporaryDirectory(prefix="build-benchmark-") as folder:
        project = Path(folder, "project")
        make_project(project, arguments.images)
        seconds, outputs = measure(project, Path(folder), arguments.repeats)
    result = summary(seconds, arguments.images, outputs)
    print(json.dumps(result, indent=2) if arguments.json else table(result))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times building with augmentation: ours and the bare pixel work.")
    parser.add_argument("--images", type=positive, default=500, metavar="N", help="pictures (default 500)")
    parser.add_argument("--repeats", type=positive, default=3, metavar="N", help="runs of each (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


# The contenders. Each imports first and says how long the work took.


def ours(project: Path, out: Path) -> float:
    """Builds, then leaves what was drawn in `out` for the other contender."""
    from yolo_pipeline import attempt
    from yolo_pipeline.recipes.build import build

    start = time.perf_counter()
    built = build(attempt.load(project, 1)).built
    seconds = time.perf_counter() - start
    plan: Plan = {}
    for image in built.dataset.images:
        calls = [(type(edit).__name__, edit) for edit in image.edits]
        simple = [(name.lower(), getattr(edit, edit.__slots__[0])) for name, edit in calls if name != "Resize"]
        plan.setdefault(str(image.file), []).append((built.files[image.name], simple))
    out.write_bytes(pickle.dumps(plan))
    return seconds


def bare(project: Path, out: Path) -> float:
    """The pixel work of the plan that lies beside `out`."""
    plan: Plan = pickle.loads(out.with_name("plan").read_bytes())
    for split in ("train", "val", "test"):
        (out / "images" / split).mkdir(parents=True)
    cv2.setNumThreads(1)
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda entry: bare_picture(entry[0], entry[1], out), plan.items()))
    return time.perf_counter() - start


CONTENDERS = {"ours": ours, "bare": bare}


def bare_picture(file: str, outputs: list[tuple[str, Calls]], out: Path) -> None:
    data = np.frombuffer(Path(file).read_bytes(), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    resized = cv2.resize(decoded, (640, 640), interpolation=cv2.INTER_AREA)
    for name, calls in outputs:
        pixels = resized
        for call, value in calls:
            if call == "turn":  # of two flips, all that there can be are mirrored once or turned upside down
                pixels = cv2.flip(pixels, {2: 1, 3: -1, 4: 0}[value])
            elif call == "rotate":
                matrix = cv2.getRotationMatrix2D((319.5, 319.5), value, 1.0)
                pixels = cv2.warpAffine(pixels, matrix, (640, 640), borderValue=(114, 114, 114))
            elif call == "brighten":
                pixels = cv2.convertScaleAbs(pixels, alpha=value)
            else:
                pixels = cv2.GaussianBlur(pixels, (0, 0), value, borderType=cv2.BORDER_REFLECT_101)
        (out / name).write_bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1])


# The measurement.


def measure(project: Path, folder: Path, repeats: int) -> tuple[dict[str, list[float]], int]:
    """Seconds of every run of each, and the number of pictures written, which are compared after the first repeat."""
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    run_child("ours", project, folder / "plan")  # the plan, and everything once before it counts
    outputs = 0
    for repeat in range(repeats):
        for name in ("ours", "bare") if repeat % 2 == 0 else ("bare", "ours"):
            built = project / "datasets" / "attempt-1"
            if name == "ours":
                built.rename(folder / f"earlier-{repeat}")
            out = folder / (f"plan-{repeat}" if name == "ours" else f"out-{repeat}")
            seconds[name].append(run_child(name, project, out))
        if repeat == 0:
            outputs = compare(project / "datasets" / "attempt-1", folder / "out-0")
    return seconds, outputs


def run_child(name: str, project: Path, out: Path) -> float:
    for file in (project / "pictures").iterdir():  # into the page cache
        file.read_bytes()
    os.sync()
    command = [sys.executable, __file__, "--child", name, str(project), str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def compare(built: Path, out: Path) -> int:
    """Stops unless both wrote the same pictures."""
    names = sorted(str(file.relative_to(built)) for file in (built / "images").rglob("*.jpg"))
    if names != sorted(str(file.relative_to(out)) for file in (out / "images").rglob("*.jpg")):
        sys.exit("the two wrote other files")
    if differing := [name for name in names if (built / name).read_bytes() != (out / name).read_bytes()]:
        sys.exit(f"the two wrote other pictures: {differing[:3]}")
    return len(names)


# The data.


def make_project(project: Path, count: int) -> None:
    """Writes `count` pictures with their XML, data.yaml and attempts/1.yaml."""
    folder = project / "pictures"
    folder.mkdir(parents=True)
    (project / "attempts").mkdir()
    (project / "data.yaml").write_text("sources: [{path: pictures, format: labelimg}]\n")
    (project / "attempts" / "1.yaml").write_text(yaml.safe_dump(ATTEMPT))
    generator = np.random.default_rng(SEED)
    pictures = [encoded(generator) for _ in range(min(count, DIFFERENT_PICTURES))]
    for number in range(count):
        file = folder / f"IMG_{number:05d}.jpg"
        file.write_bytes(commented(pictures[number % len(pictures)], file.name))
        text = annotation_xml(some_truths(generator), file, WIDTH, HEIGHT, origin=0)
        file.with_suffix(".xml").write_text(text, encoding="utf-8")


def encoded(generator: np.random.Generator) -> bytes:
    """A JPEG of soft patches of colour of several sizes, with more or less grain, which makes it larger or smaller."""
    total = np.full((HEIGHT, WIDTH, 3), 128.0)
    for cell, strength in ((160, 60.0), (40, 30.0), (10, 16.0)):
        coarse = generator.uniform(0, 255, (HEIGHT // cell, WIDTH // cell, 3)).astype(np.uint8)
        smooth = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        total += (np.asarray(smooth, dtype=np.float64) / 127.5 - 1) * strength
    total += generator.normal(0, generator.uniform(3, 6), (HEIGHT, WIDTH, 1))
    return bytes(cv2.imencode(".jpg", total.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


def commented(jpeg: bytes, comment: str) -> bytes:
    """The JPEG with a comment segment before its end marker, so that no two files are equal."""
    text = comment.encode()
    return jpeg[:-2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[-2:]


def some_truths(generator: np.random.Generator) -> list[Truth]:
    """1 to 12 boxes with whole corners that lie in the picture, no two alike."""
    truths: dict[Truth, None] = {}
    for _ in range(generator.integers(1, 13)):
        width, height = (int(size) for size in generator.integers(24, 400, 2))
        x0, y0 = int(generator.integers(0, WIDTH - width + 1)), int(generator.integers(0, HEIGHT - height + 1))
        label = CLASSES[generator.integers(len(CLASSES))]
        truths[Truth(Box(x0, y0, x0 + width, y0 + height), label)] = None
    return list(truths)


# The result.


def summary(seconds: dict[str, list[float]], images: int, outputs: int) -> dict[str, Any]:
    medians = {name: median(runs) for name, runs in seconds.items()}
    return {
        "images": images,
        "outputs": outputs,
        "ratio": medians["ours"] / medians["bare"],
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "cpus": os.cpu_count(),
        "contenders": [{"contender": name, "seconds": medians[name], "runs": runs} for name, runs in seconds.items()],
    }


def table(result: dict[str, Any]) -> str:
    lines = ["| contender | median seconds | pictures a second |", "| --- | ---: | ---: |"]
    for row in result["contenders"]:
        lines.append(f"| {row['contender']} | {row['seconds']:.2f} | {result['outputs'] / row['seconds']:,.0f} |")
    runs = len(result["contenders"][0]["runs"])
    return "\n".join(
        [
            *lines,
            "",
            f"Ours takes {result['ratio']:.2f} times the bare work. {result['images']:,} pictures become "
            f"{result['outputs']:,}; medians of {runs}. "
            f"Python {result['python']}, OpenCV {result['opencv']}, {result['cpus']} CPUs.",
        ]
    )


if __name__ == "__main__":
    main()
