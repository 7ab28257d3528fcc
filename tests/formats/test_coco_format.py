"""COCO JSON: the field notes' table on literal numbers, ids, classes, splits, hostile files, round trips, pycocotools."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError, InputError
from yolo_pipeline.formats import ReadOptions, coco
from yolo_pipeline.formats.source import open_source
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, ReadReport, Truth

DATA = Path(__file__).parents[1] / "data"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
BOX = Box(10, 10, 110, 60)
BBOX = [10, 10, 100, 50]
POLYGON = [[10, 10, 110, 10, 110, 60]]
CHICKEN = {"id": 1, "name": "chicken"}
ONION = {"id": 2, "name": "onion"}
NAN = float("nan")


def save_picture(path: Path, size: tuple[int, int] = (200, 100), orientation: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, "teal").save(path, format="JPEG", **({"exif": exif} if orientation > 1 else {}))
    return path


def thing(**keys: object) -> dict[str, object]:
    return {"image_id": 7, "category_id": 1, "bbox": BBOX, "iscrowd": 0, **keys}


def content(*annotations: object, images: Sequence[object] = (), categories: Sequence[object] = (CHICKEN,)) -> Any:
    """What a COCO file says of a.jpg, picture 7, or of `images`."""
    listed = list(images) or [{"id": 7, "file_name": "a.jpg", "width": 200, "height": 100}]
    return {"images": listed, "categories": list(categories), "annotations": list(annotations)}


def save_json(path: Path, said: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    return path


def save_source(folder: Path, *annotations: object, **lists: Sequence[object]) -> Path:
    save_picture(folder / "a.jpg")
    save_json(folder / "coco.json", content(*annotations, **lists))
    return folder


def read(folder: Path, **options: Any) -> tuple[Dataset, ReadReport]:
    return formats.read(folder, "coco", ReadOptions(**options))


def changes(report: ReadReport) -> list[tuple[str, str, int, str]]:
    fixed = [("fixed", change.file, change.object, change.what) for change in report.fixed]
    return fixed + [("dropped", change.file, change.object, change.what) for change in report.dropped]


# --- one object


@pytest.mark.parametrize(
    ("annotation", "box", "reported"),
    [
        pytest.param(thing(), BOX, [], id="normal"),
        pytest.param(thing(bbox=[10.25, 10, 99.5, 50]), Box(10.25, 10, 109.75, 60), [], id="fractions of pixels"),
        pytest.param(thing(bbox=["10", "10", "100", "50"]), BOX, [], id="numbers as texts"),
        pytest.param(thing(bbox=[0.1, 0.1, 0.2, 0.2]), Box(0.1, 0.1, 0.3, 0.3), [], id="0.1 + 0.2 is 0.3"),
        pytest.param(
            thing(bbox=[110, 60, -100, -50]), BOX, [("fixed", "a.jpg", 1, "swapped corners")], id="negative size"
        ),
        pytest.param(
            thing(bbox=[190, 90, 160, 50]), Box(190, 90, 200, 100), [("fixed", "a.jpg", 1, "clipped")], id="clipped"
        ),
        pytest.param(thing(bbox=[250, 10, 40, 50]), None, [("dropped", "a.jpg", 1, "outside")], id="outside"),
        pytest.param(thing(bbox=[10, 10, 0, 50]), None, [("dropped", "a.jpg", 1, "no area")], id="no width"),
        pytest.param(thing(bbox=[10, 10, 100, 0]), None, [("dropped", "a.jpg", 1, "no area")], id="no height"),
        pytest.param(thing(bbox=[NAN, 10, 100, 50]), None, [("dropped", "a.jpg", 1, "no box")], id="NaN"),
        pytest.param(thing(bbox=[10, 10, float("inf"), 5]), None, [("dropped", "a.jpg", 1, "no box")], id="infinite"),
        pytest.param(thing(bbox=[1.7e308, 10, 1.7e308, 5]), None, [("dropped", "a.jpg", 1, "no box")], id="overflow"),
        pytest.param(thing(bbox=[10, 10, 100]), None, [("dropped", "a.jpg", 1, "no box")], id="three numbers"),
        pytest.param(thing(bbox={"x": 10}), None, [("dropped", "a.jpg", 1, "no box")], id="bbox is a mapping"),
        pytest.param(thing(bbox=None), None, [("dropped", "a.jpg", 1, "no box")], id="neither box nor polygon"),
        pytest.param(thing(iscrowd=1), None, [("dropped", "a.jpg", 1, "crowd")], id="crowd"),
        pytest.param(thing(category_id=9), None, [("dropped", "a.jpg", 1, "no class")], id="unknown category"),
        pytest.param(thing(category_id=[1]), None, [("dropped", "a.jpg", 1, "no class")], id="category is a list"),
        pytest.param(thing(image_id=9), None, [("dropped", "coco.json", 1, "no picture")], id="unknown picture"),
        pytest.param(thing(image_id=None), None, [("dropped", "coco.json", 1, "no picture")], id="no picture id"),
        pytest.param(thing(image_id="7", category_id=1.0), BOX, [], id="ids as text and float"),
    ],
)
def test_one_object(
    tmp_path: Path, annotation: dict[str, object], box: Box | None, reported: list[tuple[str, str, int, str]]
) -> None:
    dataset, report = read(save_source(tmp_path, annotation))
    assert dataset.images[0].truths == ((Truth(box, "chicken"),) if box else ())
    assert dataset.names == ("chicken",)
    assert changes(report) == reported
    assert (report.skipped, report.notes) == ((), ())


def test_duplicate_object_counts_once(tmp_path: Path) -> None:
    dataset, report = read(save_source(tmp_path, thing(), thing(id=2)))
    assert dataset.images[0].truths == (Truth(BOX, "chicken"),)
    assert changes(report) == [("dropped", "a.jpg", 2, "duplicate")]


def test_objects_are_counted_within_the_picture_as_the_file_lists_them(tmp_path: Path) -> None:
    crowd, unknown = thing(iscrowd=1), thing(image_id=8)
    dataset, report = read(save_source(tmp_path, unknown, crowd, thing(), thing(bbox=[0, 0, 0, 5])))
    assert dataset.boxes == 1
    assert changes(report) == [
        ("dropped", "coco.json", 1, "no picture"),
        ("dropped", "a.jpg", 1, "crowd"),
        ("dropped", "a.jpg", 3, "no area"),
    ]


def test_polygons_without_a_box_become_boxes_and_are_counted(tmp_path: Path) -> None:
    nameless = {"image_id": 7, "category_id": 1, "segmentation": [[90, 20, 110, 60, 90, 60], [10, 10, 20, 10, 20, 20]]}
    boxed = thing(bbox=[0, 0, 5, 5], segmentation=POLYGON)
    mask = thing(bbox=[], segmentation={"counts": "abc", "size": [100, 200]})
    half = thing(bbox=[], segmentation=[[10, 10, 110, 10, 110]])
    dataset, report = read(save_source(tmp_path, nameless, boxed, mask, half))
    assert [truth.box for truth in dataset.images[0].truths] == [BOX, Box(0, 0, 5, 5)]
    assert report.notes == ("1 polygons without a box became their bounding boxes",)
    assert changes(report) == [("dropped", "a.jpg", 3, "no box"), ("dropped", "a.jpg", 4, "no box")]


# --- the picture's size and which way up


@pytest.mark.parametrize(
    ("size", "reported"),
    [
        pytest.param({"width": 200, "height": 100}, [], id="right"),
        pytest.param({"width": None, "height": None}, [], id="null"),
        pytest.param({}, [], id="missing"),
        pytest.param({"width": 0, "height": 0}, [("fixed", "a.jpg", 0, "size")], id="0/0: from image"),
        pytest.param({"width": 640, "height": 480}, [("fixed", "a.jpg", 0, "size")], id="another: from image"),
    ],
)
def test_size_is_the_pictures_own(
    tmp_path: Path, size: dict[str, object], reported: list[tuple[str, str, int, str]]
) -> None:
    save_source(tmp_path, thing(), images=[{"id": 7, "file_name": "a.jpg", **size}])
    dataset, report = read(tmp_path)
    assert (dataset.images[0].width, dataset.images[0].height) == (200, 100)
    assert dataset.images[0].truths == (Truth(BOX, "chicken"),)
    assert changes(report) == reported


TURNED = [("fixed", "a.jpg", 0, "EXIF")]
CLIPPED = [("fixed", "a.jpg", 1, "clipped")]


@pytest.mark.parametrize(
    ("orientation", "size", "box", "reported"),
    [
        pytest.param(6, (200, 100), Box(40, 10, 90, 110), TURNED, id="6, size as stored: turned with the picture"),
        pytest.param(6, (100, 200), Box(10, 10, 100, 60), CLIPPED, id="6, upright size: stays, and is clipped"),
        pytest.param(3, (200, 100), BOX, [], id="3: COCO speaks of the upright picture"),
    ],
)
def test_exif_orientation(
    tmp_path: Path, orientation: int, size: tuple[int, int], box: Box, reported: list[tuple[str, str, int, str]]
) -> None:
    listed = {"id": 7, "file_name": "a.jpg", "width": size[0], "height": size[1]}
    save_source(tmp_path, thing(), images=[listed])
    save_picture(tmp_path / "a.jpg", (200, 100), orientation)
    dataset, report = read(tmp_path)
    assert dataset.images[0].truths == (Truth(box, "chicken"),)
    assert changes(report) == reported


# --- classes


def test_classes_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    categories = [{"id": 12, "name": "egg"}, {"id": 3, "name": "양파"}, {"id": 5, "name": "0"}]
    dataset, report = read(save_source(tmp_path, thing(category_id=12), categories=categories))
    assert dataset.names == ("양파", "0", "egg")
    assert dataset.images[0].truths == (Truth(BOX, "egg"),)
    assert report == ReadReport()


def test_files_with_other_ids_are_joined_by_name(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        save_picture(tmp_path / split / f"{split}.jpg")
    first = content(thing(), images=[{"id": 7, "file_name": "train.jpg"}], categories=[CHICKEN, ONION])
    others = [{"id": 1, "name": "onion"}, {"id": 2, "name": "egg"}, {"id": 3, "name": "chicken"}]
    second = content(thing(), thing(category_id=2), images=[{"id": 7, "file_name": "valid.jpg"}], categories=others)
    save_json(tmp_path / "train" / "_annotations.coco.json", first)
    save_json(tmp_path / "valid" / "_annotations.coco.json", second)
    dataset, _ = read(tmp_path)
    assert dataset.names == ("chicken", "onion", "egg")
    assert [[truth.label for truth in image.truths] for image in dataset.images] == [["chicken"], ["onion", "egg"]]


ABOVE = {"id": 0, "name": "food", "supercategory": "none"}
BELOW = [{**CHICKEN, "supercategory": "food"}, {**ONION, "supercategory": "food"}]


@pytest.mark.parametrize(
    ("categories", "category_id", "names", "notes"),
    [
        pytest.param([ABOVE, *BELOW], 1, ("chicken", "onion"), 1, id="above all others, unused: left out"),
        pytest.param([ABOVE, *BELOW], 0, ("food", "chicken", "onion"), 0, id="above all others, used: a class"),
        pytest.param([{"id": 0, "name": "egg"}, *BELOW], 1, ("egg", "chicken", "onion"), 0, id="unused, id 0: a class"),
        pytest.param([ABOVE, *BELOW, {"id": 3, "name": "egg"}], 1, ("food", "chicken", "onion", "egg"), 0, id="partly"),
        pytest.param([CHICKEN, ONION], 1, ("chicken", "onion"), 0, id="no supercategories"),
        pytest.param(
            [{"id": 0, "name": "egg", "supercategory": "none"}, {"id": 1, "name": "egg", "supercategory": "egg"}],
            1,
            ("egg",),
            0,
            id="project and class have one name",
        ),
        pytest.param(
            [{"id": 1, "name": "person", "supercategory": "person"}], 1, ("person",), 0, id="its own supercategory"
        ),
    ],
)
def test_pseudo_class(
    tmp_path: Path, categories: list[object], category_id: int, names: tuple[str, ...], notes: int
) -> None:
    dataset, report = read(save_source(tmp_path, thing(category_id=category_id), categories=categories))
    assert dataset.names == names
    assert dataset.boxes == 1
    assert len(report.notes) == notes


def test_two_categories_of_one_name_are_one_class(tmp_path: Path) -> None:
    categories = [CHICKEN, {"id": 4, "name": " chicken "}]
    dataset, report = read(save_source(tmp_path, thing(category_id=4), categories=categories))
    assert dataset.names == ("chicken",)
    assert dataset.images[0].truths == (Truth(BOX, "chicken"),)
    assert report.notes == ("coco.json: categories 1 and 4 are both named 'chicken': taken as one class",)
    assert changes(report) == [("fixed", "a.jpg", 1, "label")]


def test_category_without_a_name_has_no_objects(tmp_path: Path) -> None:
    dataset, report = read(save_source(tmp_path, thing(), categories=[{"id": 1, "name": " "}, ONION]))
    assert (dataset.names, dataset.boxes) == (("onion",), 0)
    assert changes(report) == [("dropped", "a.jpg", 1, "no class")]


# --- pictures, files, splits


def test_picture_without_objects_is_background_and_one_that_is_not_listed_unlabelled(tmp_path: Path) -> None:
    save_source(tmp_path)
    save_picture(tmp_path / "b.jpg")
    dataset, report = read(tmp_path)
    assert [(image.name, image.is_background) for image in dataset.images] == [("a.jpg", True)]
    assert [(skip.file, skip.why) for skip in report.skipped] == [("b.jpg", "unlabelled: no annotation names it")]
    assert len(read(tmp_path, unlabelled="background")[0].images) == 2


def test_listed_picture_that_is_not_there_is_skipped(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "../../etc/passwd"}]
    dataset, report = read(save_source(tmp_path, thing(), images=images))
    assert [image.name for image in dataset.images] == ["a.jpg"]
    why = "annotated in coco.json, but there is no such picture"
    assert [(skip.file, skip.why) for skip in report.skipped] == [("../../etc/passwd", why)]


def test_layout_of_the_coco_data_set(tmp_path: Path) -> None:
    for split in ("train", "val"):
        save_picture(tmp_path / f"{split}2017" / f"{split}.jpg")
        said = content(thing(), images=[{"id": 7, "file_name": f"{split}.jpg"}])
        save_json(tmp_path / "annotations" / f"instances_{split}2017.json", said)
        captions = {"images": said["images"], "annotations": [{"image_id": 7, "caption": "a chicken"}]}
        save_json(tmp_path / "annotations" / f"captions_{split}2017.json", captions)
    dataset, report = formats.read(tmp_path)
    assert [(image.name, image.split, len(image.truths)) for image in dataset.images] == [
        ("train2017/train.jpg", "train", 1),
        ("val2017/val.jpg", "val", 1),
    ]
    assert report == ReadReport(
        notes=(
            "annotations/captions_train2017.json is no COCO file: passed over",
            "annotations/captions_val2017.json is no COCO file: passed over",
        )
    )


def test_results_are_passed_over(tmp_path: Path) -> None:
    save_source(tmp_path, thing())
    save_json(tmp_path / "results.json", [{"image_id": 7, "category_id": 1, "bbox": BBOX, "score": 0.5}])
    dataset, report = formats.read(tmp_path)
    assert dataset.boxes == 1
    assert report.notes == ("results.json is no COCO file: passed over",)


def test_a_single_file_and_pictures_elsewhere(tmp_path: Path) -> None:
    file = save_json(
        tmp_path / "labels" / "all.json", content(thing(), images=[{"id": 7, "file_name": "C:\\x\\a.jpg"}])
    )
    save_picture(tmp_path / "photos" / "a.jpg")
    dataset, _ = formats.read(file, "auto", ReadOptions(images=tmp_path / "photos"))
    assert [(image.name, len(image.truths)) for image in dataset.images] == [("a.jpg", 1)]


def test_two_files_that_say_the_same_count_once_and_give_the_split(tmp_path: Path) -> None:
    save_picture(tmp_path / "images" / "a.jpg")
    save_json(tmp_path / "all.json", content(thing()))
    save_json(tmp_path / "test.json", content(thing(category_id=5), categories=[{"id": 5, "name": "chicken"}]))
    dataset, report = read(tmp_path)
    assert [(image.name, image.split, len(image.truths)) for image in dataset.images] == [("images/a.jpg", "test", 1)]
    assert report.notes == ("1 pictures are annotated alike in all.json and test.json: taken once",)


def test_two_files_that_differ_are_refused(tmp_path: Path) -> None:
    save_source(tmp_path, thing())
    save_json(tmp_path / "later.json", content(thing(bbox=[0, 0, 5, 5])))
    with pytest.raises(AnnotationError, match=r"later\.json: annotates a\.jpg otherwise than coco\.json does"):
        read(tmp_path)


def test_many_differing_pictures_are_one_bad_file(tmp_path: Path) -> None:
    images = [{"id": number, "file_name": f"{number}.jpg"} for number in range(3)]
    for image in images:
        save_picture(tmp_path / str(image["file_name"]))
    for name, bbox in (("instances", BBOX), ("keypoints", [0, 0, 5, 5])):
        save_json(tmp_path / f"{name}.json", content(*(thing(image_id=n, bbox=bbox) for n in range(3)), images=images))
    with pytest.raises(AnnotationError, match=r"1 file .* annotates 0\.jpg and 2 other pictures otherwise than"):
        read(tmp_path)


@pytest.mark.parametrize(("second", "counted"), [(thing(image_id=8), 1), (thing(image_id=8, bbox=[0, 0, 5, 5]), None)])
def test_picture_listed_twice(tmp_path: Path, second: object, counted: int | None) -> None:
    twice = [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "a.jpg"}]
    save_source(tmp_path, thing(), second, images=twice)
    if counted is None:
        with pytest.raises(AnnotationError, match=r"coco\.json: annotates a\.jpg twice, and not alike"):
            read(tmp_path)
        return
    dataset, report = read(tmp_path)
    assert dataset.boxes == counted
    assert report.notes == ("1 pictures are annotated alike in two places of coco.json: taken once",)


# --- hostile files

PICTURE = {"id": 7, "file_name": "a.jpg"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param(content(images=[PICTURE, {"id": 8}]), "images[1].file_name: is missing", id="no file_name"),
        pytest.param(content(images=[{"id": 8, "file_name": 8}]), "images[0].file_name: is not a text", id="number"),
        pytest.param(content(images=[{"id": 8, "file_name": " "}]), "images[0].file_name: is empty", id="empty"),
        pytest.param(content(images=[{"file_name": "a.jpg"}]), "images[0].id: is missing", id="no id"),
        pytest.param(content(images=[{**PICTURE, "id": [7]}]), "images[0].id: is no whole number", id="id is a list"),
        pytest.param(content(images=[PICTURE, PICTURE]), "images[1].id: 7 is that of images[0], too", id="id twice"),
        pytest.param(content(images=["a.jpg"]), "images[0]: does not hold keys and values", id="image is a text"),
        pytest.param(content(images=[{**PICTURE, "width": "wide"}]), "images[0].width: is not a number", id="width"),
        pytest.param(content(categories=[{"id": 1}]), "categories[0].name: is missing", id="no class name"),
        pytest.param(content(categories=[{"id": 1, "name": 5}]), "categories[0].name: is not a text", id="class is 5"),
        pytest.param(content(categories=[{"name": "egg"}]), "categories[0].id: is missing", id="no class id"),
        pytest.param(content(categories=[CHICKEN, CHICKEN]), "categories[1].id: 1 is that of", id="class id twice"),
        pytest.param(content(7), "annotations[0]: does not hold keys and values", id="object is a number"),
        pytest.param({**content(), "annotations": {}}, "annotations: is not a list", id="objects are a mapping"),
        pytest.param({"images": [], "categories": []}, "annotations: is missing", id="no objects at all"),
        pytest.param({"images": [], "annotations": [thing()]}, "categories: is missing", id="no classes at all"),
    ],
)
def test_bad_file_is_refused_with_file_and_key(tmp_path: Path, said: object, reason: str) -> None:
    save_source(tmp_path / "in", thing())
    save_json(tmp_path / "in" / "train" / "bad.json", said)
    with pytest.raises(AnnotationError) as caught:
        read(tmp_path / "in")
    assert f"1 file cannot be read: train/bad.json: {reason}" in str(caught.value)
    dataset, report = read(tmp_path / "in", skip_bad=True)
    assert dataset.boxes == 1
    assert [skip.file for skip in report.skipped] == ["train/bad.json"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"images": [', id="cut off"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[" * 100_000, id="nested deep"),
        pytest.param(b'{"images": [{"id": 1' + b"0" * 5000 + b"}]}", id="a number of 5000 digits"),
    ],
)
def test_file_that_is_no_json_is_named(tmp_path: Path, data: bytes) -> None:
    save_source(tmp_path, thing())
    (tmp_path / "bad.json").write_bytes(data)
    with pytest.raises(AnnotationError, match=r"bad\.json: "):
        formats.read(tmp_path)


def test_nothing_to_read(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.jpg")
    with pytest.raises(AnnotationError, match="holds no COCO JSON file"):
        read(tmp_path)
    save_json(tmp_path / "alone" / "coco.json", content())
    with pytest.raises(AnnotationError, match="holds no picture"):
        read(tmp_path / "alone")
    save_source(tmp_path / "other", images=[{"id": 7, "file_name": "b.jpg"}])
    with pytest.raises(AnnotationError, match="no annotation has its picture"):
        read(tmp_path / "other")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(["images", "categories", "annotations", "id", "file_name", "name", "bbox", "width", "iscrowd"])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A COCO file with some of its values replaced by anything, then some of its bytes."""
    said = content(thing(), thing(segmentation=POLYGON, bbox=[]), categories=[dict(CHICKEN), dict(ONION)])
    places = [said, *said["images"], *said["annotations"], *said["categories"]]
    for place in draw(st.lists(st.sampled_from(places), max_size=3)):
        place[draw(keys)] = draw(anything)
    data = bytearray(json.dumps(said).encode())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


@settings(max_examples=200, deadline=None)
@given(mutated())
def test_mutated_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("mutated")
    save_picture(folder / "a.jpg")
    (folder / "coco.json").write_bytes(data)
    for skip_bad in (False, True):
        try:
            dataset, _ = read(folder, skip_bad=skip_bad, unlabelled="background")
        except InputError:
            continue
        assert {truth.label for image in dataset.images for truth in image.truths} <= set(dataset.names)
        for truth in dataset.images[0].truths:
            assert 0 <= truth.box.x0 < truth.box.x1 <= 200
            assert 0 <= truth.box.y0 < truth.box.y1 <= 100


# --- writing


def record(picture: Path, name: str, *truths: Truth, size: tuple[int, int] = (200, 100)) -> ImageRecord:
    return ImageRecord(save_picture(picture, size), name, *size, ".jpg", truths)


def essence(dataset: Dataset) -> tuple[tuple[str, ...], list[tuple[str, int, int, tuple[Truth, ...], str | None]]]:
    """What must survive: all but where the bytes lie; file names without their folder."""
    rows = [(i.name.rpartition("/")[2], i.width, i.height, i.truths, i.split) for i in dataset.images]
    return dataset.names, sorted(rows)


def test_written_file_word_for_word(tmp_path: Path) -> None:
    labelled = record(tmp_path / "a.jpg", "old/a.jpg", Truth(BOX, "양파"), Truth(Box(0, 0.5, 1.25, 2), "egg"))
    placed = coco.write(Dataset(("egg", "양파"), (labelled, record(tmp_path / "b.jpg", "b.jpg"))), tmp_path / "out")
    assert placed == {"old/a.jpg": "a.jpg", "b.jpg": "b.jpg"}
    assert (tmp_path / "out" / "_annotations.coco.json").read_text(encoding="utf-8") == (
        '{"categories": [{"id": 1, "name": "egg"}, {"id": 2, "name": "양파"}], "images": '
        '[{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}, '
        '{"id": 2, "file_name": "b.jpg", "width": 200, "height": 100}], "annotations": '
        '[{"id": 1, "image_id": 1, "category_id": 2, "bbox": [10, 10, 100, 50], "area": 5000, "iscrowd": 0, '
        '"segmentation": []}, {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0.5, 1.25, 1.5], "area": 1.875, '
        '"iscrowd": 0, "segmentation": []}]}\n'
    )


def test_each_split_has_its_folder_and_all_classes(tmp_path: Path) -> None:
    labelled = replace(record(tmp_path / "x" / "a.jpg", "x/a.jpg", Truth(BOX, "egg")), split="train")
    pictures = (labelled, replace(record(tmp_path / "y" / "A.jpg", "y/A.jpg"), split="val"))
    placed = coco.write(Dataset(("egg", "nowhere"), pictures), tmp_path / "out")
    assert placed == {"x/a.jpg": "train/a.jpg", "y/A.jpg": "val/A-2.jpg"}
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert files == ["train/_annotations.coco.json", "train/a.jpg", "val/A-2.jpg", "val/_annotations.coco.json"]
    for split in ("train", "val"):
        said = json.loads((tmp_path / "out" / split / "_annotations.coco.json").read_text())
        assert [category["name"] for category in said["categories"]] == ["egg", "nowhere"]


@pytest.mark.parametrize("splits", [(None, None), ("train", "test"), ("val", None)])
def test_round_trip(tmp_path: Path, splits: tuple[Any, Any]) -> None:
    truths = (Truth(BOX, "chicken"), Truth(Box(0, 0.123456, 199.9, 99), "양파"))
    labelled = replace(record(tmp_path / "사진.jpg", "폴더/사진.jpg", *truths), split=splits[0])
    background = replace(record(tmp_path / "b.jpg", "b.jpg"), split=splits[1])
    dataset = Dataset(("양파", "chicken", "nowhere"), (labelled, background))
    coco.write(dataset, tmp_path / "out")
    again, report = formats.read(tmp_path / "out")
    assert essence(again) == essence(dataset)
    assert report == ReadReport()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(200, 100), (100, 100)])
def test_round_trip_of_turned_pictures(tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    picture = save_picture(tmp_path / "a.jpg", size, orientation)
    upright = size[::-1] if orientation >= 5 else size
    image = ImageRecord(picture, "a.jpg", *upright, ".jpg", (Truth(Box(1, 2, 30, 44), "egg"),))
    coco.write(Dataset(("egg",), (image,)), tmp_path / "out")
    again, report = formats.read(tmp_path / "out")
    assert essence(again) == essence(Dataset(("egg",), (image,)))
    assert report == ReadReport()


@st.composite
def images(draw: st.DrawFn) -> list[tuple[tuple[int, int], tuple[Truth, ...], Any]]:
    """Sizes, boxes on millionths of a pixel, all inside and none twice, and splits."""

    def side(length: int) -> st.SearchStrategy[list[float]]:
        corners = st.lists(st.integers(0, length * 10**6), min_size=2, max_size=2, unique=True).map(sorted)
        return corners.map(lambda pair: [value / 10**6 for value in pair])

    drawn = []
    for _ in range(draw(st.integers(1, 3))):
        width, height = draw(st.integers(1, 700)), draw(st.integers(1, 700))
        label = st.sampled_from(["egg", "양파", "0"])
        objects = draw(st.lists(st.tuples(side(width), side(height), label), max_size=4))
        truths = [Truth(Box(x[0], y[0], x[1], y[1]), label) for x, y, label in objects]
        drawn.append(((width, height), tuple(dict.fromkeys(truths)), draw(st.sampled_from([None, "train", "val"]))))
    return drawn


@settings(max_examples=40, deadline=None)
@given(images())
def test_any_boxes_survive_the_round_trip(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[tuple[int, int], tuple[Truth, ...], Any]]
) -> None:
    folder = tmp_path_factory.mktemp("round-trip")
    records = [
        replace(record(folder / f"{at}.jpg", f"{at}.jpg", *truths, size=size), split=split)
        for at, (size, truths, split) in enumerate(drawn)
    ]
    dataset = Dataset(("양파", "egg", "0"), tuple(records))
    coco.write(dataset, folder / "out")
    again, report = formats.read(folder / "out")
    assert essence(again) == essence(dataset)
    assert report == ReadReport()


def test_pycocotools_loads_the_same_boxes(tmp_path: Path) -> None:
    dataset, _ = read(DATA / "numbers_coco")
    placed = coco.write(dataset, tmp_path)
    found: dict[str, list[tuple[str, list[float]]]] = {}
    for split in ("val", "test"):
        loaded = COCO(str(tmp_path / split / "_annotations.coco.json"))
        for image_id, image in loaded.imgs.items():
            objects = loaded.loadAnns(loaded.getAnnIds(imgIds=[image_id], iscrowd=False))
            named = [(loaded.cats[entry["category_id"]]["name"], entry["bbox"]) for entry in objects]
            found[f"{split}/{image['file_name']}"] = named
    assert len(found) == 20
    for record in dataset.images:
        boxes = [(t.label, [t.box.x0, t.box.y0, t.box.width, t.box.height]) for t in record.truths]
        assert [label for label, _ in boxes] == [label for label, _ in found[placed[record.name]]]
        for (_, ours), (_, theirs) in zip(boxes, found[placed[record.name]], strict=True):
            assert theirs == pytest.approx(ours, abs=1e-6)


def test_same_input_same_bytes(tmp_path: Path) -> None:
    dataset, _ = read(DATA / "numbers_coco")
    for out in ("one", "two"):
        coco.write(dataset, tmp_path / out)
    file = Path("val", "_annotations.coco.json")
    assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_data_set_without_pictures_keeps_its_classes(tmp_path: Path) -> None:
    assert coco.write(Dataset(("egg",), ()), tmp_path / "out") == {}
    said = json.loads((tmp_path / "out" / "_annotations.coco.json").read_text())
    assert said == {"categories": [{"id": 1, "name": "egg"}], "images": [], "annotations": []}


# --- real files


def test_two_folders_of_a_roboflow_export() -> None:
    dataset, report = formats.read(DATA / "numbers_coco")
    assert [(len(dataset.of(split)), sum(len(i.truths) for i in dataset.of(split))) for split in ("val", "test")] == [
        (10, 64),
        (10, 43),
    ]
    assert dataset.names == tuple("0123456789")
    first = dataset.images[0]
    assert (first.name, first.group) == ("test/000001_jpg.rf.56e375a58c7aae8399c26434102066fb.jpg", "000001_jpg")
    assert first.truths == (
        Truth(Box(187, 210, 200.89, 230), "8"),
        Truth(Box(129, 193, 150.67, 223), "8"),
        Truth(Box(206, 336, 271.56, 389.89), "2"),
    )
    assert report.notes == ("category 'numbers' stands above all others and has no object: left out",)
    assert (report.fixed, report.dropped, report.skipped) == ((), (), ())


def shared(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"{SHARED / name} is not here")
    return SHARED / name


def test_numbers() -> None:
    dataset, report = formats.read(shared("numbers_coco"))
    assert (len(dataset.images), dataset.boxes, dataset.names) == (50, 262, tuple("0123456789"))
    assert [len(dataset.of(split)) for split in ("train", "val", "test")] == [30, 10, 10]
    assert changes(report) == []


def test_cavity() -> None:
    dataset, report = formats.read(shared("cavity_coco"))
    assert len(dataset.images) == 418
    assert [len(dataset.of(split)) for split in ("train", "val", "test")] == [336, 81, 1]
    assert dataset.names == ("cavity", "normal")
    labels = Counter(truth.label for image in dataset.images for truth in image.truths)
    assert labels == {"normal": 2990, "cavity": 2039}
    assert [(change.object, change.what) for change in report.dropped] == [(1, "outside")]  # 0.02 pixels below it
    assert sum(image.is_background for image in dataset.images) == 3
    assert report.notes == (
        "333 pictures are annotated alike in train/_annotations.coco.json and train/_train_anno.json: taken once",
    )


def test_recognised(tmp_path: Path) -> None:
    assert formats.recognise(open_source(save_source(tmp_path / "coco"))) == "coco"
    assert not coco.recognise({"images": "of a gallery", "annotations": []})
