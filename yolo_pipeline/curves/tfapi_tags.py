"""Tags of the TensorFlow Object Detection API's summaries -> columns of Curves and names of its own figures.

Source: tensorflow/models object_detection/model_lib_v2.py, metrics/coco_evaluation.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal

Part = Literal["train", "val"]

_LOSS = "Loss/"
_SHARED_NAMES = {
    "Loss/classification_loss": "cls_loss",
    "Loss/localization_loss": "box_loss",
    "Loss/regularization_loss": "regularization_loss",
    "Loss/total_loss": "total_loss",
    "Loss/BoxClassifierLoss/classification_loss": "cls_loss",
    "Loss/BoxClassifierLoss/localization_loss": "box_loss",
    "Loss/RPNLoss/objectness_loss": "rpn_obj_loss",
    "Loss/RPNLoss/localization_loss": "rpn_box_loss",
}
_METRICS = {"DetectionBoxes_Precision/mAP@.50IOU": "val/mAP50", "DetectionBoxes_Precision/mAP": "val/mAP50_95"}
_METRIC = re.compile(r"DetectionBoxes_(Precision|Recall)/[A-Za-z0-9@. ()]{1,40}")


def is_known(tag: str) -> bool:
    """Whether a tag is a loss, the learning rate, or a figure of evaluation."""
    return tag == "learning_rate" or tag in _SHARED_NAMES or is_metric(tag)


def is_metric(tag: str) -> bool:
    return _METRIC.fullmatch(tag) is not None


def columns_of(tag: str, part: Part) -> tuple[str, ...]:
    """The columns that show a tag: under the name that all tracks share, and, for a loss, under its own, too.

    None for a metric without a column, and for the learning rate as evaluation repeats it.
    """
    if tag == "learning_rate":
        return ("learning_rate",) if part == "train" else ()
    if tag in _SHARED_NAMES:
        return tuple(dict.fromkeys((f"{part}/{_SHARED_NAMES[tag]}", f"{part}/{tag.removeprefix(_LOSS)}")))
    return (_METRICS[tag],) if tag in _METRICS else ()


def own_metrics(figures: Mapping[str, float]) -> dict[str, float]:
    """The API's own figures among tags and values, as `tfapi/DetectionBoxes_Precision/mAP`; those that are any.

    Of objects of a size that no picture holds, COCO's tool says -1.
    """
    known = {tag: value for tag, value in sorted(figures.items()) if is_metric(tag)}
    return {f"tfapi/{tag}": value for tag, value in known.items() if math.isfinite(value) and value >= 0}


def table(
    steps: Iterable[int], logged: Mapping[Part, Mapping[str, Mapping[int, float]]]
) -> dict[str, tuple[float, ...]]:
    """Column -> a value for each step, NaN where there is none.

    Args:
        steps: of the rows, in order.
        logged: part -> tag -> step -> value.
    """
    rows = list(steps)
    return {
        column: tuple(values.get(step, math.nan) for step in rows)
        for part, figures in logged.items()
        for tag, values in sorted(figures.items())
        for column in columns_of(tag, part)
    }
