"""The command for runs that were made elsewhere: import-run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from yolo_pipeline.commands.output import HERE, Project, show, warn
from yolo_pipeline.errors import command

_SHOWN = 10  # runs of a list


def import_run(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A run's folder, its results.csv, event files …")],
    number: Annotated[
        int | None,
        typer.Option("--attempt", min=1, help="The attempt it becomes; of a list, the first."),
    ] = None,
    truth: Annotated[Path | None, typer.Option(metavar="FILE", help="With COCO results: their ground truth.")] = None,
    split: Annotated[Literal["val", "test"], typer.Option(help="What COCO results are of.")] = "test",
    title: Annotated[str | None, typer.Option(help="Its title; left out: the name of what it was read from.")] = None,
    project: Project = HERE,
) -> None:
    """Bring a run made elsewhere into runs/, to compare with our own."""
    from yolo_pipeline.recipes.import_run import import_run as recipe

    imported = recipe(project, path, number, truth=truth, split=split, title=title)
    for entry in imported[:_SHOWN]:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in entry.metrics.items()) or "no figures"
        show(f"{entry.run.folder}: {entry.title}: {figures}")
    if len(imported) > _SHOWN:
        show(f"… and {len(imported) - _SHOWN} more, to attempt {imported[-1].number}")
    for note in dict.fromkeys(note for entry in imported for note in entry.notes):
        warn(f"note: {note}")
    numbers = " ".join(str(entry.number) for entry in imported[:_SHOWN])
    show(f"Compare: {command(project, f'compare {numbers}' if len(imported) > 1 else 'compare')}")
