"""How long it takes to turn a folder of LabelImg pictures into a YOLO folder, against two peers. To run:

    python -m pip install -e ".[bench]"
    python benchmarks/convert.py

The contenders, all of which end with pictures, label files and data.yaml in a new folder:

* ours: `yolo_pipeline.recipes.convert.convert` with all its checks, once hard-linking pictures (its default), once
  copying them; the ratios are to the one that `--link` or `--copy` names;
* script: what everybody writes (`script` below): one pass, class list known beforehand, no check of anything;
* supervision: `DetectionDataset.from_pascal_voc`, then `as_yolo`. It decodes every picture, copies them, and takes
  corners to count from 1, so that its boxes of LabelImg files begin a pixel further to the upper left.

The data are made anew from a seed: 640x480 JPEGs without EXIF of 60 to 100 KB, no two files equal, with 1 to 12 boxes
each, and XML as LabelImg writes it beside them. They and all outputs lie in one temporary folder (TMPDIR says on which
disk; 4 GB), which is removed at the end and not before: creating files soon after thousands were deleted took
several times as long on the disk this was written on.

Every run is a process of its own. Its clock starts after the imports and stops when the conversion returns, so neither
interpreter nor imports count. Before it, everything is read once, so that it comes from memory for all, and writes
still pending are flushed. The order is rotated from repeat to repeat; medians count. After the first repeat the
numbers of pictures and label rows are compared, and between ours and the script each value, to a millionth.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.nouns import Box, Truth

SEED = 20240607
WIDTH, HEIGHT = 640, 480
DIFFERENT_PICTURES = 50
CLASSES = ("bean", "carrot", "chicken", "leek", "onion", "potato")
TOLERANCE = 1e-6

Labels = dict[str, list[tuple[float, ...]]]
"""Label file without folder -> its rows."""


def main() -> None:
    arguments = parse_arguments()
    if arguments.child:
        name, source, out = arguments.child
        print(json.dumps({"seconds": timed(name, Path(source), Path(out))}))
        return
    if importlib.util.find_spec("supervision") is None:
        sys.exit('supervision is not installed: python -m pip install -e ".[bench]"')
    with tempfile.TemporaryDirectory(prefix="convert-benchmark-") as folder:
        source = Path(folder, "source")
        boxes = make_data(source, arguments.images)
        seconds = measure(source, Path(folder), arguments.repeats)
    result = summary(seconds, arguments.ours, arguments.images, boxes)
    print(json.dumps(result, indent=2) if arguments.json else table(result))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times LabelImg -> YOLO: ours, a plain script, supervision.")
    parser.add_argument("--images", type=positive, default=5000, metavar="N", help="pictures (default 5000)")
    parser.add_argument("--repeats", type=positive, default=3, metavar="N", help="runs of each (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    ours = parser.add_mutually_exclusive_group()
    link_help = "ratios are to ours hard-linking pictures (default)"
    ours.add_argument("--link", action="store_const", const="ours, linked", dest="ours", help=link_help)
    copy_help = "ratios are to ours copying pictures"
    ours.add_argument("--copy", action="store_const", const="ours, copied", dest="ours", help=copy_help)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    parser.set_defaults(ours="ours, linked")
    return parser.parse_args()


def positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


# The contenders. Each imports first and hands back the call that is timed.


def ours_linked(source: Path, out: Path) -> Callable[[], object]:
    from yolo_pipeline.recipes.convert import convert

    return lambda: convert(source, out, from_format="labelimg", to_format="yolo", link=True)


def ours_copied(source: Path, out: Path) -> Callable[[], object]:
    from yolo_pipeline.recipes.convert import convert

    return lambda: convert(source, out, from_format="labelimg", to_format="yolo", link=False)


def plain_script(source: Path, out: Path) -> Callable[[], object]:
    return lambda: script(source, out)


def supervision(source: Path, out: Path) -> Callable[[], object]:
    from supervision import DetectionDataset

    def convert() -> None:
        dataset = DetectionDataset.from_pascal_voc(str(source), str(source))
        images, labels = out / "images" / "train", out / "labels" / "train"
        dataset.as_yolo(str(images), str(labels), str(out / "data.yaml"))

    return convert


CONTENDERS: dict[str, Callable[[Path, Path], Callable[[], object]]] = {
    "ours, linked": ours_linked,
    "ours, copied": ours_copied,
    "script": plain_script,
    "supervision": supervision,
}


def script(source: Path, out: Path) -> None:
    """The straightforward script."""
    images, labels = out / "images" / "train", out / "labels" / "train"
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    for xml in sorted(source.glob("*.xml")):
        root = ElementTree.parse(xml).getroot()
        width, height = int(root.findtext("size/width", "")), int(root.findtext("size/height", ""))
        rows = []
        for element in root.iter("object"):
            number = CLASSES.index(element.findtext("name", ""))
            x0, y0, x1, y1 = (float(element.findtext(f"bndbox/{key}", "")) for key in ("xmin", "ymin", "xmax", "ymax"))
            cx, cy, w, h = (x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height
            rows.append(f"{number} {cx:.6f} {cy:.6f} {w:.6f} {h:.6f}\n")
        (labels / f"{xml.stem}.txt").write_text("".join(rows))
        shutil.copy(source / root.findtext("filename", ""), images)
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    (out / "data.yaml").write_text(f"path: {out}\ntrain: images/train\nval: images/train\nnames:\n{names}")


# The measurement.


def timed(name: str, source: Path, out: Path) -> float:
    """Seconds of one conversion in this process."""
    call = CONTENDERS[name](source, out)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(source: Path, folder: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds of every run of every contender. Outputs of the first repeat are compared."""
    names = list(CONTENDERS)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(repeats):
        written: dict[str, Labels] = {}
        turn = repeat % len(names)
        for name in names[turn:] + names[:turn]:
            out = folder / f"out-{repeat}-{name}"
            seconds[name].append(run_child(name, source, out))
            if repeat == 0:
                written[name] = read_labels(out)
        if repeat == 0:
            compare(written)
    return seconds


def run_child(name: str, source: Path, out: Path) -> float:
    read_everything(source)
    os.sync()
    command = [sys.executable, __file__, "--child", name, str(source), str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def read_everything(source: Path) -> None:
    """Brings all files into the page cache."""
    for file in source.iterdir():
        file.read_bytes()


def read_labels(out: Path) -> Labels:
    pictures = {file.stem for file in (out / "images").rglob("*.jpg")}
    files = {file.stem: file for file in (out / "labels").rglob("*.txt")}
    if pictures != set(files):
        sys.exit(f"{len(pictures)} pictures but {len(files)} label files, or of other names")
    return {
        stem: [tuple(map(float, row.split())) for row in file.read_text().splitlines()] for stem, file in files.items()
    }


def compare(written: dict[str, Labels]) -> None:
    """Stops unless all wrote the same numbers of rows, and ours and the script the same values."""
    wanted = written["script"]
    for name, labels in written.items():
        if {stem: len(rows) for stem, rows in labels.items()} != {stem: len(rows) for stem, rows in wanted.items()}:
            sys.exit(f"{name} and the script wrote other pictures or numbers of rows")
        if name.startswith("ours") and not all(same(labels[stem], rows) for stem, rows in wanted.items()):
            sys.exit(f"{name} and the script wrote values that differ by more than {TOLERANCE}")


def same(rows: list[tuple[float, ...]], others: list[tuple[float, ...]]) -> bool:
    """Whether the rows say the same, in the same order."""
    return all(
        abs(value - other) <= TOLERANCE
        for row, other_row in zip(rows, others, strict=True)
        for value, other in zip(row, other_row, strict=True)
    )


# The data.


def make_data(folder: Path, count: int) -> int:
    """Writes `count` pictures and their XML. Returns the number of boxes."""
    folder.mkdir()
    generator = np.random.default_rng(SEED)
    pictures = [encode(picture(generator)) for _ in range(min(count, DIFFERENT_PICTURES))]
    boxes = 0
    for number in range(count):
        file = folder / f"IMG_{number:05d}.jpg"
        file.write_bytes(commented(pictures[number % len(pictures)], file.name))
        truths = some_truths(generator)
        boxes += len(truths)
        text = annotation_xml(truths, file, WIDTH, HEIGHT, origin=0)
        file.with_suffix(".xml").write_text(text, encoding="utf-8")
    return boxes


def picture(generator: np.random.Generator) -> Image.Image:
    """Soft patches of colour of several sizes, with more or less grain, which makes files larger or smaller."""
    total = np.full((HEIGHT, WIDTH, 3), 128.0)
    for cell, strength in ((160, 60.0), (40, 30.0), (10, 16.0)):
        coarse = generator.uniform(0, 255, (HEIGHT // cell, WIDTH // cell, 3)).astype(np.uint8)
        smooth = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        total += (np.asarray(smooth, dtype=np.float64) / 127.5 - 1) * strength
    total += generator.normal(0, generator.uniform(4, 6.7), (HEIGHT, WIDTH, 1))
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))


def encode(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=88)
    return stream.getvalue()


def commented(jpeg: bytes, comment: str) -> bytes:
    """The JPEG with a comment segment before its end marker."""
    text = comment.encode()
    return jpeg[:-2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[-2:]


def some_truths(generator: np.random.Generator) -> list[Truth]:
    """1 to 12 boxes with whole corners that lie in the picture, no two alike."""
    truths: dict[Truth, None] = {}
    for _ in range(generator.integers(1, 13)):
        width, height = (int(size) for size in generator.integers(12, 200, 2))
        x0, y0 = int(generator.integers(0, WIDTH - width + 1)), int(generator.integers(0, HEIGHT - height + 1))
        label = CLASSES[generator.integers(len(CLASSES))]
        truths[Truth(Box(x0, y0, x0 + width, y0 + height), label)] = None
    return list(truths)


# The result.


def summary(seconds: dict[str, list[float]], ours: str, images: int, boxes: int) -> dict[str, Any]:
    medians = {name: median(runs) for name, runs in seconds.items()}
    contenders = [
        {
            "contender": name,
            "seconds": medians[name],
            "images_per_second": images / medians[name],
            "ours_to_it": medians[ours] / medians[name],
            "runs": runs,
        }
        for name, runs in seconds.items()
    ]
    return {
        "images": images,
        "boxes": boxes,
        "ours": ours,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "supervision": importlib.metadata.version("supervision"),
        "contenders": contenders,
    }


def table(result: dict[str, Any]) -> str:
    lines = [
        f'| contender | median seconds | images a second | time of "{result["ours"]}" to its |',
        "| --- | ---: | ---: | ---: |",
    ]
    for row in result["contenders"]:
        numbers = f"{row['seconds']:.2f} | {row['images_per_second']:,.0f} | {row['ours_to_it']:.2f}"
        lines.append(f"| {row['contender']} | {numbers} |")
    runs = len(result["contenders"][0]["runs"])
    return "\n".join(
        [
            *lines,
            "",
            f"{result['images']:,} images, {result['boxes']:,} boxes, medians of {runs}. "
            f"Python {result['python']}, {result['cpus']} CPUs, supervision {result['supervision']}.",
        ]
    )


if __name__ == "__main__":
    main()
