"""Whether two attempts were judged on the same images, and what is left of two test sets that differ."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from yolo_pipeline.judging.coco import CocoResults, CocoTruth

_Image = dict[str, Any]


def same_truths(truth_a: CocoTruth, truth_b: CocoTruth) -> bool:
    """Whether both hold the same pictures with the same boxes and classes, in whatever order.

    A picture is known by its sha256 and what was done to it, or by its file name where that was not noted.
    """
    return truth_a == truth_b or _content(truth_a) == _content(truth_b)


def on_shared_images(
    truth_a: CocoTruth, results_a: CocoResults, truth_b: CocoTruth, results_b: CocoResults
) -> tuple[CocoTruth, CocoResults, CocoResults] | None:
    """What can be judged of both: the pictures that both have, in b's order, with the objects of b.

    Pictures are the same by a sha256 that was noted, by what was done to them, and by their size; where the whole
    truths are the same, file names will do. Equal ones in one set are paired by their order. Classes that only one of
    the two knows are left out, with their objects and detections; ids are numbered anew.

    Returns:
        Truth, results of a, results of b; None where no picture or no class is in both.
    """
    images = list(_paired(truth_a, truth_b))
    known = {category["name"] for category in truth_a["categories"]}
    names = [category["name"] for category in truth_b["categories"] if category["name"] in known]
    if not images or not names:
        return None
    a = {image["id"]: number for number, (image, _) in enumerate(images, start=1)}
    b = {image["id"]: number for number, (_, image) in enumerate(images, start=1)}
    classes_a, classes_b = _classes(truth_a, names), _classes(truth_b, names)
    truth = {
        "images": [{**image, "id": number} for number, (_, image) in enumerate(images, start=1)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
        "annotations": [
            {**row, "id": number} for number, row in enumerate(_kept(truth_b["annotations"], b, classes_b), start=1)
        ],
    }
    return truth, list(_kept(results_a, a, classes_a)), list(_kept(results_b, b, classes_b))


def _paired(truth_a: CocoTruth, truth_b: CocoTruth) -> Iterator[tuple[_Image, _Image]]:
    """The images that both have, in b's order."""
    names_will_do = same_truths(truth_a, truth_b)
    waiting: dict[tuple[Any, ...], deque[_Image]] = defaultdict(deque)
    for image in truth_a["images"]:
        waiting[_shown(image)].append(image)
    for image in truth_b["images"]:
        if waiting[_shown(image)] and (image.get("sha256") or names_will_do):
            yield waiting[_shown(image)].popleft(), image


def _shown(image: _Image) -> tuple[Any, ...]:
    return (*_known_by(image), image.get("width"), image.get("height"))


def _classes(truth: CocoTruth, names: list[str]) -> dict[int, int]:
    """Category id -> its new one."""
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return {row["id"]: numbers[row["name"]] for row in truth["categories"] if row["name"] in numbers}


def _kept(
    rows: list[dict[str, Any]], images: Mapping[int, int], classes: Mapping[int, int]
) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row["image_id"] in images and row["category_id"] in classes:
            yield {**row, "image_id": images[row["image_id"]], "category_id": classes[row["category_id"]]}


def _content(truth: CocoTruth) -> list[Any]:
    names = {category["id"]: category["name"] for category in truth["categories"]}
    boxes: dict[int, list[Any]] = {image["id"]: [] for image in truth["images"]}
    for row in truth["annotations"]:
        boxes[row["image_id"]].append([names[row["category_id"]], list(row["bbox"]), bool(row.get("iscrowd"))])
    return sorted([*_known_by(image), sorted(boxes[image["id"]])] for image in truth["images"])


def _known_by(image: _Image) -> tuple[str, str]:
    """What says which picture it is, and what was done to it or, without the first, its name."""
    known = image.get("sha256")
    return (str(known), str(image.get("edits") or "")) if known else ("", str(image.get("file_name")))
