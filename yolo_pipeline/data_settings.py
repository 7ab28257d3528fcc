"""The `data:` block of an attempt: what a data set is made of, checked key by key."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from yolo_pipeline import settings
from yolo_pipeline.formats import FORMATS
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.nouns import Split

Unlabelled = Literal["skip", "background"]


def _class_name(value: object) -> object:
    """YAML reads `0` as a number and `no` as false; class names are words."""
    if isinstance(value, bool):
        raise ValueError("YAML takes yes, no, on and off for true and false: put the class name in quotes")
    return clean_label(str(value)) if isinstance(value, (str, int, float)) else value


def as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


_SPLIT_SUM_TOLERANCE = 1e-6

ClassName = Annotated[str, BeforeValidator(_class_name), Field(min_length=1)]


class Settings(BaseModel):
    """A mapping in which every key is known and every type exact."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceSettings(Settings):
    """Labelled pictures: a folder, a zip or an annotation file; `images` where the pictures lie in another folder.

    Paths go from the project. `label_key` names the attribute with the class, in formats where it may be any.
    """

    path: str
    format: str = "auto"
    images: str | None = None
    unlabelled: Unlabelled = "skip"
    difficult: Literal["keep", "drop"] = "keep"
    label_key: str | None = None

    @model_validator(mode="after")
    def _format_is_known(self) -> SourceSettings:
        if self.format != "auto" and self.format not in FORMATS:
            raise ValueError(f"format {self.format!r} is not known. {settings.nearest(self.format, FORMATS)}")
        return self


class SplitSettings(Settings):
    """Shares of train, val and test, dealt by `seed`. `again` deals anew images that the base had dealt."""

    train: float = Field(gt=0, le=1)
    val: float = Field(gt=0, lt=1)
    test: float = Field(default=0.0, ge=0, lt=1)
    seed: int = 0
    again: bool = False

    @property
    def ratios(self) -> dict[Split, float]:
        return {"train": self.train, "val": self.val, "test": self.test}

    @model_validator(mode="after")
    def _shares_add_up(self) -> SplitSettings:
        total = self.train + self.val + self.test
        if abs(total - 1) > _SPLIT_SUM_TOLERANCE:
            raise ValueError(f"train, val and test add up to {total:g}, not to 1")
        return self


class BackgroundSettings(Settings):
    """Pictures without objects for training: `share` of all training images, 0.01 to 0.10."""

    source: str
    share: float = Field(ge=0.01, le=0.10)


class DataSettings(Settings):
    """What the data set of an attempt is made of."""

    sources: Annotated[tuple[SourceSettings, ...], BeforeValidator(as_tuple)] = ()
    classes: Annotated[tuple[ClassName, ...] | None, BeforeValidator(as_tuple), Field(min_length=1)] = None
    rename: dict[ClassName, ClassName] = Field(default_factory=dict)
    split: SplitSettings | None = None
    backgrounds: BackgroundSettings | None = None
