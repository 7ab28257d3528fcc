"""The command line: argv to one recipe, and a PipelineError to one line on stderr and its exit code.

stdout carries the result (with --json one document and nothing else); progress and warnings go to stderr.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml
from rich.console import Console
from rich.text import Text

from yolo_pipeline.console import terminal_progress
from yolo_pipeline.errors import InputError, PipelineError, UsageError, command
from yolo_pipeline.files import explain_os_error
from yolo_pipeline.formats import ReadOptions
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.nouns import Scores
from yolo_pipeline.reporting.reading import reading_lines
from yolo_pipeline.reporting.tables import score_rows, short, terminal_table

app = typer.Typer(
    help="From labelled pictures to a judged detector, attempt by attempt.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

INTERRUPTED = 130
_PIPE_WIDTH = 160


def _existing_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise InputError(folder, "there is no such folder", "Check --project")
    return folder


Project = Annotated[
    Path, typer.Option("--project", callback=_existing_folder, help="The project's folder, which holds attempts/.")
]
Number = Annotated[int, typer.Option("--attempt", min=1, help="The N of attempts/N.yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
HERE = Path()


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Make a project: data.yaml, attempts/1.yaml with every key explained, folders."""
    from yolo_pipeline.recipes.init import init as recipe

    for file in recipe(folder):
        typer.echo(f"wrote {file}")
    typer.echo(f"Put pictures and LabelImg's XML files into {folder / 'datasets' / 'raw' / 'pictures'}, then type:")
    typer.echo(command(folder, "train --attempt 1"))


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE")],
    out: Annotated[Path, typer.Argument(metavar="OUT")],
    from_format: Annotated[str, typer.Option("--from", help="voc, labelimg, yolo or auto.")] = "auto",
    to_format: Annotated[str, typer.Option("--to", help="voc, labelimg or yolo.")] = "yolo",
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
        _print_json(found)
        return
    _show(f"{found['images']} images, {found['boxes']} boxes, {found['backgrounds']} backgrounds in {out}")
    for line in reading_lines(report):
        _show(line)


@app.command()
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
    _print(terminal_table(f"{built.folder} ({state})", ["split", "images", "boxes", "backgrounds"], rows))
    for line in reading_lines(data.report):
        _show(line)


@app.command()
def train(
    number: Number,
    project: Project = HERE,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A training setting.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, or the number of a GPU; left out: CUDA where there is one.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Begin anew; the old run is kept as attempt-N.1.")] = False,
) -> None:
    """Build, train, judge and report an attempt."""
    from yolo_pipeline.recipes.train import train as recipe

    overrides = dict(_setting(text) for text in settings or [])
    if device is not None:
        overrides["device"] = device
    try:
        with terminal_progress() as progress:
            run = recipe(project, number, overrides=overrides, resume=resume, again=again, progress=progress)
    except KeyboardInterrupt:
        _warn("interrupted; what is done is kept. Go on with:")
        _warn(command(project, f"train --attempt {number} --resume"))
        raise typer.Exit(INTERRUPTED) from None
    _print(terminal_table(f"attempt {number}", *score_rows(dict(run.read_scores()))))
    _show(f"Report: {run.report_file}")


@app.command()
def evaluate(
    number: Annotated[int | None, typer.Option("--attempt", min=1, help="A finished attempt …")] = None,
    split: Annotated[Literal["val", "test"], typer.Option(help="… and the split to judge it on.")] = "test",
    truth: Annotated[Path | None, typer.Option(help="Or a COCO ground truth …")] = None,
    detections: Annotated[Path | None, typer.Option(help="… and the COCO results to judge.")] = None,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Judge an attempt, or any COCO-style pair of truth and detections."""
    from yolo_pipeline.recipes.evaluate import evaluate_attempt, evaluate_files

    if (number is None) == (truth is None or detections is None):
        raise UsageError("name either --attempt N, or both --truth GT.json and --detections DT.json")
    if truth is not None and detections is not None:
        title, scores = detections.name, evaluate_files(truth, detections)
    else:
        assert number is not None
        title, scores = str(split), evaluate_attempt(project, number, split)
    if as_json:
        _print_json(asdict(scores))
        return
    _print_scores(title, scores)


@app.command()
def compare(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[N …]", help="Attempts; left out: all finished.")
    ] = None,
    project: Project = HERE,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table as Markdown, too.")] = None,
    as_json: Json = False,
) -> None:
    """Put attempts side by side: settings that differ, metrics, cost."""
    from yolo_pipeline.files import write_text
    from yolo_pipeline.recipes import compare as recipe

    attempts = recipe.compare(project, numbers or [])
    if markdown is not None:
        write_text(markdown, recipe.as_markdown(attempts))
        _warn(f"wrote {markdown}")
    if as_json:
        _print_json(recipe.as_json(attempts))
        return
    _print(terminal_table("", *recipe.rows(attempts)))
    for line in recipe.warnings(attempts):
        _warn(f"note: {line}")


@app.command()
def doctor(project: Project = HERE) -> None:
    """Say what is there on this machine, and what to type when something is missing."""
    from yolo_pipeline.recipes.doctor import doctor as recipe

    for check in recipe(project):
        mark = "ok     " if check.well else "MISSING"
        _show(f"{mark} {check.what}: {check.found}" + ("" if check.well else f". {check.remedy}"))


def run(arguments: list[str]) -> int:
    """Runs one command line. Returns the exit code: 0 done, 1 our fault, 2 wrong usage, 3 bad input."""
    try:
        result = app(arguments, standalone_mode=False)
    except PipelineError as error:
        _warn(f"error: {error}")
        return error.exit_code
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        _warn("interrupted; nothing half-written was left")
        return INTERRUPTED
    except OSError as error:
        explained = explain_os_error(error.filename or "files", error)
        if explained is None:
            raise
        _warn(f"error: {explained}")
        return explained.exit_code
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # typer's own usage errors
            error.show()
            return int(error.exit_code)
        raise
    return result if isinstance(result, int) else 0


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {text}: write it as KEY=VALUE, such as --set imgsz=320")
    try:
        return key.strip().removeprefix("train."), yaml.safe_load(value)
    except yaml.YAMLError:
        raise UsageError(f"--set {text}: the value is not YAML") from None


def _print_scores(title: str, scores: Scores) -> None:
    _print(terminal_table("", *score_rows({title: scores})))
    rows = [
        [name, n.truths, *(short(value) for value in (n.AP50, n.AP50_95, n.precision, n.recall, n.f1))]
        for name, n in scores.classes.items()
    ]
    _print(terminal_table("", ["class", "truths", "AP50", "AP50_95", "precision", "recall", "F1"], rows))


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _print(table: Any) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    console.print(table)


def _show(line: str) -> None:
    Console(soft_wrap=True).print(Text(line))


def _warn(line: str) -> None:
    Console(stderr=True, soft_wrap=True).print(Text(line))
