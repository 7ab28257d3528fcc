"""What an attempt may tell the classification track: defaults, faults by key, whose model it is."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from yolo_pipeline import settings
from yolo_pipeline.settings import BadSettingError
from yolo_pipeline.settings.classify import DEFAULTS, MODELS, check_head, check_model, check_train, is_ultralytics


class TestDefaults:
    def test_left_out_settings(self) -> None:
        assert check_train("resnet50", {}) == {
            "imgsz": 224,
            "batch": 32,
            "epochs": 100,
            "optimizer": "Adam",
            "lr0": 0.001,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "cos_lr": False,
            "label_smoothing": 0.0,
            "freeze": "all",
            "class_weights": "none",
            "early_stopping": {"monitor": "val_loss", "patience": 30, "restore_best": True},
            "workers": 0,
            "seed": 0,
        }

    @pytest.mark.parametrize(
        ("model", "imgsz"),
        [("vgg16", 224), ("inception_v3", 299), ("efficientnet_b1", 240), ("efficientnet_b2", 288), ("efficientnet_b3", 300), ("convnext_base", 224)],
    )  # fmt: skip
    def test_imgsz_is_that_of_the_published_weights(self, model: str, imgsz: int) -> None:
        filled = check_train(model, {})
        assert filled["imgsz"] == imgsz
        assert settings.trained_size("classify", model, filled) == imgsz

    @pytest.mark.parametrize(
        ("train", "expected"),
        [
            pytest.param({"early_stopping": {}}, {"early_stopping": {"monitor": "val_loss", "patience": 8, "restore_best": True}}, id="early stopping as the seed has it"),
            pytest.param({"early_stopping": {"patience": 0}}, {"early_stopping": {"monitor": "val_loss", "patience": 0, "restore_best": True}}, id="never early"),
            pytest.param(
                {"augment": {"zoom": 0.3}},
                {"augment": {"rotation_deg": 0.0, "zoom": 0.3, "shift": 0.0, "brightness": 0.0, "flip": [], "draws": 10}},
                id="one change of pictures",
            ),
            pytest.param({"augment": {"zoom": "1e-1"}, "lr0": "1e-4"}, {"lr0": 0.0001}, id="YAML's word for a number"),
            pytest.param({"freeze": {"all_but_layers": 100}}, {"freeze": {"all_but_layers": 100}}, id="the last hundred layers"),
            pytest.param({"freeze": {"all_but_layers": 106}}, {"freeze": {"all_but_layers": 106}}, id="all there are"),
            pytest.param({"class_weights": {0: 1, "칠": "2e0"}}, {"class_weights": {"0": 1, "칠": 2.0}}, id="a class that YAML takes for a number"),
            pytest.param({"device": 0}, {"device": 0}, id="the number of a GPU"),
            pytest.param({"device": "1"}, {"device": "1"}, id="that as a word"),
            pytest.param({"device": "mps"}, {"device": "mps"}, id="Apple's"),
        ],
    )  # fmt: skip
    def test_are_filled_into_what_is_said(self, train: dict[str, Any], expected: dict[str, Any]) -> None:
        assert check_train("resnet50", train).items() >= expected.items()

    def test_are_not_shared_between_attempts(self) -> None:
        check_train("resnet50", {})["early_stopping"]["patience"] = 1
        assert DEFAULTS["early_stopping"]["patience"] == 30
        check_train("resnet50", {"augment": {"zoom": 0.1}})["augment"]["flip"].append("vertical")
        assert check_train("resnet50", {"augment": {"zoom": 0.1}})["augment"]["flip"] == []


WHOLE = "It must be a whole number above 0"
STOPPING = "train.early_stopping."
AUGMENT = "train.augment."


class TestFaults:
    @pytest.mark.parametrize(
        ("train", "said"),
        [
            pytest.param({"epoch": 3}, "train.epoch: is no setting of this track. Did you mean epochs?", id="misspelt"),
            pytest.param({"qqq": 3}, "train.qqq: is no setting of this track. Known are augment, batch, class_weights", id="nothing like it"),
            pytest.param({"steps": 3}, "train.steps: is no setting of this track. Use epochs", id="another track's steps"),
            pytest.param({"learning_rate": 0.1}, "train.learning_rate: is no setting of this track. Use lr0", id="Keras' rate"),
            pytest.param({"patience": 8}, "train.patience: is no setting of this track. Use early_stopping: {patience: 8}", id="Ultralytics' patience"),
            pytest.param({"horizontal_flip": True}, "train.horizontal_flip: is no setting of this track. Use augment: {flip: [horizontal]}", id="Keras' flip"),
            pytest.param({"dropout": 0.3}, "train.dropout: is no setting of this track. Use head: [{units: 256, dropout: 0.3}]", id="dropout is the head's"),
            pytest.param({"weights": "a.pth"}, "train.weights: is no setting of this track. Use weights: (not below train)", id="weights in the wrong place"),
            pytest.param({"epochs": 0}, f"train.epochs: is 0. {WHOLE}", id="no epoch"),
            pytest.param({"epochs": 2.5}, f"train.epochs: is 2.5. {WHOLE}", id="half an epoch"),
            pytest.param({"epochs": True}, f"train.epochs: is True. {WHOLE}", id="yes"),
            pytest.param({"epochs": 10**30}, "train.epochs: is 1000", id="more than a lifetime"),
            pytest.param({"batch": "many"}, f"train.batch: is 'many'. {WHOLE}", id="a word"),
            pytest.param({"batch": -1}, f"train.batch: is -1. {WHOLE}", id="Ultralytics' batch of its own choice"),
            pytest.param({"imgsz": 31}, "train.imgsz: is 31, too small for resnet50. It must be 32 or more", id="pictures too small"),
            pytest.param({"imgsz": 4096}, "train.imgsz: is 4096. It must be a whole number of pixels, 2048 at most", id="too large"),
            pytest.param({"imgsz": [224, 224]}, "train.imgsz: is [224, 224]. It must be", id="width and height"),
            pytest.param({"workers": -1}, "train.workers: is -1. It must be a whole number, 0 or above", id="workers below 0"),
            pytest.param({"seed": 0.5}, "train.seed: is 0.5. It must be a whole number, 0 or above", id="half a seed"),
            pytest.param({"optimizer": "adam"}, "train.optimizer: is 'adam'. It must be one of Adam, AdamW, SGD, RMSprop", id="another spelling"),
            pytest.param({"optimizer": ["Adam"]}, "train.optimizer: is ['Adam']. It must be one of", id="a list of optimizers"),
            pytest.param({"lr0": 0}, "train.lr0: is 0. It must be a number above 0, such as 0.001", id="rate 0"),
            pytest.param({"lr0": math.nan}, "train.lr0: is nan. It must be", id="not a number"),
            pytest.param({"lr0": math.inf}, "train.lr0: is inf. It must be", id="infinite"),
            pytest.param({"lr0": 10**400}, "train.lr0: is 1000", id="larger than any float"),
            pytest.param({"lr0": "1e400"}, "train.lr0: is inf. It must be", id="a word larger than any float"),
            pytest.param({"momentum": 1}, "train.momentum: is 1. It must be a number from 0 to below 1", id="momentum 1"),
            pytest.param({"label_smoothing": 1.5}, "train.label_smoothing: is 1.5. It must be a number from 0 to below 1", id="labels smoothed away"),
            pytest.param({"weight_decay": -0.1}, "train.weight_decay: is -0.1. It must be a number, 0 or above", id="decay below 0"),
            pytest.param({"cos_lr": 1}, "train.cos_lr: is 1. It must be true or false", id="1 for true"),
            pytest.param({"freeze": "some"}, "train.freeze: is 'some'. It must be all, none, {all_but_blocks: 2} or {all_but_layers: 100}", id="freeze some"),
            pytest.param({"freeze": True}, "train.freeze: is True. It must be all, none", id="freeze: yes"),
            pytest.param({"freeze": 10}, "train.freeze: is 10. It must be all, none", id="Ultralytics' number of layers"),
            pytest.param({"freeze": {}}, "train.freeze: is {}. It must be", id="an empty mapping"),
            pytest.param({"freeze": {"all_but_blocks": 0}}, "train.freeze: is {'all_but_blocks': 0}. It must be", id="all but none"),
            pytest.param({"freeze": {"all_but_blocks": 1, "all_but_layers": 1}}, "train.freeze: is {'all_but_blocks': 1, 'all_but_layers': 1}. It must be", id="both"),
            pytest.param({"freeze": {"all_but_blocks": 18}}, "train.freeze: all_but_blocks is 18, but resnet50 has 17 blocks below its head. Say fewer, or none to freeze nothing", id="more blocks than there are"),
            pytest.param({"freeze": {"all_but_layers": 107}}, "train.freeze: all_but_layers is 107, but resnet50 has 106 layers below its head. Say fewer", id="more layers than there are"),
            pytest.param({"class_weights": "equal"}, "train.class_weights: is 'equal'. It must be none, balanced, or a mapping of class to weight", id="class weights in a word"),
            pytest.param({"class_weights": {}}, "train.class_weights: is {}. It must be", id="weights of no class"),
            pytest.param({"class_weights": {"a": 0}}, "train.class_weights: is {'a': 0}. It must be none, balanced, or a mapping of class to weight, each above 0", id="a class that counts for nothing"),
            pytest.param({"class_weights": {"a": math.nan}}, "train.class_weights: is {'a': nan}. It must be", id="a weight that is no number"),
            pytest.param({"class_weights": {False: 1}}, "train.class_weights: is {False: 1}. It must be", id="YAML's no for a class"),
            pytest.param({"device": True}, "train.device: is True. It must be cpu, mps or the number of a GPU", id="yes for a device"),
            pytest.param({"device": -1}, "train.device: is -1. It must be cpu, mps or the number of a GPU", id="a GPU below 0"),
            pytest.param({"device": "0,1"}, "train.device: is '0,1'. It must be cpu, mps or the number of a GPU", id="two GPUs"),
            pytest.param({"device": [0]}, "train.device: is [0]. It must be cpu, mps or the number of a GPU", id="a list of GPUs"),
            pytest.param({"early_stopping": 8}, "train.early_stopping: is 8. It must be keys and values, such as {patience: 8}", id="patience alone"),
            pytest.param({"early_stopping": {"patence": 8}}, f"{STOPPING}patence: no such key. Did you mean patience?", id="misspelt patience"),
            pytest.param({"early_stopping": {3: 8}}, f"{STOPPING}3: no such key. Known are monitor, patience, restore_best.", id="a number for a key"),
            pytest.param({"early_stopping": {"patience": -1}}, f"{STOPPING}patience: is -1. It must be a whole number of epochs; 0: it never stops early", id="patience below 0"),
            pytest.param({"early_stopping": {"monitor": "loss"}}, f"{STOPPING}monitor: is 'loss'. It must be one of val_loss, val_accuracy", id="a monitor of train"),
            pytest.param({"early_stopping": {"restore_best": "yes"}}, f"{STOPPING}restore_best: is 'yes'. It must be true or false", id="a word for true"),
            pytest.param({"augment": ["zoom"]}, "train.augment: is ['zoom']. It must be keys and values, such as {rotation_deg: 15, flip: [horizontal]}", id="a list of changes"),
            pytest.param({"augment": {}}, "train.augment: does not say what to do. Name one of rotation_deg, zoom, shift, flip", id="no change"),
            pytest.param({"augment": {"draws": 5, "zoom": 0}}, "train.augment: does not say what to do. Name one of", id="draws of nothing"),
            pytest.param({"augment": {"rotate": 5}}, f"{AUGMENT}rotate: no such key. Did you mean rotation_deg?", id="misspelt change"),
            pytest.param({"augment": {"rotation_deg": 181}}, f"{AUGMENT}rotation_deg: is 181. It must be a number of degrees, 180 at most", id="over half a turn"),
            pytest.param({"augment": {"zoom": 1}}, f"{AUGMENT}zoom: is 1. It must be a share, 0.9 at most", id="zoomed to nothing"),
            pytest.param({"augment": {"shift": -0.1}}, f"{AUGMENT}shift: is -0.1. It must be a share of the side, 0.9 at most", id="shifted by less than nothing"),
            pytest.param({"augment": {"brightness": math.inf}}, f"{AUGMENT}brightness: is inf. It must be a share, 0.9 at most", id="infinitely bright"),
            pytest.param({"augment": {"flip": "horizontal"}}, f"{AUGMENT}flip: is 'horizontal'. It must be a list of horizontal and vertical", id="a word for a list"),
            pytest.param({"augment": {"flip": ["sideways"]}}, f"{AUGMENT}flip: is ['sideways']. It must be a list of horizontal and vertical", id="another flip"),
            pytest.param({"augment": {"zoom": 0.1, "draws": 0}}, f"{AUGMENT}draws: is 0. It must be a whole number, 1 to 1000", id="no draw"),
        ],
    )  # fmt: skip
    def test_name_the_key_and_what_would_be_right(self, train: dict[str, Any], said: str) -> None:
        with pytest.raises(BadSettingError) as caught:
            check_train("resnet50", train)
        assert str(caught.value).startswith(said)

    @given(
        key=st.sampled_from([*DEFAULTS, "imgsz", "augment", "device"]),
        value=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
            max_leaves=4,
        ),
    )
    @bounded(max_examples=200, deadline=None)
    def test_of_any_kind_are_faults_of_their_key(self, key: str, value: Any) -> None:
        assert re.fullmatch(rf"nothing|train\.{key}(\..*)?", key_at_fault({key: value}), re.DOTALL)


def key_at_fault(train: dict[str, Any]) -> str:
    try:
        check_train("vgg16", train)
    except BadSettingError as error:
        return str(error).split(": ")[0]
    return "nothing"


class TestModels:
    @pytest.mark.parametrize("model", MODELS)
    def test_of_torchvision_take_the_defaults(self, model: str) -> None:
        check_model(model)
        assert not is_ultralytics(model)
        assert check_train(model, {"imgsz": MODELS[model].least})["imgsz"] == MODELS[model].least

    def test_refuse_smaller_pictures(self) -> None:
        with pytest.raises(BadSettingError, match=r"train\.imgsz: is 74, too small for inception_v3\. It must be 75"):
            check_train("inception_v3", {"imgsz": 74})

    @pytest.mark.parametrize(
        ("model", "said"),
        [
            pytest.param("resnet5", "model: resnet5 is not known to the track classify. Did you mean resnet50", id="misspelt"),
            pytest.param("yolov8n", "model: yolov8n is not known to the track classify. Did you mean yolov8n-cls", id="a detector"),
            pytest.param("", "model:  is not known to the track classify. Known are", id="no name"),
            pytest.param("resnet50.h5", "model: resnet50.h5 is not known to the track classify. Did you mean resnet50", id="Keras' file"),
        ],
    )  # fmt: skip
    def test_that_are_not_known(self, model: str, said: str) -> None:
        with pytest.raises(BadSettingError) as caught:
            check_model(model)
        assert str(caught.value).startswith(said)

    @pytest.mark.parametrize("model", ["yolov8n-cls", "yolo11n-cls", "mine.pt", "mine.yaml"])
    def test_of_ultralytics_take_its_settings(self, model: str) -> None:
        check_model(model)
        assert is_ultralytics(model)
        filled = check_train(model, {"mosaic": 0.0, "patience": 8})
        assert (filled["imgsz"], filled["mosaic"], filled["patience"]) == (224, 0.0, 8)
        assert check_train(model, {"imgsz": 64})["imgsz"] == 64
        with pytest.raises(BadSettingError, match=r"train\.class_weights: is no training setting of Ultralytics"):
            check_train(model, {"class_weights": "balanced"})

    def test_of_other_tracks_have_no_head_of_ones_own(self) -> None:
        layers = [{"units": 8}]
        check_head("classify", "resnet50", layers)
        check_head("yolo", "yolov8n", ())
        with pytest.raises(BadSettingError, match=r"head: is for the track classify, not for yolo\. Leave it out"):
            check_head("yolo", "yolov8n", layers)
        with pytest.raises(BadSettingError, match="head: yolov8n-cls has its own, which Ultralytics makes"):
            check_head("classify", "yolov8n-cls", layers)
