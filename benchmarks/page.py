"""How large the page of an attempt becomes, and how long making and opening it take. To run, with Chromium installed:

    python -m pip install -e ".[dev]"
    python benchmarks/page.py                 (or: --images 100 --repeats 3)

The attempt is made anew from a seed: as many photo-like pictures of 640x480 in val as in test (500 each, if not told
otherwise), with 7 objects of 10 classes and 19 detections an image, as COCO JSON; curves of 300 epochs. Pictures and
page lie in one temporary folder, which is removed at the end.

Measured:

* making: `attempt_page`, with every picture decoded, once it was judged and diagnosed;
* size: of the file, with the library of the plots in it;
* first paint and loaded: as the browser's own clocks tell, from the navigation's start, in a window of 1200x900. The
  browser is a headless Chromium without a network; the file is in the disk's cache. The first opening stands apart.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.judging.diagnosing import diagnose
from yolo_pipeline.nouns import JUDGED, Curves, Split
from yolo_pipeline.reporting.pages.attempt import attempt_page
from yolo_pipeline.results import Results
from yolo_pipeline.run import Run

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reporting"))
from browser import started

if TYPE_CHECKING:
    from browser import Browser

_SIZE = (640, 480)
_NAMES = ("chicken", "onion", "potato", "beef", "radish", "eggs", "carrot", "cabbage", "pork", "garlic")
_OBJECTS, _FALSE, _CONF = 7, 12, 0.4  # objects an image, detections an image beside those, the confidence
_TIMES = (
    "const t = performance.getEntriesByType('navigation')[0];"
    "return [performance.getEntriesByName('first-contentful-paint')[0].startTime, t.loadEventEnd]"
)


def generated(root: Path, images: int) -> Results:
    """An attempt whose val and test have so many photo-like pictures each, with plausible mistakes."""
    run = Run(root / "runs" / "attempt-1")
    scores, diagnoses = {}, {}
    for split in JUDGED:
        _write(root, run, split, images, np.random.default_rng(JUDGED.index(split)))
        pair = load_pair(run.truth_file(split), run.detections_file(split))
        scores[split], diagnoses[split] = judge(*pair), diagnose(*pair, split, _CONF, 640)
    epochs = tuple(float(n) for n in range(1, 301))
    losses = {f"{s}/{k}_loss": tuple(3 / n for n in epochs) for s in ("train", "val") for k in ("box", "cls", "dfl")}
    curves = Curves({"epoch": epochs, **losses, "val/mAP50": tuple(1 - 1 / n for n in epochs)})
    return Results(1, run, {"state": "finished", "settings": {}}, scores, curves, {}, diagnoses, dataset=root)


def _write(root: Path, run: Run, split: Split, images: int, rng: np.random.Generator) -> None:
    width, height = _SIZE
    entries, truths, found = [], [], []
    for image in range(1, images + 1):
        name = f"images/{split}/photo_{image:04}.jpg"
        _photo(root / name, rng)
        entries.append({"id": image, "file_name": name, "width": width, "height": height})
        for number in range(_OBJECTS + _FALSE):
            box = [float(v) for v in (*rng.uniform(0, 0.8, 2) * _SIZE, *rng.uniform(20, 120, 2))]
            label = int(rng.integers(1, len(_NAMES) + 1))
            score = rng.beta(5, 2) if number < _OBJECTS else rng.beta(1, 6)
            said = label if rng.random() > 0.1 else int(rng.integers(1, len(_NAMES) + 1))
            row = {"image_id": image, "bbox": [round(v + rng.normal(0, 3), 3) for v in box]}
            found.append({**row, "category_id": said, "score": round(float(score), 6)})
            if number < _OBJECTS:
                truths.append({"id": len(truths) + 1, "image_id": image, "category_id": label, "bbox": box})
    categories = [{"id": number, "name": name} for number, name in enumerate(_NAMES, start=1)]
    run.truth_file(split).parent.mkdir(parents=True, exist_ok=True)
    truth = {"images": entries, "categories": categories, "annotations": truths}
    run.truth_file(split).write_text(json.dumps(truth), encoding="utf-8")
    run.detections_file(split).write_text(json.dumps(found), encoding="utf-8")


def _photo(file: Path, rng: np.random.Generator) -> None:
    """Blotches with grain: about as large as a JPEG of a kitchen."""
    file.parent.mkdir(parents=True, exist_ok=True)
    blotches = Image.fromarray(rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)).resize(
        _SIZE, Image.Resampling.BICUBIC
    )
    grain = Image.fromarray(rng.integers(0, 255, (*_SIZE[::-1], 3), dtype=np.uint8)).filter(ImageFilter.GaussianBlur(1))
    Image.blend(blotches, grain, 0.2).save(file, quality=85)


def open_times(browser: Browser, file: Path, repeats: int) -> list[tuple[float, float]]:
    """(first paint, loaded) of some openings, in seconds."""
    times = []
    for _ in range(repeats):
        browser.open(file)
        time.sleep(1)  # until nothing of the opening goes on
        paint, loaded = browser.run(_TIMES)
        times.append((paint / 1000, loaded / 1000))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500, help="in each of val and test")
    parser.add_argument("--repeats", type=int, default=5, help="openings of the page; the median counts")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        results = generated(root, told.images)
        begun = time.perf_counter()
        page = attempt_page(results)
        made = time.perf_counter() - begun
        file = root / "report.html"
        file.write_text(page, encoding="utf-8")
        size = file.stat().st_size / 1e6
        with started(root / "profile") as browser:
            times = open_times(browser, file, told.repeats)
            version = browser.driver.capabilities["browserVersion"]
    paint, loaded = (statistics.median(column) for column in zip(*times, strict=True))
    print("| images | making | size | first paint | loaded | first opening |")
    print("| --- | --- | --- | --- | --- | --- |")
    opened = f"{paint:.2f} s | {loaded:.2f} s | {times[0][1]:.2f} s"
    print(f"| {told.images} + {told.images} | {made:.1f} s | {size:.1f} MB | {opened} |")
    print(f"\nPython {platform.python_version()}, Chromium {version}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f} at the end; medians of {told.repeats} openings.")


if __name__ == "__main__":
    main()
