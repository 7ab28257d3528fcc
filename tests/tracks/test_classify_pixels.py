"""Pictures as a classifier is shown them: stretched to a square, red first, normalised; on literal values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from yolo_pipeline.tracks.classify.models import Normalisation, normalisation
from yolo_pipeline.tracks.classify.pixels import stretched, to_tensor

PLAIN = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def grey(rows: list[list[int]]) -> np.ndarray:
    return np.repeat(np.array(rows, dtype=np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("rows", "imgsz", "wanted"),
    [
        pytest.param([[1, 2], [3, 4]], 2, [[1, 2], [3, 4]], id="the size it has: untouched"),
        pytest.param([[0, 0, 100, 100], [0, 40, 100, 100], [8, 8, 0, 0], [8, 8, 0, 0]], 2, [[10, 100], [8, 0]], id="smaller: means of areas"),
        pytest.param([[0, 255, 0, 255, 0, 255, 0, 255]] * 8, 4, [[128] * 4] * 4, id="fine lines become grey: nothing is skipped"),
        pytest.param([[0, 100], [0, 100]], 4, [[0, 25, 75, 100]] * 4, id="larger: linear between centres"),
        pytest.param([[0, 0, 100, 100]], 2, [[0, 100], [0, 100]], id="wide and low: averaged across, drawn out down"),
        pytest.param([[0], [0], [100], [100]], 2, [[0, 0], [100, 100]], id="narrow and high"),
        pytest.param([[7]], 3, [[7] * 3] * 3, id="one pixel"),
        pytest.param([[9, 9, 99]], 1, [[39]], id="three pixels as one"),
    ],
)  # fmt: skip
def test_a_side_too_long_is_averaged_and_one_too_short_interpolated(
    rows: list[list[int]], imgsz: int, wanted: list[list[int]]
) -> None:
    picture = grey(rows)
    kept = picture.copy()
    assert stretched(picture, imgsz)[..., 0].tolist() == wanted
    assert np.array_equal(picture, kept)


def test_blue_comes_first_and_goes_last() -> None:
    blue = np.zeros((2, 2, 3), dtype=np.uint8)
    blue[..., 0] = 255
    assert to_tensor([blue], 2, PLAIN)[0, :, 0, 0].tolist() == [0.0, 0.0, 1.0]


def test_normalised_values() -> None:
    picture = np.full((3, 5, 3), (0, 51, 255), dtype=np.uint8)
    tensor = to_tensor([picture], 4, normalisation("resnet50"))
    assert (tensor.dtype, tuple(tensor.shape)) == (torch.float32, (1, 3, 4, 4))
    assert tensor.is_contiguous()
    red, green, blue = ((1 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0 - 0.406) / 0.225)
    assert tensor[0, :, 2, 1].tolist() == pytest.approx([red, green, blue], abs=1e-6)
    halves = to_tensor([picture], 4, normalisation("inception_v3"))
    assert halves[0, :, 0, 0].tolist() == pytest.approx([1.0, -0.6, -1.0], abs=1e-6)


def test_pictures_of_any_shapes_go_together_as_they_go_alone() -> None:
    rng = np.random.default_rng(0)
    pictures = [
        rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in ((28, 28), (7, 90), (64, 3))
    ]
    together = to_tensor(pictures, 32, normalisation("resnet50"))
    assert tuple(together.shape) == (3, 3, 32, 32)
    for picture, of_it in zip(pictures, together, strict=True):
        assert torch.equal(to_tensor([picture], 32, normalisation("resnet50"))[0], of_it)


def test_no_pictures() -> None:
    assert tuple(to_tensor([], 8, PLAIN).shape) == (0, 3, 8, 8)
