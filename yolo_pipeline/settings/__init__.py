"""What each track may be told in an attempt, checked without importing its framework (which takes seconds)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yolo_pipeline.settings import classify, tfapi, yolo
from yolo_pipeline.settings.classify import check_head
from yolo_pipeline.settings.faults import BadSettingError, nearest

__all__ = ["BadSettingError", "check_head", "check_model", "check_train", "nearest", "trained_size"]


def check_train(track: str, model: str, train: Mapping[str, Any]) -> dict[str, Any]:
    """The training settings of an attempt with the defaults filled in.

    Args:
        track: yolo, tfapi or classify.
        model: a name that `check_model` lets pass.
        train: the attempt's `train:` mapping, keys as the track's framework names them.

    Raises:
        BadSettingError: an unknown key (the nearest is named), one that is said elsewhere, or a wrong value.
    """
    match track:
        case "tfapi":
            return tfapi.check_train(model, train)
        case "classify":
            return classify.check_train(model, train)
    return yolo.check_train(train)


def check_model(track: str, model: str) -> None:
    """Refuses a model name that the track does not know; paths of files are not looked at here.

    Raises:
        BadSettingError: with the nearest right name.
    """
    {"tfapi": tfapi.check_model, "classify": classify.check_model}.get(track, yolo.check_model)(model)


def trained_size(track: str, model: str, train: Mapping[str, Any]) -> int | None:
    """Longer side in pixels of what the network will be shown; None where that is not known."""
    if track == "tfapi":
        return tfapi.MODELS[model].size if model in tfapi.MODELS and "pipeline_config" not in train else None
    size = train.get("imgsz")
    return size if isinstance(size, int) else None
