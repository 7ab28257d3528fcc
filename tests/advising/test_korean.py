"""The advice in Korean says the same numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from made_evidence import evidence
from made_pictures import of_pictures
from test_rules import CASES
from test_rules_classify import CASES as OF_CLASSIFIERS

from yolo_pipeline.advising import Evidence, advise, english, korean
from yolo_pipeline.advising.english import ENGLISH
from yolo_pipeline.advising.korean import KOREAN, in_korean
from yolo_pipeline.advising.words import Words

HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize(
    ("in_english", "in_its_words"),
    [
        pytest.param(ENGLISH, KOREAN, id="yolo"),
        pytest.param(english.TFAPI, korean.TFAPI, id="tfapi"),
        pytest.param(english.CLASSIFY, korean.CLASSIFY, id="classify"),
    ],
)
def test_every_rule_has_its_words(in_english: dict[str, Words], in_its_words: dict[str, Words]) -> None:
    assert list(in_its_words) == list(in_english)
    for rule, words in in_its_words.items():
        assert words.fields <= in_english[rule].fields, rule
        assert all(map(HANGUL.search, (words.measured, words.cause, words.remedy))), rule


@pytest.mark.parametrize(
    ("of", "fires"),
    [
        *(pytest.param(evidence, case.values[1], id=f"boxes: {case.id}") for case in CASES),
        *(pytest.param(of_pictures, case.values[1], id=f"pictures: {case.id}") for case in OF_CLASSIFIERS),
    ],
)
def test_its_figures_fill_every_place(of: Callable[..., Evidence], fires: dict[str, Any]) -> None:
    tables = {"tfapi": korean.TFAPI, "classify": korean.CLASSIFY}
    for advice in advise(of(**fires)):
        words = tables.get(advice.figures.get("track", ""), KOREAN)[advice.rule]
        assert words.fields <= advice.figures.keys()
        said = in_korean(advice)
        for sentence in (said.measured, said.cause, said.remedy):
            assert HANGUL.search(sentence)
            assert not re.search(r"[{}\n]", sentence)
        assert (said.rule, said.changes, said.images, said.figures) == (
            advice.rule, advice.changes, advice.images, advice.figures,
        )  # fmt: skip


def test_the_same_numbers_stand_in_both() -> None:
    [advice] = advise(evidence(**dict(CASES[0].values[1])))
    numbers = re.compile(r"\d+")
    assert sorted(numbers.findall(in_korean(advice).measured)) == sorted(numbers.findall(advice.measured))


def test_figures_outlive_json() -> None:
    """What is saved as JSON can be said in Korean later."""
    given = [*(evidence(**case.values[1]) for case in CASES), *(of_pictures(**c.values[1]) for c in OF_CLASSIFIERS)]
    for one in given:
        for advice in advise(one):
            assert json.loads(json.dumps(advice.figures)) == advice.figures
