"""Resizing: the size wanted, boxes that follow, and what is cut off is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.building.resizing import Mode, resize, resize_edits
from yolo_pipeline.geometry import size_after
from yolo_pipeline.nouns import Box, Change, Crop, Dataset, Edit, ImageRecord, Pad, Resize, Truth


def dataset(width: int, height: int, *boxes: Box, suffix: str = ".jpg") -> Dataset:
    truths = tuple(Truth(box, "egg") for box in boxes)
    return Dataset(("egg",), (ImageRecord(Path("a.jpg"), "a.jpg", width, height, suffix, truths, "g", "val"),))


@pytest.mark.parametrize(
    ("mode", "edits", "box"),
    [
        pytest.param("stretch", (Resize(640, 640),), Box(320, 160, 640, 320), id="stretch"),
        pytest.param("fit", (Resize(640, 320), Pad(0, 160, 640, 640)), Box(320, 240, 640, 320), id="fit"),
        pytest.param("fill", (Resize(1280, 640), Crop(320, 0, 640, 640)), Box(320, 160, 640, 320), id="fill"),
    ],
)
def test_a_picture_twice_as_wide_as_high(mode: Mode, edits: tuple[Edit, ...], box: Box) -> None:
    """Of 200x100 to 640x640."""
    resized, report = resize(dataset(200, 100, Box(100, 25, 200, 50)), 640, 640, mode)
    image = resized.images[0]
    assert (image.width, image.height, image.edits) == (640, 640, edits)
    assert image.truths == (Truth(box, "egg"),)
    assert (image.name, image.group, image.split, image.suffix) == ("a.jpg", "g", "val", ".jpg")
    assert report.dropped == ()


def test_objects_that_are_cut_off_are_dropped_and_said() -> None:
    """Of 200x100 filling 100x100, the 50 left and right columns go."""
    boxes = (Box(0, 0, 40, 40), Box(40, 0, 60, 40), Box(0, 0, 55, 40), Box(50, 0, 150, 100))
    resized, report = resize(dataset(200, 100, *boxes), 100, 100, "fill")
    assert [truth.box for truth in resized.images[0].truths] == [Box(0, 0, 10, 40), Box(0, 0, 100, 100)]
    assert report.dropped == (
        Change("a.jpg", 1, "cropped", "egg: 0% of its box is left after crop"),
        Change("a.jpg", 3, "cropped", "egg: 9% of its box is left after crop"),
    )


def test_a_tenth_of_a_box_is_enough() -> None:
    resized, report = resize(dataset(200, 100, Box(5, 0, 55, 40)), 100, 100, "fill")
    assert [truth.box for truth in resized.images[0].truths] == [Box(0, 0, 5, 40)]
    assert report.dropped == ()


@pytest.mark.parametrize("mode", ["stretch", "fit", "fill"])
def test_a_picture_of_that_size_stays_the_file_that_it_is(mode: Mode) -> None:
    before = dataset(640, 480, Box(1, 2, 30, 40), suffix=".bmp")
    assert resize(before, 640, 480, mode)[0] == before


def test_what_is_no_jpeg_is_written_as_png() -> None:
    assert resize(dataset(200, 100, suffix=".webp"), 64, 64, "stretch")[0].images[0].suffix == ".png"


@given(*[st.integers(1, 5000)] * 2, *[st.integers(32, 2000)] * 2, st.sampled_from(["stretch", "fit", "fill"]))
@settings(deadline=None)
def test_the_size_is_exact_and_everything_stays_on_the_canvas(
    width: int, height: int, to_width: int, to_height: int, mode: Mode
) -> None:
    size = (width, height)
    for edit in resize_edits(width, height, to_width, to_height, mode):
        if isinstance(edit, Pad):
            assert 0 <= edit.x <= edit.width - size[0]
            assert 0 <= edit.y <= edit.height - size[1]
        if isinstance(edit, Crop):
            assert 0 <= edit.x <= size[0] - edit.width
            assert 0 <= edit.y <= size[1] - edit.height
        size = size_after(edit, *size)
    assert size == (to_width, to_height)
