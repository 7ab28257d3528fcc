"""What a finished run's saved files say: diagnosis, intervals, what the curves tell, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from yolo_pipeline.advising import advise
from yolo_pipeline.advising.evidence import evidence_of, evidence_of_pictures
from yolo_pipeline.building.orientation import other_signs, turnings
from yolo_pipeline.classification import Answer, Classified, PictureDiagnosis
from yolo_pipeline.curves import reading
from yolo_pipeline.curves.reading import figures_at
from yolo_pipeline.diagnosis import BACKGROUND, CurveReading, CurveUnit, Diagnosis, Draws, Interval
from yolo_pipeline.judging.bootstrap import intervals_of, resampled
from yolo_pipeline.judging.classified import diagnose_pictures, picture_intervals
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.diagnosing import diagnose
from yolo_pipeline.nouns import JUDGED, Curves, Split
from yolo_pipeline.results import Results, confidence, finite, part
from yolo_pipeline.run import Run, classifies, require_finished


def results_of(root: Path, number: int) -> Results:
    """Everything about a finished attempt, worked out anew from its saved files.

    Raises:
        InputError: it is not finished, or a saved file is damaged.
    """
    return results_of_run(root, number, require_finished(root, number))


def results_of_run(root: Path, number: int, run: Run, record: Mapping[str, Any] | None = None) -> Results:
    """The same of any run's folder.

    Args:
        record: as it will be saved, where that was not done yet.
    """
    record = run.record if record is None else record
    curves = run.read_curves() if run.curves_file.is_file() else Curves({})
    read = _reading(record, curves)
    if classifies(record):
        return _of_classifier(root, number, run, record, curves, read)
    return _of_detector(root, number, run, record, curves, read)


def _of_detector(
    root: Path, number: int, run: Run, record: Mapping[str, Any], curves: Curves, read: CurveReading | None
) -> Results:
    scores = run.read_scores() if run.scores_file.is_file() else {}
    ranges: dict[Split, Mapping[str, Interval]] = {}
    drawn: dict[Split, Draws] = {}
    diagnoses: dict[Split, Diagnosis] = {}
    conf = confidence(record, scores)
    imgsz = part(record, "training", "used").get("imgsz")
    for split in JUDGED:
        if split in scores and run.truth_file(split).is_file():
            pair = load_pair(run.truth_file(split), run.detections_file(split))
            drawn[split] = resampled(*pair)
            ranges[split] = intervals_of(drawn[split])
            diagnoses[split] = diagnose(*pair, split, conf, imgsz if isinstance(imgsz, int) else None)
    evidence = evidence_of(
        record, scores.get("val"), ranges.get("val", {}), diagnoses.get("val"), read, _mirrored(record)
    )
    return Results(
        number=number,
        run=run,
        record=record,
        scores=scores,
        curves=curves,
        intervals=ranges,
        diagnoses=diagnoses,
        reading=read,
        advice=advise(evidence),
        dataset=_dataset(root, record),
        drawn=drawn,
    )


def _of_classifier(
    root: Path, number: int, run: Run, record: Mapping[str, Any], curves: Curves, read: CurveReading | None
) -> Results:
    classified: dict[Split, Classified] = {}
    for split, scores in (run.read_picture_scores() if run.scores_file.is_file() else {}).items():
        if split in JUDGED and run.truth_file(split).is_file():
            pair = load_pair(run.truth_file(split), run.detections_file(split))
            diagnosis = diagnose_pictures(*pair, split)
            classified[split] = Classified(scores, diagnosis, picture_intervals(diagnosis.answers))
    kept = finite(part(record, "training", "used").get("best_epoch")) or (read.best if read else None)
    evidence = evidence_of_pictures(record, classified.get("val"), read, figures_at(curves, kept), _mirrored(record))
    return Results(
        number=number,
        run=run,
        record=record,
        scores={},
        curves=curves,
        reading=read,
        advice=advise(evidence),
        dataset=_dataset(root, record),
        classified=classified,
    )


def _mirrored(record: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Setting -> the classes that it makes another sign of, or none."""
    settings = part(record, "settings")
    known = "train" in settings and "data" in settings and "track" in settings
    return other_signs(part(record, "data").get("names", []), turnings(settings)) if known else {}


def _reading(record: Mapping[str, Any], curves: Curves) -> CurveReading | None:
    """What the curves say, counted in what the run's track goes by."""
    unit: CurveUnit = "step" if part(record, "settings").get("track") == "tfapi" else "epoch"
    asked = part(record, "settings", "train").get(f"{unit}s")
    steps = filter(math.isfinite, curves.columns.get("step", ()))
    run = len(curves) if unit == "epoch" else int(max(steps, default=0))
    return reading.read(curves, asked if isinstance(asked, int) else run, unit)


def _dataset(root: Path, record: Mapping[str, Any]) -> Path | None:
    folder = part(record, "data").get("folder")
    return root / folder if isinstance(folder, str) else None


def as_json(results: Results) -> dict[str, Any]:
    """What diagnosis.json holds: everything but the single cases, which the saved detections give again."""
    ranges = {**results.intervals, **{split: found.intervals for split, found in results.classified.items()}}
    return {
        "attempt": results.number,
        "intervals": {
            split: {name: [interval.low, interval.high] for name, interval in found.items()}
            for split, found in ranges.items()
        },
        "curves": asdict(results.reading) if results.reading else None,
        "advice": [asdict(advice) for advice in results.advice],
        **{split: _diagnosis_json(diagnosis) for split, diagnosis in results.diagnoses.items()},
        **{split: _pictures_json(found.diagnosis) for split, found in results.classified.items()},
    }


def _pictures_json(diagnosis: PictureDiagnosis) -> dict[str, Any]:
    """Of the answers the wrong ones alone."""
    return {
        "split": diagnosis.split,
        "images": len(diagnosis.answers),
        "matrix": {"names": list(diagnosis.matrix.names), "counts": diagnosis.matrix.counts.tolist()},
        "pairs": [asdict(pair) for pair in diagnosis.pairs],
        "calibration": asdict(diagnosis.calibration),
        "suspects": [_answer_json(answer) for answer in diagnosis.suspects],
        "wrong": [_answer_json(answer) for answer in diagnosis.answers if not answer.is_right],
    }


def _answer_json(answer: Answer) -> dict[str, Any]:
    said = [{"class": name, "probability": probability} for name, probability in answer.said]
    return {"image": answer.image, "label": answer.label, "of_label": answer.of_label, "said": said}


def _diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    whole = asdict(replace(diagnosis, cases=()))
    del whole["cases"]
    whole["matrix"] = {"names": [*diagnosis.matrix.names, BACKGROUND], "counts": diagnosis.matrix.counts.tolist()}
    for name in ("precision", "recall", "f1"):
        whole["curve"][name] = [None if math.isnan(value) else value for value in whole["curve"][name]]
    return whole
