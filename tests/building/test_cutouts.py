"""Cut-outs: how many, of what, where from, and that GrabCut finds a thing that stands out."""

from __future__ import annotations

import errno
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from yolo_pipeline.building.cutouts import add_cutouts, add_ready_cutouts
from yolo_pipeline.building.grabcut import cut_out
from yolo_pipeline.building.pixels import GREY, decode_cutout, render
from yolo_pipeline.decoding import decode
from yolo_pipeline.errors import DataError
from yolo_pipeline.files import cache_folder
from yolo_pipeline.formats.files import image_record
from yolo_pipeline.images import read_header
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Place, Truth

COLOURS = {"egg": (230, 200, 60), "onion": (150, 40, 140)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder() / "cutouts"


def table(seed: int, width: int = 200, height: int = 140) -> Image.Image:
    """A greenish surface with some grain."""
    grain = np.random.default_rng(seed).normal((70, 130, 90), 6, (height, width, 3))
    return Image.fromarray(grain.clip(0, 255).astype(np.uint8))


def photo(folder: Path, number: int, *labels: str) -> ImageRecord:
    """Ellipses of 50x40 pixels, the first at (20, 30), the next to the right of it, without touching."""
    folder.mkdir(exist_ok=True)
    picture = table(number)
    pen = ImageDraw.Draw(picture)
    truths = []
    for place, label in enumerate(labels):
        x0, y0 = 20 + 60 * place, 30 + number % 7
        pen.ellipse((x0, y0, x0 + 49, y0 + 39), fill=COLOURS[label])
        truths.append(Truth(Box(x0 - 2, y0 - 2, x0 + 52, y0 + 42), label))
    file = folder / f"{number:02}.png"
    picture.save(file)
    return ImageRecord(file, file.name, 200, 140, ".png", tuple(truths), f"group {number}", "train")


def photos(folder: Path, count: int = 10) -> Dataset:
    """Nine eggs to an onion, and a validation picture."""
    images = [photo(folder, number, "onion" if number == 4 else "egg") for number in range(count)]
    return Dataset(("egg", "onion"), (*images, replace(photo(folder, 99, "onion"), split="val")))


def hashes(dataset: Dataset) -> dict[Path, str]:
    return {image.file: f"content of {image.file.name}" for image in dataset.images}


def added(dataset: Dataset, share: float, seed: int = 0) -> list[ImageRecord]:
    grown, _ = add_cutouts(dataset, share, seed, hashes(dataset))
    assert grown.images[: len(dataset.images)] == dataset.images
    return list(grown.images[len(dataset.images) :])


# --- which and how many


@pytest.mark.parametrize(("share", "count"), [(0.1, 1), (0.14, 1), (0.26, 3), (0.04, 0)])
def test_the_share_is_of_the_training_pictures(tmp_path: Path, share: float, count: int) -> None:
    assert len(added(photos(tmp_path / "in"), share)) == count


def test_what_is_added_is_one_object_on_a_canvas_as_large_as_its_picture(tmp_path: Path) -> None:
    for image in added(photos(tmp_path / "in"), 0.4):
        (truth,) = image.truths
        (place,) = image.edits
        assert isinstance(place, Place)
        assert (image.width, image.height, image.split, image.suffix) == (200, 140, "train", ".png")
        assert (truth.box.x0, truth.box.y0) == (place.x, place.y)
        assert (abs(truth.box.width - 50) <= 4, abs(truth.box.height - 40) <= 4) == (True, True)
        source = image.name.removeprefix("cutouts/").partition("-")[0]
        assert image.name == f"cutouts/{source}-1.png"
        assert image.group == f"group {int(source)}"


def test_classes_take_turns(tmp_path: Path) -> None:
    taken = Counter(image.truths[0].label for image in added(photos(tmp_path / "in"), 0.2))
    assert taken == {"egg": 1, "onion": 1}


def test_objects_that_touch_others_come_last(tmp_path: Path) -> None:
    alone, crowded = photo(tmp_path / "in", 1, "egg"), photo(tmp_path / "in", 2, "egg")
    crowded = replace(crowded, truths=(*crowded.truths, Truth(Box(40, 30, 100, 60), "shadow")))
    for seed in range(4):
        (first,) = added(Dataset(("egg", "shadow"), (crowded, alone)), 0.5, seed)
        assert first.group == "group 1"


@pytest.mark.parametrize(
    "box",
    [
        pytest.param(Box(20, 30, 35, 80), id="15 pixels wide"),
        pytest.param(Box(20, 30, 80, 45), id="15 pixels high"),
        pytest.param(Box(0, 0, 200, 130), id="nearly all of the picture"),
    ],
)
def test_objects_that_cannot_be_cut_out_are_not_tried(tmp_path: Path, box: Box) -> None:
    image = replace(photo(tmp_path / "in", 1, "egg"), truths=(Truth(box, "egg"),))
    with pytest.raises(DataError, match=r"100% of train are 1 cut-outs, 1 are missing\. Lower data\.cutouts\.share"):
        added(Dataset(("egg",), (image,)), 1.0)


def test_an_object_that_grabcut_cannot_find_is_passed_over(tmp_path: Path, cache: Path) -> None:
    empty = replace(photo(tmp_path / "in", 2), truths=(Truth(Box(50, 50, 100, 100), "egg"),))
    Image.new("RGB", (200, 140), (70, 130, 90)).save(empty.file)
    dataset = Dataset(("egg",), (empty, photo(tmp_path / "in", 1, "egg")))
    for seed in range(4):
        assert [image.group for image in added(dataset, 0.5, seed)] == ["group 1"]
    reports = [add_cutouts(dataset, 0.5, seed, hashes(dataset))[1] for seed in range(8)]
    said = "1 objects could not be parted from their background and were passed over for cut-outs"
    assert {report.notes for report in reports} == {(), (said,)}  # by the seed, it is tried or not
    with pytest.raises(DataError, match="1 are missing"):
        added(dataset, 1.0)
    assert sorted(file.read_bytes()[:4] for file in cache.iterdir()) == [b"no o", b"\x89PNG"]


def test_the_seed_decides_and_the_order_of_the_pictures_does_not(tmp_path: Path) -> None:
    dataset = photos(tmp_path / "in")
    chosen = {seed: added(dataset, 0.3, seed) for seed in range(4)}
    assert added(dataset.with_images(dataset.images[::-1]), 0.3, 0) == chosen[0]
    assert len({tuple(image.name for image in images) for images in chosen.values()}) > 1


def test_cutting_again_gives_the_same_bytes(tmp_path: Path, cache: Path) -> None:
    first = {image.file: image.file.read_bytes() for image in added(photos(tmp_path / "in"), 0.5)}
    for file in cache.iterdir():
        file.unlink()
    assert {image.file: image.file.read_bytes() for image in added(photos(tmp_path / "in"), 0.5)} == first


def test_pictures_of_one_stem_get_cut_outs_of_different_names(tmp_path: Path) -> None:
    one, other = photo(tmp_path / "in", 1, "egg"), photo(tmp_path / "in", 2, "egg")
    dataset = Dataset(("egg",), (replace(one, name="a.png"), replace(other, name="a.jpg")))
    names = {image.name for image in added(dataset, 1.0)}
    assert names == {"cutouts/a-1.png", "cutouts/a-1.jpg"}


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="cache"):
        added(photos(tmp_path / "in"), 0.1)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-60])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def without_alpha(file: Path) -> None:
    Image.new("RGB", (20, 20)).save(file)


@pytest.mark.parametrize("damage", [cut_short, emptied, without_alpha])
def test_what_is_damaged_in_the_cache_is_cut_out_again(
    tmp_path: Path, cache: Path, damage: Callable[[Path], None]
) -> None:
    dataset = photos(tmp_path / "in")
    first = added(dataset, 0.3)
    whole = {file: file.read_bytes() for file in cache.iterdir()}
    for file in whole:
        damage(file)
    assert added(dataset, 0.3) == first
    assert {file: file.read_bytes() for file in cache.iterdir()} == whole


def test_what_was_not_found_is_not_looked_for_again(tmp_path: Path, cache: Path) -> None:
    """The picture is gone: only the cache can tell."""
    empty = replace(photo(tmp_path / "in", 2), truths=(Truth(Box(50, 50, 100, 100), "egg"),))
    Image.new("RGB", (200, 140), (70, 130, 90)).save(empty.file)
    for _ in range(2):
        with pytest.raises(DataError, match="1 are missing"):
            added(Dataset(("egg",), (empty,)), 1.0)
        (kept,) = cache.iterdir()
        assert kept.read_bytes() == b"no object was found\n"
        empty.file.unlink(missing_ok=True)


def test_the_cache_forgets_after_a_month_what_was_not_asked_for(tmp_path: Path, cache: Path) -> None:
    dataset = photos(tmp_path / "in")
    added(dataset, 0.3)
    month_ago = time.time() - 31 * 24 * 3600
    files = sorted(cache.iterdir())
    for file in files[:2]:
        os.utime(file, (month_ago, month_ago))
    add_cutouts(dataset, 0.0, 0, hashes(dataset))
    assert sorted(cache.iterdir()) == files[2:]
    days_ago = time.time() - 29 * 24 * 3600
    os.utime(files[2], (days_ago, days_ago))
    added(dataset, 0.3)
    assert all(time.time() - file.stat().st_mtime < 3600 for file in files)


def test_a_full_disk_leaves_nothing_in_the_cache(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = photos(tmp_path / "in")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DataError, match="the disk is full"):
        added(dataset, 0.1)
    assert list(cache.iterdir()) == []


# --- GrabCut


def test_the_cut_out_is_the_object_and_not_the_table(tmp_path: Path) -> None:
    image = photo(tmp_path / "in", 0, "egg")
    cut = cut_out(decode(image.file), image.truths[0].box)
    assert cut is not None
    opaque = cut[..., 3] > 127
    ellipse = Image.new("L", (50, 40))
    ImageDraw.Draw(ellipse).ellipse((0, 0, 49, 39), fill=255)
    assert opaque.shape == pytest.approx((40, 50), abs=2)
    assert opaque.sum() == pytest.approx((np.asarray(ellipse) > 0).sum(), rel=0.03)
    assert np.abs(cut[opaque][:, :3].astype(int) - COLOURS["egg"][::-1]).mean() < 5


def test_a_large_object_is_cut_out_at_its_full_size() -> None:
    picture = table(0, 1600, 1200)
    ImageDraw.Draw(picture).ellipse((300, 200, 1299, 999), fill=COLOURS["onion"])
    cut = cut_out(np.asarray(picture)[..., ::-1].copy(), Box(290, 190, 1310, 1010))
    assert cut is not None
    assert cut.shape == pytest.approx((800, 1000, 4), abs=12)


@pytest.mark.parametrize(
    ("colour", "box"),
    [
        pytest.param((70, 130, 90), Box(20, 20, 80, 80), id="nothing there"),
        pytest.param(None, Box(0, 0, 200, 140), id="no background around"),
    ],
)
def test_nothing_is_cut_out_where_nothing_stands_out(colour: tuple[int, int, int] | None, box: Box) -> None:
    picture = table(0) if colour is None else Image.new("RGB", (200, 140), colour)
    assert cut_out(np.asarray(picture)[..., ::-1].copy(), box) is None


# --- ready ones


def ready(folder: Path, name: str, mode: str = "RGBA", box: tuple[int, int, int, int] = (10, 5, 39, 24)) -> ImageRecord:
    """A transparent picture of 60x50 with something opaque."""
    picture = Image.new(mode, (60, 50))
    if mode == "RGBA":
        ImageDraw.Draw(picture).rectangle(box, fill=(200, 30, 30, 255))
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file)
    return image_record(folder, name, read_header(file))


def with_ready(dataset: Dataset, share: float, **by_class: list[ImageRecord]) -> list[ImageRecord]:
    known = {image.file: image.file.name for images in [dataset.images, *by_class.values()] for image in images}
    return list(add_ready_cutouts(dataset, by_class, share, 0, known).images[len(dataset.images) :])


def test_ready_cut_outs_keep_their_size_and_place(tmp_path: Path) -> None:
    (image,) = with_ready(photos(tmp_path / "in"), 0.1, egg=[ready(tmp_path, "egg/a.png")])
    assert (image.name, image.split) == ("cutouts/egg/a.png", "train")
    assert (image.width, image.height, image.edits) == (60, 50, (Place(0, 0, 60, 50),))
    assert image.truths == (Truth(Box(10, 5, 40, 25), "egg"),)


def test_ready_cut_outs_are_taken_class_by_class(tmp_path: Path) -> None:
    eggs = [ready(tmp_path, f"egg/{n}.png", box=(n, n, n + 20, n + 20)) for n in range(5)]
    onions = [ready(tmp_path, f"onion/{n}.png", box=(n, n, n + 20, n + 9)) for n in range(2)]
    taken = with_ready(photos(tmp_path / "in"), 0.4, egg=eggs, onion=onions)
    assert Counter(image.truths[0].label for image in taken) == {"egg": 2, "onion": 2}


@pytest.mark.parametrize(
    ("label", "mode", "box", "said"),
    [
        pytest.param("pork", "RGBA", (1, 1, 9, 9), "source: pork: no class has this name. There are egg, onion", id="class"),
        pytest.param("egg", "RGB", (1, 1, 9, 9), "a.png: it has no alpha channel. Save it as PNG", id="no alpha"),
        pytest.param("egg", "RGBA", (-9, -9, -5, -5), "a.png: all of it is transparent", id="nothing on it"),
    ],
)  # fmt: skip
def test_ready_cut_outs_that_are_refused(
    tmp_path: Path, label: str, mode: str, box: tuple[int, int, int, int], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        with_ready(photos(tmp_path / "in"), 0.1, **{label: [ready(tmp_path, f"{label}/a.png", mode, box)]})


def test_too_few_ready_cut_outs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="40% of train are 4 cut-outs, 3 are missing"):
        with_ready(photos(tmp_path / "in"), 0.4, egg=[ready(tmp_path, "egg/a.png")])


def test_a_placed_cut_out_is_where_its_box_says(tmp_path: Path) -> None:
    for image in added(photos(tmp_path / "in"), 0.5):
        canvas = render(decode_cutout(image.file), image.edits)
        rows, columns = np.nonzero((canvas != GREY).any(axis=2))
        box = image.truths[0].box
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (box.x0, box.y0, box.x1, box.y1)
