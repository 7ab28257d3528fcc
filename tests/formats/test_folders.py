"""Folders by class: layouts, class names of all kinds, what is refused, and writing what reading gives back."""

from __future__ import annotations

import json
import shutil
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from conftest import SHARED, Ended
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import formats
from yolo_pipeline.classification import whole
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.formats import ReadOptions, folders
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.formats.source import open_source
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Truth

Cli = Callable[..., Ended]
MNIST = Path(__file__).parents[1] / "data" / "mnist_png"


def save(root: Path, *names: str, size: tuple[int, int] = (12, 10)) -> Path:
    """Pictures of these names, no two alike; a name that ends in `/` is an empty folder."""
    for number, name in enumerate(names):
        if name.endswith("/"):
            (root / name).mkdir(parents=True)
            continue
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (number % 256, number // 256, 7)).save(root / name, "PNG")
    return root


def told(dataset: Dataset) -> list[tuple[str, str | None, str]]:
    return [(image.name, image.split, image.truths[0].label) for image in dataset.images]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["train/cat/1.png", "test/dog/1.png", "val/cat/1.png"], [("test", "dog"), ("train", "cat"), ("val", "cat")], id="splits"),
        pytest.param(["cat/1.png", "dog/1.png"], [(None, "cat"), (None, "dog")], id="no splits"),
        pytest.param(["Training/cat/1.png", "VALIDATION/cat/1.png"], [("train", "cat"), ("val", "cat")], id="splits by other names"),
        pytest.param(["train/cat/a/b/1.png", "train/cat/2.png"], [("train", "cat"), ("train", "cat")], id="any depth below the class"),
        pytest.param(["data/train/cat/1.png", "data/val/dog/1.png"], [("train", "cat"), ("val", "dog")], id="folder above splits"),
        pytest.param(["digits 2/train/1/1.png", "digits 2/val/1/1.png"], [("train", "1"), ("val", "1")], id="folder of an archive"),
        pytest.param(["all/my/cat/1.png", "all/my/dog/1.png"], [(None, "cat"), (None, "dog")], id="folders above classes"),
        pytest.param(["bus/1.png", "car/1.png", "train/1.png"], [(None, "bus"), (None, "car"), (None, "train")], id="a class called train"),
        pytest.param(["train/test/1.png", "train/val/1.png"], [("train", "test"), ("train", "val")], id="classes named like splits"),
        pytest.param(["cat/1.png"], [(None, "cat")], id="one class"),
        pytest.param(["train/cat/1.png"], [("train", "cat")], id="one split of one class"),
        pytest.param(["Cat/1.png", "cat/1.png"], [(None, "Cat"), (None, "cat")], id="case is kept"),
    ],
)  # fmt: skip
def test_layouts(tmp_path: Path, names: list[str], expected: list[tuple[str | None, str]]) -> None:
    dataset, report = formats.read(save(tmp_path, *names), "folders")
    assert [(split, label) for _, split, label in told(dataset)] == expected
    assert [image.name for image in dataset.images] == sorted(names)
    assert (report.skipped, report.fixed, report.notes) == ((), (), ())


def test_a_picture_is_one_object_that_is_all_of_it(tmp_path: Path) -> None:
    dataset, _ = formats.read(save(tmp_path, "cat/1.png", "dog/1.png", size=(30, 20)))
    assert dataset.images[0].truths == (Truth(Box(0, 0, 30, 20), "cat"),)
    assert (dataset.images[0].width, dataset.images[0].height) == (30, 20)


@pytest.mark.parametrize(
    ("classes", "order"),
    [
        pytest.param(["10", "9", "0"], ("0", "9", "10"), id="numbers by value"),
        pytest.param(["10", "9", "x"], ("10", "9", "x"), id="sorted where one is no number"),
        pytest.param(["b", "a", "B"], ("B", "a", "b"), id="sorted"),
        pytest.param(["01", "1"], ("01", "1"), id="two names of one number"),
    ],
)
def test_order_of_classes(tmp_path: Path, classes: list[str], order: tuple[str, ...]) -> None:
    assert formats.read(save(tmp_path, *(f"{name}/1.png" for name in classes)), "folders")[0].names == order


def test_decomposed_and_composed_korean_are_one_class(tmp_path: Path) -> None:
    names = [f"train/{unicodedata.normalize('NFC', '감자')}/1.png", f"val/{unicodedata.normalize('NFD', '감자')}/1.png"]
    dataset, report = formats.read(save(tmp_path, *names), "folders")
    assert (dataset.names, report.fixed) == (("감자",), ())


def test_blanks_around_a_class_are_taken_away_and_reported(tmp_path: Path) -> None:
    dataset, report = formats.read(save(tmp_path, "cat /1.png", "cat/1.png", "dog\nerror/1.png"), "folders")
    assert dataset.names == ("cat", "dog error")
    assert [(change.file, change.what) for change in report.fixed] == [("cat ", "label"), ("dog\nerror", "label")]


def test_pictures_in_no_class_folder_are_named(tmp_path: Path) -> None:
    source = save(tmp_path, "train/cat/1.png", "train/dog/1.png", "train/loose.png", "cover.png")
    dataset, report = formats.read(source, "folders")
    assert [image.name for image in dataset.images] == ["train/cat/1.png", "train/dog/1.png"]
    assert [(skip.file, skip.why) for skip in report.skipped] == [
        ("cover.png", "lies in no folder of a class"),
        ("train/loose.png", "lies in no folder of a class"),
    ]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param(["cat/1.png", "dog/", "eel/"], "2 folders of a class without a picture: dog, eel. Put pictures of the class there", id="without splits"),
        pytest.param(["train/cat/1.png", "val/cat/"], "1 folder of a class without a picture: val/cat. ", id="in a split without pictures"),
        pytest.param(["a/train/cat/1.png", "a/val/cat/1.png", "a/val/dog/"], "without a picture: a/val/dog. ", id="below a folder of an archive"),
    ],
)  # fmt: skip
def test_empty_class_folders_are_refused(tmp_path: Path, names: list[str], said: str) -> None:
    with pytest.raises(AnnotationError) as refused:
        formats.read(save(tmp_path, *names), "folders")
    assert said in str(refused.value)


def test_folders_that_are_not_listed_are_not_empty_classes(tmp_path: Path) -> None:
    source = save(tmp_path / "source", "cat/1.png", "dog/1.png", ".cache/", "__MACOSX/")
    (source / "eel").symlink_to(source / "cat", target_is_directory=True)
    dataset, report = formats.read(source)
    assert dataset.names == ("cat", "dog")
    assert [(skip.file, skip.why) for skip in report.skipped] == [("eel", "a link to a folder, which is not followed")]


def test_unreadable_pictures_are_all_named_or_left_out(tmp_path: Path) -> None:
    source = save(tmp_path, "cat/1.png", "cat/2.png", "dog/1.png")
    (source / "cat/1.png").write_bytes(b"no picture")
    (source / "dog/1.jpg").write_bytes(b"")
    with pytest.raises(
        AnnotationError, match=r"2 files cannot be read: cat/1.png: not a picture.*; dog/1.jpg: the file is empty"
    ):
        formats.read(source)
    dataset, report = formats.read(source, options=ReadOptions(skip_bad=True))
    assert [image.name for image in dataset.images] == ["cat/2.png", "dog/1.png"]
    assert [skip.file for skip in report.skipped] == ["cat/1.png", "dog/1.jpg"]


def test_sizes_and_modes_may_be_mixed_and_are_recorded_upright(tmp_path: Path) -> None:
    save(tmp_path, "b/1.png", "c/1.png")
    for number, mode in enumerate(("1", "L", "LA", "RGB", "RGBA", "P", "I;16")):
        Image.new(mode, (8 + number, 8)).save(tmp_path / "b" / f"{number}.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "c" / "turned.jpg", exif=exif)
    dataset, _ = formats.read(tmp_path)
    assert [image.width for image in dataset.images if image.truths[0].label == "b"] == [8, 9, 10, 11, 12, 13, 14]
    turned = dataset.images[-1]
    assert (turned.width, turned.height, turned.truths) == (20, 40, (whole("c", 20, 40),))


@pytest.mark.parametrize("names", [["1.png", "2.png"], ["train/1.png", "val/1.png"], ["images/test/1.png"]])
def test_without_any_class_folder(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(AnnotationError, match="no picture lies in a folder of its class"):
        formats.read(save(tmp_path, *names), "folders")


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="holds no picture"):
        formats.read(save(tmp_path, "cat/"), "folders")


@pytest.mark.parametrize(
    ("names", "texts", "is_known"),
    [
        pytest.param(["a/1.png", "b/1.png"], [], True, id="two classes"),
        pytest.param(["train/a/1.png", "val/b/1.png"], ["README.txt", "labels.csv"], True, id="texts beside them"),
        pytest.param(["a/1.png", "a/2.png"], [], False, id="one folder"),
        pytest.param(["1.png", "2.png", "3.png", "a/4.png", "b/5.png"], [], False, id="most pictures lie elsewhere"),
        pytest.param(["images/train/1.png", "images/val/1.png"], [], False, id="splits without classes"),
        pytest.param(["a/1.png", "b/1.png"], ["notes.json"], False, id="JSON of some kind"),
        pytest.param(["a/1.png", "b/1.png"], ["a/1.xml"], False, id="XML of some kind"),
    ],
)
def test_recognised_where_nothing_else_is(tmp_path: Path, names: list[str], texts: list[str], is_known: bool) -> None:
    source = save(tmp_path, *names)
    for text in texts:
        (source / text).write_text("{}" if text.endswith("json") else "<xml/>")
    if is_known:
        assert formats.recognise(open_source(source)) == "folders"
        return
    with pytest.raises(AnnotationError, match="holds no annotations of a known format"):
        formats.recognise(open_source(source))


def test_labels_go_before_folders(tmp_path: Path) -> None:
    source = save(tmp_path, "a/1.png", "b/1.png")
    (source / "a/1.txt").write_text("0 0.5 0.5 0.5 0.5")
    assert formats.recognise(open_source(source)) == "yolo"


def write(root: Path, dataset: Dataset) -> tuple[Dataset, dict[str, str]]:
    placed = folders.write(dataset, root)
    return formats.read(root, "folders")[0], placed


def records(root: Path, entries: Iterable[tuple[str, str | None, str]]) -> list[ImageRecord]:
    """Records of pictures that are saved below `root`: (name, split, class)."""
    made = []
    for number, (name, split, label) in enumerate(entries):
        file = root / f"{number}.png"
        Image.new("RGB", (5, 4), (number, 0, 0)).save(file)
        made.append(ImageRecord(file, name, 5, 4, ".png", (whole(label, 5, 4),), split=split))  # type: ignore[arg-type]
    return made


NAMES = [
    "a/b",
    "..",
    ".",
    "CON",
    "ends in dots...",
    "Cat",
    "cat",
    "닭",
    ".hidden",
    "__MACOSX",
    "classes.json",
    "-",
    "x" * 300,
    "a:b",
    "~",
    "train",
]


def test_class_names_that_are_no_file_names_come_back(tmp_path: Path) -> None:
    made = records(tmp_path, [(f"{number}.png", "train", name) for number, name in enumerate(NAMES)])
    (tmp_path / "out").mkdir()
    read, placed = write(tmp_path / "out", Dataset(tuple(NAMES), tuple(made)))
    assert read.names == tuple(NAMES)
    by_file = {image.name: image.truths[0].label for image in read.images}
    assert [by_file[placed[f"{number}.png"]] for number in range(len(NAMES))] == NAMES
    there = [path.relative_to(tmp_path / "out").parts for path in (tmp_path / "out").rglob("*.png")]
    assert {(parts[0], len(parts)) for parts in there} == {("train", 3)}
    assert len({unicodedata.normalize("NFC", folder).casefold() for _, folder, _ in there}) == len(NAMES)


def test_pictures_of_one_name_do_not_clash(tmp_path: Path) -> None:
    entries = [
        ("train/cat/1.png", "train", "cat"),
        ("val/cat/1.png", "val", "cat"),
        ("a/1.png", "train", "cat"),
        ("b/1.PNG", "train", "cat"),
        ("1.png", "train", "dog"),
    ]
    made = records(tmp_path, entries)
    (tmp_path / "out").mkdir()
    read, placed = write(tmp_path / "out", Dataset(("cat", "dog"), tuple(made)))
    assert list(placed.values()) == [
        "train/cat/1.png",
        "val/cat/1.png",
        "train/cat/1-2.png",
        "train/cat/1-3.png",
        "train/dog/1.png",
    ]
    for image, (name, split, label) in zip(made, entries, strict=True):
        found = next(other for other in read.images if other.name == placed[name])
        assert (found.split, found.truths[0].label, found.file.read_bytes()) == (split, label, image.file.read_bytes())


def test_every_split_has_a_folder_of_every_class(tmp_path: Path) -> None:
    made = records(tmp_path, [("1.png", "train", "a"), ("2.png", "train", "b"), ("3.png", "val", "b")])
    (tmp_path / "out").mkdir()
    read, _ = write(tmp_path / "out", Dataset(("b", "a", "never seen"), tuple(made)))
    assert sorted(path.name for path in (tmp_path / "out/val").iterdir()) == ["a", "b", "never seen"]
    assert read.names == ("b", "a", "never seen")
    assert json.loads((tmp_path / "out/classes.json").read_text()) == {"b": "b", "a": "a", "never seen": "never seen"}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
@example(data=None)
def test_what_was_written_is_read_again(data: st.DataObject | None) -> None:
    texts = st.text(min_size=1, max_size=12).map(clean_label).filter(bool)
    names = data.draw(st.lists(texts, min_size=1, max_size=4, unique=True)) if data else NAMES
    splits = data.draw(st.sampled_from([(None,), ("train", "val", "test")])) if data else (None,)
    kinds = st.tuples(st.sampled_from(["1", "a/1", "b/1", "A/1.x"]), st.sampled_from(splits), st.sampled_from(names))
    entries = data.draw(st.lists(kinds, min_size=1, max_size=6)) if data else [("1", None, name) for name in names]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = records(root, [(f"{n}/{name}.png", split, label) for n, (name, split, label) in enumerate(entries)])
        (root / "out").mkdir()
        dataset = Dataset(tuple(names), tuple(made))
        read, placed = write(root / "out", dataset)
        again = {image.name: image for image in read.images}
        expected = [replace(i, file=root / "out" / placed[i.name], name=placed[i.name]) for i in dataset.images]
        assert (read.names, [again[image.name] for image in expected]) == (tuple(names), expected)
        assert [image.file.read_bytes() for image in made] == [image.file.read_bytes() for image in expected]


def test_boxes_are_refused(tmp_path: Path) -> None:
    (made,) = records(tmp_path, [("1.png", None, "a")])
    for truths in ((), (Truth(Box(0, 0, 5, 3), "a"),), (whole("a", 5, 4), whole("b", 5, 4))):
        with pytest.raises(DataError, match=r"one class a picture; 1 have boxes, or no class: 1.png"):
            folders.write(Dataset(("a", "b"), (replace(made, truths=truths),)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "classes.json: not a whole JSON file", id="cut off"),
        pytest.param("[" * 5000, "classes.json: ", id="deep"),
        pytest.param('["a", "b"]', None, id="a list"),
        pytest.param('{"a": 1}', None, id="numbers"),
        pytest.param('{"a": "\\n"}', None, id="a name without a letter"),
        pytest.param("{}", None, id="nothing"),
    ],
)
def test_other_classes_json(tmp_path: Path, text: str, said: str | None) -> None:
    source = save(tmp_path, "a/1.png", "b/1.png")
    (source / "classes.json").write_text(text)
    if said is None:
        dataset, report = formats.read(source, "folders")
        assert (dataset.names, report.notes) == (
            ("a", "b"),
            ("classes.json does not say which folder is of which class, and was not used",),
        )
        return
    with pytest.raises(AnnotationError) as refused:
        formats.read(source, "folders")
    assert said in str(refused.value)


def test_classes_json_says_names_and_order_and_which_class_may_be_empty(tmp_path: Path) -> None:
    source = save(tmp_path, "a/1.png", "b/1.png", "c/1.png", "d/")
    (source / "classes.json").write_text(json.dumps({"d": "dog", "b": "x/y", "a": "x/y"}))
    dataset, _ = formats.read(source)
    assert dataset.names == ("dog", "x/y", "c")
    assert [label for _, _, label in told(dataset)] == ["x/y", "x/y", "c"]


@pytest.mark.parametrize(("on_disk", "in_json"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_classes_json_finds_its_folders_whatever_way_their_names_are_composed(
    tmp_path: Path, on_disk: Literal["NFC", "NFD"], in_json: Literal["NFC", "NFD"]
) -> None:
    full, empty = (unicodedata.normalize(on_disk, name) for name in ("감", "감자_"))
    source = save(tmp_path, "b/1.png", f"{full}/1.png", f"{empty}/")
    said = {"b": "b", "감": "감/자", "감자_": "감자?"}
    written = {unicodedata.normalize(in_json, folder): name for folder, name in said.items()}
    (source / "classes.json").write_text(json.dumps(written))
    dataset, report = formats.read(source, "folders")
    assert dataset.names == ("b", "감/자", "감자?")
    assert sorted(label for _, _, label in told(dataset)) == ["b", "감/자"]
    assert report.fixed == ()


def test_convert(cli: Cli, tmp_path: Path) -> None:
    source = save(tmp_path / "source", "train/cat/1.png", "valid/cat/1.png", "valid/dog/1.png", "train/eel/1.png")
    assert cli("convert", source, tmp_path / "out", "--from", "folders", "--to", "folders").code == 0
    assert told(formats.read(tmp_path / "out")[0]) == [
        ("train/cat/1.png", "train", "cat"),
        ("train/eel/1.png", "train", "eel"),
        ("val/cat/1.png", "val", "cat"),
        ("val/dog/1.png", "val", "dog"),
    ]
    ended = cli("convert", source, tmp_path / "two", "--to", "folders", "--classes", "dog,cat")
    assert ended.out.splitlines()[0] == f"3 images, 3 boxes, 0 backgrounds in {tmp_path / 'two'}"
    assert formats.read(tmp_path / "two")[0].names == ("dog", "cat")


def test_a_zip_with_one_folder_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save(tmp_path / "source", "pets/train/cat/1.png", "pets/valid/dog/1.png")
    archive = shutil.make_archive(str(tmp_path / "pets"), "zip", tmp_path / "source")
    assert told(formats.read(Path(archive))[0]) == [
        ("train/cat/1.png", "train", "cat"),
        ("valid/dog/1.png", "val", "dog"),
    ]


def test_convert_of_boxes_leaves_nothing(cli: Cli, tmp_path: Path, labelled_folder: Callable[..., Path]) -> None:
    ended = cli("convert", labelled_folder(tmp_path / "boxes", 2), tmp_path / "out", "--to", "folders")
    assert (ended.code, (tmp_path / "out").exists()) == (3, False)
    assert "2 have boxes, or no class: photo_000.png, photo_001.png. Choose another format" in ended.err


def test_twelve_pictures_of_mnist() -> None:
    dataset, report = formats.read(MNIST)
    assert dataset.names == ("3", "7")
    assert Counter((image.split, image.truths[0].label) for image in dataset.images) == {
        ("train", "3"): 4, ("train", "7"): 4, ("val", "3"): 2, ("val", "7"): 2
    }  # fmt: skip
    assert {(image.width, image.height) for image in dataset.images} == {(28, 28)}
    assert (report.fixed, report.dropped, report.skipped, report.notes) == ((), (), (), ())


def test_mnist() -> None:
    if not (SHARED / "data" / "mnist_png").is_dir():
        pytest.skip("shared/data/mnist_png is not here")
    dataset, report = formats.read(SHARED / "data" / "mnist_png")
    assert (len(dataset.of("train")), len(dataset.of("val")), len(dataset.of("test"))) == (500, 60, 0)
    assert dataset.names == tuple("0123456789")
    assert set(Counter(image.truths[0].label for image in dataset.images).values()) == {56}
    assert report.skipped == ()
