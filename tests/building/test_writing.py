"""The built data set on disk: reused, replaced, refused, never half there, never at the sources' cost."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from PIL import Image

from yolo_pipeline import images
from yolo_pipeline.building.editing import edited
from yolo_pipeline.building.writing import BuiltDataset, built_splits, counts, fingerprint, write_built
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.files import read_json, write_json
from yolo_pipeline.formats import yolo
from yolo_pipeline.nouns import (
    Blur,
    Box,
    Brighten,
    Crop,
    Dataset,
    Edit,
    ImageRecord,
    InBox,
    Pad,
    Place,
    Resize,
    Rotate,
    Truth,
    Turn,
)
from yolo_pipeline.progress import Silent

T = TypeVar("T")


def record(file: Path, colour: str, *truths: Truth) -> ImageRecord:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (200, 100), colour).save(file, format="JPEG")
    return ImageRecord(file, file.name, 200, 100, ".jpg", truths)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Two training images, one of them background, and one validation image."""
    egg, onion = Truth(Box(10, 10, 110, 60), "egg"), Truth(Box(0, 0, 20, 20), "양파")
    a = replace(record(tmp_path / "in" / "a.jpg", "red", egg, onion), split="train")
    b = replace(record(tmp_path / "in" / "b.jpg", "green"), split="train")
    c = replace(record(tmp_path / "in" / "c.jpg", "blue", egg), split="val")
    return Dataset(("egg", "양파"), (a, b, c))


def build(dataset: Dataset, folder: Path, progress: Silent | None = None) -> BuiltDataset:
    return write_built(dataset, folder, hashes_of(dataset), progress or Silent())


def hashes_of(dataset: Dataset) -> dict[Path, str]:
    return {image.file: images.sha256(image.file) for image in dataset.images}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if not path.is_dir()}


def without_a_box(dataset: Dataset) -> Dataset:
    return dataset.with_images(replace(image, truths=image.truths[:1]) for image in dataset.images)


def test_what_is_written(tmp_path: Path, dataset: Dataset) -> None:
    folder = tmp_path / "built"
    built = build(dataset, folder)
    assert sorted(contents(folder)) == [
        "build.json",
        "data.yaml",
        "images/train/a.jpg",
        "images/train/b.jpg",
        "images/val/c.jpg",
        "labels/train/a.txt",
        "labels/train/b.txt",
        "labels/val/c.txt",
    ]
    assert (folder / "labels/train/a.txt").read_text() == "0 0.3 0.35 0.5 0.5\n1 0.05 0.1 0.1 0.2\n"
    assert built.config_file.read_text(encoding="utf-8").startswith(f"path: {folder.resolve()}\n")
    assert built.picture("c.jpg").read_bytes() == (tmp_path / "in" / "c.jpg").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "in"]


def test_counts(dataset: Dataset) -> None:
    assert counts(dataset) == {
        "train": {"images": 2, "boxes": 2, "backgrounds": 1, "classes": {"egg": 1, "양파": 1}},
        "val": {"images": 1, "boxes": 1, "backgrounds": 0, "classes": {"egg": 1, "양파": 0}},
    }


def test_built_splits_are_found_again_by_content(tmp_path: Path, dataset: Dataset) -> None:
    build(dataset, tmp_path / "built")
    hashes = hashes_of(dataset)
    assert built_splits(tmp_path / "built") == {hashes[image.file]: image.split for image in dataset.images}
    assert built_splits(tmp_path / "nowhere") is None


@pytest.mark.parametrize("backwards", [False, True])
def test_content_in_several_splits_is_found_again_as_test(tmp_path: Path, dataset: Dataset, backwards: bool) -> None:
    """Whatever order the pictures are in."""
    a, *_ = dataset.images
    copies = [replace(a, name=f"{split}.jpg", split=split) for split in ("train", "test", "val")]
    build(dataset.with_images(copies[::-1] if backwards else copies), tmp_path / "built")
    assert built_splits(tmp_path / "built") == {images.sha256(a.file): "test"}


# --- reuse


def test_an_unchanged_data_set_is_reused(tmp_path: Path, dataset: Dataset) -> None:
    first = build(dataset, tmp_path / "built")
    (tmp_path / "built" / "labels" / "train.cache").write_text("a framework's")
    second = build(dataset, tmp_path / "built")
    assert (first.reused, second.reused) == (False, True)
    assert second == replace(first, reused=True)
    assert (tmp_path / "built" / "labels" / "train.cache").exists()


@pytest.mark.parametrize("gone", ["images/train/a.jpg", "labels/train/a.txt", "data.yaml"])
def test_what_was_deleted_is_there_again(tmp_path: Path, dataset: Dataset, gone: str) -> None:
    build(dataset, tmp_path / "built")
    whole = contents(tmp_path / "built")
    (tmp_path / "built" / gone).unlink()
    build(dataset, tmp_path / "built")
    assert contents(tmp_path / "built") == whole


@pytest.mark.parametrize("name", ["a-aug1.jpg", "b.jpg"])
def test_a_picture_that_was_cut_short_is_made_anew(tmp_path: Path, dataset: Dataset, name: str) -> None:
    """Rendered or linked; the source stays, so that a link is cut by putting another file into its place."""
    edited_set = with_copies(dataset)
    picture = build(edited_set, tmp_path / "built").picture(name)
    whole = contents(tmp_path / "built")
    cut = picture.read_bytes()[:300]
    picture.unlink()
    picture.write_bytes(cut)
    assert not build(edited_set, tmp_path / "built").reused
    assert contents(tmp_path / "built") == whole
    assert build(edited_set, tmp_path / "built").reused


def test_a_data_set_without_sizes_is_ours_and_made_anew(tmp_path: Path, dataset: Dataset) -> None:
    build(dataset, tmp_path / "built")
    manifest = read_json(tmp_path / "built" / "build.json")
    del manifest["bytes"]
    write_json(tmp_path / "built" / "build.json", manifest)
    assert not build(dataset, tmp_path / "built").reused
    assert build(dataset, tmp_path / "built").reused


def test_a_changed_data_set_replaces_the_old_one(tmp_path: Path, dataset: Dataset) -> None:
    build(dataset, tmp_path / "built")
    assert not build(without_a_box(dataset), tmp_path / "built").reused
    assert (tmp_path / "built/labels/train/a.txt").read_text() == "0 0.3 0.35 0.5 0.5\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "in"]


def test_a_moved_data_set_is_reused_under_its_new_path(tmp_path: Path, dataset: Dataset) -> None:
    build(dataset, tmp_path / "built")
    (tmp_path / "built").rename(tmp_path / "moved")
    built = build(dataset, tmp_path / "moved")
    assert built.reused
    assert built.config_file.read_text(encoding="utf-8").startswith(f"path: {(tmp_path / 'moved').resolve()}\n")


def test_the_same_data_set_twice_is_the_same_bytes(tmp_path: Path, dataset: Dataset) -> None:
    build(dataset, tmp_path / "built")
    first = contents(tmp_path / "built")
    (tmp_path / "built").rename(tmp_path / "earlier")
    build(dataset, tmp_path / "built")
    assert contents(tmp_path / "built") == first


def test_the_fingerprint_tells_what_training_sees_and_nothing_else(tmp_path: Path, dataset: Dataset) -> None:
    hashes = hashes_of(dataset)
    mark = fingerprint(dataset, hashes)
    a, b, c = dataset.images
    others = [
        replace(dataset, names=("양파", "egg")),
        without_a_box(dataset),
        dataset.with_images([replace(a, split="test"), b, c]),
        dataset.with_images([a, b]),
    ]
    assert len({mark, *(fingerprint(other, hashes) for other in others)}) == 5
    assert fingerprint(dataset, {**hashes, a.file: "other bytes"}) != mark
    elsewhere = replace(a, file=tmp_path / "elsewhere" / "a.jpg")
    assert fingerprint(dataset.with_images([elsewhere, b, c]), {**hashes, elsewhere.file: hashes[a.file]}) == mark


# --- edited pictures


def with_copies(dataset: Dataset) -> Dataset:
    """The first picture is mirrored in a copy; the last one is resized."""
    a, b, c = dataset.images
    mirrored, _ = edited(replace(a, name="a-aug1.jpg"), [Turn(2)])
    resized, _ = edited(c, [Resize(100, 100)])
    return dataset.with_images([a, mirrored, b, resized])


def test_edited_pictures_are_rendered_and_the_others_linked(tmp_path: Path, dataset: Dataset) -> None:
    built = build(with_copies(dataset), tmp_path / "built")
    assert built.picture("a.jpg").samefile(tmp_path / "in" / "a.jpg")
    assert built.files["a-aug1.jpg"] == "images/train/a-aug1.jpg"
    assert (tmp_path / "built/labels/train/a-aug1.txt").read_text() == "0 0.7 0.35 0.5 0.5\n1 0.95 0.1 0.1 0.2\n"
    assert (tmp_path / "built/labels/val/c.txt").read_text() == "0 0.3 0.35 0.5 0.5\n"
    with Image.open(built.picture("c.jpg")) as resized:
        assert (resized.size, resized.format) == ((100, 100), "JPEG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "in"]


def test_edits_are_part_of_the_fingerprint_and_rendered_pictures_are_reused(tmp_path: Path, dataset: Dataset) -> None:
    edited_set = with_copies(dataset)
    first = build(edited_set, tmp_path / "built")
    assert build(edited_set, tmp_path / "built").reused
    a, mirrored, *others = edited_set.images
    brighter = edited_set.with_images([a, replace(mirrored, edits=(*mirrored.edits, Brighten(1.1))), *others])
    second = build(brighter, tmp_path / "built")
    assert not second.reused
    assert second.fingerprint != first.fingerprint


def test_all_kinds_of_edits_differ_in_the_fingerprint(dataset: Dataset) -> None:
    a, *others = dataset.images
    inner = (Rotate(2.0), Brighten(2.0), Blur(2.0), Turn(2))
    edits: list[Edit] = [
        *inner, Turn(3), Rotate(3.0), Resize(5, 6), Resize(6, 5), Crop(1, 2, 3, 4), Pad(1, 2, 3, 4), Place(1, 2, 3, 4),
        *(InBox(1, 2, 3, 4, (edit,)) for edit in inner), InBox(1, 2, 3, 4, inner), InBox(1, 2, 3, 4, inner[::-1]),
        InBox(2, 2, 3, 4, inner),
    ]  # fmt: skip
    marks = {
        fingerprint(dataset.with_images([replace(a, edits=some), *others]), hashes_of(dataset))
        for some in [(), *((edit,) for edit in edits), (Turn(2), Turn(3)), (Turn(3), Turn(2))]
    }
    assert len(marks) == len(edits) + 3


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path, dataset: Dataset) -> None:
    build(with_copies(dataset), tmp_path / "built")
    first = contents(tmp_path / "built")
    (tmp_path / "built").rename(tmp_path / "earlier")
    build(with_copies(dataset), tmp_path / "built")
    assert contents(tmp_path / "built") == first


def test_all_broken_pictures_are_named_whether_edited_or_not(tmp_path: Path, dataset: Dataset) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        whole = (tmp_path / "in" / name).read_bytes()
        (tmp_path / "in" / name).write_bytes(whole[:-40])
    with pytest.raises(AnnotationError, match=r"3 cannot be trained on: .*a\.jpg: .*b\.jpg: .*c\.jpg: "):
        build(with_copies(dataset), tmp_path / "built")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_edited_picture_that_is_too_small_is_refused(tmp_path: Path, dataset: Dataset) -> None:
    tiny = dataset.with_images(edited(image, [Resize(9, 40)])[0] for image in dataset.images)
    with pytest.raises(AnnotationError, match="9x40 pixels are too few"):
        build(tiny, tmp_path / "built")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A JPEG has at most 65,535 columns; this file is a PNG that calls itself one."""
    wide = tmp_path / "in" / "wide.jpg"
    wide.parent.mkdir()
    Image.new("RGB", (70_000, 10)).save(wide, format="PNG")
    image, _ = edited(ImageRecord(wide, "wide.jpg", 70_000, 10, ".jpg", split="train"), [Turn(2)])
    with pytest.raises(AnnotationError, match=r"wide\.jpg: OpenCV cannot"):
        build(Dataset((), (image,)), tmp_path / "built")


def test_an_interrupted_rendering_leaves_nothing(tmp_path: Path, dataset: Dataset) -> None:
    class StopsWhileMaking(Silent):
        def items(self, items: Sequence[T], what: str) -> Iterable[T]:
            yield items[0]
            if what == "making pictures":
                raise KeyboardInterrupt
            yield from items[1:]

    with pytest.raises(KeyboardInterrupt):
        build(with_copies(dataset), tmp_path / "built", StopsWhileMaking())
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


# --- what is not ours


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"notes.txt": "mine"}, id="a folder of the user's"),
        pytest.param({"notes.txt": "mine", "build.json": "{"}, id="with a broken build.json"),
        pytest.param({"notes.txt": "mine", "build.json": '{"scripts": {}}'}, id="with a build.json of another tool"),
        pytest.param({"notes.txt": "mine", "build.json": "[1, 2]"}, id="with a build.json that is a list"),
    ],
)
def test_a_foreign_folder_in_the_way_is_refused_and_untouched(
    tmp_path: Path, dataset: Dataset, files: dict[str, str]
) -> None:
    folder = tmp_path / "built"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    before = contents(folder)
    with pytest.raises(DataError, match="was not built by yolo_pipeline"):
        build(dataset, folder)
    assert contents(folder) == before


def test_a_file_in_the_way_is_refused_and_untouched(tmp_path: Path, dataset: Dataset) -> None:
    (tmp_path / "built").write_text("mine")
    with pytest.raises(DataError, match="was not built by yolo_pipeline"):
        build(dataset, tmp_path / "built")
    assert (tmp_path / "built").read_text() == "mine"


def test_an_empty_folder_is_not_in_the_way(tmp_path: Path, dataset: Dataset) -> None:
    (tmp_path / "built").mkdir()
    build(dataset, tmp_path / "built")
    assert (tmp_path / "built" / "build.json").is_file()


def test_a_neighbouring_folder_of_the_user_survives(tmp_path: Path, dataset: Dataset) -> None:
    (tmp_path / "built.old").mkdir()
    (tmp_path / "built.old" / "notes.txt").write_text("mine")
    build(dataset, tmp_path / "built")
    build(without_a_box(dataset), tmp_path / "built")
    assert (tmp_path / "built.old" / "notes.txt").read_text() == "mine"


def test_source_pictures_are_not_changed(tmp_path: Path, dataset: Dataset) -> None:
    before = contents(tmp_path / "in")
    build(dataset, tmp_path / "built")
    build(without_a_box(dataset), tmp_path / "built")
    assert contents(tmp_path / "in") == before


def test_a_source_picture_saved_anew_is_built_anew(tmp_path: Path, dataset: Dataset) -> None:
    build(dataset, tmp_path / "built")
    beside = tmp_path / "new.jpg"
    Image.new("RGB", (200, 100), "white").save(beside)
    beside.replace(dataset.images[0].file)
    rebuilt = build(dataset, tmp_path / "built")
    assert not rebuilt.reused
    assert rebuilt.picture("a.jpg").read_bytes() == dataset.images[0].file.read_bytes()


def test_file_names_of_korean_windows_archives(tmp_path: Path) -> None:
    """Names in CP949 that were unpacked where names are UTF-8: not decodable, and still files."""
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xbe\xe7\xc6\xc4.jpg"))
    try:
        image = replace(record(file, "red"), split="train")
    except OSError:
        pytest.skip("this disk takes UTF-8 names only")
    built = build(Dataset((), (image,)), tmp_path / "built")
    assert built.picture(image.name).read_bytes() == file.read_bytes()


# --- interruptions


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Dataset, out: Path, **__: object) -> dict[str, str]:
        (out / "half.jpg").write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(yolo, "write", full)
    with pytest.raises(DataError, match="the disk is full"):
        build(dataset, tmp_path / "built")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_full_disk_leaves_the_earlier_data_set(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(dataset, tmp_path / "built")
    before = contents(tmp_path / "built")

    def full(*_: object, **__: object) -> dict[str, str]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(yolo, "write", full)
    with pytest.raises(DataError, match="the disk is full"):
        build(without_a_box(dataset), tmp_path / "built")
    assert contents(tmp_path / "built") == before


def test_another_fault_of_the_disk_is_not_called_full(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> dict[str, str]:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(yolo, "write", broken)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        build(dataset, tmp_path / "built")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


class Interrupted(Silent):
    """Ctrl-C after the first picture."""

    def items(self, items: Sequence[T], what: str) -> Iterable[T]:
        yield items[0]
        raise KeyboardInterrupt


def test_an_interrupted_build_does_not_look_finished(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(KeyboardInterrupt):
        build(dataset, tmp_path / "built", Interrupted())
    assert not (tmp_path / "built").exists()
    assert list(tmp_path.rglob("build.json")) == []
    assert not build(dataset, tmp_path / "built").reused
    assert len(contents(tmp_path / "built")) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "in"]


def test_an_interrupted_rebuild_leaves_the_earlier_data_set(tmp_path: Path, dataset: Dataset) -> None:
    build(dataset, tmp_path / "built")
    before = contents(tmp_path / "built")
    with pytest.raises(KeyboardInterrupt):
        build(without_a_box(dataset), tmp_path / "built", Interrupted())
    assert contents(tmp_path / "built") == before
