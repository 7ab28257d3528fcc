"""detections.csv, detections.json, counts.csv and skipped.csv, to the letter."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from seen_pictures import found, saved, seen

from yolo_pipeline import formats
from yolo_pipeline.detecting.tables import cell, write_coco, write_counts, write_detections, write_skipped
from yolo_pipeline.nouns import Box, Skip, Truth
from yolo_pipeline.views import Seen, Views

VIEWS = Views((0.3, 0.5))
NAMES = ["onion", "닭"]
PICTURES = (
    seen("b/닭 1.jpg", found("닭", 0.91234, 1.006, 2.5, 99.999, 40), found("onion", 0.3), found("닭", 0.29)),
    seen("empty.jpg", found("onion", 0.1)),
    seen("a.png", found("onion", 0.5, 0, 0, 10, 10), found("onion", 0.4)),
)


def test_one_row_a_box(tmp_path: Path) -> None:
    write_detections(tmp_path / "out" / "detections.csv", PICTURES, VIEWS)
    assert (tmp_path / "out" / "detections.csv").read_text(encoding="utf-8") == (
        "image,class,score,x0,y0,x1,y1\n"
        "b/닭 1.jpg,닭,0.9123,1.01,2.50,100.00,40.00\n"
        "b/닭 1.jpg,onion,0.3000,10.00,20.00,50.00,60.00\n"
        "a.png,onion,0.5000,0.00,0.00,10.00,10.00\n"
        "a.png,onion,0.4000,10.00,20.00,50.00,60.00\n"
    )


def test_counts_name_every_picture_that_was_read(tmp_path: Path) -> None:
    write_counts(tmp_path / "counts.csv", PICTURES, VIEWS)
    assert (tmp_path / "counts.csv").read_text(encoding="utf-8") == (
        "image,class,0.3,0.5\n"
        "b/닭 1.jpg,닭,1,1\n"
        "b/닭 1.jpg,onion,1,0\n"
        "empty.jpg,,0,0\n"
        "a.png,onion,2,1\n"
    )  # fmt: skip


def test_skipped_files_with_their_reasons(tmp_path: Path) -> None:
    skips = [Skip("a,b.jpg", 'said "no"'), Skip("c\nd.jpg", "the file is empty")]
    write_skipped(tmp_path / "skipped.csv", skips)
    assert (tmp_path / "skipped.csv").read_text(encoding="utf-8") == (
        'file,reason\n"a,b.jpg","said ""no"""\nc d.jpg,the file is empty\n'
    )


def test_no_boxes_no_rows(tmp_path: Path) -> None:
    write_detections(tmp_path / "a.csv", [], VIEWS)
    write_coco(tmp_path / "a.json", lambda: [], VIEWS, NAMES)
    assert (tmp_path / "a.csv").read_text() == "image,class,score,x0,y0,x1,y1\n"
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        "categories": [{"id": 1, "name": "onion"}, {"id": 2, "name": "닭"}], "images": [], "annotations": [],
    }  # fmt: skip


def test_coco_json(tmp_path: Path) -> None:
    write_coco(tmp_path / "detections.json", lambda: iter(PICTURES), VIEWS, NAMES)
    found = json.loads((tmp_path / "detections.json").read_text(encoding="utf-8"))
    assert found["categories"] == [{"id": 1, "name": "onion"}, {"id": 2, "name": "닭"}]
    assert found["images"] == [
        {"id": 1, "file_name": "b/닭 1.jpg", "width": 100, "height": 80},
        {"id": 2, "file_name": "empty.jpg", "width": 100, "height": 80},
        {"id": 3, "file_name": "a.png", "width": 100, "height": 80},
    ]
    assert found["annotations"][0] == {
        "id": 1, "image_id": 1, "category_id": 2, "bbox": [1.01, 2.5, 98.99, 37.5], "area": 3712.12,
        "score": 0.9123, "iscrowd": 0,
    }  # fmt: skip
    ids = [(one["id"], one["image_id"], one["category_id"]) for one in found["annotations"]]
    assert ids == [(1, 1, 2), (2, 1, 1), (3, 3, 1), (4, 3, 1)]


def test_our_reader_takes_the_coco_json(tmp_path: Path) -> None:
    for one in PICTURES:
        saved(tmp_path / one.name)
    write_coco(tmp_path / "detections.json", lambda: iter(PICTURES), VIEWS, NAMES)
    dataset, report = formats.read(tmp_path, "coco")
    assert dataset.names == ("onion", "닭")
    assert {image.name: image.truths for image in dataset.images} == {
        "a.png": (Truth(Box(0, 0, 10, 10), "onion"), Truth(Box(10, 20, 50, 60), "onion")),
        "b/닭 1.jpg": (Truth(Box(1.01, 2.5, 100, 40), "닭"), Truth(Box(10, 20, 50, 60), "onion")),
        "empty.jpg": (),
    }
    assert not report.fixed
    assert not report.dropped


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        pytest.param("닭  한 마리.jpg", "닭  한 마리.jpg", id="as it is, both blanks"),
        pytest.param("=1+1.jpg", "'=1+1.jpg", id="formula"),
        pytest.param("+82.jpg", "'+82.jpg", id="plus"),
        pytest.param("-2.jpg", "'-2.jpg", id="minus"),
        pytest.param("@home.jpg", "'@home.jpg", id="at"),
        pytest.param("\t=1.jpg", "' =1.jpg", id="after a tab"),
        pytest.param("a=b.jpg", "a=b.jpg", id="within"),
        pytest.param("a\r\nb\0.jpg", "a  b .jpg", id="control characters"),
        pytest.param("\udc80.jpg", " .jpg", id="no Unicode"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_cell_is_one_line_and_no_formula(name: str, wanted: str) -> None:
    assert cell(name) == wanted


def test_hostile_names_forge_no_row(tmp_path: Path) -> None:
    names = ['"', "a,b", "x\ny,1,2", "=HYPERLINK(1)", "\udc80", "닭"]
    pictures = [seen(name, found(name, 0.9)) for name in names]
    write_detections(tmp_path / "a.csv", pictures, VIEWS)
    write_coco(tmp_path / "a.json", lambda: pictures, VIEWS, names)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.reader(text))
    assert [row[0] for row in rows] == ["image", '"', "a,b", "x y,1,2", "'=HYPERLINK(1)", " ", "닭"]
    assert {len(row) for row in rows} == {7}
    coco = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [image["file_name"] for image in coco["images"]] == names


def test_an_interruption_leaves_the_table_that_was_there(tmp_path: Path) -> None:
    def interrupted() -> Iterator[Seen]:
        yield PICTURES[0]
        raise KeyboardInterrupt

    (tmp_path / "a.csv").write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_detections(tmp_path / "a.csv", interrupted(), VIEWS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "before"


def test_many_pictures_take_no_more_memory_than_few(tmp_path: Path) -> None:
    def pictures() -> Iterator[Seen]:
        return (seen(f"{number}.jpg", *(found("닭", 0.9),) * 3) for number in range(1000))

    tracemalloc.start()
    write_detections(tmp_path / "a.csv", pictures(), VIEWS)
    write_coco(tmp_path / "a.json", pictures, VIEWS, NAMES)
    write_counts(tmp_path / "b.csv", pictures(), VIEWS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000  # other threads of the process count, too
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 3001
