"""The API's environment: made by a real pip from small packages of our own, found again, and named by a variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Told
from small_wheels import of_our_own, wheel

from yolo_pipeline.errors import InputError
from yolo_pipeline.progress import silent
from yolo_pipeline.tfapi import environment

VARIABLE = "YOLO_PIPELINE_TFAPI_PYTHON"
COMMAND = "python -m yolo_pipeline setup-tfapi"
posix = pytest.mark.skipif(os.name == "nt", reason="a shell script for a Python")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, and a pip that knows only the packages of `wheels`."""
    monkeypatch.setattr(environment, "cache_folder", lambda: tmp_path / "캐시")
    monkeypatch.delenv(VARIABLE, raising=False)
    of_our_own(monkeypatch, tmp_path / "wheels")
    environment._found.cache_clear()
    return tmp_path / "캐시" / "tfapi"


@pytest.fixture
def small_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages in place of the real ones; the API's asks for one that there is not, as the real one does."""
    wheel(tmp_path / "wheels", "tensorflow", "2.21.0", "tensorflow")
    wheel(
        tmp_path / "wheels", "tf-models-research-object-detection", "2.8.0.post1", "object_detection", "tensorflow-io"
    )
    monkeypatch.setattr(environment, "PINS", ("tensorflow==2.21.0",))


def test_it_is_made_and_found_again(home: Path, small_packages: None) -> None:
    tried: list[Path] = []
    old, older, new = home / ".abc.x.building", home / ".abc.z.old", home / ".abc.y.building"  # by killed commands
    for left in (old, older, new):
        (left / "lib").mkdir(parents=True)
    for left in (old, older):
        os.utime(left, (0, 0))

    earlier, told = home / "0123456789ab", Told()
    earlier.mkdir()
    (earlier / "environment.json").write_text('{"cuda": false}')

    made = environment.make(told, cuda=False, check=tried.append)

    assert made == environment.folder() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    assert environment.python() == made
    assert environment.versions(made) == {
        "Python": ".".join(map(str, sys.version_info[:3])),
        "tensorflow": "2.21.0",
        "tf-models-research-object-detection": "2.8.0.post1",
    }
    assert [path.is_relative_to(environment.folder()) for path in tried] == [False]  # before it counts
    left = [environment.folder().name, earlier.name, new.name, "setup.log"]
    assert sorted(path.name for path in home.iterdir()) == sorted(left)
    assert (
        told.lines[-1]
        == f"{earlier} was made for other versions or another Python, and may be deleted if these are gone"
    )
    assert environment.is_made(cuda=False)
    assert not environment.is_made(cuda=True)
    code = "import tensorflow; print(tensorflow.__file__)"
    where = subprocess.run([made, "-c", code], capture_output=True, text=True, encoding="utf-8").stdout.strip()
    assert Path(where).is_relative_to(environment.folder())


def test_a_disk_that_is_nearly_full(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_NEEDED_GIB", 1e9)

    with pytest.raises(InputError) as caught:
        environment.make(silent, cuda=False)

    assert "GB free, and about 1e+09 GB are needed. Free some space" in str(caught.value)
    assert not home.exists()


@pytest.mark.parametrize(
    ("first", "last"), [pytest.param((3, 8), (3, 10), id="new"), pytest.param((4, 0), (4, 1), id="old")]
)
def test_a_python_without_packages_is_told_which_have(
    home: Path, monkeypatch: pytest.MonkeyPatch, first: tuple[int, int], last: tuple[int, int]
) -> None:
    monkeypatch.setattr(environment, "_FIRST", first)
    monkeypatch.setattr(environment, "_LAST", last)

    with pytest.raises(InputError) as caught:
        environment.make(silent, cuda=False)

    span = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    assert f"and TensorFlow's environment needs {span}. Install one of these" in str(caught.value)
    assert not home.exists()


def test_without_one_a_line_says_how_to_make_it() -> None:
    with pytest.raises(InputError) as caught:
        environment.python()

    assert str(caught.value) == (
        "track: tfapi: TensorFlow's Object Detection API has no environment yet. "
        f"Make it with `{COMMAND}` (a few minutes, 3 GB)"
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no file: it was never finished"),
        pytest.param("{", id="half a file"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="its Python is gone"),
    ],
)
def test_a_folder_that_is_not_whole_does_not_count(content: str | None) -> None:
    environment.folder().mkdir(parents=True)
    if content is not None:
        (environment.folder() / "environment.json").write_text(content)

    assert not environment.is_made()


def test_other_pins_have_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    before = environment.folder()
    monkeypatch.setattr(environment, "PINS", (*environment.PINS, "more==1"))

    assert environment.folder() != before
    assert environment.folder().parent == before.parent


def script(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def answer(lacks: list[str], python: list[int]) -> str:
    versions = {"Python": ".".join(map(str, python)), "tensorflow": "2.21.0"}
    return "echo '" + json.dumps({"versions": versions, "lacks": lacks, "python": python}) + "'"


@posix
def test_a_named_python_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = script(tmp_path / "다른" / "python", "echo a warning; " + answer([], [3, 12, 1]))
    monkeypatch.setenv(VARIABLE, f" {named} ")

    assert environment.python() == named
    assert environment.versions(named) == {"Python": "3.12.1", "tensorflow": "2.21.0"}


@posix
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(answer(["object_detection"], [3, 12]), "has no package object_detection", id="no API"),
        pytest.param(
            answer(["tensorflow", "object_detection"], [3, 12]),
            "has no package tensorflow and no object_detection",
            id="neither",
        ),
        pytest.param(answer([], [3, 10]), "is Python 3.10, and 3.11 is needed", id="too old"),
        pytest.param("echo hello", "is no Python that answers", id="no Python"),
        pytest.param("echo '[1]'", "is no Python that answers", id="JSON of another kind"),
        pytest.param("exit 3", "is no Python that answers (exit code 3)", id="it fails"),
        pytest.param(
            "echo one >&2; echo 'ValueError: two.' >&2; exit 1",
            "is no Python that answers (ValueError: two)",
            id="it fails, and says why",
        ),
        pytest.param("printf '\\377\\376'", "is no Python that answers", id="binary"),
    ],
)
def test_a_named_python_that_will_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    named = script(tmp_path / "bin" / "python", text)
    monkeypatch.setenv(VARIABLE, str(named))

    with pytest.raises(InputError) as caught:
        environment.python()

    assert str(caught.value).startswith(f"{VARIABLE}={named}: {reason}")
    assert str(caught.value).endswith(f"Name another one, or unset it and type `{COMMAND}`")


def test_a_named_python_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))

    with pytest.raises(InputError, match=r"nowhere: cannot be started \(No such file or directory\)"):
        environment.python()


@pytest.mark.parametrize("named", ["~no-such-user/python", "~/no-such-folder/python"])
def test_a_home_is_found_where_there_is_one(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv(VARIABLE, named)

    with pytest.raises(InputError, match="cannot be started"):
        environment.python()


def test_a_folder_for_a_python_is_told_which_file_to_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))

    with pytest.raises(InputError) as caught:
        environment.python()

    python = environment.interpreter(tmp_path)
    assert str(caught.value) == f"{VARIABLE}={tmp_path}: is a folder. Name the Python in it, such as {python}"


def test_this_python_says_that_it_lacks_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, sys.executable)

    with pytest.raises(InputError, match="has no package"):
        environment.python()
