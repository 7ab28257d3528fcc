"""What an attempt may tell the classification track: torchvision's backbones under a dense head of one's own.

`yolov8n-cls` and its kin are trained by Ultralytics, with Ultralytics' settings.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yolo_pipeline.settings import yolo
from yolo_pipeline.settings.faults import BadSettingError, as_number, checked_values, nearest, require_known


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a backbone of torchvision.

    Attributes:
        blocks, layers: how many there are below the head, for `freeze`.
        weights: torchvision's name of the weights that `pretrained: true` means: its DEFAULT.
        size: side in pixels of the squares that these are shown.
        least: the smallest side that it takes.
    """

    blocks: int
    layers: int
    weights: str = "IMAGENET1K_V1"
    size: int = 224
    least: int = 32


MODELS: dict[str, ModelFacts] = {
    "resnet18": ModelFacts(9, 40),
    "resnet34": ModelFacts(17, 72),
    "resnet50": ModelFacts(17, 106, "IMAGENET1K_V2"),
    "resnet101": ModelFacts(34, 208, "IMAGENET1K_V2"),
    "vgg11": ModelFacts(5, 8),
    "vgg16": ModelFacts(5, 13),
    "vgg19": ModelFacts(5, 16),
    "inception_v3": ModelFacts(12, 188, size=299, least=75),
    "efficientnet_b0": ModelFacts(18, 130),
    "efficientnet_b1": ModelFacts(25, 184, "IMAGENET1K_V2", 240),
    "efficientnet_b2": ModelFacts(25, 184, size=288),
    "efficientnet_b3": ModelFacts(28, 208, size=300),
    "convnext_tiny": ModelFacts(22, 99),
    "convnext_small": ModelFacts(40, 189),
    "convnext_base": ModelFacts(40, 189),
    "mobilenet_v3_small": ModelFacts(13, 86),
    "mobilenet_v3_large": ModelFacts(17, 108, "IMAGENET1K_V2"),
}
"""Of VGG, a block is one of the paper's five; of the others, one residual or inception block, and what lies between."""

OPTIMIZERS = ("Adam", "AdamW", "SGD", "RMSprop")
MONITORS = ("val_loss", "val_accuracy")
USUAL_DRAWS = 10

DEFAULTS: dict[str, Any] = {
    "batch": 32,
    "epochs": 100,
    "optimizer": "Adam",
    "lr0": 0.001,
    "momentum": 0.9,
    "weight_decay": 0.0,
    "cos_lr": False,
    "label_smoothing": 0.0,
    "freeze": "all",
    "class_weights": "none",
    "early_stopping": {"monitor": "val_loss", "patience": 30, "restore_best": True},
    "workers": 0,
    "seed": 0,
}
"""What an attempt trains with where it says nothing. `imgsz` depends on the model; `augment` and `device` may be left
out."""

_KNOWN = (*DEFAULTS, "imgsz", "augment", "device")
_IN_OTHER_WORDS = {
    **dict.fromkeys(("patience", "monitor", "restore_best"), "early_stopping: {patience: 8}"),
    **dict.fromkeys(("degrees", "rotation", "rotation_deg", "rotation_range"), "augment: {rotation_deg: 15}"),
    **dict.fromkeys(("fliplr", "flipud", "flip", "horizontal_flip", "vertical_flip"), "augment: {flip: [horizontal]}"),
    **dict.fromkeys(("zoom", "zoom_range", "scale"), "augment: {zoom: 0.1}"),
    **dict.fromkeys(("shift", "translate", "width_shift_range", "height_shift_range"), "augment: {shift: 0.1}"),
    "brightness": "augment: {brightness: 0.2}", "steps": "epochs", "batch_size": "batch", "size": "imgsz",
    "lr": "lr0", "learning_rate": "lr0", "optimiser": "optimizer", "unfreeze": "freeze",
    "dropout": "head: [{units: 256, dropout: 0.3}]", "head": "head: (not below train)",
    "weights": "weights: (not below train)", "pretrained": "pretrained: (not below train)",
}  # fmt: skip
_MOST = 10_000_000

_FORMS = {"early_stopping": "{patience: 8}", "augment": "{rotation_deg: 15, flip: [horizontal]}"}

Fits = Callable[[Any], bool]


def is_ultralytics(model: str) -> bool:
    """Whether Ultralytics trains a model of this track: yolov8n-cls, or a .pt or .yaml file."""
    return yolo.is_file_name(model) or model in yolo.classifiers()


def check_model(model: str) -> None:
    """
    Raises:
        BadSettingError: no model of this track, with the nearest right name.
    """
    if model in MODELS or is_ultralytics(model):
        return
    known = [*MODELS, *sorted(yolo.classifiers())]
    raise BadSettingError(f"model: {model} is not known to the track classify. {nearest(model, known)}")


def check_train(model: str, train: Mapping[str, Any]) -> dict[str, Any]:
    """The training settings with the defaults filled in; those of `early_stopping` and `augment` as well.

    Raises:
        BadSettingError: an unknown key, a wrong value, or pictures too small for the model.
    """
    if is_ultralytics(model):
        return {**yolo.check_train(train), **({} if "imgsz" in train else {"imgsz": 224})}
    require_known(train, _KNOWN, _IN_OTHER_WORDS)
    checked = checked_values(train, _check_value)
    filled = {"imgsz": MODELS[model].size, **DEFAULTS, **checked}
    _check_against(MODELS[model], model, filled)
    if isinstance(filled["class_weights"], Mapping):
        filled["class_weights"] = {  # YAML takes the class 0 for a number
            str(name): as_number(weight) for name, weight in filled["class_weights"].items()
        }
    filled["early_stopping"] = _filled("early_stopping", filled["early_stopping"], _EARLY_STOPPING)
    if "augment" in filled:
        filled["augment"] = _filled("augment", filled["augment"], _AUGMENT)
        if not any(value for key, value in filled["augment"].items() if key != "draws"):
            raise BadSettingError("train.augment: does not say what to do. Name one of rotation_deg, zoom, shift, flip")
    return filled


def _check_against(facts: ModelFacts, model: str, filled: Mapping[str, Any]) -> None:
    """
    Raises:
        BadSettingError: pictures too small for the model, or more left unfrozen than it has.
    """
    if (imgsz := filled["imgsz"]) < facts.least:
        raise BadSettingError(f"train.imgsz: is {imgsz}, too small for {model}. It must be {facts.least} or more")
    if isinstance(filled["freeze"], Mapping):
        ((what, count),) = filled["freeze"].items()
        word = what.removeprefix("all_but_")
        if count > (there := getattr(facts, word)):
            reason = f"{what} is {count}, but {model} has {there} {word} below its head"
            raise BadSettingError(f"train.freeze: {reason}. Say fewer, or none to freeze nothing")


def check_head(track: str, model: str, head: object) -> None:
    """
    Raises:
        BadSettingError: a head for a track or model that has none of one's own.
    """
    if head and track != "classify":
        raise BadSettingError(f"head: is for the track classify, not for {track}. Leave it out")
    if head and is_ultralytics(model):
        raise BadSettingError(f"head: {model} has its own, which Ultralytics makes. Say `head: null`")


def _whole(least: int, most: int = _MOST) -> Fits:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(least: float, most: float) -> Fits:
    """From `least` to `most`, both included; NaN is nowhere between."""
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most


def _flips(value: Any) -> bool:
    return isinstance(value, list) and all(word in ("horizontal", "vertical") for word in value)


_EARLY_STOPPING: dict[str, tuple[Any, Fits, str]] = {
    "monitor": ("val_loss", lambda value: value in MONITORS, f"one of {', '.join(MONITORS)}"),
    "patience": (8, _whole(0), "a whole number of epochs; 0: it never stops early"),
    "restore_best": (True, lambda value: isinstance(value, bool), "true or false"),
}
_AUGMENT: dict[str, tuple[Any, Fits, str]] = {
    "rotation_deg": (0.0, _number(0, 180), "a number of degrees, 180 at most"),
    "zoom": (0.0, _number(0, 0.9), "a share, 0.9 at most"),
    "shift": (0.0, _number(0, 0.9), "a share of the side, 0.9 at most"),
    "brightness": (0.0, _number(0, 0.9), "a share, 0.9 at most"),
    "flip": ([], _flips, "a list of horizontal and vertical"),
    "draws": (USUAL_DRAWS, _whole(1, 1000), "a whole number, 1 to 1000"),
}
"""Key -> default, what fits, and that in words."""


def _filled(block: str, said: Mapping[str, Any], known: Mapping[str, tuple[Any, Fits, str]]) -> dict[str, Any]:
    for key, value in said.items():
        if key not in known:
            raise BadSettingError(f"train.{block}.{key}: no such key. {nearest(str(key), known)}")
        _, fits, expected = known[key]
        if not fits(as_number(value)):
            raise BadSettingError(f"train.{block}.{key}: is {value!r}. It must be {expected}")
    return {key: as_number(said.get(key, copy.copy(default))) for key, (default, _, _) in known.items()}


def _check_value(key: str, value: Any) -> tuple[bool, str]:
    """Whether a value is right, and what would be."""
    match key:
        case "batch" | "epochs":
            return _whole(1)(value), "a whole number above 0"
        case "imgsz":
            return _whole(8, 2048)(value), "a whole number of pixels, 2048 at most"
        case "workers" | "seed":
            return _whole(0)(value), "a whole number, 0 or above"
        case "optimizer":
            return value in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}"
        case "lr0":
            return _number(1e-9, 10)(value), "a number above 0, such as 0.001"
        case "momentum" | "label_smoothing":
            return _number(0, 0.999)(value), "a number from 0 to below 1"
        case "weight_decay":
            return _number(0, 10)(value), "a number, 0 or above"
        case "cos_lr":
            return isinstance(value, bool), "true or false"
        case "freeze":
            return _is_freeze(value), "all, none, {all_but_blocks: 2} or {all_but_layers: 100}"
        case "class_weights":
            return _is_class_weights(value), "none, balanced, or a mapping of class to weight, each above 0"
        case "device":
            return value in ("cpu", "mps") or _is_gpu(value), "cpu, mps or the number of a GPU"
    return isinstance(value, Mapping), f"keys and values, such as {_FORMS[key]}"


def _is_gpu(value: Any) -> bool:
    return _whole(0, 99)(int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,2}", value) else value)


def _is_freeze(value: Any) -> bool:
    if isinstance(value, Mapping):
        return len(value) == 1 and all(
            key in ("all_but_blocks", "all_but_layers") and _whole(1)(n) for key, n in value.items()
        )
    return value in ("all", "none")


def _is_class_weights(value: Any) -> bool:
    if isinstance(value, Mapping):
        named = all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in value)
        return bool(value) and named and all(_number(1e-6, 1e6)(as_number(weight)) for weight in value.values())
    return value in ("none", "balanced")
