"""Draws of a training picture: what they follow from, and that their ranges are those of the settings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.tracks.classify.augment import Augmentation, augmentation_of, drawn

SIDE = 65
CENTRE = 32
ALL = Augmentation(rotation_deg=20, zoom=0.3, shift=0.1, brightness=0.4, flips=("horizontal", "vertical"))


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(SIDE, SIDE, 3), dtype=np.uint8)


def dot(right: int = 0, down: int = 0) -> np.ndarray:
    """A soft dot so many pixels from the centre of a black picture."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    distance = (rows - CENTRE - down) ** 2 + (columns - CENTRE - right) ** 2
    return np.repeat((255 * np.exp(-distance / 8))[..., None], 3, axis=2).astype(np.uint8)


def place(picture: np.ndarray) -> tuple[float, float]:
    """(right, down) of a dot, from the centre."""
    weights = picture[..., 0].astype(float)
    rows, columns = np.mgrid[:SIDE, :SIDE] - CENTRE
    return float((weights * columns).sum() / weights.sum()), float((weights * rows).sum() / weights.sum())


def places(start: tuple[int, int], augmentation: Augmentation, draws: int = 200) -> np.ndarray:
    return np.array([place(drawn(dot(*start), "a", draw, augmentation)) for draw in range(draws)])


def test_a_draw_is_the_same_bytes_whatever_was_drawn_before() -> None:
    first = [drawn(noise(), "a", draw, ALL) for draw in range(5)]
    again = [drawn(noise(), "a", draw, ALL) for draw in reversed(range(5))]
    assert [one.tobytes() for one in first] == [one.tobytes() for one in reversed(again)]
    assert len({one.tobytes() for one in first}) == 5


@pytest.mark.parametrize(
    ("sha256", "draw", "seed"),
    [
        pytest.param("b", 0, 0, id="another picture"),
        pytest.param("a", 1, 0, id="another draw"),
        pytest.param("a", 0, 1, id="another seed"),
    ],
)
def test_draws_differ(sha256: str, draw: int, seed: int) -> None:
    other = Augmentation(rotation_deg=20, zoom=0.3, shift=0.1, seed=seed)
    assert not np.array_equal(
        drawn(noise(), sha256, draw, other), drawn(noise(), "a", 0, Augmentation(rotation_deg=20, zoom=0.3, shift=0.1))
    )


def test_the_number_of_draws_and_a_setting_that_is_added_change_no_others() -> None:
    rotated = Augmentation(rotation_deg=20)
    assert np.array_equal(
        drawn(noise(), "a", 3, rotated), drawn(noise(), "a", 3, Augmentation(rotation_deg=20, draws=9))
    )
    angles = [math.atan2(*places((20, 0), rotated, 8).T[::-1, n]) for n in range(8)]
    lighter = places((20, 0), Augmentation(rotation_deg=20, brightness=0.3), 8)
    assert [math.atan2(down, right) for right, down in lighter] == pytest.approx(angles, abs=0.01)


def test_nothing_asked_for_is_the_picture_itself() -> None:
    assert np.array_equal(drawn(noise(), "a", 0, Augmentation()), noise())


def test_rotation_goes_both_ways_up_to_its_degrees() -> None:
    degrees = np.degrees([math.atan2(down, right) for right, down in places((20, 0), Augmentation(rotation_deg=30))])
    assert -30.5 < degrees.min() < -27
    assert 27 < degrees.max() < 30.5


def test_shift_is_a_share_of_the_side_both_ways() -> None:
    moved = places((0, 0), Augmentation(shift=0.2))
    most = 0.2 * SIDE
    assert (np.abs(moved) < most + 0.5).all()
    assert (moved.max(axis=0) > 0.85 * most).all()
    assert (moved.min(axis=0) < -0.85 * most).all()


def test_zoom_shows_more_or_less_of_width_and_height_each_by_itself() -> None:
    zoomed = places((15, 15), Augmentation(zoom=0.25)) / 15
    assert (zoomed > 1 / 1.27).all()
    assert (zoomed < 1 / 0.73).all()
    assert zoomed.min() < 0.83
    assert zoomed.max() > 1.27
    assert np.abs(zoomed[:, 0] - zoomed[:, 1]).max() > 0.3


@pytest.mark.parametrize(
    ("flips", "ways"),
    [
        pytest.param(("horizontal",), {"as it is", "left to right"}, id="horizontal"),
        pytest.param(("vertical",), {"as it is", "upside down"}, id="vertical"),
        pytest.param(
            ("horizontal", "vertical"), {"as it is", "left to right", "upside down", "turned"}, id="both, each or none"
        ),
    ],
)
def test_flips_are_exact(flips: tuple[str, ...], ways: set[str]) -> None:
    picture = noise()
    known = {
        picture.tobytes(): "as it is",
        picture[:, ::-1].tobytes(): "left to right",
        picture[::-1].tobytes(): "upside down",
        picture[::-1, ::-1].tobytes(): "turned",
    }
    found = [known[drawn(picture, "a", draw, Augmentation(flips=flips)).tobytes()] for draw in range(100)]
    assert set(found) == ways
    assert min(found.count(way) for way in ways) > 100 / len(ways) / 2


def test_brightness_multiplies_and_is_cut_off_at_white() -> None:
    grey, white = np.full((8, 8, 3), 100, dtype=np.uint8), np.full((8, 8, 3), 250, dtype=np.uint8)
    light = Augmentation(brightness=0.5)
    values = [int(drawn(grey, "a", draw, light)[0, 0, 0]) for draw in range(200)]
    assert 50 <= min(values) < 55
    assert 145 < max(values) <= 150
    assert max(int(drawn(white, "a", draw, light)[0, 0, 0]) for draw in range(200)) == 255


def test_what_comes_in_is_the_nearest_pixel() -> None:
    picture = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    picture[:, -1] = 200
    moved = [drawn(picture, "a", draw, Augmentation(shift=0.3)) for draw in range(50)]
    assert any((one[:, -15:] == 200).all() for one in moved)
    assert any((one == 0).all() for one in moved)


@given(
    st.integers(1, 40),
    st.builds(
        Augmentation,
        rotation_deg=st.floats(0, 180),
        zoom=st.floats(0, 0.9),
        shift=st.floats(0, 0.9),
        brightness=st.floats(0, 0.9),
        flips=st.sampled_from([(), ("horizontal",), ("vertical", "horizontal")]),
        seed=st.integers(0, 10**7),
    ),
    st.integers(0, 999),
)
@settings(max_examples=40, deadline=None)
def test_a_draw_is_a_picture_of_the_same_size(side: int, augmentation: Augmentation, draw: int) -> None:
    square = np.random.default_rng(side).integers(0, 256, size=(side, side, 3), dtype=np.uint8)
    before = square.copy()
    found = drawn(square, "a", draw, augmentation)
    assert (found.shape, found.dtype) == ((side, side, 3), np.uint8)
    assert np.array_equal(square, before)


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        pytest.param({"seed": 3}, None, id="nothing said"),
        pytest.param(
            {
                "seed": 3,
                "augment": {
                    "rotation_deg": 15, "zoom": 0.1, "shift": 0.2, "brightness": 0.0, "flip": ["vertical"], "draws": 7
                },
            },
            Augmentation(15.0, 0.1, 0.2, 0.0, ("vertical",), 7, 3),
            id="as settings have it",
        ),
    ],
)  # fmt: skip
def test_settings(train: dict[str, Any], expected: Augmentation | None) -> None:
    assert augmentation_of(train) == expected
