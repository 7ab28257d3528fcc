"""The faults that benchmarks/advice.py plants, one each, in pictures of handwritten digits that have none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from yolo_pipeline import digits, formats
from yolo_pipeline.building.pictures import read_pictures
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Split, Truth
from yolo_pipeline.progress import silent

VAL, TEST, PAPERS = 50, 30, {"train": 8, "val": 4, "test": 4}
ATTEMPT: dict[str, Any] = {
    "model": "yolov8n",
    "pretrained": False,
    "data": {"sources": [{"path": "datasets/raw/planted", "format": "yolo"}]},
    "train": {
        "imgsz": 128,
        "batch": 8,
        "epochs": 20,
        "optimizer": "AdamW",
        "lr0": 0.002,
        "momentum": 0.9,
        "nbs": 8,
        "warmup_epochs": 1,
        "close_mosaic": 5,
        "hsv_s": 0.2,
        "hsv_v": 0.2,
        "fliplr": 0.0,
        "device": "cpu",
    },
}
"""Of which a detector learns the digits: mAP50 on val is 0.97 or more."""

Plant = Callable[[Dataset, Path, int], Dataset]
"""A data set with its splits, a folder for new pictures and a seed -> the data set with the fault in it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and the rules of which one must come first; none for the control.

    Attributes:
        settings: what the attempt says otherwise than ATTEMPT, by dotted key.
        trained_as: a fault with the same data and training, which need not be done twice.
    """

    name: str
    rules: tuple[str, ...]
    plant: Plant | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    trained_as: str | None = None


def faultless(raw: Path, seed: int) -> Dataset:
    """The pictures with all their digits labelled tightly, and paper, dealt into splits by a seed."""
    labelled, _ = formats.read(raw / "more", "labelimg")
    papers = read_pictures(raw / "backgrounds", "reading paper", silent)
    rng = np.random.default_rng(seed)
    scenes = [labelled.images[i] for i in rng.permutation(len(labelled.images))]
    dealt = [
        replace(scene, split="val" if i < VAL else "test" if i < VAL + TEST else "train")
        for i, scene in enumerate(scenes)
    ]
    splits: list[Split] = [split for split, number in PAPERS.items() for _ in range(number)]  # type: ignore[misc]
    sheets = [replace(paper, split=split, truths=()) for paper, split in zip(papers, splits, strict=False)]
    return labelled.with_images((*dealt, *sheets))


def leakage(dataset: Dataset, folder: Path, seed: int) -> Dataset:
    """Half of val are copies of training pictures, a little brighter and saved anew: as frames of one film would be."""
    training = [image for image in dataset.of("train") if image.truths]
    kept = [image for image in dataset.images if image.split != "val"]
    val = list(dataset.of("val"))
    copies = [_brighter(image, folder) for image in training[: VAL // 2]]
    return dataset.with_images((*kept, *val[VAL // 2 :], *copies))


def no_backgrounds(dataset: Dataset, folder: Path, seed: int) -> Dataset:
    """No paper in training; in val, 20 sheets with letters and signs."""
    rng = np.random.default_rng(seed)
    papers = [image for image in dataset.images if image.is_background]
    sheets = [_written_on(papers[i % len(papers)], i, rng, folder) for i in range(20)]
    return dataset.with_images((*(image for image in dataset.images if image.truths), *sheets))


def swapped_labels(dataset: Dataset, folder: Path, seed: int) -> Dataset:
    """One in five 1 and 4 bears the other's name, everywhere."""
    rng = np.random.default_rng(seed)
    other = {"1": "4", "4": "1"}

    def swap(truth: Truth) -> Truth:
        return replace(truth, label=other[truth.label]) if truth.label in other and rng.random() < 0.2 else truth

    return _with_truths(dataset, lambda image: [swap(truth) for truth in image.truths])


def loose_boxes(dataset: Dataset, folder: Path, seed: int) -> Dataset:
    """Paper of 5 to 45 % of the digit's size on every side, as in the first drawing of the digits' boxes."""
    rng = np.random.default_rng(seed)

    def loosen(truth: Truth, image: ImageRecord) -> Truth:
        left, top, right, bottom = rng.uniform(0.05, 0.45, size=4)
        box, width, height = truth.box, truth.box.width, truth.box.height
        x0, y0 = max(0.0, box.x0 - left * width), max(0.0, box.y0 - top * height)
        x1, y1 = min(image.width, box.x1 + right * width), min(image.height, box.y1 + bottom * height)
        return replace(truth, box=Box(x0, y0, x1, y1))

    return _with_truths(dataset, lambda image: [loosen(truth, image) for truth in image.truths])


def rare_class(dataset: Dataset, folder: Path, seed: int) -> Dataset:
    """Of the pictures with a 6, five are left in training."""
    rare = [image.name for image in dataset.of("train") if any(truth.label == "6" for truth in image.truths)]
    left_out = set(rare[5:])
    return dataset.with_images(image for image in dataset.images if image.name not in left_out)


def few_pictures(dataset: Dataset, folder: Path, seed: int) -> Dataset:
    """24 pictures in training."""
    kept = {image.name for image in dataset.of("train")[:24]}
    return dataset.with_images(image for image in dataset.images if image.split != "train" or image.name in kept)


_NO_AUGMENTATION = dict.fromkeys(
    ("train.mosaic", "train.translate", "train.scale", "train.erasing", "train.hsv_h", "train.hsv_s", "train.hsv_v"),
    0.0,
)

_MANY_STEPS = {"train.epochs": 80, "train.batch": 4, "train.nbs": 4}  # 6 an epoch

FAULTS: tuple[Fault, ...] = (
    Fault("control", ()),
    Fault("leakage", ("leakage",), leakage),
    Fault("mirrored digits", ("mirrored classes",), settings={"train.fliplr": 0.5, "train.flipud": 0.5}),
    Fault("one epoch", ("hardly any epochs",), settings={"train.epochs": 1}),
    Fault("tiny imgsz", ("larger pictures",), settings={"train.imgsz": 32}),
    Fault("no backgrounds", ("background images",), no_backgrounds),
    Fault("swapped labels", ("wrong labels", "confused pair"), swapped_labels),
    Fault("loose boxes", ("loose boxes",), loose_boxes),
    Fault("rare class", ("rare class",), rare_class, {"train.epochs": 16}),
    Fault("too high conf", ("confidence",), settings={"detect.conf": 0.9}, trained_as="control"),
    Fault("overfitting", ("overfitting",), few_pictures, {**_NO_AUGMENTATION, **_MANY_STEPS}),
)


def _with_truths(dataset: Dataset, truths_of: Callable[[ImageRecord], list[Truth]]) -> Dataset:
    return dataset.with_images(replace(image, truths=tuple(truths_of(image))) for image in dataset.images)


def _brighter(image: ImageRecord, folder: Path) -> ImageRecord:
    pixels = cv2.imread(str(image.file))
    file = folder / f"copy_{image.file.name}"
    cv2.imwrite(str(file), cv2.convertScaleAbs(pixels, alpha=1.03, beta=2), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return replace(image, file=file, name=file.name, split="val")


def _written_on(paper: ImageRecord, number: int, rng: np.random.Generator, folder: Path) -> ImageRecord:
    pixels = cv2.imread(str(paper.file))
    ink = tuple(float(value) for value in rng.integers(0, 70, size=3))
    for column, sign in enumerate(rng.choice(list("ABCGHKPRSUXYZ?&"), size=3)):
        place = 8 + 50 * column, int(rng.integers(50, 150))
        cv2.putText(
            pixels, str(sign), place, cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(1.3, 1.9)), ink, 4, cv2.LINE_AA
        )
    file = folder / f"letters_{number:02}.jpg"
    cv2.imwrite(str(file), pixels)
    return replace(paper, file=file, name=file.name, split="val")


def make_raw(folder: Path) -> None:
    """Makes the built-in digits once."""
    if not folder.exists():
        digits.make(folder)
