"""More nouns: what a classifier says of pictures, and what that is worth.

A classified picture is a picture with one object, whose box is all of it: `whole` makes that object. So data sets of
pictures are read, chosen, dealt, edited and audited as those of boxes are, and what a classifier says of a picture is a
Detection of the whole for every class, its score the probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from yolo_pipeline.diagnosis import Calibration, ConfusedPair, Interval
from yolo_pipeline.nouns import Box, ImageRecord, Split, Truth


def whole(label: str, width: float, height: float) -> Truth:
    """The object that a classified picture of this size is."""
    return Truth(Box(0.0, 0.0, float(width), float(height)), label)


def is_whole(image: ImageRecord) -> bool:
    """Whether a picture is classified: one object, and that is all of it."""
    return len(image.truths) == 1 and image.truths[0] == whole(image.truths[0].label, image.width, image.height)


@dataclass(frozen=True, slots=True)
class PictureClassScores:
    """One class on one split, by the most likely class of each picture. `None`: nothing to divide by."""

    images: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class PictureScores:
    """What the judge says of a classifier on one split.

    Attributes:
        top1: share of the pictures whose most likely class is right; `top5`, whose class is among the five likeliest.
        loss: mean cross entropy, natural logarithm; no probability counts for less than 1e-7.
    """

    images: int
    top1: float | None
    top5: float | None
    loss: float | None
    classes: dict[str, PictureClassScores] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a classifier says of one picture.

    Attributes:
        image: its file name in the data set.
        label: the class that it is labelled with.
        said: the likeliest classes with their probabilities, the best first; five at most. Where the first one's is 0,
            nothing was said.
        of_label: probability of `label`.
    """

    image: str
    label: str
    said: tuple[tuple[str, float], ...]
    of_label: float

    @property
    def is_right(self) -> bool:
        return self.said[0][0] == self.label and self.of_label > 0


@dataclass(frozen=True, slots=True, eq=False)
class PictureMatrix:
    """Counts (C, C) int: rows are the labels, columns what was said."""

    names: tuple[str, ...]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PictureDiagnosis:
    """What a classifier got wrong on one split.

    Attributes:
        answers: one for every picture, in the order of the judged truth.
        pairs: classes taken for one another, the most frequent first.
        calibration: whether a probability is the chance to be right, of the likeliest class of each picture.
        suspects: pictures whose label the classifier disagrees with surely enough to look at it, the surest first.
    """

    split: Split
    answers: tuple[Answer, ...]
    matrix: PictureMatrix
    pairs: tuple[ConfusedPair, ...]
    calibration: Calibration
    suspects: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Classified:
    """All that is known of one split of a classification attempt.

    Attributes:
        intervals: name of a metric (`top1`) -> where it may lie had other pictures been drawn.
    """

    scores: PictureScores
    diagnosis: PictureDiagnosis
    intervals: Mapping[str, Interval] = field(default_factory=dict)
