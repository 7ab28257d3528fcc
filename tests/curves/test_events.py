"""TensorBoard event files, written by tensorboard's own writer."""

from __future__ import annotations

import builtins
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest

from yolo_pipeline.curves import events
from yolo_pipeline.errors import InputError

pytest.importorskip("tensorboard")
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

BEGAN = 1_700_000_000.0
TRAIN = {
    100: {"Loss/classification_loss": 0.5, "Loss/localization_loss": 0.25, "Loss/total_loss": 1.0, "learning_rate": 0.04},
    200: {"Loss/classification_loss": 0.375, "Loss/localization_loss": 0.125, "Loss/total_loss": 0.75, "learning_rate": 0.03},
    300: {"Loss/classification_loss": 0.25, "Loss/localization_loss": 0.0625, "Loss/total_loss": 0.5, "learning_rate": 0.02},
}  # fmt: skip
EVAL = {
    150: {"DetectionBoxes_Precision/mAP": 0.25, "DetectionBoxes_Precision/mAP@.50IOU": 0.5, "Loss/total_loss": 1.5},
    300: {"DetectionBoxes_Precision/mAP": 0.375, "DetectionBoxes_Precision/mAP@.50IOU": 0.625, "DetectionBoxes_Recall/AR@1": 0.125, "Loss/total_loss": 1.25},
}  # fmt: skip


def tensor(tag: str, value: float) -> Summary.Value:
    return Summary.Value(tag=tag, tensor=make_tensor_proto(np.float32(value)))


def scalar(tag: str, value: float) -> Summary.Value:
    return Summary.Value(tag=tag, simple_value=value)


def write(folder: Path, figures: Mapping[int, Mapping[str, Any]], kind: Any = tensor) -> Path:
    """An event file with what is given, 10 steps a second."""
    writer = EventFileWriter(str(folder))
    for step, values in figures.items():
        summary = Summary(value=[kind(tag, value) for tag, value in values.items()])
        writer.add_event(Event(step=step, wall_time=BEGAN + step / 10, summary=summary))
    writer.close()
    (file,) = folder.glob("events.out.tfevents.*")
    return file


def record(data: bytes, length: int | None = None) -> bytes:
    """A record with right CRCs, even where its length is a lie."""
    head = struct.pack("<Q", len(data) if length is None else length)
    return head + struct.pack("<I", masked(head)) + data + struct.pack("<I", masked(data))


def masked(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def columns(found: events.Events) -> dict[str, list[float | None]]:
    """With None for NaN, which is not equal to itself."""
    every = found.curves.columns
    return {name: [None if math.isnan(value) else round(value, 6) for value in every[name]] for name in every}


def read_or_refusal(file: Path) -> events.Events | str:
    try:
        return events.read(file)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("kind", [pytest.param(tensor, id="TensorFlow 2"), pytest.param(scalar, id="TensorFlow 1")])
def test_train_and_eval_in_one_table(tmp_path: Path, kind: Any) -> None:
    write(tmp_path / "train", TRAIN, kind)
    write(tmp_path / "eval", EVAL, kind)
    found = events.read(tmp_path)
    assert columns(found) == {
        "step": [100, 150, 200, 300],
        "seconds": [0, 5, 10, 20],
        "train/cls_loss": [0.5, None, 0.375, 0.25],
        "train/classification_loss": [0.5, None, 0.375, 0.25],
        "train/box_loss": [0.25, None, 0.125, 0.0625],
        "train/localization_loss": [0.25, None, 0.125, 0.0625],
        "train/total_loss": [1, None, 0.75, 0.5],
        "learning_rate": [0.04, None, 0.03, 0.02],
        "val/mAP50_95": [None, 0.25, None, 0.375],
        "val/mAP50": [None, 0.5, None, 0.625],
        "val/total_loss": [None, 1.5, None, 1.25],
    }
    assert found.own_metrics == {
        "tfapi/DetectionBoxes_Precision/mAP": 0.375,
        "tfapi/DetectionBoxes_Precision/mAP@.50IOU": 0.625,
        "tfapi/DetectionBoxes_Recall/AR@1": 0.125,
    }
    assert (found.evaluated, found.seconds, found.notes) == (300, 20.0, ())


def test_a_file_alone_is_training_unless_it_holds_metrics(tmp_path: Path) -> None:
    found = events.read(write(tmp_path / "a", TRAIN))
    assert {"train/cls_loss", "learning_rate"} < found.curves.columns.keys()
    assert (found.evaluated, found.own_metrics) == (None, {})
    found = events.read(write(tmp_path / "b", EVAL))
    assert {"val/mAP50", "val/total_loss"} < found.curves.columns.keys()
    assert found.seconds is None


def test_a_resumed_training_goes_on_in_a_second_file(tmp_path: Path) -> None:
    """The pause between the two is no training time; of a step in both, the later file counts."""
    first = write(tmp_path / "train", {100: {"learning_rate": 0.5}, 200: {"learning_rate": 0.25}})
    first.rename(tmp_path / "train" / "events.out.tfevents.1.v2")
    second = write(tmp_path / "later", {200: {"learning_rate": 0.125}, 900: {"learning_rate": 0.0625}})
    second.rename(tmp_path / "train" / "events.out.tfevents.2.v2")
    found = events.read(tmp_path)
    assert columns(found)["learning_rate"] == [0.5, 0.125, 0.0625]
    assert found.seconds == 10 + 70


def test_losses_of_faster_rcnn_have_names_of_their_own(tmp_path: Path) -> None:
    tags = (
        "BoxClassifierLoss/classification_loss",
        "BoxClassifierLoss/localization_loss",
        "RPNLoss/objectness_loss",
        "RPNLoss/localization_loss",
    )
    file = write(tmp_path, {1: {f"Loss/{tag}": 0.5 for tag in tags}})
    assert columns(events.read(file)).keys() - {"step", "seconds"} == {
        "train/cls_loss", "train/box_loss", "train/rpn_obj_loss", "train/rpn_box_loss",
        *(f"train/{tag}" for tag in tags),
    }  # fmt: skip


def test_a_diverged_loss_is_a_gap_and_said(tmp_path: Path) -> None:
    file = write(tmp_path, {1: {"learning_rate": 0.5}, 2: {"learning_rate": math.inf}, 3: {"learning_rate": math.nan}})
    found = events.read(file)
    assert columns(found)["learning_rate"] == [0.5, None, None]
    assert found.notes == ("2 figures are nan or infinite, and shown as gaps",)


def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    file = write(tmp_path, TRAIN)
    whole = file.read_bytes()
    rows = set()
    for size in range(0, len(whole), 7):
        file.write_bytes(whole[:size])
        found = read_or_refusal(file)
        if isinstance(found, str):
            assert "\n" not in found
            continue
        rows.add(len(found.curves))
        assert found.notes == () or found.notes[0].startswith(f"{file.name} stops in the middle of a record at byte ")
    assert rows == {1, 2}


VERSION = record(Event(file_version="brain.Event:2").SerializeToString())
GOOD = record(Event(step=1, wall_time=1.0, summary=Summary(value=[tensor("learning_rate", 0.5)])).SerializeToString())


def huge_tensor() -> bytes:
    value = TensorProto(dtype=1, float_val=[1.0])
    value.tensor_shape.dim.add().size = 2**40
    return Event(step=2, summary=Summary(value=[Summary.Value(tag="learning_rate", tensor=value)])).SerializeToString()


def odd_tensor() -> bytes:
    value = TensorProto(dtype=99, tensor_content=b"abc")
    return Event(step=2, summary=Summary(value=[Summary.Value(tag="learning_rate", tensor=value)])).SerializeToString()


@pytest.mark.parametrize(
    ("tail", "note"),
    [
        pytest.param(record(b"", 2**63), "stops in the middle of a record", id="a length beyond the file"),
        pytest.param(record(b"x" * 50, 2**34), "stops in the middle of a record", id="a length of 16 GB"),
        pytest.param(b"garbage, garbage, garbage", "is damaged", id="garbage"),
        pytest.param(GOOD[:-6] + b"\7" + GOOD[-5:], "is damaged", id="a byte turned"),
        pytest.param(record(b"\xff\xff\xff"), "is no event", id="no event"),
        pytest.param(record(huge_tensor()), None, id="a tensor of a million millions"),
        pytest.param(record(odd_tensor()), None, id="a tensor of no type"),
        pytest.param(record(Event(step=-5, summary=Summary(value=[scalar("learning_rate", 1)])).SerializeToString()), None, id="a negative step"),
        pytest.param(record(Event(step=2**62, summary=Summary(value=[scalar("learning_rate", 1)])).SerializeToString()), None, id="a huge step"),
        pytest.param(record(Event(step=2, summary=Summary(value=[scalar("Loss/a,b\n", 1)])).SerializeToString()), None, id="a hostile tag"),
    ],
)  # fmt: skip
def test_what_follows_a_good_record_cannot_harm_it(tmp_path: Path, tail: bytes, note: str | None) -> None:
    file = tmp_path / "events.out.tfevents.1"
    file.write_bytes(VERSION + GOOD + tail)
    found = events.read(file)
    assert columns(found) == {"step": [1], "seconds": [0], "learning_rate": [0.5]}
    assert (note is None and not found.notes) or (note is not None and note in found.notes[0])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "holds no loss and no mAP of the TensorFlow Object Detection API", id="empty"),
        pytest.param(b"no events at all", "is no TensorBoard event file, or a damaged one", id="text"),
        pytest.param(record(b"", 2**62), "is no TensorBoard event file, or a damaged one", id="a huge length at once"),
        pytest.param(record(b"\xff\xff"), "is no TensorBoard event file", id="a record of something else"),
        pytest.param(VERSION + record(Event(step=1, summary=Summary(value=[scalar("epoch_loss", 1)])).SerializeToString()), "holds no loss and no mAP", id="no known tag"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "events.out.tfevents.1"
    file.write_bytes(data)
    with pytest.raises(InputError, match=said):
        events.read(file)


def test_several_runs_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path / "old" / "train", TRAIN)
    write(tmp_path / "새로운" / "train", TRAIN)
    with pytest.raises(
        InputError, match=r"holds 2 runs \(train events in old/train, 새로운/train\). Name the folder of one"
    ):
        events.read(tmp_path)


def test_a_folder_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no TensorBoard event file"):
        events.read(tmp_path)


def test_a_missing_package_is_said_with_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, TRAIN)
    importing = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("tensorboard"):
            raise ImportError(f"No module named {name!r}")
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError) as refused:
        events.read(file)
    monkeypatch.undo()
    assert str(refused.value).endswith('Type: python -m pip install -e ".[tensorboard]"')
