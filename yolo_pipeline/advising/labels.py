"""Rules on the labels: wrong, missing, contradicting, mixed up, loose, around groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from yolo_pipeline.advising.english import advice
from yolo_pipeline.advising.evidence import Evidence
from yolo_pipeline.diagnosis import Advice, Diagnosis, Suspect, SuspectKind

SEVERAL, MUCH = 3, 0.033
"""Labels, and share of the objects, from which on they are no single slip: Northcutt et al. found 3.3 % wrong labels in
ten well-known test sets. A model's own slips on faultless labels reached 2.7 % in benchmarks/advice.py."""

CONFUSED = 0.1  # share of a class's objects
MOST_PAIRS = 3

LOOSE_IOU = 0.8
"""Median IoU of right detections below which boxes were not drawn alike: closely drawn digits are found with 0.93, and
people who draw closely agree with others' boxes by 0.88 (D. Papadopoulos et al., Extreme clicking, ICCV 2017)."""

MUCH_LOOSE = 0.1  # share of the objects


def contradicting_labels(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips on consistent labels. Trigger: the audit found objects with boxes of two classes, or identical
    pictures with other labels."""
    findings = [evidence.finding("two classes"), evidence.finding("copies labelled differently")]
    files = list(dict.fromkeys(file for finding in findings if finding for file in finding.files))
    if len(files) >= SEVERAL:
        yield advice("contradicting labels", (), files, pictures=len(files))


def wrong_labels(evidence: Evidence) -> Iterator[Advice]:
    """Northcutt et al., 2021. Trigger: labels on val that the model surely sees as another class, several and 3.3 %;
    not of classes that a setting mirrors, nor of those that it has not learnt."""
    diagnosis = evidence.witness
    unknown = evidence.mirrored_classes | evidence.unlearnt_classes
    found = [s for s in _suspects(diagnosis, "wrong class") if s.truth and s.truth.label not in unknown]
    if diagnosis and _many(found, diagnosis):
        classes = [name for name, _ in Counter(s.truth.label for s in found if s.truth).most_common(2)]
        yield advice(
            "wrong labels", (), _images(found), labels=len(found), truths=diagnosis.truths,
            share=round(len(found) / diagnosis.truths, 4), classes=classes,
        )  # fmt: skip


def missing_labels(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips: label everything. Trigger: objects surely seen on val without a label, several and 3.3 %, on
    pictures that have labels: one that has none was said to hold no object."""
    diagnosis = evidence.witness
    labelled = {case.image for case in diagnosis.cases if case.truth} if diagnosis else set()
    found = [suspect for suspect in _suspects(diagnosis, "missing") if suspect.image in labelled]
    if diagnosis and _many(found, diagnosis):
        yield advice("missing labels", (), _images(found), labels=len(found), truths=diagnosis.truths)


def confused_pair(evidence: Evidence) -> Iterator[Advice]:
    """TIDE's classification errors. Trigger: a class was taken for another several times on val, and in a tenth of its
    objects; there is something to gain on val."""
    witness = evidence.witness if evidence.has_room else None
    for pair in (witness.pairs if witness else ())[:MOST_PAIRS]:
        mirrored = evidence.mirrored_classes >= {pair.truth, pair.said}
        if pair.count >= SEVERAL and pair.share >= CONFUSED and not mirrored:
            share = round(pair.share, 4)
            yield advice(
                "confused pair", (), pair.images, truth=pair.truth, said=pair.said, count=pair.count, share=share
            )


def loose_boxes(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips on label accuracy. Trigger: objects on val are found, but with a low median IoU; or many labels
    are surely seen as loose."""
    diagnosis = evidence.witness
    if diagnosis is None or diagnosis.median_iou is None:
        return
    found = _suspects(diagnosis, "loose")
    many = len(found) >= max(SEVERAL, MUCH_LOOSE * diagnosis.truths)
    if diagnosis.median_iou < LOOSE_IOU or many:
        iou = round(diagnosis.median_iou, 4)
        yield advice("loose boxes", (), _images(found), iou=iou, loose=len(found))


def group_boxes(evidence: Evidence) -> Iterator[Advice]:
    """Ultralytics' tips on labels. Trigger: the audit found boxes around several objects, or the model surely sees
    several of them in one box on val."""
    finding = evidence.finding("several as one")
    found = _images(_suspects(evidence.witness, "group"))
    files = list(dict.fromkeys((*(finding.files if finding else ()), *found)))
    if finding or len(found) >= SEVERAL:
        yield advice("group boxes", (), files, pictures=len(files))


def _suspects(diagnosis: Diagnosis | None, kind: SuspectKind) -> list[Suspect]:
    return [suspect for suspect in diagnosis.suspects if suspect.kind == kind] if diagnosis else []


def _many(found: list[Suspect], diagnosis: Diagnosis) -> bool:
    return len(found) >= max(SEVERAL, MUCH * diagnosis.truths)


def _images(found: list[Suspect]) -> list[str]:
    return list(dict.fromkeys(suspect.image for suspect in found))
