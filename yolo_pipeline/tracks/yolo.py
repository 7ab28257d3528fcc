"""The YOLO track: Ultralytics."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import platformdirs

from yolo_pipeline import images, settings
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.curves import ultralytics as results_csv
from yolo_pipeline.errors import InputError, WeightsError, one_line
from yolo_pipeline.fonts import font_file
from yolo_pipeline.nouns import Box, Curves, Detection
from yolo_pipeline.progress import Progress
from yolo_pipeline.run import Run
from yolo_pipeline.tracks import Predictor, Trained

_JUDGED_FROM = 0.001  # confidence, as Ultralytics' own validation
_NMS_IOU, _MAX_DETECTIONS = 0.7, 300
_INTEGRATIONS = ("clearml", "comet", "dvc", "mlflow", "neptune", "raytune", "sync", "tensorboard", "wandb")
_MOST_THREADS = 8


class UltralyticsTrack:
    task: Literal["detect", "classify"] = "detect"

    def check(self, attempt: Attempt, progress: Progress) -> None:
        start = _find_start(attempt, progress)
        device = _device(attempt)
        if device == "cpu" and attempt.train.get("device") is None:
            progress.say("no CUDA device found: training on the CPU, which is slow for models larger than n")
        if device != "cpu" and attempt.train.get("amp", True):
            progress.say("Ultralytics may fetch yolo26n.pt (5 MB) once, to check mixed precision on this GPU")
        _load(start, attempt)

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        start = _find_start(attempt, progress)
        device = _device(attempt)
        last = run.training / "weights" / "last.pt"
        resume = resume and last.is_file()
        model = _load(last, attempt) if resume else _load(start, attempt)
        arguments = {
            **attempt.train,
            "data": str(dataset.config_file),
            "device": device,
            "save_dir": str(run.training),
            "exist_ok": True,
            "plots": attempt.train.get("plots", False),
            "verbose": False,
            "resume": resume,
            "pretrained": _pretrained_argument(attempt),
        }
        for event, callback in _callbacks(progress).items():
            model.add_callback(event, callback)
        try:
            model.train(**arguments)
        except (RuntimeError, OSError) as error:
            raise _explained(error, attempt) from error
        trainer = model.trainer
        best = run.training / "weights" / "best.pt"
        return Trained(
            weights=best,
            start={"file": start.name, "sha256": images.sha256(start)} if start.suffix == ".pt" else {"file": None},
            parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
            used=_used(trainer),
            own_metrics=_own_metrics(trainer.metrics or {}),
        )

    def open(self, weights: Path, attempt: Attempt) -> Predictor:
        model = _load(weights, attempt)
        device = _device(attempt)
        model.add_callback("on_predict_start", lambda _: _use_all_cores())

        def predict(batch: Sequence[npt.NDArray[np.uint8]]) -> list[list[Detection]]:
            results = model.predict(
                [np.ascontiguousarray(picture[..., ::-1]) for picture in batch],  # Ultralytics takes arrays for BGR
                imgsz=attempt.train["imgsz"],
                conf=_JUDGED_FROM,
                iou=_NMS_IOU,
                max_det=_MAX_DETECTIONS,
                device=device,
                verbose=False,
            )
            return [_detections(result) for result in results]

        return predict

    def curves(self, run: Run) -> Curves:
        return results_csv.read(run.training / "results.csv")

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("ultralytics", "torch", "torchvision")}


track = UltralyticsTrack()


def _ultralytics() -> Any:
    """Ultralytics, told to keep to itself: settings in a folder of ours, no reports, no installs, no pickled code.

    Its fonts are put in place beforehand, as it would fetch them otherwise.
    """
    if "ultralytics" not in sys.modules:
        folder = platformdirs.user_cache_path("yolo_pipeline") / "ultralytics"
        fonts = folder / "Ultralytics"
        fonts.mkdir(parents=True, exist_ok=True)
        for name in ("Arial.ttf", "Arial.Unicode.ttf"):
            if not (fonts / name).exists():
                shutil.copyfile(font_file(), fonts / name)
        os.environ["YOLO_CONFIG_DIR"] = str(folder)
        os.environ["YOLO_OFFLINE"] = "1"  # at import it would look for the network, to report and to update
        os.environ["YOLO_AUTOINSTALL"] = "false"
        os.environ["ULTRALYTICS_SAFE_LOAD"] = "1"
        os.environ.setdefault("YOLO_VERBOSE", "false")
    import ultralytics

    kept = ultralytics.settings
    dict.update(kept, {name: False for name in _INTEGRATIONS if name in kept})  # in memory alone
    return ultralytics


def _find_start(attempt: Attempt, progress: Progress) -> Path:
    """What training starts from: a .pt file, or a .yaml to begin from scratch."""
    if settings.is_file_name(attempt.model):
        return _existing(attempt.root / attempt.model, "model")
    if attempt.pretrained is True:
        return _pretrained(attempt, progress)
    return Path(f"{attempt.model}.yaml")


def _existing(file: Path, key: str) -> Path:
    if not file.is_file():
        raise WeightsError(file, "there is no such file", f"Put it there, or name another one ({key}: in the attempt)")
    return file


def _pretrained(attempt: Attempt, progress: Progress) -> Path:
    """The published weights of a model: from the project's folder `weights`, else by download, said beforehand."""
    _ultralytics()
    from ultralytics.utils.checks import check_yolov5u_filename
    from ultralytics.utils.downloads import attempt_download_asset

    name: str = check_yolov5u_filename(f"{attempt.model.replace('-p6', '6')}.pt", verbose=False)
    file = attempt.root / "weights" / name
    if file.is_file():
        return file
    progress.say(f"fetching the pretrained weights {name} from Ultralytics' releases to weights/{name}")
    file.parent.mkdir(exist_ok=True)
    try:
        attempt_download_asset(file)
    except Exception as error:  # requests', urllib's and Ultralytics' own
        progress.say(f"that failed: {one_line(str(error))}")
    if not file.is_file():
        reason = "the pretrained weights are not there and cannot be fetched (no network?)"
        remedy = f"Put {name} there, or start from scratch with `pretrained: false` in the attempt"
        raise WeightsError(f"weights/{name}", reason, remedy)
    return file


def _pretrained_argument(attempt: Attempt) -> bool | str:
    if isinstance(attempt.pretrained, str):
        return str(_existing(attempt.root / attempt.pretrained, "pretrained"))
    return attempt.pretrained


def _load(file: Path, attempt: Attempt) -> Any:
    """A model from a weights or architecture file; whatever Ultralytics raises becomes a WeightsError."""
    yolo = _ultralytics().YOLO
    from ultralytics.utils.checks import check_yolov5u_filename

    if check_yolov5u_filename(file.name, verbose=False) != file.name and file.suffix == ".pt":
        reason = "has the name of an old YOLOv5 file, in whose place Ultralytics would fetch another"
        raise WeightsError(file, reason, "Use the file with a u in its name, such as yolov5nu.pt, or rename it")
    try:
        model = yolo(str(file))
    except Exception as error:  # unpickling hostile or broken files raises anything
        said = one_line(str(error))
        if _is_old_yolov5(file):
            reason = "holds an old YOLOv5 model, which Ultralytics cannot train"
            raise WeightsError(file, reason, "Use the file with a u in its name, such as yolov5nu.pt") from error
        if "outside the supported" in said:
            reason = "refers to code that is no part of Ultralytics; it was not run"
            raise WeightsError(file, reason, "Use weights that Ultralytics saved") from error
        kind = "an architecture" if file.suffix == ".yaml" else "weights (damaged, or an interrupted download?)"
        raise WeightsError(file, f"cannot be read as {kind}: {said[:200]}", "Fetch it again") from error
    if model.task != "detect":
        raise WeightsError(file, f"is a model for {model.task}, not for detection", "Name a detection model")
    if isinstance(attempt.pretrained, str):
        _existing(attempt.root / attempt.pretrained, "pretrained")
    return model


def _is_old_yolov5(file: Path) -> bool:
    """Whether a checkpoint's pickle names the classes of the old YOLOv5 repository. Nothing is unpickled."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        return any(b"cmodels.yolo\n" in archive.read(name) for name in pickles)


def _device(attempt: Attempt) -> str:
    asked = attempt.train.get("device")
    if asked is None:
        return _best_device()
    if str(asked) not in ("cpu", "mps") and _best_device() == "cpu":
        raise InputError("train.device", f"is {asked}, but torch finds no CUDA device", "Say cpu, or type: doctor")
    return ",".join(map(str, asked)) if isinstance(asked, list) else str(asked)


def _best_device() -> str:
    import torch

    return "0" if torch.cuda.is_available() else "cpu"


def _use_all_cores() -> None:
    """Ultralytics leaves one core free, which on two cores is half of the machine."""
    import torch

    torch.set_num_threads(max(torch.get_num_threads(), min(_MOST_THREADS, os.cpu_count() or 1)))


def _callbacks(progress: Progress) -> dict[str, Callable[[Any], None]]:
    """Ultralytics' events -> our progress."""
    state = {"batch": 0}

    def epoch_start(trainer: Any) -> None:
        state["batch"] = 0
        if trainer.epoch == trainer.start_epoch:
            _use_all_cores()

    def batch_end(trainer: Any) -> None:
        state["batch"] += 1
        done = trainer.epoch + min(state["batch"] / max(len(trainer.train_loader), 1), 1.0)
        progress.at("training", done, trainer.epochs, _losses(trainer))

    def epoch_end(trainer: Any) -> None:
        done = min(trainer.epoch + 1, trainer.epochs)  # the final validation counts one epoch more
        progress.at("training", done, trainer.epochs, _losses(trainer))

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
        "epochs": int(trainer.epoch) + 1,
        "best_epoch": int(trainer.stopper.best_epoch),
        "optimizer": str(arguments.optimizer),
        "lr0": float(arguments.lr0),
        "amp": bool(trainer.amp),
        "workers": int(arguments.workers),
    }


def _device_name(device: Any) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device.type)


def _own_metrics(metrics: dict[str, Any]) -> dict[str, float]:
    """`metrics/mAP50(B)` -> `ultralytics/mAP50`; validation images, best epoch."""
    return {
        "ultralytics/" + name.removeprefix("metrics/").removesuffix("(B)").replace("mAP50-95", "mAP50_95"): float(value)
        for name, value in metrics.items()
        if name.startswith("metrics/")
    }


def _explained(error: Exception, attempt: Attempt) -> InputError:
    said = str(error).replace("\n", " ")
    smaller = f"Train with a smaller batch than {attempt.train['batch']} (batch: 4), a smaller imgsz or model"
    if "out of memory" in said.lower():
        return InputError("train.batch", f"the GPU's memory is not enough: {said[:160]}", smaller)
    if "1455" in said:
        return InputError("train.workers", "Windows' page file is too small", f"Say `workers: 0`. {smaller}")
    if "No space left" in said:
        return InputError("runs", "the disk is full", "Free some space, then go on with --resume")
    raise error


def _detections(result: Any) -> list[Detection]:
    boxes = result.boxes
    rows = zip(boxes.xyxy.tolist(), boxes.cls.tolist(), boxes.conf.tolist(), strict=True)
    return [Detection(Box(*corners), result.names[int(label)], score) for corners, label, score in rows]
