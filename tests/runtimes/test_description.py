"""What exported networks say of themselves: what Ultralytics writes is read, everything else is refused in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.errors import WeightsError
from yolo_pipeline.runtimes.description import Description, describe
from yolo_pipeline.runtimes.openvino import described

FILE = Path("model.onnx")
SAID: dict[str, Any] = {"task": "detect", "stride": 32, "imgsz": [480, 640], "names": {0: "a", 1: "닭"}, "channels": 3}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        pytest.param({}, Description(("a", "닭"), 32, (480, 640), False, False), id="yaml"),
        pytest.param(
            {"stride": "32", "imgsz": "[480, 640]", "names": "{0: 'a', 1: '닭'}", "args": "{'dynamic': True}"},
            Description(("a", "닭"), 32, (480, 640), True, False),
            id="Python's notation, as in ONNX",
        ),
        pytest.param(
            {"names": {"1": "닭", "0": "a"}, "imgsz": 64, "args": {"nms": True}},
            Description(("a", "닭"), 32, (64, 64), False, True),
            id="numbers as texts, as in JSON; one side; suppresses",
        ),
        pytest.param(
            {"names": ["a\nb", "c"], "end2end": True},
            Description(("a b", "c"), 32, (480, 640), False, True),
            id="a list; a name of two lines",
        ),
    ],
)
def test_what_is_told(more: dict[str, Any], told: Description) -> None:
    assert describe(FILE, SAID | more) == told


def bomb(levels: int = 30) -> object:
    """Ten times the level below, at every level; small in memory, and without end when it is written out."""
    value: object = "x"
    for _ in range(levels):
        value = [value] * 10
    return value


@pytest.mark.parametrize(
    ("more", "text"),
    [
        pytest.param({"task": "segment"}, "is a model for segment, not for detection", id="another task"),
        pytest.param({"task": bomb()}, "is a model for", id="a bomb for a task"),
        pytest.param({"head": "RTDETRDecoder"}, "is an RT-DETR network", id="RT-DETR"),
        pytest.param({"channels": 1}, "is for pictures of 1 channels", id="grey"),
        pytest.param({"channels": bomb()}, "is for pictures of", id="a bomb for channels"),
        pytest.param({"names": None}, "does not name its classes", id="no names"),
        pytest.param({"names": {}}, "does not name its classes", id="no classes"),
        pytest.param({"names": "a, b"}, "does not name its classes", id="names in a text"),
        pytest.param({"names": {1: "a", 2: "b"}}, "names its class 0 None, which is no text", id="counted from 1"),
        pytest.param({"names": ["a", 2]}, "names its class 1 2, which is no text", id="a number for a name"),
        pytest.param({"names": [bomb()]}, "names its class 0 [[[", id="a bomb for a name"),
        pytest.param({"names": ["x" * 1001]}, "no text of up to 1000 characters", id="an endless name"),
        pytest.param({"names": "{0x" + "f" * 9999 + ": 'a'}"}, "names its class 0 None", id="a huge number for a key"),
        pytest.param({"stride": 0}, "says stride: 0, which is no whole number from 1 to 1024", id="stride 0"),
        pytest.param({"stride": True}, "says stride: True", id="stride true"),
        pytest.param({"stride": None}, "says stride: None", id="no stride"),
        pytest.param({"stride": "0x" + "f" * 9999}, "says stride: a number of thousands of digits", id="huge stride"),
        pytest.param({"imgsz": [64, -1]}, "says imgsz: -1", id="negative size"),
        pytest.param({"imgsz": [1, 2, 3]}, "says imgsz: [1, 2, 3], which is no height and width", id="three sides"),
        pytest.param({"imgsz": bomb()}, "says imgsz: [[[", id="a bomb for a size"),
        pytest.param({"imgsz": float("nan")}, "says imgsz: nan", id="NaN"),
        pytest.param({"imgsz": "[" * 10**6}, "says imgsz: [[[", id="deep nesting"),
        pytest.param({"imgsz": "1+" * 10**6 + "1"}, "says imgsz: 1+1+1", id="a million sums"),
    ],
)
def test_what_cannot_be_is_refused_in_a_short_line(more: dict[str, Any], text: str) -> None:
    with pytest.raises(WeightsError) as refused:
        describe(FILE, SAID | more)
    assert text in str(refused.value)
    assert str(refused.value).startswith("model.onnx: ")
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("key", ["names", "stride", "imgsz"])
def test_a_missing_key(key: str) -> None:
    with pytest.raises(WeightsError, match=r"Export it again with Ultralytics or yolo_pipeline$"):
        describe(FILE, {name: value for name, value in SAID.items() if name != key})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(said=values | st.fixed_dictionaries({}, optional=dict.fromkeys([*SAID, "args", "head", "end2end"], values)))
def test_anything_else_is_told_or_refused(said: object) -> None:
    try:
        told = describe(FILE, said)
    except WeightsError:
        return
    assert told.names
    assert told.stride > 0
    assert min(told.imgsz) > 0


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
GOOD = "task: detect\nstride: 32\nimgsz: [64, 64]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(LAUGHS + GOOD + "names: *a29\n", "names its class 0", id="billion laughs"),
        pytest.param(LAUGHS + GOOD.replace("32", "*a29") + "names: [a]\n", "says stride", id="laughs for a stride"),
        pytest.param("a: &a [*a]\n" + GOOD + "names: *a\n", "names its class 0", id="a list in itself"),
        pytest.param("!!python/object/apply:os.system ['touch pwned']", "could not determine a constructor", id="code"),
        pytest.param("[" * 5000, "nested too deep", id="deep"),
        pytest.param("", "says nothing of its classes and size", id="empty"),
        pytest.param("- detect", "says nothing of its classes and size", id="a list"),
        pytest.param("names: [", "line 1", id="broken"),
        pytest.param(None, "No such file", id="missing"),
    ],
)
def test_hostile_files(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "metadata.yaml").write_text(text)
    with pytest.raises(WeightsError) as refused:
        described(tmp_path / "model.xml")
    assert said in str(refused.value)
    assert len(str(refused.value)) < 400
