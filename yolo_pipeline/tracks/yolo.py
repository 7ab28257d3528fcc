"""The YOLO track: Ultralytics."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
from yolo_pipeline.files import read_json, write_json
from yolo_pipeline.fonts import font_file
from yolo_pipeline.nouns import Box, Curves, Detection
from yolo_pipeline.progress import Progress
from yolo_pipeline.run import Run
from yolo_pipeline.tracks import Predictor, Trained

_JUDGED_FROM = 0.001  # confidence, as Ultralytics' own validation
_NMS_IOU, _MAX_DETECTIONS = 0.7, 300
_INTEGRATIONS = ("clearml", "comet", "dvc", "mlflow", "neptune", "raytune", "sync", "tensorboard", "wandb")
_MOST_THREADS = 8
_USED_FILE = "used.json"


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
        if attempt.pretrained is False and start.suffix == ".pt":
            remedy = "Leave pretrained out, or name a model or a .yaml to begin from scratch"
            raise WeightsError(
                attempt.where("pretrained"), f"is false, but model is the weights file {start.name}", remedy
            )

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        start = _find_start(attempt, progress)
        last = run.training / "weights" / "last.pt"
        resume = resume and last.is_file()
        if not (resume and _has_ended(last)):
            model = _load(last if resume else start, attempt)
            for event, callback in _callbacks(progress, run.training / _USED_FILE).items():
                model.add_callback(event, callback)
            arguments = {
                **attempt.train,
                "data": str(dataset.config_file),
                "device": _device(attempt),
                "save_dir": str(run.training),
                "exist_ok": True,
                "plots": attempt.train.get("plots", False),
                "verbose": False,
                "resume": resume,
                "pretrained": _pretrained_argument(attempt),
            }
            with _explained(attempt):
                model.train(**arguments)
        used = read_json(run.training / _USED_FILE)
        curves = self.curves(run)
        used["epochs"] = len(curves)
        return Trained(
            weights=run.training / "weights" / "best.pt",
            start=_start_record(attempt, start),
            parameters=used.pop("parameters"),
            used=used,
            own_metrics=_own_metrics(curves, used["best_epoch"]),
        )

    def open(self, weights: Path, attempt: Attempt) -> Predictor:
        model = _load(weights, attempt)
        device = _device(attempt)
        model.add_callback("on_predict_start", lambda _: _use_all_cores())

        def predict(batch: Sequence[npt.NDArray[np.uint8]]) -> list[list[Detection]]:
            """Pictures of one shape go together: a mixed batch would be padded, and so judged, by its neighbours."""
            found: list[list[Detection]] = [[] for _ in batch]
            for shape in dict.fromkeys(picture.shape for picture in batch):
                places = [place for place, picture in enumerate(batch) if picture.shape == shape]
                with _explained(attempt):
                    results = model.predict(
                        [np.ascontiguousarray(batch[place][..., ::-1]) for place in places],  # arrays are taken for BGR
                        imgsz=attempt.train["imgsz"],
                        conf=_JUDGED_FROM,
                        iou=_NMS_IOU,
                        max_det=_MAX_DETECTIONS,
                        device=device,
                        verbose=False,
                    )
                for place, result in zip(places, results, strict=True):
                    found[place] = _detections(result)
            return found

        return predict

    def curves(self, run: Run) -> Curves:
        curves = results_csv.read(run.training / "results.csv")
        batches = read_json(run.training / _USED_FILE)["batches"]
        return Curves({"step": tuple(epoch * batches for epoch in curves.columns["epoch"]), **curves.columns})

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
    off = {name: False for name in _INTEGRATIONS if kept.get(name)}
    ours = "yolo_pipeline" in Path(kept.file).parts
    if off and ours:
        kept.update(off)  # in the file as well, for processes that it starts
    else:
        dict.update(kept, off)  # somebody else imported Ultralytics: their file stays as it is
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
        if "outside the supported" in said and zipfile.is_zipfile(file):
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
    if isinstance(asked, list) or "," in str(asked):
        raise InputError(
            attempt.where("train.device"), f"is {asked}, several devices", "Name one: several are not supported"
        )
    if str(asked) not in ("cpu", "mps") and _best_device() == "cpu":
        remedy = "Say cpu, or type: python -m yolo_pipeline doctor"
        raise InputError(attempt.where("train.device"), f"is {asked}, but torch finds no CUDA device", remedy)
    return str(asked)


def _best_device() -> str:
    import torch

    return "0" if torch.cuda.is_available() else "cpu"


def _use_all_cores() -> None:
    """Ultralytics leaves one core free, which on two cores is half of the machine."""
    import torch

    torch.set_num_threads(max(torch.get_num_threads(), min(_MOST_THREADS, os.cpu_count() or 1)))


def _callbacks(progress: Progress, used_file: Path) -> dict[str, Callable[[Any], None]]:
    """Ultralytics' events -> our progress, and a file with what is really used, which outlives an interruption."""
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


def _has_ended(last: Path) -> bool:
    """Whether a checkpoint is that of a whole training: Ultralytics takes the optimizer out at the end."""
    _ultralytics()
    from ultralytics.nn.tasks import load_checkpoint

    try:
        _, checkpoint = load_checkpoint(str(last))
    except Exception as error:
        raise WeightsError(last, f"cannot be read ({one_line(str(error))[:200]})", "Begin anew with --again") from error
    return checkpoint.get("optimizer") is None


def _start_record(attempt: Attempt, start: Path) -> dict[str, Any]:
    """The weights that training began from, as they are recorded; none when it began from scratch."""
    file = attempt.root / attempt.pretrained if isinstance(attempt.pretrained, str) else start
    if file.suffix != ".pt" or attempt.pretrained is False:
        return {"file": None}
    return {"file": file.name, "sha256": images.sha256(file)}


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
            raise InputError(attempt.where("train.batch"), f"memory is not enough: {said[:160]}", smaller) from error
        if getattr(error, "winerror", None) == 1455 or "WinError 1455" in said:
            where = attempt.where("train.workers")
            raise InputError(where, "Windows' page file is too small", f"Say `workers: 0`. {smaller}") from error
        if isinstance(error, FileNotFoundError):
            where = attempt.where("train")
            raise InputError(where, f"Ultralytics misses a file: {said[:300]}", "Mend the path") from error
        if "No space left" in said or "failed writing file" in said:  # torch's own words for it
            raise InputError("runs", "the disk is full", "Free some space, then go on with --resume") from error
        raise
    except (ValueError, TypeError, NotImplementedError, AssertionError) as error:
        said = one_line(str(error))[:300]
        raise InputError(attempt.where("train"), f"Ultralytics refuses a setting: {said}", "Mend it") from error


def _detections(result: Any) -> list[Detection]:
    boxes = result.boxes
    rows = zip(boxes.xyxy.tolist(), boxes.cls.tolist(), boxes.conf.tolist(), strict=True)
    return [Detection(Box(*corners), result.names[int(label)], score) for corners, label, score in rows]
