"""What an attempt may tell the TensorFlow Object Detection API: defaults, faults by key, a user's own config."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from conftest import write_yaml
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from yolo_pipeline import settings
from yolo_pipeline.attempt import load
from yolo_pipeline.errors import AttemptError
from yolo_pipeline.settings import BadSettingError
from yolo_pipeline.settings.tfapi import DEFAULTS, MODELS, check_model, check_train

SMALL = "ssd_mobilenet_v2_fpnlite_320x320"
RESNET = "ssd_resnet50_v1_fpn_640x640"


class TestDefaults:
    def test_left_out_settings(self) -> None:
        assert check_train(SMALL, {}) == {
            "steps": 2000,
            "batch": 8,
            "learning_rate_base": 0.03,
            "warmup_learning_rate": 0.01,
            "warmup_steps": 200,
            "checkpoint_every": 200,
            "classification_weight": 1.0,
            "localization_weight": 1.0,
            "iou_threshold": 0.6,
            "aspect_ratios": [1.0, 2.0, 0.5],
            "batch_norm_decay": 0.997,
            "batch_norm_epsilon": 0.001,
            "gradient_clipping_by_norm": 10.0,
            "random_horizontal_flip": True,
            "random_crop_image": True,
            "fine_tune_checkpoint_type": "detection",
            "seed": 0,
        }

    @pytest.mark.parametrize(
        ("model", "train", "expected"),
        [
            pytest.param(RESNET, {}, {"learning_rate_base": 0.005, "warmup_learning_rate": 0.00167}, id="a model's rate"),
            pytest.param(SMALL, {"learning_rate_base": 0.3}, {"warmup_learning_rate": 0.1}, id="a third of the rate"),
            pytest.param(SMALL, {"steps": 25000}, {"warmup_steps": 1000, "checkpoint_every": 2500}, id="many steps"),
            pytest.param(SMALL, {"steps": 15}, {"warmup_steps": 1, "checkpoint_every": 2}, id="few steps"),
            pytest.param(SMALL, {"steps": 1}, {"warmup_steps": 0, "checkpoint_every": 1}, id="one step"),
            pytest.param(SMALL, {"learning_rate_base": "1e-3"}, {"learning_rate_base": 0.001}, id="YAML's word for a number"),
            pytest.param(SMALL, {"device": 0}, {"device": 0}, id="the number of a GPU"),
            pytest.param(SMALL, {"device": "cpu"}, {"device": "cpu"}, id="the processor"),
        ],
    )  # fmt: skip
    def test_that_depend_on_others(self, model: str, train: dict[str, Any], expected: dict[str, Any]) -> None:
        assert check_train(model, train).items() >= expected.items()

    @pytest.mark.parametrize("steps", [1, 2, 9, 10, 11, 999])
    @pytest.mark.parametrize("model", MODELS)
    def test_fit_together_for_any_number_of_steps(self, model: str, steps: int) -> None:
        filled = check_train(model, {"steps": steps})
        assert filled["warmup_steps"] < steps
        assert filled["warmup_learning_rate"] <= filled["learning_rate_base"]
        assert 1 <= filled["checkpoint_every"] <= steps

    def test_are_not_shared_between_attempts(self) -> None:
        assert check_train(SMALL, {"aspect_ratios": [1.0]})["aspect_ratios"] == [1.0]
        assert DEFAULTS["aspect_ratios"] == [1.0, 2.0, 0.5]


class TestFaults:
    @pytest.mark.parametrize(
        ("train", "said"),
        [
            pytest.param({"step": 3}, "train.step: is no setting of this track. Did you mean steps?", id="misspelt"),
            pytest.param({"epochs": 3}, "train.epochs: is no setting of this track. Use steps", id="the other track's epochs"),
            pytest.param({"lr0": 0.1}, "train.lr0: is no setting of this track. Use learning_rate_base", id="its rate"),
            pytest.param({"imgsz": 320}, "train.imgsz: is no setting of this track. Use nothing: the model's name says it", id="its size"),
            pytest.param({"steps": 0}, "train.steps: is 0. It must be a whole number above 0", id="no steps"),
            pytest.param({"steps": -5}, "train.steps: is -5. It must be a whole number above 0", id="fewer than none"),
            pytest.param({"steps": 2.5}, "train.steps: is 2.5. It must be a whole number above 0", id="half a step"),
            pytest.param({"steps": True}, "train.steps: is True. It must be", id="yes"),
            pytest.param({"steps": "many"}, "train.steps: is 'many'. It must be", id="a word"),
            pytest.param({"steps": 10**30}, "train.steps: is 1000", id="more than a lifetime"),
            pytest.param({"batch": 0}, "train.batch: is 0. It must be a whole number above 0", id="no batch"),
            pytest.param({"learning_rate_base": 0}, "train.learning_rate_base: is 0. It must be a number above 0, such as 0.03", id="rate 0"),
            pytest.param({"learning_rate_base": math.nan}, "train.learning_rate_base: is nan. It must be", id="not a number"),
            pytest.param({"learning_rate_base": math.inf}, "train.learning_rate_base: is inf. It must be", id="infinite"),
            pytest.param({"learning_rate_base": 10**400}, "train.learning_rate_base: is 1000", id="larger than any float"),
            pytest.param({"learning_rate_base": "1e400"}, "train.learning_rate_base: is inf. It must be", id="a word larger than any float"),
            pytest.param({"classification_weight": -1}, "train.classification_weight: is -1. It must be a number, 0 or above", id="a weight below 0"),
            pytest.param({"iou_threshold": 1.1}, "train.iou_threshold: is 1.1. It must be a number above 0, 1 at most", id="an IoU above 1"),
            pytest.param({"batch_norm_decay": 1}, "train.batch_norm_decay: is 1. It must be a number between 0 and 1", id="a decay of 1"),
            pytest.param({"batch_norm_epsilon": 0}, "train.batch_norm_epsilon: is 0. It must be a number between 0 and 1", id="an epsilon of 0"),
            pytest.param({"aspect_ratios": 2}, "train.aspect_ratios: is 2. It must be a list of width to height", id="one ratio"),
            pytest.param({"aspect_ratios": []}, "train.aspect_ratios: is []. It must be", id="no ratios"),
            pytest.param({"aspect_ratios": [1, 0]}, "train.aspect_ratios: is [1, 0]. It must be", id="a ratio of 0"),
            pytest.param({"aspect_ratios": [1, "2"]}, "train.aspect_ratios: is [1, '2']. It must be", id="a word among ratios"),
            pytest.param({"aspect_ratios": [math.nan]}, "train.aspect_ratios: is [nan]. It must be", id="no number among ratios"),
            pytest.param({"random_crop_image": 1}, "train.random_crop_image: is 1. It must be true or false", id="1 for true"),
            pytest.param({"fine_tune_checkpoint_type": "head"}, "train.fine_tune_checkpoint_type: is 'head'. It must be classification, detection or full", id="another type"),
            pytest.param({"fine_tune_checkpoint": " "}, "train.fine_tune_checkpoint: is ' '. It must be the path of a file", id="an empty path"),
            pytest.param({"pipeline_config": 3}, "train.pipeline_config: is 3. It must be the path of a file", id="a number for a file"),
            pytest.param({"device": True}, "train.device: is True. It must be cpu or the number of a GPU", id="yes for a device"),
            pytest.param({"seed": -1}, "train.seed: is -1. It must be a whole number, 0 or above", id="a seed below 0"),
            pytest.param({"warmup_learning_rate": 0.1}, "train.warmup_learning_rate: is 0.1, above learning_rate_base (0.03). It must be below it", id="a warm-up above the rate"),
            pytest.param({"warmup_steps": 2000}, "train.warmup_steps: is 2000 of 2000 steps. Warm up for fewer steps than there are", id="all steps warm-up"),
            pytest.param({"warmup_steps": 1, "steps": 1}, "train.warmup_steps: is 1 of 1 steps. Warm up for fewer", id="the only step warm-up"),
        ],
    )  # fmt: skip
    def test_name_the_key_and_what_would_be_right(self, train: dict[str, Any], said: str) -> None:
        with pytest.raises(BadSettingError) as caught:
            check_train(SMALL, train)
        assert str(caught.value).startswith(said)

    @given(
        st.dictionaries(
            st.sampled_from([*DEFAULTS, "learning_rate_base", "warmup_steps", "fine_tune_checkpoint", "device", "x"]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.floats(), max_size=3),
            max_size=4,
        )
    )  # fmt: skip
    @bounded(max_examples=200, deadline=None)
    def test_any_settings_are_filled_or_refused(self, train: dict[str, Any]) -> None:
        try:
            filled = check_train(SMALL, train)
        except BadSettingError:
            return
        assert filled.keys() >= DEFAULTS.keys()
        assert check_train(SMALL, filled) == filled

    def test_a_model_that_is_not_known(self) -> None:
        with pytest.raises(
            BadSettingError, match=r"model: ssd_resnet50 is not known .* Did you mean ssd_resnet50_v1_fpn_640x640"
        ):
            check_model("ssd_resnet50")
        for model in MODELS:
            check_model(model)


class TestOwnConfig:
    @pytest.mark.parametrize("said", [{}, {"steps": 50}, {"batch": 4, "checkpoint_every": 5}])
    def test_the_file_says_all_that_is_not_said_here(self, said: dict[str, int]) -> None:
        checked = check_train(SMALL, {"pipeline_config": "own.config", **said})
        assert checked == {"pipeline_config": "own.config", "seed": 0, **said}

    @pytest.mark.parametrize("key", ["learning_rate_base", "aspect_ratios", "random_crop_image", "warmup_steps"])
    def test_other_settings_do_not_go_with_it(self, key: str) -> None:
        value = check_train(SMALL, {})[key]
        with pytest.raises(
            BadSettingError, match=f"^train.{key}: does not go with pipeline_config. Say that in the file"
        ):
            check_train(SMALL, {"pipeline_config": "own.config", key: value})

    def test_all_that_do_not_go_with_it_are_named_at_once(self) -> None:
        said = "^train.learning_rate_base: does not go with pipeline_config, nor do train.iou_threshold. Say that in the file$"
        with pytest.raises(BadSettingError, match=said):
            check_train(SMALL, {"pipeline_config": "own.config", "learning_rate_base": 0.1, "iou_threshold": 0.5})

    @pytest.mark.parametrize("key", ["fine_tune_checkpoint", "fine_tune_checkpoint_type", "device", "checkpoint_every"])
    def test_what_is_no_part_of_the_file_does(self, key: str) -> None:
        value = {"device": "cpu", "checkpoint_every": 7, "fine_tune_checkpoint_type": "full"}.get(key, "ckpt-0")
        assert check_train(SMALL, {"pipeline_config": "own.config", key: value})[key] == value


class TestByTrack:
    def test_each_track_has_its_own(self) -> None:
        assert "steps" in settings.check_train("tfapi", SMALL, {})
        assert "epochs" in settings.check_train("yolo", "yolov8n", {})
        with pytest.raises(BadSettingError, match="Use steps"):
            settings.check_train("tfapi", SMALL, {"epochs": 3})

    @pytest.mark.parametrize(
        ("track", "model", "train", "size"),
        [
            ("tfapi", SMALL, {}, 320),
            ("tfapi", RESNET, {}, 640),
            ("tfapi", "another", {}, None),
            ("yolo", "yolov8n", {"imgsz": 416}, 416),
        ],
    )
    def test_what_size_the_network_is_shown(
        self, track: str, model: str, train: dict[str, Any], size: int | None
    ) -> None:
        assert settings.trained_size(track, model, train) == size

    def test_faults_name_the_attempt_and_its_key(self, project: Path) -> None:
        attempt = {"base": 1, "track": "tfapi", "model": SMALL, "train": {"steps": 0}}
        write_yaml(project / "attempts" / "4.yaml", attempt)
        with pytest.raises(
            AttemptError, match=r"attempts/4\.yaml: train\.steps: is 0\. It must be a whole number above 0"
        ):
            load(project, 4)

    def test_an_attempt_of_this_track_takes_data_but_no_training_settings_from_its_base(self, project: Path) -> None:
        write_yaml(
            project / "attempts" / "4.yaml", {"base": 1, "track": "tfapi", "model": SMALL, "train": {"steps": 10}}
        )
        attempt = load(project, 4)
        assert attempt.train == check_train(SMALL, {"steps": 10})
        assert attempt.data == load(project, 1).data
