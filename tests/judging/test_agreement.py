"""When two sets of detections on the same pictures are taken for the same, at the edges of what is allowed."""

from __future__ import annotations

import pytest

from yolo_pipeline.judging.agreement import Disagreement, agreement, confidence_to_compare, tolerance
from yolo_pipeline.nouns import Box, Detection

BOX = Box(10, 10, 110, 110)


def found(score: float = 0.9, label: str = "onion", box: Box = BOX) -> Detection:
    return Detection(box, label, score)


def test_what_agrees_is_measured() -> None:
    ours = [[found(0.9), found(0.3, "egg")], []]
    theirs = [[found(0.31, "egg"), found(0.885, box=Box(10, 10, 110, 105))], []]
    agreed = agreement(["a.png", "b.png"], ours, theirs, 0.25)
    assert (agreed.pictures, agreed.compared, agreed.conf) == (2, 2, 0.25)
    assert agreed.least_iou == 0.95
    assert agreed.score_difference == 0.015
    assert agreed.corner_difference == 5


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([found(0.881)], id="score almost 0.02 lower"),
        pytest.param([found(box=Box(10, 10, 110, 100))], id="IoU 0.9"),
        pytest.param([found(), found(0.265, "egg")], id="more, just above the confidence"),
    ],
)
def test_what_is_near_enough(other: list[Detection]) -> None:
    assert agreement(["a.png"], [[found()]], [other], 0.25).compared == 1


def test_boxes_cut_to_the_same_place_find_the_partner_of_their_score() -> None:
    """Two boxes that reach out of a picture differ no more once they are clipped."""
    assert agreement(["a.png"], [[found(0.9), found(0.6)]], [[found(0.6), found(0.9)]], 0.25).score_difference == 0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        pytest.param(
            [], "on a.png only the original finds 'onion' 0.9000 at 10.0, 10.0, 110.0, 110.0 (nothing", id="none"
        ),
        pytest.param([found(label="egg")], "only the original finds 'onion' 0.9000", id="class"),
        pytest.param([found(0.87)], "(nearest: IoU 1.000, 0.0 pixels, score 0.0300 off)", id="score"),
        pytest.param(
            [found(box=Box(10, 10, 110, 99))], "(nearest: IoU 0.890, 11.0 pixels, score 0.0000 off)", id="place"
        ),
        pytest.param([found(), found(0.275, "egg")], "the original does not find 'egg' 0.2750", id="one more"),
        pytest.param([found(float("nan"))], "only the original finds", id="no number"),
        pytest.param([found(box=Box(float("nan"), 10, 110, 110))], "only the original finds", id="no box"),
    ],
)
def test_what_differs_is_told(other: list[Detection], said: str) -> None:
    with pytest.raises(Disagreement) as caught:
        agreement(["a.png"], [[found()]], [other], 0.25)
    assert said in str(caught.value)


def test_corners_may_be_held_to_pixels() -> None:
    """A large box may be many pixels off at IoU 0.9."""
    other = [[found(box=Box(10, 10, 110, 107.5))]]
    assert agreement(["a.png"], [[found()]], other, 0.25, pixels=2.5).corner_difference == 2.5
    with pytest.raises(Disagreement, match=r"nearest: IoU 0\.975, 2\.5 pixels, score 0\.0000 off"):
        agreement(["a.png"], [[found()]], other, 0.25, pixels=2)


def test_what_a_full_list_had_no_room_for_may_be_missing() -> None:
    """Both give two boxes at most; one takes the second of three that are alike, the other the third."""
    first, second, third = (Box(at, 10, at + 50, 60) for at in (0, 100, 200))
    ours = [[found(0.9, box=first), found(0.4, box=second)]]
    theirs = [[found(0.9, box=first), found(0.4, box=third)]]
    assert agreement(["a.png"], ours, theirs, 0.25, most=2).compared == 1
    with pytest.raises(Disagreement):
        agreement(["a.png"], ours, theirs, 0.25, most=3)


def test_full_lists_of_boxes_that_are_all_alike_prove_nothing() -> None:
    assert confidence_to_compare([[found(0.4), found(0.4)]], most=2) is None
    assert confidence_to_compare([[found(0.4), found(0.4)]], most=3) == 0.25
    assert confidence_to_compare([[found(0.0131), found(0.0128)]], most=2) == 0.002  # allows for 0.00016


def test_what_lies_about_the_confidence_may_be_missing() -> None:
    assert agreement(["a.png"], [[found(), found(0.269, "egg")]], [[found()]], 0.25).compared == 1
    with pytest.raises(Disagreement):
        agreement(["a.png"], [[found(), found(0.271, "egg")]], [[found()]], 0.25)


@pytest.mark.parametrize(
    ("scores", "conf"),
    [
        pytest.param([0.9, 0.01], 0.25, id="as ever"),
        pytest.param([0.26], 0.1, id="0.26 might be missing at 0.25"),
        pytest.param([0.03, 0.02], 0.02, id="lower"),
        pytest.param([0.0011], 0.001, id="the lowest"),
        pytest.param([0.001], None, id="too low"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_the_confidence_is_lowered_until_there_is_something_to_compare(scores: list[float], conf: float | None) -> None:
    assert confidence_to_compare([[], [found(score) for score in scores]]) == conf


def test_low_scores_must_be_nearer_to_each_other() -> None:
    assert [tolerance(conf) for conf in (0.5, 0.25, 0.025)] == pytest.approx([0.02, 0.02, 0.002])


def test_names_of_classes_are_compared_on_one_line() -> None:
    assert agreement(["a.png"], [[found(label="a\nb")]], [[found(label="a b")]], 0.25).compared == 1
