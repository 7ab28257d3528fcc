"""Where torch runs, on how many threads, and what it complains of. Torch is imported when it is asked."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from yolo_pipeline.errors import InputError, WeightsError
from yolo_pipeline.runtimes.complaints import complaint

if TYPE_CHECKING:
    import torch

_MOST_THREADS = 8


def device_of(asked: object, where: str) -> str:
    """The device that was asked for, or the best there is: "cpu", "mps" or the number of a GPU.

    Args:
        where: what names it, for errors.

    Raises:
        InputError: several, or a GPU that torch does not find.
    """
    if asked is None:
        return _best_device()
    if isinstance(asked, list) or "," in str(asked):
        raise InputError(where, f"is {asked}, several devices", "Name one: several are not supported")
    if str(asked) not in ("cpu", "mps") and _best_device() == "cpu":
        remedy = "Say cpu, or type: python -m yolo_pipeline doctor"
        raise InputError(where, f"is {asked}, but torch finds no CUDA device", remedy)
    return str(asked)


def torch_device(asked: object, where: str) -> torch.device:
    """As `device_of`, for those who ask torch themselves.

    Raises:
        InputError: it is none, or torch does not find it.
    """
    import torch

    name = device_of(asked, where)
    if name == "cpu" or (name == "mps" and torch.backends.mps.is_available()):
        return torch.device(name)
    count = torch.cuda.device_count()
    if name.isdecimal() and len(name) < 3 and int(name) < count:
        return torch.device("cuda", int(name))
    numbers = f", or a number below {count}" if count else ""
    raise InputError(where, f"is {name}, which torch does not find", f"Say cpu{numbers}, or leave it out")


def _best_device() -> str:
    import torch

    return "0" if torch.cuda.is_available() else "cpu"


def has_cuda() -> bool:
    """Asks NVIDIA's driver for GPUs: importing torch for that takes seconds."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):
        return False


def use_all_cores() -> None:
    """Ultralytics leaves one core free, which on two cores is half of the machine."""
    import torch

    torch.set_num_threads(max(torch.get_num_threads(), min(_MOST_THREADS, os.cpu_count() or 1)))


@contextmanager
def explained(weights: Path, remedy: str) -> Iterator[None]:
    """What torch raises when a network is asked, as one line for the user.

    Args:
        remedy: where the weights cannot be asked at all.
    """
    try:
        yield
    except RuntimeError as error:
        said = str(error)
        if "out of memory" in said.lower() or "can't allocate memory" in said:
            smaller = "Say a smaller imgsz, or device cpu"
            raise InputError(weights, f"memory is not enough: {complaint(error, 160)}", smaller) from error
        raise WeightsError(weights, f"cannot be asked: {complaint(error, 300)}", remedy) from error
