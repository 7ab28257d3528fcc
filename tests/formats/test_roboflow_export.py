"""What Roboflow exports say of themselves: on texts as they are written, on real exports, and on hostile ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolo_pipeline.formats.roboflow import KEYS, facts
from yolo_pipeline.formats.source import list_files
from yolo_pipeline.nouns import Fact

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

README = """
fridge - v3 2026-04-05 2:08pm
==============================

This dataset was exported via roboflow.com on April 5, 2026 at 1:11 PM GMT

Roboflow is an end-to-end computer vision platform that helps you
* collaborate with your team on computer vision projects
* collect & organize images

The dataset includes 1,179 images.
Ingredients are annotated in YOLOv8 format.

The following pre-processing was applied to each image:
* Auto-orientation of pixel data (with EXIF-orientation stripping)
* Resize to 512x512 (Stretch)

The following augmentation was applied to create 3 versions of each source image:
* 50% probability of horizontal flip
* Random brigthness adjustment of between -10 and +10 percent

The following transformations were applied to the bounding boxes of each image:
* Random rotation of between -15 and +15 degrees

"""
DATASET_README = """# fridge > 2026-04-05 2:08pm
https://universe.roboflow.com/kitchen/fridge-x1y2

Provided by a Roboflow user
License: CC BY 4.0
"""
CONFIG = """names: [egg]
nc: 1
roboflow:
  license: MIT
  project: fridge
  url: https://universe.roboflow.com/kitchen/fridge/dataset/3
  version: 3
  workspace: kitchen
train: ../train/images
"""


def said(folder: Path, **files: str | bytes) -> dict[str, str]:
    """The facts of a folder with these files, `_` in their names standing for a dot."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_bytes(text if isinstance(text, bytes) else text.encode())
    found = facts(list_files(folder), "fridge.zip")
    assert {fact.source for fact in found} <= {"fridge.zip"}
    assert [fact.key for fact in found] == [key for key in KEYS if key in {fact.key for fact in found}]
    return {fact.key: fact.value for fact in found}


def test_all_three_files(tmp_path: Path) -> None:
    assert said(tmp_path, README_roboflow_txt=README, README_dataset_txt=DATASET_README, data_yaml=CONFIG) == {
        "workspace": "kitchen",
        "project": "fridge",
        "version": "3",
        "licence": "MIT",
        "url": "https://universe.roboflow.com/kitchen/fridge/dataset/3",
        "exported": "April 5, 2026 at 1:11 PM GMT",
        "images": "1,179",
        "preprocessing": "Auto-orientation of pixel data (with EXIF-orientation stripping); Resize to 512x512 (Stretch)",
        "augmentation": "3 versions of each source image; 50% probability of horizontal flip; "
        "Random brigthness adjustment of between -10 and +10 percent; Random rotation of between -15 and +15 degrees",
    }


def test_a_coco_export_has_no_data_yaml(tmp_path: Path) -> None:
    found = said(tmp_path, README_roboflow_txt=README, README_dataset_txt=DATASET_README)
    assert (found["workspace"], found["project"], found["version"]) == ("kitchen", "fridge-x1y2", "3")
    assert (found["licence"], found["url"]) == ("CC BY 4.0", "https://universe.roboflow.com/kitchen/fridge-x1y2")


def test_windows_line_ends_and_the_older_wording(tmp_path: Path) -> None:
    older = (
        "\r\nFridge Photos - v12 raw\r\n====\r\n\r\n"
        "This dataset was exported via roboflow.ai on July 1, 2021 at 8:00 AM GMT\r\n\r\n"
        "It includes 416 images.\r\n\r\nThe following pre-processing was applied to each image:\r\n\r\n"
        "No image augmentation techniques were applied.\r\n"
    )
    assert said(tmp_path, README_roboflow_txt=older) == {
        "project": "Fridge Photos",
        "version": "12",
        "exported": "July 1, 2021 at 8:00 AM GMT",
        "images": "416",
        "preprocessing": "none",
        "augmentation": "none",
    }


def test_data_yaml_alone(tmp_path: Path) -> None:
    assert said(tmp_path, data_yaml=CONFIG)["licence"] == "MIT"
    assert said(tmp_path, data_yaml="roboflow: {license: Public Domain, version: 7}\nnames: [egg]\n") == {
        "version": "7",
        "licence": "Public Domain",
    }


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="empty folder"),
        pytest.param({"data_yaml": "names: [egg]\n"}, id="data.yaml of another tool"),
        pytest.param({"README_dataset_txt": "License: MIT\nhttps://example.org/a/b\n"}, id="somebody else's readme"),
        pytest.param({"README_roboflow_txt": ""}, id="empty readme"),
        pytest.param({"README_roboflow_txt": b"\xff\xfe\x00\x01" * 1000}, id="no text"),
        pytest.param({"data_yaml": "roboflow: [unclosed\n"}, id="broken YAML"),
        pytest.param({"data_yaml": "roboflow: 7\n"}, id="a number where keys must be"),
        pytest.param({"data_yaml": "roboflow:\n"}, id="an empty block"),
        pytest.param({"data_yaml": "roboflow: {version: " + "[" * 5000 + "}\n"}, id="deep nesting"),
        pytest.param({"data_yaml": "roboflow: {version: " + "9" * 5000 + "}\n"}, id="an endless number"),
        pytest.param({"data_yaml": "roboflow: {version: 0x" + "f" * 9000 + "}\n"}, id="an endless hexadecimal number"),
        pytest.param(
            {"data_yaml": "roboflow: {project: {a: b}, url: [c], license: null}\n"}, id="values of wrong types"
        ),
        pytest.param({"data_yaml": "roboflow: !!python/object/apply:os.getcwd []\n"}, id="a tag that would run"),
        pytest.param({"data_yaml": "roboflow: {version: !!bool maybe}\n"}, id="no truth value"),
        pytest.param({"data_yaml": 'roboflow: {version: !!int ""}\n'}, id="no number"),
        pytest.param({"data_yaml": "roboflow: {exported: !!timestamp abc}\n"}, id="no date"),
        pytest.param({"data_yaml": "a: &a [x, x]\nroboflow: {project: *a}\n"}, id="an alias from outside the block"),
    ],
)
def test_says_nothing(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    assert said(tmp_path, **files) == {}


def test_hostile_values_are_cut_and_put_on_one_line(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        README_roboflow_txt=README.replace("Resize", "Resize\x1b[2J\x07" + "x" * 9000),
        data_yaml='roboflow: {license: "MIT\\nerror: all is lost", workspace: "' + "w" * 9000 + '"}\n',
    )
    assert found["licence"] == "MIT error: all is lost"
    assert found["workspace"] == "w" * 499 + "…"
    assert len(found["preprocessing"]) == 500
    assert "\x1b" not in found["preprocessing"]


def test_the_files_of_a_folder_below_are_not_this_export_s(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "README.roboflow.txt").write_text(README)
    assert facts(list_files(tmp_path), "x") == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readme=st.text(max_size=300), config=st.text(max_size=300))
def test_any_text_gives_short_lines_and_no_exception(tmp_path: Path, readme: str, config: str) -> None:
    found = said(
        tmp_path / "export",
        README_roboflow_txt=("Roboflow - v1\n" + readme).encode("utf-8", "replace"),
        data_yaml=("roboflow:\n  " + config).encode("utf-8", "replace"),
    )
    assert set(found) <= set(KEYS)
    assert all(value.isprintable() and 0 < len(value) <= 500 for value in found.values())


AS_EXPORTED = "Auto-orientation of pixel data (with EXIF-orientation stripping); Resize to 512x512 (Stretch)"


EXPORTS = {
    "food_roboflow/v4": (
        "wagon", "epicureai", "4", "CC BY 4.0", "https://universe.roboflow.com/wagon/epicureai/dataset/4",
        "November 28, 2023 at 1:11 PM GMT", "179", AS_EXPORTED, "none",
    ),
    "food_roboflow/v8": (
        "wagon", "epicureai", "8", "CC BY 4.0", "https://universe.roboflow.com/wagon/epicureai/dataset/8",
        "November 29, 2023 at 2:34 PM GMT", "225", AS_EXPORTED, "none",
    ),
    "cavity_coco": (
        "duong-duc-cuong", "cavity-n3ioq", "2", "CC BY 4.0",
        "https://universe.roboflow.com/duong-duc-cuong/cavity-n3ioq",
        "November 7, 2023 at 6:51 AM GMT", "418", "none", "none",
    ),
    "numbers_coco": (
        "freelance-v8hyx", "numbers-zwe62-fynhk", "1", "CC BY 4.0",
        "https://universe.roboflow.com/freelance-v8hyx/numbers-zwe62-fynhk",
        "November 11, 2025 at 3:54 PM GMT", "50", "none", "none",
    ),
    "meal_trays_yolo": (
        "charladinna-bbx", "deteksi_mbg", "8", "CC BY 4.0",
        "https://universe.roboflow.com/charladinna-bbx/deteksi_mbg/dataset/8",
        "June 5, 2026 at 4:30 AM GMT", "410", AS_EXPORTED.replace("512x512 (Stretch)", "640x640 (Fit within)"),
        "3 versions of each source image; 50% probability of horizontal flip; "
        "Random rotation of between -10 and +10 degrees; "
        "Random brigthness adjustment of between -10 and +10 percent; "
        "Random exposure adjustment of between -10 and +10 percent",
    ),
}  # fmt: skip


@pytest.mark.parametrize("folder", EXPORTS)
def test_real_exports(folder: str) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"{SHARED / folder} is not here")
    found = facts(list_files(SHARED / folder), folder)
    assert found == tuple(Fact(folder, key, value) for key, value in zip(KEYS, EXPORTS[folder], strict=True))


@pytest.mark.parametrize("folder", ["coco128_yolo", "bccd_voc"])
def test_real_sets_that_are_no_export(folder: str) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"{SHARED / folder} is not here")
    assert facts(list_files(SHARED / folder), folder) == ()
