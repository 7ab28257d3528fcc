"""Matching by hotcoco, detection by detection, against pycocotools; and what is refused."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pairs import CocoPair, drawn, made
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from yolo_pipeline.errors import InputError
from yolo_pipeline.judging.evaluation import Matching, evaluate, load, match


def _pycocotools(truth: dict[str, Any], results: list[dict[str, Any]]) -> Matching:
    """Its matching at IoU 0.5 over all areas."""
    with contextlib.redirect_stdout(io.StringIO()):
        ground = COCO()
        ground.dataset = truth
        ground.createIndex()
        evaluation = COCOeval(ground, ground.loadRes([dict(row) for row in results]), "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
    matching = Matching(
        np.full(len(results), -1), np.zeros(len(results), bool), np.zeros(len(truth["annotations"]), bool)
    )
    for entry in filter(None, evaluation.evalImgs):
        for number, ignored in zip(entry["gtIds"], entry["gtIgnore"], strict=True):
            matching.real[number - 1] = not ignored
        for number, found, ignored in zip(entry["dtIds"], entry["dtMatches"][0], entry["dtIgnore"][0], strict=True):
            matching.counts[number - 1] = not ignored
            matching.truth[number - 1] = -1 if ignored else int(found) - 1
    return matching


_CROWDED = [drawn(seed, crowds=True, ties=seed % 2 == 0) for seed in range(20)]
_MANY = [drawn(seed, images=2, classes=2, most_objects=30, most_said=900, ties=seed == 0) for seed in range(3)]


@pytest.mark.parametrize("pair", [*_CROWDED, *_MANY])
def test_matching_equals_pycocotools(pair: CocoPair) -> None:
    """With crowds, equal scores and more than 100 detections of a class in an image."""
    truth, results = pair
    mine = match(evaluate(load(truth, results)), len(truth["annotations"]), len(results))
    theirs = _pycocotools(truth, results)
    assert mine.truth.tolist() == theirs.truth.tolist()
    assert mine.counts.tolist() == theirs.counts.tolist()
    assert mine.real.tolist() == theirs.real.tolist()


def test_the_fixtures_hold_what_they_should() -> None:
    assert sum(row["iscrowd"] for truth, _ in _CROWDED for row in truth["annotations"]) > 50
    for truth, results in _MANY:
        assert not match(evaluate(load(truth, results)), len(truth["annotations"]), len(results)).counts.all()


def test_detections_of_unknown_classes_are_left_out_but_counted() -> None:
    truth, results = made([[((0, 0, 10, 10), "a")]], [[((0, 0, 10, 10), "a", 0.5)]])
    pair = load(truth, [*results, {**results[0], "category_id": 7}])
    assert (len(pair.found), pair.results) == (1, 2)


def test_ids_may_have_gaps_and_any_order() -> None:
    truth, results = made(
        [[((0, 0, 10, 10), "a")], [((5, 5, 9, 9), "b")]], [[((0, 0, 10, 10), "a", 0.5)], [((5, 5, 9, 9), "b", 0.25)]]
    )
    moved = {
        "images": [{**row, "id": 900 - row["id"]} for row in truth["images"]],
        "categories": [{**row, "id": 70 + row["id"]} for row in truth["categories"]],
        "annotations": [
            {**row, "image_id": 900 - row["image_id"], "category_id": 70 + row["category_id"]}
            for row in truth["annotations"]
        ],
    }
    said = [
        {**row, "image_id": 900 - row["image_id"], "category_id": 70 + row["category_id"]} for row in reversed(results)
    ]
    pair = load(moved, said)
    assert pair.files == ("0.png", "1.png")
    assert pair.truths.image.tolist() == [0, 1]
    assert pair.found.image.tolist() == [1, 0]
    assert [pair.names[label] for label in pair.found.label] == ["b", "a"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"score": float("nan")}, "the detections: are not as COCO", id="NaN for a score"),
        pytest.param({"bbox": [0, 0, float("inf"), 1]}, "four finite numbers", id="endless box"),
        pytest.param({"bbox": [0, 0, 1]}, "the detections", id="three numbers"),
        pytest.param({"bbox": "wide"}, "the detections", id="a word for a box"),
        pytest.param({"image_id": 9}, "an id that is not listed", id="image that is not there"),
        pytest.param({"image_id": 2**70}, "the detections", id="id over 64 bits"),
        pytest.param({"score": None}, "the detections", id="no score"),
    ],
)
def test_odd_detections_are_refused(change: dict[str, Any], said: str) -> None:
    truth, results = made([[((0, 0, 10, 10), "a")]], [[((0, 0, 10, 10), "a", 0.5)]])
    with pytest.raises(InputError, match=said):
        load(truth, [{**results[0], **change}])


@pytest.mark.parametrize(
    "truth",
    [
        pytest.param({}, id="empty"),
        pytest.param({"images": [], "categories": [], "annotations": [{}]}, id="object without keys"),
        pytest.param({"images": [1], "categories": [], "annotations": []}, id="a number for an image"),
        pytest.param({"images": [{"id": 1}], "categories": [{"id": "x", "name": "a"}], "annotations": []}, id="word"),
    ],
)
def test_odd_truths_are_refused_when_loaded(truth: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the truths: are not as COCO has them"):
        load(truth, [])
