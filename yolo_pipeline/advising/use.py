"""The rule on how detections are used."""

from __future__ import annotations

from collections.abc import Iterator

from yolo_pipeline.advising.english import advice
from yolo_pipeline.advising.evidence import CLEARLY_WORSE, Evidence
from yolo_pipeline.diagnosis import Advice


def confidence(evidence: Evidence) -> Iterator[Advice]:
    """The F1 curve on val. Trigger: at the confidence from which the attempt counts detections, F1 is clearly below its
    best."""
    if evidence.f1_lost < CLEARLY_WORSE or evidence.diagnosis is None or evidence.conf is None:
        return
    curve = evidence.diagnosis.curve
    precision, recall, f1, _ = curve.at(evidence.conf)
    yield advice(
        "confidence", [("detect.conf", None)], conf=evidence.conf, best=curve.best, f1=round(f1, 4),
        f1_best=round(f1 + evidence.f1_lost, 4), precision=round(precision, 4) if precision == precision else None,
        recall=round(recall, 4),
    )  # fmt: skip
