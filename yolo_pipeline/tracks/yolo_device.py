"""Where torch runs, and on how many threads."""

from __future__ import annotations

import os

from yolo_pipeline.errors import InputError

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


def _best_device() -> str:
    import torch

    return "0" if torch.cuda.is_available() else "cpu"


def use_all_cores() -> None:
    """Ultralytics leaves one core free, which on two cores is half of the machine."""
    import torch

    torch.set_num_threads(max(torch.get_num_threads(), min(_MOST_THREADS, os.cpu_count() or 1)))
