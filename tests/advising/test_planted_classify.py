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


def test_dropout_is_advised_first_and_lowers_the_loss_on_val(overfitted: Path) -> None:
    first = results_of(overfitted, 1)
    assert first.advice[0].rule == "dropout"
    assert first.advice[0].changes == (
        ("head", [{"units": 512, "dropout": 0.3}, {"units": 256, "dropout": 0.3}]),
        ("train.early_stopping.patience", 30),
        ("train.early_stopping.restore_best", True),
    )
    assert "overfitting" not in [advice.rule for advice in first.advice]
    assert first.advice[0].figures["train"] == 1.0
    assert suggest(overfitted, 1).file == overfitted / "attempts/2.yaml"
    train(overfitted, 2)
    second = results_of(overfitted, 2)
    assert (second.classified["val"].scores.loss or 9) < 0.95 * (first.classified["val"].scores.loss or 0)
    without, with_dropout = (found.curves.columns["val/loss"] for found in (first, second))
    assert with_dropout[-1] < 0.95 * without[len(with_dropout) - 1]  # after as many epochs: not by early stopping alone
