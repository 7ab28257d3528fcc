"""How long it takes to detect on a folder of pictures, against `yolo predict`. To run, on an idle machine:

    python -m pip install -e ".[dev]"
    python benchmarks/detect.py --weights yolov8n.pt --data coco128

The pictures: 500 of 640x480, made of those of a labelled data set in any format that we read (stretched; as they are,
mirrored, darker, mirrored and lighter, as often as it takes), so that accuracy is measured on the same files. Its
classes are those of the weights, in the same order.

The contenders are whole commands, each a process of its own, with its start, imports and results on the disk:

* yolo predict: pictures with boxes at one confidence, as it saves them unless told otherwise;
* torch, openvino, openvino-int8: our `detect` with that runtime at the same confidence: pictures, CSV, COCO JSON,
  counts, contact sheet, page. The networks were exported and found to agree beforehand, as they are once and for all;
* yolo predict x 3: three runs of it, one for each of three confidences;
* openvino, three: our `detect` at these three, with a picture for each; and the same with int8.

The machine's own limit is what the runtime does on ready tensors of 480x640 with nothing else to do, measured in the
same run. The scales of int8 are measured on pictures that are not among the 500: the last tenth of the data set.

Accuracy: mAP50 of every contender's detections down to 0.001 against the labels, by our judge, in runs that are not
timed. The order of the contenders is turned from repeat to repeat; medians count.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from yolo_pipeline import decoding
from yolo_pipeline.formats import read
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import ImageRecord

WIDTH, HEIGHT, IMGSZ = 640, 480, 640
ONE, THREE = (0.3,), (0.3, 0.4, 0.5)
LOWEST = 0.001
VARIANTS = ((False, 1.0), (True, 1.0), (False, 0.8), (True, 1.2))

Results = list[dict[str, Any]]


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="detect-benchmark-") as temporary:
        bench = Bench(Path(temporary), arguments.weights.resolve())
        truth = bench.write_data(arguments.data, arguments.images)
        bench.prepare()
        accuracy = bench.accuracy(truth)
        limits = {runtime: bench.limit(runtime) for runtime in ("openvino", "openvino-int8")}
        seconds = bench.measure(arguments.repeats)
    result = summary(seconds, limits, accuracy, arguments.images)
    print(json.dumps(result, indent=2) if arguments.json else table(result))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times detection on a folder against yolo predict.")
    parser.add_argument("--weights", type=Path, required=True, help="a YOLO weights file")
    parser.add_argument("--data", type=Path, required=True, help="a labelled data set with the same classes")
    parser.add_argument("--images", type=int, default=500, metavar="N", help="pictures (default 500)")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs of each (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args()


class Bench:
    def __init__(self, folder: Path, weights: Path) -> None:
        self.folder = folder
        self.pictures, self.samples = folder / "pictures", folder / "samples"
        self.weights = Path(shutil.copy(weights, folder / "model.pt"))
        self.contenders: dict[str, Callable[[Path], list[list[str]]]] = {
            "yolo predict": lambda out: [self.yolo(out, ONE[0])],
            "torch": lambda out: [self.ours(out, "torch", ONE)],
            "openvino": lambda out: [self.ours(out, "openvino", ONE)],
            "openvino-int8": lambda out: [self.ours(out, "openvino-int8", ONE)],
            "yolo predict x 3": lambda out: [self.yolo(out / str(conf), conf) for conf in THREE],
            "openvino, three": lambda out: [self.ours(out, "openvino", THREE)],
            "openvino-int8, three": lambda out: [self.ours(out, "openvino-int8", THREE)],
        }

    def ours(self, out: Path, runtime: str, thresholds: tuple[float, ...], *more: str) -> list[str]:
        name, _, int8 = runtime.partition("-")
        calibrate = ["--int8", "--calibrate", str(self.samples)] if int8 else []
        conf = ",".join(map(str, thresholds))
        said = [f"--conf={conf}", f"--imgsz={IMGSZ}", f"--runtime={name}", f"--out={out}", *calibrate, *more]
        command = [sys.executable, "-m", "yolo_pipeline", "detect", "--weights", str(self.weights)]
        return [*command, str(self.pictures), *said]

    def yolo(self, out: Path, conf: float, *more: str) -> list[str]:
        program = Path(sys.executable).with_name("yolo")
        said = [f"model={self.weights}", f"source={self.pictures}", f"imgsz={IMGSZ}", f"conf={conf}"]
        return [str(program), "predict", *said, f"project={out.parent}", f"name={out.name}", *more]

    def prepare(self) -> None:
        """Exports the networks and has them checked against torch, once."""
        for runtime in ("openvino", "openvino-int8"):
            run(self.ours(self.folder / f"first-{runtime}", runtime, ONE))

    def accuracy(self, truth: dict[str, Any]) -> dict[str, float | None]:
        scores: dict[str, float | None] = {}
        out = self.folder / "accuracy"
        run(self.yolo(out / "yolo", LOWEST, "save=False", "save_txt=True", "save_conf=True"))
        scores["yolo predict"] = judge(truth, yolo_results(out / "yolo" / "labels", truth)).mAP50
        for runtime in ("torch", "openvino", "openvino-int8"):
            run(self.ours(out / runtime, runtime, (LOWEST,), "--no-pictures"))
            scores[runtime] = judge(truth, our_results(out / runtime / "detections.json", truth)).mAP50
        return scores

    def limit(self, runtime: str) -> float:
        """Pictures a second of the bare network, on ready tensors."""
        import openvino

        from yolo_pipeline.files import cache_folder
        from yolo_pipeline.images import sha256

        digest = sha256(self.weights)
        kind = "int8" if runtime.endswith("int8") else "openvino"
        networks = [
            file
            for file in sorted((cache_folder() / "networks").rglob("*.xml"))
            if digest[:12] in str(file) and ("int8" in str(file)) == (kind == "int8")
        ]
        core = openvino.Core()
        streams = os.cpu_count() or 1
        compiled = core.compile_model(
            core.read_model(networks[0]), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": str(streams)}
        )
        tensor = np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), dtype=np.float32)
        requests = [compiled.create_infer_request() for _ in range(streams + 1)]
        each = 60
        for request in requests:
            request.infer([tensor])

        def work(request: Any) -> None:
            for _ in range(each):
                request.infer([tensor])

        threads = [threading.Thread(target=work, args=(request,)) for request in requests]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return each * len(requests) / (time.perf_counter() - start)

    def measure(self, repeats: int) -> dict[str, list[float]]:
        names = list(self.contenders)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for repeat in range(repeats):
            turn = repeat * 2 % len(names)
            for name in names[turn:] + names[:turn]:
                out = self.folder / f"{name}-{repeat}"
                start = time.perf_counter()
                for command in self.contenders[name](out):
                    run(command)
                seconds[name].append(time.perf_counter() - start)
                print(f"{name}: {seconds[name][-1]:.1f} s", file=sys.stderr, flush=True)
                shutil.rmtree(out)
        return seconds

    def write_data(self, source: Path, images: int) -> dict[str, Any]:
        """Writes the pictures and those for int8's scales; gives the labels as COCO JSON."""
        dataset, _ = read(source)
        labelled = [image for image in dataset.images if image.truths]
        held = len(labelled) // 10
        self.pictures.mkdir()
        self.samples.mkdir()
        for number, image in enumerate(labelled[-held:]):
            write(self.samples / f"{number:03d}.jpg", variant(image, False, 1.0))
        shown = labelled[:-held]
        names = list(dataset.names)
        entries, annotations = [], []
        for number in range(images):
            image, (mirrored, light) = shown[number % len(shown)], VARIANTS[number // len(shown) % len(VARIANTS)]
            write(self.pictures / f"{number:03d}.jpg", variant(image, mirrored, light))
            entries.append({"id": number + 1, "file_name": f"{number:03d}.jpg", "width": WIDTH, "height": HEIGHT})
            for name, box in boxes(image, mirrored):
                label = int(name) if name.isdigit() else names.index(name)  # YOLO folders without data.yaml
                row = {"image_id": number + 1, "category_id": label + 1, "bbox": box, "iscrowd": 0}
                annotations.append({"id": len(annotations) + 1, "area": box[2] * box[3], **row})
        labels = {row["category_id"] for row in annotations}
        categories = [{"id": label, "name": str(label)} for label in sorted(labels)]
        return {"images": entries, "categories": categories, "annotations": annotations}


def variant(image: ImageRecord, mirrored: bool, light: float) -> Any:
    pixels = cv2.resize(decoding.decode(image.file), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(cv2.flip(pixels, 1) if mirrored else pixels, alpha=light)


def write(file: Path, pixels: Any) -> None:
    file.write_bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


def boxes(image: ImageRecord, mirrored: bool) -> list[tuple[str, list[float]]]:
    across, down = WIDTH / image.width, HEIGHT / image.height
    return [
        (
            truth.label,
            [
                WIDTH - truth.box.x1 * across if mirrored else truth.box.x0 * across,
                truth.box.y0 * down,
                truth.box.width * across,
                truth.box.height * down,
            ],
        )
        for truth in image.truths
    ]


def yolo_results(labels: Path, truth: dict[str, Any]) -> Results:
    results: Results = []
    for image in truth["images"]:
        file = labels / f"{Path(image['file_name']).stem}.txt"
        for line in file.read_text().splitlines() if file.is_file() else ():
            label, x, y, width, height, score = map(float, line.split())
            box = [(x - width / 2) * WIDTH, (y - height / 2) * HEIGHT, width * WIDTH, height * HEIGHT]
            results.append({"image_id": image["id"], "category_id": int(label) + 1, "bbox": box, "score": score})
    return results


def our_results(file: Path, truth: dict[str, Any]) -> Results:
    found = json.loads(file.read_text())
    ids = {image["file_name"]: image["id"] for image in truth["images"]}
    image_of = {image["id"]: ids[image["file_name"]] for image in found["images"]}
    return [
        {**{key: row[key] for key in ("category_id", "bbox", "score")}, "image_id": image_of[row["image_id"]]}
        for row in found["annotations"]
    ]


def run(command: list[str]) -> None:
    environment = {**os.environ, "YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def summary(
    seconds: dict[str, list[float]], limits: dict[str, float], accuracy: dict[str, float | None], images: int
) -> dict[str, Any]:
    medians = {name: median(times) for name, times in seconds.items()}
    peer = {name: "yolo predict x 3" if name.endswith(("three", "x 3")) else "yolo predict" for name in medians}
    return {
        "images": images,
        "versions": {
            name: importlib.metadata.version(name) for name in ("ultralytics", "torch", "openvino", "opencv-python")
        },
        "limits": limits,
        "mAP50": accuracy,
        "contenders": {
            name: {
                "seconds": value,
                "images_a_second": images / value,
                "times_as_fast": medians[peer[name]] / value,
                "of_the_limit": images / value / limit if (limit := limits.get(name.partition(",")[0])) else None,
                "all": seconds[name],
            }
            for name, value in medians.items()
        },
    }


def table(result: dict[str, Any]) -> str:
    lines = [
        "| contender | seconds | images a second | times `yolo predict` | of the limit | mAP50 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in result["contenders"].items():
        part = "" if row["of_the_limit"] is None else f"{row['of_the_limit']:.2f}"
        score = result["mAP50"].get(name.partition(",")[0].removesuffix(" x 3"))
        lines.append(
            f"| {name} | {row['seconds']:.1f} | {row['images_a_second']:.1f} | {row['times_as_fast']:.2f} | {part} "
            f"| {'' if score is None else f'{score:.4f}'} |"
        )
    limits = ", ".join(f"{name} {value:.1f}" for name, value in result["limits"].items())
    return "\n".join([*lines, "", f"The machine's own limit, images a second: {limits}."])


if __name__ == "__main__":
    main()
