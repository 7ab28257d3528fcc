"""Scores of an attempt, or of any COCO-style pair of truth and detections."""

from __future__ import annotations

from pathlib import Path

from yolo_pipeline.classification import PictureScores
from yolo_pipeline.errors import InputError
from yolo_pipeline.judging.classification import judge_pictures
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import JUDGED, Scores, Split
from yolo_pipeline.run import require_finished


def evaluate_files(truth_file: Path, detections_file: Path) -> Scores:
    """Judges a COCO results file against its ground truth."""
    return judge(*load_pair(truth_file, detections_file))


def evaluate_attempt(root: Path, number: int, split: Split) -> Scores | PictureScores:
    """Judges the saved detections of a finished attempt anew; of a classifier, what it said of the pictures.

    Raises:
        InputError: the attempt is not finished, or its data has no such split.
    """
    run = require_finished(root, number)
    if not run.truth_file(split).is_file():
        there = [other for other in JUDGED if run.truth_file(other).is_file()]
        remedy = f"There are some on {there[0]}" if there else "It was made elsewhere: see what compare says of it"
        raise InputError(run.folder, f"has no judged detections on {split}", remedy)
    pair = run.truth_file(split), run.detections_file(split)
    return judge_pictures(*load_pair(*pair)) if run.classifies else evaluate_files(*pair)
