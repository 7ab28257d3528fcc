"""What a pipeline.config says, ours or a user's own: how its model is asked, and the parts that others look at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from yolo_pipeline.errors import InputError
from yolo_pipeline.tfapi.textproto import MAX_CHARACTERS, BadText, Message, number_of, parse, string_of

CONFIG = "pipeline.config"

_ARCHITECTURES = ("ssd", "faster_rcnn", "center_net")
_REMEDY = "Write it as the API's own pipeline.config files are"


@dataclass(frozen=True, slots=True)
class Described:
    """What a config says of its model.

    Attributes:
        model: name of its feature extractor in the API.
        resizer: what pictures are made to fit by, such as fixed_shape_resizer.
        height, width: in pixels, of what they fit into then; 0 where pictures keep their size.
        iou: overlap from which on boxes of a class are one object; 1 where it suppresses none.
        checkpoint: that the file itself starts from; empty: from scratch.
        steps, batch: of its training; 0 where it does not say.
    """

    model: str
    resizer: str
    height: int
    width: int
    iou: float
    checkpoint: str
    steps: int
    batch: int

    @property
    def size(self) -> int:
        """The longer side."""
        return max(self.height, self.width)


def described(text: str) -> Described:
    """What a config says of how its model is asked.

    Raises:
        InputError: it is no pipeline.config.
    """
    with faults(CONFIG):
        return _described(parse(text))


def described_file(file: Path) -> Described:
    """The same of a user's file.

    Raises:
        InputError: it cannot be read, or is no pipeline.config.
    """
    config = read_config(file)
    with faults(file):
        return _described(config)


def _described(config: Message) -> Described:
    kind, model = architecture(config)
    resizer, height, width = _resizer(model)
    suppression = _suppression(kind, model)
    training = config.message("train_config") or Message()
    return Described(
        extractor(kind, model),
        resizer,
        height,
        width,
        1.0 if suppression is None else number(suppression, "iou_threshold", 0.6),
        string_of(training.scalar("fine_tune_checkpoint") or '""'),
        whole(training, "num_steps", 0),
        whole(training, "batch_size", 0),
    )


@contextmanager
def faults(where: Path | str) -> Iterator[None]:
    try:
        yield
    except BadText as error:
        raise InputError(where, str(error), _REMEDY) from error


def read_config(file: Path) -> Message:
    try:
        if not file.is_file():  # pipes and devices may be read for ever
            reason = "is no file" if file.exists() else "there is no such file"
            raise InputError(file, reason, "Name a pipeline.config")
        if (size := file.stat().st_size) > 4 * MAX_CHARACTERS:
            raise BadText(f"{size} bytes are too many")
        return parse(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(file, error.strerror or str(error), "Name a pipeline.config that can be read") from error
    except UnicodeDecodeError as error:
        raise InputError(file, f"is not UTF-8 ({error})", "Save it as UTF-8") from error
    except BadText as error:
        raise InputError(file, f"is no pipeline.config: {error}", _REMEDY) from error


def architecture(config: Message) -> tuple[str, Message]:
    """The name of the field that holds the model, and the model."""
    model = config.message("model") or Message()
    found = [(name, message) for name in _ARCHITECTURES if (message := model.message(name)) is not None]
    if len(found) != 1:
        said = " and ".join(name for name, _ in found) or f"none of {', '.join(_ARCHITECTURES)}"
        raise BadText(f"its model is {said}, where one must be")
    return found[0]


def extractor(kind: str, model: Message) -> str:
    return string_of((model.message("feature_extractor") or Message()).scalar("type") or f'"{kind}"')


def schedules(training: Message) -> list[Message]:
    optimizer = training.message("optimizer") or Message()
    return [found for message in optimizer.walk() for found in message.messages("cosine_decay_learning_rate")]


def _resizer(model: Message) -> tuple[str, int, int]:
    """Its name, height and width."""
    found = next(iter((model.message("image_resizer") or Message()).fields), None)
    if found is None or not isinstance(found.value, Message):
        raise BadText("it does not say how pictures are made to fit (image_resizer)")
    match found.name:
        case "fixed_shape_resizer":
            return found.name, whole(found.value, "height", 300), whole(found.value, "width", 300)
        case "keep_aspect_ratio_resizer":
            side = whole(found.value, "max_dimension", 1024)
        case "conditional_shape_resizer":
            side = whole(found.value, "size_threshold", 300)
        case _:
            side = 0
    return found.name, side, side


def _suppression(kind: str, model: Message) -> Message | None:
    """What is said of suppressing boxes that overlap; None of CenterNet, which takes peaks instead."""
    if kind == "center_net":
        return None
    name = "post_processing" if kind == "ssd" else "second_stage_post_processing"
    return (model.message(name) or Message()).message("batch_non_max_suppression") or Message()


def number(message: Message, name: str, default: float) -> float:
    value = message.scalar(name)
    found = default if value is None else number_of(value)
    if not math.isfinite(found):
        raise BadText(f"{name} is {value}")
    return found


def whole(message: Message, name: str, default: int) -> int:
    return int(number(message, name, default))
