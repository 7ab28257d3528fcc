"""Two test sets that differ: whether they do, and what of both can be judged together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pairs import CocoPair, drawn, made

from yolo_pipeline.judging.detection import judge
from yolo_pipeline.judging.shared import on_shared_images, same_truths

_LEFT, _RIGHT, _LOW = (0, 0, 20, 20), (50, 0, 70, 20), (0, 60, 20, 80)


def _with(truth: dict[str, Any], images: list[int], **changes: Any) -> dict[str, Any]:
    """The truth with its images in another order, or fewer of them."""
    rows = [{**truth["images"][at], **changes} for at in images]
    kept = {row["id"] for row in rows}
    return {**truth, "images": rows, "annotations": [row for row in truth["annotations"] if row["image_id"] in kept]}


@pytest.fixture
def older() -> CocoPair:
    truths: Any = [[(_LEFT, "a"), (_RIGHT, "b")], [(_LEFT, "a")], [(_LOW, "c")]]
    said: Any = [[(_LEFT, "a", 0.9), (_LOW, "c", 0.4)], [(_LEFT, "a", 0.8)], [(_LOW, "c", 0.7)]]
    return made(truths, said, names=("a", "b", "c"))


@pytest.fixture
def newer(older: CocoPair) -> CocoPair:
    """Another order of classes, `d` for `c`; picture 1 of the older set is its 0, drawn anew; a picture of its own."""
    truths: Any = [[(_RIGHT, "a"), (_LOW, "d")], [(_LEFT, "a"), (_RIGHT, "b")], [(_LEFT, "b")]]
    said: Any = [[(_LEFT, "a", 0.9)], [(_RIGHT, "b", 0.6), (_LOW, "d", 0.5)], [(_LEFT, "b", 0.3)]]
    truth, results = made(truths, said, names=("d", "b", "a"))
    hashes = [older[0]["images"][1]["sha256"], older[0]["images"][0]["sha256"], "f" * 64]
    for row, sha256 in zip(truth["images"], hashes, strict=True):
        row.update(file_name=f"new-{row['id']}.png", sha256=sha256)
    return truth, results


def test_what_both_have_is_left_with_the_newer_truths(older: CocoPair, newer: CocoPair) -> None:
    shared = on_shared_images(*older, *newer)
    assert shared is not None
    truth, before, after = shared
    assert [(row["id"], row["file_name"]) for row in truth["images"]] == [(1, "new-1.png"), (2, "new-2.png")]
    assert truth["categories"] == [{"id": 1, "name": "b"}, {"id": 2, "name": "a"}]
    objects = [(row["id"], row["image_id"], row["category_id"], row["bbox"]) for row in truth["annotations"]]
    assert objects == [(1, 1, 2, [50, 0, 20, 20]), (2, 2, 2, [0, 0, 20, 20]), (3, 2, 1, [50, 0, 20, 20])]
    assert before == [
        {"image_id": 2, "category_id": 2, "bbox": [0, 0, 20, 20], "score": 0.9},
        {"image_id": 1, "category_id": 2, "bbox": [0, 0, 20, 20], "score": 0.8},
    ]
    assert after == [
        {"image_id": 1, "category_id": 2, "bbox": [0, 0, 20, 20], "score": 0.9},
        {"image_id": 2, "category_id": 1, "bbox": [50, 0, 20, 20], "score": 0.6},
    ]
    assert judge(truth, before).truths == judge(truth, after).truths == 3


def test_nothing_of_what_was_given_is_changed(older: CocoPair, newer: CocoPair) -> None:
    before = repr((older, newer))
    assert on_shared_images(*older, *newer) is not None
    assert repr((older, newer)) == before


def test_the_same_set_shares_itself() -> None:
    truth, results = drawn(1)
    shared = on_shared_images(truth, results, _with(truth, list(range(len(truth["images"])))[::-1]), results)
    assert shared is not None
    assert judge(shared[0], shared[1]) == judge(shared[0], shared[2]) == judge(truth, results)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"sha256": ""}, id="contents were not noted"),
        pytest.param({"sha256": "e" * 64}, id="other pictures"),
        pytest.param({"width": 50}, id="pictures of another size"),
    ],
)
def test_nothing_is_shared(older: CocoPair, changes: dict[str, Any]) -> None:
    assert on_shared_images(*older, _with(older[0], [0, 1, 2], **changes), older[1]) is None


def test_names_tell_pictures_without_a_hash_only_where_the_whole_truths_are_the_same(older: CocoPair) -> None:
    unnoted = _with(older[0], [0, 1, 2], sha256="")
    shared = on_shared_images(unnoted, older[1], _with(unnoted, [2, 1, 0]), older[1])
    assert shared is not None
    assert judge(shared[0], shared[1]) == judge(shared[0], shared[2]) == judge(*older)
    assert on_shared_images(unnoted, older[1], _with(unnoted, [2, 1]), older[1]) is None


@pytest.mark.parametrize("edits", ["", "Pad(x=0, y=10, width=100, height=100)"])
def test_a_photo_fitted_in_another_way_is_another_picture(older: CocoPair, edits: str) -> None:
    stretched = _with(older[0], [0, 1, 2], edits="Resize(width=100, height=100)")
    assert on_shared_images(stretched, older[1], stretched, older[1]) is not None
    assert not same_truths(stretched, _with(older[0], [0, 1, 2], edits=edits))
    assert on_shared_images(stretched, older[1], _with(older[0], [0, 1, 2], edits=edits), older[1]) is None


def test_no_class_in_common() -> None:
    one = made([[(_LEFT, "a")]], [[]], names=("a",))
    assert on_shared_images(*one, *made([[(_LEFT, "b")]], [[]], names=("b",))) is None


def test_a_picture_is_taken_as_often_as_both_have_it() -> None:
    truth, results = made([[(_LEFT, "a")], [(_LEFT, "a")], [(_LOW, "b")]], [[(_LEFT, "a", 0.9)], [], []])
    truth["images"][1]["sha256"] = truth["images"][0]["sha256"]
    twice = on_shared_images(truth, results, _with(truth, [2, 1, 0]), results)
    once = on_shared_images(truth, results, _with(truth, [1]), [])
    assert twice is not None
    assert once is not None
    assert [row["file_name"] for row in twice[0]["images"]] == ["2.png", "1.png", "0.png"]
    assert judge(twice[0], twice[2]).correct == 1
    assert [row["file_name"] for row in once[0]["images"]] == ["1.png"]


def test_same_truths_in_another_order_and_with_other_ids(older: CocoPair) -> None:
    truth = older[0]
    turned = _with(truth, [2, 0, 1])
    turned["annotations"] = [{**row, "id": 90 + row["id"]} for row in reversed(turned["annotations"])]
    names = {row["id"]: row["name"] for row in truth["categories"]}
    turned["categories"] = [{"id": 9 - number, "name": name} for number, name in names.items()]
    turned["annotations"] = [{**row, "category_id": 9 - row["category_id"]} for row in turned["annotations"]]
    assert same_truths(truth, turned)
    assert same_truths(turned, truth)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("bbox", [0, 0, 20, 21], id="a box"),
        pytest.param("category_id", 2, id="a class"),
        pytest.param("iscrowd", 1, id="a crowd"),
        pytest.param("image_id", 2, id="a picture"),
    ],
)
def test_a_change_makes_truths_differ(older: CocoPair, key: str, value: Any) -> None:
    truth = older[0]
    changed = {**truth, "annotations": [{**truth["annotations"][0], key: value}, *truth["annotations"][1:]]}
    assert not same_truths(truth, changed)


def test_other_pictures_make_truths_differ(older: CocoPair) -> None:
    truth = older[0]
    assert not same_truths(truth, _with(truth, [0, 1]))
    assert not same_truths(truth, _with(truth, [0, 1, 2], sha256="0"))
    unnoted = _with(truth, [0, 1, 2], sha256="")
    assert same_truths(unnoted, unnoted)
    assert not same_truths(unnoted, {**unnoted, "images": [{**row, "file_name": "x"} for row in unnoted["images"]]})


@pytest.mark.parametrize("seed", range(3))
def test_judging_what_is_shared_equals_judging_those_images(seed: int) -> None:
    truth, results = drawn(seed, images=20)
    mine, theirs = _with(truth, list(range(14))), _with(truth, list(range(6, 20)))
    shared = on_shared_images(mine, [row for row in results if row["image_id"] <= 14], theirs, [])
    assert shared is not None
    both = _with(truth, list(range(6, 14)))
    kept = {row["id"] for row in both["images"]}
    expected = judge(both, [row for row in results if row["image_id"] in kept])
    assert judge(shared[0], shared[1]) == expected
    assert np.isfinite(expected.mAP50 or 0.0)
