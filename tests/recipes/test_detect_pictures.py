"""What `detect` leaves of a classifier: the likeliest classes of every picture."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from conftest import FakeTrack
from PIL import Image

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.classification import whole
from yolo_pipeline.errors import InputError, UsageError
from yolo_pipeline.nouns import Detection
from yolo_pipeline.recipes.detect import Order, detect, words
from yolo_pipeline.recipes.models import Model

NAMES = ("=닭", "beef", "cat", "dog", "egg", "fish")
SURE = {200: (0.9, 0.06, 0.02, 0.02, 0.0, 0.0), 100: (0.3, 0.4, 0.2, 0.05, 0.03, 0.02)}
"""Brightness of a picture -> what is said of it, by class."""


@dataclass
class Classifier(FakeTrack):
    """Says of a picture what its brightness stands for."""

    task: str = "classify"

    def open(self, weights: Path, asking: Asking, runtime: str = "") -> Predictor:
        def find(batch: Sequence[np.ndarray]) -> list[list[Detection]]:
            return [self._said(picture, asking) for picture in batch]

        return Predictor(find, NAMES, asking.imgsz or 64)

    def _said(self, picture: np.ndarray, asking: Asking) -> list[Detection]:
        box = whole("", picture.shape[1], picture.shape[0]).box
        found = [Detection(box, *one) for one in zip(NAMES, SURE[int(picture[0, 0, 0])], strict=True)]
        return sorted((one for one in found if one.score >= asking.conf), key=lambda one: -one.score)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    weights = tmp_path / "best.safetensors"
    weights.write_bytes(b"whole")
    return Model("attempt 6", Classifier(), weights, "6" * 64, Asking(imgsz=64), 0.01)  # type: ignore[arg-type]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two chickens, and something that may be beef."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, grey, size in (("a.png", 200, (64, 48)), ("b.png", 200, (28, 28)), ("닭.png", 100, (300, 200))):
        Image.new("RGB", size, (grey,) * 3).save(folder / name)
    return folder


def rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def order(source: Path, out: Path, **more: object) -> Order:
    return replace(Order((str(source),), out=out), **more)  # type: ignore[arg-type]


def test_the_five_likeliest_classes_of_every_picture(tmp_path: Path, model: Model, pictures: Path) -> None:
    out = tmp_path / "out"
    detected = detect(tmp_path, model, order(pictures, out))
    header, *classes = rows(out / "classes.csv")
    assert header == [
        "image", "class", "probability", "second", "second_probability", "third", "third_probability",
        "fourth", "fourth_probability", "fifth", "fifth_probability",
    ]  # fmt: skip
    assert classes == [
        ["a.png", "'=닭", "0.9000", "beef", "0.0600", "cat", "0.0200", "dog", "0.0200", "", ""],
        ["b.png", "'=닭", "0.9000", "beef", "0.0600", "cat", "0.0200", "dog", "0.0200", "", ""],
        ["닭.png", "beef", "0.4000", "'=닭", "0.3000", "cat", "0.2000", "dog", "0.0500", "egg", "0.0300"],
    ]
    header, *boxes = rows(out / "detections.csv")
    assert header == ["image", "class", "score", "x0", "y0", "x1", "y1"]
    assert boxes[0] == ["a.png", "'=닭", "0.9000", "0.00", "0.00", "64.00", "48.00"]
    assert len(boxes) == 4 + 4 + 5
    assert words.as_json(detected.counts, detected.skipped, detected.likeliest) == {
        "images": 3,
        "skipped": 0,
        "thresholds": {"0.01": {"images_classified": 3, "classes": {"=닭": 2, "beef": 1}}},
    }
    assert json.loads((out / "detect.json").read_text(encoding="utf-8"))["max_boxes"] == 5
    assert json.loads((out / "detect.json").read_text(encoding="utf-8"))["runtime"] == "torch"


def test_thresholds_are_views_of_how_sure_it_is(tmp_path: Path, model: Model, pictures: Path) -> None:
    out = tmp_path / "out"
    detected = detect(tmp_path, model, order(pictures, out, thresholds=(0.35, 0.5)))
    assert words.count_rows(detected) == (
        ["at confidence", "0.35", "0.5"],
        [["images classified", "3 of 3", "2 of 3"], ["=닭", 2, 2], ["beef", 1, 0]],
    )
    assert sorted(file.relative_to(out).as_posix() for file in out.glob("pictures/*/*")) == [
        "pictures/0.35/a.png.jpg",
        "pictures/0.35/b.png.jpg",
        "pictures/0.35/닭.png.jpg",
        "pictures/0.5/a.png.jpg",
        "pictures/0.5/b.png.jpg",
    ]
    assert rows(out / "classes.csv")[3] == ["닭.png", "beef", "0.4000", *[""] * 8]
    page = (out / "detections.html").read_text(encoding="utf-8")
    assert "3 pictures, 0 skipped; at 0.35: 3 pictures classified; 1 picture falls below 0.5" in page
    assert "boxes on" not in page


def test_a_picture_of_which_nothing_is_sure_has_an_empty_row(tmp_path: Path, model: Model, pictures: Path) -> None:
    detect(tmp_path, model, order(pictures, tmp_path / "out", thresholds=(0.95,)))
    assert rows(tmp_path / "out/classes.csv")[1:] == [[name, *[""] * 10] for name in ("a.png", "b.png", "닭.png")]
    assert not (tmp_path / "out/contact-sheet.jpg").exists()


@pytest.mark.parametrize(
    ("more", "first", "last"),
    [
        pytest.param({"most": 2}, ["'=닭", "beef"], ["beef", "'=닭"], id="the two likeliest"),
        pytest.param({"most": 6}, ["'=닭", "beef", "cat", "dog"], ["beef", "'=닭", "cat", "dog", "egg"], id="six"),
        pytest.param({"classes": ("cat", "dog")}, ["cat", "dog"], ["cat", "dog"], id="screening for two classes"),
    ],
)
def test_top_k_and_screening(
    tmp_path: Path, model: Model, pictures: Path, more: dict[str, object], first: list[str], last: list[str]
) -> None:
    detect(tmp_path, model, order(pictures, tmp_path / "out", **more))
    table = [[name for name in row[1::2] if name] for row in rows(tmp_path / "out/classes.csv")[1:]]
    assert (table[0], table[2]) == (first, last)


def test_of_the_classes_asked_for_those_pictures_are_counted_that_they_are_likeliest_for(
    tmp_path: Path, model: Model, pictures: Path
) -> None:
    """Beef is likelier than 0.01 for all three, and the likeliest class of one."""
    detected = detect(tmp_path, model, order(pictures, tmp_path / "out", classes=("beef",)))
    assert words.count_rows(detected)[1] == [["images classified", "1 of 3"], ["beef", 1]]
    assert [row[2] for row in rows(tmp_path / "out/classes.csv")[1:]] == ["0.0600", "0.0600", "0.4000"]
    page = (tmp_path / "out/detections.html").read_text(encoding="utf-8")
    assert "at 0.01: 1 picture classified" in page


@pytest.mark.parametrize(
    ("more", "option"),
    [
        pytest.param({"labels": ("xml",)}, "save", id="labels to correct"),
        pytest.param({"crops": True}, "crops", id="boxes cut out"),
        pytest.param({"mine": Path("mined")}, "mine-backgrounds", id="backgrounds"),
        pytest.param({"iou": 0.5}, "iou", id="boxes that overlap"),
    ],
)
def test_what_only_boxes_have_is_refused(
    tmp_path: Path, model: Model, pictures: Path, more: dict[str, object], option: str
) -> None:
    with pytest.raises(UsageError) as refused:
        detect(tmp_path, model, order(pictures, tmp_path / "out", **more))
    assert str(refused.value) == f"--{option} is for boxes, and attempt 6 classifies whole pictures: leave it out"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "more", [pytest.param({"runtime": "onnx"}, id="onnx"), pytest.param({"int8": True}, id="whole numbers")]
)
def test_torch_alone_runs_it(tmp_path: Path, model: Model, pictures: Path, more: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"cannot run this model, which torch alone runs"):
        detect(tmp_path, model, order(pictures, tmp_path / "out", **more))


def test_a_second_look_gives_the_same_bytes_and_asks_nothing(tmp_path: Path, model: Model, pictures: Path) -> None:
    out = tmp_path / "out"
    detect(tmp_path, model, order(pictures, out))
    before = {file: file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}
    detect(tmp_path, model, order(pictures, out))
    assert {file: file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()} == before


def test_a_korean_page(tmp_path: Path, model: Model, pictures: Path) -> None:
    detect(tmp_path, model, order(pictures, tmp_path / "out", lang="ko"))
    page = (tmp_path / "out/detections.html").read_text(encoding="utf-8")
    assert "확률 0.01 이상: 이미지 3장 분류됨" in page
    assert "박스" not in page


def test_the_words_of_a_classifiers_page_say_no_more_than_those_of_a_detectors() -> None:
    from yolo_pipeline.reporting.pages.detections.words import WORDS, WORDS_OF_CLASSIFIER

    assert WORDS_OF_CLASSIFIER.keys() == WORDS.keys()
    for key, both in WORDS_OF_CLASSIFIER.items():
        for text, other in zip(both, WORDS[key], strict=True):
            assert set(re.findall(r"\{(\w+)\}", text)) <= set(re.findall(r"\{(\w+)\}", other)), key
    assert [key for key, (en, ko) in WORDS_OF_CLASSIFIER.items() if "box" in en or "박스" in ko] == []
