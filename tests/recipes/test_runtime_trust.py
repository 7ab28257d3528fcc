"""Which runtime is taken: the one asked for if it agrees with torch, the fastest that agrees, torch where it is not worth it."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FakeTrack, find_squares
from PIL import Image

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.judging.coco import truth_json
from yolo_pipeline.nouns import Box, Detection, ImageRecord, Truth
from yolo_pipeline.progress import Progress
from yolo_pipeline.recipes import trust_check
from yolo_pipeline.recipes.trust import FEWEST, choose
from yolo_pipeline.runtimes import kept

Find = Callable[[np.ndarray], list[Detection]]
MANY, FEW = FEWEST, FEWEST - 1


@dataclass
class Fast(FakeTrack):
    """A track with several runtimes: what each finds, how many milliseconds it takes, and what its making raises."""

    finds: dict[str, Find] = field(default_factory=dict)
    takes: dict[str, int] = field(default_factory=dict)
    raises: dict[str, Exception] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, weights: Path, asking: Asking, runtime: str = "torch") -> Predictor:
        def find(batch: Sequence[np.ndarray]) -> list[list[Detection]]:
            self.asked.append(runtime)
            time.sleep(self.takes.get(runtime, 4 if runtime == "torch" else 1) / 1000)
            return [self.finds.get(runtime, find_squares)(picture) for picture in batch]

        return Predictor(find, ("chicken", "onion"), 64)

    def runtimes(self, device: str | None) -> tuple[str, ...]:
        return ("openvino-int8", "openvino", "onnx")

    def prepared(self, weights: Path, runtime: str) -> bool:
        return kept.find(weights, runtime) is not None

    def prepare(self, weights: Path, runtime: str, asking: Asking, samples: Sequence[Path], progress: Progress) -> None:
        if runtime in self.raises:
            raise self.raises[runtime]
        if not self.prepared(weights, runtime):
            self.made.append(runtime)
            kept.make(weights, runtime, write_network)


def write_network(folder: Path) -> Path:
    (folder / "network.onnx").write_bytes(b"network")
    return folder / "network.onnx"


class Said:
    """A progress that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def has(self, text: str) -> bool:
        return any(text in line for line in self.lines)


@dataclass
class User:
    """Somebody with weights and pictures, whose cache is empty."""

    weights: Path
    pictures: list[Path]
    said: Said = field(default_factory=Said)

    def chooses(
        self, track: Fast, asked: str = "auto", count: int = MANY, *, int8: bool = False,
        asking: Asking = Asking(imgsz=64), pictures: list[Path] | None = None, truths: dict[str, Any] | None = None,
    ) -> str:  # fmt: skip
        pictures = self.pictures if pictures is None else pictures
        return choose(track, self.weights, asked, int8, asking, self.pictures, pictures, truths, count, self.said)  # type: ignore[arg-type]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labelled_folder: Callable[..., Path]) -> User:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    weights = tmp_path / "best.pt"
    weights.write_bytes(b"weights")
    return User(weights, sorted(labelled_folder(tmp_path / "pictures", 40).glob("*.png")))


def blind(picture: np.ndarray) -> list[Detection]:
    return []


def misses_onions(picture: np.ndarray) -> list[Detection]:
    return [one for one in find_squares(picture) if one.label != "onion"]


def shifted(picture: np.ndarray) -> list[Detection]:
    return [
        replace(one, box=Box(one.box.x0 + 20, one.box.y0, one.box.x1 + 20, one.box.y1)) for one in find_squares(picture)
    ]


def calls_it_onion(picture: np.ndarray) -> list[Detection]:
    return [replace(one, label="onion") for one in find_squares(picture)]


def test_auto_takes_the_fastest_that_agrees(user: User) -> None:
    track = Fast(takes={"torch": 8, "onnx": 1, "openvino": 4})
    assert user.chooses(track) == "onnx"
    assert track.made == ["openvino", "onnx"]  # int8 was not allowed
    assert user.said.has("checking whether onnx finds what torch finds: once, on 32 pictures")
    assert user.said.has("mAP50 1.0000, torch 1.0000")


def test_the_decision_is_kept(user: User) -> None:
    """Nothing is asked and nothing said by the next command, however few pictures it has."""
    first = Fast(takes={"torch": 8, "onnx": 4, "openvino": 1})
    assert user.chooses(first) == "openvino"
    again, user.said = Fast(), Said()
    assert user.chooses(again) == "openvino"
    assert user.chooses(again, count=1) == "openvino"
    assert user.chooses(again, "onnx") == "onnx"
    assert (again.made, again.asked, user.said.lines) == ([], [], [])


def test_a_runtime_that_is_slower_than_torch_is_not_taken(user: User) -> None:
    assert user.chooses(Fast(takes={"torch": 1, "onnx": 5, "openvino": 5})) == "torch"


def test_few_pictures_are_not_worth_a_preparation(user: User) -> None:
    track = Fast()
    assert user.chooses(track, count=FEW) == "torch"
    assert (track.made, track.asked) == ([], [])
    assert user.said.lines == [f"for {FEW} pictures a faster runtime than torch is not worth its preparation"]


def test_a_runtime_asked_for_by_name_is_prepared_for_few(user: User) -> None:
    track = Fast()
    assert user.chooses(track, "onnx", 1) == "onnx"
    assert track.made == ["onnx"]


def test_torch_is_asked_for_nothing(user: User) -> None:
    track = Fast()
    assert user.chooses(track, "torch") == "torch"
    assert (track.made, track.asked, user.said.lines) == ([], [], [])


@pytest.mark.parametrize(
    ("find", "score"),
    [
        pytest.param(blind, "0.0000", id="finds nothing"),
        pytest.param(misses_onions, "0.5000", id="misses a class"),
        pytest.param(shifted, "0.", id="elsewhere"),
        pytest.param(calls_it_onion, "0.", id="other classes"),
    ],
)
def test_what_does_not_agree_is_refused_by_name_and_left_out_by_auto(user: User, find: Find, score: str) -> None:
    track = Fast(finds={"openvino": find}, takes={"openvino": 0})
    for _ in range(2):  # measured, then remembered
        with pytest.raises(InputError) as refused:
            user.chooses(track, "openvino")
        assert str(refused.value).startswith(f"runtime openvino: does not find what torch finds: mAP50 {score}")
        assert str(refused.value).endswith("against 1.0000 on 32 pictures, where 0.002 is allowed. Use torch")
    assert track.asked.count("openvino") <= 33
    assert user.chooses(track) == "onnx"
    assert user.said.has("left out: runtime openvino: does not find what torch finds")
    assert user.chooses(Fast(finds={"onnx": find}), count=FEW) == "onnx"  # what is kept counts


def test_what_cannot_be_made_is_left_out(user: User) -> None:
    error = WeightsError(user.weights, "cannot be exported to openvino: no")
    assert user.chooses(Fast(raises={"openvino": error})) == "onnx"
    assert user.said.has("left out: ")
    with pytest.raises(WeightsError, match="cannot be exported"):
        user.chooses(Fast(raises={"openvino": error}), "openvino")
    assert user.chooses(Fast(raises={"openvino": error, "onnx": error})) == "torch"


def test_a_network_that_is_made_anew_is_checked_anew(user: User) -> None:
    assert user.chooses(Fast(), "onnx") == "onnx"
    network = kept.find(user.weights, "onnx")
    assert network is not None
    network.write_bytes(b"damaged")
    track = Fast(finds={"onnx": blind})
    track.prepare(user.weights, "onnx", Asking(), (), user.said)  # type: ignore[arg-type]
    assert track.made == ["onnx"]
    kept.make(user.weights, "onnx", write_other)
    with pytest.raises(InputError, match="does not find what torch finds"):
        user.chooses(track, "onnx")


def write_other(folder: Path) -> Path:
    (folder / "network.onnx").write_bytes(b"other bytes")
    return folder / "network.onnx"


@pytest.mark.parametrize(
    "asking",
    [Asking(imgsz=128), Asking(imgsz=64, iou=0.5), Asking(imgsz=64, device="cpu")],
    ids=["imgsz", "iou", "device"],
)
def test_another_asking_is_checked_by_itself(user: User, asking: Asking) -> None:
    user.chooses(Fast(), "onnx")
    track = Fast()
    user.chooses(track, "onnx", asking=asking)
    assert track.asked.count("onnx") == 33


def test_a_runtime_whose_wheel_has_another_name(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    (user.weights.parent / "one_more_runtime.py").write_text('__version__ = "1.2.3"')
    monkeypatch.syspath_prepend(user.weights.parent)
    monkeypatch.setattr(trust_check, "_PACKAGES", ("one_more_runtime",))
    assert user.chooses(Fast(), "onnx") == "onnx"


def test_a_check_on_few_pictures_is_repeated_on_more_and_not_on_fewer(user: User) -> None:
    track = Fast()
    user.chooses(track, "onnx", pictures=user.pictures[:3])
    assert user.said.has("on 3 pictures")
    for count, asked in ((2, 0), (3, 0), (20, 21), (40, 33), (33, 0), (3, 0)):
        track.asked.clear()
        user.chooses(track, "onnx", pictures=user.pictures[:count])
        assert track.asked.count("onnx") == asked


# int8


def test_int8_is_taken_where_it_is_allowed(user: User) -> None:
    track = Fast(takes={"torch": 8, "openvino-int8": 0, "openvino": 4, "onnx": 4})
    assert user.chooses(track, int8=True) == "openvino-int8"
    assert user.chooses(track) != "openvino-int8"
    assert user.chooses(track, "openvino", int8=True) == "openvino-int8"
    assert user.chooses(track, "openvino-int8") == "openvino-int8"


def test_int8_that_finds_less_is_refused(user: User) -> None:
    with pytest.raises(InputError, match=r"0\.02 is allowed\. Leave int8 out, or calibrate on other pictures"):
        user.chooses(Fast(finds={"openvino-int8": misses_onions}), "openvino", int8=True)


@pytest.mark.parametrize("asked", ["onnx", "torch"])
def test_no_other_runtime_has_int8(user: User, asked: str) -> None:
    with pytest.raises(InputError, match=rf"runtime {asked}: has no int8\. Say openvino, or leave int8 out"):
        user.chooses(Fast(), asked, int8=True)


# What it is held to


def labels(pictures: Sequence[Path], keep: Callable[[int], bool] = lambda at: True) -> dict[str, Any]:
    """What really is on pictures, as COCO truth; of some nothing is labelled."""
    records = []
    for at, file in enumerate(pictures):
        found = find_squares(np.asarray(Image.open(file))[..., ::-1]) if keep(at) else []
        records.append(ImageRecord(Path(), file.name, 64, 64, "", tuple(Truth(one.box, one.label) for one in found)))
    return truth_json(records, ("chicken", "onion"), {one.name: one.name for one in records}, {Path(): ""})


def test_labels_are_the_truth_where_there_are_some(user: User) -> None:
    """Torch misses all onions; a runtime that finds them is told from it, and int8 may be the better one."""
    track = Fast(finds={"torch": misses_onions})
    truths = labels(user.pictures)
    with pytest.raises(InputError, match=r"mAP50 1\.0000 against 0\.5000 on 32 pictures, where 0\.002 is allowed"):
        user.chooses(track, "onnx", truths=truths)
    assert user.chooses(track, "openvino", int8=True, truths=truths) == "openvino-int8"
    same = Fast(finds={"torch": misses_onions, "openvino": misses_onions})
    assert user.chooses(same, "openvino", truths=truths) == "openvino"
    assert user.said.has("openvino: ")
    assert user.said.has("mAP50 0.5000, torch 0.5000")


def test_int8_is_held_closer_to_labels(user: User) -> None:
    track = Fast(finds={"openvino-int8": misses_onions})
    with pytest.raises(InputError, match=r"0\.005 is allowed"):
        user.chooses(track, "openvino", int8=True, truths=labels(user.pictures))


def test_a_check_without_labels_is_none_with_them(user: User) -> None:
    user.chooses(Fast(), "onnx")
    track = Fast()
    user.chooses(track, "onnx", truths=labels(user.pictures))
    assert track.asked.count("onnx") == 33


def test_labels_go_with_their_pictures_though_some_cannot_be_read(user: User) -> None:
    truths = labels(user.pictures)
    for file in user.pictures[1::3]:
        file.write_bytes(b"no picture")
    user.chooses(Fast(), "onnx", truths=truths)
    assert user.said.has("on 27 pictures")
    assert user.said.has("mAP50 1.0000, torch 1.0000")


def test_pictures_without_any_object(user: User) -> None:
    """Nothing is to be found: a runtime that finds nothing agrees, and one that is sure of something does not."""
    nothing = {"torch": blind, "onnx": blind}
    assert user.chooses(Fast(finds=nothing), "onnx") == "onnx"
    assert user.said.has("mAP50 -, torch -")
    with pytest.raises(InputError, match="mAP50 - against - on 32 pictures"):
        user.chooses(Fast(finds=nothing | {"openvino": find_squares}), "openvino")


def test_a_model_that_is_sure_of_nothing(user: User) -> None:
    def unsure(picture: np.ndarray) -> list[Detection]:
        return [replace(one, score=0.02) for one in find_squares(picture)]

    finds = {"torch": unsure, "onnx": unsure, "openvino": blind}
    assert user.chooses(Fast(finds=finds), "onnx") == "onnx"
    with pytest.raises(InputError, match=r"mAP50 0\.0000 against 1\.0000"):
        user.chooses(Fast(finds=finds), "openvino")


def test_classes_whose_names_have_line_breaks(user: User) -> None:
    """Exported networks name them on one line."""

    def broken(picture: np.ndarray) -> list[Detection]:
        return [replace(one, label=f"{one.label}\n of  mine") for one in find_squares(picture)]

    def on_one_line(picture: np.ndarray) -> list[Detection]:
        return [replace(one, label=f"{one.label} of mine") for one in find_squares(picture)]

    assert user.chooses(Fast(finds={"torch": broken, "onnx": on_one_line}), "onnx") == "onnx"


def test_no_picture_can_be_read(user: User) -> None:
    for file in user.pictures:
        file.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"best\.pt: there is no picture to check another runtime than torch on"):
        user.chooses(Fast(), "onnx")
    assert user.chooses(Fast()) == "torch"


def test_without_pictures_to_check_on_those_of_the_training_serve(user: User) -> None:
    assert user.chooses(Fast(), "onnx", pictures=[]) == "onnx"
    assert user.said.has("on 32 pictures")


# What is there


def test_an_exported_network_runs_as_what_it_is(user: User, tmp_path: Path) -> None:
    user.weights = tmp_path / "best.onnx"
    user.weights.touch()
    assert user.chooses(Fast(), "auto") == "onnx"
    with pytest.raises(InputError, match="is an exported network, which runs in onnx as it is"):
        user.chooses(Fast(), "torch")
    user.weights = tmp_path / "best_openvino_model"
    user.weights.mkdir()
    (user.weights / "best.xml").touch()
    assert user.chooses(Fast(), "auto") == "openvino"


def test_that_openvino_is_missing_is_said(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: None if asked == "openvino" else find(asked))
    user.chooses(Fast(), count=FEW)
    assert user.said.lines[0] == (
        'OpenVINO, which may be faster than torch, is not installed: python -m pip install "yolo_pipeline[openvino]"'
    )


class TestAlone:
    """A track whose weights no other runtime runs."""

    @pytest.mark.parametrize("asked", ["auto", "tensorflow"])
    def test_it_runs_as_it_was_trained_and_nothing_is_said(self, user: User, asked: str) -> None:
        track = Fast(runtime="tensorflow")
        assert user.chooses(track, asked) == "tensorflow"
        assert (track.asked, track.made, user.said.lines) == ([], [], [])

    @pytest.mark.parametrize(
        ("asked", "int8", "named"),
        [
            pytest.param("openvino", False, "openvino", id="another runtime"),
            pytest.param("torch", False, "torch", id="the other track's own"),
            pytest.param("auto", True, "auto-int8", id="whole numbers of any"),
            pytest.param("openvino-int8", True, "openvino-int8", id="whole numbers, as a run was begun"),
        ],
    )
    def test_others_are_refused(self, user: User, asked: str, int8: bool, named: str) -> None:
        with pytest.raises(InputError, match=f"runtime {named}: cannot run this model, which tensorflow alone runs"):
            user.chooses(Fast(runtime="tensorflow"), asked, int8=int8)
