"""What commands print: results on stdout, words on stderr; and the options that many of them share."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from yolo_pipeline.classification import PictureScores
from yolo_pipeline.errors import InputError, printable
from yolo_pipeline.nouns import Scores
from yolo_pipeline.reporting.tables import picture_score_rows, score_rows, short, terminal_table

_PIPE_WIDTH = 160
HERE = Path()


def _existing_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise InputError(folder, "there is no such folder", "Check --project")
    return folder


Project = Annotated[
    Path, typer.Option("--project", callback=_existing_folder, help="The project's folder, which holds attempts/.")
]
Number = Annotated[int, typer.Option("--attempt", min=1, help="The N of attempts/N.yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def print_scores(title: str, scores: Scores | PictureScores) -> None:
    if isinstance(scores, PictureScores):
        _print_picture_scores(title, scores)
        return
    print_table(terminal_table("", *score_rows({title: scores})))
    rows = [
        [name, n.truths, *(short(value) for value in (n.AP50, n.AP50_95, n.precision, n.recall, n.f1))]
        for name, n in scores.classes.items()
    ]
    print_table(terminal_table("", ["class", "truths", "AP50", "AP50_95", "precision", "recall", "F1"], rows))


def _print_picture_scores(title: str, scores: PictureScores) -> None:
    print_table(terminal_table("", *picture_score_rows({title: scores})))
    rows = [
        [name, n.images, *(short(value) for value in (n.precision, n.recall, n.f1))]
        for name, n in scores.classes.items()
    ]
    print_table(terminal_table("", ["class", "images", "precision", "recall", "F1"], rows))


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(table: Any) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    console.print(table)


def show(line: str) -> None:
    Console(soft_wrap=True).print(Text(printable(line)))


def warn(line: str) -> None:
    Console(stderr=True, soft_wrap=True).print(Text(printable(line)))
