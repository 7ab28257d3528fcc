"""A run made elsewhere -> runs/attempt-N, so that it stands in the same tables as our own."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yolo_pipeline.attempt_files import attempt_file, attempt_numbers
from yolo_pipeline.curves import events
from yolo_pipeline.curves import ultralytics as results_csv
from yolo_pipeline.errors import FinishedError, InputError, UsageError, one_line
from yolo_pipeline.files import folder_beside, write_json
from yolo_pipeline.judging.coco import CocoResults, CocoTruth, load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.judging.diagnosing import require_diagnosable
from yolo_pipeline.judging.evaluation import load
from yolo_pipeline.nouns import Curves, Scores, Split
from yolo_pipeline.recipes.import_lists import is_table, list_records, numbers_of, oddities, read_list
from yolo_pipeline.recipes.import_settings import FolderSettings, folder_settings, weights_record
from yolo_pipeline.run import Run, finished_runs, run_of

KINDS = (
    "a results.csv of YOLOv5 or Ultralytics, the folder it lies in, TensorBoard event files, COCO results (.json), "
    "or a list of attempts (.yaml, .csv)"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """One run that was brought in.

    Attributes:
        metrics: what is known of it in figures, by name.
        notes: what was changed or left out, each a sentence without a full stop.
    """

    number: int
    run: Run
    title: str
    metrics: dict[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be written: the part of the record that differs, and what goes into files of its own."""

    number: int
    record: dict[str, Any]
    curves: Curves | None = None
    judged: dict[Split, tuple[CocoTruth, CocoResults]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def import_run(
    root: Path,
    path: Path,
    number: int | None,
    *,
    truth: Path | None = None,
    split: Split = "test",
    title: str | None = None,
) -> list[Imported]:
    """Brings a run from elsewhere into the project in `root`; a list brings several.

    Args:
        path: see KINDS; what it is, is told by what it holds.
        number: the attempt it becomes; of a list, the first one. None: the list's own numbers.
        truth: COCO ground truth, for COCO results.
        split: what these results are of.
        title: instead of the file's name.

    Raises:
        UsageError: a number or a truth is missing, or not wanted.
        FinishedError: a run of that number is there.
        InputError: `path` is nothing that is known, or not what it seems to be. Nothing is written then.
    """
    kind = recognise(path)
    if (truth is not None) != (kind == "coco"):
        raise UsageError(
            "--truth GT.json goes with COCO results, and with these alone" if truth else "say --truth GT.json, too"
        )
    if kind == "list":
        found = _from_list(path, number)
    elif number is None:
        raise UsageError("say which attempt it becomes: --attempt N")
    elif truth is not None:
        found = [_from_coco(path, truth, split, number)]
    else:
        found = [_READERS[kind](path, number)]
    if title is not None and len(found) > 1:
        raise UsageError("--title names one run, and this is a list: write `title:` in it")
    for entry in found:
        _refuse_taken(root, entry.number, len(found))
    return _write(root, path, kind, found, title)


def recognise(path: Path) -> str:
    """What a path holds: `folder`, `results`, `events`, `coco` or `list`.

    Raises:
        InputError: nothing that is known.
    """
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError as error:  # a name too long, a folder that is closed to us
        raise InputError(path, error.strerror or str(error), "Check the path") from error
    if is_folder:
        if (path / "results.csv").is_file():
            return "folder"
        if events.event_files(path):
            return "events"
        raise InputError(path, "holds neither a results.csv nor TensorBoard event files", f"Name {KINDS}")
    if not is_file:
        raise InputError(path, "there is no such file or folder", "Check the path")
    suffix = path.suffix.lower()
    if events.EVENTS_IN_NAME in path.name or events.is_event_file(path):
        return "events"
    if suffix == ".csv":
        return "list" if is_table(_header(path)) else "results"
    known = {".json": "coco", ".yaml": "list", ".yml": "list"}.get(suffix)
    if known is None:
        raise InputError(path, "is nothing that can be imported", f"Name {KINDS}")
    return known


def _header(file: Path) -> list[str]:
    """The first line of a CSV file; empty where it cannot be read, which its reader will say."""
    try:
        with open(file, encoding="utf-8-sig", errors="replace", newline="") as lines:
            return next(csv.reader([lines.readline(2**16)]), [])
    except (OSError, csv.Error):
        return []


def _from_results(path: Path, number: int) -> _Found:
    return _trained(results_csv.read_results(path), FolderSettings(), number, {})


def _from_folder(path: Path, number: int) -> _Found:
    results = results_csv.read_results(path / "results.csv")
    weights = weights_record(path)
    return _trained(results, folder_settings(path), number, {"weights": weights} if weights else {})


def _trained(results: results_csv.Results, said: FolderSettings, number: int, extra: dict[str, Any]) -> _Found:
    epochs = len(results.curves)
    used: dict[str, Any] = {key: said.train[key] for key in ("imgsz", "batch") if key in said.train}
    used |= {"epochs": epochs} | ({"best_epoch": results.best} if results.best is not None else {})
    seconds = results.curves.columns.get("seconds", ())[-1:]
    record = {
        "imported": {"kind": results.maker, **extra},
        "settings": {"track": "yolo", "model": said.model, "pretrained": said.pretrained, "train": said.train},
        "training": {
            "used": used | ({"device": said.device} if said.device else {}),
            "own_metrics": results.own_metrics,
        },
        "seconds": {"train": seconds[0]} if seconds and seconds[0] >= 0 else {},
        **({"told": said.told} if said.told else {}),
    }
    nothing = () if results.best is not None else ("no epoch has an mAP: there is no best one",)
    return _Found(number, record, results.curves, notes=(*results.notes, *said.notes, *nothing))


def _from_events(path: Path, number: int) -> _Found:
    found = events.read(path)
    steps = found.curves.columns["step"]
    used = {"steps": int(steps[-1])} | ({"evaluated_at": found.evaluated} if found.evaluated is not None else {})
    record = {
        "imported": {"kind": "tfapi"},
        "settings": {"track": "tfapi", "train": {"steps": int(steps[-1])}},
        "training": {"used": used, "own_metrics": found.own_metrics},
        "seconds": {} if found.seconds is None else {"train": round(found.seconds, 2)},
    }
    nothing = () if found.own_metrics else ("it holds no evaluation: no mAP is known",)
    return _Found(number, record, found.curves, notes=(*found.notes, *nothing))


def _from_coco(path: Path, truth_file: Path, split: Split, number: int) -> _Found:
    truth, results = load_pair(truth_file, path)
    require_diagnosable(load(truth, results), truth_file, path)
    names = {category["id"]: category["name"] for category in truth["categories"]}
    boxes = Counter(row["category_id"] for row in truth["annotations"])
    labelled = {row["image_id"] for row in truth["annotations"]}
    counts = {
        "images": len(truth["images"]),
        "boxes": boxes.total(),
        "backgrounds": len(truth["images"]) - len(labelled),
        "classes": {name: boxes[at] for at, name in names.items()},
    }
    record = {
        "imported": {"kind": "coco", "truth": truth_file.name},
        "settings": {"track": None},
        "data": {"names": list(names.values()), "counts": {split: counts}},
    }
    return _Found(number, record, judged={split: (truth, results)})


def _from_list(path: Path, first: int | None) -> list[_Found]:
    entries = read_list(path)
    numbers = numbers_of(path, entries, first)
    found = []
    for number, record in zip(numbers, list_records(path, entries, numbers), strict=True):
        record["imported"] = {"kind": "list", "entry": record.pop("entry")}
        record["settings"]["base"] = record.pop("base")
        found.append(_Found(number, record, notes=tuple(oddities(entries)) if number == numbers[0] else ()))
    return found


_READERS: dict[str, Callable[[Path, int], _Found]] = {
    "results": _from_results,
    "folder": _from_folder,
    "events": _from_events,
}


def _refuse_taken(root: Path, number: int, count: int) -> None:
    folder = run_of(root, number).folder
    if not folder.exists():
        return
    free = max([number, *attempt_numbers(root), *(taken for taken, _ in finished_runs(root))]) + 1
    which = "the first of them " if count > 1 else ""
    raise FinishedError(folder, "is there and is never overwritten", f"Give {which}a free number: --attempt {free}")


def _write(root: Path, path: Path, kind: str, found: Sequence[_Found], title: str | None) -> list[Imported]:
    """All runs are built beside their places before the first is put there."""
    imported = []
    scores = [{split: judge(*pair) for split, pair in entry.judged.items()} for entry in found]
    with ExitStack() as folders:
        for entry, judged in zip(found, scores, strict=True):
            run = run_of(root, entry.number)
            record = _record(root, path, entry, title)
            _fill(Run(folders.enter_context(folder_beside(run.folder))), record, entry, judged)
            metrics = record["training"]["own_metrics"] | {
                f"{split} {name}": value
                for split, score in judged.items()
                for name in ("mAP50", "mAP50_95")
                if (value := getattr(score, name)) is not None
            }
            imported.append(Imported(entry.number, run, record["title"], metrics, (*entry.notes, *_taken(root, entry))))
    return imported


def _taken(root: Path, entry: _Found) -> tuple[str, ...]:
    """A note where an attempt of that number is written down: it may be this run's, or another one."""
    file = attempt_file(root, entry.number)
    return (f"{file.as_posix()} is there: see that this run is of that attempt",) if file.is_file() else ()


def _record(root: Path, path: Path, entry: _Found, title: str | None) -> dict[str, Any]:
    """record.json of an imported run: every key that one of our own has, as far as it is known."""
    said = entry.record
    shown = one_line(title if title is not None else said.get("title") or _name(path))
    file, project = path.resolve(), root.resolve()
    inside = file.relative_to(project).as_posix() if file.is_relative_to(project) else file.name
    unknown: dict[str, Any] = {
        "base": None,
        "track": None,
        "model": None,
        "pretrained": None,
        "data": {},
        "train": {},
        "notes": "",
    }
    return {
        "state": "finished",
        "attempt": entry.number,
        "title": shown,
        "imported": {**said["imported"], "file": inside, "notes": list(entry.notes)},
        "settings": {"attempt": entry.number, "title": shown, **unknown, **said["settings"]},
        "changed": said.get("changed", []),
        "data": said.get("data", {"names": [], "counts": {}}),
        "training": said.get("training", {"used": {}, "own_metrics": {}}),
        "seconds": said.get("seconds", {}),
        "versions": {},
        **({"told": said["told"]} if said.get("told") else {}),
    }


def _name(path: Path) -> str:
    """What a run is called after: results.csv and test.json say less than the folder they lie in."""
    file = path.resolve()
    return file.name if file.is_dir() else f"{file.parent.name}/{file.name}"


def _fill(run: Run, record: dict[str, Any], entry: _Found, scores: dict[Split, Scores]) -> None:
    run.write_record(record)
    run.write_scores(scores)
    if entry.curves is not None:
        run.write_curves(entry.curves)
    for split, (truth, results) in entry.judged.items():
        write_json(run.truth_file(split), truth, indent=None)
        write_json(run.detections_file(split), results, indent=None)
