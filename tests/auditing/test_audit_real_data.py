"""What the audit says of public data sets, where they are at hand; three BCCD pictures always."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SHARED

from yolo_pipeline.formats import ReadOptions
from yolo_pipeline.nouns import Finding
from yolo_pipeline.recipes.audit import as_json, audit_source

BCCD = Path(__file__).parents[1] / "data" / "bccd"


def findings(name: str, format: str = "auto") -> dict[str, Finding]:
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    audit = audit_source(folder, format=format, options=ReadOptions(skip_bad=True))
    return {finding.kind: finding for finding in reversed(audit.findings)}


def test_three_bccd_pictures() -> None:
    audit = audit_source(BCCD)
    assert [
        finding.kind for finding in audit.findings if "identical" in finding.kind or finding.kind == "leakage"
    ] == []
    data = as_json(audit)
    assert (data["images"], data["boxes"]) == (3, 48)
    assert data["pictures"]["median"] == [640.0, 480.0]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        pytest.param("food_roboflow/v4", 28, id="kitchen photographs"),
        pytest.param("cavity_coco", 22, id="teeth"),
        pytest.param("meal_trays_yolo", 3, id="trays with the same food, minutes apart"),
        pytest.param("bccd_voc", 1, id="one field of view, moved"),
    ],
)
def test_leakage(name: str, near: int) -> None:
    leakage = findings(name)["leakage"]
    assert leakage.severity == "fault"
    assert (leakage.figures["identical"], leakage.figures["near"]) == (0, near)


def test_raccoon_has_four_pairs_of_identical_files() -> None:
    found = findings("raccoon_voc", "voc")
    assert len(found["identical pictures"].figures["pairs"]) == 4
    assert len(found["near-identical pictures"].figures["pairs"]) == 4


def test_handwritten_numbers_leak_nothing() -> None:
    found = findings("numbers_coco")
    assert {"leakage", "near-identical pictures", "identical pictures"} & set(found) == set()


def test_bccd_has_cells_of_the_wrong_class_and_pictures_with_one_box() -> None:
    found = findings("bccd_voc")
    assert len(found["several as one"].files) == 2  # white cells that are labelled as platelets
    assert len(found["few objects"].files) == 6
    assert found["class imbalance"].figures == {"largest": "RBC", "smallest": "Platelets", "ratio": 11.39}
