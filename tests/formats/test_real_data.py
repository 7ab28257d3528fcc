"""Real data sets: three BCCD pictures that always run, and the whole public sets where they are at hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.nouns import Box, Dataset, Truth

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "data"


def shared(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"{SHARED / name} is not here")
    return SHARED / name


def split_sizes(dataset: Dataset) -> tuple[int, int, int]:
    return len(dataset.of("train")), len(dataset.of("val")), len(dataset.of("test"))


def test_three_bccd_pictures() -> None:
    dataset, report = formats.read(REPOSITORY / "tests" / "data" / "bccd")
    assert [(Path(image.name).stem, len(image.truths)) for image in dataset.images] == [
        ("BloodImage_00001", 19),
        ("BloodImage_00002", 16),
        ("BloodImage_00338", 13),
    ]
    assert dataset.names == ("RBC", "WBC")
    assert {(image.width, image.height) for image in dataset.images} == {(640, 480)}
    assert dataset.images[0].truths[0] == Truth(Box(67, 314, 286, 480), "WBC")
    dropped = [(change.file, change.object, change.what) for change in report.dropped]
    assert dropped == [("Annotations/BloodImage_00338.xml", 13, "no area")]
    assert (report.fixed, report.skipped) == ((), ())


def test_bccd() -> None:
    dataset, report = formats.read(shared("bccd_voc"))
    assert (len(dataset.images), dataset.boxes) == (364, 4886)
    assert split_sizes(dataset) == (205, 87, 72)
    labels = Counter(truth.label for image in dataset.images for truth in image.truths)
    assert labels == {"RBC": 4153, "WBC": 372, "Platelets": 361}
    assert [(Path(change.file).name, change.object, change.what) for change in report.dropped] == [
        ("BloodImage_00338.xml", 13, "no area"),
        ("BloodImage_00343.xml", 4, "no area"),
    ]


def test_raccoon() -> None:
    dataset, report = formats.read(shared("raccoon_voc"), "voc")
    assert (len(dataset.images), dataset.boxes) == (200, 217)
    assert dataset.names == ("raccoon",)
    assert (report.fixed, report.dropped, report.skipped) == ((), (), ())


def test_food() -> None:
    dataset, report = formats.read(shared("food_roboflow") / "v4")
    assert (len(dataset.images), dataset.boxes, len(dataset.names)) == (179, 1608, 16)
    assert split_sizes(dataset) == (125, 54, 0)
    assert report.notes == ("data.yaml: test: ../test/images is not there and was left out",)


def test_meal_trays() -> None:
    dataset, report = formats.read(shared("meal_trays_yolo"))
    assert (len(dataset.images), dataset.boxes, len(dataset.names)) == (410, 2244, 14)
    assert split_sizes(dataset) == (378, 16, 16)
    assert sum(image.is_background for image in dataset.images) == 13
    assert sorted(Counter(Counter(image.group for image in dataset.images).values()).items()) == [(1, 32), (3, 126)]
    assert report.notes == ("2214 polygons became their bounding boxes",)


def test_coco128() -> None:
    dataset, report = formats.read(shared("coco128_yolo"))
    assert (len(dataset.images), dataset.boxes) == (128, 929)
    assert sum(image.is_background for image in dataset.images) == 2
    assert [Path(skip.file).stem for skip in report.skipped] == ["000000000656", "000000000659"]


def test_raccoon_holds_the_same_boxes_three_times() -> None:
    with pytest.raises(AnnotationError, match=r"may be any of voc, csv, tfrecord\. Say which: --from voc"):
        formats.read(shared("raccoon_voc"))
