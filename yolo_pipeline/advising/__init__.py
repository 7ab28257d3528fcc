"""What to try next, and why. One small function a rule; the table is below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from yolo_pipeline.advising import data, labels, tfapi, training, use
from yolo_pipeline.advising.evidence import Evidence, evidence_of
from yolo_pipeline.diagnosis import Advice

__all__ = ["RULES", "Evidence", "Rule", "advise", "evidence_of"]

Rule = Callable[[Evidence], Iterator[Advice]]

RULES: tuple[Rule, ...] = (
    data.leakage,
    data.divided_photos,
    tfapi.diverged,
    training.mirrored_classes,
    training.larger_pictures,
    training.overfitting,
    training.smaller_model,
    labels.wrong_labels,
    labels.missing_labels,
    labels.contradicting_labels,
    data.background_images,
    data.rare_class,
    labels.loose_boxes,
    labels.group_boxes,
    training.hardly_any_epochs,
    tfapi.hardly_any_steps,
    training.more_epochs,
    tfapi.more_steps,
    labels.confused_pair,
    use.confidence,
    data.larger_val,
    training.larger_model,
)
"""In order of weight: what makes the scores untrue; settings that have the model learn what is wrong, or too well, or
nothing, as before they are mended it is no witness of the data; faults of the data that it witnesses; then more epochs
or steps, which help most trainings but mend none of that; and what may be either's fault; its use; what
more could be had."""


def advise(evidence: Evidence, rules: tuple[Rule, ...] = RULES) -> tuple[Advice, ...]:
    """What the rules advise, the most important first; empty: nothing was found."""
    return tuple(tfapi.as_can_be_said(found, evidence) for rule in rules for found in rule(evidence))
