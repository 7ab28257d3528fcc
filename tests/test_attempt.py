"""attempts/N.yaml and data.yaml: what is inherited, what is refused, and how that is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import write_yaml

from yolo_pipeline.attempt import load
from yolo_pipeline.attempt_files import attempt_numbers
from yolo_pipeline.errors import AttemptError

SOURCES = [{"path": "raw", "format": "voc"}]


def _project(root: Path, **attempts: dict[str, Any]) -> Path:
    for name, content in attempts.items():
        write_yaml(root / "attempts" / f"{name.removeprefix('n')}.yaml", content)
    return root


def test_a_base_is_merged_by_key_lists_are_replaced_and_null_removes(tmp_path: Path) -> None:
    root = _project(
        tmp_path,
        n1={
            "model": "yolov8n",
            "data": {"sources": SOURCES, "classes": ["a", "b"], "rename": {"x": "a"}},
            "train": {"imgsz": 320, "mosaic": 0.5},
        },
        n2={"base": 1, "data": {"classes": ["b"], "rename": {"y": "b"}}, "train": {"imgsz": 640, "mosaic": None}},
    )
    attempt = load(root, 2)
    assert attempt.data.classes == ("b",)
    assert attempt.data.rename == {"x": "a", "y": "b"}
    assert attempt.train["imgsz"] == 640
    assert "mosaic" not in attempt.train
    assert attempt.model == "yolov8n"
    assert {key: (before, after) for key, before, after in attempt.changed} == {
        "data.classes": (["a", "b"], ["b"]),
        "data.rename.y": (None, "b"),
        "train.imgsz": (320, 640),
        "train.mosaic": (0.5, None),
    }


def test_title_and_notes_are_not_inherited(tmp_path: Path) -> None:
    root = _project(
        tmp_path,
        n1={"title": "one", "notes": "n", "model": "yolov8n", "data": {"sources": SOURCES}},
        n2={"base": 1},
    )
    assert (load(root, 2).title, load(root, 2).notes) == ("", "")


def test_what_an_attempt_leaves_out_comes_from_data_yaml(tmp_path: Path) -> None:
    write_yaml(
        tmp_path / "data.yaml", {"sources": SOURCES, "names": {1: "onion", 0: "chicken"}, "train": "images/train"}
    )
    attempt = load(_project(tmp_path, n1={"model": "yolov8n"}), 1)
    assert attempt.data.sources[0].path == "raw"
    assert attempt.data.classes == ("chicken", "onion")


def test_defaults_of_training(tmp_path: Path) -> None:
    attempt = load(_project(tmp_path, n1={"model": "yolov8n", "data": {"sources": SOURCES}}), 1)
    assert attempt.train == {"imgsz": 640, "batch": 16, "epochs": 100, "patience": 50, "workers": 4, "seed": 0}
    assert attempt.pretrained is True


def test_numbers_with_an_exponent_are_numbers(tmp_path: Path) -> None:
    root = _project(tmp_path, n1={"model": "yolov8n", "data": {"sources": SOURCES}, "train": {"lr0": "1e-3"}})
    assert load(root, 1).train["lr0"] == 0.001


def test_a_fault_of_the_command_line_is_said_of_it(tmp_path: Path) -> None:
    root = _project(tmp_path, n1={"model": "yolov8n", "data": {"sources": SOURCES}, "train": {"epochs": 3}})
    with pytest.raises(AttemptError, match=r"^command line: train\.epochs: is 0"):
        load(root, 1, {"epochs": 0})


def test_the_command_line_goes_before_the_files(tmp_path: Path) -> None:
    root = _project(tmp_path, n1={"model": "yolov8n", "data": {"sources": SOURCES}, "train": {"imgsz": 320}})
    assert load(root, 1, {"imgsz": 96}).train["imgsz"] == 96


def test_class_names_that_yaml_reads_as_numbers_are_words(tmp_path: Path) -> None:
    root = _project(tmp_path, n1={"model": "yolov8n", "data": {"sources": SOURCES, "classes": [0, 1, "닭고기"]}})
    assert load(root, 1).data.classes == ("0", "1", "닭고기")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param({"epochs": 3}, "attempts/2.yaml: epochs: no such key", id="a training key at the top"),
        pytest.param(
            {"train": {"imgzs": 320}},
            "attempts/2.yaml: train.imgzs: is no training setting of Ultralytics. Did you mean imgsz?",
            id="misspelt training key",
        ),
        pytest.param(
            {"data": {"clases": ["a"]}},
            "attempts/2.yaml: data.clases: no such key. Did you mean classes?",
            id="misspelt data key",
        ),
        pytest.param(
            {"train": {"epochs": 0}},
            "attempts/2.yaml: train.epochs: is 0. It must be a whole number above 0",
            id="impossible value",
        ),
        pytest.param(
            {"train": {"lr0": "high"}}, "attempts/2.yaml: train.lr0: is 'high'. It must be a number", id="wrong type"
        ),
        pytest.param({"train": {"data": "x.yaml"}}, "train.data: is not set here. Use data:", id="our own key"),
        pytest.param({"model": "yolov8q"}, "attempts/2.yaml: model: yolov8q is not known. Did you mean", id="model"),
        pytest.param({"model": "yolov8n-seg"}, "yolov8n-seg is not a detection model", id="model of another task"),
        pytest.param(
            {"data": {"split": {"train": 0.8, "val": 0.1, "test": 0.2}}},
            "attempts/2.yaml: data.split: train, val and test add up to 1.1, not to 1",
            id="split over 1",
        ),
        pytest.param(
            {"data": {"backgrounds": {"source": "bg", "share": 0.2}}},
            "attempts/2.yaml: data.backgrounds.share: is 0.2. It should be less than or equal to 0.1",
            id="too many backgrounds",
        ),
        pytest.param(
            {"data": {"sources": [{"path": "raw", "format": "vok"}]}},
            "format 'vok' is not known. Did you mean voc?",
            id="format",
        ),
        pytest.param({"data": {"classes": [True]}}, "put the class name in quotes", id="YAML's yes"),
        pytest.param(
            {"train": {"optimizer": "Adamm"}}, "train.optimizer: is 'Adamm'. It must be one of", id="optimizer"
        ),
        pytest.param({"train": {"freeze": "abc"}}, "train.freeze: is 'abc'", id="freeze"),
        pytest.param({"train": {"cls": float("nan")}}, "train.cls: is nan", id="NaN"),
        pytest.param({"train": {"box": -3}}, "train.box: is -3. It must be a number, 0 or above", id="negative gain"),
        pytest.param(
            {"data": {"resize": 640}},
            "data.resize: is 640. Write `resize: {size: 640, mode: stretch}`, say",
            id="a number for a mapping",
        ),
        pytest.param(
            {"data": {"classes": "red"}},
            "data.classes: is 'red'. Write `classes: [chicken, onion]`, say",
            id="a word for a list",
        ),
        pytest.param({"data": {"classes": []}}, "data.classes: is []. Write `classes:", id="an empty list"),
        pytest.param(
            {"data": {"cutouts": {"shre": 0.1}}},
            "data.cutouts.shre: no such key. Did you mean share",
            id="misspelt before missing",
        ),
        pytest.param({"train": {"cache": "banana"}}, "train.cache: is 'banana'", id="cache"),
        pytest.param({"model": "x.onnx"}, "model: x.onnx is not known", id="a model that cannot be trained"),
        pytest.param({"data": {"classes": []}}, "attempts/2.yaml: data.classes: is []", id="no class at all"),
        pytest.param({"track": "keras"}, "attempts/2.yaml: track: is 'keras'", id="track"),
        pytest.param({"base": 2}, "attempts/2.yaml: base: attempt 2 builds on itself", id="a circle"),
        pytest.param({"base": 9}, "attempts/2.yaml: base: there is no attempt 9. There are 1, 2", id="no base"),
        pytest.param({"base": "one"}, "attempts/2.yaml: base: 'one' is no attempt number", id="base is a word"),
    ],
)
def test_bad_settings_are_refused_by_file_and_key(tmp_path: Path, content: dict[str, Any], said: str) -> None:
    root = _project(tmp_path, n1={"model": "yolov8n", "data": {"sources": SOURCES}}, n2={"base": 1, **content})
    with pytest.raises(AttemptError) as caught:
        load(root, 2)
    assert said in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_fault_in_the_base_is_said_of_the_base_file(tmp_path: Path) -> None:
    root = _project(
        tmp_path, n1={"model": "yolov8n", "data": {"sources": SOURCES}, "train": {"epochs": -1}}, n2={"base": 1}
    )
    with pytest.raises(AttemptError, match=r"attempts/1\.yaml: train\.epochs"):
        load(root, 2)


def test_an_unknown_number_says_which_attempts_exist(tmp_path: Path) -> None:
    root = _project(tmp_path, n1={"model": "yolov8n"}, n3={"base": 1})
    with pytest.raises(AttemptError, match=r"there is no attempt 7\. There are 1, 3"):
        load(root, 7)
    assert attempt_numbers(root) == [1, 3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("model: [yolov8n\ntrain: {", "attempts/1.yaml: line 2", id="broken YAML"),
        pytest.param("- a\n- b\n", "does not hold keys and values", id="a list"),
        pytest.param("model: !!python/object/apply:os.system ['touch pwned']\n", "attempts/1.yaml", id="code in YAML"),
        pytest.param("", "attempts/1.yaml: model: is missing", id="empty"),
        pytest.param("model: !!bool maybe\n", "attempts/1.yaml: a value is not what its tag says", id="no truth value"),
        pytest.param('model: !!int ""\n', "attempts/1.yaml: a value is not what its tag says", id="no number"),
        pytest.param("model: !!timestamp abc\n", "attempts/1.yaml: a value is not what its tag says", id="no date"),
        pytest.param(f"model: 0x{'f' * 5000}\n", "attempts/1.yaml: a value is not", id="a number of 6,000 digits"),
        pytest.param("model: " + "[" * 5000, "attempts/1.yaml: it is nested too deep", id="5,000 deep"),
        pytest.param("# " + "x" * 2**22, "attempts/1.yaml: 4194306 bytes are over the limit", id="too large"),
        pytest.param("model: yolov8n\n", "no source of labelled pictures", id="no sources"),
    ],
)
def test_files_that_are_no_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "attempts").mkdir()
    (tmp_path / "attempts" / "1.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(AttemptError) as caught:
        load(tmp_path, 1)
    assert said in str(caught.value)
    assert not (tmp_path / "pwned").exists()


def test_this_repository_tells_three_stories_in_eleven_attempts() -> None:
    root = Path(__file__).parents[1]
    assert attempt_numbers(root) == list(range(1, 12))
    assert [load(root, number).track for number in range(1, 12)] == ["yolo"] * 5 + ["tfapi"] + ["classify"] * 5
    attempts = [load(root, number) for number in range(1, 6)]
    assert [attempt.base for attempt in attempts] == [None, 1, 2, 3, 4]
    assert attempts[1].data.classes is None
    assert len(attempts[2].data.classes or ()) == 6
    assert attempts[3].data.backgrounds is not None
    assert attempts[4].data.split is not None
    assert attempts[4].data.split.ratios == {"train": 0.8, "val": 0.1, "test": 0.1}
    assert not any(attempt.pretrained for attempt in attempts)
