"""Records of a built data set: every kind of picture, boxes, shards, round trips by equality, what TensorFlow decodes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
from PIL import Image
from real_api import ask_api

from yolo_pipeline import formats, images
from yolo_pipeline.building.writing import BuiltDataset, write_built
from yolo_pipeline.decoding import decode
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.formats.tfrecord_files import Example, frames
from yolo_pipeline.nouns import Box, Crop, Dataset, ImageRecord, Split, Truth
from yolo_pipeline.progress import Silent
from yolo_pipeline.tfapi.records import Records, pattern, write_records

T = TypeVar("T")
WIDTH, HEIGHT = 48, 36
EGG = Truth(Box(3, 4, 27, 30.5), "egg")
ONION = Truth(Box(0, 0, WIDTH, 20), "양파")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pictures are unpacked when records are read, away from the user's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def pixels(seed: int = 0, channels: int = 3) -> np.ndarray:
    """(HEIGHT, WIDTH, channels) uint8: slopes, which JPEG keeps well, and one pixel that tells pictures apart."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    slopes = [rows * (k + 1) + columns * 2 + 4 * k for k in range(channels)]  # 246 at most
    found = np.stack(slopes, axis=-1).astype(np.uint8)
    found[0, 0] = seed
    return found


def rgb() -> Image.Image:
    return Image.fromarray(pixels())


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def see_through() -> Image.Image:
    """Colours under alpha from 0 to 255."""
    return Image.fromarray(pixels(channels=4), "RGBA")


def sixteen() -> np.ndarray:
    return pixels(channels=1)[..., 0].astype(np.uint16) * 257


def write_deep_colour(file: Path) -> None:
    cv2.imwrite(str(file), pixels().astype(np.uint16) * 257)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "plain.png": lambda f: rgb().save(f),
    "plain.jpg": lambda f: rgb().save(f, quality=95),
    "progressive.jpg": lambda f: rgb().save(f, quality=95, progressive=True),
    "upright.jpg": lambda f: rgb().save(f, exif=exif(1)),
    "두 장.mpo": lambda f: rgb().save(f, format="MPO", save_all=True, append_images=[rgb()]),
    "one colour see-through.png": lambda f: rgb().save(f, transparency=(20, 32, 44)),
    "grey.png": lambda f: rgb().convert("L").save(f),
    "grey.jpg": lambda f: rgb().convert("L").save(f),
    "grey and alpha.png": lambda f: see_through().convert("LA").save(f),
    "black and white.png": lambda f: rgb().convert("1").save(f),
    "palette.png": lambda f: rgb().quantize(16).save(f),
    "see-through palette.png": lambda f: rgb().quantize(16).save(f, transparency=3),
    "see-through.png": lambda f: see_through().save(f),
    "sixteen.png": lambda f: Image.fromarray(sixteen()).save(f),
    "deep colour.png": write_deep_colour,
    "print.jpg": lambda f: rgb().convert("CMYK").save(f),
    "turned.jpg": lambda f: rgb().transpose(Image.Transpose.ROTATE_90).save(f, exif=exif(6)),
    "mirrored.png": lambda f: rgb().save(f, exif=exif(2)),
    "사진.webp": lambda f: rgb().save(f, lossless=True),
    "scan.tif": lambda f: rgb().save(f),
    "old.bmp": lambda f: rgb().save(f),
}  # fmt: skip
AS_THEY_ARE = ("plain.png", "plain.jpg", "progressive.jpg", "upright.jpg", "두 장.mpo", "one colour see-through.png")


def record(file: Path, *truths: Truth, split: Split = "train", name: str = "") -> ImageRecord:
    header = images.read_header(file)
    width, height = header.upright_size
    return ImageRecord(file, name or file.name, width, height, images.trainable_suffix(file, header), truths, "", split)


def write_kinds(folder: Path) -> list[ImageRecord]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in WRITERS.items():
        write(folder / name)
    return [record(folder / name, EGG, ONION) for name in WRITERS]


def write_plain(folder: Path, count: int, split: Split = "train") -> list[ImageRecord]:
    """Pictures of a few hundred bytes, every one different."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(pixels(number)).save(folder / f"{split}-{number}.png")
    return [record(folder / f"{split}-{number}.png", EGG, split=split) for number in range(count)]


def build(folder: Path, records: Iterable[ImageRecord]) -> BuiltDataset:
    dataset = Dataset(("egg", "양파"), tuple(records))
    return write_built(dataset, folder, {image.file: images.sha256(image.file) for image in dataset.images})


def read_back(folder: Path) -> tuple[list[ImageRecord], list[object]]:
    dataset, report = formats.read(folder, "tfrecord")
    return list(dataset.images), [*report.fixed, *report.dropped, *report.skipped]


def examples(files: Sequence[Path]) -> list[Example]:
    return [Example(frame.data) for file in files for frame in frames(file)]


class TestPictures:
    @pytest.fixture(scope="class")
    def written(self, tmp_path_factory: pytest.TempPathFactory) -> tuple[BuiltDataset, Records]:
        folder = tmp_path_factory.mktemp("kinds")
        built = build(folder / "built", write_kinds(folder / "in"))
        return built, write_records(built, folder / "records")

    @pytest.mark.parametrize("name", WRITERS)
    def test_every_kind_is_seen_as_when_it_was_built(
        self, written: tuple[BuiltDataset, Records], name: str, tmp_path: Path
    ) -> None:
        built, records = written
        example = examples(records.files["train"])[list(WRITERS).index(name)]
        (tmp_path / "encoded").write_bytes(example.picture())
        assert np.array_equal(decode(tmp_path / "encoded"), decode(built.picture(name)))
        header = images.read_header(tmp_path / "encoded")
        assert (header.format, header.orientation) in (("PNG", 1), ("JPEG", 1), ("MPO", 1))
        assert example.texts("image/format") == [b"png" if header.format == "PNG" else b"jpeg"]
        assert Image.open(tmp_path / "encoded").mode == "RGB"

    @pytest.mark.parametrize("name", WRITERS)
    def test_only_upright_rgb_of_8_bits_goes_in_as_it_is(
        self, written: tuple[BuiltDataset, Records], name: str
    ) -> None:
        built, records = written
        example = examples(records.files["train"])[list(WRITERS).index(name)]
        assert (example.picture() == built.picture(name).read_bytes()) == (name in AS_THEY_ARE)

    def test_what_was_converted_is_said(self, written: tuple[BuiltDataset, Records]) -> None:
        records = written[1]
        assert len(WRITERS) - len(AS_THEY_ARE) == 15
        assert records.notes == (
            "15 pictures go into the records as upright 8-bit RGB PNG: grey.png (grey), grey.jpg (grey), grey and alpha.png (grey with alpha), black and white.png (black and white), palette.png (palette) "
            "and 10 more",
        )

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("sixteen.png", "16 bits"), ("deep colour.png", "16 bits"), ("print.jpg", "CMYK"), ("see-through.png", "alpha"),
            ("turned.jpg", "EXIF orientation 6"), ("mirrored.png", "EXIF orientation 2"), ("사진.webp", "WEBP"),
            ("scan.tif", "TIFF"), ("old.bmp", "BMP"),
        ],
    )  # fmt: skip
    def test_why_is_said(self, tmp_path: Path, name: str, why: str) -> None:
        (tmp_path / "in").mkdir()
        WRITERS[name](tmp_path / "in" / name)
        built = build(tmp_path / "built", [record(tmp_path / "in" / name, EGG)])
        (note,) = write_records(built, tmp_path / "records").notes
        assert note == f"1 picture goes into the records as upright 8-bit RGB PNG: {name} ({why})"

    def test_16_bits_are_scaled_not_cut_off(self, written: tuple[BuiltDataset, Records], tmp_path: Path) -> None:
        example = examples(written[1].files["train"])[list(WRITERS).index("sixteen.png")]
        (tmp_path / "encoded").write_bytes(example.picture())
        assert np.array_equal(decode(tmp_path / "encoded")[..., 0], sixteen() >> 8)

    def test_gif_is_refused_as_by_training(self, tmp_path: Path) -> None:
        rgb().save(tmp_path / "film.gif")
        image = ImageRecord(tmp_path / "film.gif", "film.gif", WIDTH, HEIGHT, ".gif", (EGG,), "", "train")
        built = BuiltDataset(tmp_path, Dataset(("egg",), (image,)), "", {"film.gif": "film.gif"}, reused=False)
        with pytest.raises(AnnotationError, match=r"film\.gif: not a picture of a known kind"):
            write_records(built, tmp_path / "records")
        assert not (tmp_path / "records").exists()

    def test_a_picture_that_changed_since_is_refused(self, tmp_path: Path) -> None:
        built = build(tmp_path / "built", write_plain(tmp_path / "in", 1))
        Image.new("RGB", (9, 9)).save(built.picture("train-0.png"))
        with pytest.raises(AnnotationError, match="has 9x9 pixels, and had 48x36 when the data set was built"):
            write_records(built, tmp_path / "records")

    def test_a_picture_that_is_gone_is_named(self, tmp_path: Path) -> None:
        built = build(tmp_path / "built", write_plain(tmp_path / "in", 2))
        built.picture("train-1.png").unlink()
        with pytest.raises(AnnotationError, match=r"train-1\.png: No such file"):
            write_records(built, tmp_path / "records")

    def test_edited_pictures_go_in_as_they_were_rendered(self, tmp_path: Path) -> None:
        (image,) = write_plain(tmp_path / "in", 1)
        cropped = replace(
            image, width=20, height=18, edits=(Crop(4, 2, 20, 18),), truths=(Truth(Box(1, 2, 11, 9), "egg"),)
        )
        write_records(build(tmp_path / "built", [cropped]), tmp_path / "records")
        ((back,), faults) = read_back(tmp_path / "records")
        assert (back.width, back.height, back.truths, faults) == (20, 18, cropped.truths, [])


class TestBoxes:
    @pytest.mark.parametrize(
        ("box", "kept"),
        [
            pytest.param(Box(3, 4, 27, 30.5), Box(3, 4, 27, 30.5), id="inside"),
            pytest.param(Box(0, 0, 48, 36), Box(0, 0, 48, 36), id="all of it"),
            pytest.param(Box(-0.001, 4, 48.001, 36.25), Box(0, 4, 48, 36), id="over the border by rounding"),
        ],
    )
    def test_are_fractions_of_the_picture(self, tmp_path: Path, box: Box, kept: Box) -> None:
        built = self.one(tmp_path, box)
        records = write_records(built, tmp_path / "records")
        (example,) = examples(records.files["train"])
        corners = {
            corner: example.floats(f"image/object/bbox/{corner}")[0] for corner in ("xmin", "ymin", "xmax", "ymax")
        }
        expected = {"xmin": kept.x0 / 48, "ymin": kept.y0 / 36, "xmax": kept.x1 / 48, "ymax": kept.y1 / 36}
        assert corners == {corner: float(np.float32(value)) for corner, value in expected.items()}
        assert all(0 <= value <= 1 for value in corners.values())
        said = "1 box is cut off at the border of the picture, crossed by less than a pixel: photo.png"
        assert records.notes == (() if box == kept else (said,))

    @pytest.mark.parametrize(
        "box",
        [
            pytest.param(Box(50, 4, 60, 8), id="outside"),
            pytest.param(Box(3, 4, 49, 8), id="reaches out"),
            pytest.param(Box(-20, 4, 8, 8), id="reaches out on the other side"),
            pytest.param(Box(5, 4, 5, 8), id="no width"),
            pytest.param(Box(48, 4, 48.3, 8), id="no width inside"),
            pytest.param(Box(9, 4, 5, 8), id="swapped"),
            pytest.param(Box(math.nan, 4, 5, 8), id="not a number"),
            pytest.param(Box(0, 0, math.inf, 8), id="infinite"),
        ],
    )
    def test_that_lie_outside_are_refused(self, tmp_path: Path, box: Box) -> None:
        with pytest.raises(
            AnnotationError, match=r"^photo\.png: its box \(.*\) does not lie in the 48x36 picture\. Mend"
        ):
            write_records(self.one(tmp_path, box), tmp_path / "records")
        assert list(tmp_path.glob("*records*")) == []

    @staticmethod
    def one(folder: Path, box: Box) -> BuiltDataset:
        rgb().save(folder / "photo.png")
        image = record(folder / "photo.png", Truth(box, "egg"))
        return BuiltDataset(folder, Dataset(("egg",), (image,)), "", {"photo.png": "photo.png"}, reused=False)

    def test_of_a_turned_picture_lie_on_the_upright_one(self, tmp_path: Path) -> None:
        WRITERS["turned.jpg"](tmp_path / "turned.jpg")
        image = record(tmp_path / "turned.jpg", EGG)
        assert (image.width, image.height) == (WIDTH, HEIGHT)
        write_records(build(tmp_path / "built", [image]), tmp_path / "records")
        ((back,), _) = read_back(tmp_path / "records")
        assert (back.width, back.height, back.truths) == (WIDTH, HEIGHT, (EGG,))


class TestFiles:
    def test_round_trip_by_equality(self, tmp_path: Path) -> None:
        first, *rest = write_plain(tmp_path / "in", 3)
        korean = Image.fromarray(pixels(7))
        korean.save(tmp_path / "in" / "양파 사진.png")
        told = record(tmp_path / "in" / "양파 사진.png", ONION, EGG, split="val")
        built = build(tmp_path / "built", [first, told, *(replace(image, truths=()) for image in rest)])
        records = write_records(built, tmp_path / "records")
        back, faults = read_back(tmp_path / "records")
        assert faults == []
        assert [(i.name, i.split, i.truths, images.sha256(i.file)) for i in back] == [
            ("train/train-0.png", "train", (EGG,), images.sha256(first.file)),
            ("train/train-1.png", "train", (), images.sha256(rest[0].file)),
            ("train/train-2.png", "train", (), images.sha256(rest[1].file)),
            ("val/양파 사진.png", "val", (ONION, EGG), images.sha256(told.file)),
        ]
        assert records.notes == ()

    def test_splits_without_pictures_are_absent(self, tmp_path: Path) -> None:
        built = build(tmp_path / "built", write_plain(tmp_path / "in", 2))
        records = write_records(built, tmp_path / "records")
        assert records.files == {"train": (tmp_path / "records" / "train.record",)}
        assert [file.name for file in (tmp_path / "records").iterdir()] == ["train.record"]

    def test_numbers_for_source_id_are_unique_across_splits(self, tmp_path: Path) -> None:
        pictures = write_plain(tmp_path / "in", 2) + write_plain(tmp_path / "in", 2, "test")
        records = write_records(build(tmp_path / "built", pictures), tmp_path / "records")
        found = {split: [e.texts("image/source_id") for e in examples(files)] for split, files in records.files.items()}
        assert found == {"train": [[b"1"], [b"2"]], "test": [[b"3"], [b"4"]]}

    def test_classes_have_their_numbers_and_names(self, tmp_path: Path) -> None:
        (image,) = write_plain(tmp_path / "in", 1)
        built = build(tmp_path / "built", [replace(image, truths=(ONION, EGG))])
        (example,) = examples(write_records(built, tmp_path / "records").files["train"])
        assert example.integers("image/object/class/label") == [2, 1]
        assert [text.decode() for text in example.texts("image/object/class/text")] == ["양파", "egg"]

    def test_pictures_of_one_name_stay_apart(self, tmp_path: Path) -> None:
        (first,) = write_plain(tmp_path / "a", 1)
        (second,) = write_plain(tmp_path / "b", 1)
        built = build(tmp_path / "built", [replace(first, name="a/x.png"), replace(second, name="b/X.png")])
        found = examples(write_records(built, tmp_path / "records").files["train"])
        assert [example.texts("image/filename") for example in found] == [[b"x.png"], [b"X-2.png"]]

    def test_a_rewrite_is_byte_identical(self, tmp_path: Path) -> None:
        built = build(tmp_path / "built", write_kinds(tmp_path / "in"))
        (first,) = write_records(built, tmp_path / "records").files["train"]
        before = first.read_bytes()
        (first.parent / "left.over").touch()
        (again,) = write_records(built, tmp_path / "records").files["train"]
        (elsewhere,) = write_records(built, tmp_path / "other").files["train"]
        assert again.read_bytes() == elsewhere.read_bytes() == before
        assert [file.name for file in (tmp_path / "records").iterdir()] == ["train.record"]

    def test_large_splits_are_written_in_shards(self, tmp_path: Path) -> None:
        pictures = write_plain(tmp_path / "in", 70) + write_plain(tmp_path / "in", 1, "val")
        built = build(tmp_path / "built", pictures)
        whole = write_records(built, tmp_path / "whole").files["train"][0]
        limit = whole.stat().st_size // 3 + 1
        records = write_records(built, tmp_path / "records", shard_bytes=limit)
        assert [file.name for file in records.files["train"]] == [f"train.record-{at:05}-of-00004" for at in range(4)]
        assert [file.name for file in records.files["val"]] == ["val.record"]
        assert all(file.stat().st_size <= limit for file in records.files["train"])
        assert b"".join(file.read_bytes() for file in records.files["train"]) == whole.read_bytes()
        assert len(read_back(tmp_path / "records")[0]) == 71

    def test_a_picture_above_the_limit_has_a_shard_of_its_own(self, tmp_path: Path) -> None:
        built = build(tmp_path / "built", write_plain(tmp_path / "in", 3))
        files = write_records(built, tmp_path / "records", shard_bytes=1).files["train"]
        assert [len(list(frames(file))) for file in files] == [1, 1, 1]

    def test_progress_is_told_by_split(self, tmp_path: Path) -> None:
        class Listening(Silent):
            def __init__(self) -> None:
                self.heard: list[tuple[str, int]] = []

            def items(self, items: Sequence[T], what: str) -> Iterable[T]:
                self.heard.append((what, len(items)))
                return items

        listening = Listening()
        built = build(tmp_path / "built", write_plain(tmp_path / "in", 3) + write_plain(tmp_path / "in", 1, "test"))
        write_records(built, tmp_path / "records", listening)
        assert listening.heard == [("writing train records", 3), ("writing test records", 1)]

    def test_a_file_in_the_way_is_named(self, tmp_path: Path) -> None:
        built = build(tmp_path / "built", write_plain(tmp_path / "in", 1))
        (tmp_path / "training").touch()
        with pytest.raises(DataError, match="is a file, or lies in one, where a folder must be"):
            write_records(built, tmp_path / "training" / "records")


class TestPattern:
    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (["/a/b/val.record"], "/a/b/val.record"),
            ([f"/a/train.record-{at:05}-of-00002" for at in range(2)], "/a/train.record-?????-of-00002"),
            (["/a [1]*/가?/val.record"], "/a [[]1][*]/가[?]/val.record"),
            (["/a\\b/val.record"], "/a\\\\b/val.record"),
        ],
    )
    @pytest.mark.skipif(os.name == "nt", reason="such folders, and TensorFlow's patterns for them")
    def test_as_the_api_reads_it(self, names: list[str], expected: str) -> None:
        assert pattern(tuple(Path(name) for name in names)) == expected


class TestRealAPI:
    @pytest.fixture(scope="class")
    def decoded(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> tuple[BuiltDataset, Records, Path, list[dict[str, Any]]]:
        folder = tmp_path_factory.mktemp("api") / ("a [1] 폴더" if os.name == "nt" else "a [1]* \\폴더?")
        built = build(folder / "built", write_kinds(folder / "in"))
        records = write_records(built, folder / "records", shard_bytes=20_000)
        (folder / "pixels").mkdir()
        job = {"records": [pattern(records.files["train"])], "pixels": str(folder / "pixels")}
        return built, records, folder / "pixels", ask_api(folder, job)["examples"]

    def test_it_finds_all_shards_in_a_folder_of_any_name(
        self, decoded: tuple[BuiltDataset, Records, Path, list[dict[str, Any]]]
    ) -> None:
        _, records, _, found = decoded
        assert len(records.files["train"]) > 1
        assert len(found) == len(WRITERS)
        assert {example["file"] for example in found} == {file.name for file in records.files["train"]}

    def test_it_reads_what_was_written(self, decoded: tuple[BuiltDataset, Records, Path, list[dict[str, Any]]]) -> None:
        for number, (name, example) in enumerate(zip(WRITERS, decoded[3], strict=True), start=1):
            assert example["source_id"] == str(number)
            assert Path(example["filename"]).stem.startswith(Path(name).stem)
            assert example["classes"] == [1, 2]
            assert example["size"] == [HEIGHT, WIDTH]
            expected = [[b.y0 / HEIGHT, b.x0 / WIDTH, b.y1 / HEIGHT, b.x1 / WIDTH] for b in (EGG.box, ONION.box)]
            assert np.array_equal(np.float32(example["boxes"]), np.float32(expected))

    @pytest.mark.parametrize(("number", "name"), enumerate(WRITERS, start=1), ids=list(WRITERS))
    def test_it_sees_the_same_pixels(
        self, decoded: tuple[BuiltDataset, Records, Path, list[dict[str, Any]]], number: int, name: str
    ) -> None:
        built, _, folder, found = decoded
        seen = np.load(folder / f"{number}.npy").astype(int)[..., ::-1]
        difference = np.abs(seen - decode(built.picture(name)).astype(int))
        if found[number - 1]["filename"].endswith(".png"):
            assert difference.max() == 0
        else:  # of libjpeg's two transforms, TensorFlow takes the quicker and less exact one
            assert (difference.mean(), difference.max()) < (2, 16)
