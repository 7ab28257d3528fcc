"""What trainings by Ultralytics share, whether of detectors or of classifiers: checks, the call, what was used."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from yolo_pipeline.attempt import Attempt
from yolo_pipeline.errors import InputError, WeightsError, one_line
from yolo_pipeline.files import read_json, write_json
from yolo_pipeline.nouns import Curves
from yolo_pipeline.progress import Progress
from yolo_pipeline.run import Run
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.tracks import Trained
from yolo_pipeline.tracks.torch_device import device_of, use_all_cores
from yolo_pipeline.tracks.yolo.weights import (
    Task,
    find_start,
    has_ended,
    load,
    pretrained_argument,
    require_pretrained,
    start_record,
)

_USED_FILE = "used.json"

HowItGoes = Callable[[Any], str]
"""Ultralytics' trainer -> its losses and its score on val, in a few words."""


def check(attempt: Attempt, task: Task, progress: Progress) -> None:
    """As `Track.check`."""
    start = find_start(attempt, progress)
    device = device_of(attempt.train.get("device"), attempt.where("train.device"))
    if device == "cpu" and attempt.train.get("device") is None:
        progress.say("no CUDA device found: training on the CPU, which is slow for models larger than n")
    if device != "cpu" and attempt.train.get("amp", True):
        progress.say("Ultralytics may fetch yolo26n.pt (5 MB) once, to check mixed precision on this GPU")
    load(start, task)
    require_pretrained(attempt)
    if attempt.pretrained is False and start.suffix == ".pt":
        remedy = "Leave pretrained out, or name a model or a .yaml to begin from scratch"
        raise WeightsError(attempt.where("pretrained"), f"is false, but model is the weights file {start.name}", remedy)


def train(
    attempt: Attempt,
    task: Task,
    data: Path,
    run: Run,
    progress: Progress,
    how: HowItGoes,
    *,
    resume: bool,
    trainer: type | None = None,
) -> dict[str, Any]:
    """Trains in `run.training`, or goes on there; the weights that it began from, as they are recorded.

    Args:
        data: what Ultralytics is given: a data.yaml, or a folder of classes.
        trainer: Ultralytics' own for the task, or one made of that.
    """
    start = find_start(attempt, progress)
    resume = resume and run.checkpoint.is_file()
    if not (resume and has_ended(run.checkpoint)):
        model = load(run.checkpoint if resume else start, task)
        for event, callback in _callbacks(progress, run.training / _USED_FILE, how).items():
            model.add_callback(event, callback)
        arguments = {
            **attempt.train,
            "data": str(data),
            "device": device_of(attempt.train.get("device"), attempt.where("train.device")),
            "save_dir": str(run.training),
            "exist_ok": True,
            "plots": attempt.train.get("plots", False),
            "verbose": False,
            "resume": resume,
            "pretrained": pretrained_argument(attempt),
        }
        with _explained(attempt):
            model.train(trainer=trainer, **arguments)
    return start_record(attempt, start)


def trained(run: Run, start: dict[str, Any], curves: Curves, own_metrics: dict[str, str]) -> Trained:
    """What training left behind.

    Args:
        own_metrics: name of a figure of Ultralytics -> its column of the curves.
    """
    used = {**read_json(run.training / _USED_FILE), "epochs": len(curves)}
    row = max(0, min(used["best_epoch"], len(curves)) - 1)
    there = {name: curves.columns[column] for name, column in own_metrics.items() if column in curves.columns}
    return Trained(
        weights=run.training / "weights" / "best.pt",
        start=start,
        parameters=used.pop("parameters"),
        used=used,
        own_metrics={f"ultralytics/{name}": values[row] for name, values in there.items()},
    )


def with_steps(curves: Curves, run: Run) -> Curves:
    """With a column of how many batches were trained on."""
    batches = read_json(run.training / _USED_FILE)["batches"]
    return Curves({"step": tuple(epoch * batches for epoch in curves.columns["epoch"]), **curves.columns})


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("ultralytics", "torch", "torchvision")}


def _callbacks(progress: Progress, used_file: Path, how: HowItGoes) -> dict[str, Callable[[Any], None]]:
    """Ultralytics' events -> our progress, and a file with what is really used, which outlives an interruption."""
    state = {"batch": 0}

    def epoch_start(trainer: Any) -> None:
        state["batch"] = 0
        if trainer.epoch == trainer.start_epoch:
            use_all_cores()

    def batch_end(trainer: Any) -> None:
        state["batch"] += 1
        done = trainer.epoch + min(state["batch"] / max(len(trainer.train_loader), 1), 1.0)
        progress.at("training", done, trainer.epochs, how(trainer))

    def epoch_end(trainer: Any) -> None:
        done = min(trainer.epoch + 1, trainer.epochs)  # the final validation counts one epoch more
        progress.at("training", done, trainer.epochs, how(trainer))
        write_json(used_file, _used(trainer))

    return {
        "on_train_epoch_start": epoch_start,
        "on_train_batch_end": batch_end,
        "on_fit_epoch_end": epoch_end,
    }


def how_it_goes(trainer: Any, losses: tuple[str, ...], score: str, said: str) -> str:
    """`box_loss 1.20  cls_loss 2.31  val mAP50 0.412`.

    Args:
        losses: those of Ultralytics that are said.
        score: its figure on val, and `said`, what it is called.
    """
    found = {name: float(value) for name, value in (trainer.tloss or {}).items()}
    parts = [f"{name} {value:.2f}" for name, value in found.items() if name in losses]
    value = (trainer.metrics or {}).get(score)
    return "  ".join([*parts, f"val {said} {float(value):.3f}"] if value else parts)


def _used(trainer: Any) -> dict[str, Any]:
    arguments = trainer.args
    return {
        "device": _device_name(trainer.device),
        "imgsz": int(arguments.imgsz),
        "batch": int(trainer.batch_size),
        "batches": len(trainer.train_loader),
        "best_epoch": int(trainer.stopper.best_epoch),
        "optimizer": str(arguments.optimizer),
        "lr0": float(arguments.lr0),
        "amp": bool(trainer.amp),
        "workers": int(arguments.workers),
        "parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
    }


def _device_name(device: Any) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device.type)


@contextmanager
def _explained(attempt: Attempt) -> Iterator[None]:
    """What Ultralytics and torch raise on settings and machines, as one line for the user."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        said = one_line(str(error))
        smaller = f"Train with a smaller batch than {attempt.train['batch']} (batch: 4), a smaller imgsz or model"
        if "out of memory" in said.lower():
            raise InputError(
                attempt.where("train.batch"), f"memory is not enough: {complaint(error, 160)}", smaller
            ) from error
        if getattr(error, "winerror", None) == 1455 or "WinError 1455" in said:
            where = attempt.where("train.workers")
            raise InputError(where, "Windows' page file is too small", f"Say `workers: 0`. {smaller}") from error
        if isinstance(error, FileNotFoundError):
            where = attempt.where("train")
            raise InputError(where, f"Ultralytics misses a file: {complaint(error, 300)}", "Mend the path") from error
        if "No space left" in said or "failed writing file" in said:  # torch's own words for it
            raise InputError("runs", "the disk is full", "Free some space, then go on with --resume") from error
        raise
    except (ValueError, TypeError, NotImplementedError, AssertionError) as error:
        reason = f"Ultralytics refuses a setting: {complaint(error, 300)}"
        raise InputError(attempt.where("train"), reason, "Mend it") from error
