"""pipeline.config: every setting in its field, a user's own file left as it is, what the real API makes of both."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from real_api import ask_api

from yolo_pipeline.errors import InputError
from yolo_pipeline.formats.label_map import label_map_text
from yolo_pipeline.settings.tfapi import MODELS, check_train
from yolo_pipeline.tfapi.pipeline import Paths, own_pipeline_config, pipeline_config, portable_config
from yolo_pipeline.tfapi.pipeline_reading import Described, described
from yolo_pipeline.tfapi.textproto import Message, parse

SMALL = "ssd_mobilenet_v2_fpnlite_320x320"
NAMES = ("caries", "충치")
PATHS = Paths(Path("/data/label_map.pbtxt"), "/data/train.record", "/data/val.record")
TURNED = {
    "steps": 300,
    "batch": 6,
    "learning_rate_base": 0.02,
    "warmup_learning_rate": 0.004,
    "warmup_steps": 50,
    "classification_weight": 1.25,
    "localization_weight": 1.5,
    "iou_threshold": 0.58,
    "aspect_ratios": [1.0, 3.0],
    "batch_norm_decay": 0.97,
    "batch_norm_epsilon": 0.002,
    "gradient_clipping_by_norm": 5,
    "random_horizontal_flip": False,
    "random_crop_image": False,
    "fine_tune_checkpoint": "ckpt",
    "fine_tune_checkpoint_type": "full",
}
RATE = "train_config.optimizer.momentum_optimizer.learning_rate.cosine_decay_learning_rate"
PREDICTOR = "model.ssd.box_predictor.weight_shared_convolutional_box_predictor"
FIELDS: list[tuple[str, list[str], list[str]]] = [
    ("steps", ["train_config.num_steps", f"{RATE}.total_steps"], ["300"]),
    ("batch", ["train_config.batch_size"], ["6"]),
    ("learning_rate_base", [f"{RATE}.learning_rate_base"], ["0.02"]),
    ("warmup_learning_rate", [f"{RATE}.warmup_learning_rate"], ["0.004"]),
    ("warmup_steps", [f"{RATE}.warmup_steps"], ["50"]),
    ("classification_weight", ["model.ssd.loss.classification_weight"], ["1.25"]),
    ("localization_weight", ["model.ssd.loss.localization_weight"], ["1.5"]),
    ("iou_threshold", ["model.ssd.post_processing.batch_non_max_suppression.iou_threshold"], ["0.58"]),
    ("aspect_ratios", ["model.ssd.anchor_generator.multiscale_anchor_generator.aspect_ratios"], ["1.0", "3.0"]),
    ("batch_norm_decay", [f"{part}.conv_hyperparams.batch_norm.decay" for part in ("model.ssd.feature_extractor", PREDICTOR)], ["0.97"]),
    ("batch_norm_epsilon", [f"{part}.conv_hyperparams.batch_norm.epsilon" for part in ("model.ssd.feature_extractor", PREDICTOR)], ["0.002"]),
    ("gradient_clipping_by_norm", ["train_config.gradient_clipping_by_norm"], ["5.0"]),
    ("fine_tune_checkpoint", ["train_config.fine_tune_checkpoint"], ['"/zoo/ckpt-0"']),
    ("fine_tune_checkpoint_type", ["train_config.fine_tune_checkpoint_type"], ['"full"']),
]  # fmt: skip

OWN = """# my own
model: <
  ssd < num_classes : 90;  # COCO's
    feature_extractor { type: 'ssd_mobilenet_v2_fpn_keras', min_depth: 16 conv_hyperparams { activation: RELU_6, } }
    image_resizer { fixed_shape_resizer { height: 320, width: 300 } }
    anchor_generator { multiscale_anchor_generator { aspect_ratios: [1.0, 2.0, .5]; scales_per_octave: 0x2 } }
    box_coder { faster_rcnn_box_coder {} } similarity_calculator { iou_similarity {} }
    matcher { argmax_matcher { matched_threshold: 0.5f } }
    box_predictor { weight_shared_convolutional_box_predictor { depth: 64 conv_hyperparams { regularizer { l2_regularizer {} } initializer { random_normal_initializer {} } } } }
    post_processing { batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: .45 max_detections_per_class: 50 max_total_detections: 50 } score_converter: SIGMOID }
    loss { localization_loss { weighted_smooth_l1 {} } classification_loss { weighted_sigmoid_focal {} } }
  >
>
train_config {
  batch_size: 128
  num_steps: 50000
  data_augmentation_options { random_rgb_to_gray { probability: .3 } }
  data_augmentation_options { random_adjust_hue <> }
  optimizer { momentum_optimizer { learning_rate { cosine_decay_learning_rate {
    learning_rate_base: .08 total_steps: 50000 warmup_learning_rate: .026666 warmup_steps: 100 } } } use_moving_average: f }
  fine_tune_checkpoint: "PATH_TO_BE" '_CONFIGURED/ckpt-0'
  fine_tune_checkpoint_type: "classification"
  freeze_variables: "FeatureExtractor/Mobilenet.*"
}
train_config { fine_tune_checkpoint_version: V2 }
train_input_reader: { label_map_path: "PATH/map.txt" shuffle_buffer_size: 64
  tf_record_input_reader { input_path: ["a/x-?????-of-00256", 'b/y'] } sample_from_datasets_weights: [1, 2] }
eval_config { metrics_set: "coco_detection_metrics" num_examples: 7 }
eval_input_reader { label_map_path: "PATH/map.txt" num_epochs: 1 tf_record_input_reader { input_path: "PATH/val" } }
eval_input_reader { label_map_path: "PATH/map.txt" tf_record_input_reader { input_path: "PATH/more" } }
"""  # fmt: skip


def fields(text: str) -> dict[str, list[str]]:
    """Dotted field -> its values as written, in order."""
    found: dict[str, list[str]] = {}

    def collect(message: Message, prefix: str) -> None:
        for one in message.fields:
            if isinstance(one.value, str):
                found.setdefault(prefix + one.name, []).append(one.value)
            elif one.value.fields:
                collect(one.value, f"{prefix}{one.name}.")
            else:
                found.setdefault(prefix + one.name, []).append("{}")

    collect(parse(text), "")
    return found


def ours(model: str = SMALL, paths: Paths = PATHS, boxes: int = 100, **train: Any) -> str:
    return pipeline_config(model, check_train(model, train), len(NAMES), paths, boxes)


def own(folder: Path, text: str | bytes = OWN, paths: Paths = PATHS, boxes: int = 100, **train: Any) -> str:
    file = folder / "own.config"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    checked = check_train(SMALL, {"pipeline_config": str(file), "steps": 400, "batch": 4, **train})
    return own_pipeline_config(file, checked, NAMES, paths, boxes)


class TestOurs:
    @pytest.mark.parametrize(("key", "where", "values"), [pytest.param(*row, id=row[0]) for row in FIELDS])
    def test_every_setting_arrives_in_its_field(self, key: str, where: list[str], values: list[str]) -> None:
        paths = Paths(PATHS.label_map, PATHS.train, PATHS.val, "/zoo/ckpt-0")
        before = fields(ours(paths=paths))
        after = fields(ours(paths=paths, **TURNED))
        assert key in TURNED
        for field in where:
            assert after[field] == values
            assert before[field] != values or key == "fine_tune_checkpoint"

    @pytest.mark.parametrize("key", ["random_horizontal_flip", "random_crop_image"])
    def test_augmentations_are_there_just_if_asked_for(self, key: str) -> None:
        assert any(f"data_augmentation_options.{key}" in field for field in fields(ours()))
        assert not any(f"data_augmentation_options.{key}" in field for field in fields(ours(**{key: False})))

    def test_all_settings_are_in_a_field(self) -> None:
        said = {row[0] for row in FIELDS} | {"random_horizontal_flip", "random_crop_image"}
        assert set(check_train(SMALL, TURNED)) - said == {"seed", "checkpoint_every"}  # which the child is told

    @pytest.mark.parametrize(
        ("model", "extractor", "size", "depth", "decay"),
        [
            (SMALL, '"ssd_mobilenet_v2_fpn_keras"', "320", "128", "0.00004"),
            ("ssd_mobilenet_v2_fpnlite_640x640", '"ssd_mobilenet_v2_fpn_keras"', "640", "128", "0.00004"),
            ("ssd_resnet50_v1_fpn_640x640", '"ssd_resnet50_v1_fpn_keras"', "640", "256", "0.0004"),
        ],
    )
    def test_the_three_models(self, model: str, extractor: str, size: str, depth: str, decay: str) -> None:
        said = fields(ours(model))
        assert said["model.ssd.feature_extractor.type"] == [extractor]
        assert said["model.ssd.image_resizer.fixed_shape_resizer.height"] == [size]
        assert said["model.ssd.image_resizer.fixed_shape_resizer.width"] == [size]
        assert said["model.ssd.feature_extractor.fpn.additional_layer_depth"] == [depth]
        assert said[f"{PREDICTOR}.depth"] == [depth]
        assert said[f"{PREDICTOR}.conv_hyperparams.regularizer.l2_regularizer.weight"] == [decay]
        assert said[f"{PREDICTOR}.class_prediction_bias_init"] == ["-4.6"]
        assert said["model.ssd.num_classes"] == ["2"]

    def test_data_and_evaluation(self) -> None:
        said = fields(ours())
        for reader, record in (("train_input_reader", "train"), ("eval_input_reader", "val")):
            assert said[f"{reader}.label_map_path"] == ['"/data/label_map.pbtxt"']
            assert said[f"{reader}.tf_record_input_reader.input_path"] == [f'"/data/{record}.record"']
        assert said["eval_config.metrics_set"] == ['"coco_detection_metrics"']
        assert said["eval_config.batch_size"] == ["1"]
        assert said["eval_input_reader.num_epochs"] == ["1"]
        assert not any("fine_tune" in field for field in said)

    def test_without_val_nothing_is_read_for_it(self) -> None:
        said = fields(ours(paths=Paths(PATHS.label_map, PATHS.train, None)))
        assert not any(field.startswith("eval_input_reader") for field in said)
        assert "eval_config.metrics_set" in said

    def test_a_checkpoint_comes_with_its_type_and_version(self) -> None:
        said = fields(ours(paths=Paths(PATHS.label_map, PATHS.train, None, "/zoo/가 나/ckpt-0")))
        found = {field.partition(".")[2]: value for field, (value, *_) in said.items() if "fine_tune" in field}
        assert found == {
            "fine_tune_checkpoint": '"/zoo/가 나/ckpt-0"',
            "fine_tune_checkpoint_type": '"detection"',
            "fine_tune_checkpoint_version": "V2",
        }

    @pytest.mark.parametrize(("boxes", "kept"), [(0, "100"), (100, "100"), (364, "364")])
    def test_all_boxes_of_a_picture_have_room(self, boxes: int, kept: str) -> None:
        said = fields(ours(boxes=boxes))
        found = {field: value for field, value in said.items() if field.endswith("max_number_of_boxes")}
        assert found == {
            f"{part}.max_number_of_boxes": [kept]
            for part in ("train_config", "train_input_reader", "eval_input_reader")
        }  # fmt: skip

    def test_the_same_settings_give_the_same_text(self) -> None:
        assert ours(**TURNED) == ours(**dict(reversed(TURNED.items())))

    def test_a_path_that_is_no_unicode_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"^pipeline.config: '/data/\\udcff' is no Unicode"):
            ours(paths=Paths(PATHS.label_map, "/data/\udcff", None))


class TestOwn:
    def test_nothing_changes_but_paths_classes_batch_and_steps(self, tmp_path: Path) -> None:
        before, after = fields(OWN), fields(own(tmp_path))
        changed = {key: after.get(key) for key in before | after if before.get(key) != after.get(key)}
        records = "tf_record_input_reader.input_path"
        assert changed == {
            "model.ssd.num_classes": ["2"],
            "train_config.batch_size": ["4"],
            "train_config.num_steps": ["400"],
            f"{RATE}.total_steps": ["400"],
            "train_config.fine_tune_checkpoint": None,
            "train_config.fine_tune_checkpoint_type": None,
            "train_config.fine_tune_checkpoint_version": None,
            "train_input_reader.label_map_path": ['"/data/label_map.pbtxt"'],
            f"train_input_reader.{records}": ['"/data/train.record"'],
            "train_input_reader.sample_from_datasets_weights": None,
            "eval_input_reader.label_map_path": ['"/data/label_map.pbtxt"'],
            f"eval_input_reader.{records}": ['"/data/val.record"'],
        }

    def test_repeated_fields_keep_their_order(self, tmp_path: Path) -> None:
        augmentations = (parse(own(tmp_path)).message("train_config") or Message()).messages(
            "data_augmentation_options"
        )
        assert [one.fields[0].name for one in augmentations] == ["random_rgb_to_gray", "random_adjust_hue"]

    @pytest.mark.parametrize(
        ("schedule", "steps", "total"),
        [
            pytest.param("num_steps: 900 X { total_steps: 900 }", 400, ["400"], id="as long as training"),
            pytest.param("X { total_steps: 900 }", 400, ["400"], id="training of no said length"),
            pytest.param("num_steps: 900 X { total_steps: 700 }", 400, ["700"], id="longer by intent"),
            pytest.param("num_steps: 100 X { total_steps: 90 }", 100, ["90"], id="shorter by intent"),
            pytest.param("num_steps: 2 X { hold_base_rate_steps: 9 }", 2, None, id="the API's own length, unsaid"),
        ],
    )
    def test_a_schedule_that_ends_with_training_still_does(
        self, tmp_path: Path, schedule: str, steps: int, total: list[str] | None
    ) -> None:
        rate = "optimizer { use_moving_average: false adam_optimizer { learning_rate { cosine_decay_learning_rate { warmup_steps: 3"
        text = f"model {{ ssd {{}} }} train_config {{ {schedule.replace('X {', rate)} }} }} }} }}"
        said = fields(own(tmp_path, text, steps=steps))
        where = "train_config.optimizer.adam_optimizer.learning_rate.cosine_decay_learning_rate.total_steps"
        assert (said.get(where), said["train_config.num_steps"]) == (total, [str(steps)])

    @pytest.mark.parametrize(("asked", "kind"), [(None, '"classification"'), ("full", '"full"')])
    def test_another_checkpoint_keeps_the_type_unless_one_is_asked_for(
        self, tmp_path: Path, asked: str | None, kind: str
    ) -> None:
        train = {"fine_tune_checkpoint_type": asked} if asked else {}
        paths = Paths(PATHS.label_map, PATHS.train, None, "/zoo/ckpt-0")
        said = fields(own(tmp_path, paths=paths, **train))
        assert said["train_config.fine_tune_checkpoint"] == ['"/zoo/ckpt-0"']
        assert said["train_config.fine_tune_checkpoint_type"] == [kind]
        assert said["train_config.fine_tune_checkpoint_version"] == ["V2"]

    def test_evaluation_is_added_where_the_file_has_none(self, tmp_path: Path) -> None:
        said = fields(own(tmp_path, "model { ssd {} }"))
        assert said["eval_input_reader.tf_record_input_reader.input_path"] == ['"/data/val.record"']
        assert said["eval_input_reader.shuffle"] == ["false"]

    @pytest.mark.parametrize("architecture", ["faster_rcnn", "center_net"])
    def test_other_architectures_are_passed_on(self, tmp_path: Path, architecture: str) -> None:
        assert fields(own(tmp_path, f"model {{ {architecture} {{}} }}"))[f"model.{architecture}.num_classes"] == ["2"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param("", "its model is none of ssd, faster_rcnn, center_net, where one must be", id="empty"),
            pytest.param("a: 1", "its model is none of ssd", id="other protobuf text"),
            pytest.param("model { ssd {} faster_rcnn {} }", "its model is ssd and faster_rcnn", id="two models"),
            pytest.param("model: 3", "its model is none of", id="a number for a model"),
            pytest.param("nc: 3\nnames:\n- a", "is no pipeline.config: line 3: expected", id="YAML"),
            pytest.param(b"\xff\xfe\x00", "is not UTF-8", id="not UTF-8"),
            pytest.param("model {" * 1000, "is no pipeline.config: it is nested deeper than 100", id="deep"),
            pytest.param(b"#" * 2**21, "is no pipeline.config: 2097152 bytes are too many", id="large"),
            pytest.param('model { ssd { feature_extractor { type: "ssd_efficientnet-b0_bifpn_keras" } } }', "its model is EfficientDet (ssd_efficientnet-b0_bifpn_keras), which the API's environment cannot build", id="EfficientDet"),
            pytest.param("model { ssd { feature_extractor { type: 3 } } }", "3 is no text in quotes", id="a number for a name"),
            pytest.param("model { ssd {} } train_config { num_steps: many }", "many is no number", id="a word for a number"),
            pytest.param("model { ssd {} } train_config { num_steps: inf }", "num_steps is inf", id="infinite steps"),
            pytest.param(OWN.replace("use_moving_average: f", ""), "its optimizer averages weights (use_moving_average is on unless it is turned off)", id="averages, unsaid"),
            pytest.param(OWN.replace("average: f", "average: true"), "its optimizer averages weights", id="averages"),
            pytest.param("model { ssd {} } train_config { optimizer { use_moving_average: 0 adam_optimizer { learning_rate { cosine_decay_learning_rate {} } } } }", "its learning rate warms up for 10000 steps, and its schedule has 400", id="default warm-up"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named(self, tmp_path: Path, text: str | bytes, said: str) -> None:
        with pytest.raises(InputError) as caught:
            own(tmp_path, text)
        assert caught.value.where == str(tmp_path / "own.config")
        assert caught.value.reason.startswith(said)
        assert caught.value.remedy

    @pytest.mark.parametrize("name", [".", "gone.config", "no/such/folder.config", "a\0b"])
    def test_what_is_no_file_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match=r"(is no file|there is no such file)\. Name a pipeline\.config"):
            own_pipeline_config(tmp_path / name, {"steps": 1, "batch": 1}, NAMES, PATHS)

    @pytest.mark.parametrize(
        ("said", "steps", "batch"),
        [
            pytest.param({}, "50000", "128", id="the file's own"),
            pytest.param({"batch": 4}, "50000", "4", id="another batch"),
            pytest.param({"steps": 400}, "400", "128", id="other steps"),
        ],
    )
    def test_its_own_steps_and_batch_stand_unless_others_are_said(
        self, tmp_path: Path, said: dict[str, int], steps: str, batch: str
    ) -> None:
        (tmp_path / "own.config").write_text(OWN)
        checked = check_train(SMALL, {"pipeline_config": "own.config", **said})
        found = fields(own_pipeline_config(tmp_path / "own.config", checked, NAMES, PATHS))
        assert found["train_config.num_steps"] == [steps]
        assert found["train_config.batch_size"] == [batch]

    @pytest.mark.parametrize(
        ("line", "instead", "reason"),
        [
            pytest.param("num_steps: 50000", "", "does not say num_steps, as a number above 0", id="no steps: for ever"),
            pytest.param("batch_size: 128", "batch_size: 0", "does not say batch_size, as a number above 0", id="batch of 0"),
        ],
    )  # fmt: skip
    def test_what_nobody_says_is_asked_for(self, tmp_path: Path, line: str, instead: str, reason: str) -> None:
        (tmp_path / "own.config").write_text(OWN.replace(line, instead))
        with pytest.raises(InputError) as caught:
            own_pipeline_config(tmp_path / "own.config", {"pipeline_config": "own.config"}, NAMES, PATHS)
        assert caught.value.reason == reason

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes on this system")
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="is no file"):
            own_pipeline_config(tmp_path / "pipe", {"steps": 1, "batch": 1}, NAMES, PATHS)

    def test_a_mark_of_byte_order_is_no_fault(self, tmp_path: Path) -> None:
        assert own(tmp_path, "\ufeff" + OWN) == own(tmp_path)

    def test_a_reader_that_would_leave_boxes_out_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(
            InputError,
            match=r"its train_input_reader keeps 100 boxes of a picture, .* has 101\. Write max_number_of_boxes: 101",
        ):
            own(tmp_path, boxes=101)
        room = OWN.replace("label_map_path", "max_number_of_boxes: 101 label_map_path")
        assert "max_number_of_boxes: 101" in own(tmp_path, room, boxes=101)

    @pytest.mark.parametrize(
        ("reader", "val"),
        [
            pytest.param("train_input_reader", None, id="none for training"),
            pytest.param("eval_input_reader", "/data/val.record", id="none for evaluation"),
        ],
    )
    def test_the_limit_of_a_reader_that_is_not_there_counts_too(
        self, tmp_path: Path, reader: str, val: str | None
    ) -> None:
        text = "model { ssd {} }" + ("train_input_reader { max_number_of_boxes: 200 }" if val else "")
        with pytest.raises(InputError, match=f"its {reader} keeps 100 boxes of a picture, .* has 101"):
            own(tmp_path, text, Paths(PATHS.label_map, PATHS.train, val), boxes=101)

    @given(st.data())
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_a_damaged_file_is_read_or_refused(self, tmp_path: Path, data: st.DataObject) -> None:
        tokens = OWN.split(" ")
        at = data.draw(st.integers(0, len(tokens) - 1))
        tokens[at : at + data.draw(st.integers(0, 5))] = [
            data.draw(st.sampled_from(["{", "}", "x", "1", '"a"', "", "[", "\0", ":"]))
        ]
        with suppress(InputError):
            parse(own(tmp_path, " ".join(tokens)))


class TestLabelMaps:
    @pytest.mark.parametrize(
        ("text", "there"),
        [
            pytest.param(label_map_text(["충치", "caries"]), "1 충치, 2 caries", id="another order"),
            pytest.param(label_map_text(["caries"]), "1 caries", id="fewer"),
            pytest.param(label_map_text([*NAMES, "normal"]), "1 caries, 2 충치, 3 normal", id="more"),
            pytest.param("item { id: 2 name: 'caries' } item { id: 3 name: '충치' }", "2 caries, 3 충치", id="other numbers"),
        ],
    )  # fmt: skip
    def test_one_that_disagrees_with_the_attempt_is_refused(self, tmp_path: Path, text: str, there: str) -> None:
        (tmp_path / "PATH").mkdir()
        (tmp_path / "PATH" / "map.txt").write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as caught:
            own(tmp_path)
        assert caught.value.reason == (
            f"its label map PATH/map.txt has the classes {there}; the attempt has 1 caries, 2 충치"
        )

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(label_map_text(NAMES), id="the same"),
            pytest.param("item { id: 2 name: 'b' display_name: '충치' } item { id: 1 name: 'caries' }", id="names to show"),
            pytest.param("item { id: 0 name: 'background' }" + label_map_text(NAMES), id="a background"),
            pytest.param("no label map", id="no label map"),
            pytest.param("", id="empty"),
        ],
    )  # fmt: skip
    def test_one_that_agrees_or_cannot_be_read_is_no_fault(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "PATH").mkdir()
        (tmp_path / "PATH" / "map.txt").write_text(text, encoding="utf-8")
        assert '"/data/label_map.pbtxt"' in own(tmp_path)

    @pytest.mark.parametrize("named", ["/dev/zero", "a" * 5000, "/srv/" + "a" * 300, "a\\0b"])
    def test_what_can_be_no_label_map_is_not_read(self, tmp_path: Path, named: str) -> None:
        assert own(tmp_path, OWN.replace("PATH/map.txt", named))

    def test_many_classes_are_shown_in_short(self, tmp_path: Path) -> None:
        (tmp_path / "PATH").mkdir()
        (tmp_path / "PATH" / "map.txt").write_text(label_map_text([f"c{n}" for n in range(90)]))
        with pytest.raises(InputError, match=r"9 c8, 10 c9 … \(90 in all\); the attempt has 1 caries"):
            own(tmp_path)


class TestDescribed:
    @pytest.mark.parametrize(("model", "size"), [(name, facts.size) for name, facts in MODELS.items()])
    def test_of_ours(self, model: str, size: int) -> None:
        extractor = "ssd_resnet50_v1_fpn_keras" if "resnet" in model else "ssd_mobilenet_v2_fpn_keras"
        assert described(ours(model, iou_threshold=0.58)) == Described(
            extractor, "fixed_shape_resizer", size, size, 0.58, "", 2000, 8
        )

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param(OWN, Described("ssd_mobilenet_v2_fpn_keras", "fixed_shape_resizer", 320, 300, 0.45, "PATH_TO_BE_CONFIGURED/ckpt-0", 50000, 128), id="a user's own"),
            pytest.param("model { ssd { image_resizer { fixed_shape_resizer {} } } }", Described("ssd", "fixed_shape_resizer", 300, 300, 0.6, "", 0, 0), id="the API's defaults"),
            pytest.param("model { ssd { image_resizer { fixed_shape_resizer { height: 320 width: 640 } } } }", Described("ssd", "fixed_shape_resizer", 320, 640, 0.6, "", 0, 0), id="rectangles"),
            pytest.param("model { ssd { image_resizer { conditional_shape_resizer { size_threshold: 500 } } } }", Described("ssd", "conditional_shape_resizer", 500, 500, 0.6, "", 0, 0), id="one side"),
            pytest.param("model { faster_rcnn { num_classes: 2 image_resizer { keep_aspect_ratio_resizer { max_dimension: 900 } } feature_extractor { type: 'x' } second_stage_post_processing { batch_non_max_suppression { iou_threshold: 0.7 } } } }", Described("x", "keep_aspect_ratio_resizer", 900, 900, 0.7, "", 0, 0), id="Faster R-CNN"),
            pytest.param("model { center_net { image_resizer { identity_resizer {} } } }", Described("center_net", "identity_resizer", 0, 0, 1.0, "", 0, 0), id="CenterNet"),
        ],
    )  # fmt: skip
    def test_of_others(self, text: str, expected: Described) -> None:
        assert described(text) == expected

    def test_its_size_is_the_longer_side(self) -> None:
        text = "model { ssd { image_resizer { fixed_shape_resizer { height: 320 width: 640 } } } }"
        assert described(text).size == described(text.replace("640", "200").replace("320", "640")).size == 640

    @pytest.mark.parametrize("text", ["", "model {", "model { ssd {} }", "model { ssd { image_resizer: 3 } }"])
    def test_what_is_none_is_refused(self, text: str) -> None:
        with pytest.raises(InputError, match=r"^pipeline\.config: "):
            described(text)


class TestPortable:
    def test_of_every_path_the_name_of_the_file_is_left(self) -> None:
        text = OWN.replace("PATH/val", r"C:\\Users\\kim\\val").replace("num_examples: 7", 'export_path: "/home/kim/x"')
        before, after = fields(text), fields(portable_config(text))
        changed = {key: after.get(key) for key in before | after if before.get(key) != after.get(key)}
        assert changed == {
            "train_config.fine_tune_checkpoint": ['"ckpt-0"'],
            "train_input_reader.label_map_path": ['"map.txt"'],
            "train_input_reader.tf_record_input_reader.input_path": ['"x-?????-of-00256"', '"y"'],
            "eval_input_reader.label_map_path": ['"map.txt"', '"map.txt"'],
            "eval_input_reader.tf_record_input_reader.input_path": ['"val"', '"more"'],
            "eval_config.export_path": ['"x"'],
        }

    def test_regular_expressions_are_no_paths(self) -> None:
        assert 'freeze_variables: "FeatureExtractor/Mobilenet.*"' in portable_config(OWN)

    def test_text_that_is_none_is_refused(self) -> None:
        with pytest.raises(InputError, match="line 1: expected"):
            portable_config("model {")


class TestRealAPI:
    """One run of the API for all: it takes seconds to be imported."""

    @pytest.fixture(scope="class")
    def answer(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("api")
        paths = Paths(PATHS.label_map, PATHS.train, PATHS.val, "/zoo/ckpt-0")
        texts = {model: ours(model) for model in MODELS}
        texts |= {"turned": ours(paths=paths, **TURNED), "before": OWN, "own": own(folder, paths=paths)}
        for name, text in texts.items():
            (folder / f"{name}.config").write_text(text, encoding="utf-8")
        files = {name: str(folder / f"{name}.config") for name in texts}
        return ask_api(folder, {"configs": files, "build": [*MODELS, "turned", "own"]})

    def test_it_builds_every_model(self, answer: Mapping[str, Any]) -> None:
        assert answer["built"] == {
            name: {"model": "SSDMetaArch", "classes": 2} for name in [*MODELS, "turned", "own"]
        }  # fmt: skip

    @pytest.mark.parametrize(("key", "where", "values"), [pytest.param(*row, id=row[0]) for row in FIELDS])
    def test_it_reads_every_setting_in_its_field(
        self, answer: Mapping[str, Any], key: str, where: list[str], values: list[str]
    ) -> None:
        for field in where:
            found: Any = answer["configs"]["turned"]
            for part in field.split("."):
                found = found[part]
            assert found == (TURNED[key] if key != "fine_tune_checkpoint" else "/zoo/ckpt-0")

    def test_it_reads_a_users_own_with_nothing_else_changed(self, answer: Mapping[str, Any]) -> None:
        expected = answer["configs"]["before"]
        expected["model"]["ssd"]["num_classes"] = 2
        training = expected["train_config"]
        training |= {"batch_size": 4, "num_steps": 400, "fine_tune_checkpoint": "/zoo/ckpt-0"}
        training["optimizer"]["momentum_optimizer"]["learning_rate"]["cosine_decay_learning_rate"]["total_steps"] = 400
        del expected["train_input_reader"]["sample_from_datasets_weights"]
        del expected["eval_input_reader"][1:]
        for reader, record in ((expected["train_input_reader"], "train"), (expected["eval_input_reader"][0], "val")):
            reader["label_map_path"] = "/data/label_map.pbtxt"
            reader["tf_record_input_reader"] = {"input_path": [f"/data/{record}.record"]}
        assert answer["configs"]["own"] == expected
