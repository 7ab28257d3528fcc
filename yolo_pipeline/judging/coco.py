"""Truths and detections as COCO JSON: how they are saved after training and how foreign ones come in.

Image and category ids count from 1, in the data set's order. Boxes are x, y, width, height in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.files import read_json
from yolo_pipeline.nouns import Box, Detection, ImageRecord

CocoTruth = dict[str, Any]
CocoResults = list[dict[str, Any]]

_TRUTH_LISTS = ("images", "annotations", "categories")
_LARGEST_SIDE = 1_000_000  # pixels; what says more is no size
_DIGITS = 3  # a thousandth of a pixel


def truth_json(
    images: Sequence[ImageRecord], names: Sequence[str], files: Mapping[str, str], hashes: Mapping[Path, str]
) -> CocoTruth:
    """COCO ground truth of some images.

    Args:
        files: image name -> file name to note.
        hashes: sha256 of every picture's file, noted with what was done to it so that other attempts' images can be
            told to be the same.
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
                **({"edits": "; ".join(map(repr, image.edits))} if image.edits else {}),
            }
            for number, image in enumerate(images, start=1)
        ],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": annotations,
    }


def part_of(truth: Mapping[str, Any], places: Sequence[int]) -> CocoTruth:
    """The truth of the images at some places, numbered from 1 in this order; names of classes on one line."""
    numbers = {truth["images"][place]["id"]: number for number, place in enumerate(places, start=1)}
    return {
        "images": [{**truth["images"][place], "id": number} for number, place in enumerate(places, start=1)],
        "categories": [{**row, "name": one_line(row["name"])} for row in truth["categories"]],
        "annotations": [
            {**row, "image_id": numbers[row["image_id"]]} for row in truth["annotations"] if row["image_id"] in numbers
        ],
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


def load_pair(truth_file: Path, detections_file: Path) -> tuple[CocoTruth, CocoResults]:
    """Reads any COCO ground truth and results file. Ids are numbered anew, missing areas and crowd flags filled in.

    Detections of categories that the truth does not list are left out, as in COCO's own evaluation.

    Raises:
        InputError: no JSON, not of COCO's shape, or a detection on an image that the truth does not have.
    """
    truth = _load(truth_file)
    if not isinstance(truth, dict) or any(not isinstance(truth.get(key), list) for key in _TRUTH_LISTS):
        raise InputError(truth_file, "is no COCO ground truth", f"It needs the lists {', '.join(_TRUTH_LISTS)}")
    images = _numbered(truth_file, "images", truth["images"], "id")
    categories = _numbered(truth_file, "categories", truth["categories"], "id")
    names = _names(truth_file, truth["categories"])
    checked = {
        "images": [{"id": images[_key(row["id"])], **_described(row)} for row in truth["images"]],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
        "annotations": [
            _annotation(f"{truth_file}: annotations[{at}]", at + 1, row, images, categories)
            for at, row in enumerate(truth["annotations"])
        ],
    }
    results = _load(detections_file)
    if not isinstance(results, list):
        raise InputError(
            detections_file, "is no COCO results file", "It needs a list of image_id, category_id, bbox, score"
        )
    found = (_result(f"{detections_file}: [{at}]", row, images, categories) for at, row in enumerate(results))
    return checked, [row for row in found if row is not None]


def _numbered(file: Path, what: str, rows: list[Any], key: str) -> dict[str, int]:
    """The rows' ids -> 1, 2, 3 …; ids may be numbers or words, but none twice."""
    numbers: dict[str, int] = {}
    for at, row in enumerate(rows):
        where = f"{file}: {what}[{at}]"
        if not isinstance(row, dict) or not isinstance(row.get(key), (int, str)):
            raise InputError(where, f"has no {key}", "Compare it with COCO's data format")
        if numbers.setdefault(_key(row[key]), at + 1) != at + 1:
            raise InputError(where, f"has the {key} {row[key]!r}, as one before it", f"Give each a {key} of its own")
    return numbers


def _names(file: Path, rows: list[dict[str, Any]]) -> list[str]:
    """Names of the categories, on one line each, in which they must differ."""
    _numbered(file, "categories", rows, "name")
    rows = [{"name": one_line(str(row["name"]))} for row in rows]
    _numbered(file, "categories", rows, "name")
    return [row["name"] for row in rows]


def _key(value: Any) -> str:
    return repr(value)


def _described(row: dict[str, Any]) -> dict[str, Any]:
    size = {key: int(row[key]) for key in ("width", "height") if _is_size(row.get(key))}
    noted = {"sha256": str(row.get("sha256", "")), **({"edits": str(row["edits"])} if row.get("edits") else {})}
    return {"file_name": str(row.get("file_name", row["id"])), **size, **noted}


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 < value <= _LARGEST_SIDE  # which NaN is not


def _annotation(
    where: str, number: int, row: Any, images: Mapping[str, int], categories: Mapping[str, int]
) -> dict[str, Any]:
    image, category, bbox = _placed(where, row)
    if image not in images or category not in categories:
        raise InputError(where, "names an image or a category that is not there", "Mend its image_id or category_id")
    try:
        area = float(row["area"]) if row.get("area") is not None else bbox[2] * bbox[3]
    except (TypeError, ValueError, OverflowError):
        raise InputError(where, f"has the area {row['area']!r}", "Write a number, or leave it out") from None
    crowd = int(bool(row.get("iscrowd")))
    place = {"image_id": images[image], "category_id": categories[category]}
    return {"id": number, **place, "bbox": bbox, "area": area, "iscrowd": crowd}


def _result(where: str, row: Any, images: Mapping[str, int], categories: Mapping[str, int]) -> dict[str, Any] | None:
    image, category, bbox = _placed(where, row)
    if image not in images:
        raise InputError(where, f"image {row['image_id']!r} is not in the ground truth", "Use the matching split")
    (score,) = _numbers(where, "score", [row.get("score")], 1)
    if category not in categories:
        return None
    return {"image_id": images[image], "category_id": categories[category], "bbox": bbox, "score": score}


def _placed(where: str, row: Any) -> tuple[str, str, list[float]]:
    """Keys of a row's image and category, and its box."""
    if not isinstance(row, dict):
        raise InputError(where, "is no mapping", "Compare it with COCO's data format")
    for key in ("image_id", "category_id", "bbox"):
        if key not in row:
            raise InputError(where, f"has no {key}", "Compare it with COCO's data format")
    return _key(row["image_id"]), _key(row["category_id"]), _numbers(where, "bbox", row["bbox"], 4)


def _numbers(where: str, key: str, values: Any, count: int) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise InputError(where, f"has the {key} {str(values)[:60]}", f"{count} finite numbers are right")
    return numbers


def _load(file: Path) -> Any:
    try:
        return read_json(file)
    except FileNotFoundError:
        raise InputError(file, "there is no such file", "Check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(file, f"is not a JSON file ({error})", "Check the path") from error


def _bbox(box: Box) -> list[float]:
    return [round(value, _DIGITS) for value in (box.x0, box.y0, box.width, box.height)]
