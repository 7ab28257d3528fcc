"""Commands on data: init, convert, build, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from yolo_pipeline.commands.output import HERE, Json, Number, Project, print_json, print_table, show
from yolo_pipeline.console import terminal_progress
from yolo_pipeline.errors import command
from yolo_pipeline.formats import FORMATS, ReadOptions
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.reporting.reading import reading_lines
from yolo_pipeline.reporting.tables import terminal_table

KNOWN = ", ".join(FORMATS)
WRITTEN = ", ".join(name for name, entry in FORMATS.items() if entry.write)


def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Make a project: data.yaml, attempts/1.yaml with every key explained, folders."""
    from yolo_pipeline.recipes.init import init as recipe

    for file in recipe(folder):
        typer.echo(f"wrote {file}")
    typer.echo(f"Put pictures and LabelImg's XML files into {folder / 'datasets' / 'raw' / 'pictures'}, then type:")
    typer.echo(command(folder, "train --attempt 1"))


def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE")],
    out: Annotated[Path, typer.Argument(metavar="OUT")],
    from_format: Annotated[str, typer.Option("--from", help=f"auto, {KNOWN}.")] = "auto",
    to_format: Annotated[str, typer.Option("--to", help=f"{WRITTEN}.")] = "yolo",
    images: Annotated[Path | None, typer.Option("--images", help="Where the pictures lie, if elsewhere.")] = None,
    classes: Annotated[str | None, typer.Option(help="Keep these classes, in this order: a,b,c.")] = None,
    unlabelled: Annotated[Literal["skip", "background"], typer.Option(help="Pictures without annotation.")] = "skip",
    difficult: Annotated[Literal["keep", "drop"], typer.Option(help="Objects marked difficult.")] = "keep",
    label_key: Annotated[str | None, typer.Option("--label-key", help="VIA: the attribute with the class.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="List unreadable files instead of stopping.")] = False,
    link: Annotated[bool, typer.Option("--link/--copy", help="Hard-link pictures, or copy them.")] = True,
    as_json: Json = False,
) -> None:
    """Turn a labelled folder into another format."""
    from yolo_pipeline.recipes import convert as recipe

    kept = tuple(clean_label(name) for name in classes.split(",")) if classes else None
    with terminal_progress() as progress:
        options = ReadOptions(images, unlabelled, difficult, label_key, skip_bad, progress)
        dataset, report = recipe.convert(
            source, out, from_format=from_format, to_format=to_format, classes=kept, link=link, options=options
        )
    found = recipe.summary(dataset, report)
    if as_json:
        print_json(found)
        return
    show(f"{found['images']} images, {found['boxes']} boxes, {found['backgrounds']} backgrounds in {out}")
    for line in reading_lines(report):
        show(line)


def build(number: Number, project: Project = HERE) -> None:
    """Build the data set of an attempt in datasets/."""
    from yolo_pipeline import attempt
    from yolo_pipeline.building.writing import counts
    from yolo_pipeline.recipes.build import build as recipe

    with terminal_progress() as progress:
        data = recipe(attempt.load(project, number), progress)
    built = data.built
    rows = [[split, n["images"], n["boxes"], n["backgrounds"]] for split, n in counts(built.dataset).items()]
    state = "unchanged" if built.reused else "built"
    print_table(terminal_table(f"{built.folder} ({state})", ["split", "images", "boxes", "backgrounds"], rows))
    for line in reading_lines(data.report):
        show(line)


def doctor(project: Project = HERE) -> None:
    """Say what is there on this machine, and what to type when something is missing."""
    from yolo_pipeline.recipes.doctor import doctor as recipe

    for check in recipe(project):
        mark = "ok     " if check.well else "MISSING"
        show(f"{mark} {check.what}: {check.found}" + ("" if check.well else f". {check.remedy}"))
