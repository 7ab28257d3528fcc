"""One training of the track tfapi: its files, the child process that does it, and what is said meanwhile."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.curves.tfapi_tags import columns_of
from yolo_pipeline.errors import FinishedError, InputError
from yolo_pipeline.files import write_text
from yolo_pipeline.formats.label_map import label_map_text
from yolo_pipeline.progress import Progress
from yolo_pipeline.run import Run
from yolo_pipeline.settings.tfapi import usual_checkpoint_every
from yolo_pipeline.tfapi import records
from yolo_pipeline.tfapi.child import Child
from yolo_pipeline.tfapi.pipeline import Paths, own_pipeline_config, pipeline_config, portable_config
from yolo_pipeline.tracks.tfapi.start import Start

CONFIG, LABEL_MAP, LOG, FIGURES = "pipeline.config", "label_map.pbtxt", "worker.log", "log.jsonl"
"""Files in a run's folder `training`."""

_SHOWN = ("cls_loss", "box_loss")
_AGAIN = "Look in the log, then go on with --resume"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a training ended.

    Attributes:
        best: the step whose checkpoint is used; without val, the last.
        metrics: the API's own figures of that step, by tag.
        checkpoint: the files of it, without .index and .data.
    """

    step: int
    best: int
    parameters: int
    device: str
    metrics: dict[str, float]
    checkpoint: Path


def write_inputs(
    attempt: Attempt, dataset: BuiltDataset, run: Run, start: Start, progress: Progress, *, resume: bool
) -> None:
    """Label map, records and pipeline.config into the run's folder `training`, which is emptied unless it is resumed.

    Raises:
        FinishedError: the user's own pipeline.config is no longer the one that the run was begun with.
        InputError: it does not fit the attempt, or a picture cannot be read.
    """
    folder, names = run.training.absolute(), dataset.dataset.names
    draft = Paths(folder / LABEL_MAP, "train.record", "val.record" if dataset.dataset.of("val") else None)
    _config_text(attempt, dataset, draft)  # before anything is written
    if not resume:
        shutil.rmtree(folder, ignore_errors=True)  # of a training that ended before its first checkpoint
    written = records.write_records(dataset, folder / "records", progress)
    for note in written.notes:
        progress.say(note)
    val = records.pattern(written.files["val"]) if "val" in written.files else None
    if val is None:
        progress.say("no val pictures: the last checkpoint is used, as none can be chosen")
    checkpoint = None if start.checkpoint is None else start.checkpoint.absolute().as_posix()
    paths = Paths(folder / LABEL_MAP, records.pattern(written.files["train"]), val, checkpoint)
    text = _config_text(attempt, dataset, paths)
    if resume and "pipeline_config" in attempt.train:
        _refuse_other(attempt, folder / CONFIG, text)
    write_text(folder / LABEL_MAP, label_map_text(names))
    write_text(folder / CONFIG, text)


def job(attempt: Attempt, dataset: BuiltDataset, run: Run, steps: int, device: str | None) -> dict[str, Any]:
    """What the child is told."""
    folder = run.training.absolute()
    return {
        "config": str(folder / CONFIG),
        "model_dir": str(folder),
        "steps": steps,
        "checkpoint_every": attempt.train.get("checkpoint_every", usual_checkpoint_every(steps)),
        "seed": attempt.train["seed"],
        "device": device,
        "val": len(dataset.dataset.of("val")),
        "names": list(dataset.dataset.names),
    }


def train(job: Mapping[str, Any], log: Path, progress: Progress) -> Ended:
    """Has a child do the job to its end. On Ctrl-C it saves a checkpoint first.

    Raises:
        InputError: the child failed, or ended before its last step; one line with the path of its log.
    """
    with Child("train", job, log, progress=progress) as child:
        done = _followed(child.messages(), progress)
    if done.get("interrupted"):
        raise InputError(log, f"training ended at step {done.get('step')} of {job['steps']}", _AGAIN)
    try:
        return Ended(
            step=int(done["step"]),
            best=int(done["best_step"]),
            parameters=int(done["parameters"]),
            device=str(done["device"]),
            metrics=_figures(done.get("metrics")),
            checkpoint=Path(done["checkpoint"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(log, "the TensorFlow process ended with something else than a result", _AGAIN) from error


def _config_text(attempt: Attempt, dataset: BuiltDataset, paths: Paths) -> str:
    names = dataset.dataset.names
    most = max((len(image.truths) for image in dataset.dataset.images), default=0)
    if "pipeline_config" in attempt.train:
        return own_pipeline_config(attempt.root / attempt.train["pipeline_config"], attempt.train, names, paths, most)
    return pipeline_config(attempt.model, attempt.train, len(names), paths, most)


def _refuse_other(attempt: Attempt, file: Path, text: str) -> None:
    """
    Raises:
        FinishedError: a run was begun with another pipeline.config of the user's.
    """
    if file.is_file() and portable_config(file.read_text(encoding="utf-8")) != portable_config(text):
        named = attempt.root / attempt.train["pipeline_config"]
        raise FinishedError(named, "was changed since the run was begun", "Undo that, or add --again to begin anew")


@dataclass
class _Pace:
    """How long a training will still take, by its steps since this process first heard of one."""

    began: tuple[int, float] | None = None
    mAP50: float | None = None

    def left(self, step: int, of: int) -> str:
        now = time.monotonic()
        if self.began is None:
            self.began = (step, now)
        done, seconds = step - self.began[0], now - self.began[1]
        return f"{_duration(seconds / done * (of - step))} left" if done > 0 and step < of else ""


def _followed(messages: Iterable[Mapping[str, Any]], progress: Progress) -> dict[str, Any]:
    """Hands on what a child says; the last of it."""
    pace, done = _Pace(), {}
    for message in messages:
        if "say" in message:
            progress.say(str(message["say"]))
        elif "step" in message:
            step, of = message["step"], message["of"]
            progress.at("training", step, of, "  ".join(filter(None, [_losses(message, pace), pace.left(step, of)])))
        elif "evaluating" in message:
            progress.at("evaluating on val", message["evaluating"], message["of"])
        elif "evaluated" in message:
            pace.mAP50 = _figures(message.get("metrics")).get("DetectionBoxes_Precision/mAP@.50IOU", pace.mAP50)
        elif isinstance(message.get("done"), dict):
            done = message["done"]
    return done


def _losses(message: Mapping[str, Any], pace: _Pace) -> str:
    named = {columns_of(tag, "train")[:1]: value for tag, value in _figures(message.get("losses")).items()}
    said = [f"{name} {named[column]:.2f}" for name in _SHOWN if (column := (f"train/{name}",)) in named]
    return "  ".join([*said, f"val mAP50 {pace.mAP50:.3f}"] if pace.mAP50 is not None else said)


def _figures(said: Any) -> dict[str, float]:
    entries = said.items() if isinstance(said, dict) else ()
    return {
        str(tag): float(value) for tag, value in entries if isinstance(value, (int, float)) and math.isfinite(value)
    }


def _duration(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
