"""Pascal VOC XML: every case of the field notes' table on literal numbers, pairing, turning, round trips, trust."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from yolo_pipeline import formats, images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats import ReadOptions, voc, yolo
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, ReadReport, Truth

NORMAL = (11, 11, 110, 60)
NORMAL_ROW = "0 0.3 0.35 0.5 0.5\n"

Corners = tuple[object, object, object, object]


def object_xml(corners: Corners = NORMAL, label: str = "chicken", difficult: str | None = "0") -> str:
    keys = ("xmin", "ymin", "xmax", "ymax")
    box = "".join(f"<{key}>{value}</{key}>" for key, value in zip(keys, corners, strict=True))
    mark = "" if difficult is None else f"<difficult>{difficult}</difficult>"
    return f"<object><name>{label}</name>{mark}<bndbox>{box}</bndbox></object>"


def annotation(*objects: str, size: tuple[int, int] = (200, 100), filename: str = "a.jpg") -> str:
    measures = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    return f"<annotation><filename>{filename}</filename>{measures}{''.join(objects)}</annotation>"


def save_picture(path: Path, size: tuple[int, int] = (200, 100)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "teal").save(path, format="JPEG")


def save_pair(folder: Path, stem: str = "a", xml: str | None = None) -> None:
    save_picture(folder / f"{stem}.jpg")
    (folder / f"{stem}.xml").write_text(xml or annotation(object_xml()), encoding="utf-8")


def yolo_rows(dataset: Dataset, out: Path) -> str:
    """The text of the only label file that writing YOLO leaves."""
    yolo.write(dataset, out)
    (label,) = sorted((out / "labels").rglob("*.txt"))
    return label.read_text(encoding="utf-8")


def changes(report: ReadReport) -> list[tuple[str, str, int, str]]:
    fixed = [("fixed", change.file, change.object, change.what) for change in report.fixed]
    return fixed + [("dropped", change.file, change.object, change.what) for change in report.dropped]


@pytest.mark.parametrize(
    ("xml", "rows", "reported"),
    [
        pytest.param(annotation(object_xml()), NORMAL_ROW, [], id="normal"),
        pytest.param(
            annotation(object_xml(), size=(0, 0)),
            NORMAL_ROW,
            [("fixed", "a.xml", 0, "size")],
            id="size 0/0: from image",
        ),
        pytest.param(
            "<annotation>" + object_xml() + "</annotation>",
            NORMAL_ROW,
            [("fixed", "a.xml", 0, "size")],
            id="no size: from image",
        ),
        pytest.param(
            annotation(object_xml((110, 60, 11, 11))),
            NORMAL_ROW,
            [("fixed", "a.xml", 1, "swapped corners")],
            id="swapped corners",
        ),
        pytest.param(
            annotation(object_xml((110, 11, 11, 60))),
            NORMAL_ROW,
            [("fixed", "a.xml", 1, "swapped corners")],
            id="swapped left and right only",
        ),
        pytest.param(
            annotation(object_xml((191, 91, 352, 140))),
            "0 0.975 0.95 0.05 0.1\n",
            [("fixed", "a.xml", 1, "clipped")],
            id="partly outside: clipped",
        ),
        pytest.param(
            annotation(object_xml((-9, -19, 20, 10))),
            "0 0.05 0.05 0.1 0.1\n",
            [("fixed", "a.xml", 1, "clipped")],
            id="negative corners: clipped",
        ),
        pytest.param(
            annotation(object_xml((251, 11, 292, 60)), object_xml()),
            NORMAL_ROW,
            [("dropped", "a.xml", 1, "outside")],
            id="wholly outside: nothing is left to keep",
        ),
        pytest.param(
            annotation(object_xml((50, 11, 50, 60))), "", [("dropped", "a.xml", 1, "no area")], id="xmin = xmax"
        ),
        pytest.param(
            annotation(object_xml((11, 60, 110, 60))), "", [("dropped", "a.xml", 1, "no area")], id="ymin = ymax"
        ),
        pytest.param(
            annotation(object_xml(difficult="1")),
            NORMAL_ROW,
            [("fixed", "a.xml", 1, "difficult")],
            id="difficult=1: kept",
        ),
        pytest.param(annotation(object_xml(difficult=None)), NORMAL_ROW, [], id="no <difficult>"),
        pytest.param(
            annotation(object_xml(), object_xml()),
            NORMAL_ROW,
            [("dropped", "a.xml", 2, "duplicate")],
            id="duplicate: once",
        ),
        pytest.param(
            annotation(object_xml(), size=(400, 300)),
            NORMAL_ROW,
            [("fixed", "a.xml", 0, "size")],
            id="XML size differs: from image",
        ),
        pytest.param(
            annotation(object_xml(label=" chicken ")),
            NORMAL_ROW,
            [("fixed", "a.xml", 1, "label")],
            id="blanks around the class name: stripped",
        ),
        pytest.param(annotation(object_xml(), filename="../../x.jpg"), NORMAL_ROW, [], id="<filename>../../x: stem"),
        pytest.param(annotation(object_xml(), filename="a"), NORMAL_ROW, [], id="<filename> without suffix: stem"),
        pytest.param(
            annotation(object_xml((11, 11, "nan", 60))), "", [("dropped", "a.xml", 1, "no box")], id="NaN corner"
        ),
        pytest.param(
            annotation(object_xml((11, 11, "inf", 60))), "", [("dropped", "a.xml", 1, "no box")], id="infinite corner"
        ),
        pytest.param(
            annotation(object_xml((11, 11, "", 60))), "", [("dropped", "a.xml", 1, "no box")], id="empty corner"
        ),
        pytest.param(
            annotation("<object><name>chicken</name></object>"),
            "",
            [("dropped", "a.xml", 1, "no box")],
            id="no <bndbox>",
        ),
        pytest.param(
            annotation(object_xml(label=" "), object_xml()),
            NORMAL_ROW,
            [("dropped", "a.xml", 1, "no class")],
            id="no class name",
        ),
        pytest.param(
            annotation(object_xml(("11.0", "11.0", "110.0", "60.0"))), NORMAL_ROW, [], id="numbers with a point"
        ),
    ],
)
def test_field_case_as_yolo_row_and_in_the_report(
    tmp_path: Path, xml: str, rows: str, reported: list[tuple[str, str, int, str]]
) -> None:
    save_pair(tmp_path / "in", xml=xml)
    dataset, report = formats.read(tmp_path / "in", "voc")
    assert yolo_rows(dataset, tmp_path / "out") == rows
    assert changes(report) == reported
    assert set(dataset.names) <= {"chicken"}


@pytest.mark.parametrize(
    ("format_name", "box"),
    [
        pytest.param("voc", Box(10, 10, 110, 60), id="voc is 1-based and inclusive"),
        pytest.param("labelimg", Box(11, 11, 110, 60), id="labelimg is 0-based"),
    ],
)
def test_pixel_origin_is_the_formats(tmp_path: Path, format_name: str, box: Box) -> None:
    save_pair(tmp_path)
    dataset, _ = formats.read(tmp_path, format_name)
    assert [truth.box for truth in dataset.images[0].truths] == [box]


@pytest.mark.parametrize("format_name", ["voc", "labelimg"])
def test_box_without_area_as_written_is_dropped_whatever_the_origin(tmp_path: Path, format_name: str) -> None:
    save_pair(tmp_path, xml=annotation(object_xml((50, 11, 50, 60))))
    dataset, report = formats.read(tmp_path, format_name)
    assert dataset.boxes == 0
    assert changes(report) == [("dropped", "a.xml", 1, "no area")]


def test_difficult_objects_are_dropped_when_asked(tmp_path: Path) -> None:
    save_pair(tmp_path, xml=annotation(object_xml(difficult="1"), object_xml(label="onion")))
    dataset, report = formats.read(tmp_path, "voc", ReadOptions(difficult="drop"))
    assert dataset.names == ("onion",)
    assert changes(report) == [("dropped", "a.xml", 1, "difficult")]


def test_truncated_objects_are_kept_without_a_word(tmp_path: Path) -> None:
    xml = annotation(object_xml().replace("<bndbox>", "<truncated>1</truncated><bndbox>"))
    save_pair(tmp_path, xml=xml)
    dataset, report = formats.read(tmp_path, "voc")
    assert dataset.boxes == 1
    assert report == ReadReport()


def test_parts_of_an_object_are_not_objects(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>"
    save_pair(tmp_path, xml=annotation(object_xml().replace("</object>", f"{part}</object>")))
    dataset, _ = formats.read(tmp_path, "voc")
    assert dataset.images[0].truths == (Truth(Box(10, 10, 110, 60), "chicken"),)


def test_classes_are_sorted_by_name(tmp_path: Path) -> None:
    save_pair(tmp_path, "a", annotation(object_xml(label="potato")))
    save_pair(tmp_path, "b", annotation(object_xml(label="chicken"), object_xml(label="onion")))
    assert formats.read(tmp_path, "voc")[0].names == ("chicken", "onion", "potato")


# --- pairing


def test_filename_decides_where_pictures_share_a_stem(tmp_path: Path) -> None:
    save_picture(tmp_path / "JPEGImages" / "a.jpeg")
    save_picture(tmp_path / "JPEGImages" / "a.jpg")
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "a.xml").write_text(annotation(object_xml(), filename="a.jpg"))
    dataset, report = formats.read(tmp_path, "voc")
    assert [image.name for image in dataset.images] == ["JPEGImages/a.jpg"]
    assert [skip.file for skip in report.skipped] == ["JPEGImages/a.jpeg"]


def test_two_pictures_and_no_telling_filename_is_an_error(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.jpeg")
    save_pair(tmp_path, "a", annotation(object_xml(), filename="c.jpg"))
    with pytest.raises(AnnotationError, match=r"a\.xml: belongs to any of a\.jpeg, a\.jpg"):
        formats.read(tmp_path, "voc")


def test_two_annotations_of_one_picture_are_an_error(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.jpg")
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.xml").write_text(annotation(object_xml()))
    with pytest.raises(AnnotationError, match=r"second/a\.xml: annotates a\.jpg, as first/a\.xml does"):
        formats.read(tmp_path, "voc")


def test_equal_stems_in_two_folders_pair_within_their_folder(tmp_path: Path) -> None:
    save_pair(tmp_path / "train", "1", annotation(object_xml(label="chicken")))
    save_pair(tmp_path / "valid", "1", annotation(object_xml(label="onion")))
    dataset, _ = formats.read(tmp_path, "voc")
    found = [(image.name, image.split, image.truths[0].label) for image in dataset.images]
    assert found == [("train/1.jpg", "train", "chicken"), ("valid/1.jpg", "val", "onion")]


def test_jfif_picture_is_written_as_jpg(tmp_path: Path) -> None:
    save_picture(tmp_path / "in" / "a.jfif")
    (tmp_path / "in" / "a.xml").write_text(annotation(object_xml(), filename="a.jfif"))
    dataset, _ = formats.read(tmp_path / "in", "voc")
    yolo.write(dataset, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "images" / "train").iterdir()] == ["a.jpg"]


def test_pictures_may_lie_in_another_folder(tmp_path: Path) -> None:
    save_picture(tmp_path / "photos" / "a.jpg")
    (tmp_path / "xml").mkdir()
    (tmp_path / "xml" / "a.xml").write_text(annotation(object_xml()))
    dataset, _ = formats.read(tmp_path / "xml", "voc", ReadOptions(images=tmp_path / "photos"))
    assert [(image.file, image.name) for image in dataset.images] == [(tmp_path / "photos" / "a.jpg", "a.jpg")]
    assert dataset.boxes == 1


def test_image_sets_are_the_splits(tmp_path: Path) -> None:
    for stem in ("a", "b", "c", "d"):
        save_pair(tmp_path, stem)
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for split, stem in (("train", "a"), ("val", "b"), ("test", "c"), ("trainval", "d")):
        (lists / f"{split}.txt").write_text(f"{stem}\n")
    dataset, _ = formats.read(tmp_path, "voc")
    assert [image.split for image in dataset.images] == ["train", "val", "test", None]


def test_picture_without_annotation_is_skipped_as_unlabelled(tmp_path: Path) -> None:
    save_pair(tmp_path, "a")
    save_picture(tmp_path / "b.jpg")
    dataset, report = formats.read(tmp_path, "voc")
    assert [image.name for image in dataset.images] == ["a.jpg"]
    assert [(skip.file, skip.why) for skip in report.skipped] == [("b.jpg", "unlabelled: no annotation file")]


def test_picture_without_annotation_is_background_when_told(tmp_path: Path) -> None:
    save_pair(tmp_path, "a")
    save_picture(tmp_path / "b.jpg")
    dataset, report = formats.read(tmp_path, "voc", ReadOptions(unlabelled="background"))
    assert [image.is_background for image in dataset.images] == [False, True]
    assert report == ReadReport()


def test_annotation_without_picture_is_skipped(tmp_path: Path) -> None:
    save_pair(tmp_path, "a")
    (tmp_path / "b.xml").write_text(annotation(object_xml()))
    dataset, report = formats.read(tmp_path, "voc")
    assert len(dataset.images) == 1
    assert [(skip.file, skip.why) for skip in report.skipped] == [("b.xml", "annotation without picture")]


def test_annotation_without_objects_is_background(tmp_path: Path) -> None:
    save_pair(tmp_path, xml=annotation())
    dataset, report = formats.read(tmp_path, "voc")
    assert dataset.names == ()
    assert [image.is_background for image in dataset.images] == [True]
    assert report == ReadReport()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: None, id="no such folder"),
        pytest.param(lambda folder: folder.mkdir(), id="empty folder"),
        pytest.param(lambda folder: save_picture(folder / "a.jpg"), id="pictures only"),
        pytest.param(lambda folder: folder.write_text("x"), id="a file"),
    ],
)
def test_wrong_folder_is_an_error(tmp_path: Path, make: object) -> None:
    folder = tmp_path / "wrong"
    assert callable(make)
    make(folder)
    with pytest.raises(AnnotationError, match="wrong"):
        formats.read(folder, "voc")


def test_annotations_whose_pictures_are_elsewhere_are_an_error(tmp_path: Path) -> None:
    save_picture(tmp_path / "b.jpg")
    (tmp_path / "a.xml").write_text(annotation(object_xml()))
    with pytest.raises(AnnotationError, match="no annotation has its picture"):
        formats.read(tmp_path, "voc")


# --- files that cannot be read


def save_three_bad_files(folder: Path) -> None:
    """Pair `good`; XML `cut` is cut off, XML `list` has another root, picture `text` is a text."""
    for stem in ("good", "cut", "list", "text"):
        save_pair(folder, stem)
    (folder / "cut.xml").write_text("<annotation><object>")
    (folder / "list.xml").write_text("<list/>")
    (folder / "text.jpg").write_text("not a picture")


def test_all_unreadable_files_are_named_in_one_line(tmp_path: Path) -> None:
    save_three_bad_files(tmp_path)
    with pytest.raises(AnnotationError, match="3 files cannot be read") as caught:
        formats.read(tmp_path, "voc")
    assert [name in str(caught.value) for name in ("cut.xml", "list.xml", "text.jpg")] == [True, True, True]
    assert "good" not in caught.value.reason
    assert "root is <list>" in caught.value.reason
    assert "\n" not in str(caught.value)


def test_skip_bad_goes_on_and_lists_them(tmp_path: Path) -> None:
    save_three_bad_files(tmp_path)
    dataset, report = formats.read(tmp_path, "voc", ReadOptions(skip_bad=True))
    assert [image.name for image in dataset.images] == ["good.jpg"]
    assert [skip.file for skip in report.skipped] == ["cut.xml", "list.xml", "text.jpg"]


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<annotation><object><name>&b;</name></object></annotation>"
)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(LAUGHS.encode(), id="billion laughs"),
        pytest.param(LAUGHS.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"), id="entities in UTF-16"),
        pytest.param(LAUGHS.encode("utf-16-le"), id="entities in UTF-16 without a mark"),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "secret.txt">]><annotation><object><name>&x;</name></object></annotation>',
            id="external entity",
        ),
        pytest.param(b'<?xml version="1.0" encoding="klingon"?><annotation/>', id="unknown encoding"),
    ],
)
def test_hostile_xml_is_refused_and_named(tmp_path: Path, data: bytes) -> None:
    save_pair(tmp_path, "good")
    save_picture(tmp_path / "evil.jpg")
    (tmp_path / "secret.txt").write_text("chicken")
    (tmp_path / "evil.xml").write_bytes(data)
    with pytest.raises(AnnotationError, match=r"1 file cannot be read: evil\.xml"):
        formats.read(tmp_path, "voc")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(("<!DOCTYPE annotation>" + annotation(object_xml())).encode(), id="harmless DOCTYPE"),
        pytest.param(
            ('<?xml version="1.0" encoding="utf-16"?>' + annotation(object_xml())).encode("utf-16"), id="plain UTF-16"
        ),
        pytest.param(b"\xef\xbb\xbf" + annotation(object_xml()).encode(), id="UTF-8 with a byte order mark"),
    ],
)
def test_harmless_xml_is_read(tmp_path: Path, data: bytes) -> None:
    save_picture(tmp_path / "a.jpg")
    (tmp_path / "a.xml").write_bytes(data)
    assert formats.read(tmp_path, "voc")[0].boxes == 1


# --- upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_box_on_raw_axes_covers_its_object_on_the_upright_picture(tmp_path: Path, orientation: int) -> None:
    picture = Image.new("RGB", (64, 32), "black")
    ImageDraw.Draw(picture).rectangle((16, 0, 31, 15), fill="red")
    exif = Image.Exif()
    exif[274] = orientation
    picture.save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    (tmp_path / "a.xml").write_text(annotation(object_xml((17, 1, 32, 16)), size=(64, 32)))
    dataset, report = formats.read(tmp_path, "voc")
    pixels = images.decode_upright(tmp_path / "a.jpg")
    rows, columns = np.nonzero(pixels[:, :, 0] > 128)
    red = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert dataset.images[0].truths == (Truth(red, "chicken"),)
    assert (dataset.images[0].height, dataset.images[0].width) == pixels.shape[:2]
    assert changes(report) == ([] if orientation == 1 else [("fixed", "a.xml", 0, "EXIF")])


def test_box_on_upright_axes_is_not_turned_again(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (64, 32)).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "a.xml").write_text(annotation(object_xml((1, 1, 16, 48)), size=(32, 64)))
    dataset, report = formats.read(tmp_path, "voc")
    assert dataset.images[0].truths == (Truth(Box(0, 0, 16, 48), "chicken"),)
    assert report == ReadReport()


# --- Korean


def test_korean_class_and_file_names(tmp_path: Path) -> None:
    save_pair(tmp_path / "in", "냉장고 1", annotation(object_xml(label="양파"), filename="냉장고 1.jpg"))
    dataset, report = formats.read(tmp_path / "in", "voc")
    assert dataset.names == ("양파",)
    assert report == ReadReport()
    voc.write(dataset, tmp_path / "out")
    assert essence(formats.read(tmp_path / "out", "voc")[0]) == essence(dataset)


@pytest.mark.parametrize(("picture_form", "xml_form"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_stems_pair(tmp_path: Path, picture_form: str, xml_form: str) -> None:
    save_picture(tmp_path / f"{unicodedata.normalize(picture_form, '양파')}.jpg")
    xml = tmp_path / f"{unicodedata.normalize(xml_form, '양파')}.xml"
    xml.write_text(annotation(object_xml()), encoding="utf-8")
    dataset, report = formats.read(tmp_path, "voc")
    assert dataset.boxes == 1
    assert report.skipped == ()


def test_composed_and_decomposed_class_names_are_one_class(tmp_path: Path) -> None:
    save_pair(tmp_path, "a", annotation(object_xml(label=unicodedata.normalize("NFC", "양파"))))
    save_pair(tmp_path, "b", annotation(object_xml(label=unicodedata.normalize("NFD", "양파"))))
    assert formats.read(tmp_path, "voc")[0].names == ("양파",)


# --- round trips


def essence(dataset: Dataset) -> tuple[tuple[str, ...], list[tuple[str, int, int, tuple[Truth, ...]]]]:
    """What must survive: all but where the bytes lie."""
    return dataset.names, [(image.name, image.width, image.height, image.truths) for image in dataset.images]


def dataset_of(folder: Path, truths: Sequence[Truth], size: tuple[int, int] = (200, 100)) -> Dataset:
    """Two images, `a.jpg` with the truths and `b.jpg` with none."""
    records = []
    for name, labelled in (("a.jpg", tuple(truths)), ("b.jpg", ())):
        save_picture(folder / name, size)
        records.append(ImageRecord(folder / name, name, *size, ".jpg", labelled))
    return Dataset(tuple(sorted({truth.label for truth in truths})), tuple(records))


@pytest.mark.parametrize("format_name", ["voc", "labelimg"])
def test_round_trip(tmp_path: Path, format_name: str) -> None:
    truths = (Truth(Box(10, 10, 110, 60), "chicken"), Truth(Box(0, 0.5, 200, 100), "R&D <eggs>"))
    dataset = dataset_of(tmp_path / "in", truths)
    write = formats.FORMATS[format_name].write
    assert write is not None
    write(dataset, tmp_path / "out")
    again, report = formats.read(tmp_path / "out", format_name)
    assert essence(again) == essence(dataset)
    assert report == ReadReport()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 100)] * 2, *[st.integers(2, 100)] * 2), max_size=5, unique=True))
@pytest.mark.parametrize("format_name", ["voc", "labelimg"])
def test_half_pixel_boxes_survive_the_round_trip(
    tmp_path_factory: pytest.TempPathFactory, format_name: str, halves: list[tuple[int, int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("round-trip")
    truths = [Truth(Box(x / 2, y / 2, x / 2 + 1 + w / 2, y / 2 + 1 + h / 2), "egg") for x, y, w, h in halves]
    dataset = dataset_of(folder / "in", truths, (101, 102))
    write = formats.FORMATS[format_name].write
    assert write is not None
    write(dataset, folder / "out")
    assert essence(formats.read(folder / "out", format_name)[0]) == essence(dataset)


def test_writing_keeps_pictures_apart_that_share_a_stem(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "in", [Truth(Box(10, 10, 110, 60), "chicken")])
    save_picture(tmp_path / "in" / "a.jpeg", (50, 40))
    other = ImageRecord(tmp_path / "in" / "a.jpeg", "a.jpeg", 50, 40, ".jpeg", (Truth(Box(1, 2, 30, 40), "onion"),))
    both = Dataset(("chicken", "onion"), (dataset.images[0], other))
    voc.write(both, tmp_path / "out")
    again, _ = formats.read(tmp_path / "out", "voc")
    found = sorted((image.width, image.truths) for image in again.images)
    assert found == [(50, other.truths), (200, dataset.images[0].truths)]


def test_writing_keeps_a_jfif_and_a_jpg_of_one_stem_apart(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "in", [Truth(Box(10, 10, 110, 60), "chicken")])
    save_picture(tmp_path / "in" / "a.jfif", (50, 40))
    other = replace(dataset.images[0], file=tmp_path / "in" / "a.jfif", name="a.jfif", width=50, height=40, truths=())
    voc.write(dataset.with_images([dataset.images[0], other]), tmp_path / "out")
    again, _ = formats.read(tmp_path / "out", "voc")
    assert sorted(image.width for image in again.images) == [50, 200]


def test_splits_are_written_as_folders(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "in", [Truth(Box(10, 10, 110, 60), "chicken")])
    dealt = dataset.with_images([replace(dataset.images[0], split="train"), replace(dataset.images[1], split="test")])
    voc.write(dealt, tmp_path / "out")
    again, _ = formats.read(tmp_path / "out", "voc")
    assert [(image.name, image.split) for image in again.images] == [("test/b.jpg", "test"), ("train/a.jpg", "train")]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(80, 40), (60, 60)], ids=["wide", "square"])
@pytest.mark.parametrize("form", ["voc", "labelimg"])
def test_written_boxes_lie_on_the_stored_pixels(
    tmp_path: Path, orientation: int, size: tuple[int, int], form: str
) -> None:
    """Read, write and read: LabelImg shows stored pixels, so XML beside an EXIF-turned picture must follow them."""
    (tmp_path / "in").mkdir()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size).save(tmp_path / "in" / "a.jpg", exif=exif)
    header = images.read_header(tmp_path / "in" / "a.jpg")
    width, height = header.upright_size
    record = ImageRecord(tmp_path / "in" / "a.jpg", "a.jpg", width, height, ".jpg", (Truth(Box(5, 10, 25, 32), "egg"),))
    formats.FORMATS[form].write(Dataset(("egg",), (record,)), tmp_path / "out")
    dataset, _ = formats.read(tmp_path / "out", form)
    assert dataset.images[0].truths == record.truths
    assert (dataset.images[0].width, dataset.images[0].height) == (width, height)
