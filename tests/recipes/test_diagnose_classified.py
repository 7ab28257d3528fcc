"""What the saved files of a classification run say, and what follows from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import write_yaml
from told_pictures import save_classifier, surely, told_of

from yolo_pipeline import attempt as attempts
from yolo_pipeline.errors import InputError
from yolo_pipeline.files import write_json
from yolo_pipeline.recipes.diagnose import as_json, results_of
from yolo_pipeline.recipes.suggest import lines, suggest
from yolo_pipeline.results import Results, confidence
from yolo_pipeline.run import Run, run_of

SOURCES = {"sources": [{"path": "datasets/raw", "format": "auto"}]}
DROPOUT = (
    "1. dropout: the loss on val was lowest around epoch 11 of 40 and rose by 80 % since, while the loss on train fell "
    "by 95 %; top-1 of the weights that were kept is 0.950 on train and 0.700 on val (dropout 0)"
)


def project(root: Path, **said: Any) -> Path:
    attempt = {"track": "classify", "model": "resnet18", "data": SOURCES, "head": [{"units": 512}], **said}
    write_yaml(root / "attempts/1.yaml", attempt)
    return root


def save(root: Path, right: int, columns: dict[str, tuple[float, ...]] | None = None, **record: Any) -> Run:
    """Attempt 1, finished: of 20 pictures, cats and dogs in turn, the first few are said rightly on val, all on test."""
    labels = ["cat", "dog"] * 10
    said = [label if at < right else {"cat": "dog", "dog": "cat"}[label] for at, label in enumerate(labels)]
    judged = {"val": told_of(labels, surely(said, 0.9)), "test": told_of(labels, surely(labels, 0.9), split="test")}
    settings = attempts.load(root, 1).settings()
    return save_classifier(root, 1, judged, settings, columns, **record)  # type: ignore[arg-type]


def curves(rising: bool) -> dict[str, tuple[float, ...]]:
    """40 epochs in which the loss on train falls throughout, and that on val up to epoch 11, or to the end."""
    epochs = range(1, 41)
    val = [1 / min(epoch, 11) + (0.003 * max(epoch - 11, 0) if rising else 0) for epoch in epochs]
    return {
        "step": tuple(float(epoch) for epoch in epochs),
        "epoch": tuple(float(epoch) for epoch in epochs),
        "seconds": tuple(float(epoch) for epoch in epochs),
        "train/loss": tuple(0.9**epoch for epoch in epochs),
        "train/accuracy": tuple(min(0.5 + epoch * 0.05, 0.95) for epoch in epochs),
        "val/loss": tuple(val),
        "val/accuracy": tuple(0.7 if epoch > 5 else 0.5 for epoch in epochs),
    }


@pytest.fixture
def overfitted(tmp_path: Path) -> Path:
    save(project(tmp_path), 14, curves(rising=True))
    return tmp_path


def test_each_split_has_its_scores_diagnosis_and_interval(overfitted: Path) -> None:
    found = results_of(overfitted, 1)
    assert list(found.classified) == ["val", "test"]
    val = found.classified["val"]
    assert (val.scores.images, val.scores.top1, found.classified["test"].scores.top1) == (20, 0.7, 1.0)
    assert [answer.is_right for answer in val.diagnosis.answers] == [True] * 14 + [False] * 6
    assert val.diagnosis.matrix.counts.tolist() == [[7, 3], [3, 7]]
    assert [(pair.truth, pair.said, pair.count) for pair in val.diagnosis.pairs] == [
        ("cat", "dog", 3),
        ("dog", "cat", 3),
    ]
    assert val.intervals["top1"].low < 0.7 < val.intervals["top1"].high


def test_what_detectors_have_is_empty_and_harmless(overfitted: Path) -> None:
    found = results_of(overfitted, 1)
    assert (found.scores, found.diagnoses, found.intervals, found.drawn) == ({}, {}, {}, {})
    assert confidence(found.record, found.scores) == 0.25


def test_the_best_epoch_is_that_of_the_best_accuracy_and_then_of_the_lowest_loss(overfitted: Path) -> None:
    found = results_of(overfitted, 1).reading
    assert found is not None
    assert (found.epochs, found.asked, found.best, found.lowest) == (40, 100, 11, 11)
    assert found.stopped_early


def test_the_diagnosis_for_other_programs(overfitted: Path) -> None:
    found = json.loads(json.dumps(as_json(results_of(overfitted, 1))))
    assert list(found) == ["attempt", "intervals", "curves", "advice", "val", "test"]
    assert list(found["intervals"]["val"]) == ["top1"]
    val = found["val"]
    assert list(val) == ["split", "images", "matrix", "pairs", "calibration", "suspects", "wrong"]
    assert val["matrix"] == {"names": ["cat", "dog"], "counts": [[7, 3], [3, 7]]}
    assert val["wrong"][0] == {
        "image": "val/cat/14.png",
        "label": "cat",
        "of_label": pytest.approx(0.1),
        "said": [{"class": "dog", "probability": 0.9}, {"class": "cat", "probability": pytest.approx(0.1)}],
    }
    assert [len(found[split]["wrong"]) for split in ("val", "test")] == [6, 0]
    assert found["advice"][0]["rule"] == "dropout"


def test_the_next_attempt_begins_with_dropout(overfitted: Path) -> None:
    found = suggest(overfitted, 1)
    assert next(iter(lines(found))) == DROPOUT
    assert found.file == overfitted / "attempts/2.yaml"
    text = found.file.read_text(encoding="utf-8")
    assert 'title: "dropout"\nbase: 1\n# dropout: the loss on val was lowest around epoch 11 of 40' in text
    assert 'head: [{"units": 512, "dropout": 0.3}]\n' in text
    assert attempts.load(overfitted, 2).changed == (
        ("head", [{"units": 512, "dropout": 0.0}], [{"units": 512, "dropout": 0.3}]),
    )
    assert suggest(overfitted, 1).said == ("attempts/2.yaml says the same already",)


def test_settings_below_train_stand_together(tmp_path: Path) -> None:
    save(project(tmp_path, train={"early_stopping": {"patience": 0, "restore_best": False}}), 14, curves(rising=True))
    found = suggest(tmp_path, 1)
    assert found.file is not None
    rows = [row for row in found.file.read_text(encoding="utf-8").splitlines() if row and "#" not in row]
    assert rows == [
        'title: "dropout"',
        "base: 1",
        'head: [{"units": 512, "dropout": 0.3}]',
        "train:",
        "  early_stopping:",
        "    patience: 30",
        "    restore_best: true",
    ]


def test_a_good_classifier_gets_nothing_found(tmp_path: Path) -> None:
    root = project(tmp_path)
    labels = ["cat", "dog"] * 100
    judged = {"val": told_of(labels, surely(labels))}
    save_classifier(root, 1, judged, attempts.load(root, 1).settings(), curves(rising=False))  # type: ignore[arg-type]
    assert suggest(root, 1).said == ("nothing found",)


def test_the_figures_of_the_epoch_whose_weights_were_kept(tmp_path: Path) -> None:
    """Training kept those of epoch 3, by its own measure: 0.65 on train."""
    used = {"start": {"file": None}, "used": {"imgsz": 32, "best_epoch": 3}}
    save(project(tmp_path), 14, curves(rising=True), training=used)
    assert results_of(tmp_path, 1).advice[0].figures["train"] == 0.65


def test_without_val_there_is_hardly_anything_to_say(tmp_path: Path) -> None:
    root = project(tmp_path)
    judged = {"test": told_of(["cat", "dog"], surely(["cat", "dog"]), split="test")}
    columns = {name: values for name, values in curves(rising=True).items() if not name.startswith("val/")}
    save_classifier(root, 1, judged, attempts.load(root, 1).settings(), columns)  # type: ignore[arg-type]
    found = results_of(root, 1)
    assert (list(found.classified), found.advice) == (["test"], ())
    assert found.reading is not None
    assert (found.reading.best, found.reading.val_rise) == (40, 0.0)
    assert suggest(root, 1).said == ("nothing was judged on val, so that there is little to advise on",)


def test_a_run_without_curves_and_scores(tmp_path: Path) -> None:
    run = save(project(tmp_path), 14)
    run.scores_file.unlink()
    found: Results = results_of(tmp_path, 1)
    assert (found.classified, found.reading, found.advice) == ({}, None, ())
    assert json.dumps(as_json(found))


def test_turned_digits_are_found_out(tmp_path: Path) -> None:
    """A 6 that may be turned by 180 degrees is a 9."""
    root = project(tmp_path, train={"augment": {"rotation_deg": 180}})
    labels = ["6", "9"] * 20
    judged = {"val": told_of(labels, surely(["6"] * 40, names=("6", "9")), ("6", "9"))}
    save_classifier(root, 1, judged, attempts.load(root, 1).settings())  # type: ignore[arg-type]
    advice = results_of(root, 1).advice[0]
    assert (advice.rule, advice.changes) == ("mirrored classes", (("train.augment.rotation_deg", 15.0),))
    assert advice.figures["classes"] == ["6", "9"]


@pytest.mark.parametrize(
    ("settings", "training"),
    [
        pytest.param({}, {}, id="nothing was noted"),
        pytest.param({"head": "large"}, {"start": "ImageNet"}, id="words"),
        pytest.param({"head": [1, {"dropout": "some"}]}, {"start": {"file": 7}}, id="other types"),
        pytest.param({"train": {"augment": True, "early_stopping": 5, "freeze": 3}}, {"used": {"best_epoch": "last"}}, id="another program's settings"),
        pytest.param({"model": None, "train": {"epochs": None}}, {"used": {"best_epoch": 10**400}}, id="numbers that are none"),
    ],
)  # fmt: skip
def test_a_run_that_noted_other_things_is_diagnosed_all_the_same(
    overfitted: Path, settings: dict[str, Any], training: dict[str, Any]
) -> None:
    run = run_of(overfitted, 1)
    settings = {"track": "classify", "model": "resnet18", "data": {}, "train": {}, **settings}
    run.write_record({**run.record, "settings": settings, "training": training})
    found = results_of(overfitted, 1)
    assert found.classified["val"].scores.top1 == 0.7
    assert {"dropout", "overfitting"} & {advice.rule for advice in found.advice}


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        pytest.param("scores.json", {"val": {"mAP50": 1}}, "holds no scores of pictures", id="scores of a detector"),
        pytest.param("scores.json", [], "holds no scores of pictures", id="no mapping"),
        pytest.param("judged/val-truth.json", {}, "is no COCO ground truth", id="no truth"),
        pytest.param("judged/val-detections.json", [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 7}], "scores reach out", id="no probability"),
    ],
)  # fmt: skip
def test_damaged_files_are_named(overfitted: Path, file: str, content: Any, told: str) -> None:
    write_json(overfitted / "runs/attempt-1" / file, content)
    with pytest.raises(InputError, match=told):
        results_of(overfitted, 1)
