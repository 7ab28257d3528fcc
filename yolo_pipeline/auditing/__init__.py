"""What is wrong with a data set before a GPU hour is spent. One small function a rule; the table is below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from yolo_pipeline.auditing import boxes, classes, duplicates, labelling, reading, storage, visibility
from yolo_pipeline.auditing.evidence import Evidence
from yolo_pipeline.nouns import Finding

__all__ = ["RULES", "RULES_OF_PICTURES", "Evidence", "Rule", "findings_of"]

Rule = Callable[[Evidence], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    storage.unreadable,
    duplicates.leakage,
    duplicates.divided_groups,
    classes.absent_from_splits,
    classes.few_boxes,
    duplicates.labelled_differently,
    reading.emptied,
    reading.dropped,
    reading.fixed,
    reading.skipped,
    labelling.several_as_one,
    labelling.two_classes,
    labelling.boxed_twice,
    labelling.few_objects,
    boxes.tiny,
    boxes.giant,
    boxes.slivers,
    classes.without_boxes,
    classes.similar_names,
    classes.imbalance,
    classes.split_sizes,
    classes.backgrounds,
    visibility.blank,
    visibility.dark,
    visibility.blurred,
    duplicates.copies,
    storage.small,
    storage.enlarged,
    storage.stretched,
    storage.mixed_sizes,
    storage.mixed_grey,
    storage.unusual_modes,
    storage.turned,
)
"""All rules; among findings of one severity, the order here is their weight."""

_OF_BOXES = (
    reading.emptied,
    labelling.several_as_one,
    labelling.two_classes,
    labelling.boxed_twice,
    labelling.few_objects,
    boxes.tiny,
    boxes.giant,
    boxes.slivers,
    classes.backgrounds,
    storage.small,  # next to YOLO's grid; a classifier enlarges what it is shown
)

RULES_OF_PICTURES: tuple[Rule, ...] = tuple(rule for rule in RULES if rule not in _OF_BOXES)
"""Those that say something of pictures of one class each."""

_SEVERITIES = ("fault", "warning", "note")


def findings_of(evidence: Evidence, rules: tuple[Rule, ...] | None = None) -> tuple[Finding, ...]:
    """What the rules find, the worst first: by severity, then by the rules' order, then by how many files.

    Args:
        rules: left out, those for boxes or for pictures.
    """
    if rules is None:
        rules = RULES_OF_PICTURES if evidence.classified else RULES
    found = [finding for rule in rules for finding in sorted(rule(evidence), key=lambda f: -len(f.files))]
    return tuple(sorted(found, key=lambda finding: _SEVERITIES.index(finding.severity)))
