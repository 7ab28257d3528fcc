"""to-correct/: what was found, written as labels, read back by our own readers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from seen_pictures import found, saved, seen

from yolo_pipeline import formats
from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.labels import LabelKind, require_no_labels, write_labels
from yolo_pipeline.errors import InputError
from yolo_pipeline.images import read_header
from yolo_pipeline.nouns import Box, Truth
from yolo_pipeline.views import Seen, Views

VIEWS = Views((0.3, 0.5))
NAMES = ["onion", "닭"]
KINDS: tuple[LabelKind, ...] = ("xml", "yolo")
FORMATS = {"xml": "labelimg", "yolo": "yolo"}


@pytest.fixture
def pictures(tmp_path: Path) -> list[Seen]:
    """Three pictures: two boxes, none above the threshold, one; two of one name."""
    boxes = {
        "a/닭.jpg": (found("닭", 0.9, 10.4, 20.6, 50, 60), found("onion", 0.31, 0, 0, 100, 80), found("닭", 0.2)),
        "a/empty.png": (found("닭", 0.1),),
        "b/닭.png": (found("onion", 0.5, 90, 70, 400, 400),),
    }
    return [
        seen(name, *these, file=saved(tmp_path / "in" / name, seed=seed))
        for seed, (name, these) in enumerate(boxes.items())
    ]


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def truths_of(folder: Path, format: str) -> dict[str, tuple[Truth, ...]]:
    dataset, report = formats.read(folder, format)
    assert not report.fixed
    assert not report.dropped
    return {image.name: image.truths for image in dataset.images}


def test_xml_lies_beside_the_pictures(tmp_path: Path, pictures: list[Seen]) -> None:
    written = write_labels("xml", pictures, VIEWS, NAMES, OutFolder(tmp_path))
    folder = tmp_path / "to-correct" / "xml"
    assert listing(folder) == ["empty.png", "닭-2.png", "닭-2.xml", "닭.jpg", "닭.xml"]
    assert truths_of(folder, "labelimg") == {
        "닭.jpg": (Truth(Box(10, 21, 50, 60), "닭"), Truth(Box(0, 0, 100, 80), "onion")),
        "닭-2.png": (Truth(Box(90, 70, 100, 80), "onion"),),
    }
    assert (written.pictures, written.boxes, written.without, written.remade, written.skipped) == (2, 3, 1, 0, [])
    assert str(written) == (
        f"3 boxes on 2 pictures to be corrected in {folder}; 1 pictures without boxes lie there unlabelled"
    )


def test_a_picture_without_boxes_is_unlabelled_and_no_background(tmp_path: Path, pictures: list[Seen]) -> None:
    write_labels("xml", pictures, VIEWS, NAMES, OutFolder(tmp_path))
    _, report = formats.read(tmp_path / "to-correct" / "xml")
    assert [(skip.file, skip.why) for skip in report.skipped] == [("empty.png", "unlabelled: no annotation file")]


def test_yolo_holds_the_pictures_with_boxes_and_every_class(tmp_path: Path, pictures: list[Seen]) -> None:
    written = write_labels("yolo", pictures, VIEWS, [*NAMES, "무"], OutFolder(tmp_path))
    folder = tmp_path / "to-correct" / "yolo"
    assert listing(folder) == [
        "data.yaml", "images/train/닭-2.png", "images/train/닭.jpg",
        "labels/train/classes.txt", "labels/train/닭-2.txt", "labels/train/닭.txt",
    ]  # fmt: skip
    assert (folder / "labels/train/닭.txt").read_text() == "1 0.302 0.50375 0.396 0.4925\n0 0.5 0.5 1 1\n"
    assert (folder / "labels/train/classes.txt").read_text(encoding="utf-8") == "onion\n닭\n무\n"
    assert truths_of(folder, "yolo")["images/train/닭.jpg"][0] == Truth(Box(10.4, 20.6, 50, 60), "닭")
    assert formats.read(folder)[0].names == ("onion", "닭", "무")
    assert f"path: {folder}\n" in (folder / "data.yaml").read_text(encoding="utf-8")
    assert (written.pictures, written.boxes, written.without) == (2, 3, 1)
    assert str(written).endswith("; 1 pictures without boxes were left out")


def test_both_kinds_lie_side_by_side(tmp_path: Path, pictures: list[Seen]) -> None:
    for kind in KINDS:
        assert write_labels(kind, pictures, VIEWS, NAMES, OutFolder(tmp_path)).pictures == 2


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_have_been_corrected_is_never_overwritten(
    tmp_path: Path, pictures: list[Seen], kind: LabelKind
) -> None:
    out = OutFolder(tmp_path)
    folder = require_no_labels(out, kind)
    folder.mkdir(parents=True)  # an empty one is not in the way
    write_labels(kind, pictures, VIEWS, NAMES, out)
    before = {name: (folder / name).read_bytes() for name in listing(folder)}
    with pytest.raises(InputError) as raised:
        write_labels(kind, [], VIEWS, NAMES, out)
    assert str(raised.value) == (
        f"{folder}: is there already, and somebody may have corrected labels in it. Move it away, or leave out --save"
    )
    assert {name: (folder / name).read_bytes() for name in listing(folder)} == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_interruption_leaves_no_folder(tmp_path: Path, pictures: list[Seen], kind: LabelKind) -> None:
    def interrupted() -> Iterable[Seen]:
        yield pictures[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_labels(kind, interrupted(), VIEWS, NAMES, OutFolder(tmp_path))
    assert list((tmp_path / "to-correct").iterdir()) == []


def gif(file: Path, picture: Image.Image) -> None:
    picture.save(file, "GIF", save_all=True, append_images=[picture.rotate(90)])


def turned(file: Path, picture: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", exif=exif, quality=95)


ODD = {
    "gif.gif": gif,
    "avif.avif": lambda file, picture: picture.save(file, "AVIF", quality=95),
    "cmyk.jpg": lambda file, picture: picture.convert("CMYK").save(file, "JPEG"),
    "turned.jpg": turned,
    "grey16.png": lambda file, picture: Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257).save(file),
    "webp-animated.webp": lambda file, picture: picture.save(
        file, "WEBP", save_all=True, append_images=[picture.rotate(90)]
    ),
    "png-called.jpg": lambda file, picture: picture.save(file, "PNG"),
    "browser.jfif": lambda file, picture: picture.save(file, "JPEG"),
    "PHOTO.JPG": lambda file, picture: picture.save(file, "JPEG"),
    "palette.png": lambda file, picture: picture.convert("P").save(file, "PNG"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_can_be_read_by_labelling_tools(tmp_path: Path, kind: LabelKind) -> None:
    plain = Image.open(saved(tmp_path / "plain.png")).convert("RGB")
    (tmp_path / "in").mkdir()
    pictures = []
    for name, save in ODD.items():
        save(tmp_path / "in" / name, plain)
        pictures.append(seen(name, found("닭", 0.9), file=tmp_path / "in" / name))
    written = write_labels(kind, pictures, VIEWS, NAMES, OutFolder(tmp_path))
    folder = written.folder if kind == "xml" else written.folder / "images" / "train"
    there = {path.name: read_header(path) for path in folder.iterdir() if path.suffix != ".xml"}
    assert {name: header.format for name, header in sorted(there.items())} == {
        "PHOTO.JPG": "JPEG", "avif.png": "PNG", "browser.jpg": "JPEG", "cmyk.png": "PNG", "gif.png": "PNG",
        "grey16.png": "PNG", "palette.png": "PNG", "png-called.png": "PNG", "turned.png": "PNG",
        "webp-animated.png": "PNG",
    }  # fmt: skip
    assert {(header.width, header.height, header.orientation) for header in there.values()} == {(100, 80, 1)}
    assert written.remade == 6
    corner = np.asarray(Image.open(folder / "turned.png"))[2:15, 2:20].mean(axis=(0, 1))
    assert corner[0] > 200
    assert corner[1:].max() < 60
    assert len(truths_of(written.folder, FORMATS[kind])) == len(ODD)


def test_untouched_pictures_are_linked(tmp_path: Path, pictures: list[Seen]) -> None:
    write_labels("xml", pictures, VIEWS, NAMES, OutFolder(tmp_path))
    assert pictures[0].file.samefile(tmp_path / "to-correct/xml/닭.jpg")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_gone_is_named(tmp_path: Path, pictures: list[Seen], kind: LabelKind) -> None:
    pictures[0].file.unlink()
    written = write_labels(kind, pictures, VIEWS, NAMES, OutFolder(tmp_path))
    assert [skip.file for skip in written.skipped] == ["a/닭.jpg"]
    assert (written.pictures, written.boxes) == (1, 1)
    assert "1 can no longer be read (a/닭.jpg: " in str(written)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_class_names_can_be_read_back(tmp_path: Path, kind: LabelKind) -> None:
    names = ["a\nb", "a b", "", "<&\0>", "x" * 500, "1", "\udc80", ": {"]
    file = saved(tmp_path / "in.png")
    boxes = [found(name, 0.9, 10 + 5 * n, 10, 40 + 5 * n, 40) for n, name in enumerate(names)]
    written = write_labels(kind, [seen("in.png", *boxes, file=file)], VIEWS, names, OutFolder(tmp_path))
    (image,) = formats.read(written.folder)[0].images
    labels = ["a b", "a b 2", "class 2", "<& >", "x" * 500, "1", "class 6", ": {"]
    assert [truth.label for truth in image.truths] == labels


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_picture_names_stay_in_the_folder(tmp_path: Path, kind: LabelKind) -> None:
    file = saved(tmp_path / "in" / "in.png")
    names = ["../../x.png", ".hidden.png", "classes.png", "CON.png", "a:b.png", "x" * 300 + ".png", "\udc80.png"]
    pictures = [seen(name, found("닭", 0.9), file=file) for name in names]
    written = write_labels(kind, pictures, VIEWS, NAMES, OutFolder(tmp_path / "out"))
    dataset, report = formats.read(written.folder, FORMATS[kind])
    assert len(dataset.images) == len(names)
    assert {image.truths for image in dataset.images} == {(Truth(Box(10, 20, 50, 60), "닭"),)}
    assert not report.skipped
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_box_of_no_size_is_a_pixel_and_no_background(tmp_path: Path, kind: LabelKind) -> None:
    one = seen("in.png", found("닭", 0.9, 100, 80, 100, 80), file=saved(tmp_path / "in.png"))
    written = write_labels(kind, [one], VIEWS, NAMES, OutFolder(tmp_path))
    (image,) = formats.read(written.folder, FORMATS[kind])[0].images
    assert image.truths == (Truth(Box(99, 79, 100, 80), "닭"),)
