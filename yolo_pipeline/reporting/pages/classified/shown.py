"""The answers that a classifier's page shows: behind cells, wrong ones, at random, suspects; and their pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from yolo_pipeline.classification import Answer, PictureDiagnosis
from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import JUDGED, Split
from yolo_pipeline.reporting.classified.answers import drawn_answers, main_split, wrong_answers
from yolo_pipeline.reporting.pages.attempt.cells import MOST_CROPS, MOST_HITS, MOST_SUSPECTS, Cell
from yolo_pipeline.reporting.pages.attempt.pictures import take_pictures
from yolo_pipeline.results import Results

_MOST_WRONG = 400  # of a split that can be looked at, the surest first


@dataclass(frozen=True, slots=True)
class SplitAnswers:
    """Of one split: (row, column) of the matrix -> answers behind it, and the wrong ones, the surest first."""

    diagnosis: PictureDiagnosis
    cells: Mapping[Cell, Sequence[Answer]]
    wrong: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class ShownAnswers:
    """All of them.

    Attributes:
        main: the split that choices are made on; test only where nothing else was judged.
        drawn: some of it at random.
        pictures: image -> data URL; absent: gone, broken, or beyond what the page can hold.
    """

    main: Split | None
    splits: Mapping[Split, SplitAnswers]
    drawn: Sequence[Answer]
    suspects: Sequence[Answer]
    pictures: Mapping[str, str]


def shown_answers(results: Results) -> ShownAnswers:
    main = main_split(results)
    splits = {split: _of_split(results.classified[split].diagnosis) for split in JUDGED if split in results.classified}
    drawn = drawn_answers(results, main) if main else []
    suspects = splits[main].diagnosis.suspects[:MOST_SUSPECTS] if main else ()
    wanted = _by_importance(drawn, suspects, list(splits.values()))
    pictures = take_pictures(results.picture, (), (answer.image for answer in wanted), {})
    return ShownAnswers(main, splits, drawn, suspects, pictures.whole)


def _of_split(diagnosis: PictureDiagnosis) -> SplitAnswers:
    return SplitAnswers(diagnosis, _cells(diagnosis), wrong_answers(diagnosis.answers)[:_MOST_WRONG])


def _cells(diagnosis: PictureDiagnosis) -> dict[Cell, list[Answer]]:
    """The first answers of each cell: the surest mistakes, the least sure right ones. As many as are shown."""
    places = {name: at for at, name in enumerate(diagnosis.matrix.names)}
    cells: dict[Cell, list[Answer]] = defaultdict(list)
    for answer in sorted(diagnosis.answers, key=lambda one: (one.said[0][1] * (1 if one.is_right else -1), one.image)):
        cell = places[answer.label], places[answer.said[0][0]]
        if answer.said[0][1] > 0 and len(cells[cell]) < (MOST_HITS if answer.is_right else MOST_CROPS):
            cells[cell].append(answer)
    return dict(sorted(cells.items()))


def _by_importance(
    drawn: Sequence[Answer], suspects: Sequence[Answer], splits: Sequence[SplitAnswers]
) -> Iterator[Answer]:
    yield from suspects
    wrong = [of_split.wrong for of_split in splits]
    yield from (answer for answers in zip_longest(*wrong) for answer in answers if answer is not None)
    yield from drawn
    behind = [answers for of_split in splits for answers in of_split.cells.values()]
    yield from (answer for answers in zip_longest(*behind) for answer in answers if answer is not None)


def answers_json(shown: ShownAnswers) -> dict[str, Any]:
    """For classified.js: each answer once, and the places of those that are shown together."""
    places: dict[Answer, int] = {}

    def put(answers: Sequence[Answer]) -> list[int]:
        return [places.setdefault(answer, len(places)) for answer in answers]

    cells = {
        split: {f"{row},{column}": put(mine) for (row, column), mine in found.cells.items()}
        for split, found in shown.splits.items()
    }
    wrong = {split: put(found.wrong) for split, found in shown.splits.items()}
    drawn, suspects = put(shown.drawn), put(shown.suspects)
    urls = list(dict.fromkeys(shown.pictures.values()))
    at = {url: place for place, url in enumerate(urls)}
    return {
        "pictures": urls,
        "answers": [_answer_json(one, at.get(shown.pictures.get(one.image, ""))) for one in places],
        "cells": cells,
        "wrong": wrong,
        "drawn": drawn,
        "suspects": suspects,
        "sure": {split: _sure(found.diagnosis.answers) for split, found in shown.splits.items()},
    }


def _answer_json(answer: Answer, picture: int | None) -> dict[str, Any]:
    return {
        "image": one_line(answer.image),
        "picture": picture,
        "label": one_line(answer.label),
        "said": [[one_line(name), round(probability, 4), name == answer.label] for name, probability in answer.said],
        "right": answer.is_right,
        "ofLabel": round(answer.of_label, 4),
    }


def _sure(answers: Sequence[Answer]) -> dict[str, list[float]]:
    """Probabilities of all answers, and of the right ones, ascending."""
    every = sorted((round(answer.said[0][1], 4), answer.is_right) for answer in answers)
    return {"all": [value for value, _ in every], "right": [value for value, is_right in every if is_right]}
