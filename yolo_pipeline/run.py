"""runs/attempt-N: every path in it, and what was recorded there. Finished work is never overwritten."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from yolo_pipeline.classification import PictureClassScores, PictureScores
from yolo_pipeline.comparison import SavedImage
from yolo_pipeline.errors import FinishedError, InputError, command
from yolo_pipeline.files import free_name, read_json, write_json, write_text
from yolo_pipeline.nouns import Box, ClassScores, Curves, Scores, Split, Truth

T = TypeVar("T")
_RUN_NAME = re.compile(r"attempt-([1-9][0-9]*)")
_ANEW = "Train with --again, or import it anew"
_BLOCKS = ("settings", "data", "training", "seconds", "imported")  # of a record: mappings, where they are there


@dataclass(frozen=True, slots=True)
class Run:
    """The folder of one attempt's results, `root/runs/attempt-N`."""

    folder: Path

    @property
    def record_file(self) -> Path:
        return self.folder / "record.json"

    @property
    def curves_file(self) -> Path:
        return self.folder / "curves.csv"

    @property
    def scores_file(self) -> Path:
        return self.folder / "scores.json"

    @property
    def report_file(self) -> Path:
        return self.folder / "report.md"

    @property
    def page_file(self) -> Path:
        """The report as one HTML file."""
        return self.folder / "report.html"

    @property
    def diagnosis_file(self) -> Path:
        return self.folder / "diagnosis.json"

    @property
    def suspects(self) -> Path:
        """Pictures whose labels the model disagrees with, with annotations to correct."""
        return self.folder / "suspects"

    @property
    def exports(self) -> Path:
        """The network in other formats, a folder each."""
        return self.folder / "export"

    @property
    def dataset_file(self) -> Path:
        """The photos that the attempt's data was made of, with their boxes, before any edit."""
        return self.folder / "dataset.json"

    @property
    def figures(self) -> Path:
        return self.folder / "figures"

    @property
    def training(self) -> Path:
        """The framework's own folder: its logs and weights as it leaves them."""
        return self.folder / "training"

    @property
    def checkpoint(self) -> Path:
        """What an interrupted training goes on from: TensorFlow's list of its checkpoints, or Ultralytics' last.pt."""
        listed = self.training / "checkpoint"
        return listed if listed.is_file() else self.training / "weights" / "last.pt"

    def truth_file(self, split: Split) -> Path:
        return self.folder / "judged" / f"{split}-truth.json"

    def detections_file(self, split: Split) -> Path:
        return self.folder / "judged" / f"{split}-detections.json"

    @property
    def record(self) -> dict[str, Any]:
        """What was recorded; empty where there is no run yet.

        Raises:
            InputError: it is damaged: no mapping, without settings, or a block of it is no mapping.
        """
        if not self.record_file.is_file():
            return {}
        record = _read(self.record_file)
        if not isinstance(record, dict) or "settings" not in record:
            raise InputError(self.record_file, "is no record of a run", "Move the run's folder away")
        if odd := next((key for key in _BLOCKS if not isinstance(record.get(key, {}), dict)), None):
            raise InputError(self.record_file, f"{odd} is no mapping", "Move the run's folder away")
        return record

    @property
    def splits_file(self) -> Path:
        return self.folder / "splits.json"

    def write_splits(self, splits: Mapping[str, Split]) -> None:
        write_json(self.splits_file, splits)

    def read_splits(self) -> dict[str, Split] | None:
        """sha256 of each picture -> the split that this run saw it in; None where there was no run."""
        splits: dict[str, Split] | None = _read(self.splits_file) if self.splits_file.is_file() else None
        return splits

    def write_dataset(self, images: Iterable[SavedImage]) -> None:
        """Notes the photos that the data set was made of, so that later attempts' data can be compared with it."""
        rows = [
            {
                "name": image.name,
                "file": image.file,
                "split": image.split,
                "sha256": image.sha256,
                "width": image.width,
                "height": image.height,
                "truths": [[t.label, t.box.x0, t.box.y0, t.box.x1, t.box.y1] for t in image.truths],
            }
            for image in images
        ]
        write_json(self.dataset_file, rows, indent=None)

    def read_dataset(self) -> tuple[SavedImage, ...] | None:
        """None where the run did not note it."""
        if not self.dataset_file.is_file():
            return None
        try:
            return tuple(
                SavedImage(**{**row, "truths": tuple(Truth(Box(*box), label) for label, *box in row["truths"])})
                for row in _read(self.dataset_file)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(self.dataset_file, f"is damaged ({error})", _ANEW) from error

    @property
    def imported(self) -> bool:
        """Whether it was made elsewhere, and brought here by import-run."""
        return "imported" in self.record

    @property
    def finished(self) -> bool:
        return self.record.get("state") == "finished"

    @property
    def was_interrupted(self) -> bool:
        """Whether there is work that `--resume` saves: epochs or steps, or a whole training that was not judged yet."""
        return not self.finished and (self.checkpoint.is_file() or self.record.get("state") == "trained")

    def write_record(self, record: dict[str, Any]) -> None:
        write_json(self.record_file, record)

    def write_scores(self, scores: Mapping[Split, Scores | PictureScores]) -> None:
        write_json(self.scores_file, {split: asdict(value) for split, value in scores.items()})

    @property
    def classifies(self) -> bool:
        """Whether its scores are those of a classifier: `read_picture_scores` reads them, else `read_scores`."""
        return classifies(self.record)

    def read_picture_scores(self) -> dict[Split, PictureScores]:
        return self._read_scores(PictureScores, PictureClassScores, "scores of pictures")

    def read_scores(self) -> dict[Split, Scores]:
        return self._read_scores(Scores, ClassScores, "scores")

    def _read_scores(self, of_split: Callable[..., T], of_class: Callable[..., Any], what: str) -> dict[Split, T]:
        found: dict[Split, T] = {}
        try:
            for split, value in _read(self.scores_file).items():
                classes = {name: of_class(**entry) for name, entry in value.pop("classes").items()}
                found[split] = of_split(**value, classes=classes)
        except (AttributeError, KeyError, TypeError) as error:
            raise InputError(self.scores_file, f"holds no {what} ({error})", _ANEW) from error
        return found

    def write_curves(self, curves: Curves) -> None:
        names = list(curves.columns)
        rows = zip(*curves.columns.values(), strict=True)
        lines = [",".join(names), *(",".join(f"{value:.9g}" for value in row) for row in rows)]
        write_text(self.curves_file, "\n".join(lines) + "\n")

    def read_curves(self) -> Curves:
        return read_curves(self.curves_file)


def read_curves(file: Path, remedy: str = _ANEW) -> Curves:
    """Figures by column, whose names stand in the first line.

    Raises:
        InputError: it is damaged or missing.
    """
    try:
        header, *rows = file.read_text(encoding="utf-8").splitlines()
        names = header.split(",")
        columns = list(zip(*(map(float, row.split(",")) for row in rows), strict=True)) or [()] * len(names)
        return Curves(dict(zip(names, columns, strict=True)))
    except (OSError, ValueError) as error:
        raise InputError(file, f"is damaged or missing ({str(error)[:200]})", remedy) from error


def classifies(record: Mapping[str, Any]) -> bool:
    """Whether a run, by its record, is of a classifier."""
    settings = record.get("settings")
    return isinstance(settings, Mapping) and settings.get("track") == "classify"


def run_of(root: Path, number: int) -> Run:
    return Run(root / "runs" / f"attempt-{number}")


def finished_runs(root: Path) -> Iterator[tuple[int, Run]]:
    """(attempt number, run) of every finished run, ascending."""
    folders = (root / "runs").glob("attempt-*") if (root / "runs").is_dir() else ()
    numbers = sorted(int(match.group(1)) for folder in folders if (match := _RUN_NAME.fullmatch(folder.name)))
    for number in numbers:
        if (run := run_of(root, number)).finished:
            yield number, run


def require_finished(root: Path, number: int) -> Run:
    """The finished run of an attempt.

    Raises:
        InputError: it was not trained to its end; the text says which attempts were.
    """
    run = run_of(root, number)
    if run.finished:
        return run
    there = ", ".join(str(n) for n, _ in finished_runs(root)) or "none"
    resume = " --resume" if run.was_interrupted else ""
    remedy = f"Type: {command(root, f'train --attempt {number}{resume}')}"
    if not (root / "attempts" / f"{number}.yaml").is_file():
        remedy = f"Name one of these, or write attempts/{number}.yaml"
    raise InputError(run.folder, f"is not {'finished' if resume else 'there'} (finished: {there})", remedy)


def claim(root: Path, number: int, known: Iterable[int], *, resume: bool, again: bool) -> Run:
    """The folder to train an attempt in, when that loses nothing; `again` and `resume` are the user's leave.

    Args:
        known: numbers of the attempts there are, to name a free one.

    Raises:
        FinishedError: a finished run is there, or an interrupted one, without leave.
    """
    run = run_of(root, number)
    if again:
        return run
    if run.finished:
        free = max([number, *known, *(n for n, _ in finished_runs(root))]) + 1
        file = (root / "attempts" / f"{free}.yaml").as_posix()
        remedy = (
            f"Write {file} with `base: {number}` and what you want to change, "
            f"or add --again, which keeps the old run as {free_name(run.folder).name}"
        )
        raise FinishedError(run.folder, "is finished and is never overwritten", remedy)
    if run.was_interrupted and not resume:
        raise FinishedError(run.folder, "was interrupted", "Add --resume to go on, or --again to begin anew")
    return run


def _read(file: Path) -> Any:
    try:
        return read_json(file)
    except (OSError, ValueError) as error:
        raise InputError(file, f"is damaged or missing ({error})", "Move the run's folder away, or --again") from error
