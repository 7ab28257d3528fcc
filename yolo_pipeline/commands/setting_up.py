"""The command that makes the environment of the track tfapi: setup-tfapi."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from yolo_pipeline.commands.output import show
from yolo_pipeline.console import terminal_progress

_SAID = {
    "made": "Made and tried in {seconds:.0f} seconds",
    "found": "It is there",
    "named": "Tried in {seconds:.0f} seconds",
}


def setup_tfapi(
    cuda: Annotated[
        bool | None,
        typer.Option(
            "--cuda/--no-cuda",
            help="With CUDA's packages, for NVIDIA GPUs on Linux, or without; left out: with them where there is a "
            "driver. Its makers had no GPU to try this on.",
        ),
    ] = None,
) -> None:
    """Make the environment of TensorFlow's Object Detection API, for `track: tfapi`.

    About 3 GB in the user's cache folder; needs the network. To use another one, name its Python by
    YOLO_PIPELINE_TFAPI_PYTHON.
    """
    from yolo_pipeline.recipes.setup_tfapi import setup_tfapi as recipe

    began = time.monotonic()
    with terminal_progress() as progress:
        setup = recipe(progress, cuda=cuda)
    show(f"{_SAID[setup.done].format(seconds=time.monotonic() - began)}: {setup.python}")
    show(", ".join(f"{name} {version}" for name, version in setup.versions.items()))
