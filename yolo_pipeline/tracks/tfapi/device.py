"""Where TensorFlow runs."""

from __future__ import annotations

from yolo_pipeline.errors import InputError
from yolo_pipeline.tracks.torch_device import has_cuda


def device_of(asked: object, where: str) -> str | None:
    """The device that was asked for: "cpu" or the number of a GPU; None: TensorFlow takes a GPU where it finds one.

    Args:
        where: what names it, for errors.

    Raises:
        InputError: it is none, several, or a GPU on a machine without one.
    """
    if asked is None:
        return None
    said = str(asked).strip()
    if "," in said:
        raise InputError(where, f"is {said}, several devices", "Name one: several are not supported")
    if said != "cpu" and not said.isdecimal():
        raise InputError(where, f"is {said}, which TensorFlow does not run on", "Say cpu, or the number of a GPU")
    if said != "cpu" and not has_cuda():
        raise InputError(where, f"is {said}, and there is no CUDA device", "Say cpu")
    return said
