"""Which class names forbid mirroring and turning, and which only look so."""

from __future__ import annotations

import pytest

from yolo_pipeline.building.orientation import Turning, orientation_warnings, turnings

LEFT_RIGHT: Turning = "mirrored left to right"
TOP_BOTTOM: Turning = "mirrored top to bottom"
UPSIDE_DOWN: Turning = "turned upside down"
QUARTER: Turning = "turned by a quarter"


@pytest.mark.parametrize(
    ("names", "turning", "named"),
    [
        pytest.param("0123456789", LEFT_RIGHT, "2, 3, 4, 5, 6, 7, 9", id="digits mirrored"),
        pytest.param("0123456789", TOP_BOTTOM, "2, 4, 5, 6, 7, 9", id="digits mirrored downwards"),
        pytest.param("0123456789", UPSIDE_DOWN, "6, 9", id="digits upside down"),
        pytest.param("AbdHMnS", LEFT_RIGHT, "b, d, S", id="letters mirrored"),
        pytest.param("AbdHMnS", UPSIDE_DOWN, "b, d, M, n", id="letters upside down"),
        pytest.param("ANZ", QUARTER, "N, Z", id="letters turned"),
        pytest.param(["left shoe", "right shoe", "box"], LEFT_RIGHT, "left shoe, right shoe", id="sides"),
        pytest.param(["turnLeft", "turn_right"], LEFT_RIGHT, "turnLeft, turn_right", id="joined words"),
        pytest.param(["좌회전", "우회전", "직진"], LEFT_RIGHT, "좌회전, 우회전", id="Korean turns"),
        pytest.param(["왼쪽 귀", "오른쪽 귀"], LEFT_RIGHT, "왼쪽 귀, 오른쪽 귀", id="Korean sides"),
        pytest.param(["left", "right"], UPSIDE_DOWN, "left, right", id="sides upside down"),
        pytest.param(["arrow up", "arrow down"], TOP_BOTTOM, "arrow up, arrow down", id="up and down"),
        pytest.param("←↑", LEFT_RIGHT, "←", id="arrow mirrored"),
        pytest.param("←↑", TOP_BOTTOM, "↑", id="arrow mirrored downwards"),
    ],
)
def test_classes_that_become_something_else(names: str | list[str], turning: Turning, named: str) -> None:
    said = orientation_warnings(list(names), {"train.fliplr": [turning]})
    assert said == (f"train.fliplr may make another sign of {named} (set it to 0)",)


@pytest.mark.parametrize(
    ("names", "turning"),
    [
        pytest.param(["chicken", "onion"], LEFT_RIGHT, id="things"),
        pytest.param(["bright light", "copyright", "leftover"], LEFT_RIGHT, id="right and left inside of words"),
        pytest.param(["우유", "좌석"], LEFT_RIGHT, id="milk and seat"),
        pytest.param(["left", "right"], TOP_BOTTOM, id="sides mirrored downwards"),
        pytest.param(["arrow up", "arrow down"], LEFT_RIGHT, id="up and down mirrored"),
        pytest.param(["7 up", "cola"], TOP_BOTTOM, id="up without a down"),
        pytest.param([str(number) for number in range(20)], LEFT_RIGHT, id="numbers of classes without names"),
        pytest.param("0188", LEFT_RIGHT, id="symmetrical digits"),
        pytest.param([], LEFT_RIGHT, id="no class"),
    ],
)
def test_classes_that_do_not(names: str | list[str], turning: Turning) -> None:
    assert orientation_warnings(list(names), {"train.fliplr": [turning]}) == ()


def test_one_note_names_every_setting() -> None:
    asked: dict[str, list[Turning]] = {
        "train.fliplr": [LEFT_RIGHT],
        "data.augment.flip": [TOP_BOTTOM],
        "data.augment.rot90": [QUARTER, UPSIDE_DOWN],
        "data.augment.box.flip": [],
    }
    assert orientation_warnings(["3", "6"], asked) == (
        "train.fliplr may make another sign of 3, 6 (set it to 0); "
        "data.augment.flip may make another sign of 6 (leave it out); "
        "data.augment.rot90 may make another sign of 6 (leave it out)",
    )


@pytest.mark.parametrize(
    ("track", "train", "asked"),
    [
        pytest.param("yolo", {}, {"train.fliplr": [LEFT_RIGHT]}, id="Ultralytics mirrors if nothing is said"),
        pytest.param("yolo", {"fliplr": 0.0}, {}, id="it is told not to"),
        pytest.param("tfapi", {"random_horizontal_flip": True}, {"train.random_horizontal_flip": [LEFT_RIGHT]}, id="TensorFlow"),
        pytest.param("tfapi", {"random_horizontal_flip": False}, {}, id="TensorFlow told not to"),
        pytest.param("tfapi", {}, {}, id="a config of the user's own, or a run from elsewhere"),
    ],
)  # fmt: skip
def test_which_settings_mirror(track: str, train: dict[str, object], asked: dict[str, list[Turning]]) -> None:
    assert turnings({"track": track, "train": train, "data": {}}) == asked


@pytest.mark.parametrize(
    ("model", "train", "asked"),
    [
        pytest.param("resnet18", {}, {}, id="nothing is mirrored unasked"),
        pytest.param(
            "resnet18",
            {"augment": {"flip": ["horizontal", "vertical"], "rotation_deg": 89}},
            {"train.augment.flip": [LEFT_RIGHT, TOP_BOTTOM]},
            id="flips",
        ),
        pytest.param(
            "resnet18",
            {"augment": {"flip": [], "rotation_deg": 180}},
            {"train.augment.rotation_deg": [QUARTER, UPSIDE_DOWN]},
            id="turned all the way",
        ),
        pytest.param("yolov8n-cls", {}, {"train.fliplr": [LEFT_RIGHT]}, id="Ultralytics' default"),
    ],
)
def test_which_settings_of_a_classifier_mirror(
    model: str, train: dict[str, object], asked: dict[str, list[Turning]]
) -> None:
    assert turnings({"track": "classify", "model": model, "train": train, "data": {}}) == asked


def test_a_block_of_augmentation_is_left_out() -> None:
    assert orientation_warnings("69", {"train.augment.rotation_deg": [UPSIDE_DOWN]}) == (
        "train.augment.rotation_deg may make another sign of 6, 9 (leave it out)",
    )


def test_a_switch_is_set_to_false() -> None:
    said = orientation_warnings(["3"], {"train.random_horizontal_flip": [LEFT_RIGHT]})
    assert said == ("train.random_horizontal_flip may make another sign of 3 (set it to false)",)


def test_many_classes_are_cut_short() -> None:
    said = orientation_warnings(list("BCDEFGJKLNPQRSZ"), {"train.fliplr": [LEFT_RIGHT]})
    assert said == ("train.fliplr may make another sign of B, C, D, E, F, G, J, K, L, N … (set it to 0)",)
