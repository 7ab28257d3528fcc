"""What an attempt of the track tfapi starts from: a checkpoint that is named, the model zoo's, or nothing."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yolo_pipeline import images, settings
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.errors import AttemptError, WeightsError
from yolo_pipeline.fetching import zoo
from yolo_pipeline.progress import Progress
from yolo_pipeline.tfapi import weights
from yolo_pipeline.tfapi.pipeline_reading import Described, described_file

_OWN, _FINE_TUNE = "train.pipeline_config", "train.fine_tune_checkpoint"


@dataclass(frozen=True, slots=True)
class Start:
    """What training starts from.

    Attributes:
        checkpoint: its files without .index and .data; None: from scratch.
        record: {"file", "sha256"}, as it is recorded; {"file": None} from scratch.
        where: file and key that name it, for errors.
        names: the classes that it was trained for, where that is known.
    """

    checkpoint: Path | None = None
    record: dict[str, Any] = field(default_factory=lambda: {"file": None})
    where: str = ""
    names: tuple[str, ...] = ()


def find_start(attempt: Attempt, progress: Progress) -> Start:
    """The checkpoint to start from, there to be read; the zoo's is fetched where it was not yet.

    Raises:
        AttemptError: the settings contradict each other.
        InputError: it is not there, no checkpoint, or of another model.
    """
    if attempt.train.get("fine_tune_checkpoint") and attempt.pretrained is not True:
        other = "says from scratch" if attempt.pretrained is False else "names weights, too"
        reason = f"names weights to start from, and pretrained {other}"
        raise AttemptError(attempt.where(_FINE_TUNE), reason, "Leave one of the two out (`pretrained: true` leaves it)")
    for key, named in ((_FINE_TUNE, attempt.train.get("fine_tune_checkpoint")), ("pretrained", attempt.pretrained)):
        if isinstance(named, str):
            return _named(attempt, attempt.root / named, attempt.where(key))
    if attempt.pretrained is False:
        return Start()
    if "pipeline_config" in attempt.train:
        return _of_own_config(attempt, progress)
    return _of_zoo(attempt, progress)


def require_same_classes(start: Start, attempt: Attempt, names: Sequence[str]) -> None:
    """
    Raises:
        WeightsError: everything is to be restored from weights that were trained for other classes.
    """
    if attempt.train.get("fine_tune_checkpoint_type") != "full" or start.names in ((), tuple(names)):
        return
    there, here = (", ".join(some[:10]) for some in (start.names, tuple(names)))
    reason = f"was trained for other classes ({there}) than the attempt has ({here})"
    raise WeightsError(start.where, reason, "Say fine_tune_checkpoint_type: detection, which leaves classes out")


def own_config(attempt: Attempt) -> Described | None:
    """What the user's own pipeline.config says; None where there is none.

    Raises:
        InputError: it cannot be read, or is none.
    """
    if "pipeline_config" not in attempt.train:
        return None
    return described_file(attempt.root / attempt.train["pipeline_config"])


def _of_own_config(attempt: Attempt, progress: Progress) -> Start:
    """The checkpoint that the user's own pipeline.config names."""
    said = own_config(attempt)
    file = attempt.root / attempt.train["pipeline_config"]
    if said is None or not said.checkpoint:
        progress.say(f"{file.name} names no fine_tune_checkpoint: training from scratch")
        return Start()
    return _named(attempt, file.parent / said.checkpoint, f"{file.as_posix()}: fine_tune_checkpoint")


def _of_zoo(attempt: Attempt, progress: Progress) -> Start:
    """The COCO weights of the attempt's model."""
    found = zoo.zoo_model(settings.tfapi.MODELS[attempt.model].archive, progress)
    record = {"file": found.archive, "sha256": found.sha256}
    return Start(Path(found.checkpoint), record, attempt.where("pretrained"))


def _named(attempt: Attempt, path: Path, where: str) -> Start:
    """A checkpoint, or a run's best.zip."""
    try:
        prefix = Path(weights.checkpoint_prefix(path))
        about = weights.read_about(path) if path.suffix == ".zip" else None
    except WeightsError as error:
        raise WeightsError(f"{where}: {error.where}", error.reason, error.remedy) from error
    if about is None:
        data = min(prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*"))
        return Start(prefix, {"file": data.name, "sha256": images.sha256(data)}, where)
    if "pipeline_config" not in attempt.train and about.model != attempt.model:
        reason = f"{path.as_posix()} holds weights of {about.model}, and the attempt's model is {attempt.model}"
        raise WeightsError(where, reason, "Name weights of the same model")
    return Start(prefix, {"file": path.name, "sha256": images.sha256(path)}, where, about.names)
