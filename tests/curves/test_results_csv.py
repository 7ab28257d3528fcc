"""results.csv of YOLOv5 and Ultralytics, whole and damaged."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.curves.ultralytics import read, read_classifier, read_results
from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Curves
from yolo_pipeline.run import Run

# as YOLOv5 7.0 pads it: 20 characters a column
YOLOV5 = """\
               epoch,      train/box_loss,      train/obj_loss,      train/cls_loss,   metrics/precision,      metrics/recall,     metrics/mAP_0.5,metrics/mAP_0.5:0.95,        val/box_loss,        val/obj_loss,        val/cls_loss,               x/lr0
                   0,            0.054363,           0.0032299,          3.1642e-05,                0.10,                0.20,                0.30,                0.10,             0.16634,           0.0097425,          9.6095e-05,                   0
                   1,            0.054303,             0.00305,           3.681e-05,                0.40,                0.50,                0.90,                0.20,             0.16496,           0.0091121,          9.6253e-05,          9.2361e-06
                   2,            0.054228,           0.0029046,            3.638e-5,                0.60,                0.70,                0.50,                0.23,               0.164,           0.0085247,          9.5762e-05,          1.4472e-05
"""
ULTRALYTICS = """\
epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/precision(B),metrics/recall(B),metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,val/cls_loss,val/dfl_loss,lr/pg0
1,4.5,1.1346,1.4327,1.2357,0.65743,0.53405,0.9,0.2,1.0844,1.1279,1.1264,8.33e-06
2,8.25,1.1106,1.3458,1.2384,0.6814,0.54133,0.5,0.23,1.0826,1.1037,1.1241,1.196e-05
"""
CLASSIFIER = """\
epoch,time,train/loss,metrics/accuracy_top1,metrics/accuracy_top5,val/loss,lr/pg0
1,22.5,1.08061,0.25,1,1.10763,0.002
2,40.25,0.82109,0.5,1,1.0977,0.001
"""


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        file = tmp_path / "results.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    return write


def read_or_refusal(file: Path) -> Curves | str:
    try:
        return read(file)
    except InputError as error:
        return str(error)


def test_yolov5_in_the_shared_names_with_epochs_from_1(table) -> None:
    found = read_results(table(YOLOV5))
    assert found.maker == "yolov5"
    assert found.notes == ()
    assert found.curves.columns == {
        "epoch": (1, 2, 3),
        "train/box_loss": (0.054363, 0.054303, 0.054228),
        "train/obj_loss": (0.0032299, 0.00305, 0.0029046),
        "train/cls_loss": (3.1642e-05, 3.681e-05, 3.638e-05),
        "val/precision": (0.1, 0.4, 0.6),
        "val/recall": (0.2, 0.5, 0.7),
        "val/mAP50": (0.3, 0.9, 0.5),
        "val/mAP50_95": (0.1, 0.2, 0.23),
        "val/box_loss": (0.16634, 0.16496, 0.164),
        "val/obj_loss": (0.0097425, 0.0091121, 0.0085247),
        "val/cls_loss": (9.6095e-05, 9.6253e-05, 9.5762e-05),
        "x/lr0": (0, 9.2361e-06, 1.4472e-05),
    }


def test_each_framework_has_its_own_best_epoch(table) -> None:
    """0.1 * 0.9 + 0.9 * 0.2 = 0.27 is above 0.1 * 0.5 + 0.9 * 0.23 = 0.257; by mAP50-95 alone the later one is best."""
    found = read_results(table(YOLOV5))
    assert found.best == 2
    assert found.own_metrics == {
        "yolov5/precision": 0.4, "yolov5/recall": 0.5, "yolov5/mAP50": 0.9, "yolov5/mAP50_95": 0.2,
    }  # fmt: skip
    found = read_results(table(ULTRALYTICS))
    assert (found.maker, found.best) == ("ultralytics", 2)
    assert found.own_metrics["ultralytics/mAP50"] == 0.5
    assert found.curves.columns["seconds"] == (4.5, 8.25)


def test_ultralytics_of_the_first_months_counts_from_0_and_knows_infinity(table) -> None:
    text = "epoch, metrics/mAP50(B), metrics/mAP50-95(B), val/cls_loss\n 0, 0.042, 0.01783, inf\n 1, , nan, 2\n"
    found = read_results(table(text))
    assert found.curves.columns["epoch"] == (1, 2)
    assert math.isnan(found.curves.columns["val/cls_loss"][0])
    assert (found.best, found.own_metrics) == (1, {"ultralytics/mAP50": 0.042, "ultralytics/mAP50_95": 0.01783})
    assert found.notes == ("3 figures are blank, nan or infinite, and shown as gaps",)


@pytest.mark.parametrize(
    ("tail", "epochs", "note"),
    [
        pytest.param("3,12,1.1", (1, 2), "the last line stops after 3 of 13 columns and is left out", id="half a line"),
        pytest.param(
            "2,8,1,1,1,1,1,1,1,1,1,1,1\n", (1, 2), "1 epochs stand there twice; the later ones count", id="epoch twice"
        ),
        pytest.param("\n\r\n  ,\n", (1, 2), None, id="blank lines"),
        pytest.param(
            "3,9,1,1,1,1,1,1,1,1,1,1,1",
            (1, 2, 3),
            "the last line has no line end: its last figure may be cut short",
            id="no line end",
        ),
    ],
)
def test_what_an_interrupted_training_leaves(table, tail: str, epochs: tuple[int, ...], note: str | None) -> None:
    found = read_results(table(ULTRALYTICS + tail))
    assert found.curves.columns["epoch"] == epochs
    assert note is None or note in found.notes


def test_no_epoch_with_a_map_has_no_best(table) -> None:
    found = read_results(table("epoch,metrics/mAP50(B),metrics/mAP50-95(B)\n1,nan,nan\n"))
    assert (found.best, found.own_metrics) == (None, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("\n \n", "is empty", id="blank"),
        pytest.param(ULTRALYTICS.splitlines()[0] + "\n", "holds no whole epoch", id="header alone"),
        pytest.param(ULTRALYTICS.splitlines()[0] + "\n1,2\n", "holds no whole epoch", id="half of the only epoch"),
        pytest.param(ULTRALYTICS.replace("1.1106", "soon"), "row 2: train/box_loss is 'soon', no number", id="a word"),
        pytest.param(
            ULTRALYTICS.replace("1.1346,", ""), "row 1 has 12 columns, the header 13", id="a cell less, and more rows"
        ),
        pytest.param(ULTRALYTICS.replace("\n2,", "\n2.5,"), "row 2: the epoch is 2.5", id="half an epoch"),
        pytest.param(ULTRALYTICS.replace("\n2,", "\n-2,"), "row 2: the epoch is -2", id="negative epoch"),
        pytest.param(ULTRALYTICS.replace("\n2,", "\nnan,"), "row 2: the epoch is nan", id="no epoch"),
        pytest.param(ULTRALYTICS.replace("\n2,", "\n1e300,"), "the epoch is 1e+300", id="huge epoch"),
        pytest.param(
            ULTRALYTICS.replace("metrics/mAP50-95(B)", "metrics/mAP"),
            "has no column metrics/mAP50-95(B)",
            id="another task",
        ),
        pytest.param(
            ULTRALYTICS.replace("train/cls_loss", "train/box_loss"),
            "has the column 'train/box_loss' twice",
            id="column twice",
        ),
        pytest.param(ULTRALYTICS.replace("lr/pg0", '"lr,pg0"'), "has a column named 'lr,pg0'", id="comma in a name"),
        pytest.param(
            ULTRALYTICS.replace("lr/pg0", "lr\x1bpg0"), "has a column named 'lr pg0'", id="control character in a name"
        ),
        pytest.param("image,label\na.jpg,cat\n", "has no column epoch", id="another table"),
        pytest.param(b"\xff\xfe\x00\x01", "is no text in UTF-8", id="no text"),
        pytest.param("\0\0\0", "has no column epoch", id="zeros"),
    ],
)
def test_what_is_refused(table, text: str | bytes, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_results(table(text))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "results.csv")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='epoch,0129.\n" -nai\0\u2028', max_size=80), st.integers(0, len(ULTRALYTICS)))
def test_no_text_ends_in_another_error(noise: str, at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "results.csv")
        file.write_text(ULTRALYTICS[:at] + noise + ULTRALYTICS[at:], encoding="utf-8")
        found = read_or_refusal(file)
    assert len(found) > 0
    assert not isinstance(found, str) or "\n" not in found


def test_curves_with_gaps_come_back_from_a_run(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.write_curves(Curves({"step": (100.0, 200.0), "train/cls_loss": (0.5, math.nan), "val/mAP50": (math.nan, 0.25)}))
    found = run.read_curves().columns
    assert list(found) == ["step", "train/cls_loss", "val/mAP50"]
    assert (found["step"], found["train/cls_loss"][0], found["val/mAP50"][1]) == ((100.0, 200.0), 0.5, 0.25)
    assert math.isnan(found["train/cls_loss"][1])
    assert math.isnan(found["val/mAP50"][0])


def test_a_classifier_in_the_shared_names(table) -> None:
    assert read_classifier(table(CLASSIFIER)).columns == {
        "epoch": (1, 2),
        "seconds": (22.5, 40.25),
        "train/loss": (1.08061, 0.82109),
        "val/accuracy": (0.25, 0.5),
        "val/accuracy_top5": (1, 1),
        "val/loss": (1.10763, 1.0977),
        "lr/pg0": (0.002, 0.001),
    }


def test_a_table_of_the_other_task_is_refused(table) -> None:
    with pytest.raises(InputError, match=r"has no column metrics/accuracy_top1\. Give the one .* for a classifier"):
        read_classifier(table(ULTRALYTICS))
    with pytest.raises(InputError, match=r"has no column metrics/mAP50\(B\)\. .* while it trains a detector"):
        read(table(CLASSIFIER))
