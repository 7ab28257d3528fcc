"""Joining sources; content is what `hashes` says, so no picture need exist."""

from __future__ import annotations

from pathlib import Path

from yolo_pipeline.building.merging import merge
from yolo_pipeline.nouns import Box, Change, Dataset, ImageRecord, ReadReport, Truth

EGG, ONION = Truth(Box(0, 0, 10, 10), "egg"), Truth(Box(5, 5, 20, 20), "onion")


def source(folder: str, names: tuple[str, ...], **images: tuple[Truth, ...]) -> Dataset:
    records = [ImageRecord(Path(folder, name), name, 50, 50, ".jpg", truths) for name, truths in images.items()]
    return Dataset(names, tuple(records))


def found(dataset: Dataset) -> list[tuple[str, tuple[Truth, ...]]]:
    return [(image.name, image.truths) for image in dataset.images]


FIRST = source("first", ("egg",), a=(EGG,), b=())


def test_one_source_is_left_as_it_is() -> None:
    assert merge([FIRST], {}) == (FIRST, ReadReport())


def test_different_pictures_of_one_name_are_both_kept() -> None:
    second = source("second", ("onion", "egg"), a=(ONION,))
    hashes = {Path("first/a"): "1", Path("first/b"): "2", Path("second/a"): "3"}
    merged, report = merge([FIRST, second], hashes)
    assert merged.names == ("egg", "onion")
    assert found(merged) == [("1/a", (EGG,)), ("1/b", ()), ("2/a", (ONION,))]
    assert report == ReadReport()


def test_the_same_picture_in_two_sources_is_joined_and_reported() -> None:
    second = source("second", ("egg", "onion"), c=(EGG, ONION))
    hashes = {Path("first/a"): "same", Path("first/b"): "2", Path("second/c"): "same"}
    merged, report = merge([FIRST, second], hashes)
    assert found(merged) == [("1/a", (EGG, ONION)), ("1/b", ())]
    why = "the same picture as 1/a; 1 further boxes were joined to it"
    assert report == ReadReport(fixed=(Change("2/c", 0, "same picture", why),))


def test_a_background_that_another_source_labelled_gets_its_boxes() -> None:
    second = source("second", ("onion",), c=(ONION,))
    hashes = {Path("first/a"): "1", Path("first/b"): "same", Path("second/c"): "same"}
    merged, _ = merge([FIRST, second], hashes)
    assert found(merged) == [("1/a", (EGG,)), ("1/b", (ONION,))]


def test_equal_pictures_within_one_source_stay() -> None:
    second = source("second", ("egg",), c=(EGG,), d=(EGG,))
    hashes = {Path("first/a"): "1", Path("first/b"): "2", Path("second/c"): "same", Path("second/d"): "same"}
    merged, report = merge([FIRST, second], hashes)
    assert [image.name for image in merged.images] == ["1/a", "1/b", "2/c", "2/d"]
    assert report == ReadReport()


def test_one_picture_in_three_sources_is_one() -> None:
    third = source("third", ("onion",), c=(ONION,))
    second = source("second", ("egg",), c=(EGG,))
    hashes = {Path("first/a"): "same", Path("first/b"): "2", Path("second/c"): "same", Path("third/c"): "same"}
    merged, report = merge([FIRST, second, third], hashes)
    assert found(merged) == [("1/a", (EGG, ONION)), ("1/b", ())]
    assert [change.file for change in report.fixed] == ["2/c", "3/c"]


def two_sources(first: tuple[Truth, ...], second: tuple[Truth, ...]) -> tuple[list[Truth], list[Change]]:
    hashes = {Path("first/a"): "same", Path("second/c"): "same"}
    merged, report = merge([source("first", ("egg", "onion"), a=first), source("second", ("egg",), c=second)], hashes)
    return list(merged.images[0].truths), list(report.dropped)


NEAR_EGG = Truth(Box(1, 0, 11, 10), "egg")  # IoU with EGG is 90 / 110
NEAR_ONION = Truth(Box(1, 0, 11, 10), "onion")


def test_one_object_boxed_twice_keeps_the_earlier_box_and_says_so() -> None:
    why = "egg is boxed otherwise in 1/a, whose box stays"
    assert two_sources((EGG,), (NEAR_EGG,)) == ([EGG], [Change("2/c", 1, "boxed twice", why)])


def test_a_conflict_of_classes_keeps_the_earlier_class_and_says_so() -> None:
    why = "onion here is egg in 1/a, which stays"
    assert two_sources((EGG,), (ONION, NEAR_ONION)) == ([EGG, ONION], [Change("2/c", 2, "conflict", why)])


def test_two_objects_close_together_are_not_taken_for_one() -> None:
    assert two_sources((EGG,), (EGG, NEAR_EGG)) == ([EGG, NEAR_EGG], [])


def test_the_earlier_sources_split_stays() -> None:
    images = [
        Dataset(("egg",), (ImageRecord(Path(folder, "a"), "a", 50, 50, ".jpg", (EGG,), split=split),))
        for folder, split in (("first", "test"), ("second", "train"))
    ]
    merged, report = merge(images, {Path("first/a"): "same", Path("second/a"): "same"})
    assert merged.images[0].split == "test"
    assert report.fixed[0].why.endswith("it stays in test, not in train")
