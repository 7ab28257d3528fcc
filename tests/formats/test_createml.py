"""CreateML JSON: centres and sizes on literal numbers, both spellings of the keys, splits, hostile files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError, InputError
from yolo_pipeline.formats import ReadOptions, createml
from yolo_pipeline.nouns import Box, Dataset, ReadReport, Truth

BOX = Box(10, 10, 110, 60)
NAN = float("nan")


def save_picture(path: Path, orientation: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (200, 100), "teal").save(path, format="JPEG", exif=exif)
    return path


def coordinates(x: object = 60, y: object = 35, width: object = 100, height: object = 50) -> dict[str, object]:
    return {"x": x, "y": y, "width": width, "height": height}


def thing(label: object = "chicken", **values: object) -> dict[str, object]:
    return {"label": label, "coordinates": coordinates(**values)}


def save_source(folder: Path, *annotations: object) -> Path:
    """a.jpg and what a file says of it."""
    save_picture(folder / "a.jpg")
    return save_json(folder / "_annotations.createml.json", [{"image": "a.jpg", "annotations": list(annotations)}])


def save_json(path: Path, said: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    return path.parent


def read(folder: Path, **options: Any) -> tuple[Dataset, ReadReport]:
    return formats.read(folder, "createml", ReadOptions(**options))


def changes(report: ReadReport) -> list[tuple[str, str, int, str]]:
    fixed = [("fixed", change.file, change.object, change.what) for change in report.fixed]
    return fixed + [("dropped", change.file, change.object, change.what) for change in report.dropped]


@pytest.mark.parametrize(
    ("annotation", "truth", "reported"),
    [
        pytest.param(thing(), Truth(BOX, "chicken"), [], id="x, y are the centre"),
        pytest.param(thing(x=59.9, width=0.2), Truth(Box(59.8, 10, 60, 60), "chicken"), [], id="fractions of pixels"),
        pytest.param(thing(" 양파\n"), Truth(BOX, "양파"), [("fixed", "a.jpg", 1, "label")], id="blanks stripped"),
        pytest.param(
            thing(width=-100), Truth(BOX, "chicken"), [("fixed", "a.jpg", 1, "swapped corners")], id="negative width"
        ),
        pytest.param(
            thing(x=200), Truth(Box(150, 10, 200, 60), "chicken"), [("fixed", "a.jpg", 1, "clipped")], id="clipped"
        ),
        pytest.param(thing(x=400), None, [("dropped", "a.jpg", 1, "outside")], id="outside"),
        pytest.param(thing(width=0), None, [("dropped", "a.jpg", 1, "no area")], id="no width"),
        pytest.param(thing(y=NAN), None, [("dropped", "a.jpg", 1, "no box")], id="NaN"),
        pytest.param(thing(x=1.7e308, width=1.7e308), None, [("dropped", "a.jpg", 1, "no box")], id="overflow"),
        pytest.param(thing(x=None), None, [("dropped", "a.jpg", 1, "no box")], id="null"),
        pytest.param({"label": "egg"}, None, [("dropped", "a.jpg", 1, "no box")], id="no coordinates"),
        pytest.param(
            {"label": "egg", "coordinates": [60, 35, 100, 50]}, None, [("dropped", "a.jpg", 1, "no box")], id="a list"
        ),
        pytest.param(thing(" "), None, [("dropped", "a.jpg", 1, "no class")], id="empty label"),
    ],
)
def test_one_object(
    tmp_path: Path, annotation: object, truth: Truth | None, reported: list[tuple[str, str, int, str]]
) -> None:
    save_source(tmp_path, annotation)
    dataset, report = read(tmp_path)
    assert dataset.images[0].truths == ((truth,) if truth else ())
    assert changes(report) == reported


def test_duplicate_object_counts_once(tmp_path: Path) -> None:
    dataset, report = read(save_source(tmp_path, thing(), thing("egg"), thing()))
    assert [truth.label for truth in dataset.images[0].truths] == ["chicken", "egg"]
    assert changes(report) == [("dropped", "a.jpg", 3, "duplicate")]


@pytest.mark.parametrize("names", [("image", "annotations"), ("imagefilename", "annotation")])
def test_both_spellings_of_the_keys(tmp_path: Path, names: tuple[str, str]) -> None:
    save_picture(tmp_path / "닭.jpg")
    save_json(tmp_path / "annotations.json", [{names[0]: "닭.jpg", names[1]: [thing()]}])
    dataset, report = formats.read(tmp_path)
    assert [(image.name, image.truths) for image in dataset.images] == [("닭.jpg", (Truth(BOX, "chicken"),))]
    assert report == ReadReport()


def test_roboflow_export(tmp_path: Path) -> None:
    for split, objects in (("train", [thing("onion"), thing("egg", x=50)]), ("valid", []), ("test", [thing("beef")])):
        name = f"{split}_jpg.rf.{'0' * 32}.jpg"
        save_picture(tmp_path / split / name)
        save_json(tmp_path / split / "_annotations.createml.json", [{"image": name, "annotations": objects}])
    dataset, report = formats.read(tmp_path)
    assert [(image.group, image.split, len(image.truths)) for image in dataset.images] == [
        ("test_jpg", "test", 1),
        ("train_jpg", "train", 2),
        ("valid_jpg", "val", 0),
    ]
    assert dataset.names == ("beef", "egg", "onion")
    assert report == ReadReport()


def test_boxes_lie_on_the_upright_picture(tmp_path: Path) -> None:
    save_source(tmp_path, thing(x=50, y=100, width=20, height=20))
    save_picture(tmp_path / "a.jpg", orientation=6)
    dataset, report = read(tmp_path)
    assert (dataset.images[0].width, dataset.images[0].height) == (100, 200)
    assert dataset.images[0].truths == (Truth(Box(40, 90, 60, 110), "chicken"),)
    assert report == ReadReport()


def test_pictures_without_annotations_and_annotations_without_pictures(tmp_path: Path) -> None:
    save_source(tmp_path)
    save_picture(tmp_path / "b.jpg")
    save_json(tmp_path / "more.json", [{"image": "../../c.jpg", "annotations": [thing()]}])
    dataset, report = read(tmp_path)
    assert [(image.name, image.is_background) for image in dataset.images] == [("a.jpg", True)]
    assert [(skip.file, skip.why) for skip in report.skipped] == [
        ("../../c.jpg", "annotated in more.json, but there is no such picture"),
        ("b.jpg", "unlabelled: no annotation names it"),
    ]


def test_other_json_is_passed_over(tmp_path: Path) -> None:
    save_source(tmp_path, thing())
    save_json(tmp_path / "results.json", [{"image_id": 7, "bbox": [1, 2, 3, 4], "score": 0.5}])
    save_json(tmp_path / "folders.json", [{"image": "a.jpg", "annotation": "chicken"}])
    dataset, report = formats.read(tmp_path)
    assert dataset.boxes == 1
    assert report.notes == (
        "folders.json is no CreateML file: passed over",
        "results.json is no CreateML file: passed over",
    )


FINE: dict[str, object] = {"image": "b.jpg", "annotations": []}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param([FINE, {"annotations": []}], "[1].image: is missing", id="no picture"),
        pytest.param([FINE, {"image": "a.jpg"}], "[1].annotations: is missing", id="no list of objects"),
        pytest.param([FINE, {"image": 5, "annotations": []}], "[1].image: is not the name of a file", id="a number"),
        pytest.param([FINE, {"image": "", "annotations": []}], "[1].image: is not the name of a file", id="empty"),
        pytest.param([FINE, {**FINE, "annotations": {}}], "[1].annotations: is not a list", id="no list"),
        pytest.param([FINE, "a.jpg"], "[1]: does not hold keys and values", id="a text"),
        pytest.param([{**FINE, "annotations": [3]}], "[0].annotations[0]: does not hold keys", id="object is a number"),
        pytest.param([{**FINE, "annotations": [{}]}], "[0].annotations[0].label: is missing", id="no label"),
        pytest.param([{**FINE, "annotations": [thing(7)]}], "[0].annotations[0].label: is not a text", id="label 7"),
    ],
)
def test_bad_file_is_refused_with_file_and_key(tmp_path: Path, said: object, reason: str) -> None:
    save_source(tmp_path, thing())
    save_json(tmp_path / "bad.json", said)
    with pytest.raises(AnnotationError) as caught:
        read(tmp_path)
    assert f"1 file cannot be read: bad.json: {reason}" in str(caught.value)
    dataset, report = read(tmp_path, skip_bad=True)
    assert dataset.boxes == 1
    assert [skip.file for skip in report.skipped] == ["bad.json"]


def test_nothing_to_read(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.jpg")
    with pytest.raises(AnnotationError, match="holds no CreateML JSON file"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("said", "is_createml"),
    [
        pytest.param([{"image": "a.jpg", "annotations": []}], True, id="CreateML"),
        pytest.param([], False, id="empty list"),
        pytest.param({"images": [], "annotations": [], "categories": []}, False, id="COCO"),
        pytest.param([{"image_id": 7, "score": 0.5}], False, id="COCO results"),
        pytest.param([5], False, id="numbers"),
    ],
)
def test_recognised(said: object, is_createml: bool) -> None:
    assert createml.recognise(said) is is_createml


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just([]) | st.just({})


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A CreateML file with some of its values replaced by anything, then some of its bytes."""
    first, second = thing(), thing("egg", x=20)
    picture: dict[str, Any] = {"image": "a.jpg", "annotations": [first, second]}
    for place in draw(st.lists(st.sampled_from([picture, first, second, first["coordinates"]]), max_size=2)):
        assert isinstance(place, dict)
        place[draw(st.sampled_from(sorted(place)))] = draw(anything)
    data = bytearray(json.dumps([picture]).encode())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_mutated_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("mutated")
    save_picture(folder / "a.jpg")
    (folder / "a.json").write_bytes(data)
    try:
        dataset, _ = read(folder, unlabelled="background")
    except InputError:
        return
    assert dataset.names == tuple(sorted({truth.label for truth in dataset.images[0].truths}))
    for truth in dataset.images[0].truths:
        assert 0 <= truth.box.x0 < truth.box.x1 <= 200
        assert 0 <= truth.box.y0 < truth.box.y1 <= 100
