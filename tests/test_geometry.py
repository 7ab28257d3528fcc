"""Box arithmetic on literal numbers and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_pipeline.geometry import (
    clip_box,
    follow,
    iou,
    order_corners,
    part_in_picture,
    rotate_box,
    size_after,
    turn_box,
)
from yolo_pipeline.nouns import Blur, Box, Brighten, Crop, Edit, InBox, Pad, Place, Resize, Rotate, Turn

numbers = st.integers(-200, 200).map(lambda halves: halves / 2)
any_box = st.builds(Box, numbers, numbers, numbers, numbers)
ordered = any_box.map(order_corners)
ORIENTATIONS = range(1, 9)
INVERSE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        pytest.param(Box(1, 2, 3, 4), Box(1, 2, 3, 4), id="in order"),
        pytest.param(Box(3, 4, 1, 2), Box(1, 2, 3, 4), id="both swapped"),
        pytest.param(Box(3, 2, 1, 4), Box(1, 2, 3, 4), id="left and right swapped"),
        pytest.param(Box(1, 4, 3, 2), Box(1, 2, 3, 4), id="top and bottom swapped"),
    ],
)
def test_order_corners(box: Box, expected: Box) -> None:
    assert order_corners(box) == expected


@given(any_box)
def test_ordered_corners_are_in_order_and_stay(box: Box) -> None:
    once = order_corners(box)
    assert once.width == abs(box.width)
    assert once.height == abs(box.height)
    assert order_corners(once) == once


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        pytest.param(Box(10, 10, 110, 60), Box(10, 10, 110, 60), id="inside"),
        pytest.param(Box(0, 0, 200, 100), Box(0, 0, 200, 100), id="the whole picture"),
        pytest.param(Box(-5, -7, 10, 20), Box(0, 0, 10, 20), id="over the left top"),
        pytest.param(Box(190, 90, 250, 140), Box(190, 90, 200, 100), id="over the right bottom"),
        pytest.param(Box(-5, -5, 300, 300), Box(0, 0, 200, 100), id="around the picture"),
    ],
)
def test_clip_box(box: Box, expected: Box) -> None:
    assert clip_box(box, 200, 100) == expected


@pytest.mark.parametrize(
    "box", [Box(250, 10, 290, 60), Box(-50, 10, -10, 60), Box(10, 120, 60, 150), Box(10, -50, 60, -10)]
)
def test_a_box_outside_is_clipped_to_nothing(box: Box) -> None:
    clipped = clip_box(box, 200, 100)
    assert clipped.width * clipped.height == 0


@given(ordered)
def test_a_clipped_box_lies_inside_and_stays(box: Box) -> None:
    clipped = clip_box(box, 50, 30)
    assert 0 <= clipped.x0 <= clipped.x1 <= 50
    assert 0 <= clipped.y0 <= clipped.y1 <= 30
    assert clip_box(clipped, 50, 30) == clipped


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        pytest.param(1, Box(10, 20, 40, 60), id="1: as stored"),
        pytest.param(2, Box(160, 20, 190, 60), id="2: mirrored left to right"),
        pytest.param(3, Box(160, 40, 190, 80), id="3: half a turn"),
        pytest.param(4, Box(10, 40, 40, 80), id="4: mirrored top to bottom"),
        pytest.param(5, Box(20, 10, 60, 40), id="5: rows are columns"),
        pytest.param(6, Box(40, 10, 80, 40), id="6: a quarter turn clockwise"),
        pytest.param(7, Box(40, 160, 80, 190), id="7: 5 and half a turn"),
        pytest.param(8, Box(20, 160, 60, 190), id="8: a quarter turn counterclockwise"),
    ],
)
def test_turn_box_on_a_200x100_picture(orientation: int, expected: Box) -> None:
    assert turn_box(Box(10, 20, 40, 60), orientation, 200, 100) == expected


@given(ordered, st.sampled_from(ORIENTATIONS))
def test_turning_there_and_back(box: Box, orientation: int) -> None:
    turned = turn_box(box, orientation, 50, 30)
    sides = (30, 50) if orientation >= 5 else (50, 30)
    assert turn_box(turned, INVERSE[orientation], *sides) == box


@given(ordered, st.sampled_from(ORIENTATIONS))
def test_turning_commutes_with_clipping(box: Box, orientation: int) -> None:
    sides = (30, 50) if orientation >= 5 else (50, 30)
    clipped_first = turn_box(clip_box(box, 50, 30), orientation, 50, 30)
    turned_first = clip_box(turn_box(box, orientation, 50, 30), *sides)
    assert clipped_first.width * clipped_first.height == turned_first.width * turned_first.height
    if clipped_first.width * clipped_first.height > 0:
        assert clipped_first == turned_first


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param(Box(0, 0, 10, 10), Box(0, 0, 10, 10), 1.0, id="equal"),
        pytest.param(Box(0, 0, 10, 10), Box(5, 0, 15, 10), 1 / 3, id="half over"),
        pytest.param(Box(0, 0, 10, 10), Box(5, 5, 15, 15), 25 / 175, id="a quarter over"),
        pytest.param(Box(0, 0, 10, 10), Box(2, 2, 7, 7), 0.25, id="inside"),
        pytest.param(Box(0, 0, 10, 10), Box(10, 0, 20, 10), 0.0, id="touching"),
        pytest.param(Box(0, 0, 10, 10), Box(20, 20, 30, 30), 0.0, id="apart"),
        pytest.param(Box(5, 5, 5, 5), Box(5, 5, 5, 5), 0.0, id="both empty"),
    ],
)
def test_iou(a: Box, b: Box, expected: float) -> None:
    assert iou(a, b) == pytest.approx(expected, abs=1e-12)


@given(ordered, ordered)
def test_iou_is_symmetric_and_a_fraction(a: Box, b: Box) -> None:
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1


@given(ordered, st.sampled_from(ORIENTATIONS), st.data())
def test_iou_does_not_change_with_a_turn(box: Box, orientation: int, data: st.DataObject) -> None:
    other = data.draw(ordered)
    turned = turn_box(box, orientation, 50, 30), turn_box(other, orientation, 50, 30)
    assert iou(*turned) == pytest.approx(iou(box, other))


@pytest.mark.parametrize(
    ("edit", "size", "box"),
    [
        pytest.param(Resize(100, 400), (100, 400), Box(5, 80, 15, 160), id="half as wide, four times as high"),
        pytest.param(Crop(5, 10, 40, 30), (40, 30), Box(5, 10, 25, 30), id="cropped"),
        pytest.param(Crop(20, 30, 40, 30), (40, 30), Box(-10, -10, 10, 10), id="cropped through the box"),
        pytest.param(Pad(7, 9, 300, 300), (300, 300), Box(17, 29, 37, 49), id="padded"),
        pytest.param(Place(7, 9, 300, 300), (300, 300), Box(17, 29, 37, 49), id="placed"),
        pytest.param(Turn(2), (200, 100), Box(170, 20, 190, 40), id="mirrored"),
        pytest.param(Turn(6), (100, 200), Box(60, 10, 80, 30), id="clockwise"),
        pytest.param(Turn(8), (100, 200), Box(20, 170, 40, 190), id="counter-clockwise"),
        pytest.param(Brighten(1.2), (200, 100), Box(10, 20, 30, 40), id="brighter"),
        pytest.param(Blur(2.0), (200, 100), Box(10, 20, 30, 40), id="blurred"),
        pytest.param(InBox(10, 20, 30, 40, (Turn(2),)), (200, 100), Box(10, 20, 30, 40), id="its content mirrored"),
    ],
)
def test_what_becomes_of_a_box_in_a_picture_of_200x100(edit: Edit, size: tuple[int, int], box: Box) -> None:
    assert size_after(edit, 200, 100) == size
    assert follow(Box(10, 20, 30, 40), edit, 200, 100) == box


def test_rotation_is_counter_clockwise_about_the_centre() -> None:
    turned = follow(Box(150, 40, 170, 50), Rotate(90), 200, 100)  # right of the centre (100, 50), so that it goes up
    assert (turned.x0, turned.y0, turned.x1, turned.y1) == pytest.approx((90, -20, 100, 0))


@given(ordered, st.floats(-180, 180))
def test_a_rotated_box_holds_the_rotated_centre_and_does_not_shrink(box: Box, degrees: float) -> None:
    turned = rotate_box(box, degrees, 10, 20)
    back = rotate_box(turned, -degrees, 10, 20)
    assert back.x0 <= box.x0 + 1e-6
    assert back.y1 >= box.y1 - 1e-6
    assert turned.width * turned.height >= box.width * box.height - 1e-6
    centre = ((back.x0 + back.x1) / 2, (back.y0 + back.y1) / 2)
    assert centre == pytest.approx(((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2), abs=1e-6)


@pytest.mark.parametrize(
    ("box", "degrees", "expected", "share"),
    [
        pytest.param(Box(40, 40, 60, 60), 90, Box(40, 40, 60, 60), 1.0, id="about its own centre"),
        pytest.param(Box(0, 0, 100, 100), 45, Box(0, 0, 100, 100), 0.8284, id="the whole picture: its corners are lost"),
        pytest.param(Box(0, 40, 10, 60), 45, Box(7.5736, 71.2132, 28.7868, 92.4264), 1.0, id="it comes in whole"),
        pytest.param(Box(0, 0, 20, 20), 45, Box(0, 42.4264, 7.5736, 57.5736), 0.1434, id="a corner that turns out: less than the box around it"),
    ],
)  # fmt: skip
def test_what_is_left_of_a_rotated_object(box: Box, degrees: float, expected: Box, share: float) -> None:
    left, part = part_in_picture(box, Rotate(degrees), 100, 100)
    assert (left.x0, left.y0, left.x1, left.y1) == pytest.approx(
        (expected.x0, expected.y0, expected.x1, expected.y1), abs=1e-3
    )
    assert part == pytest.approx(share, abs=1e-3)
