"""The YOLO track: Ultralytics."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline import runtimes
from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.curves import ultralytics as results_csv
from yolo_pipeline.errors import InputError, WeightsError, one_line
from yolo_pipeline.files import read_json, write_json
from yolo_pipeline.nouns import Curves
from yolo_pipeline.progress import Progress
from yolo_pipeline.run import Run
from yolo_pipeline.runtimes import kept
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.tracks import Trained, yolo_export, yolo_portable
from yolo_pipeline.tracks.yolo_asking import open_torch
from yolo_pipeline.tracks.yolo_device import device_of, use_all_cores
from yolo_pipeline.tracks.yolo_weights import find_start, has_ended, load, pretrained_argument, start_record

_USED_FILE = "used.json"


class UltralyticsTrack:
    task: Literal["detect", "classify"] = "detect"
    runtime = "torch"
    targets = yolo_export.TARGETS

    def asking(self, settings: Mapping[str, Any]) -> Asking:
        train = settings.get("train") or {}
        imgsz, device = train.get("imgsz"), train.get("device")
        return Asking(imgsz=imgsz if isinstance(imgsz, int) else None, device=None if device is None else str(device))

    def check(self, attempt: Attempt, progress: Progress) -> None:
        start = find_start(attempt, progress)
        device = device_of(attempt.train.get("device"), attempt.where("train.device"))
        if device == "cpu" and attempt.train.get("device") is None:
            progress.say("no CUDA device found: training on the CPU, which is slow for models larger than n")
        if device != "cpu" and attempt.train.get("amp", True):
            progress.say("Ultralytics may fetch yolo26n.pt (5 MB) once, to check mixed precision on this GPU")
        load(start)
        pretrained_argument(attempt)
        if attempt.pretrained is False and start.suffix == ".pt":
            remedy = "Leave pretrained out, or name a model or a .yaml to begin from scratch"
            raise WeightsError(
                attempt.where("pretrained"), f"is false, but model is the weights file {start.name}", remedy
            )

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        start = find_start(attempt, progress)
        resume = resume and run.checkpoint.is_file()
        if not (resume and has_ended(run.checkpoint)):
            model = load(run.checkpoint if resume else start)
            for event, callback in _callbacks(progress, run.training / _USED_FILE).items():
                model.add_callback(event, callback)
            arguments = {
                **attempt.train,
                "data": str(dataset.config_file),
                "device": device_of(attempt.train.get("device"), attempt.where("train.device")),
                "save_dir": str(run.training),
                "exist_ok": True,
                "plots": attempt.train.get("plots", False),
                "verbose": False,
                "resume": resume,
                "pretrained": pretrained_argument(attempt),
            }
            with _explained(attempt):
                model.train(**arguments)
        used = read_json(run.training / _USED_FILE)
        curves = self.curves(run)
        used["epochs"] = len(curves)
        return Trained(
            weights=run.training / "weights" / "best.pt",
            start=start_record(attempt, start),
            parameters=used.pop("parameters"),
            used=used,
            own_metrics=_own_metrics(curves, used["best_epoch"]),
        )

    def open(self, weights: Path, asking: Asking, runtime: str = "") -> Predictor:
        """A network that was exported runs as what it is, whatever `runtime` says."""
        if runtimes.network_file(weights) is not None:
            return runtimes.open_network(weights, asking)
        if not runtime or runtime in yolo_export.IN_TORCH:
            return open_torch(weights, asking, half=runtime == "torch-half")
        network = kept.find(weights, runtime)
        if network is None:
            raise WeightsError(weights, f"was not prepared for the runtime {runtime}", "Prepare it, or use torch")
        return runtimes.open_network(network, asking)

    def runtimes(self, device: str | None) -> tuple[str, ...]:
        return yolo_export.available(device)

    def prepared(self, weights: Path, runtime: str) -> bool:
        return runtime in yolo_export.IN_TORCH or kept.find(weights, runtime) is not None

    def prepare(self, weights: Path, runtime: str, asking: Asking, samples: Sequence[Path], progress: Progress) -> None:
        yolo_export.prepare(weights, runtime, asking, samples, progress)

    def export(
        self, weights: Path, target: str, folder: Path, asking: Asking, samples: Sequence[Path], progress: Progress
    ) -> Path:
        if target == "bundle":
            return yolo_portable.write_portable(weights, folder / "best.pt")
        assert asking.imgsz is not None
        return yolo_export.export(weights, target, folder, asking.imgsz, progress)

    def curves(self, run: Run) -> Curves:
        curves = results_csv.read(run.training / "results.csv")
        batches = read_json(run.training / _USED_FILE)["batches"]
        return Curves({"step": tuple(epoch * batches for epoch in curves.columns["epoch"]), **curves.columns})

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("ultralytics", "torch", "torchvision")}


track = UltralyticsTrack()


def _callbacks(progress: Progress, used_file: Path) -> dict[str, Callable[[Any], None]]:
    """Ultralytics' events -> our progress, and a file with what is really used, which outlives an interruption."""
    state = {"batch": 0}

    def epoch_start(trainer: Any) -> None:
        state["batch"] = 0
        if trainer.epoch == trainer.start_epoch:
            use_all_cores()

    def batch_end(trainer: Any) -> None:
        state["batch"] += 1
        done = trainer.epoch + min(state["batch"] / max(len(trainer.train_loader), 1), 1.0)
        progress.at("training", done, trainer.epochs, _losses(trainer))

    def epoch_end(trainer: Any) -> None:
        done = min(trainer.epoch + 1, trainer.epochs)  # the final validation counts one epoch more
        progress.at("training", done, trainer.epochs, _losses(trainer))
        write_json(used_file, _used(trainer))

    return {
        "on_train_epoch_start": epoch_start,
        "on_train_batch_end": batch_end,
        "on_fit_epoch_end": epoch_end,
    }


def _losses(trainer: Any) -> str:
    losses = {name: float(value) for name, value in (trainer.tloss or {}).items()}
    said = [f"{name} {value:.2f}" for name, value in losses.items() if name in ("box_loss", "cls_loss")]
    score = (trainer.metrics or {}).get("metrics/mAP50(B)")
    return "  ".join([*said, f"val mAP50 {float(score):.3f}"] if score else said)


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


def _own_metrics(curves: Curves, best_epoch: int) -> dict[str, float]:
    """Ultralytics' own figures on validation images at its best epoch, as `ultralytics/mAP50` and so on."""
    row = max(0, min(best_epoch, len(curves)) - 1)
    names = ("precision", "recall", "mAP50", "mAP50_95")
    return {f"ultralytics/{name}": curves.columns[f"val/{name}"][row] for name in names}


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
