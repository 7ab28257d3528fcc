"""What an attempt may tell the TensorFlow Object Detection API: the fields of its pipeline.config that people turn.

Source: tensorflow/models object_detection/protos (train, optimizer, losses, post_processing, hyperparams,
anchor_generator) and the configs/tf2 of the three models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yolo_pipeline.settings.faults import BadSettingError, checked_values, nearest, require_known


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model of the API.

    Attributes:
        size: side in pixels of the square that every picture is stretched to.
        learning_rate: highest one that trains it from scratch in small batches.
        archive: name of its COCO weights in TensorFlow's model zoo, without .tar.gz.
    """

    size: int
    learning_rate: float
    archive: str


MODELS = {
    "ssd_mobilenet_v2_fpnlite_320x320": ModelFacts(320, 0.03, "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8"),
    "ssd_mobilenet_v2_fpnlite_640x640": ModelFacts(640, 0.03, "ssd_mobilenet_v2_fpnlite_640x640_coco17_tpu-8"),
    "ssd_resnet50_v1_fpn_640x640": ModelFacts(640, 0.005, "ssd_resnet50_v1_fpn_640x640_coco17_tpu-8"),
}

DEFAULTS: dict[str, Any] = {
    "steps": 2000,
    "batch": 8,
    "classification_weight": 1.0,
    "localization_weight": 1.0,
    "iou_threshold": 0.6,
    "aspect_ratios": [1.0, 2.0, 0.5],
    "batch_norm_decay": 0.997,
    "batch_norm_epsilon": 0.001,
    "gradient_clipping_by_norm": 10.0,
    "random_horizontal_flip": True,
    "random_crop_image": True,
    "fine_tune_checkpoint_type": "detection",
    "seed": 0,
}
"""What an attempt trains with where it says nothing. The rates, `warmup_steps` and `checkpoint_every` depend on the
model and on the steps: see `check_train`."""

_OTHERS = (
    "learning_rate_base", "warmup_learning_rate", "warmup_steps", "checkpoint_every", "fine_tune_checkpoint",
    "pipeline_config", "device",
)  # fmt: skip
_KNOWN = (*DEFAULTS, *_OTHERS)
_WITH_OWN_CONFIG = frozenset({
    "steps", "batch", "checkpoint_every", "seed", "device", "pipeline_config",
    "fine_tune_checkpoint", "fine_tune_checkpoint_type",
})  # fmt: skip
"""Keys that go with a pipeline.config of the user's own; the file says all the others."""

_IN_OTHER_WORDS = {
    "epochs": "steps", "imgsz": "nothing: the model's name says it", "lr0": "learning_rate_base", "freeze": "nothing",
    "batch_size": "batch", "num_steps": "steps", "workers": "nothing", "patience": "nothing: the best step is kept",
    "warmup_epochs": "warmup_steps", "fliplr": "random_horizontal_flip", "iou": "iou_threshold",
}  # fmt: skip
_MOST_STEPS = 10_000_000


def check_model(model: str) -> None:
    """
    Raises:
        BadSettingError: no model of this track, with the nearest right name.
    """
    if model not in MODELS:
        raise BadSettingError(f"model: {model} is not known to the track tfapi. {nearest(model, MODELS)}")


def check_train(model: str, train: Mapping[str, Any]) -> dict[str, Any]:
    """The training settings with the defaults filled in.

    Left out, `learning_rate_base` is the model's, `warmup_learning_rate` a third of it, `warmup_steps` a tenth of the
    steps (1,000 at most), and a checkpoint is written, and judged on val, ten times. With `pipeline_config` the file
    says all this, steps and batch too, and only what was asked for is returned beside the seed.

    Raises:
        BadSettingError: an unknown key, a wrong value, or two that do not go together.
    """
    require_known(train, _KNOWN, _IN_OTHER_WORDS)
    checked = checked_values(train, _check_value)
    if "pipeline_config" in checked:
        return _with_own_config(checked)
    filled = {**DEFAULTS, **checked}
    steps, rate = filled["steps"], filled.setdefault("learning_rate_base", MODELS[model].learning_rate)
    filled.setdefault("warmup_learning_rate", float(f"{rate / 3:.3g}"))
    filled.setdefault("warmup_steps", min(1000, steps // 10))
    filled.setdefault("checkpoint_every", usual_checkpoint_every(steps))
    _check_together(filled)
    return filled


def usual_checkpoint_every(steps: int) -> int:
    return max(1, math.ceil(steps / 10))


def _with_own_config(checked: dict[str, Any]) -> dict[str, Any]:
    if odd := [f"train.{key}" for key in checked if key not in _WITH_OWN_CONFIG]:
        others = f", nor do {', '.join(odd[1:])}" if len(odd) > 1 else ""
        raise BadSettingError(f"{odd[0]}: does not go with pipeline_config{others}. Say that in the file")
    return {"seed": DEFAULTS["seed"], **checked}


def _check_together(filled: Mapping[str, Any]) -> None:
    """What the API itself would refuse, in the words of a traceback."""
    warm, rate = filled["warmup_learning_rate"], filled["learning_rate_base"]
    if warm > rate:
        raise BadSettingError(
            f"train.warmup_learning_rate: is {warm:g}, above learning_rate_base ({rate:g}). It must be below it"
        )
    if filled["warmup_steps"] >= filled["steps"]:
        said = f"is {filled['warmup_steps']} of {filled['steps']} steps"
        raise BadSettingError(f"train.warmup_steps: {said}. Warm up for fewer steps than there are")


def _check_value(key: str, value: Any) -> tuple[bool, str]:
    """Whether a value is right, and what would be."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    number = whole or (isinstance(value, float) and math.isfinite(value))
    match key:
        case "steps" | "batch" | "checkpoint_every":
            return whole and 0 < value <= _MOST_STEPS, "a whole number above 0"
        case "warmup_steps" | "seed":
            return whole and 0 <= value <= _MOST_STEPS, "a whole number, 0 or above"
        case "learning_rate_base" | "warmup_learning_rate":
            return number and 0 < value <= 10, "a number above 0, such as 0.03"
        case "classification_weight" | "localization_weight" | "gradient_clipping_by_norm":
            return number and 0 <= value <= 1e6, "a number, 0 or above"
        case "iou_threshold":
            return number and 0 < value <= 1, "a number above 0, 1 at most"
        case "batch_norm_decay" | "batch_norm_epsilon":
            return number and 0 < value < 1, "a number between 0 and 1"
        case "aspect_ratios":
            ratios = value if isinstance(value, list) else []
            fits = 0 < len(ratios) <= 20 and all(map(_is_ratio, ratios))
            return fits, "a list of width to height, such as [1.0, 2.0, 0.5]"
        case "random_horizontal_flip" | "random_crop_image":
            return isinstance(value, bool), "true or false"
        case "fine_tune_checkpoint_type":
            return value in ("classification", "detection", "full"), "classification, detection or full"
        case "device":
            return isinstance(value, (int, str)) and not isinstance(value, bool), "cpu or the number of a GPU"
    return isinstance(value, str) and bool(value.strip()), "the path of a file"


def _is_ratio(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0.01 <= value <= 100
