"""What reports choose among a classifier's answers: pictures to show, mistakes, what a least probability leaves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from yolo_pipeline.classification import Answer
from yolo_pipeline.nouns import JUDGED, Split
from yolo_pipeline.results import Results, part
from yolo_pipeline.run import classifies

DRAWN = 100
"""Pictures that are shown with what was said of them: enough to see the share of mistakes in them."""


def is_classifier(results: Results) -> bool:
    """Whether an attempt classifies pictures, also one from elsewhere that nothing could be judged of."""
    return bool(results.classified) or classifies(results.record)


def main_split(results: Results) -> Split | None:
    """The split that mistakes are shown of: val, on which choices are made; test only where nothing else was judged."""
    return next((split for split in JUDGED if split in results.classified), None)


def best_epoch(results: Results) -> int | None:
    """The epoch whose weights were kept, as the training says, else as its curves do."""
    told = part(results.record, "training", "used").get("best_epoch")
    if isinstance(told, int) and not isinstance(told, bool):
        return told
    return results.reading.best if results.reading else None


def picture_of(results: Results, answer: Answer) -> Path | None:
    """The picture of an answer, or None where it is no longer there, or its name is none that a disk can hold."""
    try:
        return results.picture(answer.image)
    except (OSError, ValueError):
        return None


def drawn_answers(results: Results, split: Split, most: int = DRAWN) -> list[Answer]:
    """Answers at random, by the attempt's seed, of those whose pictures are there; all of them where they are few."""
    there = [answer for answer in results.classified[split].diagnosis.answers if picture_of(results, answer)]
    order = np.random.default_rng(_seed(results)).permutation(len(there))[:most]
    return [there[place] for place in order]


def _seed(results: Results) -> int:
    seed = part(results.record, "settings", "train").get("seed")
    return seed if isinstance(seed, int) and seed >= 0 else 0


def wrong_answers(answers: Sequence[Answer]) -> list[Answer]:
    """The surest first."""
    return sorted((answer for answer in answers if not answer.is_right), key=lambda one: (-one.said[0][1], one.image))


def answered(answers: Sequence[Answer], least: float) -> tuple[int, int]:
    """How many answers are of at least that probability, and how many of these are right."""
    kept = [answer for answer in answers if answer.said[0][1] >= least]
    return len(kept), sum(answer.is_right for answer in kept)
