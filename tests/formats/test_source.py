"""What is found below a source: splits, the pictures that annotations mean, links and locked folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats import ReadOptions
from yolo_pipeline.formats.source import list_files, split_of_folder
from yolo_pipeline.nouns import Skip, Split

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
XML = "<annotation><object><name>egg</name><bndbox><xmin>11</xmin><ymin>11</ymin><xmax>60</xmax><ymax>60</ymax></bndbox></object></annotation>"


def row(picture: str) -> str:
    return f"{picture},200,100,egg,10,20,110,70\n"


def save(folder: Path, *pictures: str, **texts: str) -> Path:
    for number, name in enumerate(pictures):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (200, 100), (number, 0, 0)).save(folder / name)
    return folder


@pytest.mark.parametrize(
    ("name", "split"),
    [
        pytest.param("train/a.jpg", "train", id="first folder"),
        pytest.param("Valid/images/a.jpg", "val", id="capital"),
        pytest.param("images/val/a.jpg", "val", id="below images"),
        pytest.param("JPEGImages/test/a.jpg", "test", id="below JPEGImages"),
        pytest.param("dataset/images/train/1/a.jpg", "train", id="below two"),
        pytest.param("annotations/training/x.json", "train", id="below annotations"),
        pytest.param("train", None, id="a file"),
        pytest.param("images/a.jpg", None, id="none"),
        pytest.param("kitchen/test/a.jpg", None, id="below a folder of the user's own"),
    ],
)
def test_the_split_of_a_folder(name: str, split: Split | None) -> None:
    assert split_of_folder(name) == split


def test_the_split_below_images_is_kept_with_one_file_for_all(tmp_path: Path) -> None:
    save(tmp_path, "images/train/a.jpg", "images/val/b.jpg")
    (tmp_path / "labels.csv").write_text(HEADER + row("a.jpg") + row("b.jpg"))
    assert [image.split for image in formats.read(tmp_path)[0].images] == ["train", "val"]


@pytest.mark.parametrize("said", ["3.jpg", "3.png", "photos/3.jpg"], ids=["by name", "by stem", "by the end of a path"])
@pytest.mark.parametrize("above", ["", "images/"])
def test_a_picture_of_another_split_is_not_taken(tmp_path: Path, said: str, above: str) -> None:
    save(tmp_path, f"{above}train/1.jpg", f"{above}test/3.jpg")
    (tmp_path / "train").mkdir(exist_ok=True)
    (tmp_path / "train" / "labels.csv").write_text(HEADER + row("1.jpg") + row(said))
    dataset, report = formats.read(tmp_path)
    assert [image.name for image in dataset.images] == [f"{above}train/1.jpg"]
    assert Skip(said, "annotated in train/labels.csv, but there is no such picture") in report.skipped


def test_xml_of_one_split_does_not_take_a_picture_of_another(tmp_path: Path) -> None:
    save(tmp_path, "train/1.jpg", "test/3.jpg")
    for stem in ("1", "3"):
        (tmp_path / "train" / f"{stem}.xml").write_text(XML)
    dataset, report = formats.read(tmp_path)
    assert [image.name for image in dataset.images] == ["train/1.jpg"]
    assert Skip("train/3.xml", "annotation without picture") in report.skipped


def test_rows_of_one_split_are_not_those_of_a_picture_elsewhere_of_another(tmp_path: Path) -> None:
    save(tmp_path / "photos", "train/1.jpg", "test/3.jpg")
    (tmp_path / "labels" / "train").mkdir(parents=True)
    for stem in ("1", "3"):
        (tmp_path / "labels" / "train" / f"{stem}.txt").write_text("0 0.5 0.5 0.2 0.2")
    dataset, _ = formats.read(tmp_path / "labels", "yolo", ReadOptions(images=tmp_path / "photos"))
    assert {image.name: len(image.truths) for image in dataset.images} == {"train/1.jpg": 1, "test/3.jpg": 0}


@pytest.mark.parametrize("picture", ["train/3.jpg", "images/train/3.jpg", "photos/3.jpg", "3.jpg"])
def test_pictures_elsewhere_are_found_by_name(tmp_path: Path, picture: str) -> None:
    save(tmp_path / "photos", picture)
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "labels" / "train" / "labels.csv").write_text(HEADER + row("3.jpg"))
    dataset, _ = formats.read(tmp_path / "labels", options=ReadOptions(images=tmp_path / "photos"))
    assert [(image.name, image.split) for image in dataset.images] == [(picture, "train")]


def test_a_whole_path_may_lead_to_another_split(tmp_path: Path) -> None:
    save(tmp_path, "test/3.jpg")
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "labels.csv").write_text(HEADER + row("../test/3.jpg"))
    assert [image.name for image in formats.read(tmp_path)[0].images] == ["test/3.jpg"]


def test_links_to_folders_are_named(tmp_path: Path) -> None:
    save(tmp_path / "more", "b.jpg")
    source = save(tmp_path / "source", "a.jpg")
    (source / "labels.csv").write_text(HEADER + row("a.jpg"))
    (source / "linked").symlink_to(tmp_path / "more", target_is_directory=True)
    assert Skip("linked", "a link to a folder, which is not followed") in formats.read(source)[1].skipped


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"nowhere: cannot be listed \(No such file or directory\)"):
        list_files(tmp_path / "nowhere")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_locked_folder_is_named(tmp_path: Path) -> None:
    save(tmp_path, "a.jpg", "locked/b.jpg")
    (tmp_path / "locked").chmod(0)
    try:
        with pytest.raises(AnnotationError, match=r"locked: cannot be listed \(Permission denied\)"):
            formats.read(tmp_path)
    finally:
        (tmp_path / "locked").chmod(0o755)
