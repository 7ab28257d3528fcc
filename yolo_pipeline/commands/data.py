"""Commands on data: init, fetch, upload, convert, audit, build, doctor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from yolo_pipeline.commands.output import HERE, Json, Number, Project, print_json, print_table, show, warn
from yolo_pipeline.console import terminal_progress
from yolo_pipeline.errors import InputError, UsageError, command
from yolo_pipeline.formats import FORMATS, ReadOptions
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.reporting.reading import reading_lines
from yolo_pipeline.reporting.tables import terminal_table

KNOWN = ", ".join(FORMATS)
LINES_OF_A_KIND = 10  # of what reading mended; --json and record.json have all
WRITTEN = ", ".join(name for name, entry in FORMATS.items() if entry.write)

Given = Annotated[Path, typer.Argument(metavar="SOURCE", help="A folder, a zip, or an annotation file.")]
From = Annotated[str, typer.Option("--from", help=f"auto, {KNOWN}.")]
Images = Annotated[Path | None, typer.Option("--images", help="Where the pictures lie, if elsewhere.")]
Unlabelled = Annotated[Literal["skip", "background"], typer.Option(help="Pictures without annotation.")]
Difficult = Annotated[Literal["keep", "drop"], typer.Option(help="Objects marked difficult.")]
LabelKey = Annotated[str | None, typer.Option("--label-key", help="VIA: the attribute with the class.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="List unreadable files instead of stopping.")]


def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Make a project: data.yaml, attempts/1.yaml with every key explained, folders."""
    from yolo_pipeline.recipes.init import init as recipe

    for file in recipe(folder):
        typer.echo(f"wrote {file}")
    typer.echo(f"Put pictures and LabelImg's XML files into {folder / 'datasets' / 'raw' / 'pictures'}, then type:")
    typer.echo(command(folder, "train --attempt 1"))


def convert(
    source: Given,
    out: Annotated[Path, typer.Argument(metavar="OUT")],
    from_format: From = "auto",
    to_format: Annotated[str, typer.Option("--to", help=f"{WRITTEN}.")] = "yolo",
    images: Images = None,
    classes: Annotated[str | None, typer.Option(help="Keep these classes, in this order: a,b,c.")] = None,
    unlabelled: Unlabelled = "skip",
    difficult: Difficult = "keep",
    label_key: LabelKey = None,
    skip_bad: SkipBad = False,
    link: Annotated[bool, typer.Option("--link/--copy", help="Hard-link pictures, or copy them.")] = True,
    as_json: Json = False,
) -> None:
    """Turn a folder, a zip or an annotation file into another format."""
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
    for line in reading_lines(report, limit=LINES_OF_A_KIND):
        show(line)


def audit(
    source: Annotated[Path | None, typer.Argument(metavar="[SOURCE]", help="A folder, a zip …")] = None,
    number: Annotated[int | None, typer.Option("--attempt", min=1, help="… or the data of an attempt.")] = None,
    from_format: From = "auto",
    images: Images = None,
    unlabelled: Unlabelled = "skip",
    difficult: Difficult = "keep",
    label_key: LabelKey = None,
    skip_bad: SkipBad = False,
    imgsz: Annotated[int, typer.Option(min=32, help="With SOURCE: the size it will be trained at.")] = 640,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with pictures.")] = None,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Say what is wrong with the data, before it is trained on."""
    from yolo_pipeline.recipes import audit as recipe

    if (source is None) == (number is None):
        raise UsageError("name either a SOURCE or --attempt N")
    with terminal_progress() as progress:
        if source is not None:
            options = ReadOptions(images, unlabelled, difficult, label_key, skip_bad, progress)
            found = recipe.audit_source(source, format=from_format, options=options, imgsz=imgsz)
        else:
            assert number is not None
            found = recipe.audit_attempt(project, number, progress)
        if html is not None:
            recipe.write_page(found, html)
    if html is not None:
        warn(f"wrote {html}")
    if as_json:
        print_json(recipe.as_json(found))
        return
    for line in recipe.lines(found):
        show(line)


def fetch(
    service: Annotated[Literal["roboflow"], typer.Argument()],
    reference: Annotated[str, typer.Argument(metavar="WORKSPACE/PROJECT/VERSION")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; left out: datasets/raw/PROJECT-vVERSION.")
    ] = None,
    export: Annotated[str, typer.Option(help="The export format to ask for.")] = "yolov8",
    project: Project = HERE,
) -> None:
    """Download a data set; the key is taken from ROBOFLOW_API_KEY."""
    from yolo_pipeline.recipes.fetch import fetch_roboflow

    with terminal_progress() as progress:
        folder = fetch_roboflow(project, reference, out, export, progress)
    show(f"fetched {folder}")


def upload(
    service: Annotated[Literal["roboflow"], typer.Argument()],
    reference: Annotated[str, typer.Argument(metavar="WORKSPACE/PROJECT")],
    source: Given,
    from_format: From = "auto",
    images: Images = None,
    label_key: LabelKey = None,
    batch: Annotated[str | None, typer.Option(help="Name of the batch they come in as.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace boxes that pictures have there.")] = False,
    predictions: Annotated[bool, typer.Option("--predictions", help="A model's boxes, to be looked at.")] = False,
) -> None:
    """Upload pictures with their boxes; the key is taken from ROBOFLOW_API_KEY."""
    from yolo_pipeline.recipes.fetch import upload_roboflow

    with terminal_progress() as progress:
        options = ReadOptions(images, label_key=label_key, progress=progress)
        report = upload_roboflow(
            source,
            reference,
            from_format,
            options=options,
            batch=batch,
            replace=replace,
            predictions=predictions,
        )
    show(str(report))
    for failed in report.failed:
        warn(f"failed: {failed.file}: {failed.why}")
    if report.failed:
        raise InputError(
            reference, f"{len(report.failed)} pictures were not uploaded", "Upload again: none comes twice"
        )


def build(number: Number, project: Project = HERE) -> None:
    """Build the data set of an attempt in datasets/."""
    from yolo_pipeline import attempt
    from yolo_pipeline.building.writing import counts
    from yolo_pipeline.recipes.build import build as recipe
    from yolo_pipeline.recipes.derive import preview_file

    asked = attempt.load(project, number)
    with terminal_progress() as progress:
        data = recipe(asked, progress)
    built = data.built
    state = "unchanged" if built.reused else "built"
    show(f"{built.folder} ({state})")
    print_table(terminal_table("", *_count_rows(counts(built.dataset), by_class=asked.track == "classify")))
    if preview_file(built.folder).is_file():
        show(f"look at {preview_file(built.folder)}")
    for line in reading_lines(data.report, limit=LINES_OF_A_KIND):
        show(line)


def _count_rows(counted: Mapping[str, Any], *, by_class: bool) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of a table: boxes of each split, or the pictures of each class."""
    if not by_class:
        rows = [[split, n["images"], n["boxes"], n["backgrounds"]] for split, n in counted.items()]
        return ["split", "images", "boxes", "backgrounds"], rows
    names = next(iter(counted.values()))["classes"] if counted else ()
    rows = [[name, *(n["classes"][name] for n in counted.values())] for name in names]
    return ["class", *counted], [*rows, ["all", *(n["images"] for n in counted.values())]]


def doctor(project: Project = HERE) -> None:
    """Say what is there on this machine, and what to type when something is missing."""
    from yolo_pipeline.recipes.doctor import doctor as recipe

    for check in recipe(project):
        mark = "ok     " if check.well else "MISSING"
        show(f"{mark} {check.what}: {check.found}" + ("" if check.well else f". {check.remedy}"))
