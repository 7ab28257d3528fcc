"""Runs from elsewhere: what their records, curves and scores are, and what is refused."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from yolo_pipeline.errors import FinishedError, InputError, UsageError
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.recipes.evaluate import evaluate_attempt
from yolo_pipeline.recipes.import_run import Imported, import_run
from yolo_pipeline.run import Run

HISTORY = Path(__file__).parents[2] / "docs" / "history"
JUDGED = Path(__file__).parents[1] / "data" / "judged"

YOLOV5_RESULTS = """\
               epoch,      train/box_loss,   metrics/precision,      metrics/recall,     metrics/mAP_0.5,metrics/mAP_0.5:0.95,        val/box_loss
                   0,                0.08,                 0.5,                 0.4,                 0.6,                0.25,                0.07
                   1,                0.06,                 0.6,                 0.5,                 0.7,                 0.5,                0.05
                   2,                0.05,                 0.7,                 0.6,                0.65,               0.375,                0.06
"""
YOLOV5_OPT = """\
weights: C:\\Users\\somebody\\yolov5x.pt
cfg: ''
data: data/food.yaml
hyp: data/hyps/hyp.scratch-low.yaml
epochs: 150
batch_size: 4
imgsz: 320
cache: null
device: '0'
multi_scale: false
optimizer: SGD
workers: 8
project: runs/train
freeze:
- 10
patience: 100
save_dir: runs\\train\\exp
"""
YOLOV5_HYP = "lr0: 0.01\nlrf: 0.1\nbox: 0.05\nobj: 1.0\nfliplr: 0.0\nmosaic: 1.0\n"
ULTRALYTICS_RESULTS = """\
epoch,time,train/box_loss,metrics/precision(B),metrics/recall(B),metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss
1,4.5,1.5,0.5,0.4,0.6,0.25,1.4
2,9.25,1.25,0.6,0.5,0.7,0.5,1.3
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def yolov5(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "음식 exp"
    (folder / "weights").mkdir(parents=True)
    (folder / "results.csv").write_text(YOLOV5_RESULTS, encoding="utf-8")
    (folder / "opt.yaml").write_text(YOLOV5_OPT, encoding="utf-8")
    (folder / "hyp.yaml").write_text(YOLOV5_HYP, encoding="utf-8")
    (folder / "weights" / "best.pt").write_bytes(b"abc")
    return folder


def one(found: list[Imported]) -> tuple[Run, dict[str, Any]]:
    (entry,) = found
    return entry.run, entry.run.record


def written(path: Path, content: object) -> Path:
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return path


def nothing_written(root: Path) -> bool:
    return not (root / "runs").exists() or not list((root / "runs").iterdir())


class TestFolders:
    def test_a_yolov5_run(self, root: Path, yolov5: Path) -> None:
        run, record = one(import_run(root, yolov5, 6))
        assert run.folder == root / "runs" / "attempt-6"
        assert run.finished
        assert run.imported
        assert record["title"] == "음식 exp"
        assert record["imported"] == {
            "kind": "yolov5",
            "weights": {
                "file": "weights/best.pt",
                "bytes": 3,
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            },
            "file": "음식 exp",
            "notes": [],
        }
        assert record["settings"] == {
            "attempt": 6, "title": "음식 exp", "base": None, "track": "yolo", "model": "yolov5x", "pretrained": True,
            "data": {}, "notes": "",
            "train": {"batch": 4, "epochs": 150, "fliplr": 0.0, "freeze": 10, "imgsz": 320, "lrf": 0.1,
                      "optimizer": "SGD", "patience": 100, "workers": 8},
        }  # fmt: skip
        assert record["told"] == {"hyp": {"box": 0.05, "obj": 1.0}}  # other scales than Ultralytics' box and cls
        assert record["training"] == {
            "used": {"imgsz": 320, "batch": 4, "epochs": 3, "best_epoch": 2, "device": "0"},
            "own_metrics": {
                "yolov5/precision": 0.6, "yolov5/recall": 0.5, "yolov5/mAP50": 0.7, "yolov5/mAP50_95": 0.5,
            },
        }  # fmt: skip
        assert (record["seconds"], record["versions"], record["changed"]) == ({}, {}, [])
        assert run.read_scores() == {}
        assert run.read_curves().columns["val/mAP50_95"] == (0.25, 0.5, 0.375)
        assert run.read_curves().columns["epoch"] == (1, 2, 3)
        assert sorted(file.name for file in run.folder.iterdir()) == ["curves.csv", "record.json", "scores.json"]

    def test_an_ultralytics_run_trained_from_scratch(self, root: Path, tmp_path: Path) -> None:
        folder = tmp_path / "train"
        folder.mkdir()
        written(folder / "results.csv", ULTRALYTICS_RESULTS)
        args = {"task": "detect", "model": "yolov8n.yaml", "pretrained": True, "epochs": 2, "batch": 16, "imgsz": 640}
        args |= {
            "lr0": 0.01,
            "weight_decay": 0.001,
            "save_dir": "/home/x",
            "conf": None,
            "hydra": {"run": {"dir": "."}},
        }
        written(folder / "args.yaml", args)
        _, record = one(import_run(root, folder, 1, title="양파 <b>"))
        assert (record["title"], record["settings"]["title"]) == ("양파 <b>", "양파 <b>")
        assert (record["settings"]["model"], record["settings"]["pretrained"]) == ("yolov8n", False)
        assert record["settings"]["train"] == {"batch": 16, "epochs": 2, "imgsz": 640, "weight_decay": 0.001}
        assert record["seconds"] == {"train": 9.25}
        assert record["training"]["own_metrics"]["ultralytics/mAP50_95"] == 0.5

    def test_results_alone(self, root: Path, yolov5: Path) -> None:
        _, record = one(import_run(root, yolov5 / "results.csv", 1))
        assert record["title"] == "음식 exp/results.csv"
        assert (record["settings"]["model"], record["settings"]["train"]) == (None, {})
        assert "told" not in record

    def test_a_setting_that_cannot_be_is_left_out_and_said(self, root: Path, yolov5: Path) -> None:
        written(yolov5 / "opt.yaml", {"weights": "", "cfg": "yolov5s.yaml", "imgsz": -5, "epochs": 3})
        (entry,) = import_run(root, yolov5, 1)
        assert entry.notes == ("settings that Ultralytics does not take are left out: imgsz -5",)
        assert entry.run.record["imported"]["notes"] == list(entry.notes)
        assert (entry.run.record["settings"]["model"], entry.run.record["settings"]["pretrained"]) == ("yolov5s", False)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("- a\n- b\n", id="a list"),
            pytest.param("", id="empty"),
            pytest.param("a: [", id="no YAML"),
            pytest.param("!!python/object/apply:os.system [ls]", id="code"),
        ],
    )
    def test_settings_that_cannot_be_read_stop_it(self, root: Path, yolov5: Path, text: str) -> None:
        written(yolov5 / "opt.yaml", text)
        with pytest.raises(InputError, match=r"or give results\.csv alone"):
            import_run(root, yolov5, 1)
        assert nothing_written(root)


class TestEvents:
    def test_train_and_eval(self, root: Path, tmp_path: Path) -> None:
        pytest.importorskip("tensorboard")
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        for part, step, tag, value in (
            ("train", 100, "Loss/total_loss", 0.5),
            ("train", 200, "Loss/total_loss", 0.25),
            ("eval", 200, "DetectionBoxes_Precision/mAP", 0.375),
        ):
            writer = EventFileWriter(str(tmp_path / "model" / part), filename_suffix=str(step))
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(step=step, wall_time=1000.0 + step, summary=summary))
            writer.close()
        run, record = one(import_run(root, tmp_path / "model", 3))
        assert record["imported"]["kind"] == "tfapi"
        assert (record["settings"]["track"], record["settings"]["train"]) == ("tfapi", {"steps": 200})
        assert record["training"]["own_metrics"] == {"tfapi/DetectionBoxes_Precision/mAP": 0.375}
        curves = run.read_curves().columns
        assert curves["step"] == (100, 200)
        assert math.isnan(curves["val/mAP50_95"][0])
        assert curves["val/mAP50_95"][1] == 0.375
        (file,) = (tmp_path / "model" / "eval").iterdir()
        _, record = one(import_run(root, file.rename(tmp_path / "renamed.log"), 4))
        assert record["training"]["own_metrics"] == {"tfapi/DetectionBoxes_Precision/mAP": 0.375}


class TestCoco:
    @pytest.fixture
    def pair(self) -> tuple[Path, Path]:
        return JUDGED / "val-truth.json", JUDGED / "val-detections.json"

    def test_it_is_judged_by_our_judge_and_can_be_judged_again(self, root: Path, pair: tuple[Path, Path]) -> None:
        truth, detections = pair
        run, record = one(import_run(root, detections, 2, truth=truth, split="val"))
        expected = judge(*load_pair(truth, detections))
        assert expected.mAP50 is not None
        assert run.read_scores() == {"val": expected}
        assert evaluate_attempt(root, 2, "val") == expected
        assert record["data"]["counts"]["val"]["images"] == expected.images
        assert record["data"]["counts"]["val"]["boxes"] == sum(record["data"]["counts"]["val"]["classes"].values())
        assert record["data"]["names"] == list(expected.classes)
        assert record["training"] == {"used": {}, "own_metrics": {}}

    def test_foreign_ids_and_names(self, root: Path, tmp_path: Path) -> None:
        truth = {
            "images": [{"id": "가", "file_name": "가.jpg"}, {"id": 7, "file_name": "b.jpg"}],
            "categories": [{"id": 90, "name": "양파"}],
            "annotations": [{"id": 1, "image_id": "가", "category_id": 90, "bbox": [10, 10, 20, 20]}],
        }
        results = [{"image_id": "가", "category_id": 90, "bbox": [10, 10, 20, 20], "score": 0.5}]
        gt, dt = tmp_path / "gt.json", tmp_path / "dt.json"
        gt.write_text(json.dumps(truth), encoding="utf-8")
        dt.write_text(json.dumps(results), encoding="utf-8")
        run, record = one(import_run(root, dt, 1, truth=gt))
        assert record["data"] == {
            "names": ["양파"],
            "counts": {"test": {"images": 2, "boxes": 1, "backgrounds": 1, "classes": {"양파": 1}}},
        }
        assert run.read_scores()["test"].mAP50 == pytest.approx(1)
        assert run.read_scores()["test"].correct == 1

    def test_scores_that_are_no_probabilities_are_refused_before_they_spoil_every_comparison(
        self, root: Path, pair: tuple[Path, Path], tmp_path: Path
    ) -> None:
        rows = json.loads(pair[1].read_text(encoding="utf-8"))
        rows[0]["score"] = 1.5
        logits = tmp_path / "logits.json"
        logits.write_text(json.dumps(rows), encoding="utf-8")
        with pytest.raises(InputError, match=r"logits\.json: scores reach out of 0\.\.1"):
            import_run(root, logits, 1, truth=pair[0])
        assert not (root / "runs").exists()

    def test_results_without_truth_and_truth_without_results(
        self, root: Path, pair: tuple[Path, Path], yolov5: Path
    ) -> None:
        with pytest.raises(UsageError, match=r"say --truth GT\.json, too"):
            import_run(root, pair[1], 1)
        with pytest.raises(UsageError, match="with these alone"):
            import_run(root, yolov5, 1, truth=pair[0])


class TestAnyPath:
    def test_a_run_is_never_overwritten(self, root: Path, yolov5: Path) -> None:
        run, _ = one(import_run(root, yolov5, 1))
        before = run.record_file.read_bytes()
        with pytest.raises(FinishedError, match="Give a free number: --attempt 2"):
            import_run(root, yolov5, 1, title="another")
        assert run.record_file.read_bytes() == before

    def test_the_same_input_gives_the_same_bytes(self, root: Path, yolov5: Path) -> None:
        run, _ = one(import_run(root, yolov5, 1))
        before = {file.name: file.read_bytes() for file in run.folder.iterdir()}
        shutil.rmtree(run.folder)
        one(import_run(root, yolov5, 1))
        assert {file.name: file.read_bytes() for file in run.folder.iterdir()} == before

    def test_a_path_in_the_project_is_noted_from_its_folder(self, root: Path) -> None:
        (root / "old").mkdir()
        written(root / "old" / "results.csv", YOLOV5_RESULTS)
        _, record = one(import_run(root, root / "old" / "results.csv", 1))
        assert record["imported"]["file"] == "old/results.csv"

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            pytest.param("missing", "there is no such file or folder", id="missing"),
            pytest.param("n" * 5000, "File name too long", id="a name that no disk takes"),
            pytest.param("best.pt", "is nothing that can be imported", id="weights"),
            pytest.param("empty", "holds neither a results.csv nor TensorBoard event files", id="empty folder"),
            pytest.param("any.csv", "has no column epoch", id="a CSV file of something else"),
        ],
    )
    def test_what_is_nothing(self, root: Path, tmp_path: Path, name: str, said: str) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "best.pt").write_bytes(b"x")
        written(tmp_path / "any.csv", "a,b\n1,2\n")
        with pytest.raises(InputError) as refused:
            import_run(root, tmp_path / name, 1)
        assert said in str(refused.value)
        assert nothing_written(root)

    def test_one_run_needs_a_number(self, root: Path, yolov5: Path) -> None:
        with pytest.raises(UsageError, match="--attempt N"):
            import_run(root, yolov5, None)
        assert nothing_written(root)


class TestCommandLine:
    def test_it_says_what_came_in_and_what_to_type_next(self, root: Path, yolov5: Path, cli: Any) -> None:
        ended = cli("import-run", yolov5, "--attempt", 6, "--project", root)
        assert ended.code == 0
        assert (
            "attempt-6: 음식 exp: yolov5/precision 0.6, yolov5/recall 0.5, yolov5/mAP50 0.7, yolov5/mAP50_95 0.5"
            in ended.out
        )
        assert "python -m yolo_pipeline compare --project" in ended.out

    def test_notes_go_to_stderr(self, root: Path, tmp_path: Path, cli: Any) -> None:
        file = written(tmp_path / "t.csv", "map50,map50_95\n0.5,0.5\n0.6,0.4\n")
        ended = cli("import-run", file, "--attempt", 1, "--project", root)
        assert ended.code == 0
        assert "note: figures that look odd are taken as they are" in ended.err
        assert "compare 1 2 --project" in ended.out

    def test_errors_are_one_line(self, root: Path, tmp_path: Path, cli: Any) -> None:
        ended = cli("import-run", tmp_path / "none", "--attempt", 1, "--project", root)
        assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
        assert cli("import-run", tmp_path, "--project", root).code == 3
        assert cli("import-run", written(tmp_path / "results.csv", YOLOV5_RESULTS), "--project", root).code == 2
