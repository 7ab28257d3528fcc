"""Pictures stretched as TensorFlow 1 stretched them: a pixel's place is its upper left corner."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.runtimes.stretching import stretched


def row(*values: int) -> np.ndarray:
    """A picture of one row of grey."""
    return np.repeat(np.array(values, dtype=np.uint8)[None, :, None], 3, axis=2)


@pytest.mark.parametrize(
    ("values", "width", "expected"),
    [
        pytest.param((0, 100), 4, (0, 50, 100, 100), id="larger: the last pixel has no neighbour"),
        pytest.param((0, 10, 20, 30), 2, (0, 20), id="half: every other pixel, none of them mixed"),
        pytest.param((0, 30, 60), 2, (0, 45), id="between two"),
        pytest.param((7,), 3, (7, 7, 7), id="one pixel"),
        pytest.param((1, 2, 250), 3, (1, 2, 250), id="as it is"),
    ],
)
def test_a_row(values: tuple[int, ...], width: int, expected: tuple[float, ...]) -> None:
    found = stretched(row(*values), (1, width))
    assert found.dtype == np.float32
    assert found[0, :, 0].tolist() == list(expected)
    assert stretched(row(*values).transpose(1, 0, 2), (width, 1))[:, 0, 2].tolist() == list(expected)


def test_values_of_tensorflow() -> None:
    """tf.compat.v1.image.resize_images (2.21.0) of this picture to 3 x 2, bilinear."""
    picture = np.arange(2 * 5 * 3, dtype=np.uint8).reshape(2, 5, 3) ** 2
    expected = [
        [[0, 1, 4], [58.5, 74.5, 92.5]],
        [[150, 0.3333333, 23.3333340], [102.5, 138.5, 91.1666641]],
        [[225, 0, 33], [124.5, 170.5, 90.5]],
    ]
    assert stretched(picture, (3, 2)) == pytest.approx(np.array(expected), abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(0, 255))
def test_one_colour_stays_that_colour(height: int, width: int, down: int, across: int, value: int) -> None:
    found = stretched(np.full((height, width, 3), value, dtype=np.uint8), (down, across))
    assert found.shape == (down, across, 3)
    assert (found == value).all()
