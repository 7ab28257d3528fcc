"""Which pictures count as nearly the same, and how fast they are found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolo_pipeline import digits
from yolo_pipeline.auditing.likeness import LEAST_AGREEMENT, MOST_BITS, near_pairs
from yolo_pipeline.auditing.pictures import measure, measure_all
from yolo_pipeline.progress import silent

BCCD = Path(__file__).parents[1] / "data" / "bccd" / "JPEGImages"


def pairs_of(files: list[Path]) -> list[tuple[str, str]]:
    pictures = [measure(file) for file in files]
    pairs = near_pairs([p.likeness for p in pictures], [p.thumb for p in pictures])
    return [(files[a].stem, files[b].stem) for a, b in pairs]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    soft = cv2.resize(rng.integers(0, 255, (9, 12, 3)).astype(np.uint8), (480, 360), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(soft).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda p: cv2.resize(p, (300, 200)), id="scaled and stretched"),
        pytest.param(lambda p: cv2.convertScaleAbs(p, alpha=0.8, beta=20), id="brighter"),
        pytest.param(lambda p: cv2.GaussianBlur(p, (0, 0), 3), id="blurred"),
        pytest.param(lambda p: p[6:-6, 6:-6], id="cropped by a hair"),
        pytest.param(lambda p: cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), id="grey"),
    ],
)
def test_a_changed_copy_is_near(photo: Path, change: object) -> None:
    pixels = np.asarray(Image.open(photo))
    copy = photo.with_name("copy.jpg")
    Image.fromarray(change(pixels)).save(copy, quality=60)  # type: ignore[operator]
    assert pairs_of([copy, photo]) == [("copy", "photo")]


def test_other_pictures_are_not_near() -> None:
    files = sorted(BCCD.iterdir())
    assert len(files) == 3
    assert pairs_of(files) == []


def test_scenes_of_digits_are_not_near(tmp_path: Path) -> None:
    digits.make(tmp_path / "digits")
    files = sorted([*(tmp_path / "digits" / "scenes").iterdir(), *(tmp_path / "digits" / "more").glob("*.jpg")])
    assert len(files) == 395
    assert pairs_of(files) == []


def test_digits_on_plain_white_are_not_near(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    files = []
    for number, shape in enumerate(load_digits().images[:300]):
        page = np.full((160, 160), 255, np.uint8)
        page[60:100, 60:100] -= cv2.resize(shape * 15, (40, 40)).astype(np.uint8)
        files.append(tmp_path / f"{number:03}.png")
        Image.fromarray(page).save(files[-1])
    assert pairs_of(files) == []
    page = Image.open(files[0])
    page.resize((240, 240)).save(tmp_path / "copy.jpg", quality=80)
    assert pairs_of([files[0], tmp_path / "copy.jpg"]) == [("000", "copy")]


def test_blank_pictures_are_never_near(tmp_path: Path) -> None:
    for name, grey in (("a", 255), ("b", 254)):
        Image.new("L", (64, 64), grey).save(tmp_path / f"{name}.png")
    assert pairs_of([tmp_path / "a.png", tmp_path / "b.png"]) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 120))
def test_the_same_pairs_as_comparing_each_with_each(seed: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 2**63, 12, dtype=np.uint64)  # few kinds, so that some are alike
    faces = rng.integers(0, 256, (12, 64), dtype=np.uint8)
    hashes, thumbs = [], []
    for kind in rng.permutation(np.arange(number) % 12):
        flips = sum(1 << int(bit) for bit in set(rng.integers(0, 64, rng.integers(0, 9)).tolist()))
        hashes.append(int(kinds[kind]) ^ flips)
        thumbs.append(np.clip(faces[kind] + rng.normal(0, 30, 64), 0, 255).astype(np.uint8).tobytes())
    pixels = [np.frombuffer(thumb, np.uint8).astype(float) for thumb in thumbs]
    expected = [
        (a, b)
        for a in range(number)
        for b in range(a + 1, number)
        if (hashes[a] ^ hashes[b]).bit_count() <= MOST_BITS
        and np.corrcoef(pixels[a], pixels[b])[0, 1] > LEAST_AGREEMENT
    ]
    assert near_pairs(hashes, thumbs) == expected


def test_a_copy_is_found_among_many_with_the_same_hash() -> None:
    rng = np.random.default_rng(0)
    thumbs = [rng.integers(0, 256, 1024, dtype=np.uint8).tobytes() for _ in range(29)]
    assert near_pairs([0] * 30, [*thumbs, thumbs[0]]) == [(0, 29)]


def test_thousands_of_equal_frames_end_soon() -> None:
    thumb = bytes(range(64))
    pairs = near_pairs([5] * 3000, [thumb] * 3000)
    assert {number for pair in pairs for number in pair} == set(range(3000))
    assert len(pairs) < 3000 * 17


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_measured_upright(tmp_path: Path, photo: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    stored, upright = tmp_path / "stored.jpg", tmp_path / "upright.png"
    Image.open(photo).save(stored, exif=exif, quality=95)
    ImageOps.exif_transpose(Image.open(stored)).save(upright)
    assert measure(stored).orientation == orientation
    assert pairs_of([stored, upright]) == [("stored", "upright")]


def test_large_pictures_measure_as_small_ones(tmp_path: Path, photo: Path) -> None:
    large = tmp_path / "large.jpg"
    Image.open(photo).resize((4096, 3072)).save(large, quality=95)
    small, reduced = measure(photo), measure(large)
    assert (small.likeness ^ reduced.likeness).bit_count() <= 4
    assert reduced.light == pytest.approx(small.light, abs=1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"\xff\xd8\xff\xe0nonsense", None, id="a broken JPEG"),
        pytest.param(None, None, id="truncated"),
    ],
)
def test_what_cannot_be_read_is_listed(tmp_path: Path, photo: Path, content: bytes | None, why: str | None) -> None:
    whole = tmp_path / "whole.jpg"
    Image.open(photo).save(whole)
    bad = tmp_path / "닭.jpg"
    bad.write_bytes(whole.read_bytes()[:3000] if content is None else content)
    measured = measure_all([bad, whole, whole], silent)
    assert list(measured.pictures) == [whole]
    assert list(measured.unreadable) == [bad]
    assert why is None or measured.unreadable[bad] == why
    assert measure_all([bad, whole], silent) == measured
