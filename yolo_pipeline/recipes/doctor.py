"""What is there on this machine and what to type when something is missing."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from yolo_pipeline.attempt_files import attempt_numbers
from yolo_pipeline.errors import InputError
from yolo_pipeline.fonts import font_file
from yolo_pipeline.runtimes import install_command, installed, version
from yolo_pipeline.tfapi import environment

_GIB = 1024**3
_LOW_DISK_GIB = 5
_WEIGHTS = (".pt", ".pth", ".safetensors")
_HOST, _PORT, _TIMEOUT_S = "github.com", 443, 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's: what was looked at, what was found, and what to do when it is not well."""

    what: str
    found: str
    well: bool = True
    remedy: str = ""


def doctor(root: Path) -> list[Check]:
    """Checks of Python, packages, torch, CUDA driver, GPU memory, runtimes, TensorFlow's environment, weights, font,
    disk, network, project."""
    return [
        _python(),
        _packages(),
        *_torch(),
        _runtimes(),
        _tfapi(),
        _weights(root),
        _font(),
        _disk(root),
        _network(),
        _project(root),
    ]


def _python() -> Check:
    bits = "64-bit" if sys.maxsize > 2**32 else "32-bit"
    well = sys.version_info >= (3, 11) and bits == "64-bit"
    return Check("Python", f"{platform.python_version()} {bits}", well, "Install 64-bit Python 3.11 or newer")


def _runtimes() -> Check:
    """What can run networks for `detect` beside torch; each is an extra that nobody needs to have."""
    there = [f"{name} {version(name)}" for name in ("openvino", "onnxruntime") if installed(name)]
    if installed("openvino"):
        return Check("runtimes", ", ".join(["torch", *there]))
    faster = f"detect is faster on most processors with OpenVINO: {install_command('openvino')}"
    return Check("runtimes", f"{', '.join(['torch', *there])}; {faster}")


def _tfapi() -> Check:
    """The environment of the track tfapi, which only those have who want it."""
    if environment.named_python() is None and not environment.is_made():
        return Check("TF-API", "no environment; for `track: tfapi`, `python -m yolo_pipeline setup-tfapi` makes one")
    try:
        python = environment.python()
        versions = environment.versions(python)
    except InputError as error:
        return Check("TF-API", f"{error.where} {error.reason}", False, error.remedy)
    return Check("TF-API", f"TensorFlow {versions.get('tensorflow', '?')} in {python}")


def _packages() -> Check:
    """Ultralytics and OpenCV. The roboflow extra brings a second OpenCV into the same folder: the later one won."""
    versions = {name: _version(name) for name in ("ultralytics", "opencv-python", "opencv-python-headless")}
    missing = [name for name, version in versions.items() if version is None and name != "opencv-python-headless"]
    text = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        said = ", ".join([text, *(f"{name} not installed" for name in missing)])
        return Check("packages", said, False, f"python -m pip install {' '.join(missing)}")
    wanted, other = versions["opencv-python"], versions["opencv-python-headless"]
    remedy = f"They overwrite each other: python -m pip install --force-reinstall --no-deps opencv-python=={wanted}"
    return Check("packages", text, other in (None, wanted), f"{remedy} opencv-python-headless=={wanted}")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _torch() -> list[Check]:
    """Torch, whether it fits the driver, and the GPU's memory."""
    try:
        import torch
        import torchvision
    except (ImportError, RuntimeError, OSError) as error:
        said = str(error).splitlines()[0]
        remedy = "python -m pip install --force-reinstall torch torchvision"
        return [Check("torch", f"cannot be imported: {said}", False, remedy), _driver(None)]
    versions = f"{torch.__version__}, torchvision {torchvision.__version__}"
    built = torch.version.cuda
    checks = [Check("torch", f"{versions}, built for {f'CUDA {built}' if built else 'the CPU alone'}"), _driver(built)]
    if not torch.cuda.is_available():
        return [*checks, Check("GPU", "none that torch can use: training runs on the CPU")]
    free, total = torch.cuda.mem_get_info()
    name = torch.cuda.get_device_name(0)
    return [*checks, Check("GPU", f"{name}, {free / _GIB:.1f} of {total / _GIB:.1f} GiB free")]


def _driver(built_for: str | None) -> Check:
    """The NVIDIA driver and the CUDA it can run, against the CUDA that torch was built for."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Check("CUDA driver", "no nvidia-smi: no NVIDIA driver is installed")
    try:
        said = subprocess.run([tool], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Check("CUDA driver", f"nvidia-smi fails: {error}", False, "Install the NVIDIA driver again")
    _, _, rest = said.partition("CUDA Version:")
    runs = rest.split()[0] if rest.split() else "?"
    if built_for is None:
        remedy = "Install the CUDA build of torch: see pytorch.org, Get Started"
        return Check("CUDA driver", f"runs CUDA {runs}, but torch was built for the CPU", False, remedy)
    well = _number(runs) >= _number(built_for)
    remedy = f"Install a newer NVIDIA driver, or a torch built for CUDA {runs}: see pytorch.org, Get Started"
    return Check("CUDA driver", f"runs CUDA up to {runs}, torch was built for {built_for}", well, remedy)


def _weights(root: Path) -> Check:
    files = (root / "weights").iterdir() if (root / "weights").is_dir() else ()
    there = sorted(file.name for file in files if file.suffix in _WEIGHTS)
    found = ", ".join(there) or "none in weights/: pretrained ones are fetched when an attempt first wants them"
    return Check("weights", found)


def _font() -> Check:
    try:
        return Check("font", font_file().name)
    except FileNotFoundError:
        return Check("font", "missing", False, "python -m pip install koreanize-matplotlib")


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root if root.exists() else Path.cwd()).free / _GIB
    return Check(
        "disk", f"{free:.0f} GiB free", free >= _LOW_DISK_GIB, "Free some space: runs and weights take gigabytes"
    )


def _network() -> Check:
    try:
        socket.create_connection((_HOST, _PORT), timeout=_TIMEOUT_S).close()
    except OSError:
        remedy = "Put weights into weights/ yourself, or say `pretrained: false`"
        return Check("network", f"{_HOST} is not reached", False, remedy)
    return Check("network", f"{_HOST} is reached")


def _project(root: Path) -> Check:
    numbers = attempt_numbers(root)
    if not numbers:
        return Check("project", f"no attempts in {root.absolute()}", False, "python -m yolo_pipeline init DIR")
    return Check("project", f"attempts {', '.join(map(str, numbers))}")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
