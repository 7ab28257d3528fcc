"""Names of strangers become names that every disk holds, and no two become one."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_pipeline.detecting.naming import DistinctNames, class_folders, cleaned, file_name, visible_stem
from yolo_pipeline.files import fits_windows


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        pytest.param("a.jpg", "a.jpg", id="a JPEG"),
        pytest.param("냉장고/닭 한 마리.jpg", "냉장고/닭 한 마리.jpg", id="Korean, blanks, a folder"),
        pytest.param("😀.jpg", "😀.jpg", id="emoji"),
        pytest.param("a.png", "a.png.jpg", id="another format"),
        pytest.param("a.JPG", "a.JPG.jpg", id="capitals"),
        pytest.param("a.b.jpg", "a.b.jpg", id="two dots"),
        pytest.param("a.png.jpg", "a.png~ead5e5de.jpg", id="what a.png becomes"),
        pytest.param("a", "a~ca978112.jpg", id="no suffix"),
        pytest.param("../b.jpg", "_~5ec1f7e7/b.jpg", id="out of the folder"),
        pytest.param("/etc/b.jpg", "_~e3b0c442/etc/b.jpg", id="absolute"),
        pytest.param("C:\\x\\b.jpg", "C__x_b~7fb129a6.jpg", id="drive letter"),
        pytest.param("con.jpg", "_con~1f02e9b8.jpg", id="a device of Windows"),
        pytest.param("b\0c.jpg", "b_c~aa13113f.jpg", id="NUL"),
        pytest.param("a\nb.jpg", "a_b~98e67617.jpg", id="line break"),
        pytest.param("x.jpg/b.jpg", "x.jpg~8f3c0b84/b.jpg", id="a folder that could be a picture"),
    ],
)
def test_a_picture_is_drawn_into_a_file_of_its_own(name: str, wanted: str) -> None:
    assert file_name(name) == wanted


_PARTS = st.sampled_from(
    ["a", "b", ".jpg", ".png", ".JPG", "/", "..", "\\", ":", "\0", " ", ".", "닭", "~4b33a7c8", "con"]
)
_NAMES = st.lists(_PARTS, min_size=1, max_size=5).map("".join) | st.text(min_size=1, max_size=300)


@settings(max_examples=200, deadline=None)
@given(st.lists(_NAMES, unique=True, max_size=8))
def test_names_stay_apart_below_the_folder_and_on_every_disk(names: list[str]) -> None:
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(names)
    for file in files:
        parts = file.split("/")
        assert file.endswith(".jpg")
        assert all(part.isprintable() and "\\" not in part and fits_windows(part) for part in parts)
        assert all(0 < len(part.encode()) <= 250 for part in parts)
        assert not {"", ".", ".."} & set(parts)
        assert not PurePosixPath(file).is_absolute()
    folders = {"/".join(file.split("/")[:depth]) for file in files for depth in range(1, file.count("/") + 1)}
    assert not folders & set(files)


def test_classes_never_share_a_folder() -> None:
    names = ["Cat", "cat", "a/b", "a_b", "닭", unicodedata.normalize("NFD", "닭"), "", "nul", "x" * 500]
    folders = class_folders(names)
    assert list(folders) == names
    assert [unicodedata.normalize("NFC", folder) for folder in folders.values()] == [
        "Cat", "cat-2", "a_b", "a_b-2", "닭", "닭-2", "_", "_nul", "x" * 150
    ]  # fmt: skip


def test_numbers_pass_over_names_that_are_taken() -> None:
    names = DistinctNames()
    assert [names.take(name) for name in ("a", "a-2", "A", "a", "a-2")] == ["a", "a-2", "A-3", "a-4", "a-2-2"]


def test_ten_thousand_pictures_of_one_name() -> None:
    names = DistinctNames()
    assert len({names.take("image") for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("a/b.jpg", "b"), (".hidden.jpg", "hidden"), ("=cmd().png", "cmd()"), ("a.b.jpg", "a.b"), ("...", "picture")],
)
def test_a_stem_is_seen_in_a_folder(name: str, wanted: str) -> None:
    assert visible_stem(name) == wanted


def test_a_long_name_is_cut_between_letters() -> None:
    assert cleaned("닭" * 500) == "닭" * 50
