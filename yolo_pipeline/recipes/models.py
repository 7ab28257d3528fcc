"""A model to detect or classify with: that of a finished attempt, or a weights file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from yolo_pipeline import runtimes
from yolo_pipeline.asking import Asking
from yolo_pipeline.comparison import SavedImage
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.files import read_json
from yolo_pipeline.images import sha256
from yolo_pipeline.nouns import Split
from yolo_pipeline.results import UNTOLD_CONF, confidence, finite, part
from yolo_pipeline.run import Run, require_finished
from yolo_pipeline.tracks import Track, open_track, said_by

LEAST_PROBABILITY = 0.01
"""From which on a classifier's classes are shown, where nothing is said."""

_NOTED = ("imgsz", "iou_threshold")
_CLASSIFIER = ".safetensors"


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model, and what is known of its data.

    Attributes:
        title: "attempt 5", or the name of the weights file.
        sha256: of the weights.
        asking: with the imgsz that it was trained at, where that is known.
        conf: the confidence from which on its detections count, or the classes of a classifier are shown.
        training: its training pictures that are still there.
        checked_on: its val pictures that are still there, and `truth`, their objects as COCO JSON.
        photos: the photos that its data was made of, with split and objects.
        splits: sha256 -> split of every picture of its data, as far as that was noted.
        folder: its data set, if it is still there.
    """

    title: str
    track: Track
    weights: Path
    sha256: str
    asking: Asking
    conf: float
    training: tuple[Path, ...] = ()
    checked_on: tuple[Path, ...] = ()
    truth: Mapping[str, Any] | None = None
    photos: tuple[SavedImage, ...] = field(default=(), repr=False)
    splits: Mapping[str, Split] = field(default_factory=dict, repr=False)
    folder: Path | None = None

    @property
    def classifies(self) -> bool:
        """Whether it says of pictures what they are, rather than where things are on them."""
        return self.track.task == "classify"


def model_of_attempt(root: Path, number: int, track: Track | None = None) -> Model:
    """The model of a finished attempt.

    Raises:
        InputError: it is not finished, was made elsewhere without its weights, or these are not what was recorded.
    """
    run = require_finished(root, number)
    record = run.record
    weights, digest = weights_of(run, record)
    settings = part(record, "settings")
    track = track or open_track(str(settings.get("track", "yolo")))
    data = part(record, "data").get("folder")
    folder = root / data if isinstance(data, str) else None
    truth, checked_on = _checked_on(run, folder)
    return Model(
        title=f"attempt {number}",
        track=track,
        weights=weights,
        sha256=digest,
        asking=replace(asking_of(track, record), device=None),
        conf=_conf(run, record),
        training=_training_pictures(folder),
        checked_on=checked_on,
        truth=truth,
        photos=run.read_dataset() or (),
        splits=run.read_splits() or {},
        folder=folder,
    )


def _conf(run: Run, record: Mapping[str, Any]) -> float:
    if run.classifies:
        said = finite(part(record, "settings", "detect").get("conf"))
        return LEAST_PROBABILITY if said is None else said
    return confidence(record, run.read_scores() if run.scores_file.is_file() else {})


def model_of_weights(weights: Path) -> Model:
    """Any weights file that a track can open, or an exported network; or the folder that holds it alone.

    Raises:
        WeightsError: there is no such file, it is of another kind, or a folder that holds none or several.
    """
    try:
        if not weights.exists():
            raise WeightsError(weights, "there is no such file", "Check --weights")
        file = tensorflow_model(weights) or _safetensors(weights) or runtimes.model_file(weights)
        name, settings = said_by(file)
        track = open_track(name)
        conf = LEAST_PROBABILITY if track.task == "classify" else UNTOLD_CONF
        return Model(file.name, track, file, _digest(file), track.asking(settings), conf)
    except OSError as error:
        raise WeightsError(weights, f"cannot be read: {error.strerror}", "Check --weights") from error


def tensorflow_model(path: Path) -> Path | None:
    """The best.zip of the track tfapi that a path means, or the folder of a SavedModel; None: it means neither."""
    if path.suffix.lower() == ".zip" and path.is_file():
        return path
    for folder in (path, path / "saved_model"):
        if (folder / "saved_model.pb").is_file():
            return folder
    return path / "best.zip" if (path / "best.zip").is_file() else None


def _safetensors(path: Path) -> Path | None:
    """The best.safetensors of the track classify that a path means; None: it means none."""
    if path.suffix.lower() == _CLASSIFIER and path.is_file():
        return path
    return path / f"best{_CLASSIFIER}" if (path / f"best{_CLASSIFIER}").is_file() else None


def _digest(weights: Path) -> str:
    """The sha256 of a file; of a network that is several, in OpenVINO's format or TensorFlow's, of their names and
    sha256.
    """
    if weights.is_dir():
        files = sorted(weights.rglob("*"))
    elif weights.suffix.lower() == ".xml":
        files = [weights, weights.with_suffix(".bin"), weights.with_name("metadata.yaml")]
    else:
        return sha256(weights)
    base = weights if weights.is_dir() else weights.parent
    listed = [(file.relative_to(base).as_posix(), sha256(file)) for file in files if file.is_file()]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def asking_of(track: Track, record: Mapping[str, Any]) -> Asking:
    """How the model of a run is asked: as its settings say, and where these are silent, as the framework noted."""
    settings, used = part(record, "settings"), part(record, "training", "used")
    noted = {key: used[key] for key in _NOTED if key in used}
    return track.asking({**settings, "train": {**noted, **part(settings, "train")}})


def weights_of(run: Run, record: Mapping[str, Any]) -> tuple[Path, str]:
    """The weights of a finished run, and their sha256.

    Raises:
        WeightsError: they are gone, or others than those that were judged.
    """
    said = part(record, "training").get("weights")
    if not isinstance(said, str):
        raise InputError(run.folder, "has no weights: it was made elsewhere", "Name the file with --weights")
    weights = run.folder / said
    if not weights.is_file():
        raise WeightsError(weights, "is gone", "Put it back, or train again with --again")
    digest = sha256(weights)
    if digest != part(record, "training").get("sha256", digest):
        reason = "is not the file that was judged (its sha256 is another)"
        raise WeightsError(weights, reason, "Put the right one back, or name this one with --weights")
    return weights, digest


def _training_pictures(folder: Path | None) -> tuple[Path, ...]:
    return tuple(pictures_of(folder, "train")) if folder is not None else ()


def pictures_of(folder: Path, split: Split) -> list[Path]:
    """The pictures of a split of a data set that was built: below images/SPLIT for boxes, below SPLIT for classes."""
    boxes = folder / "images" / split
    below = boxes if boxes.is_dir() else folder / split
    return sorted(file for file in below.rglob("*") if file.is_file())


def _checked_on(run: Run, folder: Path | None) -> tuple[Mapping[str, Any] | None, tuple[Path, ...]]:
    """The truth of val, and its pictures; nothing where one of them is gone."""
    if folder is None or not run.truth_file("val").is_file():
        return None, ()
    truth = read_json(run.truth_file("val"))
    files = tuple(folder / image["file_name"] for image in truth["images"])
    inside = all(file.resolve().is_relative_to(folder.resolve()) and file.is_file() for file in files)
    return (truth, files) if inside else (None, ())
