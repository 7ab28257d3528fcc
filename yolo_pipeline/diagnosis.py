"""The nouns of a diagnosis: what a model got wrong on one split, counted, with the boxes behind each count.

All frozen. `conf` is the confidence that mistakes are counted at; images go by the file names of the judged truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from yolo_pipeline.nouns import Detection, Split, Truth

ErrorName = Literal["Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"]
ERROR_NAMES: tuple[ErrorName, ...] = ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")
BACKGROUND = "background"
"""Name of the last row and column of a confusion matrix, which are no class."""

SuspectKind = Literal["missing", "wrong class", "loose", "group"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure may lie had other images of the same kind been drawn.

    Of detectors: bootstrap over images, percentiles; of classifiers: see `judging.classified`.
    """

    low: float
    high: float
    confidence: float = 0.95

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """mAP50 and mAP50-95 as they would have been, had other images been drawn: what intervals are made of.

    Attributes:
        images: how many of the images hold objects.
        whole: (2,) on the images as they are.
        figures: (R, 2) of each resample, NaN for one without objects; resamples of one truth go alike.
    """

    images: int
    whole: npt.NDArray[np.float64]
    figures: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a figure of one model lies above that of another on the same images, paired image by image."""

    delta: float
    interval: Interval

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero. It covers the choice of images, not the luck of training."""
        return self.interval.low > 0 or self.interval.high < 0


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One of TIDE's six kinds (Bolya et al., ECCV 2020; foreground IoU 0.5, background IoU 0.1).

    Attributes:
        dAP: what AP50 would gain, were all errors of this kind mended, over all detections; 0..1.
        count: how many there are among detections of at least `conf`.
    """

    name: ErrorName
    dAP: float
    count: int


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of the confusion matrix: a truth, a detection, or the two matched at IoU 0.5 whatever their class."""

    image: str
    truth: Truth | None
    detection: Detection | None
    iou: float = 0.0

    @property
    def row(self) -> str:
        return self.truth.label if self.truth else BACKGROUND

    @property
    def column(self) -> str:
        return self.detection.label if self.detection else BACKGROUND

    @property
    def is_hit(self) -> bool:
        return self.truth is not None and self.detection is not None and self.truth.label == self.detection.label


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """Counts (C + 1, C + 1) int: rows are what is there, columns what was said; the last of each is background."""

    names: tuple[str, ...]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """`truth` taken for `said`, `count` times; `share` of the truths of that class, 0..1. The images, most first."""

    truth: str
    said: str
    count: int
    share: float
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """Of `truths` objects of a class, or of a size, `missed` were found under no class."""

    name: str
    truths: int
    missed: int

    @property
    def share(self) -> float:
        return self.missed / self.truths if self.truths else 0.0


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Detections where nothing is.

    Attributes:
        boxes: on all images: detections that overlap no object by IoU 0.1.
        backgrounds: images of the split without objects.
        fired: those of them with a detection, the ones with most first.
        fired_boxes: detections on these.
    """

    boxes: int
    backgrounds: int
    fired: tuple[str, ...]
    fired_boxes: int


@dataclass(frozen=True, slots=True)
class ConfidenceCurve:
    """What happens at each confidence; all five equally long, `conf` ascending from 0 to 1.

    Attributes:
        precision: NaN where nothing is detected.
        boxes: detections an image.
        best: the confidence of the best F1; None where there is no truth or no detection.
    """

    conf: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    boxes: tuple[float, ...]
    best: float | None

    def at(self, conf: float) -> tuple[float, float, float, float]:
        """Precision, recall, F1 and boxes an image at the nearest confidence of the curve."""
        place = int(np.argmin(np.abs(np.asarray(self.conf) - conf)))
        return self.precision[place], self.recall[place], self.f1[place], self.boxes[place]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether a score is the chance to be right.

    Attributes:
        error: expected calibration error, 0..1.
        bins: (mean score, share that is right, detections) of each tenth of the scores that holds any.
    """

    error: float
    bins: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that the model disagrees with, surely enough to look at it.

    Attributes:
        kind: an object without label; one of another class; a box that is loose; one box around several objects.
        truth: the label as it is; None where it is missing.
        proposed: what the model would write instead.
        weight: how much it deserves a look, 0..1; lists go by it.
    """

    kind: SuspectKind
    image: str
    truth: Truth | None
    proposed: tuple[Detection, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All of it, of one split.

    Attributes:
        images: how many.
        truths: how many objects.
        errors: TIDE's six, in the order of ERROR_NAMES.
        cases: every entry of the matrix.
        pairs: classes taken for one another, the most frequent first.
        by_size: objects by their longer side as the model sees it, at its imgsz: under 8 pixels, 8 to 16, 16 to 32,
            32 to 96, above; only sizes that occur.
        curve: over confidence.
        recalls: the 101 recalls that the PR curves are read at.
        pr: class -> precision at each of them; classes with truths only.
        median_iou: median IoU of detections with the right class and the object that they found; None without any.
    """

    split: Split
    conf: float
    images: int
    truths: int
    errors: tuple[ErrorKind, ...]
    matrix: ConfusionMatrix
    cases: tuple[Case, ...]
    pairs: tuple[ConfusedPair, ...]
    by_size: tuple[Missed, ...]
    by_class: tuple[Missed, ...]
    alarms: FalseAlarms
    curve: ConfidenceCurve
    recalls: tuple[float, ...]
    pr: dict[str, tuple[float, ...]]
    calibration: Calibration
    suspects: tuple[Suspect, ...]
    median_iou: float | None

    def error(self, name: ErrorName) -> ErrorKind:
        return next(error for error in self.errors if error.name == name)


CurveUnit = Literal["epoch", "step"]
"""What a training goes by: the TensorFlow Object Detection API knows steps alone, of which an epoch has many."""


@dataclass(frozen=True, slots=True)
class CurveReading:
    """What the curves of a training say.

    Attributes:
        epochs: that were run; `asked`, those that the settings allow; `best`, that of the best mAP50-95 on val, from 1.
        still_falling: how much the loss on val fell over the last fifth of the epochs, as a share of its highest value.
        val_rise: how far the loss on val ends above its lowest, as a share of the lowest.
        lowest: the epoch with the lowest loss on val.
        train_fall: how far the loss on train fell after that epoch, as a share of what it was there.
        stopped_early: whether patience ended it.
        unit: what all of these count. Where it is steps, a fifth is one of the evaluations on val.
        apart: from which on, to the end, the loss on train is no number or much higher than it began; None: it is not.
    """

    epochs: int
    asked: int
    best: int
    still_falling: float
    val_rise: float
    lowest: int
    train_fall: float
    stopped_early: bool
    unit: CurveUnit = "epoch"
    apart: int | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """What to try next, and why.

    Attributes:
        rule: the rule that gives it, in a few words that never change.
        measured: the trigger as it was measured, on one line, with its numbers.
        cause: why that happens, in a sentence.
        remedy: what to do, in a sentence.
        source: where the rule comes from.
        changes: (dotted key of an attempt, value), such as ("train.imgsz", 640); None removes the key. May be empty:
            then it is work by hand.
        images: the pictures it is about, the worst first.
        figures: the numbers behind it, for other programs and other languages.
    """

    rule: str
    measured: str
    cause: str
    remedy: str
    source: str
    changes: tuple[tuple[str, Any], ...] = ()
    images: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
