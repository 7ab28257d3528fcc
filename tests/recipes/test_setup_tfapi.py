"""The environment of the track tfapi: tried before it counts, found by a second call, named by a variable."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Told

from yolo_pipeline.errors import InputError
from yolo_pipeline.recipes import doctor
from yolo_pipeline.recipes.setup_tfapi import Setup, setup_tfapi, try_training
from yolo_pipeline.tfapi import environment

VARIABLE = "YOLO_PIPELINE_TFAPI_PYTHON"
posix = pytest.mark.skipif(os.name == "nt", reason="a script for a Python")
VERSIONS = {"Python": "3.12.1", "tensorflow": "2.21.0"}
GOOD = """
say(say="builds the model")
say(step=1, of=2, losses={"Loss/total_loss": 1.5}, learning_rate=0.01, seconds=1.0)
say(step=2, of=2, losses={"Loss/total_loss": 1.4}, learning_rate=0.01, seconds=2.0)
say(done={"step": 2})
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environment, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv(VARIABLE, raising=False)
    environment._found.cache_clear()
    return tmp_path / "cache" / "tfapi"


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a program that says as a Python with TensorFlow which versions it has, and trains as it is told."""

    def write(training: str, file: Path = tmp_path / "bin" / "python") -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        answer = {"versions": VERSIONS, "lacks": [], "python": [3, 12]}
        file.write_text(
            f"#!{sys.executable}\nimport json, sys\nfrom pathlib import Path\n"
            f"def say(**message):\n    print(json.dumps(message), flush=True)\n"
            f"if not any('worker.main' in word for word in sys.argv):\n    print({json.dumps(answer)!r})\n    sys.exit()\n"
            f"first = json.loads(sys.stdin.readline())\njob = first['job']\n{training}",
            encoding="utf-8",
        )
        file.chmod(0o755)
        return file

    return write


@posix
def test_a_named_environment_is_tried_and_used(
    stand_in: Callable[[str], Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = stand_in(GOOD)
    monkeypatch.setenv(VARIABLE, str(python))

    assert setup_tfapi() == Setup(python, VERSIONS, "named")
    assert [path.name for path in home.iterdir()] == ["check.log"]


@posix
def test_the_trial_is_given_all_that_training_needs(stand_in: Callable[[str], Path], tmp_path: Path) -> None:
    seen = tmp_path / "seen.json"
    training = f"""
folder = Path(job["config"]).parent
seen = {{"task": first["task"], "steps": job["steps"], "names": job["names"], "label map": (folder / "label_map.pbtxt").read_text()}}
seen["records"] = sorted(path.name for path in (folder / "records").iterdir())
seen["num_steps"] = "num_steps: 2" in Path(job["config"]).read_text()
Path({str(seen)!r}).write_text(json.dumps(seen))
{GOOD}
"""

    try_training(stand_in(training))

    assert json.loads(seen.read_text()) == {
        "task": "train",
        "steps": 2,
        "names": ["square"],
        "label map": 'item {\n  id: 1\n  name: "square"\n}\n',
        "records": ["train.record"],
        "num_steps": True,
    }


@posix
@pytest.mark.parametrize(
    ("training", "reason"),
    [
        pytest.param('say(done={"step": 1})', "the trial ended without two trained steps", id="one step"),
        pytest.param('say(done={"step": 2})', "the trial ended without two trained steps", id="no loss was said"),
        pytest.param(
            GOOD.replace("1.4", "float('nan')"), "the trial ended without two trained steps", id="it diverged"
        ),
        pytest.param('raise ImportError("no libcuda")', "ImportError: no libcuda", id="a traceback"),
        pytest.param('say(fault={"reason": "no GPU memory"})', "no GPU memory", id="a fault"),
        pytest.param("", "ended without a result", id="nothing"),
    ],
)
def test_an_environment_that_does_not_train(
    stand_in: Callable[[str], Path], home: Path, training: str, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        try_training(stand_in(training))

    assert str(caught.value).startswith(f"{home / 'check.log'}: ")
    assert reason in str(caught.value)


def test_one_that_was_made_but_does_not_train_is_not_kept(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(environment, "PINS", ("pip",))  # which is there
    monkeypatch.setattr(environment, "PINS_ALONE", ("pip",))

    with pytest.raises(InputError, match=r"check\.log: "):
        setup_tfapi(cuda=False)

    assert sorted(path.name for path in home.iterdir()) == ["check.log", "setup.log"]


@posix
def test_one_that_is_damaged_is_made_anew_and_it_is_said(
    stand_in: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    python, told = environment.interpreter(environment.folder()), Told()
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    (environment.folder() / "environment.json").write_text('{"cuda": false}')
    monkeypatch.setattr(environment, "_NEEDED_GIB", 1e9)

    with pytest.raises(InputError, match="are needed"):
        setup_tfapi(told, cuda=False)

    assert told.lines == [
        "the environment that is there is damaged, and is made anew: is no Python that answers (exit code 1)"
    ]


@posix
def test_a_second_call_does_nothing(stand_in: Callable[..., Path], home: Path) -> None:
    python = stand_in("raise SystemExit(1)", environment.interpreter(environment.folder()))
    (environment.folder() / "environment.json").write_text('{"cuda": false}')

    assert setup_tfapi() == Setup(python, VERSIONS, "found")
    assert setup_tfapi(cuda=False) == Setup(python, VERSIONS, "found")
    assert [path.name for path in home.iterdir()] == [environment.folder().name]


@posix
def test_the_command_says_where_it_is(
    stand_in: Callable[[str], Path], cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    python = stand_in(GOOD)
    monkeypatch.setenv(VARIABLE, str(python))

    ended = cli("setup-tfapi", "--no-cuda")

    assert ended.code == 0
    first, second = ended.out.splitlines()
    assert first.startswith("Tried in ")
    assert first.endswith(f" seconds: {python}")
    assert second == "Python 3.12.1, tensorflow 2.21.0"


def test_a_fault_is_one_line_of_the_command(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))

    ended = cli("setup-tfapi")

    assert ended.code == 3
    assert ended.err.startswith(f"error: {VARIABLE}={tmp_path / 'nowhere'}: cannot be started")


@posix
def test_doctor_says_which_environment_there_is(
    stand_in: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = doctor._tfapi()
    python = stand_in("", environment.interpreter(environment.folder()))
    (environment.folder() / "environment.json").write_text('{"cuda": false}')
    made = doctor._tfapi()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    wrong = doctor._tfapi()

    assert (none.well, made.well, wrong.well) == (True, True, False)
    assert none.found == "no environment; for `track: tfapi`, `python -m yolo_pipeline setup-tfapi` makes one"
    assert made.found == f"TensorFlow 2.21.0 in {python}"
    assert "cannot be started" in wrong.found


@pytest.mark.slow
def test_the_real_environment_trains(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    try:
        python = environment.python()
    except InputError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(environment, "cache_folder", lambda: home.parent)

    try_training(python)

    assert (home / "check.log").is_file()
