"""The user's cache: what is made once, made anew, and how it goes where several commands use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from yolo_pipeline.errors import DataError
from yolo_pipeline.formats.unpacking import unpacked_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "yolo_pipeline" / "unpacked"


def fill(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "a.txt").write_text("first")
    (folder / "b.txt").write_text("second")


def contents(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


WHOLE = {"b.txt": "second", "in/a.txt": "first"}


def test_a_folder_that_is_there_is_not_filled_again() -> None:
    folder = unpacked_folder("x", fill)
    assert unpacked_folder("x", lambda _: pytest.fail("filled again")) == folder
    assert contents(folder) == WHOLE


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: (folder / "in" / "a.txt").unlink(), id="a file is gone"),
        pytest.param(lambda folder: (folder / "b.txt").write_text("sec"), id="a file is cut"),
        pytest.param(lambda folder: (folder / "c.txt").write_text(""), id="a file more"),
        pytest.param(lambda folder: (folder / ".manifest.json").write_text("["), id="the list of files is broken"),
        pytest.param(lambda folder: (folder / ".manifest.json").unlink(), id="the list of files is gone"),
    ],
)
def test_a_folder_that_is_not_as_it_was_made_is_made_anew(damage: Callable[[Path], object]) -> None:
    damage(unpacked_folder("x", fill))
    assert contents(unpacked_folder("x", fill)) == WHOLE


def test_of_two_commands_at_once_the_first_one_wins(cache: Path) -> None:
    def fill_late(folder: Path) -> None:
        unpacked_folder("x", fill)
        (folder / "late.txt").write_text("late")

    assert contents(unpacked_folder("x", fill_late)) == WHOLE
    assert [path.name for path in cache.iterdir()] == ["x"]


def test_what_vanishes_while_old_folders_are_looked_for(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "vanished").symlink_to(cache / "nowhere")  # listed, but not there when asked for its age
    assert contents(unpacked_folder("x", fill)) == WHOLE


@pytest.mark.parametrize(
    "place", ["cache", "cache/yolo_pipeline", "cache/yolo_pipeline/unpacked", "cache/yolo_pipeline/unpacked/x"]
)
def test_a_file_in_the_way_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("mine")
    with pytest.raises(DataError, match="is a file, or lies in one, where a folder must be") as caught:
        unpacked_folder("x", fill)
    assert caught.value.where.startswith(str(tmp_path / "cache"))
    assert (tmp_path / place).read_text() == "mine"


def test_what_cannot_be_filled_is_not_there(cache: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise DataError("x.zip", "is bad")

    with pytest.raises(DataError, match="is bad"):
        unpacked_folder("x", fail)
    assert list(cache.iterdir()) == []
