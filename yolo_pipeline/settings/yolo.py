"""What an attempt may tell Ultralytics."""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from yolo_pipeline.settings.faults import BadSettingError, checked_values, nearest

DEFAULTS: dict[str, Any] = {"imgsz": 640, "batch": 16, "epochs": 100, "patience": 50, "workers": 4, "seed": 0}
"""What an attempt trains with where it says nothing; every other key has Ultralytics' own default."""

_SAID_ELSEWHERE = {
    "model": "model:", "data": "data:", "pretrained": "pretrained:", "task": "track:",
    "resume": "--resume on the command line", "conf": "nothing: the judge finds the best confidence",
    "split": "nothing: both val and test are judged",
}  # fmt: skip
_NOT_FOR_TRAINING = frozenset({
    "mode", "project", "name", "exist_ok", "cfg", "save_dir", "save", "save_json", "save_txt", "save_conf", "save_crop",
    "save_frames", "source", "vid_stride", "stream_buffer", "visualize", "embed", "show", "show_labels", "show_conf",
    "show_boxes", "line_width", "format", "optimize", "dynamic", "simplify", "opset", "workspace", "tracker", "verbose",
    "augment", "agnostic_nms", "classes", "retina_masks", "dnn", "nms",
})  # fmt: skip
_FRACTIONS = frozenset({
    "lr0", "lrf", "momentum", "weight_decay", "warmup_momentum", "warmup_bias_lr", "hsv_h", "hsv_s", "hsv_v",
    "translate", "perspective", "flipud", "fliplr", "bgr", "mosaic", "mixup", "cutmix", "copy_paste", "iou", "dropout",
})  # fmt: skip
_OPTIMIZERS = ("auto", "SGD", "MuSGD", "Adam", "Adamax", "AdamW", "NAdam", "RAdam", "RMSProp")
_SUFFIXED_TASK = re.compile(r"-(seg|cls|pose|obb|sem|depth)")


def check_train(train: Mapping[str, Any]) -> dict[str, Any]:
    """The training settings of an attempt with the defaults filled in.

    Args:
        train: the attempt's `train:` mapping, keys as Ultralytics names them.

    Raises:
        BadSettingError: an unknown key (the nearest is named), one that is said elsewhere, or a wrong value.
    """
    known = defaults_of_ultralytics()
    for key in train:
        if key in _SAID_ELSEWHERE:
            raise BadSettingError(f"train.{key}: is not set here. Use {_SAID_ELSEWHERE[key]}")
        if key in _NOT_FOR_TRAINING or key not in known:
            right = nearest(key, set(known) - _NOT_FOR_TRAINING - set(_SAID_ELSEWHERE))
            raise BadSettingError(f"train.{key}: is no training setting of Ultralytics. {right}")
    checked = checked_values(train, lambda key, value: _check_value(key, value, known[key]))
    return {**DEFAULTS, **checked}


def check_model(model: str) -> None:
    """Refuses a model name that Ultralytics does not know; paths of files are not looked at here.

    Raises:
        BadSettingError: with the nearest right name.
    """
    if is_file_name(model):
        return
    if _SUFFIXED_TASK.search(model):
        raise BadSettingError(f"model: {model} is not a detection model. Leave the suffix out")
    if model not in models():
        raise BadSettingError(
            f"model: {model} is not known. {nearest(model, models())} A .pt or .yaml file will do, too"
        )


def is_file_name(model: str) -> bool:
    """Whether `model:` names a weights or architecture file rather than a model."""
    return model.lower().endswith((".pt", ".yaml", ".yml"))


@cache
def models() -> frozenset[str]:
    """Names of the detection models that the installed Ultralytics can build, such as yolov8n."""
    return frozenset(_names(lambda stem: not _SUFFIXED_TASK.search(stem) and "world" not in stem))


@cache
def classifiers() -> frozenset[str]:
    """Names of the classification models that the installed Ultralytics can build, such as yolov8n-cls."""
    return frozenset(_names(lambda stem: stem.endswith("-cls")))


def _names(wanted: Callable[[str], bool]) -> set[str]:
    names: set[str] = set()
    for file in sorted((_ultralytics_folder() / "cfg" / "models").glob("*/*.yaml")):
        text = file.read_text(encoding="utf-8")
        family = re.fullmatch(r"(yolov?\d+)([a-z]?(?:-.+)?)", file.stem)
        if family is None or not wanted(file.stem):
            continue
        head, tail = family.groups()
        scales = yaml.safe_load(text).get("scales") or {}
        if scales and not tail[:1].isalpha():
            names.update(f"{head}{scale}{tail}" for scale in scales)
        else:
            names.add(file.stem)
    return names


def _check_value(key: str, value: Any, default: Any) -> tuple[bool, str]:
    """Whether a value is right, and what would be. What is not named here goes by the type of Ultralytics' default."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    whole = number and isinstance(value, int)
    match key:
        case "epochs" | "nbs" | "imgsz":
            return whole and value > 0, "a whole number above 0"
        case "patience" | "workers" | "seed" | "close_mosaic":
            return whole and value >= 0, "a whole number, 0 or above"
        case "batch":
            return number and (value == -1 or (0 < value < 1) or (whole and value > 0)), "a whole number above 0, or -1"
        case "optimizer":
            known = {name.lower() for name in _OPTIMIZERS}
            return isinstance(value, str) and value.lower() in known, f"one of {', '.join(_OPTIMIZERS)}"
        case "freeze":
            layers = isinstance(value, list) and all(isinstance(entry, (int, str)) for entry in value)
            return layers or (whole and value >= 0), "a number of layers, or a list of them"
        case "time":
            return value is None or (number and value > 0), "a number of hours"
        case "cache":
            return value in (True, False, "ram", "disk"), "true, false, ram or disk"
        case "device":
            return isinstance(value, (int, str)) and not isinstance(value, bool), "cpu, mps or the number of a GPU"
        case "amp" | "compile":
            return isinstance(value, (bool, str)), "true or false"
        case "scale" | "fraction" if isinstance(value, list):
            return len(value) == 2 and all(isinstance(entry, (int, float)) for entry in value), "one or two numbers"
    if key in _FRACTIONS:
        return number and 0 <= value <= 1, "a number from 0 to 1"
    if isinstance(default, bool):
        return isinstance(value, bool), "true or false"
    if isinstance(default, (int, float)):
        return number and (value >= 0 or key == "save_period"), "a number, 0 or above"
    if isinstance(default, str):
        return isinstance(value, str), "a word"
    return True, ""


@cache
def defaults_of_ultralytics() -> dict[str, Any]:
    """Every setting of the installed Ultralytics with its default."""
    text = (_ultralytics_folder() / "cfg" / "default.yaml").read_text(encoding="utf-8")
    defaults: dict[str, Any] = yaml.safe_load(text)
    return defaults


@cache
def _ultralytics_folder() -> Path:
    spec = importlib.util.find_spec("ultralytics")
    if spec is None or spec.origin is None:
        raise BadSettingError(
            "track: needs Ultralytics, which is not installed. Type: python -m pip install ultralytics"
        )
    return Path(spec.origin).parent
