"""Pictures as a network is shown them, and boxes back on them: equal to Ultralytics' own functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.runtimes.letterbox import GREY, Placement, letterbox, placed_back, rounded_up
from yolo_pipeline.tracks.yolo.weights import quiet_ultralytics

quiet_ultralytics()

SIDES = st.integers(1, 400)
BOUNDED = settings(max_examples=80, deadline=None)


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


@BOUNDED
@given(width=SIDES, height=SIDES, imgsz=st.integers(1, 12), rectangle=st.booleans(), seed=st.integers(0, 9))
def test_shown_as_ultralytics_shows_it(width: int, height: int, imgsz: int, rectangle: bool, seed: int) -> None:
    from ultralytics.data.augment import LetterBox

    pixels, size = picture(width, height, seed), (imgsz * 32, imgsz * 32)
    shown, _ = letterbox(pixels, size, 32 if rectangle else None)
    assert np.array_equal(shown, LetterBox(size, auto=rectangle, stride=32)(image=pixels))


@BOUNDED
@given(width=SIDES, height=SIDES, high=st.integers(1, 300), wide=st.integers(1, 300))
def test_a_network_of_any_fixed_size_is_shown_that_size(width: int, height: int, high: int, wide: int) -> None:
    from ultralytics.data.augment import LetterBox

    shown, _ = letterbox(picture(width, height), (high, wide), None)
    assert shown.shape == (high, wide, 3)
    assert np.array_equal(shown, LetterBox((high, wide))(image=picture(width, height)))


@BOUNDED
@given(width=SIDES, height=SIDES, imgsz=st.integers(1, 12), rectangle=st.booleans(), seed=st.integers(0, 99))
def test_boxes_are_placed_back_as_ultralytics_does_it(
    width: int, height: int, imgsz: int, rectangle: bool, seed: int
) -> None:
    import torch
    from ultralytics.utils.ops import scale_boxes

    shown, placement = letterbox(picture(width, height), (imgsz * 32,) * 2, 32 if rectangle else None)
    corners = np.random.default_rng(seed).uniform(-20, imgsz * 32 + 20, size=(9, 4)).astype(np.float32)
    theirs = scale_boxes(shown.shape[:2], torch.from_numpy(corners.copy()), (height, width)).numpy()
    np.testing.assert_allclose(placed_back(corners, placement), theirs, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("width", "height", "shape", "placement"),
    [
        pytest.param(640, 480, (480, 640), Placement(640, 480, 640, 480, 0, 0), id="landscape fits as it is"),
        pytest.param(480, 640, (640, 480), Placement(480, 640, 480, 640, 0, 0), id="portrait fits as it is"),
        pytest.param(1280, 900, (480, 640), Placement(1280, 900, 640, 450, 0, 15), id="grey above and below"),
        pytest.param(1, 1, (640, 640), Placement(1, 1, 640, 640, 0, 0), id="one pixel"),
        pytest.param(3000, 1, (32, 640), Placement(3000, 1, 640, 1, 0, 15), id="a line"),
        pytest.param(1, 3000, (640, 32), Placement(1, 3000, 1, 640, 15, 0), id="an upright line"),
    ],
)
def test_rectangles(width: int, height: int, shape: tuple[int, int], placement: Placement) -> None:
    shown, where = letterbox(picture(width, height), (640, 640), 32)
    assert shown.shape[:2] == shape
    assert where == placement
    assert (shown[: where.top] == GREY).all()
    assert (shown[:, : where.left] == GREY).all()


@pytest.mark.parametrize(("imgsz", "stride", "size"), [(640, 32, 640), (641, 32, 672), (1, 32, 32), (50, 64, 64)])
def test_sizes_are_rounded_up_as_ultralytics_does_it(imgsz: int, stride: int, size: int) -> None:
    from ultralytics.utils.checks import check_imgsz

    assert rounded_up(imgsz, stride) == size == check_imgsz(imgsz, stride)
