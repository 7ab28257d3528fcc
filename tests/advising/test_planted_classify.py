"""A training that overfits, as the seed of the track classify did: the advice is its own answer, and it helps."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import write_yaml
from sklearn.datasets import load_digits

from yolo_pipeline.recipes.diagnose import results_of
from yolo_pipeline.recipes.suggest import suggest
from yolo_pipeline.recipes.train import train
from yolo_pipeline.results import Results

ATTEMPT = {
    "track": "classify",
    "model": "resnet18",
    "pretrained": False,
    "head": [{"units": 512}, {"units": 256}],
    "data": {"sources": [{"path": "digits", "format": "folders"}]},
    "train": {"imgsz": 32, "epochs": 100, "early_stopping": {"patience": 0, "restore_best": False}, "device": "cpu"},
}


@pytest.fixture
def overfitted(tmp_path: Path) -> Path:
    """60 digits of many hands, two large dense layers without dropout, and nothing that ends training."""
    digits = load_digits()
    drawn = np.random.default_rng(0).permutation(len(digits.target))
    for digit in range(10):
        pictures = digits.images[[at for at in drawn if digits.target[at] == digit][:16]]
        for number, picture in enumerate((pictures * 15.9).astype(np.uint8)):
            folder = tmp_path / "digits" / ("train" if number < 6 else "val") / str(digit)
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"{digit}-{number}.png"), np.kron(picture, np.ones((4, 4), dtype=np.uint8)))
    write_yaml(tmp_path / "attempts/1.yaml", ATTEMPT)
    train(tmp_path, 1)
    return tmp_path


def loss_on_val(found: Results) -> tuple[float | None, float]:
    """By the judge, of the weights that were kept; and the lowest one of all epochs."""
    return found.classified["val"].scores.loss, min(found.curves.columns["val/loss"])


def test_dropout_is_advised_first_and_lowers_the_loss_on_val(overfitted: Path) -> None:
    first = results_of(overfitted, 1)
    assert [advice.rule for advice in first.advice][:2] == ["dropout", "overfitting"]
    assert first.advice[0].changes == (("head", [{"units": 512, "dropout": 0.3}, {"units": 256, "dropout": 0.3}]),)
    assert first.advice[0].figures["train"] == 1.0
    assert suggest(overfitted, 1).file == overfitted / "attempts/2.yaml"
    train(overfitted, 2)
    (kept, lowest), (kept_after, lowest_after) = loss_on_val(first), loss_on_val(results_of(overfitted, 2))
    assert kept is not None
    assert kept_after is not None
    assert kept_after < 0.95 * kept
    assert lowest_after < lowest
