"""What is wrong with a settings file, in the words of the person who wrote it: pydantic's faults, explained."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from yolo_pipeline import settings
from yolo_pipeline.data_settings import (
    AugmentSettings,
    BackgroundSettings,
    BoxAugmentSettings,
    CutoutSettings,
    DataSettings,
    ResizeSettings,
    SourceSettings,
    SplitSettings,
)

_FORMS = {
    "head": "[{units: 256, dropout: 0.3}]",
    "crops_of": "datasets/fridge",
    "sources": "[{path: datasets/raw/pictures}]",
    "classes": "[chicken, onion]",
    "rename": "{egg: eggs}",
    "split": "{train: 0.8, val: 0.1, test: 0.1}",
    "backgrounds": "{source: datasets/raw/backgrounds, share: 0.05}",
    "cutouts": "{share: 0.1}",
    "resize": "{size: 640, mode: stretch}",
    "augment": "{outputs_per_example: 3, flip: [horizontal]}",
    "box": "{flip: [horizontal], rotation_deg: 15}",
    "flip": "[horizontal, vertical]",
    "detect": "{conf: 0.4}",
    "rot90": "[clockwise]",
}
"""Key -> how its value may be written, for those that are no plain number or word."""


def explain(error: ValidationError, model: type[BaseModel]) -> tuple[str, str, str]:
    """The first fault as (dotted key, reason, remedy); an unknown track or key goes before what is missing."""
    fault = min(error.errors(), key=lambda fault: (fault["loc"] != ("track",), fault["type"] != "extra_forbidden"))
    parts = [str(part) for part in fault["loc"] if not str(part).startswith(("function-", "tuple[", "dict["))]
    key = ".".join(parts)
    if fault["type"] == "extra_forbidden":
        owner = _model_at(model, parts[:-1])
        return key, "no such key", settings.nearest(parts[-1], owner.model_fields if owner else ())
    if fault["type"] == "missing":
        return key, "is missing", "Write `model: yolov8n`, say" if key == "model" else "Write a line for it"
    if fault["type"] == "value_error":
        return key or "data", str(fault["ctx"]["error"]), ""
    if fault["type"] in ("model_type", "tuple_type", "dict_type", "too_short") and parts and parts[-1] in _FORMS:
        return key, f"is {_short(fault['input'])}", f"Write `{parts[-1]}: {_FORMS[parts[-1]]}`, say"
    return key, f"is {_short(fault['input'])}", fault["msg"].replace("Input should", "It should")


def _model_at(model: type[BaseModel], parts: list[str]) -> type[BaseModel] | None:
    by_name: dict[str, type[BaseModel]] = {
        "data": DataSettings, "split": SplitSettings, "backgrounds": BackgroundSettings, "sources": SourceSettings,
        "resize": ResizeSettings, "augment": AugmentSettings, "box": BoxAugmentSettings, "cutouts": CutoutSettings,
    }  # fmt: skip
    named = [part for part in parts if not part.isdigit()]
    return by_name.get(named[-1]) if named else model


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
