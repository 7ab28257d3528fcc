"""What an exported network says of itself, in the words of Ultralytics' exporter; hostile until checked."""

from __future__ import annotations

import ast
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_pipeline.errors import WeightsError, one_line

_LONGEST_SIDE, _LARGEST_STRIDE, _MOST_CLASSES = 16_384, 1024, 100_000
_MOST_CHARACTERS, _LONGEST_NAME = 2**22, 1000
_EXPORT_AGAIN = "Export it again with Ultralytics or yolo_pipeline"


@dataclass(frozen=True, slots=True)
class Description:
    """An exported detector.

    Attributes:
        names: its classes, in order.
        stride: what the sides of a picture that it is shown must be multiples of.
        imgsz: (height, width) in pixels that it was exported for.
        dynamic: whether other sizes do as well, as far as the file says.
        suppresses: whether its output are detections, and not candidates for them.
    """

    names: tuple[str, ...]
    stride: int
    imgsz: tuple[int, int]
    dynamic: bool
    suppresses: bool


def describe(file: Path, said: object) -> Description:
    """Checks what a network's metadata say.

    Args:
        said: a mapping of key -> value; values may be texts that hold Python's notation, as in ONNX files.

    Raises:
        WeightsError: classes, stride or size are missing or impossible, or it is no detector of coloured pictures.
    """
    if not isinstance(said, Mapping):
        raise WeightsError(file, "says nothing of its classes and size", _EXPORT_AGAIN)
    told = {str(key): _value(value) for key, value in said.items()}
    if (task := told.get("task", "detect")) != "detect":
        raise WeightsError(file, f"is a model for {shown(task)}, not for detection", "Name a detection model")
    if told.get("head") == "RTDETRDecoder":
        raise WeightsError(file, "is an RT-DETR network, whose output is none of YOLO's", "Use its weights with torch")
    if (channels := told.get("channels", 3)) != 3:
        raise WeightsError(file, f"is for pictures of {shown(channels)} channels", "Name a model for RGB pictures")
    options = told.get("args")
    options = options if isinstance(options, Mapping) else {}
    return Description(
        names=names_of(file, told.get("names")),
        stride=whole_of(file, "stride", told.get("stride"), _LARGEST_STRIDE),
        imgsz=size_of(file, told.get("imgsz")),
        dynamic=options.get("dynamic") is True,
        suppresses=told.get("end2end") is True or options.get("nms") is True,
    )


def _value(value: object) -> Any:
    """What a text in Python's notation means; the text itself where it means nothing. Nothing is run."""
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return value


def names_of(file: Path, said: object) -> tuple[str, ...]:
    """A list of names, or a mapping of their numbers; on one line each."""
    if isinstance(said, Mapping):
        said = [said.get(number, said.get(str(number))) for number in range(len(said))]
    if not isinstance(said, (list, tuple)) or not 0 < len(said) <= _MOST_CLASSES:
        raise WeightsError(file, "does not name its classes", _EXPORT_AGAIN)
    for number, name in enumerate(said):
        if not isinstance(name, str) or len(name) > _LONGEST_NAME:
            reason = f"names its class {number} {shown(name)}, which is no text of up to {_LONGEST_NAME} characters"
            raise WeightsError(file, reason, _EXPORT_AGAIN)
    return tuple(one_line(name) for name in said)


def size_of(file: Path, said: object) -> tuple[int, int]:
    sides = list(said) if isinstance(said, (list, tuple)) else [said, said]
    if len(sides) == 1:
        sides *= 2
    if len(sides) != 2:
        raise WeightsError(file, f"says imgsz: {shown(said)}, which is no height and width", _EXPORT_AGAIN)
    height, width = (whole_of(file, "imgsz", side, _LONGEST_SIDE) for side in sides)
    return height, width


def whole_of(file: Path, key: str, said: object, largest: int) -> int:
    if isinstance(said, bool) or not isinstance(said, int) or not 0 < said <= largest:
        reason = f"says {key}: {shown(said)}, which is no whole number from 1 to {largest}"
        raise WeightsError(file, reason, _EXPORT_AGAIN)
    return said


def shown(said: object) -> str:
    """The beginning of it. Written out, a few lines of YAML with aliases would fill the memory."""
    try:
        return said[:40] if isinstance(said, str) else reprlib.repr(said)[:40]
    except ValueError:  # Python writes no numbers of thousands of digits
        return "a number of thousands of digits"
