"""What became of a data set from one attempt to another."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.comparing.data import data_difference
from yolo_pipeline.comparing.words import data_line, verdict
from yolo_pipeline.comparison import DataDifference, SavedImage
from yolo_pipeline.diagnosis import Difference, Interval
from yolo_pipeline.nouns import Box, Split, Truth


def photo(name: str, *truths: Truth, split: Split = "train", sha256: str = "") -> SavedImage:
    return SavedImage(name, f"raw/{name}", split, sha256 or f"bytes of {name}", 200, 200, truths)


def at(label: str, x: float, y: float = 0.0, width: float = 40.0, height: float = 40.0) -> Truth:
    return Truth(Box(x, y, x + width, y + height), label)


def test_photos_are_known_by_their_bytes() -> None:
    before = [photo("a.png"), photo("b.png", sha256="old"), photo("c.png", at("egg", 0))]
    after = [photo("renamed.png", sha256="bytes of a.png"), photo("b.png", sha256="new"), photo("c.png", at("egg", 0))]
    found = data_difference(before, after)
    assert [image.sha256 for image in found.removed] == ["old"]
    assert [image.sha256 for image in found.added] == ["new"]
    assert found == DataDifference(added=(after[1],), removed=(before[1],), backgrounds=(2, 2))


def test_equal_photos_in_one_set_are_paired_in_their_order() -> None:
    before = [photo("a.png", at("egg", 0), sha256="same"), photo("b.png", at("beef", 100), sha256="same")]
    after = [*before, photo("c.png", sha256="same")]
    assert data_difference(before, after) == DataDifference(added=(after[2],), backgrounds=(0, 1))
    assert data_difference(before, before[:1]).removed == (before[1],)


def test_photos_in_another_split_are_given_with_the_split_before() -> None:
    before, after = photo("a.png", split="train"), photo("a.png", split="test")
    assert data_difference([before], [after]).moved == ((after, "train"),)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([at("egg", 0)], [at("egg", 0)], {}, id="nothing"),
        pytest.param([at("egg", 0), at("egg", 100)], [at("egg", 100), at("egg", 0)], {}, id="another order"),
        pytest.param([at("egg", 0)], [at("egg", 10)], {"redrawn": [("egg", "egg", 0.6)]}, id="moved: 1200 of 2000"),
        pytest.param([at("egg", 0)], [at("egg", 5, 5, 30, 30)], {"redrawn": [("egg", "egg", 0.56)]}, id="900 of 1600"),
        pytest.param([at("egg", 0, 0, 120, 120)], [at("egg", 0, 0, 121, 120)], {}, id="rounding: IoU 0.99, 1 pixel"),
        pytest.param(
            [at("egg", 0, 0, 199, 199)], [at("egg", 0, 0, 199, 197)], {"redrawn": [("egg", "egg", 0.99)]}, id="2 pixels"
        ),
        pytest.param(
            [at("egg", 0, 0, 20, 20)], [at("egg", 0, 0, 21, 20)], {"redrawn": [("egg", "egg", 0.95)]}, id="1 of 20"
        ),
        pytest.param(
            [at("egg", 0)],
            [at("egg", 32)],
            {"redrawn": [("egg", "egg", 0.11)]},
            id="far, of the same class: 320 of 2880",
        ),
        pytest.param(
            [at("egg", 0)], [at("egg", 34)], {"boxes_added": ["egg"], "boxes_removed": ["egg"]}, id="240 of 2960"
        ),
        pytest.param(
            [at("egg", 0), at("beef", 100), at("beef", 0, 100)],
            [at("beef", 5), at("beef", 100), at("beef", 0, 100), at("egg", 150, 150)],
            {"relabelled": [("egg", "beef", 0.78)], "boxes_added": ["egg"]},
            id="another class: 1400 of 1800",
        ),
        pytest.param(
            [at("egg", 0), at("beef", 100)],
            [at("beef", 20), at("beef", 100), at("egg", 150, 150)],
            {"boxes_added": ["beef", "egg"], "boxes_removed": ["egg"]},
            id="another class too far: 800 of 2400",
        ),
        pytest.param(
            [at("egg", 0), at("beef", 2)],
            [at("beef", 0), at("egg", 2)],
            {"redrawn": [("egg", "egg", 0.9), ("beef", "beef", 0.9)]},
            id="the class goes before the place",
        ),
        pytest.param([at("egg", 0), at("egg", 0)], [at("egg", 0)], {"boxes_removed": ["egg"]}, id="drawn twice"),
        pytest.param(
            [at("egg", 0), at("egg", 8)],
            [at("egg", 10)],
            {"redrawn": [("egg", "egg", 0.9)], "boxes_removed": ["egg"]},
            id="the best overlap first",
        ),
        pytest.param([Truth(Box(5, 5, 5, 5), "egg")], [Truth(Box(5, 5, 5, 5), "egg")], {}, id="an empty box"),
    ],
)
def test_boxes_of_a_photo_in_both(before: list[Truth], after: list[Truth], expected: dict[str, Any]) -> None:
    others = [at("egg", 0, 150), at("beef", 60, 150)] * 10  # so that no class is renamed
    found = data_difference(
        [photo("a.png", *before), photo("b.png", *others)], [photo("a.png", *after), photo("b.png", *others)]
    )
    assert _said(found) == expected


def test_a_class_whose_boxes_all_went_to_a_new_one_was_renamed() -> None:
    before = [photo(f"{n}.png", at("egg", 0), at("beef", 100)) for n in range(10)]
    after = [photo(f"{n}.png", at("eggs", 0 if n else 10), at("beef", 100)) for n in range(10)]
    found = data_difference(before, after)
    assert found.classes_renamed == (("egg", "eggs"),)
    assert _said(found) == {"redrawn": [("egg", "eggs", 0.6)]}
    assert data_line(found) == "1 box redrawn, egg renamed eggs"


def test_boxes_that_a_renaming_missed_are_relabelled() -> None:
    before = [photo(f"{n}.png", at("egg", 0), at("beef", 100)) for n in range(20)]
    after = [photo(f"{n}.png", at("eggs" if n else "beef", 0), at("beef", 100)) for n in range(20)]
    found = data_difference(before, after)
    assert found.classes_renamed == (("egg", "eggs"),)
    assert _said(found) == {"relabelled": [("egg", "beef", 1.0)]}


def test_classes_may_swap_their_names() -> None:
    before = [photo(f"{n}.png", at("egg", 0), at("beef", 30)) for n in range(5)]
    after = [photo(f"{n}.png", at("beef", 0), at("egg", 30)) for n in range(5)]
    found = data_difference(before, after)
    assert found.classes_renamed == (("beef", "egg"), ("egg", "beef"))
    assert _said(found) == {}


@pytest.mark.parametrize(
    ("before", "after", "classes_added", "classes_removed"),
    [
        pytest.param(["egg", "boiled egg"], ["eggs", "eggs"], ("eggs",), ("boiled egg", "egg"), id="two joined"),
        pytest.param(["eggs", "eggs"], ["egg", "boiled egg"], ("boiled egg", "egg"), ("eggs",), id="one parted"),
        pytest.param(["egg", "eggs"], ["eggs", "eggs"], (), ("egg",), id="the name was taken"),
    ],
)
def test_what_is_no_renaming_is_relabelling(
    before: list[str], after: list[str], classes_added: tuple[str, ...], classes_removed: tuple[str, ...]
) -> None:
    sets = [
        [photo(f"{n}.png", *(at(label, 100 * place) for place, label in enumerate(labels))) for n in range(4)]
        for labels in (before, after)
    ]
    found = data_difference(*sets)
    assert found.classes_renamed == ()
    assert (found.classes_added, found.classes_removed) == (classes_added, classes_removed)
    assert len(found.relabelled) == 4 * sum(old != new for old, new in zip(before, after, strict=True))


def test_the_most_different_box_comes_first() -> None:
    before = [photo("a.png", at("egg", 0)), photo("b.png", at("egg", 0)), photo("c.png", at("egg", 0))]
    after = [photo("a.png", at("egg", 4)), photo("b.png", at("egg", 20)), photo("c.png", at("egg", 2))]
    assert [change.image.name for change in data_difference(before, after).redrawn] == ["b.png", "a.png", "c.png"]


def test_a_difference_in_a_line() -> None:
    before = [
        photo("a.png", at("egg", 0), at("beef", 100)),
        photo("b.png", at("egg", 0), at("beef", 100), at("beef", 0, 100)),
        photo("c.png", split="val"),
        photo("gone.png", at("radish", 0)),
    ]
    after = [
        photo("a.png", at("egg", 10), at("egg", 100)),
        photo("b.png", at("egg", 0), at("beef", 100), at("onion", 150, 150)),
        photo("c.png", split="train"),
        photo("new.png"),
        photo("new too.png"),
    ]
    assert data_line(data_difference(before, after)) == (
        "2 photos added, 1 photo removed, 1 photo in another split, 1 box redrawn, 1 box relabelled (beef to egg 1), "
        "1 box added on photos that were there, 1 box removed from photos that stay, class onion added, "
        "class radish removed, backgrounds from 1 to 3"
    )
    assert data_line(data_difference(before, before)) == "the same"


@pytest.mark.parametrize(
    ("delta", "low", "high", "said"),
    [
        pytest.param(0.2, 0.1, 0.3, "better", id="above"),
        pytest.param(-0.2, -0.3, -0.1, "worse", id="below"),
        pytest.param(0.2, -0.01, 0.4, "no clear difference", id="zero inside"),
        pytest.param(0.2, 0.0, 0.4, "no clear difference", id="zero at its end"),
        pytest.param(0.0, 0.0, 0.0, "no clear difference", id="equal"),
    ],
)
def test_nothing_is_better_while_the_interval_holds_zero(delta: float, low: float, high: float, said: str) -> None:
    assert verdict(Difference(delta, Interval(low, high))) == said


_LABELS = st.sampled_from(["egg", "beef", "onion"])
_TRUTHS = st.lists(
    st.builds(
        at,
        _LABELS,
        x=st.integers(0, 6).map(lambda n: n * 10.0),
        y=st.integers(0, 2).map(lambda n: n * 10.0),
        width=st.sampled_from([20.0, 40.0]),
    ),
    max_size=6,
).map(tuple)
_SETS = st.lists(
    st.builds(
        SavedImage,
        name=st.sampled_from(["a.png", "b.png"]),
        file=st.just("raw"),
        split=st.sampled_from(["train", "val", "test"]),
        sha256=st.sampled_from(["1", "2", "3"]),
        width=st.just(200),
        height=st.just(200),
        truths=_TRUTHS,
    ),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(_SETS)
def test_a_set_against_itself_is_no_difference(images: list[SavedImage]) -> None:
    assert data_difference(images, images).is_empty


@settings(max_examples=300, deadline=None)
@given(_SETS, _SETS)
def test_swapping_before_and_after_mirrors_the_difference(before: list[SavedImage], after: list[SavedImage]) -> None:
    there, back = data_difference(before, after), data_difference(after, before)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert sorted(there.classes_renamed) == sorted((old, new) for new, old in back.classes_renamed)
    assert (there.classes_added, there.classes_removed) == (back.classes_removed, back.classes_added)
    assert there.backgrounds == back.backgrounds[::-1]
    assert _moves(there) == Counter((new, old) for old, new in _moves(back).elements())
    for name, mirrored in (
        ("redrawn", "redrawn"), ("relabelled", "relabelled"),
        ("boxes_added", "boxes_removed"), ("boxes_removed", "boxes_added"),
    ):  # fmt: skip
        changes = Counter((c.image.sha256, c.before, c.after, c.iou) for c in getattr(there, name))
        assert changes == Counter((c.image.sha256, c.after, c.before, c.iou) for c in getattr(back, mirrored))


@settings(max_examples=200, deadline=None)
@given(_SETS, _SETS)
def test_every_box_of_a_shared_photo_is_accounted_for(before: list[SavedImage], after: list[SavedImage]) -> None:
    shared = [replace(image, sha256=str(place)) for place, image in enumerate(before[: len(after)])]
    later = [replace(image, sha256=str(place)) for place, image in enumerate(after[: len(before)])]
    found = data_difference(shared, later)
    count = [sum(len(image.truths) for image in images) for images in (shared, later)]
    assert count[0] - len(found.boxes_removed) == count[1] - len(found.boxes_added)
    assert len(found.redrawn) + len(found.relabelled) <= count[0] - len(found.boxes_removed)


def _moves(found: DataDifference) -> Counter[tuple[Split, Split]]:
    return Counter((before, image.split) for image, before in found.moved)


def _said(found: DataDifference) -> dict[str, Any]:
    """Changes of boxes, those that there are: (class before, class after, IoU), or the class alone."""
    said: dict[str, Any] = {
        name: [(c.before.label, c.after.label, round(c.iou, 2)) for c in getattr(found, name)]
        for name in ("redrawn", "relabelled")
    }
    said["boxes_added"] = [change.after.label for change in found.boxes_added if change.after]
    said["boxes_removed"] = [change.before.label for change in found.boxes_removed if change.before]
    return {name: changes for name, changes in said.items() if changes}
