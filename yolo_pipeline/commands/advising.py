"""The command on what to try next: suggest."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from yolo_pipeline.commands.output import HERE, Json, Number, Project, print_json, show


def suggest(
    number: Number,
    lang: Annotated[Literal["en", "ko"], typer.Option(help="The language of the advice.")] = "en",
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Say what to try next and why, and write it as the next attempt."""
    from yolo_pipeline.advising.korean import in_korean
    from yolo_pipeline.recipes import suggest as recipe

    found = recipe.suggest(project, number, in_korean) if lang == "ko" else recipe.suggest(project, number)
    if as_json:
        print_json(recipe.as_json(found))
        return
    for line in recipe.lines(found, lang):
        show(line)
