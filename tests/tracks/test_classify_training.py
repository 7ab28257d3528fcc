"""The track classify trains: figures, what is kept, going on after an interruption, and settings that cannot be."""

from __future__ import annotations

import math
import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import write_yaml
from small_classifier import Said, alone, attempt_of, built, curves, measured, run_of, small_project, trained

from yolo_pipeline import decoding, images
from yolo_pipeline.asking import Asking
from yolo_pipeline.attempt import load
from yolo_pipeline.errors import AttemptError, DataError, FinishedError, InputError, WeightsError
from yolo_pipeline.progress import silent
from yolo_pipeline.tracks.classify import checkpoint
from yolo_pipeline.tracks.classify.track import track

__all__ = ["alone"]  # a fixture

DRAWS = {"rotation_deg": 10, "shift": 0.1, "draws": 2}
PARTLY = {"all_but_layers": 7}


@pytest.fixture
def root(tmp_path: Path, alone: Path) -> Path:
    return small_project(tmp_path / "project")


def val_loss(weights: Path, root: Path, number: int = 1) -> float:
    """Mean cross entropy of what a predictor says of the val pictures."""
    dataset = built(load(root, number))
    predictor = track.open(weights, track.asking({"train": {"imgsz": 32, "device": "cpu"}}))
    records = dataset.dataset.of("val")
    found = predictor([decoding.decode(dataset.picture(record.name)) for record in records])
    of_label = [
        {detection.label: detection.score for detection in said}[record.truths[0].label]
        for record, said in zip(records, found, strict=True)
    ]
    return float(-np.log(of_label).mean())


def test_what_a_training_leaves(root: Path) -> None:
    attempt = attempt_of(root, epochs=4, augment=DRAWS)
    done = trained(attempt)
    columns = curves(attempt).columns
    assert list(columns) == ["step", "epoch", "seconds", "train/loss", "train/accuracy", "val/loss", "val/accuracy"]
    assert columns["epoch"] == (1, 2, 3, 4)
    assert columns["step"] == (2, 4, 6, 8)  # 16 pictures in batches of 8
    assert list(columns["seconds"]) == sorted(columns["seconds"])
    assert done.weights == run_of(attempt).training / "weights" / "best.safetensors"
    assert done.start == {"file": None}
    assert done.parameters == 11_176_512 + (512 * 16 + 16) + (16 * 2 + 2)  # torchvision's resnet18 and the head
    best = int(np.argmin(columns["val/loss"]))
    assert done.used["best_epoch"] == best + 1
    assert done.own_metrics["classify/val_loss"] == pytest.approx(columns["val/loss"][best])
    assert done.own_metrics["classify/val_accuracy"] == pytest.approx(columns["val/accuracy"][best])
    assert done.used | {"features": None} == {
        "device": "cpu", "imgsz": 32, "batch": 8, "optimizer": "Adam", "lr0": 0.001, "epochs": 4,
        "best_epoch": best + 1, "blocks_trained": "the head alone", "parameters_trained": 8242, "features": None,
        "standardised": True,
    }  # fmt: skip
    assert done.used["features"] | {"seconds": 0} == {
        "pictures": 16, "draws": 2, "computed": 38, "from_cache": 0, "seconds": 0
    }  # fmt: skip
    assert val_loss(done.weights, root) == pytest.approx(columns["val/loss"][best], abs=1e-5)


def test_features_of_random_layers_are_standardised_and_the_model_is_asked_as_any_other(root: Path) -> None:
    """Those of mobilenet_v3_small are of the size of 1e-9 while its layers are random: nothing else could be learnt."""
    attempt = attempt_of(root, model="mobilenet_v3_small", epochs=30, early_stopping={"patience": 0})
    said = Said()
    done = trained(attempt, progress=said)
    columns = curves(attempt).columns
    assert "the frozen layers are random: what they give is standardised over the training pictures" in said.lines
    assert columns["train/loss"][-1] < 0.4 < 0.6 < columns["train/loss"][0]
    assert val_loss(done.weights, root) == pytest.approx(min(columns["val/loss"]), abs=1e-3)


def test_two_trainings_are_equal_to_the_byte(root: Path) -> None:
    attempt = attempt_of(root, freeze=PARTLY, augment=DRAWS)
    first, second = trained(attempt, "a"), trained(attempt, "b")
    assert measured(attempt, "a") == measured(attempt, "b")
    assert images.sha256(first.weights) == images.sha256(second.weights)


def test_random_numbers_and_threads_of_others_stay_as_they_were(root: Path) -> None:
    torch.manual_seed(7)
    threads, drawn = torch.get_num_threads(), torch.initial_seed()
    trained(attempt_of(root, epochs=1))
    assert (torch.get_num_threads(), torch.initial_seed()) == (threads, drawn)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"freeze": "all", "augment": DRAWS, "epochs": 6}, id="the head alone"),
        pytest.param({"freeze": PARTLY, "optimizer": "SGD", "cos_lr": True}, id="part of the backbone"),
        pytest.param(
            {"freeze": "none", "model": "mobilenet_v3_small", "optimizer": "RMSprop", "augment": DRAWS}, id="all of it"
        ),
    ],
)
@pytest.mark.parametrize("seconds_between", [0.0, 1e9], ids=["a checkpoint an epoch", "only the first epoch's"])
def test_an_interrupted_training_ends_as_if_it_had_not_been(
    root: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], seconds_between: float
) -> None:
    monkeypatch.setattr(checkpoint, "_SECONDS_BETWEEN", seconds_between)
    attempt = attempt_of(root, early_stopping={"patience": 0}, **settings)
    whole = trained(attempt, "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(attempt, "broken", progress=Said(interrupt_at=3))
    assert run_of(attempt, "broken").was_interrupted
    assert not (run_of(attempt, "broken").training / "weights" / "best.safetensors").exists()
    resumed = trained(attempt, "broken", resume=True)
    assert measured(attempt, "broken") == measured(attempt, "whole")
    assert images.sha256(resumed.weights) == images.sha256(whole.weights)
    assert list(curves(attempt, "broken").columns["seconds"]) == sorted(curves(attempt, "broken").columns["seconds"])


def test_a_training_that_had_ended_is_not_done_again(root: Path) -> None:
    attempt = attempt_of(root)
    first = trained(attempt)
    before = first.weights.stat().st_mtime_ns
    assert trained(attempt, resume=True) == first
    assert first.weights.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "last.pt: cannot be read", id="empty"),
        pytest.param(b"no checkpoint", "last.pt: cannot be read", id="a text"),
        pytest.param({"start": {"file": None}}, "last.pt: is no checkpoint of this training", id="nothing in it"),
        pytest.param([1, 2], "last.pt: is no checkpoint of this track", id="a list"),
        pytest.param({"ended": {"epochs": 3}}, "last.pt: does not say what came of its training", id="another end"),
        pytest.param({"ended": True}, "last.pt: does not say what came of its training", id="an end without words"),
        pytest.param(
            {"start": {"file": "other.pth", "sha256": "0"}},
            "last.pt: is not the weights file that the run was begun with. Put that one back, or add --again",
            id="other weights",
        ),
    ],
)
def test_a_checkpoint_that_is_none(root: Path, content: object, said: str) -> None:
    attempt = attempt_of(root)
    file = run_of(attempt).training / "weights" / "last.pt"
    file.parent.mkdir(parents=True)
    file.write_bytes(content) if isinstance(content, bytes) else torch.save(content, file)
    with pytest.raises((WeightsError, FinishedError)) as refused:
        trained(attempt, resume=True)
    assert said in str(refused.value)
    assert refused.value.exit_code == 3


def test_a_checkpoint_of_another_network_is_refused(root: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        trained(attempt_of(root), progress=Said(interrupt_at=2))
    with pytest.raises(WeightsError, match="is no checkpoint of this training"):
        trained(attempt_of(root, freeze=PARTLY), resume=True)


def test_early_stopping_waits_for_its_patience_and_keeps_the_best(root: Path) -> None:
    """A head that learns too fast: the loss on val has its least value early, and grows from there."""
    said = Said()
    attempt = attempt_of(root, epochs=60, lr0=0.05, early_stopping={"patience": 4})
    done = trained(attempt, progress=said)
    losses = curves(attempt).columns["val/loss"]
    best = int(np.argmin(losses)) + 1
    assert len(losses) == done.used["epochs"] == best + 4 < 60
    assert done.used["best_epoch"] == best
    assert f"stopped after epoch {best + 4} of 60: the best was epoch {best}" in said.lines
    assert val_loss(done.weights, root) == pytest.approx(losses[best - 1], abs=1e-5)


def test_patience_zero_never_stops_and_the_last_weights_are_kept_where_asked(root: Path) -> None:
    attempt = attempt_of(root, epochs=15, lr0=0.05, early_stopping={"patience": 0, "restore_best": False})
    done = trained(attempt)
    losses = curves(attempt).columns["val/loss"]
    assert len(losses) == done.used["best_epoch"] == 15
    assert losses[-1] > min(losses)
    assert val_loss(done.weights, root) == pytest.approx(losses[-1], abs=1e-5)


def test_of_equal_accuracies_the_first_is_the_best(root: Path) -> None:
    attempt = attempt_of(root, epochs=30, early_stopping={"monitor": "val_accuracy", "patience": 6})
    done = trained(attempt)
    accuracies = curves(attempt).columns["val/accuracy"]
    assert done.used["best_epoch"] == accuracies.index(max(accuracies)) + 1
    assert len(accuracies) in (done.used["best_epoch"] + 6, 30)


def test_without_val_the_last_epoch_counts(root: Path) -> None:
    attempt = attempt_of(root, early_stopping={"patience": 1})
    said, data = Said(), built(attempt)
    without = replace(data, dataset=data.dataset.with_images(data.dataset.of("train")))
    done = track.train(attempt, without, run_of(attempt), said, resume=False)
    assert list(curves(attempt).columns) == ["step", "epoch", "seconds", "train/loss", "train/accuracy"]
    assert "no val pictures: the weights of the last epoch are used, as none can be chosen" in said.lines
    assert (done.used["epochs"], done.used["best_epoch"], done.own_metrics) == (3, 3, {})


def test_class_weights(root: Path) -> None:
    """Of pictures that lie in both folders, what weighs most is said."""
    for file in sorted((root / "raw" / "train" / "standing").iterdir()):
        shutil.copyfile(file, root / "raw" / "train" / "lying" / file.name)
    pictures = [decoding.decode(file) for file in sorted((root / "raw" / "train" / "standing").iterdir())]
    said = []
    for number, weights in enumerate(("none", {"lying": 0.05})):
        attempt = attempt_of(root, epochs=20, lr0=0.01, class_weights=weights, early_stopping={"restore_best": False})
        found = track.open(trained(attempt, str(number)).weights, Asking(conf=0, device="cpu"))(pictures)
        said.append(np.mean([one.score for answers in found for one in answers if one.label == "lying"]))
    assert said == pytest.approx([0.5, 0.05 / 1.05], abs=0.05)


def test_class_weights_know_a_class_by_its_decomposed_name(root: Path) -> None:
    from yolo_pipeline.tracks.classify.training import class_weights

    attempt_of(root)
    decomposed = unicodedata.normalize("NFD", "감자")
    said = {"data": {"rename": {"lying": "감자"}}, "train": {"class_weights": {decomposed: 2}}}
    write_yaml(root / "attempts" / "2.yaml", {"base": 1, **said})
    attempt = load(root, 2)
    assert sorted(class_weights(attempt, built(attempt)) or ()) == [1.0, 2.0]


def test_balanced_class_weights_are_those_of_scikit_learn(root: Path) -> None:
    from sklearn.utils.class_weight import compute_class_weight

    from yolo_pipeline.tracks.classify.training import class_weights

    for number in range(3, 8):
        (root / "raw" / "train" / "lying" / f"{number}.png").unlink()
    dataset = built(attempt_of(root, class_weights="balanced"))
    labels = [image.truths[0].label for image in dataset.dataset.of("train")]
    expected = compute_class_weight("balanced", classes=np.array(dataset.dataset.names), y=labels)
    assert class_weights(load(root, 1), dataset) == pytest.approx((11 / 6, 11 / 16))
    assert tuple(expected) == pytest.approx((11 / 6, 11 / 16))


def test_label_smoothing_counts_in_train_and_val(root: Path) -> None:
    """With no learning to speak of, the smoothed loss is that of the same probabilities."""
    losses = []
    for smoothing in (0.0, 0.2):
        attempt = attempt_of(root, epochs=1, lr0=1e-9, label_smoothing=smoothing, early_stopping={"patience": 0})
        trained(attempt, str(smoothing))
        losses.append(curves(attempt, str(smoothing)).columns["val/loss"][0])
    assert losses[0] != losses[1]
    assert val_loss(run_of(attempt, "0.2").training / "weights" / "best.safetensors", root) == pytest.approx(
        losses[0], abs=1e-5
    )


def test_the_last_picture_of_an_epoch_is_never_alone(root: Path) -> None:
    """16 pictures in batches of 5; at 32 pixels, batch normalisation in the last blocks sees one value a picture."""
    attempt = attempt_of(root, batch=5, freeze="none", epochs=1)
    trained(attempt)
    assert curves(attempt).columns["step"] == (3,)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param(
            {"batch": 1, "freeze": "none"},
            "attempts/1.yaml: train.batch: batch normalisation cannot learn from a single picture. "
            "Say batch: 2 or more, or a larger imgsz",
            id="a batch of one",
        ),
        pytest.param(
            {"lr0": 10, "optimizer": "SGD", "freeze": "none", "epochs": 20, "momentum": 0.99},
            "the loss is no longer a number. Train with --again and a smaller lr0 than 10 (lr0: 1)",
            id="a rate too high",
        ),
        pytest.param(
            {"class_weights": {"lyng": 2}},
            "attempts/1.yaml: train.class_weights: there is no class lyng. Did you mean lying?",
            id="weight of no class",
        ),
    ],
)
def test_settings_that_cannot_be_trained(root: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        trained(attempt_of(root, **settings))
    assert said in str(refused.value)


def test_a_class_without_training_pictures(root: Path) -> None:
    for file in (root / "raw" / "train" / "lying").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="lying"):
        trained(attempt_of(root))


def test_one_class_is_nothing_to_learn(root: Path) -> None:
    attempt_of(root)
    content = {"base": 1, "data": {"classes": ["lying"]}}
    write_yaml(root / "attempts" / "2.yaml", content)
    with pytest.raises((DataError, AttemptError), match="class"):
        trained(load(root, 2))


def test_a_picture_that_went_bad_after_the_data_set_was_built(root: Path) -> None:
    attempt = attempt_of(root)
    dataset = built(attempt)
    picture = dataset.picture(dataset.dataset.of("train")[3].name)
    data = picture.read_bytes()
    picture.unlink()  # it may be a link to the user's own
    picture.write_bytes(data[:300])
    with pytest.raises(InputError) as refused:
        track.train(attempt, dataset, run_of(attempt), silent, resume=False)
    assert str(refused.value).startswith(f"{picture}: ")
    assert str(refused.value).endswith("Build the data set again")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param(
            {"freeze": {"all_but_blocks": 40}}, "attempts/1.yaml: train.freeze: all_but_blocks is 40", id="blocks"
        ),
        pytest.param(
            {"freeze": {"all_but_layers": 400}}, "attempts/1.yaml: train.freeze: all_but_layers is 400", id="layers"
        ),
        pytest.param({"device": "7"}, "attempts/1.yaml: train.device: is 7", id="a GPU that is not there"),
        pytest.param({"device": "mps"}, "attempts/1.yaml: train.device: is mps", id="Apple's, where it is not there"),
    ],
)
def test_what_is_refused_before_any_data_is_built(root: Path, settings: dict[str, Any], said: str) -> None:
    if settings.get("device") == "7" and torch.cuda.device_count() > 7:
        pytest.skip("there are eight GPUs here")
    if settings.get("device") == "mps" and torch.backends.mps.is_available():
        pytest.skip("this is Apple's")
    with pytest.raises(InputError) as refused:
        track.check(attempt_of(root, **settings), silent)
    assert said in str(refused.value)


def test_what_is_said_beforehand(root: Path) -> None:
    said = Said()
    track.check(attempt_of(root, optimizer="RMSprop", momentum=0.5), said)
    assert any(line.endswith("train.momentum: is not used, as RMSprop has none here") for line in said.lines)


def test_a_training_begins_with_the_weights_of_another(root: Path) -> None:
    """With a rate of nearly nothing and everything frozen, the backbone is that of the file."""
    first = trained(attempt_of(root, freeze="none"))
    attempt_of(root)
    content = {"base": 1, "pretrained": str(first.weights), "train": {"lr0": 1e-9, "epochs": 1}}
    write_yaml(root / "attempts" / "2.yaml", content)
    attempt = load(root, 2)
    said = Said()
    track.check(attempt, said)
    second = trained(attempt, "second")
    assert second.start == {"file": "best.safetensors", "sha256": images.sha256(first.weights)}
    from safetensors.torch import load_file

    before, after = load_file(first.weights), load_file(second.weights)
    assert all(torch.equal(before[name], after[name]) for name in before if not name.startswith("head."))


def test_the_rate_falls_as_a_cosine() -> None:
    from yolo_pipeline.tracks.classify.fitting import Plan, _rate

    plan = Plan(4, 8, "SGD", 0.1, 0.9, 0, True, 0, None, "val_loss", 0, True, 0)
    expected = [0.1 * (0.01 + 0.99 * (1 + math.cos(math.pi * epoch / 4)) / 2) for epoch in range(4)]
    assert [_rate(plan, number) for number in (1, 2, 3, 4)] == pytest.approx(expected)
