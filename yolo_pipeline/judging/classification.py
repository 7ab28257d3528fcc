"""The judge of classifiers: labels and probabilities of pictures -> scores.

Both are read from COCO JSON, as those of a detector are: a picture's label is its one annotation, and what the
classifier says is a result for every class, with the probability as its score.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_pipeline.classification import PictureClassScores, PictureScores
from yolo_pipeline.judging.coco import CocoResults, CocoTruth

LEAST_PROBABILITY = 1e-7
_TOP = 5

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def as_arrays(truth: CocoTruth, results: CocoResults) -> tuple[Whole, Floats]:
    """Labels (N,) as class indices, and probabilities (N, C), pictures and classes in the order of the truth.

    A picture without a label is left out; a class that nothing is said of has probability 0.
    """
    images, classes = len(truth["images"]), len(truth["categories"])
    labels = np.full(images, -1, dtype=np.int64)
    for row in truth["annotations"]:
        labels[row["image_id"] - 1] = row["category_id"] - 1
    probabilities = np.zeros((images, classes))
    for row in results:
        probabilities[row["image_id"] - 1, row["category_id"] - 1] = row["score"]
    labelled = labels >= 0
    return labels[labelled], probabilities[labelled]


def judge_pictures(truth: CocoTruth, results: CocoResults) -> PictureScores:
    """Scores of a classifier on the pictures of a truth. Of two classes equally likely, the first counts."""
    labels, probabilities = as_arrays(truth, results)
    names = [row["name"] for row in truth["categories"]]
    count = len(labels)
    if not count:
        return PictureScores(0, None, None, None, {name: PictureClassScores(0, None, None, None) for name in names})
    order = np.argsort(-probabilities, axis=1, kind="stable")
    said = order[:, 0]
    own = probabilities[np.arange(count), labels]
    return PictureScores(
        images=count,
        top1=float(np.mean(said == labels)),
        top5=float(np.mean((order[:, :_TOP] == labels[:, None]).any(axis=1))),
        loss=float(-np.log(np.clip(own, LEAST_PROBABILITY, 1.0)).mean()),
        classes={name: _of_class(number, labels, said) for number, name in enumerate(names)},
    )


def _of_class(number: int, labels: Whole, said: Whole) -> PictureClassScores:
    there, named = int((labels == number).sum()), int((said == number).sum())
    right = int(((labels == number) & (said == number)).sum())
    return PictureClassScores(
        images=there,
        precision=right / named if named else None,
        recall=right / there if there else None,
        f1=2 * right / (there + named) if there else None,
    )
