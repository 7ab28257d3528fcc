"""An attempt as somebody told it: its keys, and what is wrong with one, in words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from yolo_pipeline import settings
from yolo_pipeline.data_settings import ClassName, Settings
from yolo_pipeline.errors import InputError

SHAPE = "Write a list with one `- attempt: 1` and its `metrics: {map50: 0.7}` for each"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, Field(max_length=2000)]
Words = Annotated[list[Text], BeforeValidator(_as_list), Field(max_length=100)]
Plain = bool | int | float | Text | None
Said = dict[Annotated[str, Field(min_length=1, max_length=100)], Plain | Annotated[list[Plain], Field(max_length=100)]]
Count = Annotated[int, Field(ge=0, le=10**9)]


class _Told(Settings):
    model_config = ConfigDict(allow_inf_nan=False)


class Images(_Told):
    """How many pictures each split holds."""

    train: Count | None = None
    val: Count | None = Field(default=None, validation_alias=AliasChoices("val", "valid"))
    test: Count | None = None


class Training(_Told):
    """What was trained, and how; `settings` takes any name that the framework had."""

    model: Text | None = None
    pretrained: bool | Text | None = None
    imgsz: Count | None = None
    batch: Count | None = None
    epochs: Count | None = None
    steps: Count | None = None
    hours: float | None = Field(default=None, ge=0)
    settings: Said = Field(default_factory=dict)


class Metrics(_Told):
    """Figures as published."""

    map50: float | None = None
    map50_95: float | None = None
    map75: float | None = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    recognition_rate: float | None = None
    accuracy: float | None = None
    train_accuracy: float | None = None
    train_loss: float | None = None
    val_accuracy: float | None = None
    val_loss: float | None = None


class Entry(_Told):
    """One attempt as it was told. `base` is the attempt that `changed` is said against."""

    attempt: int | None = Field(default=None, ge=1, le=10**6)
    base: int | None = Field(default=None, ge=1, le=10**6)
    title: Text = ""
    group: Text = ""
    changed: Words = Field(default_factory=list)
    dataset: Text = ""
    images: Images = Images()
    classes: Count | Annotated[list[ClassName], Field(max_length=1000)] | None = None
    preprocessing: Said = Field(default_factory=dict)
    augmentation: Said = Field(default_factory=dict)
    training: Training = Training()
    metrics: Metrics
    detection: Said = Field(default_factory=dict)
    problems: Words = Field(default_factory=list)
    causes: Words = Field(default_factory=list)
    next: Words = Field(default_factory=list)
    notes: Text = ""


_PARTS: dict[str, type[BaseModel]] = {"images": Images, "training": Training, "metrics": Metrics}


def entry_of(where: str, row: Any) -> Entry:
    """A mapping as an entry; `where` is what errors name.

    Raises:
        InputError: an unknown key (the nearest is named), or a wrong value.
    """
    if not isinstance(row, dict):
        raise InputError(where, f"is {repr(row)[:60]}, no mapping", SHAPE)
    try:
        return Entry.model_validate(row)
    except ValidationError as error:
        key, reason, remedy = _explain(error)
        raise InputError(f"{where}: {key}", reason, remedy) from error


def _explain(error: ValidationError) -> tuple[str, str, str]:
    """The first fault as (dotted key, reason, remedy); unknown keys go before the rest."""
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    parts = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        owner: type[BaseModel] = _PARTS.get(parts[0], Entry) if len(parts) > 1 else Entry
        own = " Settings of another name go under `settings:`" if owner is Training else ""
        return ".".join(parts), "no such key", settings.nearest(parts[-1], owner.model_fields) + own
    if fault["type"] == "missing":
        return ".".join(parts), "is missing", "Write `metrics: {map50: 0.7}`, or `metrics: {}` where none was told"
    known = [part for part in parts if "[" not in part and part not in ("bool", "int", "float", "str")]
    message = fault["msg"].replace("Input should", "It should")
    return ".".join(known), f"is {repr(fault['input'])[:60]}", message
