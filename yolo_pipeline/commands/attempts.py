"""Commands on attempts: train, evaluate, report, compare."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml

from yolo_pipeline.classification import PictureScores
from yolo_pipeline.commands.output import (
    HERE,
    Json,
    Number,
    Project,
    print_json,
    print_scores,
    print_table,
    show,
    warn,
)
from yolo_pipeline.console import terminal_progress
from yolo_pipeline.errors import INTERRUPTED, UsageError, command
from yolo_pipeline.files import read_json
from yolo_pipeline.nouns import Scores
from yolo_pipeline.reporting.diagnosed import NOTHING_JUDGED, advice_lines
from yolo_pipeline.reporting.tables import picture_score_rows, score_rows, terminal_table

_ADVICE = 3  # said at the end of training; the report has all


def train(
    number: Number,
    project: Project = HERE,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A training setting.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, or the number of a GPU; left out: CUDA where there is one.")
    ] = None,
    pipeline_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Track tfapi: a pipeline.config of your own, of which all else is kept."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Begin anew; the old run is kept as attempt-N.1.")] = False,
) -> None:
    """Build, train, judge and report an attempt."""
    from yolo_pipeline.recipes.train import train as recipe

    overrides = dict(_setting(text) for text in settings or [])
    if device is not None:
        overrides["device"] = device
    if pipeline_config is not None:
        overrides["pipeline_config"] = _own_config(project, number, pipeline_config)
    try:
        with terminal_progress() as progress:
            run = recipe(project, number, overrides=overrides, resume=resume, again=again, progress=progress)
    except KeyboardInterrupt:
        warn("interrupted; what is done is kept. Go on with:")
        warn(command(project, f"train --attempt {number} --resume"))
        raise typer.Exit(INTERRUPTED) from None
    rows = picture_score_rows(run.read_picture_scores()) if run.classifies else score_rows(dict(run.read_scores()))
    print_table(terminal_table(f"attempt {number}", *rows))
    advice = read_json(run.diagnosis_file)["advice"]
    for one in advice[:_ADVICE]:
        show(f"{one['rule']}: {one['measured']}. {one['remedy']}")
    if advice:
        show(f"Type: {command(project, f'suggest --attempt {number}')}")
    show(f"Report: {run.page_file}")


def report(
    number: Number,
    lang: Annotated[Literal["en", "ko"], typer.Option(help="Language of the page.")] = "en",
    project: Project = HERE,
) -> None:
    """Write report.md and report.html of a finished attempt anew, from its saved files."""
    from yolo_pipeline.advising.korean import in_korean
    from yolo_pipeline.recipes.report import report as recipe

    results = recipe(project, number, lang)
    if not results.diagnoses and not results.advice:
        show(f"{NOTHING_JUDGED[0].upper()}{NOTHING_JUDGED[1:]}.")
    else:
        advice = [in_korean(one) for one in results.advice] if lang == "ko" else results.advice
        for line in advice_lines(advice, lang):
            show(line)
    show(f"Report: {results.run.page_file}")


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
    scores: Scores | PictureScores
    if truth is not None and detections is not None:
        title, scores = detections.name, evaluate_files(truth, detections)
    else:
        assert number is not None
        title, scores = str(split), evaluate_attempt(project, number, split)
    if as_json:
        print_json(asdict(scores))
        return
    print_scores(title, scores)


def compare(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[N …]", help="Attempts; left out: all finished.")
    ] = None,
    project: Project = HERE,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table as Markdown, too.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with plots, too.")] = None,
    lang: Annotated[Literal["en", "ko"], typer.Option(help="Language of the page.")] = "en",
    as_json: Json = False,
) -> None:
    """Put attempts side by side: what was changed, their data, metrics, cost, and which differences are clear."""
    from yolo_pipeline.files import write_text
    from yolo_pipeline.recipes import compare_output as output
    from yolo_pipeline.recipes.compare import compare as recipe

    comparison = recipe(project, numbers or [])
    if markdown is not None:
        write_text(markdown, output.as_markdown(comparison))
        warn(f"wrote {markdown}")
    if html is not None:
        write_text(html, output.as_html(comparison, lang))
        warn(f"wrote {html}")
    if as_json:
        print_json(output.as_json(comparison))
        return
    print_table(terminal_table("", *output.rows(comparison)))
    for line in output.difference_lines(comparison):
        show(line)
    for note in comparison.notes:
        warn(f"note: {note}")


def _own_config(project: Path, number: int, file: Path) -> str:
    """As `train.pipeline_config` says it: from the project's folder."""
    from yolo_pipeline.attempt import load

    track = load(project, number).track
    if track != "tfapi":
        raise UsageError(f"--pipeline-config is for the track tfapi, and attempt {number} is of the track {track}")
    given, here = file.absolute(), project.absolute()
    return given.relative_to(here).as_posix() if given.is_relative_to(here) else str(given)


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {text}: write it as KEY=VALUE, such as --set imgsz=320")
    try:
        return key.strip().removeprefix("train."), yaml.safe_load(value)
    except yaml.YAMLError:
        raise UsageError(f"--set {text}: the value is not YAML") from None
