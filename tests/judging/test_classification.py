"""Scores of classifiers: literal cases, and scikit-learn's as an oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, precision_recall_fscore_support, top_k_accuracy_score
from told_pictures import surely, told_of

from yolo_pipeline.classification import PictureClassScores
from yolo_pipeline.errors import InputError
from yolo_pipeline.judging.classification import judge_pictures


def drawn(seed: int, pictures: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N,) and probabilities (N, C), which lean towards the label; every class has a picture."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate((np.arange(classes), rng.integers(0, classes, pictures - classes)))
    logits = rng.normal(size=(pictures, classes)) + 1.5 * np.eye(classes)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def as_pair(labels: np.ndarray, probabilities: np.ndarray) -> Any:
    names = [f"class {number}" for number in range(probabilities.shape[1])]
    said = [dict(zip(names, row, strict=True)) for row in probabilities.tolist()]
    return told_of([names[number] for number in labels], said, names)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 12), more=st.integers(0, 60))
def test_all_figures_are_scikit_learns(seed: int, classes: int, more: int) -> None:
    labels, probabilities = drawn(seed, classes + more, classes)
    scores = judge_pictures(*as_pair(labels, probabilities))
    said, every = probabilities.argmax(axis=1), np.arange(classes)
    precision, recall, f1, images = precision_recall_fscore_support(labels, said, labels=every, zero_division=np.nan)
    assert scores.images == len(labels)
    assert scores.top1 == pytest.approx(float((said == labels).mean()))
    if classes > 5:
        assert scores.top5 == pytest.approx(top_k_accuracy_score(labels, probabilities, k=5, labels=every))
    else:
        assert scores.top5 == 1
    assert scores.loss == pytest.approx(log_loss(labels, probabilities, labels=every))
    for number, entry in enumerate(scores.classes.values()):
        found = [np.nan if value is None else value for value in (entry.precision, entry.recall, entry.f1)]
        np.testing.assert_allclose(found, [precision[number], recall[number], f1[number]])
        assert entry.images == images[number]


def test_a_small_case_by_hand() -> None:
    labels, said = ["cat", "cat", "cat", "dog"], surely(["cat", "cat", "dog", "dog"], 0.75)
    scores = judge_pictures(*told_of(labels, said))
    assert (scores.images, scores.top1, scores.top5) == (4, 0.75, 1.0)
    assert scores.loss == pytest.approx(-(3 * np.log(0.75) + np.log(0.25)) / 4)
    assert scores.classes == {
        "cat": PictureClassScores(3, 1.0, pytest.approx(2 / 3), pytest.approx(0.8)),
        "dog": PictureClassScores(1, 0.5, 1.0, pytest.approx(2 / 3)),
    }


def test_of_classes_equally_likely_the_first_counts() -> None:
    tie = {"dog": 0.5, "cat": 0.5}
    scores = judge_pictures(*told_of(["cat", "dog"], [tie, tie]))
    assert (scores.top1, scores.classes["cat"].recall, scores.classes["dog"].recall) == (0.5, 1.0, 0.0)


def test_among_the_five_likeliest() -> None:
    names = [str(number) for number in range(10)]
    falling = {name: (10 - number) / 55 for number, name in enumerate(names)}
    scores = judge_pictures(*told_of(["4", "5"], [falling, falling], names))
    assert (scores.top1, scores.top5) == (0.0, 0.5)


def test_a_class_of_probability_0_is_not_among_the_likeliest() -> None:
    names = [str(number) for number in range(10)]
    scores = judge_pictures(*told_of(["1", "9"], [{"9": 1.0}, {"9": 1.0}], names))
    assert (scores.top1, scores.top5) == (0.5, 0.5)
    assert scores.loss == pytest.approx(-np.log(1e-7) / 2)


def test_a_picture_of_which_nothing_is_said_is_wrong() -> None:
    scores = judge_pictures(*told_of(["cat", "dog"], [{}, {"dog": 1.0}]))
    assert (scores.top1, scores.top5) == (0.5, 0.5)
    assert scores.classes["cat"] == PictureClassScores(1, None, 0.0, 0.0)


def test_a_class_without_pictures_has_no_recall() -> None:
    scores = judge_pictures(*told_of(["cat", "cat"], surely(["cat", "dog"])))
    assert scores.classes["dog"] == PictureClassScores(0, 0.0, None, None)
    unsaid = judge_pictures(*told_of(["cat"], surely(["cat"])))
    assert unsaid.classes["dog"] == PictureClassScores(0, None, None, None)


@pytest.mark.parametrize("names", [pytest.param(("cat", "dog"), id="two classes"), pytest.param((), id="no class")])
def test_without_pictures_there_are_no_figures(names: tuple[str, ...]) -> None:
    scores = judge_pictures(*told_of([], [], names))
    assert (scores.images, scores.top1, scores.top5, scores.loss) == (0, None, None, None)
    assert scores.classes == dict.fromkeys(names, PictureClassScores(0, None, None, None))


def test_a_picture_without_a_label_counts_nowhere() -> None:
    truth, results = told_of(["cat", "dog"], surely(["cat", "cat"]))
    truth["annotations"] = truth["annotations"][:1]
    scores = judge_pictures(truth, results)
    assert (scores.images, scores.top1, scores.classes["cat"].precision) == (1, 1.0, 1.0)


@pytest.mark.parametrize("score", [1.5, -0.25, float("nan")])
def test_what_is_no_probability_is_refused(score: float) -> None:
    with pytest.raises(InputError, match="scores reach out of"):
        judge_pictures(*told_of(["cat"], [{"cat": score}]))


def test_more_classes_than_can_be_held_are_refused() -> None:
    with pytest.raises(InputError, match="has 5,001 classes"):
        judge_pictures(*told_of([], [], [str(number) for number in range(5001)]))
