"""What each track may be told in an attempt, checked without importing its framework (which takes seconds)."""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TRACKS = ("yolo",)

YOLO_DEFAULTS: dict[str, Any] = {"imgsz": 640, "batch": 16, "epochs": 100, "patience": 50, "workers": 4, "seed": 0}
"""What an attempt trains with where it says nothing; every other key has Ultralytics' own default."""

_OURS = {
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
_POSITIVE_INTEGERS = frozenset({"epochs", "nbs", "imgsz"})
_FRACTIONS = frozenset({
    "lr0", "lrf", "momentum", "weight_decay", "warmup_momentum", "warmup_bias_lr", "hsv_h", "hsv_s", "hsv_v",
    "translate", "perspective", "flipud", "fliplr", "bgr", "mosaic", "mixup", "cutmix", "copy_paste", "iou", "dropout",
})  # fmt: skip
_SUFFIXED_TASK = re.compile(r"-(seg|cls|pose|obb|sem|depth)")


class BadSettingError(ValueError):
    """A setting that its track does not take. The text says why and what would be right."""


def check_train(track: str, train: Mapping[str, Any]) -> dict[str, Any]:
    """The training settings of an attempt with the defaults filled in.

    Args:
        track: a name out of TRACKS.
        train: the attempt's `train:` mapping, keys as Ultralytics names them.

    Raises:
        BadSettingError: an unknown key (the nearest is named), one that is said elsewhere, or a wrong value.
    """
    known = _ultralytics_defaults()
    for key, value in train.items():
        if key in _OURS:
            raise BadSettingError(f"train.{key}: is not set here. Use {_OURS[key]}")
        if key in _NOT_FOR_TRAINING or key not in known:
            right = nearest(key, set(known) - _NOT_FOR_TRAINING - set(_OURS))
            raise BadSettingError(f"train.{key}: is no training setting of Ultralytics. {right}")
        _check_value(key, value, known[key])
    return {**YOLO_DEFAULTS, **train}


def check_model(track: str, model: str) -> None:
    """Refuses a model name that the track does not know; paths of files are not looked at here.

    Raises:
        BadSettingError: with the nearest right name.
    """
    if is_file_name(model):
        return
    if _SUFFIXED_TASK.search(model):
        raise BadSettingError(f"model: {model} is not a detection model. Leave the suffix out")
    if model not in yolo_models():
        raise BadSettingError(
            f"model: {model} is not known. {nearest(model, yolo_models())} A .pt or .yaml file will do, too"
        )


def is_file_name(model: str) -> bool:
    """Whether `model:` names a weights or architecture file rather than a model."""
    return model.lower().endswith((".pt", ".pth", ".yaml", ".yml", ".onnx"))


@cache
def yolo_models() -> frozenset[str]:
    """Names of the detection models that the installed Ultralytics can build, such as yolov8n."""
    names: set[str] = set()
    for file in sorted((_ultralytics_folder() / "cfg" / "models").glob("*/*.yaml")):
        text = file.read_text(encoding="utf-8")
        family = re.fullmatch(r"(yolov?\d+)([a-z]?(?:-.+)?)", file.stem)
        if family is None or _SUFFIXED_TASK.search(file.stem) or "world" in file.stem:
            continue
        head, tail = family.groups()
        scales = yaml.safe_load(text).get("scales") or {}
        if scales and not tail[:1].isalpha():
            names.update(f"{head}{scale}{tail}" for scale in scales)
        else:
            names.add(file.stem)
    return frozenset(names)


def nearest(word: str, known: Iterable[str]) -> str:
    """A half sentence that helps with a misspelt word: `Did you mean …?` or a list of what is known."""
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    some = sorted(known)
    return f"Known are {', '.join(some[:12])}{' …' if len(some) > 12 else '.'}"


def _check_value(key: str, value: Any, default: Any) -> None:
    """Types go by Ultralytics' own default; the ranges are those that its check_cfg refuses."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if key in _POSITIVE_INTEGERS:
        _require(isinstance(value, int) and number and value > 0, key, value, "a whole number above 0")
    elif key == "batch":
        _require(
            number and value != 0 and (value == -1 or value > 0), key, value, "a number above 0, or -1 (automatic)"
        )
    elif key in _FRACTIONS:
        _require(number and 0 <= value <= 1, key, value, "a number from 0 to 1")
    elif key in ("patience", "workers", "seed", "close_mosaic"):
        _require(isinstance(value, int) and number and value >= 0, key, value, "a whole number, 0 or above")
    elif isinstance(default, bool):
        _require(isinstance(value, bool) or key in ("amp", "cache", "compile"), key, value, "true or false")
    elif isinstance(default, float):
        _require(number or key in ("scale", "fraction"), key, value, "a number")
    elif isinstance(default, int):
        _require(number, key, value, "a number")
    elif isinstance(default, str):
        _require(isinstance(value, str), key, value, "a word")


def _require(right: bool, key: str, value: Any, expected: str) -> None:
    if not right:
        raise BadSettingError(f"train.{key}: is {value!r}. It must be {expected}")


@cache
def _ultralytics_defaults() -> dict[str, Any]:
    text = (_ultralytics_folder() / "cfg" / "default.yaml").read_text(encoding="utf-8")
    defaults: dict[str, Any] = yaml.safe_load(text)
    return defaults


@cache
def _ultralytics_folder() -> Path:
    spec = importlib.util.find_spec("ultralytics")
    if spec is None or spec.origin is None:
        raise BadSettingError("Ultralytics is not installed. Type: python -m pip install ultralytics")
    return Path(spec.origin).parent
