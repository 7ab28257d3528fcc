"""The YOLO track: Ultralytics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline import runtimes
from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.curves import ultralytics as results_csv
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.nouns import Curves
from yolo_pipeline.progress import Progress
from yolo_pipeline.run import Run
from yolo_pipeline.runtimes import kept
from yolo_pipeline.tracks import Trained
from yolo_pipeline.tracks.yolo import export, portable, training
from yolo_pipeline.tracks.yolo.asking import open_torch

_OWN_METRICS = ("precision", "recall", "mAP50", "mAP50_95")


class UltralyticsTrack:
    task: Literal["detect", "classify"] = "detect"
    runtime = "torch"
    targets = export.TARGETS

    def asking(self, settings: Mapping[str, Any]) -> Asking:
        train = settings.get("train") or {}
        imgsz, device = train.get("imgsz"), train.get("device")
        return Asking(imgsz=imgsz if isinstance(imgsz, int) else None, device=None if device is None else str(device))

    def check(self, attempt: Attempt, progress: Progress) -> None:
        training.check(attempt, self.task, progress)

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        data = dataset.config_file
        start = training.train(attempt, self.task, data, run, progress, _how_it_goes, resume=resume)
        return training.trained(run, start, self.curves(run), {name: f"val/{name}" for name in _OWN_METRICS})

    def open(self, weights: Path, asking: Asking, runtime: str = "") -> Predictor:
        """A network that was exported runs as what it is, whatever `runtime` says."""
        if runtimes.network_file(weights) is not None:
            return runtimes.open_network(weights, asking)
        if not runtime or runtime in export.IN_TORCH:
            return open_torch(weights, asking, half=runtime == "torch-half")
        network = kept.find(weights, runtime)
        if network is None:
            raise WeightsError(weights, f"was not prepared for the runtime {runtime}", "Prepare it, or use torch")
        return runtimes.open_network(network, asking)

    def runtimes(self, device: str | None) -> tuple[str, ...]:
        return export.available(device)

    def prepared(self, weights: Path, runtime: str) -> bool:
        return runtime in export.IN_TORCH or kept.find(weights, runtime) is not None

    def prepare(self, weights: Path, runtime: str, asking: Asking, samples: Sequence[Path], progress: Progress) -> None:
        export.prepare(weights, runtime, asking, samples, progress)

    def export(
        self, weights: Path, target: str, folder: Path, asking: Asking, samples: Sequence[Path], progress: Progress
    ) -> Path:
        if target == "bundle":
            return portable.write_portable(weights, folder / "best.pt")
        assert asking.imgsz is not None
        return export.export(weights, target, folder, asking.imgsz, progress)

    def curves(self, run: Run) -> Curves:
        return training.with_steps(results_csv.read(run.training / "results.csv"), run)

    def versions(self) -> dict[str, str]:
        return training.versions()


track = UltralyticsTrack()


def _how_it_goes(trainer: Any) -> str:
    return training.how_it_goes(trainer, ("box_loss", "cls_loss"), "metrics/mAP50(B)", "mAP50")
