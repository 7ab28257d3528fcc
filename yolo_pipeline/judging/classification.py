"""The judge of classifiers: labels and probabilities of pictures -> scores.

Both are read from COCO JSON, as those of a detector are: a picture's label is its one annotation, and what the
classifier says is a result for every class, with the probability as its score.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from yolo_pipeline.classification import PictureClassScores, PictureScores
from yolo_pipeline.errors import InputError
from yolo_pipeline.judging.coco import CocoResults, CocoTruth

LEAST_PROBABILITY = 1e-7
TOP = 5
_MOST_CLASSES = 5000  # the matrix of more would not fit into memory

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)  # no slots: what is asked for is kept
class Told:
    """What is said of the labelled pictures of a truth, in its order.

    Attributes:
        files: (N,) their file names.
        names: (C,) the classes.
        labels: (N,) as class indices.
        probabilities: (N, C); 0 for a class that nothing is said of.
        ranking: (N, C) class indices, the likeliest first; of two that are equally likely, the first one is.
    """

    files: tuple[str, ...]
    names: tuple[str, ...]
    labels: Whole
    probabilities: Floats
    ranking: Whole

    @cached_property
    def said(self) -> Whole:
        """(N,) the likeliest class; -1 where every probability is 0, so that nothing is said."""
        return np.where(self.of_said > 0, self.ranking[:, :1].ravel(), -1)

    @cached_property
    def of_said(self) -> Floats:
        """(N,) probability of the likeliest class."""
        return np.take_along_axis(self.probabilities, self.ranking[:, :1], axis=1).ravel()

    @cached_property
    def of_label(self) -> Floats:
        """(N,) probability of the label."""
        return np.take_along_axis(self.probabilities, self.labels[:, None], axis=1).ravel()

    @cached_property
    def right(self) -> Bools:
        """(N,) whether the likeliest class is the label."""
        return np.equal(self.said, self.labels)


def told(truth: CocoTruth, results: CocoResults) -> Told:
    """Truth and results, as `judging.coco` makes or reads them, as arrays; pictures without a label are left out.

    Raises:
        InputError: a probability outside 0..1, or more than 5,000 classes.
    """
    names = tuple(row["name"] for row in truth["categories"])
    if len(names) > _MOST_CLASSES:
        raise InputError("the truth", f"has {len(names):,} classes", f"Judge at most {_MOST_CLASSES:,} at once")
    files = [row["file_name"] for row in truth["images"]]
    labels = np.full(len(files), -1, dtype=np.int64)
    for row in truth["annotations"]:
        labels[row["image_id"] - 1] = row["category_id"] - 1
    probabilities = np.zeros((len(files), len(names)))
    for row in results:
        probabilities[row["image_id"] - 1, row["category_id"] - 1] = row["score"]
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise InputError("the results", "scores reach out of 0..1", "Save them as probabilities, then judge again")
    there = np.flatnonzero(labels >= 0)
    ranking = np.argsort(-probabilities[there], axis=1, kind="stable")
    return Told(tuple(files[at] for at in there), names, labels[there], probabilities[there], ranking)


def judge_pictures(truth: CocoTruth, results: CocoResults) -> PictureScores:
    """Scores of a classifier on the pictures of a truth.

    Of two classes equally likely, the first counts; one of probability 0 is never among the likeliest.

    Raises:
        InputError: as `told` says.
    """
    known = told(truth, results)
    classes = {name: _of_class(number, known) for number, name in enumerate(known.names)}
    count = len(known.labels)
    if not count:
        return PictureScores(0, None, None, None, classes)
    among = (known.ranking[:, :TOP] == known.labels[:, None]).any(axis=1) & (known.of_label > 0)
    return PictureScores(
        images=count,
        top1=float(np.mean(known.right)),
        top5=float(np.mean(among)),
        loss=float(-np.log(np.clip(known.of_label, LEAST_PROBABILITY, 1.0)).mean()),
        classes=classes,
    )


def _of_class(number: int, known: Told) -> PictureClassScores:
    there, named = int((known.labels == number).sum()), int((known.said == number).sum())
    right = int((known.right & (known.labels == number)).sum())
    return PictureClassScores(
        images=there,
        precision=right / named if named else None,
        recall=right / there if there else None,
        f1=2 * right / (there + named) if there else None,
    )
