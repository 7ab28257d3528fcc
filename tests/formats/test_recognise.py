"""What `auto` takes a folder for."""

from __future__ import annotations

from pathlib import Path

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
    assert [name for name, entry in formats.FORMATS.items() if entry.recognise is None] == ["labelimg"]


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
