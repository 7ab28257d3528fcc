"""What a network in whole numbers is still worth: never the same as its weights, so the judge says how well it does.

Boxes are not compared one by one: scores in 256 steps and corners moved by them let boxes come and go at any confidence
that one looks at. What a user loses by it is mAP50 on labelled pictures, and that is what is measured, said and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yolo_pipeline.asking import Predictor
from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.images import evenly
from yolo_pipeline.judging.agreement import Found
from yolo_pipeline.judging.coco import CocoTruth, part_of, results_json, truth_json
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import Detection, ImageRecord, Truth
from yolo_pipeline.recipes.export_check import Look, Original, decoded

WHOLE_NUMBERS = "-int8"
"""How the names of targets end that reckon in whole numbers of 8 bits."""

LEAST_SHARE = 0.5
"""Of the weights' mAP50; an export that keeps less of it is refused. Most keep 0.9 of it or hardly anything."""

_PICTURES = 64
_GROUP = 8  # pictures


@dataclass(frozen=True, slots=True)
class Worth:
    """An export beside the weights, judged on the same pictures.

    Attributes:
        held_to: "labels" of val; "weights" where there are none: then what these find is taken for the truth.
        mAP50, weights_mAP50: None where there is nothing to find.
    """

    pictures: int
    held_to: str
    mAP50: float | None
    weights_mAP50: float | None

    def __str__(self) -> str:
        truth = "the labels of val" if self.held_to == "labels" else "what the weights find"
        return (
            f"mAP50 {_shown(self.mAP50)}, the weights' {_shown(self.weights_mAP50)}, "
            f"against {truth} on {self.pictures} pictures"
        )


def worth(original: Original, path: Path, predictor: Predictor, look: Look) -> Worth:
    """
    Args:
        path: of the export, for the error.
        look: on what to judge it where no labelled val picture is left.

    Raises:
        InputError: it has lost more than half of what the weights find.
    """
    truth, files = _labelled(original)
    theirs: Found = look.found
    if files:
        theirs, ours = _asked([original.predictor, predictor], files)
    else:
        truth, ours = _truth_of(look), predictor(look.pixels)
    held_to = "labels" if files else "weights"
    judged = Worth(len(theirs), held_to, _score(truth, ours), _score(truth, theirs))
    if (judged.mAP50 or 0.0) < LEAST_SHARE * (judged.weights_mAP50 or 0.0):
        remedy = "Nothing of it was kept. Use the target without -int8, or train on more pictures first"
        raise InputError(path.name, f"lost more than half of what the weights find: {judged}", remedy)
    return judged


def _labelled(original: Original) -> tuple[CocoTruth, list[Path]]:
    """Val pictures, at most 64 evenly chosen, and their truth; none where they are gone or nothing is labelled."""
    model = original.model
    truths = model.truth
    if truths is None or not truths["annotations"]:
        return {}, []
    chosen = evenly(range(len(model.checked_on)), _PICTURES)
    return part_of(truths, chosen), [model.checked_on[at] for at in chosen]


def _truth_of(look: Look) -> CocoTruth:
    """What the weights find from the confidence on that is compared at, as truth."""
    sure = [[Truth(one.box, one_line(one.label)) for one in found if one.score >= look.conf] for found in look.found]
    names = list(dict.fromkeys(one.label for picture in sure for one in picture))
    records = [
        ImageRecord(Path(), str(at), pixels.shape[1], pixels.shape[0], "", tuple(truths))
        for at, (pixels, truths) in enumerate(zip(look.pixels, sure, strict=True))
    ]
    return truth_json(records, names, {record.name: record.name for record in records}, {Path(): ""})


def _asked(predictors: Sequence[Predictor], files: Sequence[Path]) -> list[list[list[Detection]]]:
    """What each finds on each picture; a few pictures are in memory at a time."""
    found: list[list[list[Detection]]] = [[] for _ in predictors]
    for at in range(0, len(files), _GROUP):
        pictures = [decoded(file) for file in files[at : at + _GROUP]]
        for mine, predictor in zip(found, predictors, strict=True):
            mine += predictor(pictures)
    return found


def _score(truth: CocoTruth, found: Found) -> float | None:
    names = [category["name"] for category in truth["categories"]]
    known = [[_on_one_line(one) for one in picture if one_line(one.label) in names] for picture in found]
    return judge(truth, results_json(known, names)).mAP50


def _on_one_line(one: Detection) -> Detection:
    return Detection(one.box, one_line(one.label), one.score)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
