"""Attempts of the track classify, loaded from files: what crosses tracks, whose pictures, whose fault it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import write_yaml

from yolo_pipeline.attempt import Attempt, DenseLayer, load
from yolo_pipeline.errors import AttemptError

FOLDERS = {"sources": [{"path": "digits"}]}


def _loaded(root: Path, *attempts: dict[str, Any], data: dict[str, Any] | None = None) -> Attempt:
    """The last of the attempts, each of which is the base of the next."""
    for number, content in enumerate(attempts, start=1):
        base = {"base": number - 1} if number > 1 else {}
        write_yaml(root / "attempts" / f"{number}.yaml", {**base, **content})
    if data is not None:
        write_yaml(root / "data.yaml", data)
    return load(root, len(attempts))


SEED = {
    "track": "classify",
    "model": "resnet50",
    "pretrained": False,
    "head": [{"units": 256, "dropout": 0.3}, {"units": 64}],
    "data": FOLDERS,
    "train": {"imgsz": 32, "epochs": 600, "freeze": {"all_but_blocks": 2}},
}


def test_all_that_a_classifier_is_told(tmp_path: Path) -> None:
    attempt = _loaded(tmp_path, SEED)
    assert (attempt.track, attempt.model, attempt.pretrained) == ("classify", "resnet50", False)
    assert attempt.head == (DenseLayer(units=256, dropout=0.3), DenseLayer(units=64))
    assert attempt.train["freeze"] == {"all_but_blocks": 2}
    settings = attempt.settings()
    assert settings["head"] == [{"units": 256, "dropout": 0.3}, {"units": 64, "dropout": 0.0}]
    assert settings["train"]["early_stopping"] == {"monitor": "val_loss", "patience": 30, "restore_best": True}


def test_a_detector_records_no_head(tmp_path: Path) -> None:
    assert "head" not in _loaded(tmp_path, {"model": "yolov8n", "data": FOLDERS}).settings()


def test_within_the_track_all_is_inherited_and_a_list_of_layers_replaces_another(tmp_path: Path) -> None:
    attempt = _loaded(tmp_path, SEED, {"head": [{"units": 8}], "train": {"epochs": 5}})
    assert attempt.head == (DenseLayer(units=8),)
    assert (attempt.model, attempt.train["imgsz"], attempt.train["freeze"]) == ("resnet50", 32, {"all_but_blocks": 2})
    assert {key: (before, after) for key, before, after in attempt.changed} == {
        "head": ([{"units": 256, "dropout": 0.3}, {"units": 64, "dropout": 0.0}], [{"units": 8, "dropout": 0.0}]),
        "train.epochs": (600, 5),
    }


def test_across_tracks_the_data_alone_is_inherited(tmp_path: Path) -> None:
    detector = {
        "model": "yolov8n",
        "pretrained": False,
        "data": FOLDERS,
        "train": {"imgsz": 320},
        "detect": {"conf": 0.4},
    }
    attempt = _loaded(tmp_path, detector, {"track": "classify", "model": "vgg16"})
    assert attempt.data.sources[0].path == "digits"
    assert (attempt.pretrained, attempt.train["imgsz"], attempt.conf, attempt.head) == (True, 224, None, ())
    back = _loaded(tmp_path, detector, SEED, {"track": "yolo", "model": "yolov8n"})
    assert (back.pretrained, back.head, back.train["imgsz"]) == (True, (), 640)


def test_a_change_of_track_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(AttemptError, match="model: is missing"):
        _loaded(tmp_path, {"model": "yolov8n", "data": FOLDERS}, {"track": "classify"})


@pytest.mark.parametrize(
    ("first", "second", "sources", "crops_of"),
    [
        pytest.param({"sources": [{"path": "digits"}]}, {"crops_of": "fridge"}, 0, "fridge", id="crops take the place of sources"),
        pytest.param({"crops_of": {"path": "fridge", "format": "voc"}}, {"sources": [{"path": "digits"}]}, 1, None, id="sources take the place of crops"),
        pytest.param({"crops_of": "fridge"}, {"classes": ["a"]}, 0, "fridge", id="crops are inherited"),
        pytest.param({"sources": [{"path": "digits"}]}, {"classes": ["a"]}, 1, None, id="sources are inherited"),
    ],
)  # fmt: skip
def test_pictures_come_from_sources_or_from_boxes(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], sources: int, crops_of: str | None
) -> None:
    attempt = _loaded(tmp_path, {**SEED, "data": first}, {"data": second})
    assert len(attempt.data.sources) == sources
    assert (attempt.data.crops_of.path if attempt.data.crops_of else None) == crops_of


def test_crops_take_the_place_of_the_sources_of_data_yaml(tmp_path: Path) -> None:
    attempt = _loaded(tmp_path, {**SEED, "data": {"crops_of": "fridge"}}, data={"sources": [{"path": "fridge"}]})
    assert attempt.data.sources == ()


@pytest.mark.parametrize(
    ("said", "pretrained"),
    [
        pytest.param({}, True, id="nothing"),
        pytest.param({"pretrained": "weights/a.pth"}, "weights/a.pth", id="a file"),
        pytest.param({"weights": "weights/a.pth"}, "weights/a.pth", id="the same in another word"),
    ],
)
def test_what_it_starts_from(tmp_path: Path, said: dict[str, Any], pretrained: bool | str) -> None:
    plain = {key: value for key, value in SEED.items() if key != "pretrained"}
    assert _loaded(tmp_path, {**plain, **said}).pretrained == pretrained


@pytest.mark.parametrize(
    ("base", "said", "pretrained"),
    [
        pytest.param({"weights": "a.pth"}, {"pretrained": False}, False, id="from scratch after all"),
        pytest.param({"pretrained": "a.pth"}, {"weights": "b.pth"}, "b.pth", id="another file, in the other word"),
        pytest.param({"weights": "a.pth"}, {"title": "more"}, "a.pth", id="nothing about it"),
    ],
)
def test_the_nearest_word_on_what_it_starts_from_counts(
    tmp_path: Path, base: dict[str, Any], said: dict[str, Any], pretrained: bool | str
) -> None:
    plain = {key: value for key, value in SEED.items() if key != "pretrained"}
    assert _loaded(tmp_path, {**plain, **base}, said).pretrained == pretrained


@pytest.mark.parametrize(
    ("base", "said", "freeze"),
    [
        pytest.param({"all_but_blocks": 2}, {"all_but_layers": 9}, {"all_but_layers": 9}, id="layers in place of blocks"),
        pytest.param({"all_but_layers": 9}, {"all_but_blocks": 2}, {"all_but_blocks": 2}, id="blocks in place of layers"),
        pytest.param({"all_but_blocks": 2}, {"all_but_blocks": 3}, {"all_but_blocks": 3}, id="another count"),
        pytest.param({"all_but_blocks": 2}, "none", "none", id="a word in place of a count"),
        pytest.param("none", {"all_but_blocks": 2}, {"all_but_blocks": 2}, id="a count in place of a word"),
    ],
)  # fmt: skip
def test_the_nearest_word_on_what_is_frozen_counts(tmp_path: Path, base: Any, said: Any, freeze: Any) -> None:
    attempt = _loaded(tmp_path, {**SEED, "train": {"freeze": base}}, {"train": {"freeze": said}})
    assert attempt.train["freeze"] == freeze


def test_keys_that_exclude_each_other_do_so_in_their_own_block_alone(tmp_path: Path) -> None:
    base = {**SEED, "data": {**FOLDERS, "rename": {"weights": "tool", "sources": "tool"}}}
    attempt = _loaded(tmp_path, base, {"data": {"rename": {"pretrained": "dog", "crops_of": "cat"}}})
    assert attempt.data.rename == {"weights": "tool", "sources": "tool", "pretrained": "dog", "crops_of": "cat"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param({"train": {"epoch": 3}}, "attempts/2.yaml: train.epoch: is no setting of this track. Did you mean epochs?", id="misspelt setting"),
        pytest.param({"train": {"early_stopping": {"patience": -1}}}, "attempts/2.yaml: train.early_stopping.patience: is -1. It must be a whole number of epochs", id="a setting in a block"),
        pytest.param({"train": {"imgsz": 16}}, "attempts/2.yaml: train.imgsz: is 16, too small for resnet50. It must be 32 or more", id="pictures too small"),
        pytest.param({"train": {"freeze": {"all_but_blocks": 99}}}, "attempts/2.yaml: train.freeze: all_but_blocks is 99, but resnet50 has 17 blocks below its head", id="freeze beyond the model"),
        pytest.param({"model": "resnet5"}, "attempts/2.yaml: model: resnet5 is not known to the track classify. Did you mean resnet50", id="model"),
        pytest.param({"head": [{"unit": 3}]}, "attempts/2.yaml: head.0.unit: no such key", id="misspelt layer"),
        pytest.param({"head": [{"units": 0}]}, "attempts/2.yaml: head.0.units: is 0. It should be greater than or equal to 1", id="a layer of nothing"),
        pytest.param({"head": [{"units": 3, "dropout": 1}]}, "attempts/2.yaml: head.0.dropout: is 1. It should be less than 1", id="all dropped out"),
        pytest.param({"head": [{"units": 3, "dropout": float("nan")}]}, "attempts/2.yaml: head.0.dropout: is nan", id="dropout that is no number"),
        pytest.param({"head": 256}, "attempts/2.yaml: head: is 256. Write `head: [{units: 256, dropout: 0.3}]`, say", id="a number for a head"),
        pytest.param({"head": [{"units": 1}] * 21}, "attempts/2.yaml: head: is", id="21 layers"),
        pytest.param({"data": {"backgrounds": {"source": "bg", "share": 0.05}}}, "attempts/2.yaml: data.backgrounds: is for boxes, which the track classify has none of. Say `backgrounds: null`", id="backgrounds"),
        pytest.param({"data": {"cutouts": {"share": 0.05}}}, "attempts/2.yaml: data.cutouts: is for boxes, which the track classify has none of. Say `cutouts: null`", id="cut-outs"),
        pytest.param({"data": {"augment": {"box": {"flip": ["horizontal"]}}}}, "attempts/2.yaml: data.augment.box: is for boxes, which the track classify has none of. Say `box: null`", id="edits in boxes"),
        pytest.param({"weights": ""}, "attempts/2.yaml: weights: is ''", id="no file to start from"),
        pytest.param({"train": {"freeze": {"all_but_layers": 9, "all_but_blocks": 1}}}, "attempts/2.yaml: train.freeze: is {", id="two words on what is frozen"),
        pytest.param({"weights": "a.pth", "pretrained": "b.pth"}, "attempts/2.yaml: weights: says what pretrained says, too. Leave one of them out", id="two files to start from"),
        pytest.param({"track": "yolo", "model": "yolov8n", "head": [{"units": 3}]}, "attempts/2.yaml: head: is for the track classify, not for yolo. Leave it out", id="a detector's head"),
        pytest.param({"model": "yolov8n-cls", "train": {"freeze": 3}}, "attempts/1.yaml: head: yolov8n-cls has its own, which Ultralytics makes. Say `head: null`", id="a head for Ultralytics' model"),
        pytest.param({"track": "yolo", "model": "yolov8n-cls"}, "attempts/2.yaml: model: yolov8n-cls is not a detection model", id="a classifier for a detector"),
        pytest.param({"track": "yolo", "model": "yolov8n", "data": {"crops_of": "x"}}, "attempts/2.yaml: data.crops_of: is for the track classify, not for yolo. Name the data set under sources", id="crops for a detector"),
    ],
)  # fmt: skip
def test_bad_settings_are_refused_by_file_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AttemptError) as caught:
        _loaded(Path(), SEED, content)
    assert str(caught.value).startswith(said)
    assert caught.value.exit_code == 3


def test_a_fault_of_the_base_is_said_of_its_file(tmp_path: Path) -> None:
    with pytest.raises(AttemptError, match=r"attempts/1\.yaml: train\.lr0: is 0"):
        _loaded(tmp_path, {**SEED, "train": {"lr0": 0}}, {"train": {"epochs": 3}})


def test_backgrounds_of_data_yaml_are_left_out_by_null(tmp_path: Path) -> None:
    shared = {"sources": [{"path": "raw"}], "backgrounds": {"source": "bg", "share": 0.05}}
    with pytest.raises(AttemptError, match=r"data\.yaml: data\.backgrounds: is for boxes"):
        _loaded(tmp_path, {**SEED, "data": {}}, data=shared)
    assert _loaded(tmp_path, {**SEED, "data": {"backgrounds": None}}, data=shared).data.backgrounds is None


def test_a_classifier_of_ultralytics(tmp_path: Path) -> None:
    attempt = _loaded(tmp_path, {"track": "classify", "model": "yolov8n-cls", "data": FOLDERS, "train": {"lr0": 0.01}})
    assert (attempt.train["imgsz"], attempt.train["patience"], attempt.train["lr0"]) == (224, 50, 0.01)
