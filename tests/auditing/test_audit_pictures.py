"""The audit of pictures by class: what is said of them, in words that fit, and what is not said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED, Ended, write_yaml
from PIL import Image

from yolo_pipeline import digit_pictures
from yolo_pipeline.auditing import RULES, RULES_OF_PICTURES, Evidence, boxes, classes, labelling
from yolo_pipeline.auditing.pictures import Measured
from yolo_pipeline.classification import whole
from yolo_pipeline.nouns import Dataset, Finding, ImageRecord, ReadReport
from yolo_pipeline.recipes.audit import Audit, as_json, audit_attempt, audit_source, lines, write_page

Cli = Callable[..., Ended]
COUNTS = {"train": 60, "val": 25, "test": 25}


def scene(name: str) -> np.ndarray:
    """A picture like a photograph, another for each name: coarse noise in colour with fine noise on it."""
    rng = np.random.default_rng(list(name.encode()))
    coarse = Image.fromarray(rng.integers(40, 220, (9, 9, 3), np.uint8)).resize((96, 96), Image.Resampling.BICUBIC)
    noisy = np.asarray(coarse, dtype=np.int16) + rng.integers(-25, 26, (96, 96, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def save(root: Path, name: str, pixels: np.ndarray | None = None) -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scene(name) if pixels is None else pixels).save(root / name)
    return root / name


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, enough pictures of both in each split."""
    root = tmp_path_factory.mktemp("pictures")
    for split, count in COUNTS.items():
        for label in ("cat", "dog"):
            for number in range(count):
                save(root, f"{split}/{label}/{number:02}.png")
    return root


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    """A copy of `clean` to plant faults in."""
    for file in clean.rglob("*.png"):
        (tmp_path / file.relative_to(clean)).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.relative_to(clean)).hardlink_to(file)
    return tmp_path


def audited(folder: Path, imgsz: int = 96) -> Audit:
    return audit_source(folder, imgsz=imgsz)


def found(audit: Audit, kind: str) -> Finding:
    (finding,) = [finding for finding in audit.findings if finding.kind == kind]
    return finding


def test_a_clean_set_is_silent(clean: Path) -> None:
    audit = audited(clean)
    assert lines(audit) == [
        f"{clean}: 220 pictures, 2 classes",
        "nothing was found that would spoil training or its scores",
    ]


def test_rules_on_boxes_are_not_asked() -> None:
    gone = {rule.__name__ for rule in set(RULES) - set(RULES_OF_PICTURES)}
    assert gone == {
        "emptied", "several_as_one", "two_classes", "boxed_twice", "few_objects", "tiny", "giant", "slivers", "backgrounds", "small",
    }  # fmt: skip
    assert {boxes.giant, labelling.boxed_twice} <= set(RULES)


def test_few_pictures_and_classes_that_a_split_lacks(folder: Path) -> None:
    for number in range(9):
        save(folder, f"train/eel/{number}.png")
    for number in range(20):
        save(folder, f"train/fox/{number}.png")
    audit = audited(folder)
    few = [(f.severity, f.text, f.figures) for f in audit.findings if f.kind == "few pictures"]
    assert few == [
        ("fault", "1 class with fewer than 10 pictures in training: eel (9)", {"pictures": {"eel": 9}, "wanted": 10}),
        (
            "warning",
            "1 class with fewer than 50 pictures in training: fox (20)",
            {"pictures": {"fox": 20}, "wanted": 50},
        ),
    ]
    absent = [finding.text for finding in audit.findings if finding.kind == "class absent from split"]
    assert absent == [
        f"2 classes have no picture in {split}: eel, fox (scores there say nothing of it)" for split in ("val", "test")
    ]


def test_imbalance_is_counted_in_pictures() -> None:
    pictures = [("cat", number) for number in range(621)] + [("dog", number) for number in range(55)]
    records = [
        ImageRecord(Path(f"{label}{n}.png"), f"{label}/{n}.png", 9, 9, ".png", (whole(label, 9, 9),))
        for label, n in pictures
    ]
    evidence = Evidence(Dataset(("cat", "dog"), tuple(records)), ReadReport(), {}, Measured({}, {}), classified=True)
    (finding,) = classes.imbalance(evidence)
    assert finding.text == "cat has 11 times the pictures of dog: 621 and 55"
    assert "class_weights: balanced" in finding.remedy


def test_a_class_of_classes_json_without_pictures(folder: Path) -> None:
    (folder / "classes.json").write_text(json.dumps({"cat": "cat", "dog": "dog", "eel": "eel"}))
    finding = found(audited(folder), "class without pictures")
    assert finding.text == "1 class without any picture: eel"


def test_leakage_copies_and_two_classes_of_one_picture(folder: Path) -> None:
    for name in ("val/cat/copy.png", "train/cat/copy.png"):
        save(folder, name, scene("train/cat/00.png"))
    save(folder, "val/dog/other.png", scene("val/cat/03.png"))
    audit = audited(folder)
    assert found(audit, "leakage").severity == "fault"
    assert found(audit, "leakage").files[:2] == ("train/cat/00.png", "val/cat/copy.png")
    assert found(audit, "identical pictures").files[:2] == ("train/cat/00.png", "train/cat/copy.png")
    assert found(audit, "copies labelled differently").files == ("val/cat/03.png", "val/dog/other.png")


def test_pictures_in_no_class_folder(folder: Path) -> None:
    save(folder, "train/loose.png")
    finding = found(audited(folder), "pictures without class")
    assert finding.text == "1 file lies in no folder of a class: train/loose.png"


def test_small_pictures_are_enlarged_and_nothing_worse(folder: Path) -> None:
    audit = audited(folder, imgsz=640)
    assert [finding.kind for finding in audit.findings] == ["enlarged pictures"]


def test_the_page_speaks_of_pictures(folder: Path, tmp_path: Path) -> None:
    for number in range(9):
        save(folder, f"train/eel/{number}.png")
    write_page(audited(folder), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for words in (
        "few pictures",
        "1 class has no picture in val",
        "Bar chart: pictures of each class",
        "Outlines by class",
    ):
        assert words in page
    for words in ("boxes", "backgrounds", "Where objects lie", "objects a picture"):
        assert words not in page
    assert page.count("<tr><td>") == 4


def test_the_command(cli: Cli, clean: Path) -> None:
    assert cli("audit", clean, "--imgsz", 96).out.splitlines()[0] == f"{clean}: 220 pictures, 2 classes"
    told = json.loads(cli("audit", clean, "--imgsz", 96, "--json").out)
    assert (told["images"], told["backgrounds"]) == (220, 0)
    assert told["classes"] == {"cat": COUNTS, "dog": COUNTS}


def test_an_attempt_on_crops_is_one_of_pictures(project: Path) -> None:
    crops = {
        "crops_of": {"path": "datasets/raw/pictures", "format": "labelimg"},
        "split": {"train": 0.6, "val": 0.2, "test": 0.2},
    }
    write_yaml(
        project / "attempts/4.yaml", {"track": "classify", "model": "resnet18", "data": crops, "train": {"imgsz": 32}}
    )
    audit = audit_attempt(project, 4)
    assert lines(audit)[0] == "attempt 4: 20 pictures, 2 classes"
    assert {"giant boxes", "few boxes", "backgrounds"}.isdisjoint(finding.kind for finding in audit.findings)
    assert "few pictures" in {finding.kind for finding in audit.findings}
    assert as_json(audit)["classes"] == {name: {"train": 6, "val": 2, "test": 2} for name in ("chicken", "onion")}


def test_boxes_as_large_as_their_pictures_are_boxes_still(tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path, f"{number}.png")
        (tmp_path / f"{number}.txt").write_text("0 0.5 0.5 1 1\n")
    (tmp_path / "classes.txt").write_text("egg\n")
    assert "giant boxes" in {finding.kind for finding in audited(tmp_path).findings}


def test_the_built_in_digits_are_no_copies_of_one_another(tmp_path: Path) -> None:
    digit_pictures.make(tmp_path / "digits")
    assert [(f.severity, f.kind) for f in audited(tmp_path / "digits", imgsz=32).findings] == [
        ("warning", "split sizes")
    ]


def test_mnist() -> None:
    if not (SHARED / "data" / "mnist_png").is_dir():
        pytest.skip("shared/data/mnist_png is not here")
    audit = audited(SHARED / "data" / "mnist_png", imgsz=64)
    assert [(f.severity, f.kind) for f in audit.findings] == [
        ("note", "split sizes"),
        ("note", "unusual pixel formats"),
    ]
    assert found(audit, "unusual pixel formats").figures == {"modes": {"RGBA": 560}}
