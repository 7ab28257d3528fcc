"""Edits added to a record: what is left of an object is counted over all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolo_pipeline.building.editing import edited
from yolo_pipeline.nouns import Box, Change, Crop, Edit, ImageRecord, Pad, Resize, Rotate, Truth, Turn

EGG = Truth(Box(0, 0, 1000, 100), "egg")
HALF, FIFTH = Crop(0, 0, 500, 100), Crop(0, 0, 100, 100)
ROTATED_AWAY = (Crop(0, 0, 400, 100), Resize(200, 200), Rotate(0.0), Turn(2), Crop(0, 0, 100, 200), Crop(0, 0, 100, 90))


def picture() -> ImageRecord:
    return ImageRecord(Path("a.jpg"), "a.jpg", 1000, 100, ".jpg", (EGG,))


@pytest.mark.parametrize(
    ("edits", "left"),
    [
        pytest.param((HALF,), Box(0, 0, 500, 100), id="half"),
        pytest.param((HALF, FIFTH), Box(0, 0, 100, 100), id="a fifth of a half is a tenth"),
        pytest.param((HALF, Pad(0, 0, 900, 900), FIFTH), Box(0, 0, 100, 100), id="padding gives nothing back"),
    ],
)
def test_a_tenth_in_all_is_enough(edits: tuple[Edit, ...], left: Box) -> None:
    record, dropped = edited(picture(), edits)
    assert (record.truths, dropped) == ((Truth(left, "egg"),), [])


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        pytest.param((Crop(0, 0, 150, 100), Crop(0, 0, 22, 100)), "egg: 2% of its box is left after crop", id="twice 15%"),
        pytest.param((HALF, Resize(100, 100), Crop(0, 0, 19, 100)), "egg: 10% of its box is left after crop", id="9.5%"),
        pytest.param(ROTATED_AWAY, "egg: 9% of its box is left after crop", id="in many steps"),
    ],
)  # fmt: skip
def test_less_than_a_tenth_in_all_is_dropped_and_said(edits: tuple[Edit, ...], why: str) -> None:
    record, dropped = edited(picture(), edits)
    assert (record.truths, dropped) == ((), [Change("a.jpg", 1, "cropped", why)])


def test_each_object_is_counted_by_itself() -> None:
    egg, onion = Truth(Box(0, 0, 100, 100), "egg"), Truth(Box(40, 0, 540, 100), "onion")
    image = ImageRecord(Path("a.jpg"), "a.jpg", 1000, 100, ".jpg", (onion, egg))
    record, dropped = edited(image, [Crop(0, 0, 100, 100), Crop(0, 0, 50, 100)])
    assert record.truths == (Truth(Box(0, 0, 50, 100), "egg"),)
    assert [(change.object, change.why) for change in dropped] == [(1, "onion: 2% of its box is left after crop")]


def test_another_call_begins_anew() -> None:
    once, _ = edited(picture(), [Crop(0, 0, 150, 100)])
    twice, dropped = edited(once, [Crop(0, 0, 22, 100)])
    assert (twice.truths, dropped) == ((Truth(Box(0, 0, 22, 100), "egg"),), [])
