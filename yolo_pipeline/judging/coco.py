"""Truths and detections as COCO JSON: how they are saved after training and how foreign ones come in.

Image and category ids count from 1, in the data set's order. Boxes are x, y, width, height in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_pipeline.errors import InputError
from yolo_pipeline.files import read_json
from yolo_pipeline.nouns import Box, Detection, ImageRecord, Truth

CocoTruth = dict[str, Any]
CocoResults = list[dict[str, Any]]

_DIGITS = 3  # a thousandth of a pixel


def truth_json(
    images: Sequence[ImageRecord], names: Sequence[str], files: Mapping[str, str], hashes: Mapping[Path, str]
) -> CocoTruth:
    """COCO ground truth of some images.

    Args:
        files: image name -> file name to note.
        hashes: sha256 of every picture's file, noted so that other attempts' images can be told to be the same.
    """
    categories = {name: number for number, name in enumerate(names, start=1)}
    annotations: list[dict[str, Any]] = []
    for image_id, image in enumerate(images, start=1):
        for truth in image.truths:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": categories[truth.label],
                    "bbox": _bbox(truth.box),
                    "area": round(truth.box.width * truth.box.height, _DIGITS),
                    "iscrowd": 0,
                }
            )
    return {
        "images": [
            {
                "id": number,
                "file_name": files[image.name],
                "width": image.width,
                "height": image.height,
                "sha256": hashes[image.file],
            }
            for number, image in enumerate(images, start=1)
        ],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": annotations,
    }


def results_json(detections: Sequence[Sequence[Detection]], names: Sequence[str]) -> CocoResults:
    """COCO results of the detections on each image, images in the order of `truth_json`."""
    categories = {name: number for number, name in enumerate(names, start=1)}
    return [
        {
            "image_id": image_id,
            "category_id": categories[detection.label],
            "bbox": _bbox(detection.box),
            "score": round(detection.score, 6),
        }
        for image_id, found in enumerate(detections, start=1)
        for detection in found
    ]


def truths_by_image(truth: CocoTruth) -> dict[int, list[Truth]]:
    """Image id -> truths, for drawing."""
    names = {category["id"]: category["name"] for category in truth["categories"]}
    found: dict[int, list[Truth]] = {image["id"]: [] for image in truth["images"]}
    for row in truth["annotations"]:
        found[row["image_id"]].append(Truth(_box(row["bbox"]), names[row["category_id"]]))
    return found


def detections_by_image(truth: CocoTruth, results: CocoResults, conf: float) -> dict[int, list[Detection]]:
    """Image id -> detections with a score of at least `conf`, best first, for drawing."""
    names = {category["id"]: category["name"] for category in truth["categories"]}
    found: dict[int, list[Detection]] = {image["id"]: [] for image in truth["images"]}
    for row in sorted(results, key=lambda row: -row["score"]):
        if row["score"] >= conf:
            found[row["image_id"]].append(Detection(_box(row["bbox"]), names[row["category_id"]], row["score"]))
    return found


def load_pair(truth_file: Path, detections_file: Path) -> tuple[CocoTruth, CocoResults]:
    """Reads any COCO ground truth and results file; missing areas and annotation ids are filled in.

    Raises:
        InputError: no JSON, not of COCO's shape, or a detection on an image that the truth does not have.
    """
    truth = _checked_truth(truth_file, _load(truth_file))
    results = _checked_results(detections_file, _load(detections_file), {image["id"] for image in truth["images"]})
    return truth, results


def _checked_truth(file: Path, truth: Any) -> CocoTruth:
    if not isinstance(truth, dict) or any(
        not isinstance(truth.get(k), list) for k in ("images", "annotations", "categories")
    ):
        raise InputError(file, "is no COCO ground truth", "It needs the lists images, annotations and categories")
    try:
        images = [{**image, "id": image["id"]} for image in truth["images"]]
        categories = [{**category, "name": str(category["name"])} for category in truth["categories"]]
        known = {image["id"] for image in images}
        classes = {category["id"] for category in categories}
        annotations = []
        for number, row in enumerate(truth["annotations"], start=1):
            _, _, width, height = bbox = _numbers(row["bbox"])
            if row["image_id"] not in known or row["category_id"] not in classes:
                raise InputError(f"{file}: annotations[{number - 1}]", "names an image or category that is not there")
            filled = {"area": width * height, "iscrowd": 0, **row, "id": number, "bbox": bbox}
            annotations.append(filled)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            file, f"is no COCO ground truth ({_said(error)})", "Compare it with COCO's data format"
        ) from error
    return {"images": images, "categories": categories, "annotations": annotations}


def _checked_results(file: Path, results: Any, known: set[Any]) -> CocoResults:
    if not isinstance(results, list):
        raise InputError(file, "is no COCO results file", "It needs a list of image_id, category_id, bbox and score")
    checked = []
    for number, row in enumerate(results):
        try:
            bbox, (score,) = _numbers(row["bbox"]), _numbers([row["score"]], 1)
            image_id, category_id = row["image_id"], row["category_id"]
            unknown = image_id not in known
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{file}: [{number}]", f"is no detection ({_said(error)})") from error
        if unknown:
            raise InputError(
                f"{file}: [{number}]", f"image {image_id} is not in the ground truth", "Use the matching split"
            )
        checked.append({"image_id": image_id, "category_id": category_id, "bbox": bbox, "score": score})
    return checked


def _load(file: Path) -> Any:
    try:
        return read_json(file)
    except FileNotFoundError:
        raise InputError(file, "there is no such file", "Check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(file, f"is not a JSON file ({error})", "Check the path") from error


def _numbers(values: Sequence[Any], count: int = 4) -> list[float]:
    numbers = [float(value) for value in values]
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{count} finite numbers expected, not {values!r}")
    return numbers


def _said(error: Exception) -> str:
    return f"key {error} is missing" if isinstance(error, KeyError) else str(error)


def _bbox(box: Box) -> list[float]:
    return [round(value, _DIGITS) for value in (box.x0, box.y0, box.width, box.height)]


def _box(bbox: Sequence[float]) -> Box:
    x, y, width, height = bbox
    return Box(x, y, x + width, y + height)
