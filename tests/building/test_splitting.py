"""Dealing to train, val and test, on records whose pictures need not exist: content is what `hashes` says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_pipeline.building.splitting import deal, splits_by_content
from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import SPLITS, Box, Dataset, ImageRecord, Split, Truth

RATIOS: Mapping[Split, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
BOX = Box(0, 0, 10, 10)


def record(name: str, *labels: str, group: str = "") -> ImageRecord:
    return ImageRecord(Path(name), name, 20, 20, ".jpg", tuple(Truth(BOX, label) for label in labels), group)


def dataset_of(*images: ImageRecord) -> Dataset:
    return Dataset(tuple(sorted({truth.label for image in images for truth in image.truths})), images)


def different(dataset: Dataset) -> dict[Path, str]:
    """Hashes of pictures that are all different."""
    return {image.file: f"content of {image.name}" for image in dataset.images}


def hundred() -> Dataset:
    """70 pictures of a pot, 20 of a pan and 10 of a lid."""
    labels = ["pot"] * 70 + ["pan"] * 20 + ["lid"] * 10
    return dataset_of(*[record(f"{number}.jpg", label) for number, label in enumerate(labels)])


def split_of(dataset: Dataset) -> dict[str, Split | None]:
    return {image.name: image.split for image in dataset.images}


def images_with(dataset: Dataset, split: Split, label: str) -> int:
    return sum(image.truths[0].label == label for image in dataset.of(split))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ratios_hold_for_the_images_and_for_every_class(seed: int) -> None:
    dealt = deal(hundred(), RATIOS, seed, different(hundred()), {})
    assert [len(dealt.of(split)) for split in SPLITS] == [80, 10, 10]
    found = {label: [images_with(dealt, split, label) for split in SPLITS] for label in ("pot", "pan", "lid")}
    assert found == {"pot": [56, 7, 7], "pan": [16, 2, 2], "lid": [8, 1, 1]}


def test_images_keep_their_order_and_all_but_their_split() -> None:
    dealt = deal(hundred(), RATIOS, 0, different(hundred()), {})
    assert dealt.with_images(replace(image, split=None) for image in dealt.images) == hundred()


def test_backgrounds_are_dealt_like_a_class_of_their_own() -> None:
    images = [record(f"{n}.jpg", "pot") for n in range(20)] + [record(f"empty {n}.jpg") for n in range(10)]
    dealt = deal(dataset_of(*images), RATIOS, 0, different(dataset_of(*images)), {})
    assert [sum(image.is_background for image in dealt.of(split)) for split in SPLITS] == [8, 1, 1]


def test_without_test_share_there_is_no_test_split() -> None:
    dealt = deal(hundred(), {"train": 0.9, "val": 0.1}, 0, different(hundred()), {})
    assert [len(dealt.of(split)) for split in SPLITS] == [90, 10, 0]


def test_groups_stay_whole() -> None:
    images = [
        record(f"{photo}-{version}.jpg", "pot", group=f"photo {photo}") for photo in range(20) for version in "abc"
    ]
    dealt = deal(dataset_of(*images), RATIOS, 0, different(dataset_of(*images)), {})
    splits_of_group = defaultdict(set)
    for image in dealt.images:
        splits_of_group[image.group].add(image.split)
    assert [len(splits) for splits in splits_of_group.values()] == [1] * 20
    assert [len(dealt.of(split)) for split in SPLITS] == [48, 6, 6]


def test_equal_pictures_stay_together() -> None:
    images = [record(f"{photo}-{copy}.jpg", "pot") for photo in range(20) for copy in "ab"]
    hashes = {image.file: image.name.partition("-")[0] for image in images}
    dealt = split_of(deal(dataset_of(*images), RATIOS, 0, hashes, {}))
    assert [dealt[f"{photo}-a.jpg"] == dealt[f"{photo}-b.jpg"] for photo in range(20)] == [True] * 20


def test_a_picture_in_two_groups_ties_them_together() -> None:
    chain = [record("a1.jpg", "pot", group="a"), record("a2.jpg", "pot", group="a")]
    chain += [record("b1.jpg", "pot", group="b"), record("b2.jpg", "pot", group="b")]
    dataset = dataset_of(*chain, *[record(f"{n}.jpg", "pot") for n in range(20)])
    hashes = {**different(dataset), Path("b1.jpg"): "content of a2.jpg"}
    for seed in range(5):
        dealt = split_of(deal(dataset, RATIOS, seed, hashes, {}))
        assert len({dealt[image.name] for image in chain}) == 1


def test_the_seed_alone_decides() -> None:
    hashes = different(hundred())
    first = deal(hundred(), RATIOS, 0, hashes, {})
    assert deal(hundred(), RATIOS, 0, hashes, {}) == first
    assert deal(hundred(), RATIOS, 1, hashes, {}) != first


def test_the_order_of_the_images_does_not_matter() -> None:
    backwards = hundred().with_images(reversed(hundred().images))
    hashes = different(hundred())
    assert split_of(deal(backwards, RATIOS, 0, hashes, {})) == split_of(deal(hundred(), RATIOS, 0, hashes, {}))


def test_kept_splits_stay_when_images_are_added() -> None:
    first = deal(hundred(), RATIOS, 0, different(hundred()), {})
    more = dataset_of(*[record(f"new {n}.jpg", "lid") for n in range(50)], *hundred().images)
    kept = splits_by_content(first.images, different(first))
    dealt = deal(more, RATIOS, 7, different(more), kept)
    after = split_of(dealt)
    assert {name: after[name] for name in split_of(first)} == split_of(first)
    assert [len(dealt.of(split)) for split in SPLITS] == [120, 15, 15]


def test_kept_splits_go_by_content_not_by_name() -> None:
    renamed = record("new name.jpg", "pot")
    dataset = dataset_of(renamed, *[record(f"{n}.jpg", "pot") for n in range(20)])
    dealt = deal(dataset, RATIOS, 0, {**different(dataset), renamed.file: "old"}, {"old": "test"})
    assert split_of(dealt)["new name.jpg"] == "test"


def test_new_versions_of_a_photo_join_its_kept_split() -> None:
    versions = [record(f"photo-{version}.jpg", "pot", group="photo") for version in "abcd"]
    dataset = dataset_of(*versions, *[record(f"{n}.jpg", "pot") for n in range(20)])
    dealt = split_of(deal(dataset, RATIOS, 0, different(dataset), {"content of photo-c.jpg": "val"}))
    assert [dealt[image.name] for image in versions] == ["val"] * 4


def test_a_kept_split_stays_though_its_share_is_now_none() -> None:
    dealt = deal(hundred(), {"train": 0.9, "val": 0.1}, 0, different(hundred()), {"content of 3.jpg": "test"})
    assert [image.name for image in dealt.of("test")] == ["3.jpg"]


@pytest.mark.parametrize(
    "images",
    [
        pytest.param([record("a.jpg", "pot")], id="one picture"),
        pytest.param([record(f"{n}.jpg", "pot", group="one") for n in range(30)], id="thirty versions of one photo"),
        pytest.param([], id="no picture"),
    ],
)
def test_a_split_without_images_is_refused(images: list[ImageRecord]) -> None:
    dataset = dataset_of(*images)
    with pytest.raises(DataError, match=r"data\.split: (train|val|test) would be empty"):
        deal(dataset, RATIOS, 0, different(dataset), {})


def test_splits_by_content_leaves_out_what_has_none() -> None:
    images = (replace(record("a.jpg"), split="val"), record("b.jpg"))
    assert splits_by_content(images, {Path("a.jpg"): "A", Path("b.jpg"): "B"}) == {"A": "val"}


@st.composite
def entangled(draw: st.DrawFn) -> tuple[Dataset, dict[Path, str]]:
    """Thirty single pictures that fill every split, and some with shared groups and shared content."""
    images = [record(f"single {n}.jpg", "pot") for n in range(30)]
    hashes = {image.file: image.name for image in images}
    labels = st.lists(st.sampled_from(["pot", "pan", "lid"]), max_size=3)
    rows = st.tuples(labels, st.sampled_from(["", "a", "b", "c"]), st.integers(0, 9))
    for number, (names, group, content) in enumerate(draw(st.lists(rows, max_size=25))):
        image = record(f"{number}.jpg", *names, group=group)
        images.append(image)
        hashes[image.file] = f"content {content}"
    return dataset_of(*images), hashes


@given(entangled(), st.integers(0, 1000))
def test_every_image_gets_one_split_and_nothing_leaks(drawn: tuple[Dataset, dict[Path, str]], seed: int) -> None:
    dataset, hashes = drawn
    dealt = deal(dataset, RATIOS, seed, hashes, {})
    assert [image.name for image in dealt.images] == [image.name for image in dataset.images]
    assert {image.split for image in dealt.images} <= set(SPLITS)
    together = defaultdict(set)
    for image in dealt.images:
        together[hashes[image.file]].add(image.split)
        if image.group:
            together[f"group {image.group}"].add(image.split)
    assert {key: splits for key, splits in together.items() if len(splits) != 1} == {}
