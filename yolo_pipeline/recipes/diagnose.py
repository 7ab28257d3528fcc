"""What a finished run's saved files say: diagnosis, intervals, what the curves tell, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from yolo_pipeline.advising import advise
from yolo_pipeline.advising.evidence import evidence_of
from yolo_pipeline.building.orientation import other_signs, turnings
from yolo_pipeline.curves import reading
from yolo_pipeline.diagnosis import BACKGROUND, Advice, CurveReading, CurveUnit, Diagnosis, Draws, Interval
from yolo_pipeline.judging.bootstrap import intervals_of, resampled
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.diagnosing import diagnose
from yolo_pipeline.nouns import JUDGED, Curves, Scores, Split
from yolo_pipeline.results import Results, confidence, part
from yolo_pipeline.run import Run, require_finished


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
    scores = run.read_scores() if run.scores_file.is_file() else {}
    curves = run.read_curves() if run.curves_file.is_file() else Curves({})
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
    read = _reading(record, curves)
    return Results(
        number=number,
        run=run,
        record=record,
        scores=scores,
        curves=curves,
        intervals=ranges,
        diagnoses=diagnoses,
        reading=read,
        advice=_advice(record, scores, ranges, diagnoses, read),
        dataset=_dataset(root, record),
        drawn=drawn,
    )


def _advice(
    record: Mapping[str, Any],
    scores: Mapping[Split, Scores],
    ranges: Mapping[Split, Mapping[str, Interval]],
    diagnoses: Mapping[Split, Diagnosis],
    read: CurveReading | None,
) -> tuple[Advice, ...]:
    names = part(record, "data").get("names", [])
    settings = part(record, "settings")
    known = "train" in settings and "data" in settings and "track" in settings
    mirrored = other_signs(names, turnings(settings)) if known else {}
    evidence = evidence_of(record, scores.get("val"), ranges.get("val", {}), diagnoses.get("val"), read, mirrored)
    return advise(evidence)


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
    return {
        "attempt": results.number,
        "intervals": {
            split: {name: [interval.low, interval.high] for name, interval in found.items()}
            for split, found in results.intervals.items()
        },
        "curves": asdict(results.reading) if results.reading else None,
        "advice": [asdict(advice) for advice in results.advice],
        **{split: _diagnosis_json(diagnosis) for split, diagnosis in results.diagnoses.items()},
    }


def _diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    whole = asdict(replace(diagnosis, cases=()))
    del whole["cases"]
    whole["matrix"] = {"names": [*diagnosis.matrix.names, BACKGROUND], "counts": diagnosis.matrix.counts.tolist()}
    for name in ("precision", "recall", "f1"):
        whole["curve"][name] = [None if math.isnan(value) else value for value in whole["curve"][name]]
    return whole
