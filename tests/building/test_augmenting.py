"""Augmentation: training pictures alone, seeded picture by picture, no copy equal to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from yolo_pipeline.building.augmenting import Changes, augment, compose_turns
from yolo_pipeline.geometry import turn_box
from yolo_pipeline.nouns import (
    Blur,
    Box,
    Brighten,
    Dataset,
    Edit,
    ImageRecord,
    InBox,
    ReadReport,
    Resize,
    Rotate,
    Split,
    Truth,
    Turn,
)

ALL = Changes(("horizontal", "vertical"), ("clockwise", "counter-clockwise", "upside-down"), 15.0, 0.25, 3.0)
NONE = Changes()


def photo(name: str, split: Split = "train") -> ImageRecord:
    truths = (Truth(Box(50, 30, 80, 60), "egg"), Truth(Box(90.5, 20.25, 110.5, 44.75), "onion"))
    return ImageRecord(Path(name), name, 160, 120, ".jpg", truths, f"group of {name}", split)


def photos(*images: ImageRecord) -> Dataset:
    return Dataset(("egg", "onion"), images)


def augmented(
    dataset: Dataset, outputs: int = 3, whole: Changes = ALL, in_boxes: Changes = NONE, seed: int = 0
) -> tuple[Dataset, ReadReport]:
    return augment(dataset, outputs, whole, in_boxes, seed, {image.file: image.file.name for image in dataset.images})


def all_edits(images: Sequence[ImageRecord]) -> list[Edit]:
    return [edit for image in images for edit in image.edits]


def test_each_training_picture_stays_with_its_copies_behind_it() -> None:
    before = photos(photo("a.jpg"), photo("b.png", "val"), photo("c.jpg"), photo("d.jpg", "test"))
    after, _ = augmented(before)
    names = [image.name for image in after.images]
    assert names == ["a.jpg", "a-aug1.jpg", "a-aug2.jpg", "b.png", "c.jpg", "c-aug1.jpg", "c-aug2.jpg", "d.jpg"]
    assert [image for image in after.images if not image.edits] == list(before.images)
    for image in after.images:
        original = next(other for other in before.images if other.file == image.file)
        assert (image.group, image.split) == (original.group, original.split)


def test_no_two_pictures_of_a_photo_are_equal() -> None:
    after, report = augmented(photos(photo("a.jpg")), outputs=12)
    assert len({image.edits for image in after.images}) == 12
    assert report == ReadReport()


def test_fewer_where_there_are_not_so_many() -> None:
    """One flip makes one other picture, all flips and turns make seven."""
    after, report = augmented(photos(photo("a.jpg")), 4, Changes(flips=("horizontal",)))
    assert [image.edits for image in after.images] == [(), (Turn(2),)]
    assert report.notes == (
        "2 augmented pictures would have been equal to others of the same picture and were not made",
    )
    after, report = augmented(photos(photo("a.jpg")), 12, Changes(ALL.flips, ALL.turns))
    assert {image.edits for image in after.images} == {(), *((Turn(number),) for number in range(2, 9))}
    assert report.notes[0].startswith("4 augmented pictures")


def test_every_change_is_drawn_within_its_limits() -> None:
    after, _ = augmented(photos(*(photo(f"{n}.jpg") for n in range(60))), 4)
    edits = all_edits(after.images)
    degrees = [edit.degrees for edit in edits if isinstance(edit, Rotate)]
    factors = [edit.factor for edit in edits if isinstance(edit, Brighten)]
    sigmas = [edit.sigma for edit in edits if isinstance(edit, Blur)]
    assert {edit.orientation for edit in edits if isinstance(edit, Turn)} == set(range(2, 9))
    assert -15 <= min(degrees) < -10
    assert 10 < max(degrees) <= 15
    assert 0.75 <= min(factors) < 0.8
    assert 1.2 < max(factors) <= 1.25
    assert 0 < min(sigmas) < 0.5
    assert 2.5 < max(sigmas) <= 3


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        pytest.param(Changes(rotation=15), Rotate, id="rotation"),
        pytest.param(Changes(brightness=0.25), Brighten, id="brightness"),
        pytest.param(Changes(blur=3), Blur, id="blur"),
        pytest.param(Changes(flips=("horizontal", "vertical")), Turn, id="flips"),
    ],
)
def test_what_is_not_asked_for_is_not_done(changes: Changes, kind: type) -> None:
    edits = all_edits(augmented(photos(photo("a.jpg"), photo("b.jpg")), 3, changes)[0].images)
    assert {type(edit) for edit in edits} == {kind}


def test_a_picture_becomes_the_same_whatever_others_there_are() -> None:
    a, b = photo("a.jpg"), photo("b.jpg")
    alone = augmented(photos(a))[0].images
    assert augmented(photos(b, a))[0].images[3:] == alone
    assert augmented(photos(replace(a, name="renamed.jpg")))[0].images[1].edits == alone[1].edits
    assert augmented(photos(a), outputs=5)[0].images[:3] == alone


def test_the_seed_and_the_content_decide() -> None:
    a = photo("a.jpg")
    edits = [augmented(photos(a), seed=seed)[0].images[1].edits for seed in (0, 0, 1)]
    assert edits[0] == edits[1] != edits[2]
    assert augmented(photos(replace(a, file=Path("other content"))))[0].images[1].edits != edits[0]


def test_boxes_follow() -> None:
    after, _ = augmented(photos(photo("a.jpg")), 2, Changes(flips=("horizontal",)))
    assert after.images[1].truths == (Truth(Box(80, 30, 110, 60), "egg"), Truth(Box(49.5, 20.25, 69.5, 44.75), "onion"))


def test_a_quarter_turn_swaps_width_and_height() -> None:
    after, _ = augmented(photos(photo("a.jpg")), 2, Changes(turns=("clockwise",)))
    copy = after.images[1]
    assert (copy.width, copy.height) == (120, 160)
    assert copy.truths[0].box == Box(60, 50, 90, 80)


def test_an_object_that_is_turned_out_of_the_picture_is_dropped_and_said() -> None:
    corner = replace(photo("a.jpg"), truths=(Truth(Box(0, 0, 5, 5), "egg"), Truth(Box(60, 40, 90, 70), "onion")))
    after, report = augmented(photos(corner), 30, Changes(rotation=45))
    lost = [image for image in after.images if len(image.truths) == 1]
    assert len(lost) == len(report.dropped) > 0
    assert {image.name for image in lost} == {change.file for change in report.dropped}
    assert {(change.object, change.what) for change in report.dropped} == {(1, "cropped")}


def test_boxes_stay_where_only_their_content_changes() -> None:
    before = photo("a.jpg")
    after, _ = augmented(photos(before), 4, NONE, Changes(flips=("horizontal",), rotation=15, brightness=0.1, blur=1))
    for copy in after.images[1:]:
        assert copy.truths == before.truths
        places = [(edit.x0, edit.y0, edit.x1, edit.y1) for edit in copy.edits if isinstance(edit, InBox)]
        assert places == [(50, 30, 80, 60), (90, 20, 111, 45)]  # the pixels that the boxes touch


def test_what_two_boxes_share_is_neither_flipped_nor_rotated() -> None:
    """An egg on a plate, and an onion beside them: the egg's box would go with the plate's content."""
    plate, egg, onion = Box(20, 20, 80, 80), Box(30, 30, 50, 50), Box(90, 30, 120, 60)
    before = replace(photo("a.jpg"), truths=(Truth(plate, "plate"), Truth(egg, "egg"), Truth(onion, "onion")))
    inside = Changes(flips=("horizontal",), rotation=15, brightness=0.2, blur=2)
    after, report = augmented(photos(before, photo("b.jpg"), replace(before, split="val")), 12, NONE, inside)
    kinds: dict[tuple[int, int], set[type]] = {}
    for edit in all_edits(after.images):
        assert isinstance(edit, InBox)
        kinds.setdefault((edit.x0, edit.y0), set()).update(map(type, edit.edits))
    assert kinds.pop((20, 20)) == kinds.pop((30, 30)) == {Brighten, Blur}
    assert list(kinds.values()) == [{Turn, Rotate, Brighten, Blur}] * 3
    assert report.notes == ("2 boxes overlap others: their content was not flipped or rotated",)


@pytest.mark.parametrize(
    ("right", "notes"),
    [
        pytest.param(Box(60, 20, 90, 50), 0, id="side by side"),
        pytest.param(Box(59, 20, 90, 50), 1, id="a column in common"),
        pytest.param(Box(59.5, 20, 90, 50), 1, id="a pixel that both touch"),
    ],
)
def test_boxes_overlap_where_they_touch_a_pixel_together(right: Box, notes: int) -> None:
    both = replace(photo("a.jpg"), truths=(Truth(Box(20, 20, 60, 50), "egg"), Truth(right, "egg")))
    _, report = augmented(photos(both), 2, NONE, Changes(rotation=15))
    assert sum("overlap" in note for note in report.notes) == notes


def test_boxes_that_overlap_are_no_matter_where_nothing_moves() -> None:
    both = replace(photo("a.jpg"), truths=(Truth(Box(20, 20, 60, 50), "egg"), Truth(Box(30, 20, 70, 50), "egg")))
    assert augmented(photos(both), 3, ALL, Changes(brightness=0.2, blur=2))[1].notes == ()
    assert augmented(photos(both), 3, ALL)[1].notes == ()


def test_earlier_edits_go_first() -> None:
    resized = replace(photo("a.jpg"), edits=(Resize(160, 120),))
    after, _ = augmented(photos(resized), 2, Changes(flips=("horizontal",)))
    assert after.images[1].edits == (Resize(160, 120), Turn(2))


def test_pictures_without_objects_are_varied_too() -> None:
    after, _ = augmented(photos(replace(photo("a.jpg"), truths=())), 3)
    assert [len(image.truths) for image in after.images] == [0, 0, 0]


def test_content_of_boxes_cannot_vary_where_there_are_none() -> None:
    after, report = augmented(photos(replace(photo("a.jpg"), truths=())), 3, NONE, Changes(rotation=15))
    assert len(after.images) == 1
    assert report.notes[0].startswith("2 augmented pictures")


def test_a_name_that_is_taken_is_numbered() -> None:
    after, _ = augmented(photos(photo("a.jpg"), photo("a-aug1.jpg", "val")), 2)
    assert [image.name for image in after.images] == ["a.jpg", "a-aug1-2.jpg", "a-aug1.jpg"]


def test_turns_compose() -> None:
    box = Box(1, 2, 4, 9)
    for first in range(1, 9):
        for second in range(1, 9):
            size = (20, 10) if first < 5 else (10, 20)
            both = turn_box(turn_box(box, first, 20, 10), second, *size)
            assert turn_box(box, compose_turns(first, second), 20, 10) == both
