"""One attempt from its file to its report: build, train, judge, record, report."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yolo_pipeline import attempt as attempts
from yolo_pipeline import images
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import counts
from yolo_pipeline.files import write_json
from yolo_pipeline.judging.coco import results_json, truth_json
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import JUDGED, Scores, Split
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.recipes.build import Build, build
from yolo_pipeline.reporting.report import write_report
from yolo_pipeline.run import Run, claim
from yolo_pipeline.tracks import Predictor, Track, Trained, open_track

_BATCH = 16


def train(
    root: Path,
    number: int,
    *,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    again: bool = False,
    progress: Progress = silent,
    track: Track | None = None,
) -> Run:
    """Runs attempt `number` of the project in `root` and leaves everything in runs/attempt-N.

    Args:
        overrides: training settings that go before those of the files.
        resume: go on with an interrupted run.
        again: begin anew, keeping an earlier run as attempt-N.1.
        track: for tests; default: the attempt's.

    Raises:
        PipelineError: anything that the user can mend; nothing half-written is left.
    """
    attempt = attempts.load(root, number, overrides)
    track = track or open_track(attempt.track)
    run = claim(root, number, resume=resume, again=again)
    track.check(attempt, progress)

    began = time.perf_counter()
    data = build(attempt, progress)
    _say_built(data, progress)
    record = run.record if resume else {}
    if record.get("state") != "trained":
        record = {**_first_record(attempt, data, track), "seconds": {"build": _since(began)}}
        run.write_record(record)
        began = time.perf_counter()
        trained = track.train(attempt, data.built, run, progress, resume=resume)
        record["seconds"]["train"] = _since(began)
        record |= {"state": "trained", "training": _training_record(trained, run)}
        run.write_curves(track.curves(run))
        run.write_record(record)

    began = time.perf_counter()
    predictor = track.open(run.folder / record["training"]["weights"], attempt)
    scores = {
        split: _judge_split(predictor, data, split, run, progress) for split in JUDGED if data.built.dataset.of(split)
    }
    run.write_scores(scores)
    judged = sum(score.images for score in scores.values())
    record["seconds"]["judge"] = _since(began)
    record["seconds"]["an_image"] = round(record["seconds"]["judge"] / judged, 5)
    write_report(run, {**record, "state": "finished"}, scores, run.read_curves(), data.built.folder)
    run.write_record({**record, "state": "finished"})
    return run


def _judge_split(predictor: Predictor, data: Build, split: Split, run: Run, progress: Progress) -> Scores:
    built = data.built
    records = built.dataset.of(split)
    detections = []
    batches = [records[i : i + _BATCH] for i in range(0, len(records), _BATCH)]
    for batch in progress.items(batches, f"judging on {split}"):
        detections += predictor([images.decode_upright(built.picture(image.name)) for image in batch])
    names = built.dataset.names
    truth, results = truth_json(records, names, built.files, data.hashes), results_json(detections, names)
    write_json(run.truth_file(split), truth, indent=None)
    write_json(run.detections_file(split), results, indent=None)
    return judge(truth, results)


def _say_built(data: Build, progress: Progress) -> None:
    built, report = data.built, data.report
    parts = [
        f"{split} {entry['images']} images, {entry['boxes']} boxes, {entry['backgrounds']} backgrounds"
        for split, entry in counts(built.dataset).items()
    ]
    progress.say(f"data set {'unchanged' if built.reused else 'built'}: {'; '.join(parts)}")
    for what, changes in (("mended", report.fixed), ("left out", report.dropped)):
        if changes:
            first = changes[0]
            progress.say(f"{len(changes)} {what}, first {first.file} object {first.object}: {first.what}, {first.why}")
    if report.skipped:
        first_skip = report.skipped[0]
        progress.say(f"{len(report.skipped)} files not used, first {first_skip.file}: {first_skip.why}")
    for note in report.notes:
        progress.say(note)


def _first_record(attempt: Attempt, data: Build, track: Track) -> dict[str, Any]:
    built, report = data.built, data.report
    return {
        "state": "training",
        "attempt": attempt.number,
        "title": attempt.title,
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "settings": attempt.settings(),
        "changed": [{"key": key, "before": before, "after": after} for key, before, after in attempt.changed],
        "split_dealt_again": bool(attempt.data.split and attempt.data.split.again),
        "data": {
            "folder": _relative(built.folder, attempt.root),
            "fingerprint": built.fingerprint,
            "names": list(built.dataset.names),
            "counts": counts(built.dataset),
            "fixed": [asdict(change) for change in report.fixed],
            "dropped": [asdict(change) for change in report.dropped],
            "skipped": [asdict(skip) for skip in report.skipped],
            "notes": list(report.notes),
        },
        "versions": {
            "yolo_pipeline": importlib.metadata.version("yolo_pipeline"),
            "python": platform.python_version(),
            **track.versions(),
        },
        "git_commit": _git_commit(attempt.root),
    }


def _training_record(trained: Trained, run: Run) -> dict[str, Any]:
    return {
        "start": trained.start,
        "weights": _relative(trained.weights, run.folder),
        "sha256": images.sha256(trained.weights),
        "parameters": trained.parameters,
        "used": trained.used,
        "own_metrics": trained.own_metrics,
    }


def _git_commit(root: Path) -> str | None:
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 2)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
