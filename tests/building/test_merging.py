"""Joining sources; content is what `hashes` says, so no picture need exist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from yolo_pipeline.building.merging import merge
from yolo_pipeline.building.splitting import deal
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


def test_every_copy_of_a_picture_gets_the_boxes_of_another_source() -> None:
    first = source("first", ("egg",), p=(), q=(), r=(EGG,))
    second = source("second", ("egg",), c=(EGG,), d=(EGG,))
    same = {Path("first", name): "same" for name in "pq"} | {Path("second/c"): "same"}
    merged, report = merge([first, second], {**same, Path("first/r"): "2", Path("second/d"): "3"})
    assert found(merged) == [("1/p", (EGG,)), ("1/q", (EGG,)), ("1/r", (EGG,)), ("2/d", (EGG,))]
    assert [change.why.partition(";")[0] for change in report.fixed] == [
        "the same picture as 1/p",
        "the same picture as 1/q",
    ]


def grouped(folder: str, **groups: str) -> Dataset:
    plain = source(folder, ("egg",), **dict.fromkeys(groups, (EGG,)))
    return plain.with_images(replace(image, group=groups[image.name]) for image in plain.images)


def test_versions_of_a_shared_photo_stay_in_one_split() -> None:
    """The first source knows the photo without its versions; the second one has it with two of them."""
    others = dict.fromkeys((f"o{number}" for number in range(20)), "")
    second = grouped("second", a="photo", b="photo", c="photo")
    first = grouped("first", a="", **others)
    hashes = {image.file: str(image.file) for image in (*first.images, *second.images)}
    hashes[Path("second/a")] = hashes[Path("first/a")]
    merged, _ = merge([first, second], hashes)
    for seed in range(10):
        dealt = deal(merged, {"train": 0.6, "val": 0.2, "test": 0.2}, seed, hashes, {})
        splits = {image.split for image in dealt.images if image.name in ("1/a", "2/b", "2/c")}
        assert len(splits) == 1


def test_groups_of_two_sources_that_share_a_picture_become_one() -> None:
    """The first two share a, the last two share c."""
    datasets = [
        grouped("first", a="p", b="p", other="s"),
        grouped("second", a="q", c="q", d=""),
        grouped("third", a="r", c="r", d="q2", e="q2"),
    ]
    hashes = {image.file: str(image.file) for dataset in datasets for image in dataset.images}
    hashes |= {Path("second/a"): hashes[Path("first/a")], Path("third/c"): hashes[Path("second/c")]}
    merged, _ = merge(datasets, hashes)
    assert {image.name: image.group for image in merged.images} == {
        "1/a": "p", "1/b": "p", "1/other": "s", "2/c": "p", "2/d": "", "3/a": "p", "3/d": "q2", "3/e": "q2",
    }  # fmt: skip
