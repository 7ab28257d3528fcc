"""Every rule of the track classify on its trigger, and on what is just no trigger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import write_yaml
from made_evidence import evidence, finding, reading, settings
from made_pictures import (
    by_ultralytics,
    classified,
    confused,
    counts,
    of_pictures,
    overfitted,
    said_of_head,
    suspected,
)

from yolo_pipeline import attempt as attempts
from yolo_pipeline.advising import OF_CLASSIFIERS, Evidence, advise, english
from yolo_pipeline.diagnosis import Interval

FROZEN_RANDOM: dict[str, Any] = {"start": {"file": None}, "classified": classified(0.9)}
UNDERFITTED: dict[str, Any] = {"classified": classified(0.85), "kept": {"train/accuracy": 0.89}}
DIM = {"cat": 0.94, "dog": 0.9}


def rules_of(given: Evidence) -> list[str]:
    return [advice.rule for advice in advise(given)]


def changes_of(given: Evidence) -> dict[str, Any]:
    return {key: value for advice in advise(given) for key, value in advice.changes}


def test_a_training_without_fault_gets_no_advice() -> None:
    assert advise(of_pictures()) == ()


def test_a_good_classifier_gets_no_advice_whatever_its_curves_say() -> None:
    risen = {"reading": reading(val_rise=2.0, train_fall=0.9, lowest=10), "kept": {"train/accuracy": 1.0}}
    assert advise(of_pictures(**risen, classified=classified(0.97))) == ()
    assert advise(of_pictures(reading=reading(still_falling=0.2), classified=classified(0.97))) == ()


def test_nothing_measured_gives_no_advice() -> None:
    assert advise(Evidence(settings={"track": "classify", "model": "resnet18"})) == ()


CASES = [
    pytest.param("leakage", {"findings": (finding("leakage", judged_images=2),)}, {"findings": (finding("leakage", judged_images=1),)}, id="1 % of the 200 judged pictures"),
    pytest.param("divided photos", {"findings": (finding("divided groups", groups=["a"]),)}, {"findings": (finding("identical pictures"),)}, id="crops of a photo in two splits"),
    pytest.param("mirrored classes", {"mirrored": {"train.augment.flip": ("cat",)}, "classified": classified(f1={"cat": 0.94, "dog": 1.0})}, {"mirrored": {"train.augment.flip": ("cat",)}, "classified": classified(f1={"cat": 0.95, "dog": 1.0})}, id="mirrored signs that suffer"),
    pytest.param("dropout", {**overfitted(0.1, 0.1), "settings": said_of_head(0.0)}, {**overfitted(0.099, 0.1), "settings": said_of_head(0.0)}, id="the loss on val rises"),
    pytest.param("dropout", {**overfitted(0.1, 0.1), "settings": said_of_head(0.0)}, {**overfitted(0.1, 0.099), "settings": said_of_head(0.0)}, id="while that on train falls"),
    pytest.param("dropout", {"settings": said_of_head(0.0), "kept": {"train/accuracy": 1.0}, "classified": classified(0.9)}, {"settings": said_of_head(0.0), "kept": {"train/accuracy": 0.99}, "classified": classified(0.9)}, id="a tenth better on train"),
    pytest.param("dropout", {"settings": said_of_head(0.0), "kept": {"train/accuracy": 1.0}, "classified": classified(0.8, 20)}, {"settings": said_of_head(0.0), "kept": {"train/accuracy": 0.9}, "classified": classified(0.8, 20)}, id="not where val has too few pictures to say so"),
    pytest.param("dropout", {**overfitted(), "settings": said_of_head(0.5, 0.49)}, {**overfitted(), "settings": said_of_head(0.5, 0.5)}, id="up to a half"),
    pytest.param("dropout", {**overfitted(), "settings": by_ultralytics(dropout=0.2)}, {**overfitted(), "settings": by_ultralytics(dropout=0.3)}, id="Ultralytics' dropout"),
    pytest.param("overfitting", {**overfitted(), "settings": said_of_head(0.5)}, {**overfitted(), "settings": said_of_head(0.3)}, id="where dropout is no way out"),
    pytest.param("random backbone", FROZEN_RANDOM, {**FROZEN_RANDOM, "start": {"file": "resnet18.pth"}}, id="nothing that was learnt"),
    pytest.param("random backbone", FROZEN_RANDOM, {**FROZEN_RANDOM, "settings": said_of_head(0.3, freeze="none")}, id="not where all of it is trained"),
    pytest.param("random backbone", FROZEN_RANDOM, {**FROZEN_RANDOM, "start": {}}, id="not where that was not noted"),
    pytest.param("random backbone", {**FROZEN_RANDOM, "classified": classified(0.96)}, {**FROZEN_RANDOM, "classified": classified(0.97)}, id="a random backbone with something to gain"),
    pytest.param("underfitting", UNDERFITTED, {**UNDERFITTED, "kept": {"train/accuracy": 0.9}}, id="train is not learnt"),
    pytest.param("underfitting", {**UNDERFITTED, "classified": classified(0.89)}, {**UNDERFITTED, "classified": classified(0.9)}, id="nor val"),
    pytest.param("underfitting", UNDERFITTED, {**UNDERFITTED, "reading": reading(still_falling=0.05)}, id="the loss is level"),
    pytest.param("underfitting", UNDERFITTED, {**UNDERFITTED, "settings": said_of_head(0.3, freeze="none")}, id="a frozen backbone"),
    pytest.param("underfitting", UNDERFITTED, {**UNDERFITTED, "start": {"file": None}}, id="of a random one another rule speaks"),
    pytest.param("wrong labels", {"classified": suspected(7, 7)}, {"classified": suspected(6, 6)}, id="3.3 % of 200 pictures"),
    pytest.param("wrong labels", {"classified": suspected(10, 30), "kept": {}}, {"classified": suspected(10, 31), "kept": {}}, id="a third of the mistakes"),
    pytest.param("wrong labels", {**overfitted(), "classified": suspected(10, 20)}, {**overfitted(), "classified": suspected(10, 21)}, id="half of those of one that overfits"),
    pytest.param("wrong labels", {"classified": suspected(20, 40)}, {"classified": suspected(21, 41)}, id="a classifier that is mostly right"),
    pytest.param("wrong labels", {"classified": suspected(7, 7), "mirrored": {"train.augment.flip": ("dog",)}}, {"classified": suspected(7, 7), "mirrored": {"train.augment.flip": ("cat",)}}, id="not of a mirrored class"),
    pytest.param("contradicting labels", {"findings": (finding("copies labelled differently", 3),)}, {"findings": (finding("copies labelled differently", 2),)}, id="three pictures"),
    pytest.param("rare class", {"counts": counts(49, 100), "classified": classified(f1={"cat": 0.7, "dog": 0.9})}, {"counts": counts(50, 101), "classified": classified(f1={"cat": 0.7, "dog": 0.9})}, id="fewer than 50 pictures"),
    pytest.param("rare class", {"counts": counts(60, 601), "classified": classified(f1={"cat": 0.7, "dog": 0.9})}, {"counts": counts(60, 600), "classified": classified(f1={"cat": 0.7, "dog": 0.9})}, id="less than a tenth of the commonest"),
    pytest.param("rare class", {"counts": counts(20, 100), "classified": classified(f1={"cat": 0.75, "dog": 0.9})}, {"counts": counts(20, 100), "classified": classified(f1={"cat": 0.81, "dog": 0.9})}, id="clearly worse than the others"),
    pytest.param("hardly any epochs", {"reading": reading(epochs=9, asked=9)}, {"reading": reading(epochs=10, asked=10)}, id="hardly any epochs"),
    pytest.param("more epochs", {"reading": reading(still_falling=0.05)}, {"reading": reading(still_falling=0.049)}, id="the loss on val still falls"),
    pytest.param("more epochs", {"reading": reading(still_falling=0.1)}, {"reading": reading(still_falling=0.1, epochs=60, stopped_early=True)}, id="not where patience ended it"),
    pytest.param("confused pair", {"classified": confused(10, 0.1)}, {"classified": confused(10, 0.099)}, id="a tenth of a class"),
    pytest.param("confused pair", {"classified": confused(3, 0.3)}, {"classified": confused(2, 0.3)}, id="several times"),
    pytest.param("confused pair", {"classified": confused(10, 0.1)}, {"classified": confused(10, 0.1), **overfitted()}, id="not of one that overfits"),
    pytest.param("larger val set", {"intervals": {"top1": Interval(0.8, 0.93)}}, {"intervals": {"top1": Interval(0.8, 0.92)}}, id="wider than two steps"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "fires", "silent"), CASES)
def test_fires_on_its_trigger_and_is_silent_just_below(
    rule: str, fires: dict[str, Any], silent: dict[str, Any]
) -> None:
    assert rule in rules_of(of_pictures(**fires))
    assert rule not in rules_of(of_pictures(**silent))


def test_every_rule_has_a_case_and_words_without_boxes() -> None:
    rules = {case.values[0] for case in CASES}
    assert rules == set(english.CLASSIFY) | {"leakage", "divided photos"}
    assert set(english.CLASSIFY) == set(english.OF_CLASSIFIERS)
    assert len(OF_CLASSIFIERS) == len(rules) == 14
    for case in CASES:
        for advice in advise(of_pictures(**case.values[1])):
            said = " ".join((advice.measured, advice.cause, advice.remedy))
            assert not any(word in said for word in ("box", "object", "mAP", "detect")), said


def test_a_detector_is_not_asked_by_these_rules() -> None:
    given = {**overfitted(), "settings": {**settings(), "head": [{"units": 64, "dropout": 0.0}]}}
    assert rules_of(evidence(**given)) == ["overfitting"]


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        pytest.param({**overfitted(), "settings": said_of_head(0.0, 0.4)}, {"head": [{"units": 128, "dropout": 0.3}, {"units": 128, "dropout": 0.4}]}, id="dropout of 0.3 first"),
        pytest.param({**overfitted(), "settings": said_of_head(0.3, 0.4)}, {"head": [{"units": 128, "dropout": 0.5}, {"units": 128, "dropout": 0.5}]}, id="then a half"),
        pytest.param({**overfitted(), "settings": said_of_head(0.0, early_stopping={"patience": 0, "restore_best": False})}, {"head": [{"units": 128, "dropout": 0.3}], "train.early_stopping.patience": 30, "train.early_stopping.restore_best": True}, id="early stopping beside it"),
        pytest.param({**overfitted(), "settings": said_of_head(0.5)}, {"train.augment": {"rotation_deg": 10.0, "zoom": 0.1, "shift": 0.1}}, id="pictures that change, where dropout is a half"),
        pytest.param({**overfitted(), "settings": said_of_head(freeze="none")}, {"train.freeze": "all", "train.augment": {"rotation_deg": 10.0, "zoom": 0.1, "shift": 0.1}}, id="freeze what was learnt elsewhere"),
        pytest.param({**overfitted(), "start": {"file": None}, "settings": said_of_head(freeze="none")}, {"train.augment": {"rotation_deg": 10.0, "zoom": 0.1, "shift": 0.1}}, id="but not random weights"),
        pytest.param({**overfitted(), "settings": said_of_head(0.5, augment={"zoom": 0.1})}, {"head": [{"units": 64, "dropout": 0.5}]}, id="then fewer units"),
        pytest.param({**overfitted(), "settings": said_of_head(augment={"zoom": 0.1})}, {}, id="else more pictures, by hand"),
        pytest.param({**overfitted(), "settings": {**said_of_head(augment={"zoom": 0.1}), "head": [{"units": 32, "dropout": 0.5}, {"units": 100, "dropout": 0.5}]}}, {"head": [{"units": 32, "dropout": 0.5}, {"units": 64, "dropout": 0.5}]}, id="of large layers alone"),
        pytest.param({**overfitted(), "settings": by_ultralytics(dropout=0.3)}, {"train.patience": 15, "train.freeze": 10}, id="what Ultralytics has"),
        pytest.param(FROZEN_RANDOM, {"train.freeze": "none"}, id="train what is random"),
        pytest.param({**FROZEN_RANDOM, **overfitted(), "settings": said_of_head(0.0)}, {"head": [{"units": 128, "dropout": 0.3}]}, id="but not while dropout is to be tried"),
        pytest.param(UNDERFITTED, {"head": [{"units": 256, "dropout": 0.3}, {"units": 128, "dropout": 0.3}]}, id="one dense layer more"),
        pytest.param({**UNDERFITTED, "settings": said_of_head(0.3, 0.3)}, {"train.freeze": {"all_but_blocks": 1}, "train.lr0": 0.0001}, id="then the last block"),
        pytest.param({**UNDERFITTED, "settings": said_of_head(0.3, 0.3, freeze={"all_but_blocks": 1}, lr0=0.0001)}, {"train.freeze": "none"}, id="then all of it"),
        pytest.param({"mirrored": {"train.augment.flip": ("cat",)}, "classified": classified(f1=DIM), "settings": said_of_head(0.3, augment={"flip": ["horizontal"]})}, {"train.augment": None}, id="all augmentation, where it is nothing else"),
        pytest.param({"mirrored": {"train.augment.flip": ("cat",)}, "classified": classified(f1=DIM), "settings": said_of_head(0.3, augment={"flip": ["horizontal"], "zoom": 0.1})}, {"train.augment.flip": None}, id="the flip alone"),
        pytest.param({"mirrored": {"train.augment.rotation_deg": ("cat",)}, "classified": classified(f1=DIM), "settings": said_of_head(0.3, augment={"rotation_deg": 180})}, {"train.augment.rotation_deg": 15.0}, id="tilted, not turned"),
        pytest.param({"counts": counts(20, 100), "classified": classified(f1={"cat": 0.5, "dog": 0.9})}, {"train.class_weights": "balanced"}, id="weights for a rare class"),
        pytest.param({"counts": counts(20, 100), "classified": classified(f1={"cat": 0.5, "dog": 0.9}), "settings": said_of_head(0.3, class_weights="balanced")}, {}, id="but not twice"),
        pytest.param({"reading": reading(still_falling=0.1)}, {"train.epochs": 200}, id="twice as many epochs"),
    ],
)  # fmt: skip
def test_changes_make_an_attempt_that_can_be_trained(
    given: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    found = of_pictures(**given)
    assert changes_of(found) == changes
    data = {"sources": [{"path": "pictures", "format": "auto"}]}
    nested: dict[str, Any] = {"base": 1}
    for key, value in changes.items():
        *above, last = key.split(".")
        place = nested
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    write_yaml(tmp_path / "attempts/1.yaml", {**found.settings, "data": data})
    write_yaml(tmp_path / "attempts/2.yaml", nested)
    changed = [key for key, _, _ in attempts.load(tmp_path, 2).changed]
    assert all(any(one == key or one.startswith(f"{key}.") for one in changed) for key in changes)


def test_dropout_says_what_it_measured() -> None:
    given = {**overfitted(0.4, 0.6), "settings": said_of_head(0.0, 0.0), "kept": {"train/accuracy": 1.0}}
    [found] = advise(of_pictures(**given, classified=classified(0.82)))
    assert found.measured == (
        "the loss on val was lowest around epoch 20 of 100 and rose by 40 % since, while the loss on train fell by 60 %; "
        "top-1 of the weights that were kept is 1.000 on train and 0.820 on val (dropout 0, 0)"
    )
    assert found.remedy.startswith("Leave out 30 % of its outputs at random in training, and let early stopping end it")
    assert found.source.startswith("N. Srivastava et al., Dropout")
    assert found.figures["track"] == "classify"


def test_overfitting_is_said_once_and_never_beside_its_contrary() -> None:
    """More dropout takes early stopping with it; and who says `freeze: none` does not say to train fewer weights."""
    off = {"patience": 0, "restore_best": True}
    for dropout, rules in ((0.3, ["dropout", "random backbone"]), (0.5, ["overfitting", "random backbone"])):
        said = said_of_head(dropout, early_stopping=off)
        found = advise(of_pictures(**{**FROZEN_RANDOM, **overfitted(), "settings": said}))
        assert [one.rule for one in found] == rules
        assert ("train.early_stopping.patience", 30) in found[0].changes
        assert "fewer weights" not in found[0].remedy


def test_curves_alone_will_do() -> None:
    """Of a run from elsewhere that left no probabilities."""
    given = {**overfitted(), "settings": said_of_head(0.0), "classified": None, "intervals": {}}
    assert rules_of(of_pictures(**given, kept={})) == ["dropout"]


def test_what_makes_scores_untrue_comes_first_and_dropout_before_faults_of_the_data() -> None:
    given = of_pictures(
        findings=(finding("leakage", judged_images=9),),
        settings=said_of_head(0.0),
        mirrored={"train.augment.flip": ("dog",)},
        classified=suspected(10, 20),
        intervals={"top1": Interval(0.5, 0.9)},
        **overfitted(),
    )
    assert rules_of(given) == ["leakage", "mirrored classes", "dropout", "wrong labels", "larger val set"]


def test_hostile_class_names_stay_on_one_line() -> None:
    names = "cat\nerror: forged", "<script>{0}{x}"
    given = of_pictures(mirrored={"train.augment.flip": names}, classified=classified(f1=dict.fromkeys(names, 0.5)))
    assert advise(given)[0].measured == (
        "train.augment.flip shows cat error: forged, <script>{0}{x} mirrored or turned; F1 of these on val is 0.500"
    )
