"""TensorFlow Lite files of SSDs, run by LiteRT: tests/data/tfapi/squares.tflite finds coloured cells of 8 x 8."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Ended
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.nouns import Box
from yolo_pipeline.runtimes import open_network, tflite_file
from yolo_pipeline.runtimes.tflite_ssd import describe_ssd

pytest.importorskip("ai_edge_litert", reason="ai_edge_litert is not installed (the extra litert)")

NETWORK = Path(__file__).parents[1] / "data" / "tfapi" / "squares.tflite"
NAMES = ["빨강", "green", "blue", "cyan", "magenta", "yellow"]
SAID: dict[str, Any] = {
    "kind": "yolo_pipeline ssd", "names": NAMES, "imgsz": [32, 32], "iou": 0.6,
    "mean": [127.5, 127.5, 127.5], "std": [127.5, 127.5, 127.5],
}  # fmt: skip
RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)  # blue first
CYAN, MAGENTA, YELLOW = (255, 255, 0), (255, 0, 255), (0, 255, 255)
CELLS = {(2, 5): RED, (7, 0): BLUE}


def described(folder: Path, **more: Any) -> Path:
    file = folder / "attempt-1.tflite"
    file.write_bytes(NETWORK.read_bytes())
    tflite_file.append_note(file, {**SAID, **more})
    return file


def picture(height: int, width: int, cells: dict[tuple[int, int], tuple[int, int, int]] = CELLS) -> np.ndarray:
    """Grey, but for some cells, by row and column of 8 by 8."""
    pixels = np.full((height, width, 3), 128, dtype=np.uint8)
    down, across = height // 8, width // 8
    for (row, column), colour in cells.items():
        pixels[row * down : (row + 1) * down, column * across : (column + 1) * across] = colour
    return pixels


@pytest.mark.parametrize(
    ("height", "width", "red", "blue"),
    [
        pytest.param(32, 32, Box(20, 8, 24, 12), Box(0, 28, 4, 32), id="of the network's size"),
        pytest.param(64, 256, Box(160, 16, 192, 24), Box(0, 56, 32, 64), id="stretched from another shape"),
        pytest.param(640, 64, Box(40, 160, 48, 240), Box(0, 560, 8, 640), id="stretched the other way"),
    ],
)
def test_what_is_found_lies_in_the_pictures_own_pixels(
    tmp_path: Path, height: int, width: int, red: Box, blue: Box
) -> None:
    predict = open_network(described(tmp_path), Asking(conf=0.5))
    assert (predict.names, predict.imgsz) == (tuple(NAMES), 32)
    (found,) = predict([picture(height, width)])
    assert {one.label: one.box for one in found} == {"빨강": red, "blue": blue}


def test_every_class_is_found_whatever_the_number_of_cores(tmp_path: Path) -> None:
    """With an interpreter that uses two threads itself, LiteRT 2.3 loses the third of six classes."""
    colours = (RED, GREEN, BLUE, CYAN, MAGENTA, YELLOW)
    pixels = picture(32, 32, {(place, place): colour for place, colour in enumerate(colours)})
    predict = open_network(described(tmp_path), Asking(conf=0.5))
    with ThreadPoolExecutor(predict.callers) as callers:
        answers = list(callers.map(predict, [[pixels]] * 4 * predict.callers))
    for (found,) in answers:
        assert [(one.label, one.box) for one in sorted(found, key=lambda one: one.box.x0)] == [
            (name, Box(4 * place, 4 * place, 4 * place + 4, 4 * place + 4)) for place, name in enumerate(NAMES)
        ]


def test_scores_are_the_networks_own(tmp_path: Path) -> None:
    """A red cell of class red: 4 * (1 + 1 + 1) - 8 = 4, and 1 / (1 + e^-4) = 0.982; of magenta: 4 - 8 = -4, 0.018."""
    (found,) = open_network(described(tmp_path), Asking(conf=0.01))([picture(32, 32, {(2, 5): RED})])
    assert {one.label: one.score for one in found} == pytest.approx(
        {"빨강": 0.982, "magenta": 0.018, "yellow": 0.018}, abs=5e-4
    )
    assert found[0].label == "빨강"


def test_confidence_and_number_of_boxes_are_those_that_are_asked_for(tmp_path: Path) -> None:
    """Two cells of the classes' colours, each also a little of two other classes."""
    file, pixels = described(tmp_path), [picture(32, 32)]
    counts = {
        (conf, most): len(open_network(file, Asking(conf=conf, most=most))(pixels)[0])
        for conf, most in ((0.01, 300), (0.01, 3), (0.5, 300), (0.5, 1), (0.99, 300))
    }
    assert counts == {(0.01, 300): 6, (0.01, 3): 3, (0.5, 300): 2, (0.5, 1): 1, (0.99, 300): 0}


def test_mean_and_divisor_are_those_that_it_notes(tmp_path: Path) -> None:
    pixels = [np.full((32, 32, 3), 128, dtype=np.uint8)]
    (as_made,) = open_network(described(tmp_path), Asking(conf=0.5))(pixels)
    (redder,) = open_network(described(tmp_path, mean=[0, 255, 255]), Asking(conf=0.5))(pixels)
    assert as_made == []
    assert {one.label for one in redder} == {"빨강"}


@pytest.mark.parametrize("iou", [pytest.param(0.6, id="its own"), pytest.param(0.7, id="nothing was said")])
def test_its_own_suppression_is_all_that_can_be_had(tmp_path: Path, iou: float) -> None:
    file = described(tmp_path)
    assert len(open_network(file, Asking(conf=0.5, iou=iou))([picture(32, 32)])[0]) == 2
    with pytest.raises(InputError, match=r"suppresses by itself, at IoU 0\.6; 0\.3 cannot be had of it\. Leave --iou"):
        open_network(file, Asking(iou=0.3))


@pytest.mark.parametrize(("said", "code"), [pytest.param("0.6", 0, id="its own"), pytest.param("0.7", 3, id="another")])
def test_the_command_takes_no_other_overlap(tmp_path: Path, cli: Callable[..., Ended], said: str, code: int) -> None:
    Image.fromarray(picture(32, 32)[..., ::-1]).save(tmp_path / "a.png")
    ended = cli(
        "detect", "--weights", described(tmp_path), tmp_path / "a.png", "--out", tmp_path / "out", "--iou", said
    )
    assert ended.code == code
    assert ("suppresses by itself, at IoU 0.6; 0.7 cannot be had of it. Leave --iou out" in ended.err) == bool(code)


def test_the_command_needs_nothing_but_litert(tmp_path: Path) -> None:
    file = described(tmp_path)
    (tmp_path / "사진").mkdir()
    Image.fromarray(picture(64, 96)[..., ::-1]).save(tmp_path / "사진" / "a.png")
    code = (
        "import sys; from yolo_pipeline.cli import run; code = run(sys.argv[1:]);"
        "print([name for name in ('torch', 'ultralytics', 'tensorflow') if name in sys.modules]); sys.exit(code)"
    )
    asked = ["detect", "--weights", file, tmp_path / "사진", "--conf", "0.3,0.5", "--out", tmp_path / "out", "--json"]
    done = subprocess.run([sys.executable, "-c", code, *map(str, asked)], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    said, imported = done.stdout.rsplit("\n", 2)[:2]
    assert json.loads(said)["thresholds"]["0.5"] == {
        "boxes": 2,
        "images_with_boxes": 1,
        "classes": {"blue": 1, "빨강": 1},
    }
    assert imported == "[]"


def test_the_same_note_gives_the_same_bytes(tmp_path: Path) -> None:
    first = described(tmp_path).read_bytes()
    assert described(tmp_path).read_bytes() == first
    assert first.startswith(NETWORK.read_bytes())
    with zipfile.ZipFile(tmp_path / "attempt-1.tflite") as archive:
        assert archive.namelist() == ["metadata.json"]


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _one_weight_changed(data: bytes) -> bytes:
    return data[:3000] + bytes([data[3000] ^ 1]) + data[3001:]


def _note_alone(data: bytes) -> bytes:
    return data[len(NETWORK.read_bytes()) :]


def _nothing(data: bytes) -> bytes:
    return b""


def _another_note_behind(data: bytes) -> bytes:
    return data + b"PK\x05\x06" + bytes(18)


def _note_packed_in_another_way(data: bytes) -> bytes:
    """As LZMA, and damaged: what unpacks that has errors of its own."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("metadata.json", json.dumps({**SAID, "names": ["red"] * 500}))
    note = packed.getvalue()
    return NETWORK.read_bytes() + note[:50] + bytes(byte ^ 0x5A for byte in note[50:90]) + note[90:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(_nothing, "says nothing of its classes and size", id="empty"),
        pytest.param(_cut, "says nothing of its classes and size", id="cut off, and with it the note"),
        pytest.param(_one_weight_changed, "was changed since it was exported, or is damaged", id="a bit is another"),
        pytest.param(_note_alone, "was changed since it was exported, or is damaged", id="no network"),
        pytest.param(_note_packed_in_another_way, "says nothing of its classes and size", id="an unusual archive"),
        pytest.param(_another_note_behind, "says nothing of its classes and size", id="an empty archive behind it"),
    ],
)
def test_damaged_files(tmp_path: Path, cli: Callable[..., Ended], damage: Callable[[bytes], bytes], said: str) -> None:
    file = described(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(WeightsError) as refused:
        open_network(file, Asking())
    assert said in str(refused.value)
    Image.fromarray(picture(32, 32)).save(tmp_path / "a.png")
    ended = cli("detect", "--weights", file, tmp_path / "a.png", "--out", tmp_path / "out")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.strip().splitlines()[-1] == f"error: {refused.value}"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param({"names": []}, "does not name its classes", id="no classes"),
        pytest.param({"names": ["a", 5]}, "names its class 1 5", id="a number for a name"),
        pytest.param({"imgsz": [64, 64]}, "takes (32, 32), but says that it takes (64, 64)", id="another size"),
        pytest.param({"imgsz": "32"}, "says imgsz: 32", id="a text for a size"),
        pytest.param({"iou": None}, "says iou: [None], which is not a number up to 1", id="no IoU"),
        pytest.param({"iou": float("nan")}, "says iou: [nan]", id="NaN"),
        pytest.param({"iou": -0.5}, "says iou: -0.5", id="IoU below 0"),
        pytest.param({"iou": True}, "says iou: [True]", id="true for a number"),
        pytest.param({"mean": [1, 2]}, "says mean: [1, 2], which is not 3 numbers up to 1e+06", id="two means"),
        pytest.param({"mean": [1, 2, 10**400]}, "says mean: [1, 2, 1000", id="a huge number"),
        pytest.param({"mean": {"0": 1}}, "says mean: {'0': 1}", id="a mapping"),
        pytest.param({"std": [1, 0, 1]}, "std: [1.0, 0.0, 1.0], which cannot be", id="divided by 0"),
        pytest.param({"std": [1, float("inf"), 1]}, "says std: [1, inf, 1]", id="infinity"),
        pytest.param({"kind": "yolo"}, "says stride: None", id="another kind"),
    ],
)
def test_notes_that_cannot_be(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(WeightsError) as refused:
        open_network(described(tmp_path, **more), Asking())
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "said", [None, 5, {"bytes": -1}, {"bytes": 10**30}, {"bytes": True}, {"bytes": 9, "sha256": 1}]
)
def test_what_it_notes_of_its_bytes_must_be_true(tmp_path: Path, said: object) -> None:
    with pytest.raises(WeightsError, match="was changed since it was exported, or is damaged"):
        tflite_file.own_bytes(described(tmp_path), {"network": said})


def test_a_class_that_it_does_not_name_is_refused_when_it_is_found(tmp_path: Path) -> None:
    predict = open_network(described(tmp_path, names=["red"]), Asking(conf=0.5))
    with pytest.raises(WeightsError, match="puts out classes that are none of its 1"):
        predict([picture(32, 32)])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"\x1c\0\0\0TFL3" + bytes(500), "cannot be read as a TensorFlow Lite network", id="none at all"),
        pytest.param(
            NETWORK.with_name("mean.tflite").read_bytes(), "does not put out boxes, scores, classes", id="no detector"
        ),
    ],
)
def test_networks_that_only_say_that_they_are_such(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "a.tflite"
    file.write_bytes(content)
    tflite_file.append_note(file, SAID)
    with pytest.raises(WeightsError, match=said):
        open_network(file, Asking())


def test_a_network_that_says_it_is_of_ultralytics_is_taken_for_one(tmp_path: Path) -> None:
    file = tmp_path / "a.tflite"
    file.write_bytes(NETWORK.with_name("mean.tflite").read_bytes())
    tflite_file.append_note(file, {"task": "detect", "stride": 32, "imgsz": [32, 32], "names": {"0": "a"}})
    predict = open_network(file, Asking())
    assert (predict.names, predict.imgsz, predict.callers) == (("a",), 32, 1)
    with pytest.raises(WeightsError, match=r"a\.tflite: cannot be asked"):
        predict([picture(32, 32)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(set(SAID) - {"kind"})), JSON)
def test_any_note_is_understood_or_refused(key: str, value: object) -> None:
    try:
        told = describe_ssd(Path("a.tflite"), {**SAID, key: value})
    except WeightsError:
        return
    assert 0 <= told.iou <= 1
    assert min(told.std) > 0
