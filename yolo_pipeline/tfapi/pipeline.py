"""pipeline.config of the TensorFlow Object Detection API: ours, a user's own, and what one says.

Source: tensorflow/models object_detection/protos/pipeline.proto and what it imports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_pipeline.errors import InputError
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.formats.label_map import BadLabelMap, Item, read_label_map
from yolo_pipeline.tfapi.pipeline_reading import CONFIG, architecture, extractor, faults, read_config, schedules, whole
from yolo_pipeline.tfapi.templates import template
from yolo_pipeline.tfapi.textproto import Message, dump, parse, quoted, string_of

USUAL_BOXES = 100
"""How many boxes a picture may have where nothing is said: the API's default."""

_READERS = ("train_input_reader", "eval_input_reader")
_PATHS = frozenset({
    "label_map_path", "keypoint_label_map_path", "input_path", "fine_tune_checkpoint", "visualization_export_dir",
    "export_path",
})  # fmt: skip
_API_STEPS, _API_WARMUP = 4_000_000, 10_000  # where a cosine schedule does not say
_FALSE = ("false", "False", "f", "0")
_MOST = 10_000_000  # steps or pictures, as settings.tfapi has it
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a config's data lie.

    Attributes:
        train, val: a record file, or a pattern that its shards match; POSIX text, as `records.pattern` gives it.
        checkpoint: prefix of the checkpoint that training starts from (`…/ckpt-0`); None: from scratch.
    """

    label_map: Path
    train: str
    val: str | None
    checkpoint: str | None = None


def pipeline_config(model: str, train: Mapping[str, Any], classes: int, paths: Paths, boxes: int = USUAL_BOXES) -> str:
    """The complete config of an attempt.

    Args:
        model: one of `settings.tfapi.MODELS`.
        train: as `settings.tfapi.check_train` gives it for the model.
        boxes: most that any picture has; the API leaves out what is above its own limit, so it is raised.

    Raises:
        InputError: a path is no Unicode.
    """
    with faults(CONFIG):
        config = parse(template(model, train, max(boxes, USUAL_BOXES)))
        _fill(config, train, classes, paths)
        return dump(config)


def own_pipeline_config(
    file: Path, train: Mapping[str, Any], names: Sequence[str], paths: Paths, boxes: int = USUAL_BOXES
) -> str:
    """A user's config with nothing changed but paths, number of classes, and batch and steps where `train` says them.

    A cosine schedule that ends with training (its total_steps is num_steps) still does. Its own checkpoint gives way to
    that of `paths`.

    Raises:
        InputError: the file cannot be read or is no pipeline.config, of a model that cannot be built, whose label map
            has other classes than `names`, that keeps fewer boxes of a picture than it has, whose schedule does not
            fit the steps, or that leaves steps or batch unsaid.
    """
    config = read_config(file)
    with faults(file):
        _check_buildable(file, config)
        _check_label_maps(file, config, names)
        _fill(config, train, len(names), paths)
        _check_amounts(file, config)
        _check_boxes(file, config, boxes)
        _check_schedules(file, config)
        return dump(config)


def portable_config(text: str) -> str:
    """A config to hand on: of every path, the file's name alone.

    Raises:
        InputError: it is no protobuf text.
    """
    with faults(CONFIG):
        config = parse(text)
        for message in config.walk():
            for name in _PATHS & {one.name for one in message.fields}:
                kept = [quoted(re.split(r"[/\\]", string_of(value))[-1]) for value in message.scalars(name)]
                message.put(name, *kept)
        return dump(config)


def _fill(config: Message, train: Mapping[str, Any], classes: int, paths: Paths) -> None:
    """Puts in what every attempt says for itself."""
    architecture(config)[1].put("num_classes", str(classes))
    training = config.made("train_config")
    if "batch" in train:
        training.put("batch_size", str(train["batch"]))
    if "steps" in train:
        _set_steps(training, train["steps"])
    _set_checkpoint(training, paths.checkpoint, train.get("fine_tune_checkpoint_type"))
    _set_files(config.made("train_input_reader"), paths.label_map, paths.train)
    readers = config.messages("eval_input_reader")[:1] or [parse("shuffle: false num_epochs: 1")]
    for reader in readers:
        _set_files(reader, paths.label_map, paths.val or "")
    config.put("eval_input_reader", *(readers if paths.val else []))


def _set_steps(training: Message, steps: int) -> None:
    """A schedule that was as long as training stays so: a longer one would be cut off, a shorter one end at rate 0."""
    before = whole(training, "num_steps", 0)
    for schedule in schedules(training):
        if before in (0, whole(schedule, "total_steps", -1)):
            schedule.put("total_steps", str(steps))
    training.put("num_steps", str(steps))


def _set_checkpoint(training: Message, checkpoint: str | None, kind: str | None) -> None:
    if checkpoint is None:
        training.drop("fine_tune_checkpoint", "fine_tune_checkpoint_type", "fine_tune_checkpoint_version")
        return
    training.put("fine_tune_checkpoint", quoted(checkpoint))
    said = training.scalar("fine_tune_checkpoint_type") or '"detection"'
    training.put("fine_tune_checkpoint_type", quoted(kind) if kind else said)
    training.put("fine_tune_checkpoint_version", "V2")


def _set_files(reader: Message, label_map: Path, records: str) -> None:
    """Has a reader read our records, with what it says of how several files are mixed taken away."""
    reader.put("label_map_path", quoted(label_map.as_posix()))
    reader.drop("external_input_reader", "sample_from_datasets_weights", "input_type")
    reader.put("tf_record_input_reader", Message())
    reader.made("tf_record_input_reader").put("input_path", quoted(records))


def _check_buildable(file: Path, config: Message) -> None:
    """Two parts of the API need packages that its environment lacks: see worker/remedies.py."""
    kind = extractor(*architecture(config))
    if "efficientnet" in kind:
        reason = f"its model is EfficientDet ({kind}), which the API's environment cannot build"
        raise InputError(file, reason, "Use one with MobileNet or ResNet")
    optimizer = (config.message("train_config") or Message()).message("optimizer")
    if optimizer is not None and optimizer.scalar("use_moving_average") not in _FALSE:
        reason = "its optimizer averages weights (use_moving_average is on unless it is turned off)"
        raise InputError(file, f"{reason}, which the API's environment cannot", "Write use_moving_average: false in it")


def _check_label_maps(file: Path, config: Message, names: Sequence[str]) -> None:
    """The label maps that the file names, where they can be read: numbers are given anew, and must mean the same."""
    expected = {number: clean_label(name) for number, name in enumerate(names, start=1)}
    readers = [reader for name in _READERS for reader in config.messages(name)]
    for value in dict.fromkeys(value for reader in readers for value in reader.scalars("label_map_path")):
        said = string_of(value)
        items = _items(file.parent / said) or _items(Path(said))
        if items and not _same(items, expected):
            there = _shown({item.id: item.name or item.display_name for item in items})
            reason = f"its label map {said} has the classes {there}; the attempt has {_shown(expected)}"
            remedy = "Name the attempt's classes (data.classes) in the order of the label map, or give it a new one"
            raise InputError(file, reason, remedy)


def _items(file: Path) -> list[Item]:
    """The classes of a label map; none where it cannot be read: another computer's, or a place to fill in."""
    try:
        return read_label_map(file) if file.is_file() else []
    except (BadLabelMap, OSError):
        return []


def _same(items: Sequence[Item], expected: Mapping[int, str]) -> bool:
    said = {item.id: (item.name, item.display_name) for item in items}
    return said.keys() == expected.keys() and all(name in said[number] for number, name in expected.items())


def _shown(names: Mapping[int, str]) -> str:
    first = ", ".join(f"{number} {name}" for number, name in sorted(names.items())[:_SHOWN])
    return first + (f" … ({len(names)} in all)" if len(names) > _SHOWN else "")


def _check_boxes(file: Path, config: Message, boxes: int) -> None:
    for name in _READERS:
        for reader in config.messages(name):
            if (kept := whole(reader, "max_number_of_boxes", USUAL_BOXES)) < boxes:
                reason = f"its {name} keeps {kept} boxes of a picture, and one of the attempt's has {boxes}"
                raise InputError(file, reason, f"Write max_number_of_boxes: {boxes} in it")


def _check_amounts(file: Path, config: Message) -> None:
    """The API would take a batch of 32 and train for ever."""
    training = config.made("train_config")
    for name, key, such in (("num_steps", "steps", 2000), ("batch_size", "batch", 8)):
        if not 0 < whole(training, name, 0) <= _MOST:
            reason = f"does not say {name}, as a number above 0"
            raise InputError(file, reason, f"Write it there, or say train.{key}: {such}")


def _check_schedules(file: Path, config: Message) -> None:
    """What the API itself would refuse, in the words of a traceback."""
    for schedule in schedules(config.made("train_config")):
        total = whole(schedule, "total_steps", _API_STEPS)
        if (warm := whole(schedule, "warmup_steps", _API_WARMUP)) > total:
            reason = f"its learning rate warms up for {warm} steps, and its schedule has {total}"
            raise InputError(file, reason, "Write a smaller warmup_steps in it, or train for more steps (train.steps)")
