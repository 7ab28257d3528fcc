"""What every rule is given: the data set, what reading it reported, what was measured of its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from yolo_pipeline.auditing.likeness import near_pairs
from yolo_pipeline.auditing.overlaps import Overlaps, find_overlaps
from yolo_pipeline.auditing.pictures import Measured, Picture, measure_all
from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import SPLITS, Dataset, ImageRecord, ReadReport, Split
from yolo_pipeline.progress import Progress

Severity = Literal["fault", "warning", "note"]

_NAMED = 3


@dataclass(frozen=True, slots=True)
class BoxTable:
    """All boxes of a data set, row by row, in the order of its images.

    Attributes:
        image: (N,) int, index of the image.
        label: (N,) int, index of the class.
        corners: (N, 4) float, x0, y0, x1, y1 in pixels.
        frame: (N, 2) float, width and height of the image.
    """

    image: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    corners: npt.NDArray[np.float64]
    frame: npt.NDArray[np.float64]

    @property
    def size(self) -> npt.NDArray[np.float64]:
        """(N, 2): width and height of each box in pixels."""
        return self.corners[:, 2:] - self.corners[:, :2]

    @property
    def share(self) -> npt.NDArray[np.float64]:
        """(N,): area of each box as a share of its image."""
        area: npt.NDArray[np.float64] = self.size.prod(axis=1) / np.maximum(self.frame.prod(axis=1), 1)
        return area


@dataclass(frozen=True)
class Evidence:
    """All that is known of a data set.

    Attributes:
        hashes: sha256 of every picture's file.
        imgsz: what the longer side of a picture is scaled to in training, in pixels.
        classified: whether each picture is of one class, and its box all of it: then boxes are counted as pictures.
    """

    dataset: Dataset
    report: ReadReport
    hashes: Mapping[Path, str]
    measured: Measured
    imgsz: int = 640
    classified: bool = False

    @property
    def thing(self) -> Literal["box", "picture"]:
        """What has a class, in words."""
        return "picture" if self.classified else "box"

    @property
    def things(self) -> Literal["boxes", "pictures"]:
        return "pictures" if self.classified else "boxes"

    @property
    def images(self) -> tuple[ImageRecord, ...]:
        return self.dataset.images

    @cached_property
    def has_splits(self) -> bool:
        return any(image.split is not None for image in self.images)

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """The splits that hold images; those of a data set without splits are all for training."""
        there = {image.split or "train" for image in self.images}
        return tuple(split for split in SPLITS if split in there)

    @cached_property
    def split_of(self) -> tuple[Split, ...]:
        return tuple(image.split or "train" for image in self.images)

    @cached_property
    def boxes(self) -> BoxTable:
        numbers = {name: number for number, name in enumerate(self.dataset.names)}
        rows = [(i, image, truth) for i, image in enumerate(self.images) for truth in image.truths]
        corners = [(t.box.x0, t.box.y0, t.box.x1, t.box.y1) for _, _, t in rows]
        return BoxTable(
            np.array([i for i, _, _ in rows], dtype=np.int64),
            np.array([numbers[truth.label] for _, _, truth in rows], dtype=np.int64),
            np.array(corners, dtype=np.float64).reshape(-1, 4),
            np.array([(image.width, image.height) for _, image, _ in rows], dtype=np.float64).reshape(-1, 2),
        )

    @cached_property
    def overlaps(self) -> Overlaps:
        return find_overlaps(self.boxes.image, self.boxes.corners)

    @cached_property
    def box_counts(self) -> npt.NDArray[np.int64]:
        """(images,): how many boxes each image has."""
        return np.array([len(image.truths) for image in self.images], dtype=np.int64)

    @cached_property
    def class_counts(self) -> dict[Split, npt.NDArray[np.int64]]:
        """Boxes of each class, by split."""
        table, number = self.boxes, len(self.dataset.names)
        split = np.array([SPLITS.index(split) for split in self.split_of], dtype=np.int64)[table.image]
        return {s: np.bincount(table.label[split == SPLITS.index(s)], minlength=number) for s in self.splits}

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The distinct picture files that could be read, sorted."""
        return tuple(sorted({image.file for image in self.images} & self.measured.pictures.keys()))

    @cached_property
    def by_file(self) -> dict[Path, list[ImageRecord]]:
        """The images made of each file; several where edited versions of it were added."""
        by_file: dict[Path, list[ImageRecord]] = {}
        for image in self.images:
            by_file.setdefault(image.file, []).append(image)
        return by_file

    @cached_property
    def near(self) -> list[tuple[Path, Path]]:
        """Pairs of different files that show nearly the same."""
        return _near(self.files, self.measured)

    def picture(self, file: Path) -> Picture:
        return self.measured.pictures[file]

    def names_of(self, boxes: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> tuple[str, ...]:
        """Names of the images that hold the chosen boxes, those with most of them first."""
        chosen, counts = np.unique(self.boxes.image[boxes], return_counts=True)
        return tuple(self.images[i].name for i in chosen[np.argsort(-counts, kind="stable")])

    def scale(self, image: ImageRecord) -> float:
        return self.imgsz / max(image.width, image.height)


def similar_files(dataset: Dataset, progress: Progress) -> list[tuple[Path, Path]]:
    """Pairs of different files of a data set that show nearly the same."""
    measured = measure_all([image.file for image in dataset.images], progress)
    return _near(sorted(measured.pictures), measured)


def _near(files: Sequence[Path], measured: Measured) -> list[tuple[Path, Path]]:
    pictures = [measured.pictures[file] for file in files]
    pairs = near_pairs(
        [picture.likeness for picture in pictures],
        [picture.thumb for picture in pictures],
        [picture.side for picture in pictures],
    )
    return [(files[a], files[b]) for a, b in pairs]


def count(number: int, noun: str) -> str:
    """`1 picture`, `2 pictures`, `3 boxes`."""
    if number == 1:
        return f"1 {noun}"
    ending = "es" if noun.endswith(("s", "x")) else "s"
    return f"{number:,} {noun}{ending}"


def percent(share: float) -> str:
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def named(names: Sequence[str] | Iterable[str], most: int = _NAMED) -> str:
    """The first few names on one line, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(one_line(name) for name in names[:most]) + more
