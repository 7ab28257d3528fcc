"""CSV tables: column order, tables without header, the field notes' table on literal numbers, hostile files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError, InputError
from yolo_pipeline.formats import ReadOptions, tensorflow_csv
from yolo_pipeline.formats.source import open_source
from yolo_pipeline.nouns import Box, Dataset, ReadReport, Truth

DATA = Path(__file__).parents[1] / "data"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
BOX = Box(10, 10, 110, 60)
HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
ROW = "a.jpg,200,100,chicken,10,10,110,60\n"


def save_picture(path: Path, orientation: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (200, 100), "teal").save(path, format="JPEG", exif=exif)
    return path


def save_source(folder: Path, table: str | bytes, *pictures: str) -> Path:
    for picture in pictures or ("a.jpg",):
        save_picture(folder / picture)
    (folder / "boxes.csv").write_bytes(table.encode() if isinstance(table, str) else table)
    return folder


def read(folder: Path, **options: Any) -> tuple[Dataset, ReadReport]:
    return formats.read(folder, "csv", ReadOptions(**options))


def changes(report: ReadReport) -> list[tuple[str, str, int, str]]:
    fixed = [("fixed", change.file, change.object, change.what) for change in report.fixed]
    return fixed + [("dropped", change.file, change.object, change.what) for change in report.dropped]


# --- tables


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(HEADER + ROW, id="as xml_to_csv.py writes it"),
        pytest.param(HEADER + ROW.rstrip(), id="no last line end"),
        pytest.param((HEADER + "\n" + ROW + "\n").replace("\n", "\r\n"), id="Windows line ends, blank lines"),
        pytest.param("\ufeff" + HEADER + ROW, id="byte order mark"),
        pytest.param("class,xmax,xmin,ymax,ymin,filename\nchicken,110,10,60,10,a.jpg\n", id="another order, no size"),
        pytest.param("Image_ID,XMin,YMin,XMax,YMax,Label\na,10,10,110,60,chicken\n", id="other names, no suffix"),
        pytest.param(
            "image, xmin, ymin, xmax, ymax, label, x\na.jpg, 10, 10, 110, 60,chicken, 5\n", id="another column"
        ),
        pytest.param((HEADER + ROW).replace(",", ";"), id="semicolons"),
        pytest.param((HEADER + ROW).replace(",", "\t"), id="tabs"),
        pytest.param(HEADER + '"a.jpg","200","100","chicken","10","10","110","60"\n', id="quoted"),
        pytest.param(HEADER + "/home/joa/raccoons/a.jpg,200,100,chicken,10.0,10.0,110.0,60.0\n", id="somebody's path"),
        pytest.param(HEADER + "C:\\photos\\a.jpg,200,100,chicken,10,10,110,60\n", id="Windows path"),
        pytest.param(ROW, id="no header"),
        pytest.param("a.jpg,10,10,110,60,chicken\n", id="keras-retinanet"),
    ],
)
def test_tables(tmp_path: Path, table: str) -> None:
    dataset, report = formats.read(save_source(tmp_path, table))
    assert [(image.name, image.truths) for image in dataset.images] == [("a.jpg", (Truth(BOX, "chicken"),))]
    assert dataset.names == ("chicken",)
    assert report == ReadReport()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_korean(tmp_path: Path, encoding: str) -> None:
    table = (HEADER + '"사진, 1.jpg",200,100,양파,10,10,110,60\n').encode(encoding)
    dataset, report = formats.read(save_source(tmp_path, table, "사진, 1.jpg"))
    assert [(image.name, image.truths) for image in dataset.images] == [("사진, 1.jpg", (Truth(BOX, "양파"),))]
    assert report == ReadReport()


def test_quoted_name_with_delimiters_does_not_decide(tmp_path: Path) -> None:
    name = "1,2,3,4,5,6,7.jpg"
    dataset, _ = formats.read(save_source(tmp_path, f'"{name}";10;10;110;60;chicken\n', name))
    assert [(image.name, len(image.truths)) for image in dataset.images] == [(name, 1)]


def test_rows_of_one_picture_need_not_stand_together(tmp_path: Path) -> None:
    rows = [ROW, ROW.replace("a.jpg", "b.jpg"), "a.jpg,200,100,egg,0,0,5,5\n"]
    dataset, report = read(save_source(tmp_path, HEADER + "".join(rows), "a.jpg", "b.jpg"))
    assert [[truth.label for truth in image.truths] for image in dataset.images] == [["chicken", "egg"], ["chicken"]]
    assert dataset.names == ("chicken", "egg")
    assert report == ReadReport()


@pytest.mark.parametrize("table", ["a.jpg,,,,,\n", HEADER + "a.jpg,200,100,,,,,\n"])
def test_row_without_object_is_background(tmp_path: Path, table: str) -> None:
    save_source(tmp_path, table, "a.jpg", "b.jpg")
    dataset, report = formats.read(tmp_path)
    assert [(image.name, image.is_background) for image in dataset.images] == [("a.jpg", True)]
    assert [(skip.file, skip.why) for skip in report.skipped] == [("b.jpg", "unlabelled: no annotation names it")]
    assert changes(report) == []


# --- one object


@pytest.mark.parametrize(
    ("row", "truth", "reported"),
    [
        pytest.param("a.jpg,200,100,egg,0,0,200,100", Truth(Box(0, 0, 200, 100), "egg"), [], id="0-based, whole"),
        pytest.param("a.jpg,200,100,egg,1.5,2,3.25,4", Truth(Box(1.5, 2, 3.25, 4), "egg"), [], id="fractions"),
        pytest.param("a.jpg,,,egg,10,10,110,60", Truth(BOX, "egg"), [], id="no size: from image"),
        pytest.param("a.jpg,0,0,egg,10,10,110,60", Truth(BOX, "egg"), [("fixed", "a.jpg", 0, "size")], id="size 0/0"),
        pytest.param("a.jpg,20,10,egg,10,10,110,60", Truth(BOX, "egg"), [("fixed", "a.jpg", 0, "size")], id="size"),
        pytest.param(
            "a.jpg,200,100, egg ,10,10,110,60", Truth(BOX, "egg"), [("fixed", "a.jpg", 1, "label")], id="blanks"
        ),
        pytest.param(
            "a.jpg,200,100,egg,110,60,10,10",
            Truth(BOX, "egg"),
            [("fixed", "a.jpg", 1, "swapped corners")],
            id="swapped",
        ),
        pytest.param(
            "a.jpg,200,100,egg,190,90,350,140",
            Truth(Box(190, 90, 200, 100), "egg"),
            [("fixed", "a.jpg", 1, "clipped")],
            id="clipped",
        ),
        pytest.param("a.jpg,200,100,egg,250,10,290,60", None, [("dropped", "a.jpg", 1, "outside")], id="outside"),
        pytest.param("a.jpg,200,100,egg,50,10,50,60", None, [("dropped", "a.jpg", 1, "no area")], id="xmin = xmax"),
        pytest.param("a.jpg,200,100,egg,10,60,110,60", None, [("dropped", "a.jpg", 1, "no area")], id="ymin = ymax"),
        pytest.param("a.jpg,200,100,egg,nan,10,110,60", None, [("dropped", "a.jpg", 1, "no box")], id="NaN"),
        pytest.param("a.jpg,200,100,egg,10,10,1e999,60", None, [("dropped", "a.jpg", 1, "no box")], id="infinite"),
        pytest.param("a.jpg,200,100,egg,ten,10,110,60", None, [("dropped", "a.jpg", 1, "no box")], id="a word"),
        pytest.param("a.jpg,200,100,egg,,,,", None, [("dropped", "a.jpg", 1, "no box")], id="class without box"),
        pytest.param(
            "a.jpg,200,100,,10,10,110,60", None, [("dropped", "a.jpg", 1, "no class")], id="box without class"
        ),
    ],
)
def test_one_object(tmp_path: Path, row: str, truth: Truth | None, reported: list[tuple[str, str, int, str]]) -> None:
    dataset, report = read(save_source(tmp_path, f"{HEADER}{row}\n"))
    assert dataset.images[0].truths == ((truth,) if truth else ())
    assert changes(report) == reported


def test_duplicate_row_counts_once(tmp_path: Path) -> None:
    dataset, report = read(save_source(tmp_path, HEADER + ROW + ROW))
    assert dataset.boxes == 1
    assert changes(report) == [("dropped", "a.jpg", 2, "duplicate")]


def test_boxes_lie_on_the_stored_pixels(tmp_path: Path) -> None:
    save_source(tmp_path, HEADER + ROW)
    save_picture(tmp_path / "a.jpg", orientation=3)
    dataset, report = read(tmp_path)
    assert dataset.images[0].truths == (Truth(Box(90, 40, 190, 90), "chicken"),)
    assert changes(report) == [("fixed", "a.jpg", 0, "EXIF")]


def test_rows_that_give_a_picture_two_sizes_are_noted(tmp_path: Path) -> None:
    _, report = read(save_source(tmp_path, HEADER + ROW + "a.jpg,640,480,egg,0,0,5,5\n"))
    assert report.notes == ("boxes.csv gives 1 pictures more than one size: the first is compared with theirs",)


# --- several files


def test_roboflow_export(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        save_picture(tmp_path / split / f"{split}.jpg")
        (tmp_path / split / "_annotations.csv").write_text(HEADER + ROW.replace("a.jpg", f"{split}.jpg"))
    dataset, report = formats.read(tmp_path)
    assert [(image.name, image.split) for image in dataset.images] == [
        ("test/test.jpg", "test"),
        ("train/train.jpg", "train"),
        ("valid/valid.jpg", "val"),
    ]
    assert report == ReadReport()


def test_other_tables_are_passed_over(tmp_path: Path) -> None:
    save_source(tmp_path, HEADER + ROW)
    (tmp_path / "classes.csv").write_text("chicken,0\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "results.csv").write_text("epoch,train/box_loss\n1,0.5\n")
    dataset, report = formats.read(tmp_path)
    assert dataset.boxes == 1
    assert report.notes == tuple(
        f"{name}.csv is no table of boxes: passed over" for name in ("classes", "empty", "results")
    )


def test_two_tables_that_differ_are_refused(tmp_path: Path) -> None:
    save_source(tmp_path, HEADER + ROW)
    (tmp_path / "later.csv").write_text(HEADER + ROW.replace("110", "111"))
    with pytest.raises(AnnotationError, match=r"later\.csv: annotates a\.jpg otherwise than boxes\.csv does"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("files", "is_table"),
    [
        pytest.param({"a.csv": HEADER}, True, id="header alone"),
        pytest.param({"a.csv": "x,y\n", "b.csv": ROW}, True, id="the second file"),
        pytest.param({"a.csv": "filename,cell_type,xmin,xmax,ymin,ymax\n"}, False, id="no class column"),
        pytest.param({"a.csv": "ImageID,LabelName,XMin,XMax,YMin,YMax\n"}, False, id="Open Images: fractions"),
        pytest.param({"a.csv": "a,b,c,d,e,f\n"}, False, id="six words"),
        pytest.param({"a.csv": ",,,,,\n"}, False, id="six times nothing"),
        pytest.param({"a.csv": ""}, False, id="empty"),
        pytest.param({"a.csv": '"' + "x" * 200_000}, False, id="field over csv's limit"),
        pytest.param(
            {
                "a.csv": ROW,
                "a.xml": "<annotation><filename>a.jpg</filename></annotation>",
            },
            True,
            id="XML beside it: auto then names both",
        ),
    ],
)
def test_recognised(tmp_path: Path, files: dict[str, str], is_table: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert tensorflow_csv.recognise(open_source(tmp_path).files) is is_table


# --- hostile files


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        pytest.param(
            HEADER + ROW + "a.jpg,200,100,egg,1,2,3\n", "line 3: 7 columns, where the first line has 8", id="7"
        ),
        pytest.param(HEADER + ROW.strip() + ",9\n", "line 2: 9 columns, where the first line has 8", id="9 columns"),
        pytest.param(ROW + "a.jpg,10,10,110,60,chicken\n", "line 2: 6 columns", id="two kinds in one"),
        pytest.param(HEADER + ROW.replace("a.jpg", " "), "line 2: names no picture", id="no picture"),
        pytest.param(HEADER + ROW.replace("200", "wide"), "line 2: width and height are not two numbers", id="width"),
        pytest.param(HEADER + '"' + "x" * 200_000, "line 2: field larger than field limit", id="field over the limit"),
        pytest.param(HEADER + '"a.jpg"x,1\n', "line 2: ',' expected after '\"'", id="text after a quote"),
        pytest.param(HEADER.replace("width", "xmin") + ROW, "line 1: the column xmin stands there twice", id="twice"),
        pytest.param(b"\xff\xff\xff", "is neither UTF-8 nor CP949", id="no text"),
    ],
)
def test_bad_file_is_refused_with_file_and_line(tmp_path: Path, table: str | bytes, reason: str) -> None:
    save_source(tmp_path, table, "a.jpg", "b.jpg")
    (tmp_path / "fine.csv").write_text(ROW.replace("a.jpg", "b.jpg"))
    with pytest.raises(AnnotationError) as caught:
        read(tmp_path)
    assert f"1 file cannot be read: boxes.csv: {reason}" in str(caught.value)
    dataset, report = read(tmp_path, skip_bad=True)
    assert [image.name for image in dataset.images] == ["b.jpg"]
    assert "boxes.csv" in [skip.file for skip in report.skipped]


def test_nothing_to_read(tmp_path: Path) -> None:
    save_source(tmp_path, "x,y\n")
    with pytest.raises(AnnotationError, match="holds no CSV table of boxes"):
        read(tmp_path)
    with pytest.raises(AnnotationError, match="no annotation has its picture"):
        read(save_source(tmp_path / "header", HEADER))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A table with some of its fields replaced by anything, then some of its bytes."""
    rows = [line.split(",") for line in (HEADER + ROW + "a.jpg,200,100,egg,0,0,5,5").split("\n")]
    for row in draw(st.lists(st.sampled_from(rows), max_size=2)):
        row[draw(st.integers(0, 7))] = draw(st.text(max_size=4) | st.floats().map(str) | st.integers().map(str))
    lines = rows[draw(st.integers(0, 1)) :]
    data = bytearray("\n".join(map(",".join, lines)).encode())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_mutated_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = save_source(tmp_path_factory.mktemp("mutated"), data)
    try:
        dataset, _ = read(folder, unlabelled="background")
    except InputError:
        return
    assert dataset.names == tuple(sorted({truth.label for truth in dataset.images[0].truths}))
    for truth in dataset.images[0].truths:
        assert 0 <= truth.box.x0 < truth.box.x1 <= 200
        assert 0 <= truth.box.y0 < truth.box.y1 <= 100


# --- real files


def test_six_raccoons() -> None:
    dataset, report = formats.read(DATA / "raccoon_csv")
    assert [(image.name, image.split, len(image.truths)) for image in dataset.images] == [
        ("images/raccoon-125.jpg", "test", 1),
        ("images/raccoon-143.jpg", "test", 1),
        ("images/raccoon-150.jpg", "train", 1),
        ("images/raccoon-151.jpg", "train", 1),
        ("images/raccoon-31.jpg", "train", 2),
        ("images/raccoon-39.jpg", "train", 1),
    ]
    assert dataset.images[4].truths == (
        Truth(Box(82, 21, 187, 197), "raccoon"),
        Truth(Box(11, 55, 80, 145), "raccoon"),
    )
    assert report == ReadReport(
        notes=(
            "2 pictures are annotated alike in data/raccoon_labels.csv and data/test_labels.csv: taken once",
            "4 pictures are annotated alike in data/raccoon_labels.csv and data/train_labels.csv: taken once",
        )
    )


def test_all_raccoons_are_those_of_the_xml() -> None:
    if not (SHARED / "raccoon_voc").is_dir():
        pytest.skip(f"{SHARED / 'raccoon_voc'} is not here")
    dataset, report = formats.read(SHARED / "raccoon_voc", "csv")
    assert (len(dataset.images), dataset.boxes, dataset.names) == (200, 217, ("raccoon",))
    assert [len(dataset.of(split)) for split in ("train", "val", "test")] == [160, 0, 40]
    assert (changes(report), report.skipped) == ([], ())
    xml, _ = formats.read(SHARED / "raccoon_voc", "labelimg")
    assert [(i.name, set(i.truths)) for i in dataset.images] == [(i.name, set(i.truths)) for i in xml.images]
