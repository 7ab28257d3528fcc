"""Which of a network's candidates are detections: those that Ultralytics' functions choose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yolo_pipeline.runtimes.suppression import Found, chosen, suppressed
from yolo_pipeline.tracks.yolo.weights import quiet_ultralytics

quiet_ultralytics()

COUNTS = st.integers(0, 400).filter(lambda count: count != 6)  # what is 6 wide Ultralytics takes for detections


def output(seed: int, count: int, classes: int, crowd: int) -> np.ndarray:
    """Candidates that crowd around some places, as a network's do: (4 + classes, count)."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 640, size=(crowd, 2))[rng.integers(0, crowd, size=count)]
    boxes = np.concatenate([places + rng.normal(0, 6, size=(count, 2)), rng.uniform(5, 90, size=(count, 2))], axis=1)
    return np.concatenate([boxes.T, rng.beta(0.5, 2, size=(classes, count))]).astype(np.float32)


def rows(found: Found) -> np.ndarray:
    return np.concatenate([found.corners, found.scores[:, None], found.labels[:, None]], axis=1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16), count=COUNTS, classes=st.sampled_from([1, 3, 80]),
    crowd=st.integers(1, 20), conf=st.sampled_from([0.001, 0.25, 0.9]), iou=st.sampled_from([0.0, 0.45, 0.7, 1.0]),
    most=st.sampled_from([1, 5, 300]),
)  # fmt: skip
@example(seed=1, count=3000, classes=3, crowd=2, conf=0.001, iou=0.3, most=300)  # a few survive of many
@example(seed=1, count=3000, classes=3, crowd=500, conf=0.001, iou=0.7, most=5)  # many survive of more
def test_suppression_is_that_of_ultralytics(
    seed: int, count: int, classes: int, crowd: int, conf: float, iou: float, most: int
) -> None:
    import torch
    from ultralytics.utils.nms import non_max_suppression

    candidates = output(seed, count, classes, crowd)
    given_to_both = torch.from_numpy(candidates.copy())[None]
    theirs = non_max_suppression(given_to_both, conf, iou, max_det=most, nc=classes)[0].numpy()
    ours = rows(suppressed(candidates, conf, iou, most))
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_its_own_and_torchvisions_suppression_say_the_same() -> None:
    """Ultralytics takes torchvision's where that is imported, and TorchNMS where it is not."""
    import torch
    from ultralytics.utils.nms import TorchNMS

    candidates = output(5, 500, 1, 12)
    found = suppressed(candidates, 0.1, 0.5, 1000)
    x, y, w, h, scores = candidates[:, candidates[4] > 0.1]
    boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)
    places = TorchNMS.nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.5).numpy()
    assert 10 < len(places) < len(scores)
    np.testing.assert_array_equal(found.scores, scores[places])
    np.testing.assert_allclose(found.corners, boxes[places], atol=1e-4)


def test_boxes_of_two_classes_do_not_suppress_each_other() -> None:
    box = [50, 50, 20, 20]
    candidates = np.array([[*box, 0.9, 0.1], [*box, 0.2, 0.8], [*box, 0.7, 0.1]], dtype=np.float32).T
    found = suppressed(candidates, 0.25, 0.7, 300)
    assert found.labels.tolist() == [0, 1]
    assert found.scores.tolist() == pytest.approx([0.9, 0.8])
    assert found.corners.tolist() == [[40, 40, 60, 60]] * 2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**16), conf=st.sampled_from([0.001, 0.5]), most=st.sampled_from([1, 300]))
def test_networks_that_suppress_by_themselves(seed: int, conf: float, most: int) -> None:
    import torch
    from ultralytics.utils.nms import non_max_suppression

    rng = np.random.default_rng(seed)
    said = rng.uniform(0, 1, size=(20, 6)).astype(np.float32)
    said[:, 5] = rng.integers(0, 3, size=20)
    said = said[np.argsort(-said[:, 4])]
    theirs = non_max_suppression(torch.from_numpy(said.copy())[None], conf, max_det=most, end2end=True)[0].numpy()
    np.testing.assert_array_equal(rows(chosen(said, conf, most)), theirs)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "row", [pytest.param(0, id="centre"), pytest.param(3, id="height"), pytest.param(4, id="score")]
)
def test_what_is_no_number_is_left_out(broken: float, row: int) -> None:
    candidates = np.array([[50, 50, 20, 20, 0.9], [90, 90, 20, 20, 0.8]], dtype=np.float32).T
    candidates[row, 0] = broken
    assert suppressed(candidates, 0.25, 0.7, 300).scores.tolist() == pytest.approx([0.8])
