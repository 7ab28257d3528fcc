"""What `auto` takes a folder for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.source import open_source

XML = "<annotation><object><name>egg</name><bndbox>{}</bndbox></object></annotation>".format(
    "<xmin>11</xmin><ymin>11</ymin><xmax>110</xmax><ymax>60</ymax>"
)


def save_folder(folder: Path, files: dict[str, str]) -> Path:
    """`a.jpg`, 200x100, and the text files."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (200, 100)).save(folder / "a.jpg")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "name"),
    [
        pytest.param({"a.xml": XML}, "voc", id="XML beside the picture"),
        pytest.param({"Annotations/a.xml": XML}, "voc", id="XML in another folder"),
        pytest.param({"a.xml": "<annotation>"}, "voc", id="broken XML: reading names the fault"),
        pytest.param({"data.yaml": "names: [egg]"}, "yolo", id="data.yaml"),
        pytest.param({"classes.txt": "egg"}, "yolo", id="classes.txt"),
        pytest.param({"a.txt": "0 0.3 0.35 0.5 0.5"}, "yolo", id="rows beside the picture"),
    ],
)
def test_recognised_by_content(tmp_path: Path, files: dict[str, str], name: str) -> None:
    assert formats.recognise(open_source(save_folder(tmp_path, files))) == name


@pytest.mark.parametrize("files", [{"a.xml": XML}, {"a.txt": "0 0.3 0.35 0.5 0.5", "classes.txt": "egg"}])
def test_auto_reads_as_the_named_format_does(tmp_path: Path, files: dict[str, str]) -> None:
    source = save_folder(tmp_path, files)
    assert formats.read(source) == formats.read(source, formats.recognise(open_source(source)))
    assert formats.read(source)[0].boxes == 1


def test_labelimg_files_are_taken_for_voc(tmp_path: Path) -> None:
    assert formats.read(save_folder(tmp_path, {"a.xml": XML}))[0].images[0].truths[0].box.x0 == 10


def test_every_format_but_labelimg_can_be_recognised() -> None:
    recognised = {
        name
        for name, entry in formats.FORMATS.items()
        if entry.recognise or entry.recognise_json or entry.recognise_last
    }
    assert set(formats.FORMATS) - recognised == {"labelimg"}


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="there is no such folder or file"):
        formats.read(tmp_path / "nowhere")


def test_a_single_xml_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(XML)
    with pytest.raises(AnnotationError, match="is a file that cannot be a source"):
        formats.read(tmp_path / "a.xml")


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="pictures only"),
        pytest.param({"a.xml": "<playlist/>"}, id="other XML"),
        pytest.param({"notes.txt": "hello"}, id="other text"),
    ],
)
def test_unknown_content_names_what_is_known(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(AnnotationError, match=r"holds no annotations of a known format.*voc.*yolo"):
        formats.read(save_folder(tmp_path, files))


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="holds no annotations"):
        formats.read(tmp_path)


def test_two_formats_at_once_must_be_named(tmp_path: Path) -> None:
    source = save_folder(tmp_path, {"a.xml": XML, "data.yaml": "names: [egg]"})
    with pytest.raises(AnnotationError, match=r"may be any of voc, yolo.*--from"):
        formats.read(source)
    assert formats.read(source, "voc")[0].boxes == 1


COCO: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}],
    "categories": [{"id": 1, "name": "egg"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 100, 50]}],
}


def test_one_file_among_many_others_is_found(tmp_path: Path) -> None:
    others = {f"a{number:02}.json": '{"version": 1}' for number in range(30)}
    source = save_folder(tmp_path, {**others, "labels.json": json.dumps(COCO)})
    assert formats.read(source)[0].boxes == 1


def test_files_of_two_json_formats_must_be_named(tmp_path: Path) -> None:
    createml = json.dumps([{"image": "a.jpg", "annotations": []}])
    with pytest.raises(AnnotationError, match="may be any of coco, createml"):
        formats.read(save_folder(tmp_path, {"a.json": json.dumps(COCO), "b.json": createml}))


def test_a_file_is_parsed_once_for_recognising_and_reading_and_forgotten_then(tmp_path: Path) -> None:
    source = open_source(save_folder(tmp_path, {f"{split}/x.json": json.dumps(COCO) for split in ("train", "valid")}))
    assert formats.recognise(source) == "coco"
    for name in ("train/x.json", "valid/x.json"):
        (tmp_path / name).unlink()
    assert formats.read_opened(source, "coco", formats.ReadOptions())[0].boxes == 1
    assert source.files.parsed == {}


def test_of_thousands_of_files_the_first_tell(tmp_path: Path) -> None:
    source = open_source(save_folder(tmp_path, {f"{number}.json": json.dumps(COCO) for number in range(20)}))
    assert formats.recognise(source) == "coco"
    assert len(source.files.parsed) < 20
