"""TensorBoard event files of the TensorFlow Object Detection API -> Curves.

A file is a row of records (length, its CRC, data, its CRC: tensorflow core/lib/io/record_writer.h), each an Event
message of the package `tensorboard`. Its own reader takes Python's word for the CRC of every picture that was logged,
and a length for what it says; here the CRC is a library's, and a length reaches to the end of the file at most.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c

from yolo_pipeline.curves.tfapi_tags import Part, is_known, is_metric, own_metrics, table
from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Curves

EVENTS_IN_NAME = "tfevents"
_EVALUATION_FOLDER = re.compile(r"eval|valid", re.IGNORECASE)
_MAX_STEP = 2**53  # as far as a float counts
_MISSING = 'Type: python -m pip install -e ".[tensorboard]"'
_OURS = "Give the folder that model_main_tf2.py wrote, with train and eval in it"


@dataclass(frozen=True, slots=True)
class Events:
    """What the event files of one run hold.

    Attributes:
        curves: a row for each step that was logged by training or evaluation; NaN where the one or the other did not.
        evaluated: the step of the last evaluation; None without any.
        own_metrics: the figures of that evaluation, as `tfapi/DetectionBoxes_Precision/mAP`.
        seconds: wall time of training, without the pauses between its files; None where that cannot be told.
        notes: what was left out, each a sentence without a full stop.
    """

    curves: Curves
    evaluated: int | None
    own_metrics: dict[str, float]
    seconds: float | None
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Log:
    """Figures while they are gathered: tag -> step -> value, of training and of evaluation."""

    train: dict[str, dict[int, float]] = field(default_factory=dict)
    val: dict[str, dict[int, float]] = field(default_factory=dict)
    times: dict[int, float] = field(default_factory=dict)
    seconds: float | None = None
    notes: list[str] = field(default_factory=list)


def is_event_file(file: Path) -> bool:
    """Whether a file begins as TensorBoard's do, whatever it is called."""
    try:
        with open(file, "rb") as stream:
            return b"brain.Event:" in stream.read(64)
    except OSError:
        return False


def event_files(path: Path) -> list[Path]:
    """The event files that a path means: itself, or all in a folder and two levels of folders in it, by name."""
    if path.is_file():
        return [path]
    found = (file for pattern in ("*", "*/*", "*/*/*") for file in path.glob(pattern) if EVENTS_IN_NAME in file.name)
    return sorted(file for file in found if file.is_file())


def read(path: Path) -> Events:
    """The curves of one training with the TensorFlow Object Detection API.

    Reads TensorFlow 2's tensor summaries and the scalars of old. Files that end halfway are read as far as they go.

    Raises:
        InputError: the package is missing, no event file, a file that is none, no tag of the API's, or several runs.
    """
    files = event_files(path)
    if not files:
        raise InputError(path, "holds no TensorBoard event file", _OURS)
    event_class, make_array = _tensorboard()
    log = _Log()
    folders: dict[Part, set[Path]] = {"train": set(), "val": set()}
    for file in files:
        found, stamps = _scalars(file, event_class, make_array, log.notes)
        if not found:
            continue
        part: Part = "val" if _is_evaluation(file, path, found) else "train"
        folders[part].add(file.parent)
        _add(log, part, found, stamps)
    for part, several in folders.items():
        if len(several) > 1:
            named = ", ".join(sorted(folder.relative_to(path).as_posix() for folder in several))
            raise InputError(path, f"holds {len(several)} runs ({part} events in {named})", "Name the folder of one")
    if not log.train and not log.val:
        raise InputError(path, "holds no loss and no mAP of the TensorFlow Object Detection API", _OURS)
    return _events(log)


def _tensorboard() -> tuple[Any, Any]:
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError as error:
        raise InputError("tensorboard", f"the package is missing or not whole ({error})", _MISSING) from None
    return Event, make_ndarray


def _scalars(
    file: Path, event_class: Any, make_array: Any, notes: list[str]
) -> tuple[dict[str, dict[int, float]], dict[int, float]]:
    """Known tag -> step -> value, and step -> wall time, of one file; of a step logged twice, the later value."""
    from google.protobuf.message import DecodeError

    found: dict[str, dict[int, float]] = {}
    stamps: dict[int, float] = {}
    for number, data in enumerate(_records(file, notes)):
        try:
            event = event_class.FromString(data)
        except DecodeError:
            if number == 0:
                raise InputError(file, "is no TensorBoard event file", _OURS) from None
            notes.append(f"{file.name}: record {number + 1} is no event, and the rest is left out")
            break
        for value in event.summary.value:
            if not is_known(value.tag) or not 0 <= event.step <= _MAX_STEP:
                continue
            if (scalar := _scalar(value, make_array)) is not None:
                found.setdefault(value.tag, {})[event.step] = scalar
                stamps[event.step] = event.wall_time
    return found, stamps


def _records(file: Path, notes: list[str]) -> Iterator[bytes]:
    """The data of each record, up to the first that is cut or damaged."""
    try:
        size = file.stat().st_size
        with open(file, "rb") as stream:
            while head := stream.read(12):
                at = stream.tell()
                length, crc = struct.unpack("<QI", head) if len(head) == 12 else (size, 0)
                if length + 4 > size - at or _masked_crc(head[:8]) != crc:
                    cut = len(head) < 12 or _masked_crc(head[:8]) == crc
                    _damaged(file, at - len(head), notes, "stops in the middle of a record" if cut else "is damaged")
                    return
                data, (crc,) = stream.read(length), struct.unpack("<I", stream.read(4))
                if _masked_crc(data) != crc:
                    _damaged(file, at - 12, notes, "is damaged")
                    return
                yield data
    except OSError as error:
        raise InputError(file, error.strerror or str(error), "Check the path") from error


def _damaged(file: Path, at: int, notes: list[str], how: str) -> None:
    if at == 0:
        raise InputError(file, "is no TensorBoard event file, or a damaged one", _OURS)
    notes.append(f"{file.name} {how} at byte {at}, and is read up to there")


def _masked_crc(data: bytes) -> int:
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _scalar(value: Any, make_array: Any) -> float | None:
    """A single number, whichever way it is written; None for anything else. NaN where it is infinite."""
    if value.WhichOneof("value") == "simple_value":
        number = float(value.simple_value)
    elif value.WhichOneof("value") == "tensor" and all(dim.size == 1 for dim in value.tensor.tensor_shape.dim):
        try:
            number = float(make_array(value.tensor).item())
        except (TypeError, ValueError, KeyError, IndexError, OverflowError):
            return None
    else:
        return None
    return number if math.isfinite(number) else math.nan


def _is_evaluation(file: Path, path: Path, found: Iterable[str]) -> bool:
    """The losses have one tag in both: the metrics tell evaluation, or the folder's name does."""
    inside = file.parent.relative_to(path).parts if path.is_dir() else ()
    names = [*inside, file.parent.name]
    return any(map(is_metric, found)) or any(map(_EVALUATION_FOLDER.match, names))


def _add(log: _Log, part: Part, found: dict[str, dict[int, float]], stamps: dict[int, float]) -> None:
    into = log.train if part == "train" else log.val
    for tag, values in found.items():
        into.setdefault(tag, {}).update(values)
    log.times = {**stamps, **log.times} if part == "val" else {**log.times, **stamps}
    if part == "train":
        times = [time for time in stamps.values() if math.isfinite(time)]
        log.seconds = (log.seconds or 0.0) + (max(times) - min(times) if times else 0.0)


def _events(log: _Log) -> Events:
    logged = [values for part in (log.train, log.val) for values in part.values()]
    steps = sorted({step for values in logged for step in values})
    curves = table(steps, {"train": log.train, "val": log.val})
    gaps = sum(math.isnan(value) for values in logged for value in values.values())
    if gaps:
        log.notes.append(f"{gaps} figure{'s are' if gaps > 1 else ' is'} nan or infinite, and shown as gaps")
    last = max((step for tag, values in log.val.items() if is_metric(tag) for step in values), default=None)
    own = own_metrics({tag: values[last] for tag, values in log.val.items() if last in values})
    columns = {"step": tuple(map(float, steps)), **_seconds(steps, log.times), **curves}
    return Events(Curves(columns), last, own, log.seconds or None, tuple(log.notes))


def _seconds(steps: Sequence[int], times: dict[int, float]) -> dict[str, tuple[float, ...]]:
    """Wall time since the first event; left out where a clock went wrong."""
    stamps = [times.get(step, math.nan) for step in steps]
    if not stamps or not all(map(math.isfinite, stamps)) or max(stamps) - min(stamps) > 10**9:
        return {}
    return {"seconds": tuple(round(stamp - min(stamps), 3) for stamp in stamps)}
