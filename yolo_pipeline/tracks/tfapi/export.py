"""Models of the TensorFlow Object Detection API as others use them: a SavedModel with its checkpoint, or TFLite."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.files import explain_os_error, write_text
from yolo_pipeline.images import evenly
from yolo_pipeline.progress import Progress
from yolo_pipeline.runtimes import tflite_file, tflite_ssd
from yolo_pipeline.tfapi import environment
from yolo_pipeline.tfapi.child import Child
from yolo_pipeline.tfapi.pipeline_reading import Described, described
from yolo_pipeline.tfapi.weights import Weights, unpack

TARGETS: dict[str, tuple[str, ...]] = {
    "saved_model": (),
    "tflite": ("ai_edge_litert",),
    "tflite-int8": ("ai_edge_litert",),
    "bundle": (),
}
"""As `Track.targets`."""

SAVED_MODEL, LABEL_MAP, CONFIG = "saved_model", "label_map.pbtxt", "pipeline.config"
"""Names in what is exported."""

MOST = 100
"""Detections on a picture: what the API gives where nothing is said, and what TensorFlow Lite gives of one class."""

_LIST = """\
model_checkpoint_path: "ckpt-0"
all_model_checkpoint_paths: "ckpt-0"
"""
_READABLE = frozenset({".jpg", ".jpeg", ".png", ".bmp"})  # by TensorFlow
LEAST_SAMPLES, _MOST_SAMPLES = 8, 100
_SHOWN_AS = {
    "resnet": ((123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
    "mobilenet": ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
}
"""Part of a feature extractor's name -> mean and divisor of red, green and blue (object_detection 2.8, the functions
`preprocess` of models/ssd_*_feature_extractor.py)."""


def export(
    weights: Path, target: str, folder: Path, asking: Asking, samples: Sequence[Path], progress: Progress
) -> Path:
    """As `Track.export`. A SavedModel is the folder saved_model of `folder`; what belongs to it lies beside it.

    Raises:
        WeightsError: the weights are none of this track, or their model cannot be written so.
        InputError: the API's environment is missing, or its process fails; one line with the path of its log.
    """
    opened = unpack(weights)
    told = described(opened.config.read_text(encoding="utf-8"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target in (SAVED_MODEL, "bundle"):
            path = _saved_model(opened, folder, asking, progress)
            return path if target == SAVED_MODEL else folder
        return _tflite(weights, opened, told, target, folder, asking, samples, progress)
    except OSError as error:
        raise explain_os_error(folder, error) or error from error


def _saved_model(opened: Weights, folder: Path, asking: Asking, progress: Progress) -> Path:
    """saved_model/, checkpoint/, pipeline.config and label_map.pbtxt. The same weights give the same bytes."""
    _have_written(SAVED_MODEL, opened, folder, asking, (), progress)
    (folder / SAVED_MODEL / "fingerprint.pb").unlink(missing_ok=True)  # drawn at random, and not needed
    for name, file in ((CONFIG, opened.config), (LABEL_MAP, opened.label_map)):
        shutil.copyfile(file, folder / name)
    write_text(folder / "checkpoint" / "checkpoint", _LIST)  # TensorFlow notes when it was written, too
    return folder / SAVED_MODEL


def _tflite(
    weights: Path, opened: Weights, told: Described, target: str, folder: Path, asking: Asking,
    samples: Sequence[Path], progress: Progress,
) -> Path:  # fmt: skip
    """`weights` with the suffix .tflite, which says what it is, and label_map.pbtxt."""
    note = _note(weights, opened, told, asking)
    chosen = _chosen(target, samples)
    file = folder / f"{weights.stem}.tflite"
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as temporary:
        made = _have_written(target, opened, Path(temporary), asking, chosen, progress)
        tflite_file.append_note(made, note)
        made.replace(file)
    shutil.copyfile(opened.label_map, folder / LABEL_MAP)
    return file


def _note(weights: Path, opened: Weights, told: Described, asking: Asking) -> dict[str, Any]:
    """What the network says of itself: see `tflite_ssd.describe_ssd`.

    Raises:
        WeightsError: how such a model is shown its pictures is not known.
    """
    shown_as = next((how for part, how in _SHOWN_AS.items() if part in told.model), None)
    if not told.model.startswith("ssd_") or told.resizer != "fixed_shape_resizer" or shown_as is None:
        reason = f"is a model of {told.model} with {told.resizer}, of which no TensorFlow Lite file is made"
        raise WeightsError(weights, reason, f"Use --to {SAVED_MODEL}")
    mean, std = shown_as
    return {
        "kind": tflite_ssd.KIND,
        "model": opened.about.model,
        "names": list(opened.about.names),
        "imgsz": [told.height, told.width],
        "iou": asking.iou,
        "conf": asking.conf,
        "max_det": min(asking.most, MOST),
        "mean": list(mean),
        "std": list(std),
    }


def _chosen(target: str, samples: Sequence[Path]) -> list[Path]:
    """Pictures to measure the scales of whole numbers on, evenly chosen; none for floats.

    Raises:
        InputError: there are too few.
    """
    if not target.endswith("-int8"):
        return []
    readable = [file for file in samples if file.suffix.lower() in _READABLE]
    if len(readable) < LEAST_SAMPLES:
        reason = (
            f"measures its scales on training pictures (JPEG, PNG, BMP), at least {LEAST_SAMPLES}; "
            f"there are {len(readable)}"
        )
        raise InputError(f"--to {target}", reason, "Build the attempt's data set again, or leave it out")
    return evenly(readable, _MOST_SAMPLES)


def _have_written(
    target: str, opened: Weights, out: Path, asking: Asking, samples: Sequence[Path], progress: Progress
) -> Path:
    """Has a child write a target into a folder; the file or folder that it names."""
    job = {
        "target": target,
        "config": str(opened.config),
        "checkpoint": opened.checkpoint,
        "out": str(out.absolute()),
        "conf": asking.conf,
        "iou": asking.iou,
        "most": min(asking.most, MOST),
        "samples": [str(file.absolute()) for file in samples],
        "device": "cpu",
    }
    python = environment.python()  # without one, no log is begun
    log = environment.new_log(f"export-{target}")
    done: dict[str, Any] = {}
    with Child("export", job, log, python=python, progress=progress) as child:
        for message in child.messages():
            if "say" in message:
                progress.say(str(message["say"]))
            done = message.get("done", done)
    made = done.get("file") if isinstance(done, dict) else None
    if not isinstance(made, str) or not Path(made).exists():
        raise InputError(log, "the TensorFlow process ended without the file that it was to write", "Look there")
    log.unlink(missing_ok=True)
    return Path(made)
