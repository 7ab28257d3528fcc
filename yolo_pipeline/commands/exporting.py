"""The command that hands a trained attempt on: export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yolo_pipeline.commands.output import HERE, Json, Number, Project, print_json, show
from yolo_pipeline.console import terminal_progress

_TARGETS = "onnx, openvino, tflite, torchscript, bundle; with the track tfapi saved_model, tflite, tflite-int8, bundle."


def export(
    number: Number,
    to: Annotated[str, typer.Option("--to", metavar="TARGET,…", help=_TARGETS)],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to; left out: runs/attempt-N/export.")] = None,
    imgsz: Annotated[int | None, typer.Option(help="Longer side in pixels; left out: as it was trained.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Write it anew; what is there is kept as TARGET.1.")] = False,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Write an attempt's network in another format, or all of it as one archive, and try that it finds the same."""
    from yolo_pipeline.recipes import export as recipe

    targets = list(dict.fromkeys(word for part in to.split(",") if (word := part.strip().lower())))
    with terminal_progress() as progress:
        done = recipe.export(project, number, targets, out=out, imgsz=imgsz, again=again, progress=progress)
    if as_json:
        print_json(recipe.as_json(number, done))
        return
    for one in done:
        show(str(one.path))
