"""Packages on their way into an environment: a real pip, in a real one; how far it is, and why it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from small_wheels import of_our_own, wheel

from yolo_pipeline.errors import InputError
from yolo_pipeline.progress import Silent, silent
from yolo_pipeline.tfapi.environment import interpreter
from yolo_pipeline.tfapi.installing import Installation


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[str, float, str]] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        self.steps.append((what, done, detail))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an empty environment."""
    folder = tmp_path_factory.mktemp("환경")
    Installation(interpreter(folder), folder / "log", silent).begin(folder)
    return interpreter(folder)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    of_our_own(monkeypatch, tmp_path / "wheels")
    for name in ("one", "two", "three"):
        wheel(tmp_path / "wheels", name, "1.0", name, needs="absent" if name == "three" else "")
    file = tmp_path / "setup.log"
    file.write_text("of the step before: ERROR: No space left on device\n")
    return file


def test_packages_are_counted_and_pip_is_logged(environment: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_USER", "1")  # which no environment allows
    told = Told()
    installation = Installation(environment, log, told)

    installation.install(["one==1.0", "two==1.0"])
    installation.install(["three==1.0"], alone=True)

    assert told.steps == [
        ("fetching packages", 1, "one-1.0-py3-none-any.whl"),
        ("fetching packages", 2, "two-1.0-py3-none-any.whl"),
        ("fetching packages", 3, "three-1.0-py3-none-any.whl"),
    ]
    assert "Successfully installed one-1.0 two-1.0" in log.read_text(encoding="utf-8")


def test_what_a_package_asks_for_is_wanted_unless_it_comes_alone(environment: Path, log: Path) -> None:
    with pytest.raises(InputError) as caught:
        Installation(environment, log, silent).install(["three==1.0", "one==1.0", "--force-reinstall"])

    assert str(caught.value) == (
        f"{log}: pip failed: ERROR: No matching distribution found for absent. Look there for more"
    )


def test_without_a_network_one_line_says_so(environment: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")

    with pytest.raises(InputError) as caught:
        Installation(environment, log, silent).install(["four==1.0"])

    assert str(caught.value) == (
        f"{log}: the packages cannot be fetched: the network, or pip's package index, is not reached. "
        "Check the connection (and pip's settings) and try again"
    )


@pytest.mark.skipif(os.name == "nt", reason="a shell script for a Python")
@pytest.mark.parametrize(
    ("printed", "told"),
    [
        pytest.param(
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "the disk is full. Free some space and try again; nothing was left behind",
            id="the disk is full",
        ),
        pytest.param("something odd.", "pip failed: something odd. Look there for more", id="no line says ERROR"),
        pytest.param("", "pip failed: it said nothing. Look there for more", id="silence"),
    ],
)
def test_other_ends_of_pip(tmp_path: Path, log: Path, printed: str, told: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{printed}'\nexit 1\n")
    python.chmod(0o755)

    with pytest.raises(InputError) as caught:
        Installation(python, log, silent).install(["one==1.0"])

    assert str(caught.value) == f"{log}: {told}"


def test_ctrl_c_ends_pip(environment: Path, log: Path) -> None:
    class Impatient(Told):
        def at(self, what: str, done: float, total: float, detail: str = "") -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Installation(environment, log, Impatient()).install(["one==1.0", "--force-reinstall"])

    assert "Successfully installed" not in log.read_text(encoding="utf-8")


def test_a_python_that_cannot_make_environments(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError) as caught:
        Installation(tmp_path / "none", tmp_path / "log", silent).begin(tmp_path / "file")

    assert str(caught.value).startswith(f"{tmp_path / 'log'}: the environment cannot be made: Error: ")
