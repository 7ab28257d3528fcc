"""The environment that the TensorFlow Object Detection API lives in: which packages, where it is, and how it is made.

The API's last complete package asks for others that it does not need and that no longer install, so it comes second,
alone. The versions are those that were seen to work together.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.files import cache_folder, explain_os_error, folder_beside, forget_old, read_json, write_json
from yolo_pipeline.progress import Progress
from yolo_pipeline.tfapi.installing import Installation, clean_variables

PINS = (
    "tensorflow==2.21.0", "tf-keras==2.21.0", "tensorboard==2.21.0", "tf-slim==1.1.0", "lvis==0.5.3",
    "pycocotools==2.0.11", "numpy==2.4.6", "protobuf==7.36.2", "pillow==13.0.0", "lxml==6.1.3", "scipy==1.17.1",
    "matplotlib==3.11.2", "pandas==3.1.1", "six==1.17.0", "contextlib2==21.6.0",
)  # fmt: skip
PINS_ALONE = ("tf-models-research-object-detection==2.8.0.post1",)
"""Installed after the others, without what it asks for."""

NAMED_BY = "YOLO_PIPELINE_TFAPI_PYTHON"
"""The environment variable that names the interpreter of another environment."""

_COMMAND = "python -m yolo_pipeline setup-tfapi"
REMEDY = f"Make it with `{_COMMAND}`"

_FIRST, _LAST = (3, 11), (3, 13)  # Pythons that all of PINS have wheels for
_GIB = 2**30
_NEEDED_GIB, _NEEDED_GIB_CUDA = 3.0, 9.0  # measured: 2.7; with CUDA not measured
_MADE = "environment.json"  # in the folder, written when all else is done
_WITHIN_S = 60.0  # for a Python to say what it has
_UNFINISHED_S = 6 * 3600.0
_ASK = """
import importlib.metadata, importlib.util, json, platform, sys
found = {"Python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
lacks = [name for name in ("tensorflow", "object_detection") if importlib.util.find_spec(name) is None]
print(json.dumps({"versions": found, "lacks": lacks, "python": sys.version_info[:2]}))
"""
_ASKED = ("tensorflow", "tf-keras", "numpy", "protobuf", "tf-models-research-object-detection")


def python() -> Path:
    """The interpreter of the environment: the one that YOLO_PIPELINE_TFAPI_PYTHON names, else the one made by `make`.

    Raises:
        InputError: there is none, or the one that is named lacks the packages.
    """
    if (named := named_python()) is not None:
        versions(named)
        return named
    if not is_made():
        reason = "TensorFlow's Object Detection API has no environment yet"
        raise InputError("track: tfapi", reason, f"{REMEDY} (a few minutes, {_NEEDED_GIB:g} GB)")
    return interpreter(folder())


def named_python() -> Path | None:
    """The interpreter that YOLO_PIPELINE_TFAPI_PYTHON names; None where it is not set."""
    named = os.environ.get(NAMED_BY, "").strip()
    return Path(os.path.expanduser(named)) if named else None  # noqa: PTH111  Path's raises for an unknown user


def versions(python: Path) -> dict[str, str]:
    """Versions of Python, TensorFlow and the API's other packages in an environment. TensorFlow is not imported.

    Raises:
        InputError: it does not run, is too old, or lacks tensorflow or object_detection.
    """
    where = f"{NAMED_BY}={python}" if python == named_python() else str(python)
    remedy = f"Name another one, or unset it and type `{_COMMAND}`" if python == named_python() else REMEDY
    if python.is_dir():
        raise InputError(where, "is a folder", f"Name the Python in it, such as {interpreter(python)}")
    try:
        found = _found(str(python))
        known: dict[str, str] = dict(found["versions"])
        if found["lacks"]:
            raise InputError(where, f"has no package {' and no '.join(found['lacks'])}", remedy)
        if tuple(found["python"]) < _FIRST:
            raise InputError(where, f"is Python {known['Python']}, and {_written(_FIRST)} is needed", remedy)
    except OSError as error:
        raise InputError(where, f"cannot be started ({error.strerror or error})", remedy) from error
    except subprocess.TimeoutExpired as error:
        raise InputError(where, f"is no Python that answers within {error.timeout:g} seconds", remedy) from error
    except subprocess.CalledProcessError as error:
        raise InputError(where, f"is no Python that answers ({_told_by(error)})", remedy) from error
    except (ValueError, TypeError, LookupError) as error:
        raise InputError(where, f"is no Python that answers ({one_line(str(error))[:200]})", remedy) from error
    return known


def _told_by(error: subprocess.CalledProcessError) -> str:
    """The last that a program said before it failed, else how it ended."""
    said = one_line(error.stderr.strip().rpartition("\n")[2])[:200].rstrip(".")
    return said or f"exit code {error.returncode}"


@lru_cache(maxsize=8)
def _found(python: str) -> dict[str, Any]:
    """What an interpreter says of itself."""
    command = [python, "-X", "utf8", "-c", _ASK, *_ASKED]
    said = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_WITHIN_S,
        check=True,
        env=clean_variables(),
        stdin=subprocess.DEVNULL,
    )
    found: dict[str, Any] = json.loads(said.stdout.strip().rpartition("\n")[2])
    return found


def folder() -> Path:
    """Where the environment is made: a folder of the user's cache, another one for other pins or another Python."""
    told = [*PINS, *PINS_ALONE, _written(sys.version_info[:2]), sys.platform, platform.machine()]
    return home() / hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


def home() -> Path:
    """The folder with all environments, and the logs of making them."""
    return cache_folder() / "tfapi"


def new_log(what: str) -> Path:
    """A new file for what a child prints, where those of what went wrong stay for a month.

    Raises:
        OSError: there is no room for it.
    """
    folder = home() / "logs"
    try:
        forget_old(folder)
        folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f"{what}-", suffix=".log", dir=folder)
    except OSError as error:
        raise explain_os_error(folder, error) or error from error
    os.close(number)
    return Path(name)


def interpreter(folder: Path) -> Path:
    """The Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_made(*, cuda: bool | None = None) -> bool:
    """Whether the environment is there as it was made.

    Args:
        cuda: only one with CUDA's packages (True) or without (False).
    """
    try:
        made = read_json(folder() / _MADE)
    except (OSError, ValueError):
        return False
    return isinstance(made, dict) and interpreter(folder()).exists() and cuda in (None, made.get("cuda"))


def make(progress: Progress, *, cuda: bool, check: Callable[[Path], None] = lambda python: None) -> Path:
    """Makes the environment, beside its place until all is well, and instead of one that is there. Its interpreter.

    Args:
        cuda: with the packages that NVIDIA GPUs want.
        check: tries the interpreter before it counts; what it raises undoes all.

    Raises:
        InputError: this Python cannot have one, the disk has too little room, or pip fails (with the path of its log).
    """
    _require_python()
    needed = _NEEDED_GIB_CUDA if cuda else _NEEDED_GIB
    _require_disk(needed)
    _forget_unfinished()
    how = f"about {needed:g} GB, needs the network"
    progress.say(f"making the environment of TensorFlow's Object Detection API in {folder()} ({how})")
    with folder_beside(folder(), replace=True) as building:
        installation = Installation(interpreter(building), home() / "setup.log", progress)
        installation.begin(building)
        installation.install([_with_cuda(pin) if cuda else pin for pin in PINS])
        installation.install(PINS_ALONE, alone=True)
        check(interpreter(building))
        write_json(building / _MADE, {"cuda": cuda, "packages": [*PINS, *PINS_ALONE]})
    for other in sorted(made.parent for made in home().glob(f"*/{_MADE}")):
        if other != folder():
            progress.say(f"{other} was made for other versions or another Python, and may be deleted if these are gone")
    return interpreter(folder())


def _forget_unfinished() -> None:
    """What commands that were killed over it have left; not what another one is at."""
    for left in (*home().glob(".*.building"), *home().glob(".*.old")):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _UNFINISHED_S:
                shutil.rmtree(left, ignore_errors=True)


def _with_cuda(pin: str) -> str:
    name, _, version = pin.partition("==")
    return f"{name}[and-cuda]=={version}" if name == "tensorflow" else pin


def _require_python() -> None:
    if not _FIRST <= sys.version_info[:2] <= _LAST:
        reason = f"is Python {platform.python_version()}, and TensorFlow's environment needs {_span()}"
        remedy = f"Install one of these and start the command with it, or name an environment by {NAMED_BY}"
        raise InputError(sys.executable, reason, remedy)
    if missing := [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]:
        reason = f"has no module {' and no '.join(missing)}, which makes environments"
        raise InputError(sys.executable, reason, "On Debian and Ubuntu: apt install python3-venv")


def _require_disk(needed_gib: float) -> None:
    there = next(path for path in (home(), *home().parents) if path.exists())
    free = shutil.disk_usage(there).free / _GIB
    if free < needed_gib:
        reason = f"has {free:.1f} GB free, and about {needed_gib:g} GB are needed"
        remedy = "Free some space"
        if os.name != "nt":
            remedy += ", or set XDG_CACHE_HOME to a folder on another disk"
        raise InputError(there, reason, remedy)


def _span() -> str:
    return f"{_written(_FIRST)} to {_written(_LAST)}"


def _written(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
