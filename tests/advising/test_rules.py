"""Every rule on its trigger, and on what is just no trigger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import write_yaml
from made_evidence import (
    by_steps,
    curve,
    diagnosis,
    evidence,
    finding,
    labelled,
    pair,
    reading,
    scores,
    settings,
    suspects,
    tfapi,
)

from yolo_pipeline import attempt as attempts
from yolo_pipeline.advising import RULES, Evidence, advise
from yolo_pipeline.advising.english import ENGLISH, SOURCES, TFAPI
from yolo_pipeline.diagnosis import FalseAlarms, Interval, Missed


def rules_of(given: Evidence) -> list[str]:
    return [advice.rule for advice in advise(given)]


def changes_of(given: Evidence) -> dict[str, Any]:
    return {key: value for advice in advise(given) for key, value in advice.changes}


def test_a_training_without_fault_gets_no_advice() -> None:
    assert advise(evidence()) == ()


def test_nothing_measured_gives_no_advice() -> None:
    assert advise(Evidence()) == ()


def by_size(small: int, missed: int, larger_missed: int = 10) -> dict[str, Any]:
    sizes = (Missed("8 to 16 px", small, missed), Missed("32 to 96 px", 200 - small, larger_missed))
    return {"diagnosis": diagnosis(by_size=sizes)}


def fired(number: int, boxes: int = 5, backgrounds: int = 10) -> dict[str, Any]:
    files = tuple(f"{n}.jpg" for n in range(number))
    return {"diagnosis": diagnosis(alarms=FalseAlarms(boxes, backgrounds, files, boxes))}


def counts(cat: int, dog: int, backgrounds: int = 9) -> dict[str, Any]:
    train = {"images": 300, "backgrounds": backgrounds, "classes": {"cat": cat, "dog": dog}}
    return {"train": train, "val": {"images": 100}, "test": {"images": 100}}


def many(pictures: int) -> dict[str, Any]:
    return {"train": {"images": pictures}, "val": {"images": 100}}


def detecting(conf: float) -> dict[str, Any]:
    return {**settings(), "detect": {"conf": conf}}


def missing(number: int, labelled_images: int) -> dict[str, Any]:
    images = [f"{n}.jpg" for n in range(labelled_images)]
    return {"diagnosis": diagnosis(suspects=suspects("missing", number), cases=labelled(images))}


CASES = [
    pytest.param("leakage", {"findings": (finding("leakage", judged_images=2),)}, {"findings": (finding("leakage", judged_images=1),)}, id="1 % of the 200 judged pictures"),
    pytest.param("divided photos", {"findings": (finding("divided groups", groups=["a"]),)}, {"findings": (finding("identical pictures"),)}, id="versions of a photo in two splits"),
    pytest.param("mirrored classes", {"mirrored": {"train.fliplr": ("cat",)}, "scores": scores({"cat": 0.94, "dog": 0.9})}, {"mirrored": {"train.fliplr": ("cat",)}, "scores": scores({"cat": 0.96, "dog": 0.9})}, id="mirrored signs that suffer"),
    pytest.param("more epochs", {"reading": reading(still_falling=0.05)}, {"reading": reading(still_falling=0.049)}, id="the loss on val still falls"),
    pytest.param("hardly any epochs", {"reading": reading(epochs=9, asked=9)}, {"reading": reading(epochs=10, asked=10)}, id="hardly any epochs"),
    pytest.param("more epochs", {"reading": reading(still_falling=0.1)}, {"reading": reading(still_falling=0.1, epochs=60, stopped_early=True)}, id="not where patience ended it"),
    pytest.param("more epochs", {"reading": reading(still_falling=0.1), "mAP50": 0.94}, {"reading": reading(still_falling=0.1), "mAP50": 0.95}, id="something to gain"),
    pytest.param("larger pictures", by_size(20, 6), by_size(20, 5), id="small objects often missed"),
    pytest.param("larger pictures", by_size(10, 10), by_size(9, 9), id="small objects are 5 %"),
    pytest.param("larger pictures", by_size(50, 30, 60), by_size(50, 29, 60), id="much more often than larger ones"),
    pytest.param("larger pictures", {**by_size(200, 60, 0)}, {**by_size(200, 59, 0)}, id="there are no larger ones"),
    pytest.param("overfitting", {"reading": reading(val_rise=0.1, train_fall=0.1)}, {"reading": reading(val_rise=0.099, train_fall=0.1)}, id="val rises"),
    pytest.param("overfitting", {"reading": reading(val_rise=0.1, train_fall=0.1)}, {"reading": reading(val_rise=0.1, train_fall=0.099)}, id="while train falls"),
    pytest.param("overfitting", {"reading": reading(val_rise=0.5, train_fall=0.5, best=80)}, {"reading": reading(val_rise=0.5, train_fall=0.5, best=81)}, id="mAP gains nothing any more"),
    pytest.param("smaller model", {"reading": reading(val_rise=0.1, train_fall=0.1), "settings": settings("yolov8m")}, {"reading": reading(val_rise=0.1, train_fall=0.1), "settings": settings("yolov8s")}, id="a large model overfits"),
    pytest.param("wrong labels", {"diagnosis": diagnosis(suspects=suspects("wrong class", 7))}, {"diagnosis": diagnosis(suspects=suspects("wrong class", 6))}, id="3.3 % of 200 labels"),
    pytest.param("wrong labels", {"diagnosis": diagnosis(suspects=suspects("wrong class", 7)), "mAP50": 0.5}, {"diagnosis": diagnosis(suspects=suspects("wrong class", 7)), "mAP50": 0.49}, id="a witness has learnt something"),
    pytest.param("wrong labels", {"diagnosis": diagnosis(suspects=suspects("wrong class", 7))}, {"diagnosis": diagnosis(suspects=suspects("wrong class", 7)), "reading": reading(val_rise=0.5, train_fall=0.5, best=50)}, id="nor is it overfitted"),
    pytest.param("wrong labels", {"diagnosis": diagnosis(suspects=suspects("wrong class", 7)), "scores": scores({"cat": 0.5, "dog": 0.9})}, {"diagnosis": diagnosis(suspects=suspects("wrong class", 7)), "scores": scores({"cat": 0.49, "dog": 0.9})}, id="not of a class that is not learnt"),
    pytest.param("wrong labels", {"diagnosis": diagnosis(suspects=suspects("wrong class", 7)), "mirrored": {"train.fliplr": ("dog",)}}, {"diagnosis": diagnosis(suspects=suspects("wrong class", 7)), "mirrored": {"train.fliplr": ("cat",)}}, id="not of a mirrored class"),
    pytest.param("missing labels", missing(7, 7), missing(6, 7), id="3.3 % of 200 objects"),
    pytest.param("missing labels", missing(7, 7), missing(7, 6), id="only on pictures that have labels"),
    pytest.param("contradicting labels", {"findings": (finding("two classes", 3),)}, {"findings": (finding("two classes", 2),)}, id="three pictures"),
    pytest.param("confused pair", {"diagnosis": diagnosis(pairs=(pair(10, 0.1),))}, {"diagnosis": diagnosis(pairs=(pair(10, 0.099),))}, id="a tenth of a class"),
    pytest.param("confused pair", {"diagnosis": diagnosis(pairs=(pair(3, 0.3),))}, {"diagnosis": diagnosis(pairs=(pair(2, 0.2),))}, id="several times"),
    pytest.param("confused pair", {"diagnosis": diagnosis(pairs=(pair(10, 0.1),)), "mAP50": 0.94}, {"diagnosis": diagnosis(pairs=(pair(10, 0.1),)), "mAP50": 0.95}, id="pairs with something to gain"),
    pytest.param("background images", fired(2), fired(1), id="fires on two"),
    pytest.param("background images", fired(3, backgrounds=30), fired(2, backgrounds=30), id="fires on a tenth"),
    pytest.param("background images", {**fired(5), "counts": counts(100, 100, 29)}, {**fired(5), "counts": counts(100, 100, 30)}, id="training has less than 10 %"),
    pytest.param("rare class", {"counts": counts(49, 100), "scores": scores({"cat": 0.7, "dog": 0.9})}, {"counts": counts(50, 101), "scores": scores({"cat": 0.7, "dog": 0.9})}, id="fewer than 50 boxes"),
    pytest.param("rare class", {"counts": counts(60, 601), "scores": scores({"cat": 0.7, "dog": 0.9})}, {"counts": counts(60, 600), "scores": scores({"cat": 0.7, "dog": 0.9})}, id="less than a tenth of the commonest"),
    pytest.param("rare class", {"counts": counts(20, 100), "scores": scores({"cat": 0.75, "dog": 0.9})}, {"counts": counts(20, 100), "scores": scores({"cat": 0.81, "dog": 0.9})}, id="clearly worse than the others"),
    pytest.param("loose boxes", {"diagnosis": diagnosis(median_iou=0.79)}, {"diagnosis": diagnosis(median_iou=0.8)}, id="a low median IoU"),
    pytest.param("loose boxes", {"diagnosis": diagnosis(suspects=suspects("loose", 20))}, {"diagnosis": diagnosis(suspects=suspects("loose", 19))}, id="a tenth of the labels"),
    pytest.param("group boxes", {"findings": (finding("several as one"),)}, {"findings": (finding("boxed twice"),)}, id="the audit found them"),
    pytest.param("group boxes", {"diagnosis": diagnosis(suspects=suspects("group", 3))}, {"diagnosis": diagnosis(suspects=suspects("group", 2))}, id="the model sees them"),
    pytest.param("confidence", {"settings": detecting(0.9), "diagnosis": diagnosis(curve=curve({0.9: 0.85}))}, {"settings": detecting(0.9), "diagnosis": diagnosis(curve=curve({0.9: 0.86}))}, id="F1 lost"),
    pytest.param("confidence", {"settings": detecting(0.9), "diagnosis": diagnosis(curve=curve({0.9: 0.5}))}, {"diagnosis": diagnosis(curve=curve({0.9: 0.5}))}, id="only where the attempt says one"),
    pytest.param("larger val set", {"intervals": {"mAP50": Interval(0.8, 0.93)}}, {"intervals": {"mAP50": Interval(0.8, 0.92)}}, id="wider than two steps"),
    pytest.param("larger model", {"counts": many(1000), "mAP50": 0.79}, {"counts": many(999), "mAP50": 0.79}, id="many pictures"),
    pytest.param("larger model", {"counts": many(1000), "mAP50": 0.79}, {"counts": many(1000), "mAP50": 0.8}, id="a weak score"),
    pytest.param("larger model", {"counts": many(1000), "mAP50": 0.79}, {"counts": many(1000), "mAP50": 0.79, "settings": settings("yolov8x")}, id="not of the largest"),
    pytest.param("diverged", {"settings": tfapi(), "reading": by_steps(apart=340)}, {"settings": tfapi(), "reading": by_steps()}, id="the loss on train came apart"),
    pytest.param("diverged", {"settings": tfapi(), "reading": by_steps(apart=340)}, {"reading": reading(apart=34)}, id="not of Ultralytics, which goes back"),
    pytest.param("hardly any steps", {"settings": tfapi(steps=299), "reading": by_steps(epochs=299, asked=299)}, {"settings": tfapi(steps=300), "reading": by_steps(epochs=300, asked=300)}, id="hardly any steps"),
    pytest.param("hardly any steps", {"settings": tfapi(steps=10), "reading": by_steps(epochs=10, asked=10)}, {"settings": tfapi(steps=10), "reading": by_steps(epochs=10, asked=10), "mAP50": 0.95}, id="a few steps with something to gain"),
    pytest.param("more steps", {"settings": tfapi(), "reading": by_steps(still_falling=0.05)}, {"settings": tfapi(), "reading": by_steps(still_falling=0.049)}, id="the loss on val falls at the last steps"),
    pytest.param("more steps", {"settings": tfapi(), "reading": by_steps(still_falling=0.1)}, {"settings": tfapi(), "reading": by_steps(still_falling=0.1, apart=340)}, id="not where it came apart"),
    pytest.param("more steps", {"settings": tfapi(steps=49_999), "reading": by_steps(still_falling=0.1, epochs=49_999, asked=49_999)}, {"settings": tfapi(steps=50_000), "reading": by_steps(still_falling=0.1, epochs=50_000, asked=50_000)}, id="as many steps as the makers take"),
    pytest.param("larger pictures", {**by_size(20, 6), "settings": tfapi(), "reading": by_steps()}, {**by_size(20, 6), "settings": tfapi(), "reading": by_steps(apart=340)}, id="small objects of a model that has learnt"),
    pytest.param("overfitting", {"settings": tfapi(), "reading": by_steps(val_rise=0.1, train_fall=0.1)}, {"settings": tfapi(), "reading": by_steps(val_rise=0.1, train_fall=0.1, best=1601)}, id="mAP gains nothing in the last steps"),
    pytest.param("smaller model", {"settings": tfapi("ssd_resnet50_v1_fpn_640x640"), "reading": by_steps(val_rise=0.1, train_fall=0.1)}, {"settings": tfapi("ssd_mobilenet_v2_fpnlite_640x640"), "reading": by_steps(val_rise=0.1, train_fall=0.1)}, id="ResNet50 overfits"),
    pytest.param("larger model", {"settings": tfapi("ssd_mobilenet_v2_fpnlite_640x640"), "reading": by_steps(), "counts": many(1000), "mAP50": 0.79, "used": {"epochs": 50.0}}, {"settings": tfapi("ssd_mobilenet_v2_fpnlite_640x640"), "reading": by_steps(), "counts": many(1000), "mAP50": 0.79, "used": {"epochs": 49.9}}, id="each picture was shown 50 times"),
    pytest.param("larger model", {"settings": tfapi("ssd_mobilenet_v2_fpnlite_640x640"), "reading": by_steps(), "counts": many(1000), "mAP50": 0.79, "used": {"epochs": 50.0}}, {"settings": tfapi(), "reading": by_steps(), "counts": many(1000), "mAP50": 0.79, "used": {"epochs": 50.0}}, id="larger pictures come before a larger network"),
    pytest.param("mirrored classes", {"settings": tfapi(), "mirrored": {"train.random_horizontal_flip": ("cat",)}, "scores": scores({"cat": 0.94, "dog": 0.9})}, {"settings": tfapi(), "mirrored": {"train.random_horizontal_flip": ("cat",)}, "scores": scores({"cat": 0.96, "dog": 0.9})}, id="signs mirrored by the API"),
    pytest.param("rare class", {"settings": tfapi(), "reading": by_steps(), "counts": counts(49, 100), "scores": scores({"cat": 0.7, "dog": 0.9})}, {"settings": tfapi(), "reading": by_steps(), "counts": counts(50, 101), "scores": scores({"cat": 0.7, "dog": 0.9})}, id="a rare class for the API"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "fires", "silent"), CASES)
def test_fires_on_its_trigger_and_is_silent_just_below(
    rule: str, fires: dict[str, Any], silent: dict[str, Any]
) -> None:
    assert rule in rules_of(evidence(**fires))
    assert rule not in rules_of(evidence(**silent))


def test_every_rule_has_a_case() -> None:
    assert {case.values[0] for case in CASES} == set(ENGLISH) == set(SOURCES)
    assert len(RULES) == len(ENGLISH) == 22
    of_the_api = {case.values[0] for case in CASES if case.values[1].get("settings", {}).get("track") == "tfapi"}
    assert set(TFAPI) <= of_the_api


def test_advice_holds_its_sentences_pictures_and_numbers() -> None:
    [advice] = advise(evidence(**fired(2, boxes=3)))
    assert advice.measured == (
        "on 2 of 10 pictures of val without objects, 3 objects are seen; 3 % of the training pictures are without objects"
    )
    assert advice.cause == "Training has hardly shown what is not an object"
    assert advice.images == ("0.jpg", "1.jpg")
    assert advice.figures == {"fired": 2, "backgrounds": 10, "boxes": 3, "share": 0.03}
    assert advice.changes == ()


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        pytest.param({"reading": reading(still_falling=0.1)}, {"train.epochs": 200}, id="twice as many epochs"),
        pytest.param({"reading": reading(epochs=1, asked=1)}, {"train.epochs": 100}, id="at least the usual number"),
        pytest.param({"reading": reading(still_falling=0.1, epochs=700, asked=700)}, {"train.epochs": 1200}, id="at most Ultralytics' 1,200"),
        pytest.param(by_size(20, 20), {"train.imgsz": 1280}, id="twice the size for objects of 8 to 16 pixels"),
        pytest.param({**by_size(20, 20), "used": {"imgsz": 1536}}, {}, id="beyond 1,536 it is work by hand"),
        pytest.param({"reading": reading(val_rise=0.5, train_fall=0.5)}, {"train.freeze": 10, "train.patience": 15}, id="freeze what is pretrained"),
        pytest.param(
            {"reading": reading(val_rise=0.5, train_fall=0.5), "settings": settings(pretrained=False, mosaic=0.0, patience=10)},
            {"pretrained": True, "train.mosaic": 1.0}, id="begin from pretrained weights, augment",
        ),
        pytest.param(
            {"reading": reading(val_rise=0.5, train_fall=0.5), "settings": settings("yolo11x", freeze=10, patience=10)},
            {"model": "yolo11s"}, id="a smaller model of the same family",
        ),
        pytest.param(
            {**fired(2), "settings": settings(data={"backgrounds": {"source": "papers", "share": 0.02}})},
            {"data.backgrounds.share": 0.1}, id="more of the backgrounds that are there",
        ),
        pytest.param(
            {"findings": (finding("leakage", judged_images=9),), "settings": settings(data={"split": {"train": 0.7, "val": 0.3}})},
            {"data.split.again": True, "data.split.similar_together": True}, id="shares stay as they are",
        ),
        pytest.param(
            {"mirrored": {"data.augment.flip": ("cat",)}, "settings": settings(data={"augment": {"flip": ["horizontal"], "blur_px": 3.0}})},
            {"data.augment.flip": None}, id="the flip alone",
        ),
        pytest.param(
            {"mirrored": {"data.augment.flip": ("cat",)}, "settings": settings(data={"augment": {"flip": ["horizontal"], "outputs_per_example": 3}})},
            {"data.augment": None}, id="all augmentation, where it is nothing else",
        ),
        pytest.param(
            {"counts": counts(20, 100), "scores": scores({"cat": 0.5, "dog": 0.9})}, {"train.cls_pw": 0.5}, id="weights for a rare class"
        ),
        pytest.param(
            {"settings": detecting(0.9), "diagnosis": diagnosis(curve=curve({0.9: 0.2}))}, {"detect.conf": None}, id="the best F1's confidence"
        ),
    ],
)  # fmt: skip
def test_changes(given: dict[str, Any], changes: dict[str, Any]) -> None:
    assert changes_of(evidence(**given)) == changes


@pytest.mark.parametrize(
    ("settings", "given", "changes"),
    [
        pytest.param(tfapi(), {"reading": by_steps(still_falling=0.1)}, {"train.steps": 4000}, id="twice as many steps"),
        pytest.param(tfapi(steps=10), {"reading": by_steps(epochs=10, asked=10)}, {"train.steps": 2000}, id="at least the usual steps"),
        pytest.param(tfapi(steps=40_000), {"reading": by_steps(still_falling=0.1, epochs=40_000, asked=40_000)}, {"train.steps": 50_000}, id="at most as many as the makers take"),
        pytest.param(tfapi(), by_size(20, 20), {"model": "ssd_mobilenet_v2_fpnlite_640x640"}, id="the model for pictures twice as large"),
        pytest.param(tfapi("ssd_resnet50_v1_fpn_640x640"), by_size(20, 20), {}, id="beyond 640 pixels it is work by hand"),
        pytest.param(
            tfapi(pretrained=False, random_crop_image=False), {"reading": by_steps(val_rise=0.5, train_fall=0.5, best=800)},
            {"pretrained": True, "train.random_crop_image": True, "train.steps": 800, "train.warmup_steps": 80}, id="what the API has against overfitting",
        ),
        pytest.param(
            tfapi(pretrained=False, fine_tune_checkpoint="ckpt-0", warmup_steps=50), {"reading": by_steps(val_rise=0.5, train_fall=0.5, best=800)},
            {"train.steps": 800}, id="it began from a checkpoint already",
        ),
        pytest.param(
            tfapi("ssd_resnet50_v1_fpn_640x640", pretrained="old.zip", fine_tune_checkpoint="ckpt-0", warmup_steps=0), {"reading": by_steps(val_rise=0.5, train_fall=0.5, best=1500)},
            {"train.steps": 1500, "model": "ssd_mobilenet_v2_fpnlite_640x640", "pretrained": True, "train.fine_tune_checkpoint": None}, id="another network begins from weights of its own",
        ),
        pytest.param(
            tfapi("ssd_mobilenet_v2_fpnlite_640x640"), {"counts": many(1000), "mAP50": 0.7, "used": {"epochs": 60.0}},
            {"model": "ssd_resnet50_v1_fpn_640x640", "train.learning_rate_base": 0.005, "train.warmup_learning_rate": 0.0017}, id="ResNet50 at a rate that it bears",
        ),
        pytest.param(
            tfapi(), {"reading": by_steps(apart=340)}, {"train.learning_rate_base": 0.01, "train.warmup_learning_rate": 0.0033}, id="a third of the rate",
        ),
        pytest.param(
            tfapi("ssd_resnet50_v1_fpn_640x640", learning_rate_base=0.02, warmup_steps=0, gradient_clipping_by_norm=0), {"reading": by_steps(apart=340)},
            {"train.learning_rate_base": 0.005, "train.warmup_learning_rate": 0.0017, "train.warmup_steps": 200, "train.gradient_clipping_by_norm": 10.0}, id="what the model bears, a warm-up, gradients clipped",
        ),
        pytest.param(tfapi(), {"mirrored": {"train.random_horizontal_flip": ("cat",)}, "mAP50": 0.9}, {"train.random_horizontal_flip": False}, id="no flip"),
        pytest.param(tfapi(), {"counts": counts(20, 100), "scores": scores({"cat": 0.5, "dog": 0.9})}, {}, id="the API weighs no class"),
        pytest.param(tfapi(steps=500, pipeline_config="own.config"), {"reading": by_steps(still_falling=0.1, epochs=500, asked=500)}, {"train.steps": 2000}, id="beside a config of one's own"),
        pytest.param(tfapi(steps=500, pipeline_config="own.config"), {"reading": by_steps(apart=340)}, {}, id="rates are said in a config of one's own"),
    ],
)  # fmt: skip
def test_changes_on_the_track_tfapi(
    settings: dict[str, Any], given: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    found = changes_of(evidence(**{"settings": settings, "reading": by_steps(), **given}))
    assert found == changes
    _is_taken(tmp_path, settings, found)


def _is_taken(root: Path, settings: dict[str, Any], changes: dict[str, Any]) -> None:
    """An attempt that says this all is one that can be trained."""
    data = {"sources": [{"path": "pictures", "format": "voc"}]}
    nested: dict[str, Any] = {"base": 1}
    for key, value in changes.items():
        block, _, name = key.rpartition(".")
        (nested.setdefault(block, {}) if block else nested)[name] = value
    write_yaml(root / "attempts/1.yaml", {**settings, "data": data})
    write_yaml(root / "attempts/2.yaml", nested)
    assert {key for key, _, _ in attempts.load(root, 2).changed} >= set(changes)


def test_advice_on_the_track_tfapi_speaks_of_steps() -> None:
    [found] = advise(evidence(settings=tfapi(), reading=by_steps(apart=340)))
    assert found.measured == (
        "from step 340 of 2,000 on the loss on train is no number, or half as high again as it began "
        "(learning_rate_base 0.03)"
    )
    assert found.remedy == (
        "Lower learning_rate_base to 0.01 or less, warm up from a third of it over a tenth of the steps, and leave "
        "gradients clipped"
    )
    assert found.figures == {"apart": 340, "steps": 2000, "rate": 0.03, "wanted": 0.01}
    [found] = advise(evidence(settings=tfapi(), reading=by_steps(val_rise=0.5, train_fall=0.5, lowest=1200)))
    assert found.measured.startswith("the loss on val was lowest at step 1,200 of 2,000 and rose by 50 % since")
    [found] = advise(evidence(settings=tfapi(), reading=by_steps(), **by_size(20, 20)))
    assert found.measured.startswith("of a picture of 320 pixels, 20 of 200 objects on val are shorter than 16")


def test_the_api_s_own_figures_say_whether_there_is_something_to_gain() -> None:
    """Of a run from elsewhere: its event files tell mAP under a name of their own."""
    known = {"scores": None, "diagnosis": None, "settings": {"track": "tfapi", "train": {"steps": 2000}}}
    given = {**known, "reading": by_steps(still_falling=0.1)}
    assert rules_of(evidence(**given, own={"tfapi/DetectionBoxes_Precision/mAP@.50IOU": 0.7})) == ["more steps"]
    assert rules_of(evidence(**given, own={"tfapi/DetectionBoxes_Precision/mAP@.50IOU": 0.96})) == []


def test_what_makes_scores_untrue_comes_first_and_more_epochs_after_faults_of_the_data() -> None:
    given = evidence(
        findings=(finding("leakage", judged_images=9),),
        reading=reading(still_falling=0.1),
        diagnosis=diagnosis(suspects=suspects("wrong class", 9), pairs=(pair(20, 0.2),)),
        mirrored={"train.flipud": ("dog",)},
        intervals={"mAP50": Interval(0.5, 0.9)},
    )
    assert rules_of(given) == [
        "leakage", "mirrored classes", "wrong labels", "more epochs", "confused pair", "larger val set",
    ]  # fmt: skip


def test_counts_at_a_wrong_confidence_say_nothing_of_the_training() -> None:
    given = evidence(
        settings=detecting(0.9),
        diagnosis=diagnosis(curve=curve({0.9: 0.2}), by_size=(Missed("under 8 px", 200, 190),), pairs=(pair(20, 0.2),)),
    )
    assert rules_of(given) == ["confidence"]


def test_a_run_from_elsewhere_is_advised_by_its_curves_and_own_metrics() -> None:
    given = evidence(
        scores=None,
        diagnosis=None,
        own={"yolov5/mAP50": 0.7, "yolov5/precision": 0.8},
        reading=reading(still_falling=0.1),
    )
    assert rules_of(given) == ["more epochs"]
    assert rules_of(evidence(scores=None, diagnosis=None, own={"yolov5/mAP50": 0.97}, reading=given.reading)) == []


def test_hostile_class_names_stay_on_one_line() -> None:
    names = "cat\nerror: forged", "<script>{0}{x}"
    given = evidence(mirrored={"train.fliplr": names}, scores=scores(dict.fromkeys(names, 0.5)))
    assert advise(given)[0].measured == (
        "train.fliplr shows cat error: forged, <script>{0}{x} mirrored or turned; mAP50 of these on val is 0.500"
    )
