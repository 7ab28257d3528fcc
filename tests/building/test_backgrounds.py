"""Background pictures, counted; content is what `hashes` says, so no picture need exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from yolo_pipeline.building.backgrounds import add_backgrounds
from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Truth


def record(name: str, labelled: bool = True) -> ImageRecord:
    truths = (Truth(Box(0, 0, 10, 10), "pot"),) if labelled else ()
    return ImageRecord(Path(name), name, 20, 20, ".jpg", truths)


def training(labelled: int, empty: int = 0) -> Dataset:
    """Training images with and without boxes, and 7 validation images, which count for nothing."""
    images = [replace(record(f"{n}.jpg"), split="train") for n in range(labelled)]
    images += [replace(record(f"empty {n}.jpg", labelled=False), split="train") for n in range(empty)]
    images += [replace(record(f"val {n}.jpg"), split="val") for n in range(7)]
    return Dataset(("pot",), tuple(images))


def pictures(count: int) -> list[ImageRecord]:
    return [record(f"house {n}.jpg", labelled=False) for n in range(count)]


def different(dataset: Dataset, free: Sequence[ImageRecord]) -> dict[Path, str]:
    return {image.file: f"content of {image.name}" for image in [*dataset.images, *free]}


def add(dataset: Dataset, free: Sequence[ImageRecord], share: float, seed: int = 0) -> list[ImageRecord]:
    """The records that are added."""
    grown = add_backgrounds(dataset, free, share, seed, different(dataset, free))
    assert grown.images[: len(dataset.images)] == dataset.images
    return list(grown.images[len(dataset.images) :])


@pytest.mark.parametrize(
    ("labelled", "empty", "share", "added"),
    [
        pytest.param(95, 0, 0.05, 5, id="5 of 100"),
        pytest.param(90, 0, 0.1, 10, id="10 of 100"),
        pytest.param(99, 0, 0.01, 1, id="1 of 100"),
        pytest.param(95, 2, 0.05, 3, id="two empty training images count"),
        pytest.param(95, 5, 0.05, 0, id="enough already"),
        pytest.param(80, 20, 0.05, 0, id="more than enough already"),
    ],
)
def test_backgrounds_are_the_share_of_all_training_images(labelled: int, empty: int, share: float, added: int) -> None:
    assert len(add(training(labelled, empty), pictures(12), share)) == added


def test_added_pictures_are_training_images_without_boxes() -> None:
    added = add(training(95), pictures(12), 0.05)
    assert {(image.split, image.truths) for image in added} == {("train", ())}
    assert [image.name.startswith("backgrounds/house ") for image in added] == [True] * 5
    assert [image.file for image in added] == [Path(image.name.removeprefix("backgrounds/")) for image in added]


def test_boxes_of_a_background_source_are_not_taken_over() -> None:
    assert add(training(19), [record("house.jpg", labelled=True)], 0.05)[0].truths == ()


def test_too_few_pictures_is_an_error_that_says_how_many_are_missing() -> None:
    with pytest.raises(DataError, match=r"5 background pictures, 3 are missing\. Add 3 pictures"):
        add(training(95), pictures(2), 0.05)


def test_existing_backgrounds_count_in_the_error_too() -> None:
    with pytest.raises(DataError, match="5 background pictures, 1 are missing"):
        add(training(95, 2), pictures(2), 0.05)


def test_pictures_that_the_data_set_holds_are_passed_over() -> None:
    dataset, free = training(95), pictures(6)
    hashes = {**different(dataset, free), Path("house 0.jpg"): "content of val 3.jpg"}
    grown = add_backgrounds(dataset, free, 0.05, 0, hashes)
    chosen = [image.file.name for image in grown.images[-5:]]
    assert chosen == ["house 1.jpg", "house 2.jpg", "house 3.jpg", "house 4.jpg", "house 5.jpg"]


def test_equal_background_pictures_count_once() -> None:
    dataset, free = training(95), pictures(6)
    hashes = {**different(dataset, free), Path("house 0.jpg"): "same", Path("house 1.jpg"): "same"}
    grown = add_backgrounds(dataset, free, 0.05, 0, hashes)
    assert len({hashes[image.file] for image in grown.images[-5:]}) == 5
    with pytest.raises(DataError, match="1 are missing"):
        add_backgrounds(dataset, free[:5], 0.05, 0, hashes)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_larger_share_keeps_the_earlier_choice(seed: int) -> None:
    few = {image.name for image in add(training(90), pictures(12), 0.05, seed)}
    many = {image.name for image in add(training(90), pictures(12), 0.1, seed)}
    assert (len(few), len(many)) == (5, 10)
    assert few < many


def test_the_seed_decides_and_the_order_of_the_pictures_does_not() -> None:
    chosen = {seed: add(training(95), pictures(12), 0.05, seed) for seed in range(5)}
    assert add(training(95), pictures(12)[::-1], 0.05, 0) == chosen[0]
    assert len({tuple(image.name for image in images) for images in chosen.values()}) > 1
