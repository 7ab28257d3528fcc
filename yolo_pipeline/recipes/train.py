"""One attempt from its file to its report: build, train, judge, record, report."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yolo_pipeline import attempt as attempts
from yolo_pipeline import decoding, images
from yolo_pipeline.asking import Predictor
from yolo_pipeline.attempt import Attempt, differences
from yolo_pipeline.attempt_files import attempt_numbers
from yolo_pipeline.building.splitting import splits_by_content
from yolo_pipeline.building.writing import counts
from yolo_pipeline.classification import PictureScores
from yolo_pipeline.comparison import SavedImage
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import AnnotationError, FinishedError, UsageError
from yolo_pipeline.files import set_aside, write_json
from yolo_pipeline.judging.classification import judge_pictures
from yolo_pipeline.judging.coco import CocoResults, CocoTruth, results_json, truth_json
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.nouns import JUDGED, Detection, Scores, Split
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.recipes.audit import audit_build, worst
from yolo_pipeline.recipes.build import Build, build, require_sources
from yolo_pipeline.recipes.diagnose import results_of_run
from yolo_pipeline.recipes.models import asking_of
from yolo_pipeline.recipes.report import write_reports
from yolo_pipeline.reporting.reading import reading_lines
from yolo_pipeline.run import Run, claim
from yolo_pipeline.tracks import Track, Trained, open_track

_BATCH = 16
_LINES_OF_A_KIND = 5


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
    if resume and again:
        raise UsageError("--resume goes on with a run, --again begins anew: say one of them")
    run = claim(root, number, attempt_numbers(root), resume=resume, again=again)
    record = run.record if resume else {}
    asked = {**record.get("overrides", {}), **(overrides or {})}
    attempt = attempts.load(root, number, asked)
    progress.say(f"attempt {number}{': ' * bool(attempt.title)}{attempt.title}{_project(root)}")
    require_sources(attempt)
    track = track or open_track(attempt.track)
    track.check(attempt, progress)

    if record:
        _refuse_changed(run, record, attempt)
    began = time.perf_counter()
    data = build(attempt, progress, expected=record["data"]["fingerprint"] if record else None)
    _say_built(data, progress, classifies=track.task == "classify")
    for split in JUDGED:
        if not data.built.dataset.of(split):
            progress.say(f"no {split} pictures: nothing is judged there")
    if not record:
        findings = _audited(attempt, data, progress)
        record = {**_first_record(attempt, data, track), "overrides": asked, "findings": findings}
        record["seconds"] = {"build": _since(began), "train": 0.0}
        if again:
            set_aside(run.folder)
        run.write_splits(splits_by_content(data.built.dataset.images, data.hashes))
        run.write_dataset(_photos(data, root))
        run.write_record(record)
    elif not run.dataset_file.is_file():  # begun by a version that did not note it
        run.write_dataset(_photos(data, root))
    if record["state"] != "trained":
        _train(track, attempt, data, run, record, progress, resume=resume)

    _judge(track, attempt, data, run, record, progress)
    record["state"] = "finished"
    write_reports(results_of_run(root, number, run, record))
    run.write_record(record)
    return run


def _train(
    track: Track, attempt: Attempt, data: Build, run: Run, record: dict[str, Any], progress: Progress, *, resume: bool
) -> None:
    """Trains and records it; the time of interrupted legs is added up."""
    before, began = record["seconds"]["train"], time.perf_counter()
    try:
        trained = track.train(attempt, data.built, run, progress, resume=resume)
    finally:
        record["seconds"]["train"] = round(before + _since(began), 2)
        run.write_record(record)
    run.write_curves(track.curves(run))
    record |= {"state": "trained", "training": _training_record(trained, run)}
    run.write_record(record)


def _photos(data: Build, root: Path) -> Iterator[SavedImage]:
    """The photos of the data set, as a later comparison wants them."""
    for image in data.photos.images:
        assert image.split is not None  # they were dealt
        file, sha256 = _relative(image.file, root), data.hashes[image.file]
        yield SavedImage(image.name, file, image.split, sha256, image.width, image.height, image.truths)


def _judge(track: Track, attempt: Attempt, data: Build, run: Run, record: dict[str, Any], progress: Progress) -> None:
    """Asks the trained model for val and test, and saves what it says and what that is worth."""
    began = time.perf_counter()
    asking = asking_of(track, {**record, "settings": attempt.settings()})
    predictor = track.open(run.folder / record["training"]["weights"], asking)
    judged_by = judge_pictures if track.task == "classify" else judge
    scores: dict[Split, Scores | PictureScores] = {
        split: judged_by(*_seen(predictor, data, split, run, progress))
        for split in JUDGED
        if data.built.dataset.of(split)
    }
    run.write_scores(scores)
    judged = sum(score.images for score in scores.values())
    record["seconds"]["judge"] = _since(began)
    record["seconds"]["an_image"] = round(record["seconds"]["judge"] / max(judged, 1), 5)


def _project(root: Path) -> str:
    return "" if root == Path() else f" (project {root})"


def _refuse_changed(run: Run, record: Mapping[str, Any], attempt: Attempt) -> None:
    """A run goes on only with the settings that it began with; the device may be another, and how it is used."""
    now, then = json.loads(json.dumps([attempt.settings(), record["settings"]]))
    for settings in (now, then):
        for key in ("device", "workers"):
            settings["train"].pop(key, None)
        settings.pop("detect", None)
    changed = [key for key, _, _ in differences(then, now)]
    if changed:
        reason = f"was begun with other settings than there are now ({', '.join(changed)})"
        raise FinishedError(run.folder, reason, "Undo the change, or add --again to begin anew")


def _seen(
    predictor: Predictor, data: Build, split: Split, run: Run, progress: Progress
) -> tuple[CocoTruth, CocoResults]:
    """The truth of a split and what the model says of its pictures, as they were saved."""
    built = data.built
    records = built.dataset.of(split)
    detections: list[list[Detection]] = []
    for at in range(0, len(records), _BATCH):
        detections += predictor([_picture(built.picture(image.name)) for image in records[at : at + _BATCH]])
        progress.at(f"judging on {split}", len(detections), len(records))
    names = built.dataset.names
    truth, results = truth_json(records, names, built.files, data.hashes), results_json(detections, names)
    write_json(run.truth_file(split), truth, indent=None)
    write_json(run.detections_file(split), results, indent=None)
    return truth, results


def _picture(file: Path) -> Pixels:
    try:
        return decoding.decode(file)
    except images.UnreadableImage as error:
        raise AnnotationError(file, str(error), "Build the data set again") from error


def _say_built(data: Build, progress: Progress, *, classifies: bool) -> None:
    built, report = data.built, data.report
    there = counts(built.dataset).items()
    if classifies:
        parts = [f"{len(built.dataset.names)} classes", *(f"{split} {n['images']} images" for split, n in there)]
    else:
        parts = [
            f"{split} {n['images']} images, {n['boxes']} boxes, {n['backgrounds']} backgrounds" for split, n in there
        ]
    progress.say(f"data set {'unchanged' if built.reused else 'built'}: {'; '.join(parts)}")
    for line in reading_lines(report, limit=_LINES_OF_A_KIND):
        progress.say(line)


def _audited(attempt: Attempt, data: Build, progress: Progress) -> list[dict[str, Any]]:
    """The findings on the photos, of which the worst are said before a GPU hour is spent."""
    audit = audit_build(attempt, data, progress)
    for line in worst(audit):
        progress.say(line)
    return [asdict(finding) for finding in audit.findings]


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
            "facts": [asdict(fact) for fact in report.facts],
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
        "bytes": trained.weights.stat().st_size,
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
