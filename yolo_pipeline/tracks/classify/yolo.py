"""`yolov8n-cls` and its kin in the track classify: trained and asked by Ultralytics, with its own pre-processing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.curves import ultralytics as results_csv
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.nouns import Curves, Detection
from yolo_pipeline.progress import Progress
from yolo_pipeline.results import part
from yolo_pipeline.run import Run
from yolo_pipeline.runtimes.letterbox import rounded_up
from yolo_pipeline.tracks import Trained
from yolo_pipeline.tracks.classify.asking import answers_of
from yolo_pipeline.tracks.torch_device import device_of, explained, use_all_cores
from yolo_pipeline.tracks.yolo import training
from yolo_pipeline.tracks.yolo.asking import OTHER_WEIGHTS, stride_of, trained_imgsz
from yolo_pipeline.tracks.yolo.weights import Task, load_weights

_TASK: Task = "classify"
_UNTOLD_IMGSZ = 224  # Ultralytics' own for classifiers
_BATCH_ON_GPU, _BATCH_ON_CPU = 64, 16
_OWN_METRICS = {"top1": "val/accuracy", "top5": "val/accuracy_top5"}


class UltralyticsClassifier:
    """What `Track` says of these methods."""

    def check(self, attempt: Attempt, progress: Progress) -> None:
        training.check(attempt, _TASK, progress)

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        if not dataset.dataset.of("val"):
            progress.say("no val pictures: Ultralytics chooses the weights to keep on train, which flatters")
        trainer = _trainer(dataset)
        start = training.train(
            attempt, _TASK, dataset.folder, run, progress, _how_it_goes, resume=resume, trainer=trainer
        )
        return training.trained(run, start, self.curves(run), _OWN_METRICS)

    def open(self, weights: Path, asking: Asking) -> Predictor:
        model = load_weights(weights, _TASK)
        device = device_of(asking.device, "device")
        imgsz = rounded_up(asking.imgsz or trained_imgsz(model, _UNTOLD_IMGSZ), stride_of(model))
        names = tuple(str(name) for _, name in sorted(model.model.names.items()))  # `model.names` renames ImageNet's
        model.add_callback("on_predict_start", lambda _: use_all_cores())

        def find(batch: Sequence[Pixels]) -> list[list[Detection]]:
            with explained(weights, OTHER_WEIGHTS):
                results = model.predict(list(batch), imgsz=imgsz, device=device, verbose=False)
            said = [result.probs.data.tolist() for result in results]
            if any(len(of_picture) != len(names) for of_picture in said):
                reason = f"names {len(names)} classes and answers with {len(said[0])}"
                raise WeightsError(weights, reason, "Use another run's weights")
            if not all(math.isfinite(value) for of_picture in said for value in of_picture):
                raise WeightsError(weights, "says what is no probability", "Train again, or use another run's weights")
            return [answers_of(picture, names, one, asking) for one, picture in zip(said, batch, strict=True)]

        return Predictor(find, names, imgsz, _BATCH_ON_CPU if device == "cpu" else _BATCH_ON_GPU)

    def curves(self, run: Run) -> Curves:
        """Without val, Ultralytics was shown train in its place: what it says of that is left out."""
        curves = training.with_steps(results_csv.read_classifier(run.training / "results.csv"), run)
        counts = part(run.record, "data", "counts")
        if not counts or "val" in counts:
            return curves
        return Curves({name: values for name, values in curves.columns.items() if not name.startswith("val/")})


def _how_it_goes(trainer: Any) -> str:
    return training.how_it_goes(trainer, ("loss",), "metrics/accuracy_top1", "accuracy")


def _trainer(dataset: BuiltDataset) -> type:
    """Ultralytics' trainer, told which folder is which class.

    By itself it would order the classes by the names of their folders, and choose weights on test where there is no
    val.
    """
    from ultralytics.data import ClassificationDataset
    from ultralytics.models.yolo.classify import ClassificationTrainer

    names = dataset.dataset.names
    numbers = {
        _class_folder(dataset, image.name): names.index(image.truths[0].label) for image in dataset.dataset.images
    }
    has_val = bool(dataset.dataset.of("val"))

    class OfBuiltFolder(ClassificationTrainer):  # type: ignore[misc]  # Ultralytics is not typed
        def get_dataset(self) -> dict[str, Any]:
            data = super().get_dataset()
            val = data["val"] if has_val else data["train"]
            return {**data, "val": val, "nc": len(names), "names": dict(enumerate(names))}

        def build_dataset(self, img_path: Any, mode: str = "train", batch: Any = None) -> Any:
            pictures = ClassificationDataset(img_path, self.args, augment=mode == "train", prefix=mode)
            for sample in pictures.samples:  # [file, number of its class, …]
                sample[1] = numbers[Path(sample[0]).relative_to(img_path).parts[0]]
            return pictures

    return OfBuiltFolder


def _class_folder(dataset: BuiltDataset, name: str) -> str:
    """The folder of a picture's class below that of its split."""
    return PurePosixPath(dataset.files[name]).parts[1]
