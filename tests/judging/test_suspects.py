"""Labels that a model disagrees with: each kind by hand, and what a poor model does not suspect."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from pairs import CocoPair, Labelled, Said, made

from yolo_pipeline.diagnosis import Suspect
from yolo_pipeline.judging.coco import load_pair
from yolo_pipeline.judging.diagnosing import diagnose
from yolo_pipeline.nouns import Box, Detection, Truth

DATA = Path(__file__).parents[1] / "data" / "judged"

_PLACE, _ELSEWHERE = (10, 10, 50, 50), (55, 55, 95, 95)
_NEARLY = (11, 10, 51, 50)  # IoU 0.95 with the first


def _suspects(truths: list[Labelled], said: list[Said], right: int = 20, wrong: int = 0) -> tuple[Suspect, ...]:
    """In a picture, after as many others on which a detection of each class is right, or where there is nothing."""
    others: list[list[Labelled]] = [[(_PLACE, "a"), (_ELSEWHERE, "b")]] * right + [[]] * wrong
    told: list[list[Said]] = [[(_NEARLY, "a", 0.8), (_ELSEWHERE, "b", 0.8)]] * (right + wrong)
    return diagnose(*made([*others, truths], [*told, said]), "val", conf=0.5).suspects


@pytest.mark.parametrize(
    ("truths", "said"),
    [
        pytest.param([(_PLACE, "a")], [(_NEARLY, "a", 0.8)], id="right"),
        pytest.param([], [(_PLACE, "a", 0.4)], id="not confident"),
        pytest.param([(_PLACE, "a")], [(_PLACE, "a", 0.8), (_NEARLY, "a", 0.7)], id="found twice"),
        pytest.param([(_PLACE, "a")], [((10, 10, 50, 24), "a", 0.8)], id="a part, IoU 0.35"),
        pytest.param([(_PLACE, "a")], [(_PLACE, "b", 0.8), (_PLACE, "a", 0.6)], id="another class, but its own too"),
        pytest.param([(_PLACE, "a")], [((10, 10, 50, 42), "a", 0.8)], id="IoU 0.8"),
        pytest.param([(_PLACE, "a")], [((10, 10, 28, 50), "a", 0.8)], id="one part alone"),
        pytest.param([(_PLACE, "a")], [((10, 10, 20, 20), "a", 0.8), ((40, 40, 50, 50), "a", 0.8)], id="parts cover an eighth"),
    ],
)  # fmt: skip
def test_nothing_is_suspected(truths: Any, said: Any) -> None:
    assert _suspects(truths, said) == ()


def test_missing() -> None:
    (suspect,) = _suspects([(_PLACE, "a")], [(_PLACE, "a", 0.8), (_ELSEWHERE, "a", 0.9)])
    assert (suspect.kind, suspect.image, suspect.truth) == ("missing", "20.png", None)
    assert suspect.proposed == (Detection(Box(55, 55, 95, 95), "a", 0.9),)
    # All other detections of about that score are right: 21 of 21, and five of the usual share, 41 of 41.
    assert suspect.weight == pytest.approx(0.9 * (21 + 5 * 42 / 43) / 26)


def test_one_place_is_missing_once() -> None:
    (suspect,) = _suspects([], [(_PLACE, "a", 0.8), (_NEARLY, "b", 0.9)])
    assert suspect.proposed[0].label == "b"


def test_wrong_class() -> None:
    (suspect,) = _suspects([(_PLACE, "a")], [(_NEARLY, "b", 0.9)])
    assert (suspect.kind, suspect.truth) == ("wrong class", Truth(Box(10, 10, 50, 50), "a"))
    assert suspect.proposed == (Detection(Box(11, 10, 51, 50), "b", 0.9),)
    assert suspect.weight == pytest.approx(0.9 * (20 + 5 * 41 / 42) / 25)


def test_what_the_model_often_confuses_weighs_less() -> None:
    truths: list[list[Labelled]] = [[(_PLACE, "a")]] * 40 + [[(_ELSEWHERE, "b")]] * 40
    said: list[list[Said]] = [[(_PLACE, "b" if n < 10 else "a", 0.8)] for n in range(40)]
    said += [[(_ELSEWHERE, "b", 0.8)]] * 40
    suspects = diagnose(*made(truths, said), "val", conf=0.5).suspects
    assert [suspect.kind for suspect in suspects] == ["wrong class"] * 10
    trust = (40 + 5 * 71 / 81) / 54  # 40 of the other 49 of class b are right, and 70 of 79 of both
    assert suspects[0].weight == pytest.approx(0.8 * trust * (1 - 9 / 39))


def test_loose() -> None:
    (suspect,) = _suspects([(_PLACE, "a")], [((15, 15, 45, 47), "a", 0.9)])
    assert (suspect.kind, suspect.truth) == ("loose", Truth(Box(10, 10, 50, 50), "a"))
    assert suspect.proposed == (Detection(Box(15, 15, 45, 47), "a", 0.9),)
    # IoU 0.6; half of the hits are exact, the others 0.95.
    usual = 39 / 41
    assert suspect.weight == pytest.approx(0.9 * (20 + 5 * 41 / 42) / 25 * (usual - 0.6) / 0.5)


def test_a_model_that_draws_badly_suspects_no_loose_box() -> None:
    rough: list[Said] = [((15, 15, 45, 47), "a", 0.9)]
    assert diagnose(*made([[(_PLACE, "a")]] * 20, [rough] * 20), "val", conf=0.5).suspects == ()


def test_group() -> None:
    whole = (10, 10, 90, 50)
    parts: list[Said] = [((11, 11, 46, 49), "a", 0.8), ((52, 11, 89, 49), "a", 0.9), ((12, 11, 46, 48), "a", 0.7)]
    (suspect,) = _suspects([(whole, "a")], parts)
    assert (suspect.kind, suspect.truth) == ("group", Truth(Box(10, 10, 90, 50), "a"))
    # The best first; the third lies where the first lies.
    assert [detection.score for detection in suspect.proposed] == [0.9, 0.8]
    assert suspect.weight == pytest.approx((0.9 + 0.8) / 2 * (20 + 5 * 41 / 42) / 25)


def test_a_group_that_is_found_as_a_whole_is_none() -> None:
    parts: list[Said] = [((10, 10, 90, 50), "a", 0.6), ((11, 11, 46, 49), "a", 0.8), ((52, 11, 89, 49), "a", 0.9)]
    assert _suspects([((10, 10, 90, 50), "a")], parts) == ()


@pytest.mark.parametrize(
    ("wrong", "count"), [pytest.param(5, 11, id="seldom wrong"), pytest.param(40, 0, id="mostly wrong")]
)
def test_a_poor_model_suspects_nothing(wrong: int, count: int) -> None:
    assert len(_suspects([], [(_PLACE, "a", 0.8)], wrong=wrong)) == count
    assert all(suspect.kind == "missing" for suspect in _suspects([], [(_PLACE, "a", 0.8)], wrong=wrong))


def test_what_lies_on_a_crowd_is_not_missing() -> None:
    truths: list[list[Labelled]] = [[(_PLACE, "a")]] * 20
    said: list[list[Said]] = [[(_PLACE, "a", 0.8)]] * 19 + [[(_PLACE, "a", 0.8), ((60, 60, 80, 80), "a", 0.9)]]
    crowded = made(truths, said, crowds=[(19, (55, 55, 95, 95), "a")])
    assert diagnose(*crowded, "val", conf=0.5).suspects == ()
    assert len(diagnose(*made(truths, said), "val", conf=0.5).suspects) == 1


def test_planted_faults_come_first_on_real_detections() -> None:
    """The val split of attempt 5: of objects that it finds, four are given another class and four are removed."""
    truth, results = load_pair(DATA / "val-truth.json", DATA / "val-detections.json")
    clean = diagnose(truth, results, "val", conf=0.45).suspects
    planted: CocoPair = (copy.deepcopy(truth), results)
    rows = planted[0]["annotations"]
    names = {category["id"]: category["name"] for category in truth["categories"]}
    files = {image["id"]: image["file_name"] for image in truth["images"]}
    faults = set()
    for at in (5, 27, 45, 65):
        rows[at]["category_id"] = rows[at]["category_id"] % len(names) + 1
        faults.add(("wrong class", files[rows[at]["image_id"]]))
    for at in (15, 35, 55, 75):
        faults.add(("missing", files[rows[at]["image_id"]]))
    planted[0]["annotations"] = [row for at, row in enumerate(rows) if at not in (15, 35, 55, 75)]
    suspects = diagnose(*planted, "val", conf=0.45).suspects
    assert faults <= {(suspect.kind, suspect.image) for suspect in suspects[:12]}
    assert len(clean) <= 5
    assert [suspect.weight for suspect in suspects] == sorted((suspect.weight for suspect in suspects), reverse=True)
