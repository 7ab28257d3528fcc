"""The program of worker/ in the API's own environment: a few steps of its smallest model, and every way to fail.

Skipped where that environment is not there (`python -m yolo_pipeline setup-tfapi`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from real_api import ask_api

from yolo_pipeline.curves import events
from yolo_pipeline.errors import InputError
from yolo_pipeline.formats import tfrecord
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Truth
from yolo_pipeline.settings.tfapi import check_train
from yolo_pipeline.tfapi import environment
from yolo_pipeline.tfapi.child import Child
from yolo_pipeline.tfapi.pipeline import Paths, pipeline_config

MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
NAMES = ("빨강", "green")
LOSSES = {"Loss/classification_loss", "Loss/localization_loss", "Loss/regularization_loss", "Loss/total_loss"}
MAP = "DetectionBoxes_Precision/mAP"

Message = dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """A finished training of four steps: its folder, and what was heard of it."""

    data: Path
    folder: Path
    messages: list[Message]

    @property
    def done(self) -> Message:
        done: Message = self.messages[-1]["done"]
        return done

    def steps(self) -> list[Message]:
        return [message for message in self.messages if "step" in message]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures to train on and three to evaluate, as records, with their label map."""
    try:
        environment.python()
    except InputError as error:
        pytest.skip(f"the API's environment is not here: {error}")
    folder = tmp_path_factory.mktemp("data") / "자료 1"
    folder.mkdir()
    images = tuple(_drawn(folder / f"{number}.png", number) for number in range(11))
    tfrecord.write(Dataset(NAMES, images), folder)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    return Trained(data, folder, heard("train", job(data, folder, steps=4, every=2), folder))


def worth(evaluated: Message) -> tuple[float, int]:
    """Of two steps that found nothing the later is the better one."""
    value, step = evaluated["metrics"][MAP], evaluated["evaluated"]
    return value, -step if value > 0 else step


def _drawn(file: Path, number: int) -> ImageRecord:
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 60, size=(96, 128, 3), dtype=np.uint8)
    x, y = (int(value) for value in rng.integers(0, 48, size=2))
    pixels[y : y + 48, x : x + 48] = ((230, 40, 40), (40, 230, 40))[number % 2]
    Image.fromarray(pixels).save(file)
    truth = Truth(Box(x, y, x + 48, y + 48), NAMES[number % 2])
    return ImageRecord(file, file.name, 128, 96, ".png", (truth,), split="train" if number < 8 else "val")


def job(data: Path, folder: Path, *, steps: int, every: int = 2, val: int = 3, **others: Any) -> Message:
    """What the worker is told; its config is written into the folder."""
    told = check_train(MODEL, {"steps": steps, "batch": 2, "warmup_steps": 0} | others.pop("train", {}))
    told |= others.pop("unchecked", {})
    paths = Paths(data / "label_map.pbtxt", str(data / "train.record"), str(data / "val.record"))
    paths = Paths(paths.label_map, others.pop("records", paths.train), paths.val, others.pop("checkpoint", None))
    config = folder / "pipeline.config"
    config.write_text(pipeline_config(MODEL, told, others.pop("classes", len(NAMES)), paths), encoding="utf-8")
    plain = {"config": config, "model_dir": folder, "steps": steps, "checkpoint_every": every}
    return {**plain, "seed": 0, "device": "cpu", "val": val, "names": NAMES, **others}


def heard(task: str, job: Mapping[str, Any], folder: Path) -> list[Message]:
    with Child(task, job, folder / "worker.log") as child:
        return list(child.messages())


def fault(task: str, job: Mapping[str, Any], folder: Path) -> str:
    """The one line that a task fails with, without the path of the log."""
    with pytest.raises(InputError) as caught:
        heard(task, job, folder)
    said = str(caught.value)
    assert said.startswith(f"{folder / 'worker.log'}: ")
    assert "\n" not in said
    return said.removeprefix(f"{folder / 'worker.log'}: ")


@pytest.mark.slow
class TestTrain:
    def test_every_step_is_told(self, trained: Trained) -> None:
        steps = trained.steps()
        assert [(line["step"], line["of"]) for line in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
        assert all(line["losses"].keys() == LOSSES for line in steps)
        assert steps[-1]["learning_rate"] == 0  # the cosine has come to its end
        parts = {tag: loss for tag, loss in steps[0]["losses"].items() if tag != "Loss/total_loss"}
        assert steps[0]["losses"]["Loss/total_loss"] == pytest.approx(sum(parts.values()), rel=1e-5)

    def test_val_is_evaluated_at_every_checkpoint(self, trained: Trained) -> None:
        evaluated = [message for message in trained.messages if "evaluated" in message]
        assert [message["evaluated"] for message in evaluated] == [2, 4]
        assert all(message["metrics"].keys() > {MAP, "DetectionBoxes_Recall/AR@100", *LOSSES} for message in evaluated)
        best = max(evaluated, key=worth)
        assert (trained.done["best_step"], trained.done["metrics"]) == (best["evaluated"], best["metrics"])

    def test_what_is_left(self, trained: Trained) -> None:
        best = trained.done["best_step"]
        whole = [f"ckpt-{best}.data-00000-of-00001", f"ckpt-{best}.index"]
        assert sorted(file.name for file in (trained.folder / "best").iterdir()) == whole
        assert trained.done["checkpoint"] == str(trained.folder / "best" / f"ckpt-{best}")
        assert sorted(file.name for file in trained.folder.glob("*.index")) == ["ckpt-2.index", "ckpt-4.index"]
        log = [json.loads(line) for line in (trained.folder / "log.jsonl").read_text("utf-8").splitlines()]
        assert log == [message for message in trained.messages if "step" in message or "evaluated" in message]
        assert (trained.done["step"], trained.done["device"], trained.done["interrupted"]) == (4, "cpu", False)
        assert 2e6 < trained.done["parameters"] < 3e6

    def test_tensorboard_finds_the_apis_own_tags(self, trained: Trained) -> None:
        columns = events.read(trained.folder).curves.columns
        assert columns["step"] == (1, 2, 3, 4)
        told = [line["losses"]["Loss/classification_loss"] for line in trained.steps()]
        assert columns["train/cls_loss"] == pytest.approx(told)

    def test_a_checkpoint_taken_whole_goes_on_from_its_step(self, trained: Trained, tmp_path: Path) -> None:
        """In a folder whose name TensorFlow would take for a pattern, and without val: the last step is the best."""
        folder = tmp_path / "모델 [1]"
        folder.mkdir()
        start = {"checkpoint": trained.done["checkpoint"], "train": {"fine_tune_checkpoint_type": "full"}}
        began = trained.done["best_step"]
        messages = heard("train", job(trained.data, folder, steps=began + 1, every=1, val=0, **start), folder)
        assert [message["step"] for message in messages if "step" in message] == [began + 1]
        done = messages[-1]["done"]
        assert (done["best_step"], done["metrics"]) == (began + 1, {})

    def test_figures_of_the_users_own_choice_stand_beside_those_that_choose(
        self, trained: Trained, tmp_path: Path
    ) -> None:
        """Without COCO's the first checkpoint would be the best one. The step that it starts from is another run's."""
        start = {"checkpoint": trained.done["checkpoint"], "train": {"fine_tune_checkpoint_type": "full"}}
        began = trained.done["best_step"]
        told = job(trained.data, tmp_path, steps=began + 2, every=1, unchecked={"learning_rate_base": 0.0}, **start)
        config = told["config"].read_text("utf-8")
        assert config.count("coco_detection_metrics") == 1
        others = config.replace("coco_detection_metrics", "pascal_voc_detection_metrics")
        told["config"].write_text(others, encoding="utf-8")
        messages = heard("train", told, tmp_path)
        evaluated = [message for message in messages if "evaluated" in message]
        assert [message["evaluated"] for message in evaluated] == [began + 1, began + 2]
        assert all(message["metrics"].keys() > {MAP, "PascalBoxes_Precision/mAP@0.5IOU"} for message in evaluated)
        done = messages[-1]["done"]
        assert done["best_step"] == max(evaluated, key=worth)["evaluated"]
        assert done["checkpoint"] == str(tmp_path / "best" / f"ckpt-{done['best_step']}")

    @pytest.mark.parametrize(
        ("at", "least", "best_is_known"),
        [
            pytest.param("say", 4, False, id="before the first step"),
            pytest.param("step", 5, True, id="in training"),
        ],
    )
    def test_asked_to_stop_it_saves_where_it_is(
        self, trained: Trained, tmp_path: Path, at: str, least: int, best_is_known: bool
    ) -> None:
        folder = tmp_path / "run"
        shutil.copytree(trained.folder, folder)
        with Child("train", job(trained.data, folder, steps=400, every=200), folder / "worker.log") as child:
            heard_first = next(message for message in child.messages() if at in message)
            done = child.stop()
        assert heard_first[at] == {"say": "goes on from step 4", "step": 5}[at]
        assert done is not None
        assert done["interrupted"]
        assert done["step"] >= least
        assert (folder / f"ckpt-{done['step']}.index").is_file()
        assert done["best_step"] == (trained.done["best_step"] if best_is_known else None)


@pytest.mark.slow
class TestTrainFaults:
    def test_a_loss_that_is_no_number(self, trained: Trained, tmp_path: Path) -> None:
        """Until then, the same seed has brought the same pictures and weights."""
        wild = job(
            trained.data, tmp_path, steps=4, unchecked={"learning_rate_base": 1e20, "warmup_learning_rate": 1e20}
        )
        said = fault("train", wild, tmp_path)
        assert "training diverged: the loss is nan at step" in said
        assert said.endswith("Lower train.learning_rate_base")
        first = json.loads((tmp_path / "log.jsonl").read_text("utf-8").splitlines()[0])
        assert first["losses"] == pytest.approx(trained.steps()[0]["losses"], rel=1e-4)

    def test_a_checkpoint_of_other_classes(self, trained: Trained, tmp_path: Path) -> None:
        checkpoint = trained.done["checkpoint"]
        start = {"checkpoint": checkpoint, "train": {"fine_tune_checkpoint_type": "full"}, "classes": 5}
        said = fault("train", job(trained.data, tmp_path, steps=40, **start), tmp_path)
        assert said.startswith(f"{checkpoint} is of another model: model/_box_predictor/")
        assert " has the shape " in said
        assert said.endswith("Name a checkpoint of the same model, or start without one")

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            pytest.param({"checkpoint": "/nowhere/ckpt-0"}, "/nowhere/ckpt-0 is no checkpoint", id="no checkpoint"),
            pytest.param(
                {"records": "/nowhere/*.record"}, "there is no record file /nowhere/*.record", id="no records"
            ),
        ],
    )
    def test_what_is_not_there(self, data: Path, tmp_path: Path, wrong: Mapping[str, str], reason: str) -> None:
        assert fault("train", job(data, tmp_path, steps=2, **wrong), tmp_path).startswith(reason)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            pytest.param(b"", "the training records hold no picture", id="empty"),
            pytest.param(b"no record at all", "a file is damaged: ", id="damaged"),
        ],
    )
    def test_records_without_pictures(self, data: Path, tmp_path: Path, content: bytes, reason: str) -> None:
        (tmp_path / "train.record").write_bytes(content)
        told = job(data, tmp_path, steps=2, records=str(tmp_path / "train.record"))
        assert fault("train", told, tmp_path).startswith(reason)

    def test_a_config_that_the_api_does_not_know(self, data: Path, tmp_path: Path) -> None:
        told = job(data, tmp_path, steps=2)
        (tmp_path / "pipeline.config").write_text("model { ssd { wings: 2 } }", encoding="utf-8")
        said = fault("train", told, tmp_path)
        assert said.startswith("pipeline.config cannot be read by the API: 1:15 :")
        assert "wings" in said


def test_a_gpu_that_tensorflow_does_not_see(data: Path, tmp_path: Path) -> None:
    """However many there are: the 77th is not among them."""
    said = fault("train", job(data, tmp_path, steps=2, device="77"), tmp_path)
    assert said.startswith("the device 77 was asked for, and TensorFlow sees no such GPU. Say device: cpu, or type: ")


def test_an_unknown_task(data: Path, tmp_path: Path) -> None:
    assert fault("fly", {}, tmp_path).startswith("the worker knows no task fly")


@contextmanager
def asked(trained: Trained, folder: Path, **how: Any) -> Iterator[Child]:
    """A worker that answers with the boxes of the trained model, twenty a picture."""
    about = {"config": trained.folder / "pipeline.config", "checkpoint": trained.done["checkpoint"], "device": "cpu"}
    with Child("ask", {**about, "iou": 0.5, "most": 20, "conf": 0.0001, **how}, folder / "worker.log") as child:
        yield child


def found(child: Child, *pictures: npt.NDArray[np.uint8]) -> list[list[list[float]]]:
    answer: list[list[list[float]]] = child.ask(
        {"shapes": [picture.shape[:2] for picture in pictures]}, [picture.data for picture in pictures]
    )["found"]
    return answer


@pytest.mark.slow
class TestAsk:
    def test_boxes_are_in_pixels_of_each_picture(self, trained: Trained, tmp_path: Path) -> None:
        picture = np.array(Image.open(trained.data / "8.png"))
        high = np.repeat(picture, 3, axis=0)
        with asked(trained, tmp_path) as child:
            assert child.ready()["parameters"] == trained.done["parameters"]
            together = found(child, picture, high)
            alone = [found(child, picture)[0], found(child, high)[0]]
            none = found(child)
        assert none == []
        for one, same in zip(together, alone, strict=True):
            assert np.allclose(one, same, atol=0.01)
            scores = [row[5] for row in one]
            assert len(one) == 20
            assert scores == sorted(scores, reverse=True)
            assert {row[4] for row in one} <= {0, 1}
        small, tall = (np.array(rows)[:, :4] for rows in together)
        assert (small.min(), tall.min()) >= (0, 0)
        assert (small <= [128, 96, 128, 96]).all()
        assert (tall <= [128, 288, 128, 288]).all()
        assert tall[:, 3].max() > 96

    def test_another_model_than_the_checkpoints(self, trained: Trained, tmp_path: Path) -> None:
        job(trained.data, tmp_path, steps=2, classes=7)
        with (
            pytest.raises(InputError, match=r"is of another model: model/_box_predictor/.* has the shape"),
            asked(trained, tmp_path, config=tmp_path / "pipeline.config") as child,
        ):
            child.ready()


@pytest.mark.slow
def test_every_kind_of_model_is_told_how_to_choose_its_boxes(tmp_path: Path) -> None:
    """As fractions of the picture alone, whatever it was filled up with, and however its maker had them."""
    resizer = "image_resizer { keep_aspect_ratio_resizer { pad_to_max_dimension: true } }"
    padded = "post_processing { batch_non_max_suppression { change_coordinate_frame: false use_combined_nms: true } }"
    models = {"ssd": f"{resizer} {padded}", "faster_rcnn": resizer, "center_net": resizer}
    training = "train_config { optimizer { use_moving_average: false } }"
    files = {kind: str(tmp_path / f"{kind}.config") for kind in models}
    for kind, said in models.items():
        Path(files[kind]).write_text(f"model {{ {kind} {{ {said} }} }} {training}", encoding="utf-8")
    found = ask_api(tmp_path, {"configs": files, "asked": list(files)})["asked"]
    chosen = {
        "iou_threshold": 0.5, "max_detections_per_class": 7, "max_total_detections": 7, "score_threshold": 0.25,
        "change_coordinate_frame": True, "use_combined_nms": False,
    }  # fmt: skip
    assert found["ssd"]["ssd"]["post_processing"] == {"batch_non_max_suppression": chosen}
    assert found["faster_rcnn"]["faster_rcnn"]["second_stage_post_processing"] == {"batch_non_max_suppression": chosen}
    assert found["center_net"]["center_net"]["object_center_params"] == {"max_box_predictions": 7}


@pytest.mark.slow
class TestExport:
    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            pytest.param(
                {"target": "coreml"}, "there is no export to coreml. Choose one of saved_model, tflite", id="target"
            ),
            pytest.param(
                {"target": "tflite-int8"}, "whole numbers need pictures to measure their scale on", id="no samples"
            ),
            pytest.param(
                {"checkpoint": "/nowhere/ckpt-0"},
                "/nowhere/ckpt-0 is no checkpoint that TensorFlow can read",
                id="no checkpoint",
            ),
        ],
    )
    def test_what_cannot_be_written(
        self, trained: Trained, tmp_path: Path, wrong: Mapping[str, Any], reason: str
    ) -> None:
        about = {"config": trained.folder / "pipeline.config", "checkpoint": trained.done["checkpoint"]}
        told = {**about, "target": "saved_model", "out": tmp_path / "out", "samples": [], "device": "cpu"}
        assert fault("export", {**told, "iou": None, "most": 10, "conf": 0.1, **wrong}, tmp_path).startswith(reason)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("target", ["saved_model", "tflite"])
    def test_another_model_than_the_checkpoints(self, trained: Trained, tmp_path: Path, target: str) -> None:
        job(trained.data, tmp_path, steps=2, classes=7)
        about = {"config": tmp_path / "pipeline.config", "checkpoint": trained.done["checkpoint"], "device": "cpu"}
        told = {**about, "target": target, "out": tmp_path / "out", "samples": [], "iou": None, "most": 10, "conf": 0.1}
        said = fault("export", told, tmp_path)
        assert said.startswith(f"{trained.done['checkpoint']} is of another model: model/_box_predictor/")
