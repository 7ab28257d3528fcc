"""Boxes become pictures: to the pixel, by number, all of a photo in one split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import images
from yolo_pipeline.building.crops import crops_of
from yolo_pipeline.building.merging import merge
from yolo_pipeline.building.splitting import deal
from yolo_pipeline.building.writing import write_built
from yolo_pipeline.classification import is_whole, whole
from yolo_pipeline.nouns import Box, Crop, Dataset, ImageRecord, Split, Truth, Turn


def photo(file: Path, *truths: Truth, split: Split | None = None, group: str = "") -> ImageRecord:
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(file.name)).integers(0, 256, (60, 90, 3), np.uint8)
    Image.fromarray(pixels).save(file)
    return ImageRecord(file, f"a/{file.name}", 90, 60, file.suffix, truths, group, split)


def made(*photos: ImageRecord) -> tuple[Dataset, list[str]]:
    dataset, report = crops_of(Dataset(("egg", "양파"), photos))
    return dataset, [f"{c.file} {c.object} {c.what}: {c.why}" for c in report.dropped] + list(report.notes)


def test_each_object_is_a_picture_of_its_own(tmp_path: Path) -> None:
    egg, onion = Truth(Box(10, 5, 40, 30), "egg"), Truth(Box(0.5, 20.2, 30.4, 59.7), "양파")
    dataset, said = made(photo(tmp_path / "1.png", egg, onion, split="val"))
    assert dataset.names == ("egg", "양파")
    first, second = dataset.images
    assert (first.name, first.width, first.height, first.split, first.group) == ("a/1-1.png", 30, 25, "val", "a/1.png")
    assert (first.edits, first.truths) == ((Crop(10, 5, 30, 25),), (whole("egg", 30, 25),))
    assert (second.name, second.edits, second.truths) == ("a/1-2.png", (Crop(0, 20, 31, 40),), (whole("양파", 31, 40),))
    assert said == []


def test_pixels_are_those_of_the_photo(tmp_path: Path) -> None:
    record = photo(tmp_path / "1.png", Truth(Box(10.2, 5, 39.1, 30), "egg"), split="train")
    dataset, _ = made(record)
    hashes = {record.file: images.sha256(record.file)}
    built = write_built(dataset, tmp_path / "built", hashes, task="classify", least_side=1)
    expected = np.asarray(Image.open(record.file))[5:30, 10:40]
    assert built.files == {"a/1-1.png": "train/egg/1-1.png"}
    assert np.array_equal(np.asarray(Image.open(built.picture("a/1-1.png"))), expected)


def test_pixels_of_a_photo_that_was_stored_turned(tmp_path: Path) -> None:
    pixels = np.zeros((60, 90, 3), np.uint8)
    pixels[:20, :30] = (200, 0, 0)  # upright: the upper right corner, 20 wide and 30 high
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "1.png", exif=exif)
    record = ImageRecord(tmp_path / "1.png", "1.png", 60, 90, ".png", (Truth(Box(40, 0, 60, 30), "egg"),), "", "train")
    dataset, _ = made(record)
    built = write_built(dataset, tmp_path / "built", {record.file: "sha"}, task="classify")
    crop = np.asarray(Image.open(built.picture("1-1.png")))
    assert (crop.shape, np.unique(crop.reshape(-1, 3), axis=0).tolist()) == ((30, 20, 3), [[200, 0, 0]])


@pytest.mark.parametrize(
    ("box", "said"),
    [
        pytest.param(Box(10, 10, 19, 40), "a/1.png 1 too small: egg: 9x30 pixels are too few for a picture", id="narrow"),
        pytest.param(Box(10, 10, 40, 12), "a/1.png 1 too small: egg: 30x2 pixels are too few for a picture", id="low"),
        pytest.param(Box(85, 50, 200, 300), "a/1.png 1 too small: egg: 5x10 pixels are too few for a picture", id="mostly outside"),
        pytest.param(Box(200, 200, 300, 300), "a/1.png 1 too small: egg: 0x0 pixels are too few for a picture", id="outside"),
    ],
)  # fmt: skip
def test_small_objects_are_left_out_and_told(tmp_path: Path, box: Box, said: str) -> None:
    dataset, told = made(photo(tmp_path / "1.png", Truth(box, "egg"), Truth(Box(0, 0, 10, 10), "egg")))
    assert [image.name for image in dataset.images] == ["a/1-2.png"]  # the number stays that of the object
    assert told == [said]


def test_photos_without_objects_are_counted(tmp_path: Path) -> None:
    dataset, said = made(photo(tmp_path / "1.png"), photo(tmp_path / "2.png"))
    assert (dataset.images, said) == ((), ["2 pictures have no object to crop and were left out"])


def test_jpegs_stay_jpegs_and_edits_come_before_the_crop(tmp_path: Path) -> None:
    record = photo(tmp_path / "1.jpg", Truth(Box(0, 0, 20, 20), "egg"), group="versions")
    turned = ImageRecord(record.file, record.name, 60, 90, ".jpg", record.truths, "versions", None, (Turn(6),))
    (crop,) = made(turned)[0].images
    assert (crop.suffix, crop.edits, crop.group) == (".jpg", (Turn(6), Crop(0, 0, 20, 20)), "versions")
    assert made(photo(tmp_path / "2.webp", Truth(Box(0, 0, 20, 20), "egg")))[0].images[0].suffix == ".png"


def test_crops_of_a_photo_are_dealt_into_one_split(tmp_path: Path) -> None:
    boxes = [Truth(Box(x, 0, x + 20, 20), "egg") for x in (0, 20, 40)]
    photos = [photo(tmp_path / f"{'x' * number}.png", *boxes) for number in range(1, 9)]
    dataset, _ = made(*photos)
    hashes = {record.file: images.sha256(record.file) for record in photos}
    dealt = deal(dataset, {"train": 0.5, "val": 0.5}, 0, hashes, {})
    by_photo = {image.file: {i.split for i in dealt.images if i.file == image.file} for image in dealt.images}
    assert len(by_photo) == 8
    assert {len(splits) for splits in by_photo.values()} == {1}
    assert (len(dealt.of("train")), len(dealt.of("val"))) == (12, 12)


def test_merging_takes_two_crops_of_one_photo_for_two_pictures(tmp_path: Path) -> None:
    egg, onion = Truth(Box(0, 0, 20, 20), "egg"), Truth(Box(30, 0, 60, 20), "양파")
    record = photo(tmp_path / "1.png", egg, onion)
    (dataset, _), (other, _) = made(record), made(record)
    joined, report = merge([dataset, other.with_images(other.images[:1])], {record.file: "sha"})
    assert [(image.name, image.truths[0].label) for image in joined.images] == [
        ("1/a/1-1.png", "egg"),
        ("1/a/1-2.png", "양파"),
    ]
    assert len(report.fixed) == 1


numbers = st.floats(-20, 110, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, st.floats(0, 90), st.floats(0, 90)), max_size=5))
def test_crops_lie_in_the_photo_around_their_boxes(boxes: list[tuple[float, float, float, float]]) -> None:
    truths = tuple(Truth(Box(x, y, x + w, y + h), "egg") for x, y, w, h in boxes)
    record = ImageRecord(Path("1.png"), "1.png", 90, 60, ".png", truths)
    dataset, said = made(record)
    assert len(dataset.images) + len(said) == len(boxes) + (not boxes)
    assert len({image.name for image in dataset.images}) == len(dataset.images)
    for image in dataset.images:
        (part,) = image.edits
        assert isinstance(part, Crop)
        box = truths[int(image.name[2:-4]) - 1].box
        assert 0 <= part.x <= max(box.x0, 0)
        assert 0 <= part.y <= max(box.y0, 0)
        assert min(box.x1, 90) <= part.x + part.width <= 90
        assert min(box.y1, 60) <= part.y + part.height <= 60
        assert min(part.width, part.height) >= 10
        assert is_whole(image)
