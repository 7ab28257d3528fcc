"""Features of frozen blocks: training on kept ones is the plain loop; what they follow from; what is taken from the cache."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_classifier import Said, alone, attempt_of, built, measured, small_project, trained

from yolo_pipeline.errors import WeightsError
from yolo_pipeline.tracks.classify.augment import Augmentation
from yolo_pipeline.tracks.classify.features import Below, fingerprint, sources_of
from yolo_pipeline.tracks.classify.models import Normalisation, build, normalisation
from yolo_pipeline.tracks.classify.pictures import Pictures, pictures_of, readers

__all__ = ["alone"]  # a fixture

DRAWS = {"rotation_deg": 10, "zoom": 0.1, "draws": 2}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def features(alone: Path) -> Path:
    """The folder that they are kept in."""
    return alone / "yolo_pipeline" / "features"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_project(tmp_path / "project")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"freeze": "all"}, id="the head alone"),
        pytest.param({"freeze": {"all_but_blocks": 2}}, id="two blocks"),
        pytest.param({"freeze": {"all_but_layers": 7}}, id="part of a block"),
        pytest.param({"freeze": {"all_but_blocks": 2}, "model": "mobilenet_v3_small"}, id="another network"),
    ],
)
def test_training_on_kept_features_is_the_plain_loop(
    root: Path, features: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    attempt = attempt_of(root, epochs=5, augment=DRAWS, **settings)
    kept = trained(attempt, "kept")
    assert len(list(features.iterdir())) == 3  # two draws of train, and val
    monkeypatch.setattr("yolo_pipeline.tracks.classify.kept.MOST_BYTES", 0)
    said = Said()
    plain = trained(attempt, "plain", progress=said)
    assert plain.used["features"] is None
    assert any(
        line.startswith("the features are computed anew in every epoch: those of 38 pictures") for line in said.lines
    )
    for column, values in measured(attempt, "plain").items():
        assert measured(attempt, "kept")[column] == pytest.approx(values, abs=1e-4), column
    assert kept.used["parameters_trained"] == plain.used["parameters_trained"]


def test_features_on_the_disk_are_those_in_memory(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    attempt = attempt_of(root, freeze={"all_but_blocks": 1}, augment=DRAWS)
    trained(attempt, "memory")
    monkeypatch.setattr("yolo_pipeline.tracks.classify.features._IN_MEMORY", 0)
    trained(attempt, "found on the disk")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    trained(attempt, "disk")
    assert measured(attempt, "disk") == measured(attempt, "memory") == measured(attempt, "found on the disk")


def test_all_blocks_trained_keeps_nothing(root: Path, features: Path) -> None:
    assert trained(attempt_of(root, freeze="none", epochs=1)).used["features"] is None
    assert not features.exists()


def test_another_head_takes_them_from_the_cache(root: Path) -> None:
    first = trained(attempt_of(root, augment=DRAWS, epochs=6))
    assert (first.used["features"]["computed"], first.used["features"]["from_cache"]) == (38, 0)
    said = Said()
    second = trained(attempt_of(root, augment=DRAWS, epochs=4, lr0=0.01, batch=3), "second", progress=said)
    assert second.used["features"] == {"pictures": 16, "draws": 2, "computed": 0, "from_cache": 38, "seconds": 0.0}
    assert "features of 16 pictures and 2 draws taken from the cache" in said.lines


def test_more_draws_need_only_those_that_are_not_there(root: Path) -> None:
    trained(attempt_of(root, augment=DRAWS, epochs=6))
    more = trained(attempt_of(root, augment={**DRAWS, "draws": 5}, epochs=4), "more")
    assert more.used["features"] | {"seconds": 0} == {
        "pictures": 16, "draws": 4, "computed": 32, "from_cache": 38, "seconds": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda file: file.write_bytes(b""), id="empty"),
        pytest.param(lambda file: file.write_bytes(b"no features"), id="a text"),
        pytest.param(lambda file: file.write_bytes(file.read_bytes()[:-1]), id="a byte is missing"),
        pytest.param(lambda file: file.write_bytes(file.read_bytes() + b"\0"), id="a byte too many"),
        pytest.param(lambda file: np.save(file, np.zeros((16, 512), dtype=np.float64)), id="another type"),
        pytest.param(lambda file: np.save(file, np.zeros((512, 16), dtype=np.float32)), id="another shape"),
        pytest.param(lambda file: np.save(file, np.array([{}]), allow_pickle=True), id="Python objects"),
        pytest.param(lambda file: (file.unlink(), file.mkdir()), id="a folder"),
    ],
)
def test_a_damaged_file_is_made_anew(root: Path, features: Path, damage: Any) -> None:
    attempt = attempt_of(root)
    trained(attempt, "first")
    file = max(features.iterdir(), key=lambda file: file.stat().st_size)
    before = file.read_bytes()
    damage(file)
    again = trained(attempt, "again")
    assert again.used["features"]["computed"] == 16
    assert measured(attempt, "again") == measured(attempt, "first")
    if file.is_file():
        assert file.read_bytes() == before
    assert not list(features.glob("*.part"))


def test_a_file_is_what_numpy_reads(root: Path, features: Path) -> None:
    trained(attempt_of(root))
    shapes = sorted(np.load(file).shape for file in features.iterdir())
    assert shapes == [(6, 512), (16, 512)]


def test_a_cache_that_cannot_be_written_costs_no_training(root: Path, features: Path) -> None:
    features.parent.mkdir(parents=True)
    features.write_text("a file in the way")
    said = Said()
    done = trained(attempt_of(root), progress=said)
    assert done.used["features"]["computed"] == 22
    assert sum(line.startswith("the features are not kept for later: ") for line in said.lines) == 1


def test_large_features_that_cannot_be_written_are_computed_anew(
    root: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolo_pipeline.tracks.classify.features._IN_MEMORY", 0)
    features.parent.mkdir(parents=True)
    features.write_text("a file in the way")
    said = Said()
    assert trained(attempt_of(root), progress=said).used["features"] is None
    assert any(
        line.startswith("the features are computed anew in every epoch: they cannot be kept") for line in said.lines
    )


def test_what_nobody_asked_for_in_a_month_is_forgotten(root: Path, features: Path) -> None:
    trained(attempt_of(root))
    old, *others = sorted(features.iterdir())
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    trained(attempt_of(root, imgsz=40), "other")
    assert not old.exists()
    assert all(file.exists() for file in others)


def test_weights_that_give_no_numbers(root: Path) -> None:
    classifier = build("resnet18", (), 2, 0)
    with torch.no_grad():
        classifier.blocks[3].conv1.weight[0] = float("nan")
    dataset = built(attempt_of(root))
    with readers(0) as pool:
        pictures = pictures_of(dataset, "train", 32, None, pool)
        network = Below(classifier, len(classifier.blocks), normalisation("resnet18"), CPU)
        with pytest.raises(WeightsError, match="something else than numbers"):
            sources_of([pictures], network, 1, Said())


AUGMENTATION = Augmentation(rotation_deg=10, draws=3)


def mark(files: list[Path], **changed: Any) -> str:
    """The fingerprint of a draw, of which one thing is changed."""
    what: dict[str, Any] = {
        "seed": 0, "model": "resnet18", "block": 9, "imgsz": 32, "augmentation": AUGMENTATION, "draw": 0, "touch": None,
        "normalisation": normalisation("resnet18"), "device": CPU, **changed,
    }  # fmt: skip
    classifier = build(what["model"], (), 2, what["seed"])
    if what["touch"]:
        classifier.state_dict()[what["touch"]].view(-1)[0] += 1
    network = Below(classifier, what["block"], what["normalisation"], what["device"])
    with readers(0) as pool:
        pictures = Pictures(files, [0] * len(files), what["imgsz"], what["augmentation"], pool)
    return fingerprint(network.sha256(), pictures, what["draw"])


def test_the_fingerprint_follows_all_that_features_do(root: Path) -> None:
    files = sorted((root / "raw" / "train").rglob("*.png"))
    marks = {
        "as it is": mark(files),
        "a weight": mark(files, touch="blocks.2.conv1.weight"),
        "a statistic of batch normalisation": mark(files, touch="blocks.8.0.bn2.running_mean"),
        "random weights": mark(files, seed=1),
        "block": mark(files, block=8),
        "model": mark(files, model="resnet34"),
        "imgsz": mark(files, imgsz=40),
        "no augmentation": mark(files, augmentation=None),
        "rotation": mark(files, augmentation=Augmentation(rotation_deg=11)),
        "seed of draws": mark(files, augmentation=Augmentation(rotation_deg=10, seed=1)),
        "flips": mark(files, augmentation=Augmentation(rotation_deg=10, flips=("vertical",))),
        "draw": mark(files, draw=1),
        "pictures": mark(files[:-1]),
        "order of pictures": mark(files[::-1]),
        "normalisation": mark(files, normalisation=Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))),
        "device": mark(files, device=torch.device("mps")),
    }
    assert len(set(marks.values())) == len(marks)


def test_the_fingerprint_follows_nothing_else(root: Path) -> None:
    files = sorted((root / "raw" / "train").rglob("*.png"))
    before = mark(files)
    assert mark(files, touch="head.0.weight") == before
    assert mark(files, augmentation=Augmentation(rotation_deg=10, draws=7)) == before
    renamed = [file.rename(file.with_name(f"other {file.name}")) for file in files]
    assert mark(renamed) == before
    assert mark(files=renamed, block=8, touch="blocks.8.0.conv1.weight") == mark(files=renamed, block=8)
