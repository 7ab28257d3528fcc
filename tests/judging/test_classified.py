"""What a classifier got wrong, and how far that hangs on which pictures there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix
from told_pictures import surely, told_of

from yolo_pipeline.diagnosis import ConfusedPair, Difference
from yolo_pipeline.judging.classified import diagnose_pictures, picture_differences, picture_intervals

NAMES = ("cat", "dog", "hen")


def test_answers_go_in_the_order_of_the_truth_with_the_five_likeliest() -> None:
    names = [str(number) for number in range(7)]
    rising = {name: number / 21 for number, name in enumerate(names)}
    found = diagnose_pictures(*told_of(["6", "0"], [rising, rising], names), "val")
    assert found.split == "val"
    assert [(answer.image, answer.label, answer.is_right) for answer in found.answers] == [
        ("val/6/0.png", "6", True),
        ("val/0/1.png", "0", False),
    ]
    assert found.answers[0].said == tuple((str(number), number / 21) for number in (6, 5, 4, 3, 2))
    assert [answer.of_label for answer in found.answers] == [6 / 21, 0.0]


def test_the_matrix_has_labels_as_rows() -> None:
    found = diagnose_pictures(*told_of(["cat", "cat", "hen"], surely(["cat", "dog", "dog"], names=NAMES), NAMES), "val")
    assert found.matrix.names == NAMES
    assert found.matrix.counts.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=40))
def test_the_matrix_is_scikit_learns(pictures: list[tuple[str, str]]) -> None:
    labels, said = zip(*pictures, strict=True)
    found = diagnose_pictures(*told_of(labels, surely(said, names=NAMES), NAMES), "val")
    assert found.matrix.counts.tolist() == confusion_matrix(labels, said, labels=NAMES).tolist()
    wrong = found.matrix.counts.sum() - np.trace(found.matrix.counts)
    assert sum(pair.count for pair in found.pairs) == wrong == sum(not answer.is_right for answer in found.answers)


def test_pairs_go_by_frequency_and_their_pictures_by_how_sure_the_mistake_is() -> None:
    labels = ["cat", "cat", "cat", "cat", "hen"]
    said = [*surely(["dog"], 0.6, NAMES), *surely(["dog"], 0.9, NAMES), *surely(["hen", "cat", "cat"], names=NAMES)]
    found = diagnose_pictures(*told_of(labels, said, NAMES), "val")
    assert found.pairs == (
        ConfusedPair("cat", "dog", 2, 0.5, ("val/cat/1.png", "val/cat/0.png")),
        ConfusedPair("cat", "hen", 1, 0.25, ("val/cat/2.png",)),
        ConfusedPair("hen", "cat", 1, 1.0, ("val/hen/4.png",)),
    )


def test_a_picture_of_which_nothing_is_said_is_taken_for_no_class() -> None:
    found = diagnose_pictures(*told_of(["cat"], [{}]), "val")
    assert not found.answers[0].is_right
    assert (found.matrix.counts.sum(), found.pairs, found.suspects) == (0, (), ())


@pytest.mark.parametrize("names", [pytest.param(NAMES, id="three classes"), pytest.param((), id="no class")])
def test_no_pictures(names: tuple[str, ...]) -> None:
    found = diagnose_pictures(*told_of([], [], names), "test")
    assert (found.answers, found.pairs, found.suspects) == ((), (), ())
    assert found.matrix.counts.shape == (len(names), len(names))
    assert (found.calibration.error, found.calibration.bins) == (0.0, ())


def test_calibration_by_hand() -> None:
    """Of four said with 0.75 three are right; of two said with 1.0 one is: |1 - 0.5| * 2 of 6."""
    labels = ["cat"] * 3 + ["dog"] + ["cat", "dog"]
    said = [*surely(["cat"] * 4, 0.75), *surely(["cat"] * 2, 1.0)]
    calibration = diagnose_pictures(*told_of(labels, said), "val").calibration
    assert calibration.bins == ((0.75, 0.75, 4), (1.0, 0.5, 2))
    assert calibration.error == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("score", "others", "suspected"),
    [
        pytest.param(0.99, 0.9, True, id="surer of the other class than usual"),
        pytest.param(0.96, 0.98, False, id="less sure than it usually is of that class"),
        pytest.param(0.94, 0.9, False, id="the label is not ruled out"),
        pytest.param(0.97, 0.3, True, id="where it is hardly ever sure"),
    ],
)
def test_a_label_is_suspected_where_the_classifier_is_sure(score: float, others: float, suspected: bool) -> None:
    """Ten dogs are said to be dogs with `others`; then comes a picture labelled cat, said to be a dog with `score`."""
    labels = ["dog"] * 10 + ["cat"]
    said = [*surely(["dog"] * 10, others), *surely(["dog"], score)]
    found = diagnose_pictures(*told_of(labels, said), "val")
    assert [answer.image for answer in found.suspects] == ["val/cat/10.png"] * suspected


def test_an_unsure_majority_suspects_nothing() -> None:
    """Three classes: 0.48 is above what it usually is, but no word against a person's."""
    said = [*surely(["dog"] * 10, 0.4, NAMES), {"dog": 0.48, "hen": 0.48, "cat": 0.04}]
    found = diagnose_pictures(*told_of(["dog"] * 10 + ["cat"], said, NAMES), "val")
    assert found.suspects == ()


def test_a_class_without_pictures_is_no_witness() -> None:
    found = diagnose_pictures(*told_of(["cat"] * 5, surely(["cat"] * 4 + ["dog"], 0.99)), "val")
    assert found.suspects == ()


def test_the_surest_disagreement_comes_first() -> None:
    labels = ["dog"] * 10 + ["cat", "cat"]
    said = [*surely(["dog"] * 10, 0.9), *surely(["dog"], 0.97), *surely(["dog"], 0.99)]
    found = diagnose_pictures(*told_of(labels, said), "val")
    assert [answer.image for answer in found.suspects] == ["val/cat/11.png", "val/cat/10.png"]


def interval_of(right: int, count: int) -> tuple[float, float]:
    pair = told_of(["cat"] * count, surely(["cat"] * right + ["dog"] * (count - right)))
    found = picture_intervals(diagnose_pictures(*pair, "val").answers)["top1"]
    return found.low, found.high


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="Newcombe, Statist. Med. 1998, table I"),
        pytest.param(15, 148, 0.0624, 0.1605, id="the same, second row"),
        pytest.param(0, 20, 0.0, 0.1611, id="the same, none"),
        pytest.param(29, 29, 0.8830, 1.0, id="all of them: count of count + 1.96 squared"),
    ],
)
def test_the_interval_of_top1_is_wilsons(right: int, count: int, low: float, high: float) -> None:
    assert interval_of(right, count) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_is_about_as_wide_as_that_of_a_bootstrap() -> None:
    draws = np.random.default_rng(0).binomial(200, 0.8, 20_000) / 200
    assert interval_of(160, 200) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.01)


@pytest.mark.parametrize(("count", "known"), [(1, False), (2, True)])
def test_one_picture_has_no_interval(count: int, known: bool) -> None:
    answers = diagnose_pictures(*told_of(["cat"] * count, surely(["cat"] * count)), "val").answers
    assert bool(picture_intervals(answers)) is known


def difference(gained: int, lost: int, pictures: int) -> Difference | None:
    """Two classifiers of which the second is right on `gained` other pictures, and wrong on `lost`."""
    labels = ["cat"] * pictures
    before = ["dog"] * gained + ["cat"] * (pictures - gained)
    after = ["cat"] * (pictures - lost) + ["dog"] * lost
    truth, said = told_of(labels, surely(before))
    return picture_differences(truth, said, told_of(labels, surely(after))[1]).get("top1")


@pytest.mark.parametrize(
    ("gained", "lost", "pictures", "clear"),
    [
        pytest.param(5, 0, 60, False, id="five all one way happen by chance once in 16 times"),
        pytest.param(6, 0, 60, True, id="six once in 32"),
        pytest.param(0, 6, 60, True, id="six that were lost"),
        pytest.param(9, 3, 60, False, id="nine against three"),
        pytest.param(20, 5, 60, True, id="twenty against five"),
        pytest.param(0, 0, 60, False, id="no difference"),
        pytest.param(6, 0, 6, True, id="six pictures"),
    ],
)
def test_a_difference_is_clear_when_chance_would_hardly_make_it(
    gained: int, lost: int, pictures: int, clear: bool
) -> None:
    found = difference(gained, lost, pictures)
    assert found is not None
    assert found.delta == pytest.approx((gained - lost) / pictures)
    assert found.interval.low <= found.delta <= found.interval.high
    assert found.is_clear is clear


def test_five_pictures_tell_no_difference() -> None:
    assert difference(5, 0, 5) is None


def test_the_difference_is_about_that_of_a_paired_bootstrap() -> None:
    found = difference(30, 10, 200)
    assert found is not None
    drawn = np.random.default_rng(0).multinomial(200, [0.15, 0.05, 0.8], 20_000)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / 200, [0.025, 0.975])
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=0.01)
