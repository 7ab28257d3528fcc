"""The track of the TensorFlow Object Detection API, which runs as a child process in an environment of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline import runtimes
from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.curves import tfapi_log
from yolo_pipeline.curves.tfapi_tags import own_metrics
from yolo_pipeline.formats.label_map import label_map_text
from yolo_pipeline.nouns import Curves
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.results import part
from yolo_pipeline.run import Run
from yolo_pipeline.settings import tfapi as facts
from yolo_pipeline.settings import trained_size
from yolo_pipeline.tfapi import environment, weights
from yolo_pipeline.tfapi.pipeline import portable_config
from yolo_pipeline.tfapi.pipeline_reading import Described, described
from yolo_pipeline.tracks import Trained
from yolo_pipeline.tracks.own_runtime import OwnRuntime
from yolo_pipeline.tracks.tfapi import export, training
from yolo_pipeline.tracks.tfapi.asking import open_saved_model, open_weights
from yolo_pipeline.tracks.tfapi.device import device_of
from yolo_pipeline.tracks.tfapi.start import find_start, own_config, require_same_classes
from yolo_pipeline.tracks.tfapi.training import CONFIG, FIGURES, LOG, Ended
from yolo_pipeline.tracks.torch_device import has_cuda

_UNTOLD_IOU = facts.DEFAULTS["iou_threshold"]
_USED = ("learning_rate_base", "warmup_learning_rate", "warmup_steps", "seed")


class ObjectDetectionTrack(OwnRuntime):
    task: Literal["detect", "classify"] = "detect"
    runtime = "tensorflow"
    targets: Mapping[str, tuple[str, ...]] = export.TARGETS

    def asking(self, settings: Mapping[str, Any]) -> Asking:
        train, model = part(settings, "train"), str(settings.get("model"))
        imgsz, iou, device = train.get("imgsz"), train.get("iou_threshold"), train.get("device")
        return Asking(
            imgsz=imgsz if isinstance(imgsz, int) else trained_size("tfapi", model, train),
            iou=float(iou) if isinstance(iou, (int, float)) else _UNTOLD_IOU,
            most=export.MOST,
            device=None if device is None else str(device),
        )

    def check(self, attempt: Attempt, progress: Progress) -> None:
        environment.python()
        own_config(attempt)
        device = device_of(attempt.train.get("device"), attempt.where("train.device"))
        if device is None and not has_cuda():
            progress.say("no CUDA device found: training on the CPU, at a second a step or so for the smallest model")
        start = find_start(attempt, progress)
        require_same_classes(start, attempt, attempt.data.classes or start.names)

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        start = find_start(attempt, silent)  # `check` has said it
        require_same_classes(start, attempt, dataset.dataset.names)
        device = device_of(attempt.train.get("device"), attempt.where("train.device"))
        resume = resume and run.checkpoint.is_file()
        training.write_inputs(attempt, dataset, run, start, progress, resume=resume)
        config = (run.training / CONFIG).read_text(encoding="utf-8")
        said = described(config)
        job = training.job(attempt, dataset, run, said.steps, device)
        ended = training.train(job, run.training / LOG, progress)
        if ended.metrics:
            progress.say(f"the weights of step {ended.best} are kept, the best of {ended.step} on val by mAP50-95")
        file = run.training / "weights" / "best.zip"
        model = said.model if "pipeline_config" in attempt.train else attempt.model
        about = weights.About(model, said.size, dataset.dataset.names, ended.best, ended.parameters)
        label_map = label_map_text(dataset.dataset.names)
        weights.pack(file, about, portable_config(config), label_map, ended.checkpoint)
        return Trained(
            weights=file,
            start=start.record,
            parameters=ended.parameters,
            used=_used(attempt, dataset, ended, said),
            own_metrics=own_metrics(ended.metrics),
        )

    def open(self, weights: Path, asking: Asking, runtime: str = "") -> Predictor:
        """A network that was exported runs as what it is, whatever `runtime` says."""
        if weights.is_dir() and (weights / "saved_model.pb").is_file():
            return open_saved_model(weights, asking)
        if runtimes.network_file(weights) is not None:
            return runtimes.open_network(weights, asking)
        if runtime:
            self.require_own(runtime)
        return open_weights(weights, asking)

    def export(
        self, weights: Path, target: str, folder: Path, asking: Asking, samples: Sequence[Path], progress: Progress
    ) -> Path:
        return export.export(weights, target, folder, asking, samples, progress)

    def curves(self, run: Run) -> Curves:
        record = run.record
        images = part(record, "data", "counts")["train"]["images"]
        batch = described((run.training / CONFIG).read_text(encoding="utf-8")).batch
        return tfapi_log.read(run.training / FIGURES, batch, images)

    def versions(self) -> dict[str, str]:
        there = environment.versions(environment.python())
        return {name: version for name, version in there.items() if name != "Python"}


track = ObjectDetectionTrack()


def _used(attempt: Attempt, dataset: BuiltDataset, ended: Ended, said: Described) -> dict[str, Any]:
    images = len(dataset.dataset.of("train"))
    return {
        "device": ended.device,
        "imgsz": said.size,
        "batch": said.batch,
        "steps": ended.step,
        "best_step": ended.best,
        "epochs": round(ended.step * said.batch / images, 2),
        **{key: attempt.train[key] for key in _USED if key in attempt.train},
        "iou_threshold": said.iou,
        **({"network": said.model, "resizer": said.resizer} if "pipeline_config" in attempt.train else {}),
    }
