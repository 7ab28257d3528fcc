"""The nouns that every room speaks in. All frozen; all coordinates are pixels of the upright image.

"Upright" means: with the EXIF orientation applied, as Ultralytics, browsers and phones show the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
JUDGED: tuple[Split, ...] = ("val", "test")


@dataclass(frozen=True, slots=True)
class Box:
    """Axis-parallel box: x0, y0, x1, y1 in pixels, float, 0-based, half-open (width = x1 - x0)."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0


@dataclass(frozen=True, slots=True)
class Truth:
    """A labelled object: where it is and the name of its class."""

    box: Box
    label: str


@dataclass(frozen=True, slots=True)
class Detection:
    """An object as a model reports it, `score` in 0..1."""

    box: Box
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Resize:
    """Stretched to exactly this size."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Crop:
    """The part from pixel (x, y) on, `width` x `height` large."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pad:
    """Laid on a grey canvas of `width` x `height`, the upper left corner at (x, y)."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Place:
    """As `Pad`, for a cut-out, whose alpha lets the grey through; always the first edit of a picture."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Mirrored or turned by quarters, named by the EXIF orientation that stands for it.

    2 left to right, 4 top to bottom, 6 clockwise, 8 counter-clockwise, 3 upside down, 5 and 7 the two diagonals.
    """

    orientation: int


@dataclass(frozen=True, slots=True)
class Rotate:
    """Turned about its centre by `degrees`, counter-clockwise, on a canvas that stays; what comes in is grey."""

    degrees: float


@dataclass(frozen=True, slots=True)
class Brighten:
    """Every value times `factor`, at most 255."""

    factor: float


@dataclass(frozen=True, slots=True)
class Blur:
    """Blurred by a Gaussian whose standard deviation is `sigma` pixels."""

    sigma: float


@dataclass(frozen=True, slots=True)
class InBox:
    """`edits` on the part from (x0, y0) to (x1, y1) alone, in whole pixels, half-open: what a box holds, in place."""

    x0: int
    y0: int
    x1: int
    y1: int
    edits: tuple[Turn | Rotate | Brighten | Blur, ...]


Edit = Resize | Crop | Pad | Place | Turn | Rotate | Brighten | Blur | InBox
"""An operation on the upright pixels of a picture, of which a list is rendered when a data set is written."""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One picture and what is labelled in it.

    Attributes:
        file: where the bytes are.
        name: path below the source's folder, with `/`; unique within a source and the same on every disk.
        width, height: upright size in pixels, after the edits.
        suffix: suffix of the picture's true format that training frameworks read, with the dot (`.jpg`).
        truths: the labelled objects, on the edited picture; empty means background.
        group: pictures of one group must stay in one split (versions of one photo); empty: no such group.
        split: the split that the source put it in, or None.
        edits: what is done to the upright picture in `file`, in this order; empty: it is taken as it is.
    """

    file: Path
    name: str
    width: int
    height: int
    suffix: str
    truths: tuple[Truth, ...] = ()
    group: str = ""
    split: Split | None = None
    edits: tuple[Edit, ...] = ()

    @property
    def is_background(self) -> bool:
        return not self.truths


@dataclass(frozen=True, slots=True)
class Dataset:
    """Class names in index order, and images in a fixed order."""

    names: tuple[str, ...]
    images: tuple[ImageRecord, ...]

    def of(self, split: Split) -> tuple[ImageRecord, ...]:
        return tuple(image for image in self.images if image.split == split)

    def with_images(self, images: Iterable[ImageRecord]) -> Dataset:
        return replace(self, images=tuple(images))

    @property
    def boxes(self) -> int:
        return sum(len(image.truths) for image in self.images)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that reading did to one object of one file. `object` counts from 1; 0 is the file as a whole."""

    file: str
    object: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A picture or annotation file that did not become part of the data set."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What a source says of itself: its licence, version, where it came from, how it was preprocessed."""

    source: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What reading changed, left out and noticed. Nothing is mended silently."""

    fixed: tuple[Change, ...] = ()
    dropped: tuple[Change, ...] = ()
    skipped: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()

    def __add__(self, other: ReadReport) -> ReadReport:
        return ReadReport(
            self.fixed + other.fixed,
            self.dropped + other.dropped,
            self.skipped + other.skipped,
            self.notes + other.notes,
            self.facts + other.facts,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a data set that its makers should know before they train on it.

    Attributes:
        kind: which check found it, in a few words that never change ("leakage", "tiny boxes").
        severity: `fault` spoils training or its scores, `warning` costs accuracy, `note` is worth knowing.
        text: what was found, on one line, with counts.
        remedy: what to do about it.
        files: the pictures (or files) concerned, the worst first; all of them.
        figures: the numbers behind it, for other programs.
    """

    kind: str
    severity: Literal["fault", "warning", "note"]
    text: str
    remedy: str
    files: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """One class on one split. `None` where the split holds no object of the class."""

    truths: int
    AP50: float | None
    AP50_95: float | None
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """What the judge says of one split.

    `precision`, `recall`, `f1` and `correct` count all boxes together, at IoU 0.5, of the detections with a score
    of at least `conf`, the confidence at which F1 is best. mAP is COCO's (101 recall points, 100 boxes an image).
    """

    images: int
    truths: int
    detections: int
    mAP50: float | None
    mAP50_95: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    conf: float | None
    correct: int
    classes: dict[str, ClassScores] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Curves:
    """Loss and metric curves: column name -> one value a row; every column is equally long.

    Columns `step` and `epoch` count from 1, `seconds` is wall time since training began; the others are named
    `train/box_loss`, `val/mAP50` and so on. A column that the track lacks is absent.
    """

    columns: dict[str, tuple[float, ...]]

    def __len__(self) -> int:
        return max((len(values) for values in self.columns.values()), default=0)
