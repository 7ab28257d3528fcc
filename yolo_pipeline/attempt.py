"""attempts/N.yaml -> Attempt: one try, with everything that it takes over from its base and from data.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from yolo_pipeline import settings
from yolo_pipeline.attempt_faults import explain
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
from yolo_pipeline.formats.yaml_files import BadYaml, load_yaml

Track = Literal["yolo", "tfapi"]
_NOT_INHERITED_ACROSS_TRACKS = ("model", "pretrained", "head", "train", "detect")
_TOP_KEYS = ("title", "base", "track", "model", "pretrained", "data", "train", "detect", "notes")
_COMMAND_LINE = Path("command line")
_ULTRALYTICS_KEYS = frozenset({"train", "val", "test", "nc", "download"})  # allowed in data.yaml, not ours


class DetectSettings(Settings):
    """How detections are used once the model is trained: `conf` is the confidence from which on they count.

    Left out, it is the confidence at which F1 was best on val.
    """

    conf: float | None = Field(default=None, gt=0, lt=1, allow_inf_nan=False)


class _AttemptFile(Settings):
    """The keys of a resolved attempt."""

    title: str = ""
    base: int | None = None
    track: Track = "yolo"
    model: str
    pretrained: bool | str = True
    data: DataSettings
    train: dict[str, Any] = Field(default_factory=dict)
    detect: DetectSettings = DetectSettings()
    notes: str = ""


_TAKEN_OVER = {"sources", "rename", "split", "backgrounds", "cutouts", "resize", "augment"}


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
class _File:
    path: Path
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, resolved. `root` is the project's folder, from which all relative paths go.

    `train` holds the track's training settings with our defaults filled in; `conf` is that of `detect:`; `changed` are
    the differences from the base as (key, before, after).
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
    conf: float | None = None
    notes: str = ""
    builtin: str | None = None
    dataset_path: str | None = None
    changed: tuple[tuple[str, Any, Any], ...] = ()
    files: tuple[_File, ...] = ()

    def where(self, key: str) -> str:
        """`FILE: KEY`, the file being the one that says a dotted key, for error messages."""
        return f"{_origin(self.files, tuple(key.split('.'))).as_posix()}: {key}"

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
            "data": self.data.model_dump(mode="json", exclude_defaults=True),
            "train": dict(sorted(self.train.items())),
            **({"detect": {"conf": self.conf}} if self.conf is not None else {}),
            "notes": self.notes,
        }


def attempt_file(root: Path, number: int) -> Path:
    return root / "attempts" / f"{number}.yaml"


def attempt_numbers(root: Path) -> list[int]:
    """The numbers for which an attempts/N.yaml exists, ascending."""
    files = (root / "attempts").glob("*.yaml") if (root / "attempts").is_dir() else ()
    return sorted(int(file.stem) for file in files if re.fullmatch(r"[1-9][0-9]*", file.stem))


def load(root: Path, number: int, overrides: Mapping[str, Any] | None = None) -> Attempt:
    """Reads attempts/N.yaml with its bases and data.yaml.

    Args:
        overrides: training settings from the command line, which go before all files.

    Raises:
        AttemptError: a file that is missing or no YAML, an unknown key, a wrong value (file and key are named).
    """
    files = list(_chain(root, number))
    data_file = _read_data_file(root)
    bottom = [_File(root / "data.yaml", {"data": data_file.as_data()})]
    top = [_File(_COMMAND_LINE, {"train": dict(overrides)})] if overrides else []
    attempt = _validate([*top, *files, *bottom], data_file)
    if len(files) == 1:
        return replace(attempt, number=number, root=root)
    base = _validate([*files[1:], *bottom], data_file)
    changed = tuple(differences(base.settings(), attempt.settings()))
    return replace(attempt, number=number, root=root, changed=changed)


def _chain(root: Path, number: int) -> Iterator[_File]:
    """The attempt's file, its base's, and so on."""
    seen: list[int] = []
    wanted: int | None = number
    while wanted is not None:
        if wanted in seen:
            path = attempt_file(root, seen[-1])
            raise AttemptError(f"{path.as_posix()}: base", f"attempt {wanted} builds on itself", "Break the circle")
        file = _read(root, wanted, seen)
        seen.append(wanted)
        yield file
        wanted = file.content.get("base")
        if wanted is not None and (not isinstance(wanted, int) or isinstance(wanted, bool)):
            where = f"{file.path.as_posix()}: base"
            raise AttemptError(where, f"{wanted!r} is no attempt number", "Write `base: 4`")


def _read(root: Path, number: int, seen: list[int]) -> _File:
    path = attempt_file(root, number)
    if not path.is_file():
        there = attempt_numbers(root)
        known = f"There are {', '.join(map(str, there))}" if there else "There are none: `init DIR` makes a project"
        where = f"{attempt_file(root, seen[-1]).as_posix()}: base" if seen else path.as_posix()
        raise AttemptError(where, f"there is no attempt {number}", known)
    content = _load_yaml(path, path.as_posix())
    for key in content:
        if key not in _TOP_KEYS:
            where = f"{path.as_posix()}: {key}"
            raise AttemptError(where, "no such key", settings.nearest(str(key), _TOP_KEYS))
    return _File(path, content)


def _read_data_file(root: Path) -> _DataFile:
    path = root / "data.yaml"
    if not path.is_file():
        return _DataFile()
    content = {key: value for key, value in _load_yaml(path, path.as_posix()).items() if key not in _ULTRALYTICS_KEYS}
    try:
        return _DataFile.model_validate(content)
    except ValidationError as error:
        key, reason, remedy = explain(error, _DataFile)
        raise AttemptError(f"{path.as_posix()}: {key}", reason, remedy) from error


def _load_yaml(path: Path, shown: str) -> dict[str, Any]:
    try:
        content = load_yaml(path)
    except BadYaml as error:
        raise AttemptError(shown, str(error), "Mend it there, and save it as YAML in UTF-8") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise AttemptError(shown, "does not hold keys and values", "Write lines such as `model: yolov8n`")
    return {str(key): value for key, value in content.items()}


def _resolve(chain: list[_File]) -> dict[str, Any]:
    """The chain's settings, nearest word last: mappings merge by key, lists replace, null removes."""
    resolved: dict[str, Any] = {}
    for file in reversed(chain):
        content = file.content
        if resolved and content.get("track", resolved.get("track", "yolo")) != resolved.get("track", "yolo"):
            resolved = {key: value for key, value in resolved.items() if key not in _NOT_INHERITED_ACROSS_TRACKS}
        if file.path != _COMMAND_LINE:  # each attempt has a title and notes of its own
            resolved = {key: value for key, value in resolved.items() if key not in ("title", "notes")}
        resolved = _merge(resolved, content)
    return resolved


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            there = merged.get(key)
            merged[key] = _merge(there if isinstance(there, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def _validate(chain: list[_File], data_file: _DataFile) -> Attempt:
    resolved = _resolve(chain)
    try:
        attempt = _AttemptFile.model_validate(resolved)
    except ValidationError as error:
        key, reason, remedy = explain(error, _AttemptFile)
        raise AttemptError(f"{_origin(chain, tuple(key.split('.')))}: {key}", reason, remedy) from error
    if not attempt.data.sources:
        remedy = "Name one here or in data.yaml"
        raise AttemptError(f"{chain[0].path}: data.sources", "no source of labelled pictures is named", remedy)
    try:
        settings.check_model(attempt.track, attempt.model)
        train = settings.check_train(attempt.track, attempt.model, attempt.train)
    except settings.BadSettingError as error:
        key, _, text = str(error).partition(": ")
        reason, _, remedy = text.partition(". ")
        raise AttemptError(f"{_origin(chain, tuple(key.split('.')))}: {key}", reason, remedy) from error
    return Attempt(
        number=0,
        root=Path(),
        title=attempt.title,
        base=attempt.base,
        track=attempt.track,
        model=attempt.model,
        pretrained=attempt.pretrained,
        data=attempt.data,
        train=train,
        conf=attempt.detect.conf,
        notes=attempt.notes,
        builtin=data_file.builtin,
        dataset_path=data_file.path,
        files=tuple(chain),
    )


def _origin(chain: Sequence[_File], key: tuple[str, ...]) -> Path:
    """The file of the chain that says a key: the nearest one, as far down the key as any says it."""
    for depth in range(len(key), 0, -1):
        for file in chain:
            value: Any = file.content
            for part in key[:depth]:
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                return file.path
    return chain[0].path


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
