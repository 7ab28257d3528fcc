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


def as_words(value: object) -> object:
    """One word, or a list in which each stands once."""
    words = (value,) if isinstance(value, str) else as_tuple(value)
    if isinstance(words, tuple) and len(words) > len(set(map(str, words))):
        raise ValueError("a word stands there twice")
    return words


def _width_and_height(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if isinstance(value, list) and len(value) == 2:
        return tuple(value)
    raise ValueError("a size is a number of pixels, or [width, height]")


def _as_source(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


_SPLIT_SUM_TOLERANCE = 1e-6

_CHANGES = {"flip", "rot90", "rotation_deg", "brightness", "blur_px"}

Side = Annotated[int, Field(ge=32, le=8192)]
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
    """Shares of train, val and test, dealt by `seed`. `again` deals anew images that the base had dealt.

    `similar_together` keeps pictures that show nearly the same in one split, as versions of one photo always are.
    """

    train: float = Field(gt=0, le=1)
    val: float = Field(gt=0, lt=1)
    test: float = Field(default=0.0, ge=0, lt=1)
    seed: int = 0
    again: bool = False
    similar_together: bool = False

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


class ResizeSettings(Settings):
    """Every picture brought to one size in pixels: `size` is a side, or width and height.

    `stretch` changes the ratio of the sides, `fit` pads with grey, `fill` cuts off what is too long.
    """

    size: Annotated[tuple[Side, Side], BeforeValidator(_width_and_height)]
    mode: Literal["stretch", "fit", "fill"] = "stretch"


class BoxAugmentSettings(Settings):
    """What may be done to the content of each box, while the box stays. 0 is not at all."""

    flip: Annotated[tuple[Literal["horizontal", "vertical"], ...], BeforeValidator(as_words)] = ()
    rotation_deg: float = Field(default=0.0, ge=0, le=45, allow_inf_nan=False)
    brightness: float = Field(default=0.0, ge=0, lt=1, allow_inf_nan=False)
    blur_px: float = Field(default=0.0, ge=0, le=25, allow_inf_nan=False)


class AugmentSettings(BoxAugmentSettings):
    """What training pictures may be turned into, written beside them when the data set is built.

    `outputs_per_example` counts the picture itself: with 3, two changed ones are added. Flips and quarter turns are
    drawn with equal chances; `rotation_deg: 15` is -15 to 15 degrees, `brightness: 0.25` is 75 to 125 %, `blur_px: 3` a
    Gaussian of 0 to 3 pixels.
    """

    outputs_per_example: int = Field(default=3, ge=2, le=50)
    rot90: Annotated[
        tuple[Literal["clockwise", "counter-clockwise", "upside-down"], ...], BeforeValidator(as_words)
    ] = ()
    box: BoxAugmentSettings | None = None

    @model_validator(mode="after")
    def _says_what(self) -> AugmentSettings:
        if not any(self.model_dump(include=_CHANGES).values()) and not (
            self.box and any(self.box.model_dump().values())
        ):
            raise ValueError(f"augment does not say what to do. Name one of {', '.join(sorted(_CHANGES))} or box")
        return self


class CutoutSettings(Settings):
    """Single objects on an empty canvas for training: `share` of the training images.

    They are cut out of these with GrabCut, or taken from the folder `source`: pictures with alpha, in a folder a class.
    """

    share: float = Field(ge=0.01, le=0.5, allow_inf_nan=False)
    source: str | None = None


class DataSettings(Settings):
    """What the data set of an attempt is made of.

    `crops_of`, for a classification attempt, is a source of boxes, each of which becomes a picture.
    """

    sources: Annotated[tuple[SourceSettings, ...], BeforeValidator(as_tuple)] = ()
    crops_of: Annotated[SourceSettings | None, BeforeValidator(_as_source)] = None
    classes: Annotated[tuple[ClassName, ...] | None, BeforeValidator(as_tuple), Field(min_length=1)] = None
    rename: dict[ClassName, ClassName] = Field(default_factory=dict)
    split: SplitSettings | None = None
    backgrounds: BackgroundSettings | None = None
    cutouts: CutoutSettings | None = None
    resize: ResizeSettings | None = None
    augment: AugmentSettings | None = None

    @property
    def all_sources(self) -> tuple[SourceSettings, ...]:
        """What is read, that of `crops_of` last."""
        return (*self.sources, *([self.crops_of] if self.crops_of else []))
