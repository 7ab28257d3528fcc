"""The advice in Korean says the same numbers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from made_evidence import evidence
from test_rules import CASES

from yolo_pipeline.advising import advise
from yolo_pipeline.advising.english import ENGLISH
from yolo_pipeline.advising.korean import KOREAN, in_korean

HANGUL = re.compile("[가-힣]")


def test_every_rule_has_its_words() -> None:
    assert list(KOREAN) == list(ENGLISH)
    for rule, words in KOREAN.items():
        assert words.fields <= ENGLISH[rule].fields, rule
        assert all(map(HANGUL.search, (words.measured, words.cause, words.remedy))), rule


@pytest.mark.parametrize(("rule", "fires", "silent"), CASES)
def test_its_figures_fill_every_place(rule: str, fires: dict[str, Any], silent: dict[str, Any]) -> None:
    for advice in advise(evidence(**fires)):
        assert KOREAN[advice.rule].fields <= advice.figures.keys()
        korean = in_korean(advice)
        for sentence in (korean.measured, korean.cause, korean.remedy):
            assert HANGUL.search(sentence)
            assert not re.search(r"[{}\n]", sentence)
        assert (korean.rule, korean.changes, korean.images, korean.figures) == (
            advice.rule, advice.changes, advice.images, advice.figures,
        )  # fmt: skip


def test_the_same_numbers_stand_in_both() -> None:
    [advice] = advise(evidence(**dict(CASES[0].values[1])))
    numbers = re.compile(r"\d+")
    assert sorted(numbers.findall(in_korean(advice).measured)) == sorted(numbers.findall(advice.measured))


def test_figures_outlive_json() -> None:
    """What is saved as JSON can be said in Korean later."""
    for case in CASES:
        for advice in advise(evidence(**dict(case.values[1]))):
            assert json.loads(json.dumps(advice.figures)) == advice.figures
