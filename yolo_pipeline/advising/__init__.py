"""What to try next, and why. One small function a rule; the table is below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from yolo_pipeline.advising import classify, data, labels, tfapi, training, use
from yolo_pipeline.advising.evidence import Evidence, evidence_of
from yolo_pipeline.diagnosis import Advice

__all__ = ["OF_CLASSIFIERS", "RULES", "Evidence", "Rule", "advise", "evidence_of"]

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

OF_CLASSIFIERS: tuple[Rule, ...] = (
    data.leakage,
    data.divided_photos,
    classify.mirrored_classes,
    classify.dropout,
    classify.overfitting,
    classify.random_backbone,
    classify.underfitting,
    classify.wrong_labels,
    classify.contradicting_labels,
    classify.rare_class,
    classify.hardly_any_epochs,
    classify.more_epochs,
    classify.confused_pair,
    classify.larger_val,
)
"""Those of the track classify, in the same order."""


def advise(evidence: Evidence, rules: tuple[Rule, ...] | None = None) -> tuple[Advice, ...]:
    """What the rules, by default those of the attempt's track, advise, the most important first; empty: nothing."""
    rules = rules or (OF_CLASSIFIERS if evidence.classifies else RULES)
    return tuple(tfapi.as_can_be_said(found, evidence) for rule in rules for found in rule(evidence))
