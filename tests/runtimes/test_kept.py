"""Networks in the cache: found again, made anew when they are damaged, and what was noted of them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from yolo_pipeline.errors import DataError, WeightsError
from yolo_pipeline.runtimes import kept


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "best.pt"
    file.write_bytes(b"weights")
    return file


def fill(folder: Path) -> Path:
    (folder / "network.onnx").write_bytes(b"network")
    (folder / "more.bin").write_bytes(b"more")
    return folder / "network.onnx"


def test_what_was_made_is_found_by_the_bytes_of_the_weights(weights: Path, tmp_path: Path) -> None:
    assert kept.find(weights, "onnx") is None
    made = kept.make(weights, "onnx", fill)
    same = tmp_path / "under another name.pt"
    same.write_bytes(b"weights")
    assert kept.find(same, "onnx") == made
    assert made.read_bytes() == b"network"
    assert made.is_relative_to(tmp_path / "cache")
    assert kept.find(weights, "openvino") is None
    weights.write_bytes(b"trained again")
    assert kept.find(weights, "onnx") is None


def test_made_with_other_things_is_another_network(weights: Path) -> None:
    made = kept.make(weights, "openvino-int8", fill, "imgsz 640")
    assert kept.find(weights, "openvino-int8", "imgsz 640") == made
    assert kept.find(weights, "openvino-int8") == made
    assert kept.find(weights, "openvino-int8", "imgsz 320") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("network.onnx", b"netw", id="cut"),
        pytest.param("network.onnx", b"NETWORK", id="another of the same length"),
        pytest.param("network.onnx", None, id="gone"),
        pytest.param("more.bin", b"", id="its weights emptied"),
        pytest.param(".manifest.json", None, id="no manifest"),
        pytest.param(".manifest.json", b"{", id="half a manifest"),
        pytest.param(".manifest.json", b"[]", id="a list"),
        pytest.param(".manifest.json", b'{"network": ["a"], "files": {}}', id="no name"),
        pytest.param(".manifest.json", b'{"network": "network.onnx", "files": {}}', id="not in its list"),
        pytest.param(".manifest.json", b'{"network": "a", "files": {"a": 1, "\\u0000": 1}}', id="impossible names"),
        pytest.param(".manifest.json", b"[" * 99999, id="deep"),
    ],
)
def test_a_damaged_network_is_not_found_and_can_be_made_anew(weights: Path, name: str, content: bytes | None) -> None:
    made = kept.make(weights, "onnx", fill)
    kept.note(weights, "onnx", "agrees", True)
    file = made.parent / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert kept.find(weights, "onnx") is None
    assert kept.noted(weights, "onnx", "agrees") is None
    assert kept.make(weights, "onnx", fill) == made
    assert made.read_bytes() == b"network"
    assert kept.find(weights, "onnx") == made


def test_notes_are_of_one_network_and_last_as_long_as_it(weights: Path) -> None:
    made = kept.make(weights, "onnx", fill)
    kept.note(weights, "onnx", "imgsz 640", {"agrees": True})
    kept.note(weights, "onnx", "imgsz 320", {"agrees": False})
    assert kept.noted(weights, "onnx", "imgsz 640") == {"agrees": True}
    assert kept.noted(weights, "onnx", "imgsz 320") == {"agrees": False}
    assert kept.noted(weights, "onnx", "imgsz 160") is None
    kept.make(weights, "onnx", fill)
    assert kept.noted(weights, "onnx", "imgsz 640") == {"agrees": True}
    kept.make(weights, "onnx", lambda folder: (fill(folder).write_bytes(b"another"), folder / "network.onnx")[1])
    assert kept.noted(weights, "onnx", "imgsz 640") is None
    assert made.read_bytes() == b"another"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"notes": 1}', b"\xff", b"null"])
def test_damaged_notes_are_none(weights: Path, content: bytes) -> None:
    made = kept.make(weights, "onnx", fill)
    kept.note(weights, "onnx", "key", 1)
    [notes] = made.parents[1].glob("*.notes.json")
    notes.write_bytes(content)
    assert kept.noted(weights, "onnx", "key") is None
    kept.note(weights, "onnx", "key", 2)
    assert kept.noted(weights, "onnx", "key") == 2
    assert set(json.loads(notes.read_bytes())) == {"network", "notes"}


def test_what_fails_leaves_nothing(weights: Path, tmp_path: Path) -> None:
    def fails(folder: Path) -> Path:
        fill(folder)
        raise WeightsError(weights, "cannot be exported")

    with pytest.raises(WeightsError, match="cannot be exported"):
        kept.make(weights, "onnx", fails)
    assert kept.find(weights, "onnx") is None
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


def test_a_full_disk_is_said(weights: Path) -> None:
    def fails(folder: Path) -> Path:
        raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match="the disk is full"):
        kept.make(weights, "onnx", fails)


def test_no_weights(weights: Path) -> None:
    weights.unlink()
    with pytest.raises(WeightsError, match=r"best\.pt: cannot be read, or is not there\. Check the path"):
        kept.find(weights, "onnx")


def test_networks_that_nobody_asked_for_in_a_month_are_removed_when_another_is_made(weights: Path) -> None:
    old, asked = kept.make(weights, "onnx", fill), kept.make(weights, "openvino", fill)
    month_ago = time.time() - 31 * 24 * 3600
    for made in (old, asked):
        os.utime(made.parent, (month_ago, month_ago))
    assert kept.find(weights, "openvino") == asked
    kept.make(weights, "torchscript", fill)
    assert not old.parent.exists()
    assert asked.is_file()
