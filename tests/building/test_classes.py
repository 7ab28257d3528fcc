"""Renaming and choosing classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolo_pipeline.building.classes import choose_classes, rename_classes
from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Truth


def truths_of(*labels: str) -> ImageRecord:
    boxes = (Truth(Box(n, 0, n + 10, 10), label) for n, label in enumerate(labels))
    return ImageRecord(Path("a.jpg"), "a.jpg", 50, 50, ".jpg", tuple(boxes))


def labels(dataset: Dataset) -> list[list[str]]:
    return [[truth.label for truth in image.truths] for image in dataset.images]


KITCHEN = Dataset(("egg", "eggs", "onion"), (truths_of("egg", "onion", "eggs"), truths_of("onion"), truths_of()))


def test_renaming_to_an_existing_name_merges() -> None:
    renamed = rename_classes([KITCHEN], {"egg": "eggs"})[0]
    assert renamed.names == ("eggs", "onion")
    assert labels(renamed) == [["eggs", "onion", "eggs"], ["onion"], []]
    assert renamed.boxes == KITCHEN.boxes


def test_two_classes_can_swap_their_names() -> None:
    renamed = rename_classes([KITCHEN], {"egg": "onion", "onion": "egg"})[0]
    assert renamed.names == ("onion", "eggs", "egg")
    assert labels(renamed) == [["onion", "egg", "eggs"], ["egg"], []]


def test_renaming_leaves_boxes_and_the_rest_alone() -> None:
    renamed = rename_classes([KITCHEN], {"egg": "ei", "eggs": "eier", "onion": "zwiebel"})[0]
    assert rename_classes([renamed], {"ei": "egg", "eier": "eggs", "zwiebel": "onion"}) == [KITCHEN]


def test_renaming_an_unknown_class_names_what_exists() -> None:
    with pytest.raises(
        DataError, match=r"data\.rename: beef: no annotation has this class\. There are egg, eggs, onion"
    ):
        rename_classes([KITCHEN], {"beef": "meat"})


def test_chosen_classes_are_in_the_order_asked_for() -> None:
    chosen = choose_classes([KITCHEN], ["onion", "egg"])[0]
    assert chosen.names == ("onion", "egg")
    assert labels(chosen) == [["egg", "onion"], ["onion"], []]


def test_images_left_without_a_box_stay_as_backgrounds() -> None:
    chosen = choose_classes([KITCHEN], ["egg"])[0]
    assert labels(chosen) == [["egg"], [], []]
    assert [image.is_background for image in chosen.images] == [False, True, True]


def test_choosing_an_unknown_class_names_what_exists() -> None:
    with pytest.raises(
        DataError, match=r"data\.classes: beef: no annotation has this class\. There are egg, eggs, onion"
    ):
        choose_classes([KITCHEN], ["egg", "beef"])


def test_a_class_of_data_yaml_that_no_annotation_has_cannot_be_chosen() -> None:
    dataset = Dataset((*KITCHEN.names, "radish"), KITCHEN.images)
    with pytest.raises(DataError, match=r"data\.classes: radish"):
        choose_classes([dataset], ["radish"])


def test_choosing_a_class_twice_is_refused() -> None:
    with pytest.raises(DataError, match=r"data\.classes: egg: is named twice"):
        choose_classes([KITCHEN], ["egg", "egg"])


def test_a_long_list_of_classes_is_cut_in_the_error() -> None:
    names = tuple(f"class {number:02}" for number in range(30))
    with pytest.raises(DataError, match=r"class 19 …$"):
        choose_classes([Dataset(names, (truths_of(*names),))], ["beef"])


def test_a_class_need_be_in_one_source_only() -> None:
    other = Dataset(("onion",), (truths_of("onion"),))
    renamed = rename_classes([KITCHEN, other], {"egg": "eggs"})
    assert [dataset.names for dataset in renamed] == [("eggs", "onion"), ("onion",)]
    assert [dataset.names for dataset in choose_classes(renamed, ["eggs"])] == [("eggs",), ("eggs",)]
