"""attempts/N.yaml -> Attempt: one try, with everything that it takes over from its base and from data.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from yolo_pipeline import settings
from yolo_pipeline.attempt_faults import explain
from yolo_pipeline.attempt_files import (
    COMMAND_LINE,
    SettingsFile,
    attempt_file,
    chain_of,
    load_mapping,
    origin_of,
    resolve,
)
from yolo_pipeline.data_settings import (
    AugmentSettings,
    BackgroundSettings,
    ClassName,
    CutoutSettings,
    DataSettings,
    ResizeSettings,
    Settings,
    SourceSettings,
    SplitSettings,
    as_tuple,
)
from yolo_pipeline.errors import AttemptError

Track = Literal["yolo", "tfapi", "classify"]
_ULTRALYTICS_KEYS = frozenset({"train", "val", "test", "nc", "download"})  # allowed in data.yaml, not ours


class DetectSettings(Settings):
    """How detections are used once the model is trained: `conf` is the confidence from which on they count.

    Left out, it is the confidence at which F1 was best on val.
    """

    conf: float | None = Field(default=None, gt=0, lt=1, allow_inf_nan=False)


class DenseLayer(Settings):
    """A dense layer of a classifier's head, with ReLU; `dropout` is the share of its outputs left out in training."""

    units: int = Field(ge=1, le=65_536)
    dropout: float = Field(default=0.0, ge=0, lt=1, allow_inf_nan=False)


class _AttemptFile(Settings):
    """The keys of a resolved attempt."""

    title: str = ""
    base: int | None = None
    track: Track = "yolo"
    model: str
    pretrained: bool | str = True
    weights: str | None = Field(default=None, min_length=1)
    head: Annotated[tuple[DenseLayer, ...], BeforeValidator(as_tuple), Field(max_length=20)] = ()
    data: DataSettings
    train: dict[str, Any] = Field(default_factory=dict)
    detect: DetectSettings = DetectSettings()
    notes: str = ""


_TAKEN_OVER = {"sources", "rename", "split", "backgrounds", "cutouts", "resize", "augment"}


_SUCH_MODELS = {"yolo": "yolov8n", "tfapi": "ssd_mobilenet_v2_fpnlite_320x320", "classify": "resnet50"}


class _DataFile(Settings):
    """The keys of data.yaml that are ours."""

    sources: Annotated[tuple[SourceSettings, ...], BeforeValidator(as_tuple)] = ()
    names: Annotated[dict[int, ClassName] | tuple[ClassName, ...] | None, BeforeValidator(as_tuple)] = None
    path: str | None = None
    rename: dict[ClassName, ClassName] = Field(default_factory=dict)
    split: SplitSettings | None = None
    backgrounds: BackgroundSettings | None = None
    cutouts: CutoutSettings | None = None
    resize: ResizeSettings | None = None
    augment: AugmentSettings | None = None
    builtin: Literal["digits"] | None = None

    def as_data(self) -> dict[str, Any]:
        """What it says for the `data:` block of an attempt."""
        said = self.model_dump(mode="json", include=_TAKEN_OVER, exclude_unset=True)
        names = [self.names[number] for number in sorted(self.names)] if isinstance(self.names, dict) else self.names
        return {**said, "classes": list(names)} if names else said


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, resolved. `root` is the project's folder, from which all relative paths go.

    `train` holds the track's training settings with our defaults filled in; `head` are the dense layers of a classifier
    below that of its classes; `conf` is that of `detect:`; `changed` are the differences from the base as (key, before,
    after).
    """

    number: int
    root: Path
    title: str
    base: int | None
    track: str
    model: str
    pretrained: bool | str
    data: DataSettings
    train: dict[str, Any]
    head: tuple[DenseLayer, ...] = ()
    conf: float | None = None
    notes: str = ""
    builtin: str | None = None
    dataset_path: str | None = None
    changed: tuple[tuple[str, Any, Any], ...] = ()
    files: tuple[SettingsFile, ...] = ()

    def where(self, key: str) -> str:
        """`FILE: KEY`, the file being the one that says a dotted key, for error messages."""
        return f"{origin_of(self.files, tuple(key.split('.'))).as_posix()}: {key}"

    @property
    def file(self) -> Path:
        return attempt_file(self.root, self.number)

    @property
    def dataset_folder(self) -> Path:
        """Where the data set is built: `path:` of data.yaml, or a folder of the attempt's own."""
        return self.root / (self.dataset_path or f"datasets/attempt-{self.number}")

    def settings(self) -> dict[str, Any]:
        """The resolved settings as plain values, as they are recorded."""
        return {
            "attempt": self.number,
            "title": self.title,
            "base": self.base,
            "track": self.track,
            "model": self.model,
            "pretrained": self.pretrained,
            **({"head": [layer.model_dump() for layer in self.head]} if self.track == "classify" else {}),
            "data": self.data.model_dump(mode="json", exclude_defaults=True),
            "train": dict(sorted(self.train.items())),
            **({"detect": {"conf": self.conf}} if self.conf is not None else {}),
            "notes": self.notes,
        }


def load(root: Path, number: int, overrides: Mapping[str, Any] | None = None) -> Attempt:
    """Reads attempts/N.yaml with its bases and data.yaml.

    Args:
        overrides: training settings from the command line, which go before all files.

    Raises:
        AttemptError: a file that is missing or no YAML, an unknown key, a wrong value (file and key are named).
    """
    files = list(chain_of(root, number))
    data_file = _read_data_file(root)
    bottom = [SettingsFile(root / "data.yaml", {"data": data_file.as_data()})]
    top = [SettingsFile(COMMAND_LINE, {"train": dict(overrides)})] if overrides else []
    attempt = _validate([*top, *files, *bottom], data_file)
    if len(files) == 1:
        return replace(attempt, number=number, root=root)
    base = _validate([*files[1:], *bottom], data_file)
    changed = tuple(differences(base.settings(), attempt.settings()))
    return replace(attempt, number=number, root=root, changed=changed)


def _read_data_file(root: Path) -> _DataFile:
    path = root / "data.yaml"
    if not path.is_file():
        return _DataFile()
    content = {key: value for key, value in load_mapping(path, path.as_posix()).items() if key not in _ULTRALYTICS_KEYS}
    try:
        return _DataFile.model_validate(content)
    except ValidationError as error:
        key, reason, remedy = explain(error, _DataFile)
        raise AttemptError(f"{path.as_posix()}: {key}", reason, remedy) from error


def _validate(chain: list[SettingsFile], data_file: _DataFile) -> Attempt:
    resolved = resolve(chain)
    try:
        attempt = _AttemptFile.model_validate(resolved)
    except ValidationError as error:
        key, reason, remedy = explain(error, _AttemptFile)
        if (key, reason) == ("model", "is missing"):
            remedy = f"Write `model: {_SUCH_MODELS.get(resolved.get('track', 'yolo'))}`, say"
        file = chain[0].path if reason == "is missing" else origin_of(chain, tuple(key.split(".")))
        raise AttemptError(f"{file}: {key}", reason, remedy) from error
    if not attempt.data.sources and not attempt.data.crops_of:
        remedy = "Name one here or in data.yaml"
        raise AttemptError(f"{chain[0].path}: data.sources", "no source of labelled pictures is named", remedy)
    try:
        settings.check_model(attempt.track, attempt.model)
        settings.check_head(attempt.track, attempt.model, attempt.head)
        _check_task(attempt)
        train = settings.check_train(attempt.track, attempt.model, attempt.train)
    except settings.BadSettingError as error:
        key, reason, remedy = error.parts
        raise AttemptError(f"{origin_of(chain, tuple(key.split('.')))}: {key}", reason, remedy) from error
    return Attempt(
        number=0,
        root=Path(),
        title=attempt.title,
        base=attempt.base,
        track=attempt.track,
        model=attempt.model,
        pretrained=attempt.weights or attempt.pretrained,
        data=attempt.data,
        train=train,
        head=attempt.head,
        conf=attempt.detect.conf,
        notes=attempt.notes,
        builtin=data_file.builtin,
        dataset_path=data_file.path,
        files=tuple(chain),
    )


_FOR_BOXES = ("backgrounds", "cutouts")


def _check_task(attempt: _AttemptFile) -> None:
    """
    Raises:
        BadSettingError: data settings that the track's task has no use for; two files to start from.
    """
    if attempt.weights is not None and isinstance(attempt.pretrained, str):
        raise settings.BadSettingError("weights: says what pretrained says, too. Leave one of them out")
    if attempt.track != "classify":
        if attempt.data.crops_of is not None:
            reason = f"is for the track classify, not for {attempt.track}"
            raise settings.BadSettingError(f"data.crops_of: {reason}. Name the data set under sources")
        return
    reason = "is for boxes, which the track classify has none of"
    for key in _FOR_BOXES:
        if getattr(attempt.data, key) is not None:
            raise settings.BadSettingError(f"data.{key}: {reason}. Say `{key}: null`")
    if attempt.data.augment is not None and attempt.data.augment.box is not None:
        raise settings.BadSettingError(f"data.augment.box: {reason}. Say `box: null`")


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """(dotted key, before, after) of what differs between two sets of settings; titles and notes do not count."""
    for key in sorted({*before, *after}):
        if not prefix and key in ("attempt", "title", "base", "notes"):
            continue
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key}", old, new
