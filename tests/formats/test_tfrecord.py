"""TFRecord: bytes as TensorFlow writes them, classes and label maps, mending, round trips by equality, trust."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import formats, images
from yolo_pipeline.errors import AnnotationError, InputError
from yolo_pipeline.formats import ReadOptions, tfrecord
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.formats.label_map import label_map_text, read_label_map
from yolo_pipeline.formats.tfrecord_files import Example, encode_example, frames, masked_crc, write_frame
from yolo_pipeline.formats.tfrecord_reading import pixel
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, ReadReport, Truth

DATA = Path(__file__).resolve().parents[1] / "data" / "raccoon_tfrecord"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "raccoon_voc"
NORMAL = (0.05, 0.1, 0.55, 0.6)
NORMAL_BOX = Box(10, 10, 110, 60)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pictures are unpacked, away from the user's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def picture_bytes(
    size: tuple[int, int] = (200, 100), orientation: int = 1, form: str = "JPEG", colour: int = 0
) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif} if orientation > 1 else {}
    Image.new("RGB", size, (colour, 128, 128)).save(out, format=form, **options)
    return out.getvalue()


def example(
    corners: Sequence[Sequence[float]] = (NORMAL,),
    text: Sequence[str] | None = ("chicken",),
    label: Sequence[int] = (),
    *,
    filename: str | bytes = "a.jpg",
    size: tuple[int, int] | None = (200, 100),
    picture: bytes | None = None,
    extra: Mapping[str, Sequence[int]] | None = None,
) -> bytes:
    """An example of a picture of 200x100; `corners` are xmin, ymin, xmax, ymax."""
    name = filename if isinstance(filename, bytes) else filename.encode()
    texts = {
        "image/encoded": [picture_bytes() if picture is None else picture],
        "image/filename": [name] if name else [],
        "image/object/class/text": [value.encode() for value in text or ()],
    }
    keys = ("xmin", "ymin", "xmax", "ymax")
    floats = {f"image/object/bbox/{key}": [box[at] for box in corners] for at, key in enumerate(keys)}
    integers: dict[str, Sequence[int]] = {"image/object/class/label": label}
    if size:
        integers |= {"image/width": [size[0]], "image/height": [size[1]]}
    return encode_example(texts, floats, integers | dict(extra or {}))


def record_bytes(*examples: bytes) -> bytes:
    out = io.BytesIO()
    for data in examples:
        write_frame(out, data)
    return out.getvalue()


def save(folder: Path, *examples: bytes, name: str = "data.record", label_map: str | None = None) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(record_bytes(*examples))
    if label_map is not None:
        (folder / "label_map.pbtxt").write_text(label_map, encoding="utf-8")
    return folder


def read_one(folder: Path, **options: Any) -> tuple[tuple[Truth, ...], ReadReport]:
    dataset, report = formats.read(folder, "auto", ReadOptions(**options))
    (record,) = dataset.images
    return record.truths, report


def changes(report: ReadReport) -> list[tuple[str, str, int, str]]:
    fixed = [("fixed", change.file, change.object, change.what) for change in report.fixed]
    return fixed + [("dropped", change.file, change.object, change.what) for change in report.dropped]


def content(dataset: Dataset) -> list[tuple[object, ...]]:
    """All of a data set that does not depend on where its pictures lie, in an order that does not either."""
    return sorted(
        (Path(i.name).stem, i.width, i.height, i.suffix, i.truths, i.group, i.split or "", images.sha256(i.file))
        for i in dataset.images
    )


class TestRealRecords:
    def test_three_records_of_the_raccoon_set(self) -> None:
        dataset, report = formats.read(DATA)
        assert [(image.name, image.width, image.height, image.split) for image in dataset.images] == [
            ("test/raccoon-125.jpg", 259, 195, "test"),
            ("test/raccoon-143.jpg", 259, 194, "test"),
            ("test/raccoon-72.jpg", 560, 420, "test"),
        ]
        assert [image.truths for image in dataset.images] == [
            (Truth(Box(13, 6, 252, 190), "raccoon"),),
            (Truth(Box(17, 29, 238, 162), "raccoon"),),
            (Truth(Box(219, 195, 446, 375), "raccoon"), Truth(Box(98, 34, 284, 336), "raccoon")),
        ]
        assert dataset.names == ("raccoon",)
        assert report == ReadReport()

    def test_framing_is_byte_for_byte_that_of_tensorflow(self) -> None:
        file = DATA / "data" / "test.record"
        assert record_bytes(*(frame.data for frame in frames(file))) == file.read_bytes()

    def test_a_record_file_alone_finds_the_label_map_beside_it(self) -> None:
        dataset, report = formats.read(DATA / "data" / "test.record")
        assert (dataset.boxes, dataset.names, report) == (4, ("raccoon",), ReadReport())

    def test_the_whole_test_part_agrees_with_the_csv(self) -> None:
        if not SHARED.is_dir():
            pytest.skip(f"{SHARED} is not here")
        dataset, report = formats.read(SHARED, "tfrecord")
        rows = [row.split(",") for row in (SHARED / "data" / "test_labels.csv").read_text().splitlines()[1:]]
        assert (len(dataset.images), dataset.boxes, len(rows)) == (40, 44, 44)
        expected = sorted((Path(row[0]).stem, row[3], *map(float, row[4:])) for row in rows)
        truths = [(Path(image.name).stem, truth.label, truth.box) for image in dataset.images for truth in image.truths]
        assert sorted((stem, label, box.x0, box.y0, box.x1, box.y1) for stem, label, box in truths) == expected
        assert report.notes == ("200 pictures beside the record files are no part of them: passed over",)
        assert (report.fixed, report.dropped, report.skipped) == ((), (), ())


class TestBytes:
    @pytest.mark.parametrize(
        ("data", "masked"),
        [
            pytest.param(b"", 0xA282EAD8, id="nothing: the mask alone"),
            pytest.param(b"\0" * 32, 0x0FD7FFFA, id="32 zeros, 0x8A9136AA in RFC 3720 B.4"),
            pytest.param(b"123456789", 0xC78AB0E5, id="123456789, 0xE3069283"),
        ],
    )
    def test_masked_crc(self, data: bytes, masked: int) -> None:
        assert masked_crc(data) == masked

    def test_an_example_spelt_out_by_hand(self) -> None:
        """protobuf.dev, "Encoding": field 1 of a message is 0x0A, then its length; a float list is packed."""
        feature = b"\x12\x06\x0a\x04" + struct.pack("<f", 0.25)
        entry = b"\x0a\x01x\x12" + bytes([len(feature)]) + feature
        data = b"\x0a" + bytes([len(entry) + 2]) + b"\x0a" + bytes([len(entry)]) + entry
        assert Example(data).floats("x") == [0.25]
        assert encode_example({}, {"x": [0.25]}, {}) == data

    def test_an_empty_list_keeps_its_type(self) -> None:
        """TensorFlow refuses an empty list of bytes where floats are expected."""
        assert encode_example({}, {"x": []}, {}) == b"\x0a\x09\x0a\x07\x0a\x01x\x12\x02\x12\x00"


class TestObjects:
    @pytest.mark.parametrize(
        ("data", "boxes", "reported"),
        [
            pytest.param(example(), [NORMAL_BOX], [], id="normal"),
            pytest.param(example(size=None), [NORMAL_BOX], [], id="no size"),
            pytest.param(example(size=(0, 0)), [NORMAL_BOX], [("fixed", 0, "size")], id="size 0/0"),
            pytest.param(example(size=(400, 200)), [NORMAL_BOX], [("fixed", 0, "size")], id="size differs from the picture"),
            pytest.param(example([(0.55, 0.6, 0.05, 0.1)]), [NORMAL_BOX], [("fixed", 1, "swapped corners")], id="swapped corners"),
            pytest.param(example([(0.75, 0.1, 1.25, 0.6)]), [Box(150, 10, 200, 60)], [("fixed", 1, "clipped")], id="reaches out"),
            pytest.param(example([(1.5, 0.1, 2.0, 0.6)]), [], [("dropped", 1, "outside")], id="outside"),
            pytest.param(example([(0.5, 0.1, 0.5, 0.6)]), [], [("dropped", 1, "no area")], id="xmin = xmax"),
            pytest.param(example([(math.nan, 0.1, 0.5, 0.6)]), [], [("dropped", 1, "no box")], id="NaN"),
            pytest.param(example([(-math.inf, 0.1, 0.5, 0.6)]), [], [("dropped", 1, "no box")], id="infinite"),
            pytest.param(example([(3e38, 0.1, 3.4e38, 0.6)]), [], [("dropped", 1, "outside")], id="huge"),
            pytest.param(example([NORMAL, NORMAL], ["chicken"] * 2), [NORMAL_BOX], [("dropped", 2, "duplicate")], id="duplicate"),
            pytest.param(example(text=[" chicken "]), [NORMAL_BOX], [("fixed", 1, "label")], id="blanks around the label"),
            pytest.param(example(text=[""]), [], [("dropped", 1, "no class")], id="empty text"),
            pytest.param(example(text=None), [], [("dropped", 1, "no class")], id="neither text nor number"),
            pytest.param(example(extra={"image/object/difficult": [1]}), [NORMAL_BOX], [("fixed", 1, "difficult")], id="difficult"),
            pytest.param(example(extra={"image/object/is_crowd": [1]}), [], [("dropped", 1, "crowd")], id="crowd"),
            pytest.param(example(extra={"image/object/truncated": [1]}), [NORMAL_BOX], [], id="truncated"),
            pytest.param(example([], []), [], [], id="no objects: background"),
        ],
    )  # fmt: skip
    def test_what_is_mended_and_dropped(self, tmp_path: Path, data: bytes, boxes: list[Box], reported: Any) -> None:
        truths, report = read_one(save(tmp_path, data))
        assert truths == tuple(Truth(box, "chicken") for box in boxes)
        assert changes(report) == [(kind, "data/a.jpg", number, what) for kind, number, what in reported]
        assert (report.skipped, report.notes) == ((), ())

    def test_difficult_objects_are_dropped_if_asked(self, tmp_path: Path) -> None:
        source = save(tmp_path, example(extra={"image/object/difficult": [1]}))
        truths, report = read_one(source, difficult="drop")
        assert truths == ()
        assert changes(report) == [("dropped", "data/a.jpg", 1, "difficult")]

    @pytest.mark.parametrize(
        ("orientation", "size", "box"),
        [
            pytest.param(6, (200, 100), Box(40, 10, 90, 110), id="6, drawn as stored"),
            pytest.param(6, None, Box(40, 10, 90, 110), id="6, no size"),
            pytest.param(3, (200, 100), Box(90, 40, 190, 90), id="3"),
            pytest.param(6, (100, 200), Box(5, 20, 55, 120), id="6, size of the upright picture"),
        ],
    )
    def test_boxes_are_turned_with_the_picture(
        self, tmp_path: Path, orientation: int, size: tuple[int, int] | None, box: Box
    ) -> None:
        (truth,), report = read_one(save(tmp_path, example(size=size, picture=picture_bytes(orientation=orientation))))
        assert truth.box == box
        turned = [] if size == (100, 200) else [("fixed", "data/a.jpg", 0, "EXIF")]
        assert changes(report) == turned


class TestClasses:
    def test_text_without_label_map_is_sorted(self, tmp_path: Path) -> None:
        dataset, _ = formats.read(save(tmp_path, example([NORMAL, (0, 0, 1, 1)], ["onion", "닭"])))
        assert dataset.names == ("onion", "닭")

    @pytest.mark.parametrize(
        ("label_map", "text", "label", "names", "found"),
        [
            pytest.param("item { id: 2 name: 'a' }\nitem { id: 1 name: 'b' }", None, [2], ("b", "a"), "a", id="numbers alone"),
            pytest.param("item { id: 1 name: 'b' } item { id: 2 name: 'a' }", ["a"], [], ("b", "a"), "a", id="text alone, the map's order"),
            pytest.param("item { id: 1 name: 'b' }", ["a"], [], ("b", "a"), "a", id="text that the map lacks comes last"),
            pytest.param("item { id: 1 display_name: '당근' }", None, [1], ("당근",), "당근", id="only a name to show"),
            pytest.param("item { id: 1 name: '/m/01' display_name: 'cup' }", ["cup"], [1], ("cup",), "cup", id="records say the name to show"),
            pytest.param("item { id: 1 name: 'cup' display_name: 'Cup' }", ["cup"], [1], ("cup",), "cup", id="records say the name"),
            pytest.param("item { id: 0 name: 'background' } item { id: 1 name: 'a' }", ["a"], [1], ("a",), "a", id="number 0 is the background"),
            pytest.param("item { id: 1 name: 'a' keypoints { id: 3 label: 'x' } }\nother: 3", ["a"], [1], ("a",), "a", id="unknown fields"),
        ],
    )  # fmt: skip
    def test_label_map(
        self,
        tmp_path: Path,
        label_map: str,
        text: list[str] | None,
        label: list[int],
        names: tuple[str, ...],
        found: str,
    ) -> None:
        dataset, report = formats.read(save(tmp_path, example(text=text, label=label), label_map=label_map))
        assert dataset.names == names
        assert dataset.images[0].truths == (Truth(NORMAL_BOX, found),)
        assert report == ReadReport()

    def test_text_wins_over_the_label_map_and_it_is_said_once(self, tmp_path: Path) -> None:
        two = example([NORMAL, (0, 0, 1, 1)], ["onion", "egg"], [1, 2])
        label_map = "item { id: 1 name: 'egg' } item { id: 2 name: 'onion' }"
        truths, report = read_one(save(tmp_path, two, label_map=label_map))
        assert [truth.label for truth in truths] == ["onion", "egg"]
        (note,) = report.notes
        assert note.startswith("2 objects have another class in the label map than by their text, which counts")

    def test_a_number_that_the_label_map_lacks_is_no_class(self, tmp_path: Path) -> None:
        truths, report = read_one(save(tmp_path, example(text=None, label=[7]), label_map="item { id: 1 name: 'egg' }"))
        assert truths == ()
        assert [change.why for change in report.dropped] == ["it has no text, and number 7 is not in the label map"]

    def test_numbers_without_a_label_map_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(AnnotationError, match=r"there is no label map\. Put their label map \(\.pbtxt\) beside"):
            formats.read(save(tmp_path, example(text=None, label=[7])))

    def test_equal_label_maps_are_one_and_others_contradict(self, tmp_path: Path) -> None:
        for folder, name in (("train", "egg"), ("valid", "egg")):
            save(tmp_path, example(text=["egg"]), name=f"{folder}/x.tfrecord")
            (tmp_path / folder / "x_label_map.pbtxt").write_text(f"item {{ id: 1 name: '{name}' }}")
        assert formats.read(tmp_path)[0].names == ("egg",)
        (tmp_path / "valid" / "x_label_map.pbtxt").write_text("item { id: 1 name: 'onion' }")
        with pytest.raises(AnnotationError, match=r"valid/x_label_map\.pbtxt: 1 is another class in train/x_label_map"):
            formats.read(tmp_path)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            pytest.param('item { id: "x" }', "not a label map .*integer", id="number is a text"),
            pytest.param("item { id: 1 name: 'a' ", "not a label map", id="cut off"),
            pytest.param("a {" * 5000, "not a label map", id="deep nesting"),
            pytest.param('item { id: 1 name: "\\xff" }', "not a label map", id="no UTF-8"),
            pytest.param("item { id: 99999999999 }", "not a label map .*out of range", id="huge number"),
            pytest.param("item { id: 1 name: 'a' } item { id: 1 name: 'b' }", "a number stands for two classes", id="a number twice"),
            pytest.param("\0", "not a label map", id="no text"),
        ],
    )  # fmt: skip
    def test_a_broken_label_map_is_named(self, tmp_path: Path, text: str, message: str) -> None:
        source = save(tmp_path, example(), label_map=text)
        with pytest.raises(AnnotationError, match=rf"label_map\.pbtxt: {message}"):
            formats.read(source)
        assert formats.read(source, "auto", ReadOptions(skip_bad=True))[0].boxes == 1

    def test_a_label_map_that_is_no_utf8_is_named(self, tmp_path: Path) -> None:
        save(tmp_path, example())
        (tmp_path / "x.pbtxt").write_bytes(b"item { id: 1 name: '\xff' }")
        with pytest.raises(AnnotationError, match=r"x\.pbtxt: not a label map"):
            formats.read(tmp_path)

    @given(
        st.lists(
            st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cf", "Cn", "Co")), min_size=1),
            unique=True,
        )
    )
    @settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
    def test_any_names_survive_a_label_map(self, tmp_path: Path, names: list[str]) -> None:
        cleaned = list(dict.fromkeys(clean_label(name) for name in names))
        (tmp_path / "map.pbtxt").write_text(label_map_text(cleaned), encoding="utf-8")
        assert [(item.id, item.name) for item in read_label_map(tmp_path / "map.pbtxt")] == list(enumerate(cleaned, 1))

    def test_the_written_label_map(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").write_bytes(picture_bytes())
        tfrecord.write(Dataset(('a"b', "닭"), ()), tmp_path)
        text = 'item {\n  id: 1\n  name: "a\\"b"\n}\nitem {\n  id: 2\n  name: "닭"\n}\n'
        assert (tmp_path / "label_map.pbtxt").read_text(encoding="utf-8") == text


class TestFiles:
    @pytest.mark.parametrize(
        ("file", "name", "split"),
        [
            pytest.param("train.record", "train/a.jpg", "train", id="named after the split"),
            pytest.param("data/coco_val.record", "coco_val/a.jpg", "val", id="a word of the name"),
            pytest.param("valid/Fridge.tfrecord", "valid/a.jpg", "val", id="Roboflow's folders"),
            pytest.param("data.tfrecords", "data/a.jpg", None, id="no split"),
            pytest.param("test.record-00000-of-00001", "test/a.jpg", "test", id="a shard"),
        ],
    )
    def test_names_and_splits(self, tmp_path: Path, file: str, name: str, split: str | None) -> None:
        (record,) = formats.read(save(tmp_path, example(), name=file))[0].images
        assert (record.name, record.split) == (name, split)
        assert record.file.read_bytes() == picture_bytes()

    def test_shards_are_one_split_and_names_stay_unique(self, tmp_path: Path) -> None:
        for shard in range(3):
            save(tmp_path, example(), example(), name=f"train.tfrecord-0000{shard}-of-00003")
        dataset, report = formats.read(tmp_path)
        assert [(image.name, image.split) for image in dataset.images[:3]] == [
            ("train.tfrecord-00000-of-00003/a.jpg", "train"),
            ("train.tfrecord-00000-of-00003/a-2.jpg", "train"),
            ("train.tfrecord-00001-of-00003/a.jpg", "train"),
        ]
        assert len({image.name for image in dataset.images}) == 6
        assert report == ReadReport()

    def test_versions_of_one_photo_are_a_group(self, tmp_path: Path) -> None:
        name = "fridge_jpg.rf.0123456789abcdef0123456789abcdef.jpg"
        (record,) = formats.read(save(tmp_path, example(filename=name)))[0].images
        assert (record.name, record.group) == (f"data/{name}", "fridge_jpg")

    @pytest.mark.parametrize(
        ("said", "name"),
        [
            pytest.param("../../x.jpg", "x.jpg", id="leads outside"),
            pytest.param("C:\\photos\\x.jpg", "x.jpg", id="Windows path"),
            pytest.param("/etc/passwd", "passwd.jpg", id="absolute"),
            pytest.param("a\nb\0.jpg", "a b .jpg", id="control characters"),
            pytest.param("", "record-1.jpg", id="empty"),
            pytest.param("..", "record-1.jpg", id="dots"),
            pytest.param("photos/", "record-1.jpg", id="a folder"),
            pytest.param(".hidden.jpg", "hidden.jpg", id="hidden"),
            pytest.param("a:b?.jpg", "a_b_.jpg", id="characters that Windows lacks"),
            pytest.param("con.jpg", "_con.jpg", id="a device on Windows"),
            pytest.param("사진.png", "사진.jpg", id="Korean, and the wrong suffix"),
            pytest.param("x" * 300 + ".jpg", "x" * 196 + ".jpg", id="too long"),
            pytest.param(b"\xff\xfe.jpg", "\ufffd\ufffd.jpg", id="no UTF-8"),
        ],
    )
    def test_hostile_names_stay_in_the_cache(self, tmp_path: Path, cache: Path, said: str | bytes, name: str) -> None:
        (record,) = formats.read(save(tmp_path / "in", example(filename=said)))[0].images
        assert record.name == f"data/{name}"
        assert record.file.parent.parent == cache / "yolo_pipeline" / "unpacked"
        assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == [tmp_path / "in" / "data.record"]

    def test_pictures_are_named_by_what_they_are(self, tmp_path: Path) -> None:
        examples = [example(picture=picture_bytes(form=form)) for form in ("PNG", "BMP", "WEBP", "TIFF")]
        dataset, _ = formats.read(save(tmp_path, *examples))
        assert [image.name for image in dataset.images] == [
            "data/a.png",
            "data/a-2.bmp",
            "data/a-3.webp",
            "data/a-4.tif",
        ]

    def test_pictures_are_unpacked_once_and_again_where_one_is_gone(self, tmp_path: Path) -> None:
        source = save(tmp_path, example(), example(filename="b.jpg"))
        first, second = formats.read(source)[0].images
        written = first.file.stat().st_mtime_ns
        assert formats.read(source)[0].images == (first, second)
        assert first.file.stat().st_mtime_ns == written
        second.file.unlink()
        assert formats.read(source)[0].images == (first, second)
        assert second.file.read_bytes() == picture_bytes()

    def test_pictures_beside_the_records_are_passed_over(self, tmp_path: Path) -> None:
        save(tmp_path, example())
        (tmp_path / "b.jpg").write_bytes(picture_bytes())
        dataset, report = formats.read(tmp_path)
        assert [image.name for image in dataset.images] == ["data/a.jpg"]
        assert report.notes == ("1 pictures beside the record files are no part of them: passed over",)


def save_dataset(folder: Path, splits: Sequence[str | None] = (None,), orientation: int = 1) -> Dataset:
    """A picture a split: one with objects of three decimals, one without any, one with a Korean name."""
    folder.mkdir(parents=True, exist_ok=True)
    width, height = (480, 641) if orientation >= 5 else (641, 480)
    truths = (
        Truth(Box(0, 0, width, height), "닭"),
        Truth(Box(1, 2, 3, 4), "egg"),
        Truth(Box(10.125, 20.333, 100.667, 200.001), "egg"),
    )
    records = []
    for number, split in enumerate(splits):
        for name, found in (("photo", truths), ("empty", ()), ("사진", truths[1:])):
            file = folder / f"{name} {number}.jpg"
            file.write_bytes(picture_bytes((641, 480), orientation, colour=len(records)))
            records.append(ImageRecord(file, file.name, width, height, ".jpg", found, split=split))  # type: ignore[arg-type]
    return Dataset(("onion", "egg", "닭"), tuple(records))


class TestRoundTrip:
    @pytest.mark.parametrize(
        ("splits", "files"),
        [
            pytest.param([None], ["data.record"], id="no split"),
            pytest.param(["train", "val", "test"], ["test.record", "train.record", "val.record"], id="three splits"),
            pytest.param(["train", None], ["data.record", "train.record"], id="some without split"),
        ],
    )
    @pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
    def test_what_is_written_is_read_back_equal(
        self, tmp_path: Path, splits: list[str | None], files: list[str], orientation: int
    ) -> None:
        dataset = save_dataset(tmp_path / "in", splits, orientation)
        placed = tfrecord.write(dataset, tmp_path / "out")
        assert placed == {image.name: f"{image.split or 'data'}.record" for image in dataset.images}
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*files, "label_map.pbtxt"])
        found, report = formats.read(tmp_path / "out")
        assert found.names == dataset.names
        assert content(found) == content(dataset)
        turned = 0 if orientation == 1 else len(dataset.images)
        assert [change.what for change in report.fixed] == ["EXIF"] * turned
        assert replace(report, fixed=()) == ReadReport()

    def test_what_is_read_is_written_byte_for_byte(self, tmp_path: Path) -> None:
        tfrecord.write(save_dataset(tmp_path / "in", ["train", "val", "test"], orientation=6), tmp_path / "first")
        tfrecord.write(formats.read(tmp_path / "first")[0], tmp_path / "second")
        first = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
        assert len(first) == 4
        assert {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()} == first

    def test_what_tensorflow_wrote_keeps_its_boxes(self, tmp_path: Path) -> None:
        original, _ = formats.read(DATA)
        tfrecord.write(original, tmp_path)
        assert content(formats.read(tmp_path)[0]) == content(original)

    def test_every_key_is_written(self, tmp_path: Path) -> None:
        dataset = save_dataset(tmp_path / "in", orientation=6)
        tfrecord.write(replace(dataset, images=dataset.images[:1]), tmp_path / "out")
        (frame,) = frames(tmp_path / "out" / "data.record")
        found, picture = Example(frame.data), dataset.images[0].file
        assert found.picture() == picture.read_bytes()
        texts = {key: found.texts(f"image/{key}") for key in ("format", "filename", "source_id", "key/sha256")}
        assert texts == {
            "format": [b"jpeg"],
            "filename": [b"photo 0.jpg"],
            "source_id": [b"photo 0.jpg"],
            "key/sha256": [images.sha256(picture).encode()],
        }
        assert (found.integers("image/width"), found.integers("image/height")) == ([641], [480])
        assert found.texts("image/object/class/text") == ["닭".encode(), b"egg", b"egg"]
        assert found.texts("image/object/view") == [b"Unspecified"] * 3
        integers = {
            key: found.integers(f"image/object/{key}") for key in ("class/label", "difficult", "is_crowd", "truncated")
        }
        assert integers == {
            "class/label": [3, 2, 2],
            "difficult": [0, 0, 0],
            "is_crowd": [0, 0, 0],
            "truncated": [1, 0, 0],
        }
        corners = [found.floats(f"image/object/bbox/{key}")[1] for key in ("xmin", "ymin", "xmax", "ymax")]
        assert corners == pytest.approx([2 / 641, 477 / 480, 4 / 641, 479 / 480])

    @pytest.mark.parametrize(("form", "suffix", "said"), [("PNG", ".png", b"png"), ("WEBP", ".webp", b"webp")])
    def test_other_formats_are_named_as_they_are(self, tmp_path: Path, form: str, suffix: str, said: bytes) -> None:
        file = tmp_path / f"a{suffix}"
        file.write_bytes(picture_bytes(form=form))
        tfrecord.write(Dataset((), (ImageRecord(file, file.name, 200, 100, suffix),)), tmp_path / "out")
        (frame,) = frames(tmp_path / "out" / "data.record")
        assert Example(frame.data).texts("image/format") == [said]

    @given(side=st.integers(10, 8000), thousandths=st.integers(0, 8_000_000))
    @settings(max_examples=500, deadline=None)
    def test_pixels_of_three_decimals_survive_32_bits(self, side: int, thousandths: int) -> None:
        value = (thousandths % (side * 1000 + 1)) / 1000
        assert pixel(stored(value / side), side) == value

    @given(side=st.integers(10, 8000), fraction=st.floats(0, 1, width=32))
    @settings(max_examples=500, deadline=None)
    def test_fractions_are_stored_again_as_they_were(self, side: int, fraction: float) -> None:
        assert stored(pixel(fraction, side) / side) == fraction


def stored(value: float) -> float:
    """`value` rounded to 32 bits."""
    found: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return found


class TestTrust:
    @pytest.mark.parametrize(
        ("change", "why"),
        [
            pytest.param(lambda whole: whole[:5], "record 1: the file ends within its length", id="within the first length"),
            pytest.param(lambda whole: whole[:11], "record 1: the file ends within its length", id="within its checksum"),
            pytest.param(lambda whole: whole[:40], "record 1: it should have", id="within the data"),
            pytest.param(lambda whole: whole[:-2], "record 2: it should have", id="within the last checksum"),
            pytest.param(lambda whole: whole + b"x", "record 3: the file ends within its length", id="a byte too many"),
            pytest.param(lambda whole: b"\1" + whole[1:], "record 1: the checksum of its length is wrong", id="flipped length"),
            pytest.param(lambda whole: whole[:8] + b"\1" + whole[9:], "record 1: the checksum of its length is wrong", id="flipped checksum of it"),
            pytest.param(lambda whole: whole[:50] + b"\1\2" + whole[52:], "record 1: the checksum of its data is wrong", id="flipped data"),
            pytest.param(lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), "record 2: the checksum of its data is wrong", id="flipped checksum of it"),
            pytest.param(lambda whole: framed_length(2**63) + whole, "record 1: it should have 9223372036854775808 bytes, more than are left", id="huge length"),
            pytest.param(lambda whole: b"\x1f\x8b" + whole, "record 1: the file is compressed", id="gzip"),
            pytest.param(lambda whole: record_bytes(b"\x0a\xff\xff") + whole, "record 1: it is not a tf.train.Example", id="broken protobuf"),
            pytest.param(lambda whole: record_bytes(b"\x0b" * 5000) + whole, "record 1: it is not a tf.train.Example", id="nested groups"),
            pytest.param(lambda whole: whole + record_bytes(b""), "record 3: it has no picture", id="empty record"),
            pytest.param(lambda whole: whole + record_bytes(example(picture=b"")), "record 3: it has no picture", id="empty picture"),
            pytest.param(lambda whole: whole + record_bytes(example(picture=b"GIF89a")), "record 3: not a picture of a known kind", id="no picture"),
            pytest.param(lambda whole: whole + record_bytes(example(text=["a", "b"])), "record 3: 2 values of image/object/class/text for 1 boxes", id="unequal lists"),
            pytest.param(lambda whole: whole + record_bytes(example(extra={"image/object/bbox/xmin": [1]})), "record 3: image/object/bbox/xmin holds a list of type int64_list, not float_list", id="corners are integers"),
            pytest.param(lambda whole: whole + record_bytes(encode_example({"image/encoded": [b"x"]}, {"image/object/bbox/xmin": [0.5]}, {})), "record 3: its boxes have 1 xmin, 0 ymin", id="corners are missing"),
        ],
    )  # fmt: skip
    def test_a_broken_record_is_named_by_its_number(self, tmp_path: Path, change: Any, why: str) -> None:
        whole = record_bytes(example(), example(filename="b.jpg"))
        (tmp_path / "data.record").write_bytes(change(whole))
        with pytest.raises(AnnotationError, match=rf"1 file cannot be read: data\.record: {why}"):
            formats.read(tmp_path)

    def test_a_picture_over_a_gibibyte_is_neither_read_nor_written(self, tmp_path: Path) -> None:
        length = 2**30 + 2**27
        with open(tmp_path / "data.record", "wb") as file:
            file.write(framed_length(length))
            file.truncate(length + 16)  # takes no room on the disk
        with pytest.raises(AnnotationError, match=r"data\.record: record 1: its 1207959552 bytes are over the limit"):
            formats.read(tmp_path)
        huge = ImageRecord(tmp_path / "data.record", "a.jpg", 200, 100, ".jpg")
        with pytest.raises(AnnotationError, match=r"has 1207959568 bytes, over the limit of 1073741824"):
            tfrecord.write(Dataset((), (huge,)), tmp_path / "out")

    def test_the_others_are_read_with_skip_bad(self, tmp_path: Path) -> None:
        source = save(tmp_path, example(), example(picture=b"no picture"), example(filename="b.jpg"))
        for _ in range(2):  # with the pictures unpacked, too
            dataset, report = formats.read(source, "auto", ReadOptions(skip_bad=True))
            assert [image.name for image in dataset.images] == ["data/a.jpg", "data/b.jpg"]
            assert [skip.file for skip in report.skipped] == ["data.record: record 2"]

    def test_an_empty_record_file_holds_no_picture(self, tmp_path: Path) -> None:
        with pytest.raises(AnnotationError, match="its record files hold no picture"):
            formats.read(save(tmp_path))

    def test_a_folder_without_records(self, tmp_path: Path) -> None:
        with pytest.raises(AnnotationError, match="holds no TFRecord file"):
            formats.read(tmp_path, "tfrecord")

    @given(at=st.integers(0, 10**6), new=st.binary(max_size=3), checked=st.booleans())
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_broken_bytes_are_read_or_refused(
        self, tmp_path: Path, cache: Path, at: int, new: bytes, checked: bool
    ) -> None:
        """With `checked`, bytes of the example change and its checksum is right."""
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        data = example(
            [NORMAL, (0, 0, 1, 1)], ["a", "b"], [1, 2], picture=SMALL, extra={"image/object/difficult": [0, 1]}
        )
        whole = data if checked else record_bytes(data)
        at %= len(whole)
        broken = whole[:at] + new + whole[at + len(new) :] if new else whole[:at]
        (folder / "data.record").write_bytes(record_bytes(broken) if checked else broken)
        try:
            dataset, _ = formats.read(folder, "tfrecord")
        except InputError:
            pass
        else:
            for record in dataset.images:
                assert record.file.resolve().is_relative_to(cache)
                for truth in record.truths:
                    assert 0 <= truth.box.x0 < truth.box.x1 <= record.width
                    assert truth.label in dataset.names
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["data.record"]

    @given(st.text("item{}:'\"\\ d1name<>[]#/\n\0가", max_size=60))
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_label_map_is_read_or_refused(self, tmp_path: Path, text: str) -> None:
        source = save(tmp_path, example(picture=SMALL), label_map="item { id: 1 name: 'a' }" + text)
        try:
            dataset, _ = formats.read(source)
        except InputError:
            return
        assert set(dataset.names) >= {"a", "chicken"}


SMALL = picture_bytes((20, 10), form="PNG")


def framed_length(length: int) -> bytes:
    head = struct.pack("<Q", length)
    return head + struct.pack("<I", masked_crc(head))
