"""The environment of the track tfapi: made, and tried by training two steps."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.errors import InputError
from yolo_pipeline.files import write_text
from yolo_pipeline.formats.label_map import label_map_text
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Truth
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.settings import tfapi
from yolo_pipeline.tfapi import environment, records
from yolo_pipeline.tfapi.child import Child
from yolo_pipeline.tfapi.pipeline import Paths, pipeline_config

_MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
_STEPS, _PICTURES, _SIDE = 2, 4, 96
_LABEL = "square"


@dataclass(frozen=True, slots=True)
class Setup:
    """What is there now.

    Attributes:
        python: the environment's interpreter.
        versions: of Python, TensorFlow and the API's other packages.
        done: made, found (it was there), or named (by YOLO_PIPELINE_TFAPI_PYTHON).
    """

    python: Path
    versions: dict[str, str]
    done: str


def setup_tfapi(progress: Progress = silent, *, cuda: bool | None = None) -> Setup:
    """Makes the environment where there is none; one that is named by YOLO_PIPELINE_TFAPI_PYTHON is only tried.

    Args:
        cuda: with CUDA's packages, or without; one that was made otherwise is replaced. None: as it is, or with them
            where there is an NVIDIA driver.

    Raises:
        InputError: it cannot be made, or does not train. Nothing is left of it then but a log.
    """
    if (named := environment.named_python()) is not None:
        found = environment.versions(named)
        try_training(named, progress)
        return Setup(named, found, "named")
    if environment.is_made(cuda=cuda):
        python = environment.interpreter(environment.folder())
        try:
            return Setup(python, environment.versions(python), "found")
        except InputError as error:
            progress.say(f"the environment that is there is damaged, and is made anew: {error.reason}")
    with_cuda = _has_driver() if cuda is None else cuda
    python = environment.make(progress, cuda=with_cuda, check=lambda python: try_training(python, progress))
    return Setup(python, environment.versions(python), "made")


def _has_driver() -> bool:
    """Whether TensorFlow could use an NVIDIA GPU here; on Windows it no longer can."""
    return sys.platform == "linux" and shutil.which("nvidia-smi") is not None


def try_training(python: Path, progress: Progress = silent) -> None:
    """Trains the smallest model for two steps, on pictures made for it.

    Raises:
        InputError: it does not; one line with the path of the log.
    """
    log = environment.home() / "check.log"
    log.unlink(missing_ok=True)
    progress.say("trying it: two steps of training, about a minute")
    with tempfile.TemporaryDirectory() as folder, _trial(Path(folder), log, python) as child:
        messages = list(child.messages())
    losses = [loss for message in messages for loss in message.get("losses", {}).values()]
    if messages[-1]["done"].get("step") != _STEPS or not losses or not all(map(math.isfinite, losses)):
        raise InputError(log, "the trial ended without two trained steps", "Look there for more")


def _trial(folder: Path, log: Path, python: Path) -> Child:
    return Child("train", _job(folder), log, python=python, patience=0)  # there is nothing to save


def _job(folder: Path) -> dict[str, object]:
    """Data, label map and config in a folder, and what the child is told of them."""
    dataset = _pictures(folder / "data")
    written = records.write_records(dataset, folder / "records", silent)
    write_text(folder / "label_map.pbtxt", label_map_text(dataset.dataset.names))
    train = tfapi.check_train(_MODEL, {"steps": _STEPS, "batch": 2})
    paths = Paths(folder / "label_map.pbtxt", records.pattern(written.files["train"]), None)
    write_text(folder / "pipeline.config", pipeline_config(_MODEL, train, len(dataset.dataset.names), paths))
    return {
        "config": str(folder / "pipeline.config"),
        "model_dir": str(folder / "model"),
        "steps": _STEPS,
        "checkpoint_every": _STEPS,
        "seed": 0,
        "device": None,
        "val": 0,
        "names": list(dataset.dataset.names),
    }


def _pictures(folder: Path) -> BuiltDataset:
    """A few grey pictures with a bright square each."""
    folder.mkdir()
    images: list[ImageRecord] = []
    for number in range(_PICTURES):
        pixels = np.full((_SIDE, _SIDE, 3), 60, np.uint8)
        left = 8 + 10 * number
        pixels[20:60, left : left + 40] = 220
        file = folder / f"{number}.png"
        Image.fromarray(pixels).save(file)
        truth = Truth(Box(left, 20, left + 40, 60), _LABEL)
        images.append(ImageRecord(file, file.name, _SIDE, _SIDE, file.suffix, (truth,), split="train"))
    files = {image.name: image.name for image in images}
    return BuiltDataset(folder, Dataset((_LABEL,), tuple(images)), "", files, reused=False)
