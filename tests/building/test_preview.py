"""The preview sheet: a row a photo, as it lies on disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import Box, Truth
from yolo_pipeline.reporting.preview import Tile, draw_preview, mark_of


def tile(name: str = "a.jpg", width: int = 200, height: int = 100, *truths: Truth) -> Tile:
    return Tile(name, np.full((height, width, 3), 120, np.uint8), truths)


def drawn(file: Path, *rows: list[Tile]) -> np.ndarray:
    draw_preview(rows, file, "mark")
    with Image.open(file) as sheet:
        assert sheet.format == "PNG"
        return np.asarray(sheet)


def test_rows_may_be_of_any_length(tmp_path: Path) -> None:
    one = drawn(tmp_path / "one.png", [tile()])
    sheet = drawn(tmp_path / "sheet.png", [tile(), tile(), tile()], [tile()])
    assert sheet.shape[1] > 2.9 * one.shape[1] - 100
    assert sheet.shape[0] > 1.9 * one.shape[0] - 50
    grey = (sheet == 120).all(axis=2)
    assert grey[:, : sheet.shape[1] // 3].sum() == 2 * grey[:, 2 * sheet.shape[1] // 3 :].sum() > 0


def test_boxes_are_drawn_in_the_colour_of_their_class(tmp_path: Path) -> None:
    egg, onion = Truth(Box(20, 40, 60, 80), "egg"), Truth(Box(100, 40, 180, 80), "onion")
    sheet = drawn(tmp_path / "a.png", [tile("a", 200, 100, egg), tile("b", 200, 100, egg, onion)])
    left, right = np.split(sheet, [sheet.shape[1] // 2], axis=1)
    first, second = (209, 73, 91), (42, 111, 151)
    assert ((left == first).all(axis=2).any(), (left == second).all(axis=2).any()) == (True, False)
    assert ((right == first).all(axis=2).any(), (right == second).all(axis=2).any()) == (True, True)


def test_hangul_and_long_names_are_drawn(tmp_path: Path) -> None:
    hangul = Truth(Box(20, 40, 60, 80), "닭고기")
    other = Truth(Box(20, 40, 60, 80), "감자볶음")
    name = "아주 긴 폴더/" * 12 + "사진.jpg"
    sheets = [drawn(tmp_path / "a.png", [tile(name, 200, 100, truth)]) for truth in (hangul, other)]
    assert not np.array_equal(*sheets)
    assert (sheets[0][:, -8:] == 255).all()  # nothing runs over the edge


def test_tiny_and_flat_pictures(tmp_path: Path) -> None:
    corner = Truth(Box(0, 0, 1, 1), "egg")
    sheet = drawn(
        tmp_path / "a.png", [tile("a", 2, 1, corner), tile("b", 5000, 10, corner), tile("c", 10, 5000, corner)]
    )
    assert sheet.shape[2] == 3


def test_the_same_sheet_twice_is_the_same_bytes(tmp_path: Path) -> None:
    rows = [[tile("a", 200, 100, Truth(Box(20, 40, 60, 80), "egg"))]]
    draw_preview(rows, tmp_path / "a.png", "one")
    draw_preview(rows, tmp_path / "b.png", "one")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_sheet_says_what_it_shows(tmp_path: Path) -> None:
    draw_preview([[tile()]], tmp_path / "a.png", "8f3a")
    Image.new("RGB", (5, 5)).save(tmp_path / "b.png")
    (tmp_path / "c.png").write_text("no picture")
    assert [mark_of(tmp_path / name) for name in ("a.png", "b.png", "c.png", "d.png")] == ["8f3a", None, None, None]


def test_a_full_disk_leaves_the_earlier_sheet_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_preview([[tile()]], tmp_path / "a.png", "earlier")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DataError, match="the disk is full"):
        draw_preview([[tile(), tile()]], tmp_path / "a.png", "later")
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert mark_of(tmp_path / "a.png") == "earlier"
