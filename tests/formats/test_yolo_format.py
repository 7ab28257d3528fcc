"""YOLO folders: names, splits, Roboflow's layout, polygons, bad rows, trust, writing and round trips."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats import ReadOptions, yolo
from yolo_pipeline.nouns import Box, Change, Dataset, ImageRecord, ReadReport, Truth

ROW = "0 0.3 0.35 0.5 0.5\n"
BOX = Box(10, 10, 110, 60)
NAMES = "names: [chicken, onion]\n"


def save_picture(path: Path, size: tuple[int, int] = (200, 100)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "teal").save(path, format="JPEG")
    return path


def save_source(folder: Path, labels: dict[str, str | None], config: str | None = NAMES) -> Path:
    """Pictures named by the keys (`train/images/a.jpg`) with the label text in the values (None: no file)."""
    for name, text in labels.items():
        save_picture(folder / name)
        label = (folder / name.replace("images/", "labels/")).with_suffix(".txt")
        label.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            label.write_text(text, encoding="utf-8")
    if config is not None:
        (folder / "data.yaml").write_text(config, encoding="utf-8")
    return folder


def splits(dataset: Dataset) -> dict[str, str | None]:
    return {image.name: image.split for image in dataset.images}


# --- class names


@pytest.mark.parametrize(
    ("config", "names"),
    [
        pytest.param("names: [chicken, onion]", ("chicken", "onion"), id="list"),
        pytest.param("names: {0: chicken, 1: onion}", ("chicken", "onion"), id="dict"),
        pytest.param("names: {1: onion, 0: chicken}", ("chicken", "onion"), id="dict in another order"),
        pytest.param("names: ['0', '1']", ("0", "1"), id="numeric strings"),
        pytest.param("names: [0, 1]", ("0", "1"), id="numbers"),
        pytest.param("names: [' chicken ', 양파]", ("chicken", "양파"), id="blanks, Korean"),
    ],
)
def test_class_names_of_data_yaml(tmp_path: Path, config: str, names: tuple[str, ...]) -> None:
    save_source(tmp_path, {"images/a.jpg": ROW}, config)
    dataset, _ = formats.read(tmp_path, "yolo")
    assert dataset.names == names
    assert dataset.images[0].truths == (Truth(BOX, names[0]),)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        pytest.param("names: {0: chicken, 2: onion}", "class numbers are not 0, 1, 2", id="a number is missing"),
        pytest.param("names: [chicken, chicken]", "'chicken' stands there twice", id="a name twice"),
        pytest.param("names: chicken", "not a list of class names", id="one string"),
        pytest.param("names: [[chicken]]", "not a list of class names", id="list in a list"),
        pytest.param("names: [", "not a YAML file", id="broken YAML"),
        pytest.param("- chicken", "does not hold keys and values", id="no mapping"),
        pytest.param("names: !!python/object/apply:os.getcwd []", "not a YAML file", id="a Python object"),
        pytest.param("names: [a]\nnc: !!bool maybe", "not a YAML file", id="no truth value"),
        pytest.param('names: [a]\nnc: !!int ""', "not a YAML file", id="no number"),
        pytest.param("names: [a]\ndate: !!timestamp abc", "not a YAML file", id="no date"),
        pytest.param(f"names: [0x{'f' * 5000}]", "not a YAML file", id="a name of 6,000 digits"),
    ],
)
def test_wrong_data_yaml_is_named(tmp_path: Path, config: str, reason: str) -> None:
    save_source(tmp_path, {"images/a.jpg": ROW}, config)
    with pytest.raises(AnnotationError, match=reason) as caught:
        formats.read(tmp_path, "yolo")
    assert str(tmp_path / "data.yaml") in caught.value.where


def test_class_names_of_classes_txt(tmp_path: Path) -> None:
    save_source(tmp_path, {"a.jpg": "1 0.3 0.35 0.5 0.5\n"}, config=None)
    (tmp_path / "classes.txt").write_text("chicken\n양파\n", encoding="utf-8")
    dataset, report = formats.read(tmp_path, "yolo")
    assert dataset.names == ("chicken", "양파")
    assert dataset.images[0].truths == (Truth(BOX, "양파"),)
    assert report == ReadReport(notes=report.notes)


def test_without_names_the_numbers_are_the_names(tmp_path: Path) -> None:
    save_source(tmp_path, {"a.jpg": "2 0.3 0.35 0.5 0.5\n"}, config=None)
    dataset, report = formats.read(tmp_path, "yolo")
    assert dataset.names == ("0", "1", "2")
    assert report.notes == ("no class names found (data.yaml, classes.txt): the class numbers are the names",)


# --- layout and splits


ROBOFLOW = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: [chicken, onion]\n"


def test_roboflow_layout(tmp_path: Path) -> None:
    pictures = {"train/images/a.jpg": ROW, "valid/images/b.jpg": ROW, "test/images/c.jpg": ROW}
    dataset, report = formats.read(save_source(tmp_path, dict(pictures), ROBOFLOW), "yolo")
    assert splits(dataset) == {
        "test/images/c.jpg": "test",
        "train/images/a.jpg": "train",
        "valid/images/b.jpg": "val",
    }
    assert dataset.boxes == 3
    assert report == ReadReport(notes=report.notes)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param("train: /Users/joa/food/train/images\nval: /Users/joa/food/valid/images\n", id="absolute"),
        pytest.param("train: C:\\food\\train\\images\nval: C:\\food\\valid\\images\n", id="Windows"),
        pytest.param("path: /home/joa/food\ntrain: train/images\nval: valid/images\n", id="under an absolute path"),
        pytest.param("path: ../datasets/food\ntrain: train\nval: valid\n", id="folders without images"),
        pytest.param("", id="folder names only"),
    ],
)
def test_somebody_elses_paths_mean_the_folders_here(tmp_path: Path, config: str) -> None:
    save_source(tmp_path, {"train/images/a.jpg": ROW, "valid/images/b.jpg": ROW}, config + NAMES)
    dataset, report = formats.read(tmp_path, "yolo")
    assert splits(dataset) == {"train/images/a.jpg": "train", "valid/images/b.jpg": "val"}
    assert report == ReadReport(notes=report.notes)


def test_missing_test_folder_is_noted(tmp_path: Path) -> None:
    save_source(tmp_path, {"train/images/a.jpg": ROW, "valid/images/b.jpg": ROW}, ROBOFLOW)
    dataset, report = formats.read(tmp_path, "yolo")
    assert dataset.of("test") == ()
    assert report.notes == ("data.yaml: test: ../test/images is not there and was left out",)


def test_ultralytics_layout(tmp_path: Path) -> None:
    config = "path: coco8\ntrain: images/train\nval: images/val\n" + NAMES
    dataset, _ = formats.read(
        save_source(tmp_path, {"images/train/a.jpg": ROW, "images/val/b.jpg": ROW}, config), "yolo"
    )
    assert splits(dataset) == {"images/train/a.jpg": "train", "images/val/b.jpg": "val"}
    assert dataset.boxes == 2


def test_wrong_folders_in_data_yaml_do_not_mix_the_splits(tmp_path: Path) -> None:
    config = "train: ../train/images\nval: ../valid/images\n" + NAMES
    dataset, _ = formats.read(
        save_source(tmp_path, {"images/train/a.jpg": ROW, "images/val/b.jpg": ROW}, config), "yolo"
    )
    assert splits(dataset) == {"images/train/a.jpg": "train", "images/val/b.jpg": "val"}


def test_list_files_are_the_splits(tmp_path: Path) -> None:
    config = "train: train.txt\nval: val.txt\n" + NAMES
    save_source(tmp_path, {"images/a.jpg": ROW, "images/b.jpg": ROW}, config)
    (tmp_path / "train.txt").write_text("./images/a.jpg\n")
    (tmp_path / "val.txt").write_text("/home/joa/food/images/b.jpg\n")
    dataset, report = formats.read(tmp_path, "yolo")
    assert splits(dataset) == {"images/a.jpg": "train", "images/b.jpg": "val"}
    assert report == ReadReport(notes=report.notes)


def test_pictures_may_lie_in_another_folder(tmp_path: Path) -> None:
    save_picture(tmp_path / "photos" / "a.jpg")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text(ROW)
    dataset, _ = formats.read(tmp_path / "labels", "yolo", ReadOptions(images=tmp_path / "photos"))
    assert dataset.images[0].truths == (Truth(BOX, "0"),)


def test_roboflow_versions_of_a_photo_share_a_group(tmp_path: Path) -> None:
    names = [f"train/images/pan_jpg.rf.{digit * 32}.jpg" for digit in "0a"]
    save_source(tmp_path, {**dict.fromkeys(names, ROW), "train/images/pot.jpg": ROW})
    dataset, _ = formats.read(tmp_path, "yolo")
    assert [image.group for image in dataset.images] == ["pan_jpg", "pan_jpg", ""]


# --- rows


def test_polygons_become_boxes_and_are_counted(tmp_path: Path) -> None:
    polygon = "1 0.05 0.1 0.55 0.1 0.55 0.6\n"
    save_source(tmp_path, {"images/a.jpg": ROW + polygon, "images/b.jpg": polygon})
    dataset, report = formats.read(tmp_path, "yolo")
    assert [image.truths for image in dataset.images] == [
        (Truth(BOX, "chicken"), Truth(BOX, "onion")),
        (Truth(BOX, "onion"),),
    ]
    assert report == ReadReport(notes=("2 polygons became their bounding boxes",))


@pytest.mark.parametrize("text", [pytest.param(None, id="missing"), "", pytest.param("\n \n", id="blank lines")])
def test_missing_or_empty_label_file_is_background(tmp_path: Path, text: str | None) -> None:
    save_source(tmp_path, {"images/a.jpg": text})
    dataset, report = formats.read(tmp_path, "yolo")
    assert [image.is_background for image in dataset.images] == [True]
    assert report == ReadReport(notes=report.notes)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("0 0.5 0.5 0.5", "4 columns", id="a column is missing"),
        pytest.param("0 0.5 0.5 0.5 0.5 0.9", "6 columns", id="a column too many"),
        pytest.param("0 0.1 0.1 0.5 0.5 0.9 0.1 0.2", "8 columns", id="polygon with half a point"),
        pytest.param("chicken 0.5 0.5 0.5 0.5", "not a row of numbers", id="class by name"),
        pytest.param("0 0.5 0,5 0.5 0.5", "not a row of numbers", id="decimal comma"),
        pytest.param("2 0.5 0.5 0.5 0.5", "class 2, but there are classes 0 to 1", id="class out of range"),
        pytest.param("-1 0.5 0.5 0.5 0.5", "class -1, but there are classes 0 to 1", id="negative class"),
        pytest.param("0.5 0.5 0.5 0.5 0.5", "class 0.5, but there are classes 0 to 1", id="half a class"),
        pytest.param("nan 0.5 0.5 0.5 0.5", "class nan, but there are classes 0 to 1", id="class NaN"),
    ],
)
def test_bad_row_is_refused_with_file_and_line(tmp_path: Path, row: str, reason: str) -> None:
    save_source(tmp_path, {"images/a.jpg": ROW + row + "\n", "images/b.jpg": ROW})
    with pytest.raises(AnnotationError) as caught:
        formats.read(tmp_path, "yolo")
    assert f"labels/a.txt: line 2: {reason}" in str(caught.value)
    dataset, report = formats.read(tmp_path, "yolo", ReadOptions(skip_bad=True))
    assert [image.name for image in dataset.images] == ["images/b.jpg"]
    assert [skip.file for skip in report.skipped] == ["labels/a.txt"]


def test_all_bad_files_are_named(tmp_path: Path) -> None:
    save_source(tmp_path, {"images/a.jpg": "x", "images/b.jpg": ROW, "images/c.jpg": "x"})
    (tmp_path / "images" / "b.jpg").write_text("no picture")
    with pytest.raises(AnnotationError, match=r"3 files .*labels/a\.txt.*images/b\.jpg.*labels/c\.txt"):
        formats.read(tmp_path, "yolo")


def test_label_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    save_source(tmp_path, {"images/a.jpg": ROW})
    (tmp_path / "labels" / "a.txt").write_bytes(b"\xff\xfe0\x00")
    with pytest.raises(AnnotationError, match=r"labels/a\.txt"):
        formats.read(tmp_path, "yolo")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        pytest.param("0 nan 0.5 0.5 0.5", "no box", id="NaN"),
        pytest.param("0 0.5 0.5 inf 0.5", "no box", id="infinite"),
        pytest.param("0 0.5 0.5 0 0.5", "no area", id="no width"),
        pytest.param("0 1.5 0.5 0.2 0.2", "outside", id="outside"),
        pytest.param("1 0.3 0.35 0.5 0.5", "duplicate", id="duplicate"),
    ],
)
def test_row_without_box_is_dropped_and_reported(tmp_path: Path, row: str, what: str) -> None:
    save_source(tmp_path, {"images/a.jpg": f"1 0.3 0.35 0.5 0.5\n\n{row}\n"})
    dataset, report = formats.read(tmp_path, "yolo")
    assert dataset.images[0].truths == (Truth(BOX, "onion"),)
    assert [(change.file, change.object, change.what) for change in report.dropped] == [("labels/a.txt", 2, what)]


def test_row_that_reaches_out_is_clipped_and_reported(tmp_path: Path) -> None:
    save_source(tmp_path, {"images/a.jpg": "0 0.95 0.5 0.2 0.4\n"})
    dataset, report = formats.read(tmp_path, "yolo")
    assert dataset.images[0].truths == (Truth(Box(170, 30, 200, 70), "chicken"),)
    why = "(170, 30, 210, 70) reaches out of the 200x100 picture"
    assert report.fixed == (Change("labels/a.txt", 1, "clipped", why),)


def test_labels_without_picture_are_skipped(tmp_path: Path) -> None:
    save_source(tmp_path, {"images/a.jpg": ROW})
    (tmp_path / "labels" / "b.txt").write_text(ROW)
    (tmp_path / "README.roboflow.txt").write_text("no labels")
    _, report = formats.read(tmp_path, "yolo")
    assert [(skip.file, skip.why) for skip in report.skipped] == [("labels/b.txt", "labels without picture")]


def test_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(NAMES)
    with pytest.raises(AnnotationError, match="holds no picture"):
        formats.read(tmp_path, "yolo")


# --- trust


def test_download_of_data_yaml_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    config = f"{NAMES}download: |\n  import pathlib\n  pathlib.Path({str(marker)!r}).touch()\n"
    save_source(tmp_path / "in", {"images/a.jpg": ROW}, config)
    dataset, _ = formats.read(tmp_path / "in", "yolo")
    yolo.write(dataset, tmp_path / "out")
    assert not marker.exists()
    assert "download:" not in (tmp_path / "out" / "data.yaml").read_text()


class Malicious:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def test_label_cache_is_not_opened(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    save_source(tmp_path / "in", {"images/a.jpg": ROW})
    cache = tmp_path / "in" / "labels.cache"
    cache.write_bytes(pickle.dumps(Malicious(marker)))
    cache.with_name("images.npy").write_bytes(cache.read_bytes())
    assert formats.read(tmp_path / "in", "yolo")[0].boxes == 1
    assert not marker.exists()
    pickle.loads(cache.read_bytes())
    assert marker.exists(), "the trap itself does not work"


def test_path_of_data_yaml_does_not_lead_out_of_the_source(tmp_path: Path) -> None:
    save_source(tmp_path / "secret", {"private/b.jpg": ROW}, config=None)
    config = f"path: {tmp_path / 'secret'}\ntrain: private\nval: ../secret/private\n{NAMES}"
    save_source(tmp_path / "in", {"images/a.jpg": ROW}, config)
    dataset, report = formats.read(tmp_path / "in", "yolo")
    assert [image.name for image in dataset.images] == ["images/a.jpg"]
    assert report.notes == (
        "data.yaml: train: private is not there and was left out",
        "data.yaml: val: ../secret/private is not there and was left out",
    )


# --- writing


def record(picture: Path, name: str, *truths: Truth, size: tuple[int, int] = (200, 100)) -> ImageRecord:
    return ImageRecord(save_picture(picture, size), name, *size, ".jpg", truths)


def essence(dataset: Dataset) -> tuple[tuple[str, ...], list[tuple[str, int, int, tuple[Truth, ...], str | None]]]:
    """What must survive: all but where the bytes lie; file names without their folder."""
    rows = [(i.name.rpartition("/")[2], i.width, i.height, i.truths, i.split) for i in dataset.images]
    return dataset.names, sorted(rows)


def test_written_files_word_for_word(tmp_path: Path) -> None:
    labelled = record(tmp_path / "a.jpg", "a.jpg", Truth(BOX, "양파"), Truth(Box(0, 0, 200, 100), "chicken"))
    empty = replace(record(tmp_path / "b.jpg", "b.jpg"), split="val")
    out = tmp_path / "out"
    placed = yolo.write(Dataset(("chicken", "양파"), (labelled, empty)), out)
    assert placed == {"a.jpg": "images/train/a.jpg", "b.jpg": "images/val/b.jpg"}
    assert (out / "labels/train/a.txt").read_bytes() == b"1 0.3 0.35 0.5 0.5\n0 0.5 0.5 1 1\n"
    assert (out / "labels/val/b.txt").read_bytes() == b""
    expected = f"path: {out.resolve()}\ntrain: images/train\nval: images/val\nnames:\n  0: chicken\n  1: 양파\n"
    assert (out / "data.yaml").read_text(encoding="utf-8") == expected


def test_round_trip(tmp_path: Path) -> None:
    labelled = record(tmp_path / "a.jpg", "a.jpg", Truth(BOX, "chicken"), Truth(Box(0, 0.5, 200, 99), "양파"))
    images = (replace(labelled, split="train"), replace(record(tmp_path / "b.jpg", "b.jpg"), split="test"))
    dataset = Dataset(("양파", "chicken", "nowhere"), images)
    yolo.write(dataset, tmp_path / "out")
    again, report = formats.read(tmp_path / "out", "yolo")
    assert essence(again) == essence(dataset)
    assert report == ReadReport(notes=report.notes)


@st.composite
def half_pixel_images(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[Truth, ...]]:
    """A size and boxes with corners on whole and half pixels, all inside and none twice."""
    width, height = draw(st.integers(1, 700)), draw(st.integers(1, 700))

    def side(length: int) -> st.SearchStrategy[list[int]]:
        return st.lists(st.integers(0, 2 * length), min_size=2, max_size=2, unique=True).map(sorted)

    pairs = draw(st.lists(st.tuples(side(width), side(height)), max_size=4))
    truths = [Truth(Box(x[0] / 2, y[0] / 2, x[1] / 2, y[1] / 2), "egg") for x, y in pairs]
    return (width, height), tuple(dict.fromkeys(truths))


@settings(max_examples=30, deadline=None)
@given(half_pixel_images())
def test_half_pixel_boxes_survive_the_round_trip(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[tuple[int, int], tuple[Truth, ...]]
) -> None:
    size, truths = drawn
    folder = tmp_path_factory.mktemp("round-trip")
    dataset = Dataset(("egg",), (replace(record(folder / "a.jpg", "a.jpg", *truths, size=size), split="train"),))
    yolo.write(dataset, folder / "out")
    again, report = formats.read(folder / "out", "yolo")
    assert essence(again) == essence(dataset)
    assert report.fixed == ()
    assert report.dropped == ()


@pytest.mark.parametrize(("link", "same"), [pytest.param(True, True, id="link"), pytest.param(False, False, id="copy")])
def test_pictures_are_linked_or_copied(tmp_path: Path, link: bool, same: bool) -> None:
    image = record(tmp_path / "a.jpg", "a.jpg")
    yolo.write(Dataset((), (image,)), tmp_path / "out", link=link)
    written = tmp_path / "out" / "images" / "train" / "a.jpg"
    assert written.read_bytes() == image.file.read_bytes()
    assert (written.stat().st_ino == image.file.stat().st_ino) is same


def test_linking_where_the_disk_cannot_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(source: object, target: object, **_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    image = record(tmp_path / "a.jpg", "a.jpg")
    yolo.write(Dataset((), (image,)), tmp_path / "out", link=True)
    assert (tmp_path / "out" / "images" / "train" / "a.jpg").read_bytes() == image.file.read_bytes()


def test_linking_a_relative_symbolic_link_leaves_a_readable_picture(tmp_path: Path) -> None:
    stored = record(tmp_path / "store" / "a.jpg", "a.jpg")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").symlink_to(Path("..", "store", "a.jpg"))
    image = replace(stored, file=tmp_path / "in" / "a.jpg")
    yolo.write(Dataset((), (image,)), tmp_path / "out", link=True)
    written = tmp_path / "out" / "images" / "train" / "a.jpg"
    assert written.is_file()
    assert written.read_bytes() == stored.file.read_bytes()


@pytest.mark.parametrize("link", [True, False])
def test_existing_pictures_are_never_replaced(tmp_path: Path, link: bool) -> None:
    image = record(tmp_path / "a.jpg", "a.jpg")
    there = tmp_path / "out" / "images" / "train" / "a.jpg"
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    with pytest.raises(FileExistsError):
        yolo.write(Dataset((), (image,)), tmp_path / "out", link=link)
    assert there.read_text() == "mine"


def test_stems_that_collide_when_case_is_ignored_get_numbers(tmp_path: Path) -> None:
    names = ["1/Pan.jpg", "2/pan.jpg", "3/pan.jpeg", "4/pan-2.jpg"]
    images = [record(tmp_path / name, name, Truth(Box(0, 0, n, n), "egg")) for n, name in enumerate(names, start=1)]
    placed = yolo.write(Dataset(("egg",), tuple(images)), tmp_path / "out")
    assert list(placed) == names
    assert list(placed.values()) == [
        "images/train/Pan.jpg",
        "images/train/pan-2.jpg",
        "images/train/pan-3.jpg",
        "images/train/pan-2-2.jpg",
    ]
    again, _ = formats.read(tmp_path / "out", "yolo")
    widths = {image.name: image.truths[0].box.width for image in again.images}
    assert widths == {path: float(n) for n, path in enumerate(placed.values(), start=1)}


def test_equal_stems_in_two_splits_do_not_share_a_label_file(tmp_path: Path) -> None:
    first = replace(record(tmp_path / "1" / "a.jpg", "train/a.jpg", Truth(BOX, "egg")), split="train")
    second = replace(record(tmp_path / "2" / "a.jpg", "val/a.jpg"), split="val")
    yolo.write(Dataset(("egg",), (first, second)), tmp_path / "out")
    again, _ = formats.read(tmp_path / "out", "yolo")
    assert [(len(again.of(split)), sum(len(i.truths) for i in again.of(split))) for split in ("train", "val")] == [
        (1, 1),
        (1, 0),
    ]


def test_nested_aliases_in_data_yaml_are_not_expanded(tmp_path: Path) -> None:
    """Each level is ten times the one before; written out, the last would be a gigabyte."""
    save_source(tmp_path, {"images/train/a.jpg": ROW})
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "data.yaml").write_text("\n".join([*levels, "names: [a, b]", "train: [*l8]", "path: *l8"]))
    dataset, report = formats.read(tmp_path, "yolo")
    assert len(dataset.images) == 1
    assert report.notes == ("data.yaml: train: is no path and was left out",)


def test_two_data_sets_below_a_folder_are_not_joined_by_number(tmp_path: Path) -> None:
    for name, classes in (("v4", "[egg, milk]"), ("v8", "[milk, egg]")):
        (tmp_path / name / "images").mkdir(parents=True)
        Image.new("RGB", (20, 10)).save(tmp_path / name / "images" / "a.jpg")
        (tmp_path / name / "data.yaml").write_text(f"names: {classes}")
    with pytest.raises(AnnotationError, match=r"several YOLO data sets \(v4/data\.yaml, v8/data\.yaml\).*as a source"):
        formats.read(tmp_path, "yolo")
    assert formats.read(tmp_path / "v8", "yolo")[0].names == ("milk", "egg")


def test_pictures_of_another_format_are_no_backgrounds(tmp_path: Path) -> None:
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg")
    (tmp_path / "a.xml").write_text("<annotation/>")
    (tmp_path / "train.txt").write_text("a")
    with pytest.raises(AnnotationError, match="holds neither label files nor class names of YOLO"):
        formats.read(tmp_path, "yolo")


def test_rows_in_pixels_are_asked_about(tmp_path: Path) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text("0 50 50 10 10")
    _, report = formats.read(tmp_path, "yolo")
    assert report.dropped[0].why.endswith("; rows hold fractions: are these pixels?")


def test_a_data_yaml_without_val_says_so(tmp_path: Path) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "a.jpg")
    record = ImageRecord(tmp_path / "a.jpg", "a.jpg", 200, 100, ".jpg", split="test")
    yolo.write(Dataset(("egg",), (record,)), tmp_path / "out")
    text = (tmp_path / "out" / "data.yaml").read_text()
    assert text.startswith("# There is no val split.")
    config = yaml.safe_load(text)
    assert (config["train"], config["val"], config["test"]) == ("images/train", "images/train", "images/test")
