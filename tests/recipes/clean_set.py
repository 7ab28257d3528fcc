"""A clean data set of photograph-like pictures, as a person would leave it on a disk, to plant faults in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.nouns import Box, Truth

WIDTH, HEIGHT, CELL = 320, 240, 80
CLASSES = ("bolt", "nut", "washer")
SIZES = {"train": 84, "val": 22, "test": 22}
BACKGROUNDS = 4  # the first pictures of train


@dataclass(frozen=True)
class LabelledFolder:
    """Pictures with LabelImg's XML beside them, in folders train, val and test."""

    root: Path

    def picture(self, name: str) -> Path:
        return self.root / name

    def truths(self, name: str) -> list[Truth]:
        return scene_truths(*place_of(name))

    def label(self, name: str, truths: list[Truth], size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        text = annotation_xml(truths, self.picture(name), *size, origin=0)
        self.picture(name).with_suffix(".xml").write_text(text, encoding="utf-8")

    def names(self, split: str) -> list[str]:
        return [f"{split}/{number:03}.jpg" for number in range(SIZES[split])]

    def add(self, name: str, pixels: np.ndarray, truths: list[Truth], **save: object) -> None:
        Image.fromarray(pixels).save(self.picture(name), **save)
        self.label(name, truths, (pixels.shape[1], pixels.shape[0]))

    def pixels(self, name: str) -> np.ndarray:
        with Image.open(self.picture(name)) as image:
            return np.asarray(image.convert("RGB"))

    def repaint(self, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
        Image.fromarray(change(self.pixels(name))).save(self.picture(name), quality=92)

    def edit(self, name: str, old: str, new: str) -> None:
        """Changes the text of one XML file; what is to be changed must be there."""
        file = self.picture(name).with_suffix(".xml")
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def relabel(self, change: Callable[[str, int, Truth], str]) -> None:
        """Gives every object the class that `change` says of (picture, running number in its split, object)."""
        for split in SIZES:
            number = 0
            for name in self.names(split):
                truths = []
                for truth in self.truths(name):
                    truths.append(Truth(truth.box, change(name, number, truth)))
                    number += 1
                self.label(name, truths)


def place_of(name: str) -> tuple[str, int]:
    split, _, file = name.partition("/")
    return split, int(file.removesuffix(".jpg"))


def random_of(split: str, number: int) -> np.random.Generator:
    return np.random.default_rng([tuple(SIZES).index(split), number])


def scene_truths(split: str, number: int) -> list[Truth]:
    """Six to eight objects, each in a cell of its own; none on backgrounds."""
    if split == "train" and number < BACKGROUNDS:
        return []
    rng = random_of(split, number)
    cells = rng.permutation(12)[: int(rng.integers(6, 9))]
    truths = []
    for place, cell in enumerate(cells):
        width, height = (int(side) for side in rng.integers(44, 66, size=2))
        x = int(cell) % 4 * CELL + int(rng.integers(1, CELL - width))
        y = int(cell) // 4 * CELL + int(rng.integers(1, CELL - height))
        truths.append(Truth(Box(x, y, x + width, y + height), CLASSES[(number + place) % 3]))
    return truths


def scene_pixels(split: str, number: int) -> np.ndarray:
    """Soft colours, grain, and the objects: discs, rings and bars."""
    rng = random_of(split, number + 1000)
    soft = rng.integers(60, 200, size=(6, 8, 3)).astype(np.uint8)
    pixels = cv2.resize(soft, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    for truth in scene_truths(split, number):
        box, colour = truth.box, [int(value) for value in rng.integers(0, 255, size=3)]
        centre = (int(box.x0 + box.x1) // 2, int(box.y0 + box.y1) // 2)
        axes = (int(box.width) // 2 - 1, int(box.height) // 2 - 1)
        thick = {"bolt": -1, "nut": 10, "washer": 5}[truth.label]
        cv2.ellipse(pixels, centre, axes, 0, 0, 360, colour, thick)
    return np.clip(pixels + rng.normal(0, 9, pixels.shape), 0, 255).astype(np.uint8)


def write_clean_set(root: Path) -> LabelledFolder:
    folder = LabelledFolder(root)
    for split, number in SIZES.items():
        (root / split).mkdir(parents=True)
        for index in range(number):
            name = f"{split}/{index:03}.jpg"
            folder.add(name, scene_pixels(split, index), scene_truths(split, index), quality=92)
    return folder
