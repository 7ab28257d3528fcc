"""The command detect."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from yolo_pipeline.commands.output import HERE, Json, Project, print_json, print_table, show, warn
from yolo_pipeline.console import terminal_progress
from yolo_pipeline.errors import INTERRUPTED, UsageError

Runtime = Literal["auto", "torch", "onnx", "openvino"]
_NUMBER = re.compile(r"0?\.\d+")
_LABELS: dict[str, Literal["xml", "yolo"]] = {"xml": "xml", "yolo": "yolo"}


def detect(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE …", help="Pictures, folders, globs, a zip, a text file of addresses.")
    ],
    number: Annotated[int | None, typer.Option("--attempt", min=1, help="The model of a finished attempt …")] = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="… or a weights file.")] = None,
    conf: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Confidences; left out: the attempt's, or the best F1 of val.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(metavar="A,B,…", help='Only these classes; "x, y" in quotes: with a comma.')
    ] = None,
    max_boxes: Annotated[int | None, typer.Option(min=1, help="The best N boxes of a picture.")] = None,
    iou: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of boxes that overlap by more, one counts.")] = 0.7,
    imgsz: Annotated[int | None, typer.Option(min=32, max=8192, help="Left out: as trained.")] = None,
    runtime: Annotated[Runtime, typer.Option(help="auto: the fastest that agrees with torch.")] = "auto",
    int8: Annotated[
        bool, typer.Option("--int8", help="OpenVINO in whole numbers: faster, a little less exact.")
    ] = False,
    calibrate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures for --int8; left out: the attempt's training pictures.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, or the number of a GPU.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Left out: detections/MODEL/SOURCE.")] = None,
    save: Annotated[
        list[str] | None,
        typer.Option(metavar="xml|yolo", help="Boxes as labels to correct: for LabelImg, or in YOLO's format."),
    ] = None,
    crops: Annotated[bool, typer.Option("--crops", help="Cut every box out.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Draw no annotated pictures.")] = False,
    mine_backgrounds: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The pictures hold no object: keep those there on which the model fires."),
    ] = None,
    allow_local: Annotated[bool, typer.Option("--allow-local", help="Fetch from private addresses, too.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Begin anew; the old folder is kept as DIR.1.")] = False,
    lang: Annotated[Literal["en", "ko"], typer.Option(help="Language of the page.")] = "en",
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Detect on any pictures at several confidences."""
    from yolo_pipeline.asking import Asking
    from yolo_pipeline.recipes.detect import Order, words
    from yolo_pipeline.recipes.detect import detect as recipe
    from yolo_pipeline.recipes.models import model_of_attempt, model_of_weights
    from yolo_pipeline.reporting.tables import terminal_table

    if (number is None) == (weights is None):
        raise UsageError("name either --attempt N or --weights FILE")
    if math.isnan(iou):
        raise UsageError("--iou nan: write a number from 0 to 1")
    if calibrate is not None and not int8:
        raise UsageError("--calibrate is for --int8: add that, or leave it out")
    if wrong := next((source for source in sources if _NUMBER.fullmatch(source) and not Path(source).exists()), None):
        raise UsageError(f"{wrong} is no picture: several confidences are written with commas, such as --conf 0.3,0.4")
    kinds = [kind for text in save or [] for kind in _listed(text)]
    if unknown := [kind for kind in kinds if kind not in _LABELS]:
        raise UsageError(f"--save {unknown[0]}: say xml, yolo, or both with a comma")
    model = model_of_attempt(project, number) if number is not None else model_of_weights(weights or Path())
    order = Order(
        sources=tuple(sources),
        thresholds=_thresholds(conf),
        classes=None if classes is None else _classes(classes),
        most=max_boxes,
        asking=Asking(imgsz=imgsz, iou=iou, device=device),
        runtime=runtime,
        int8=int8,
        calibrate=calibrate,
        out=out,
        labels=tuple(dict.fromkeys(_LABELS[kind] for kind in kinds)),
        crops=crops,
        pictures=not no_pictures,
        mine=mine_backgrounds,
        allow_local=allow_local,
        again=again,
        lang=lang,
    )
    try:
        with terminal_progress() as progress:
            detected = recipe(project, model, order, progress)
    except KeyboardInterrupt:
        without = " without --again" if again else ""
        warn(f"interrupted; what was seen is kept: the same command{without} goes on")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        for line in words.said(detected):
            warn(line)
        print_json({"folder": detected.folder.root.as_posix(), **words.as_json(detected.counts, detected.skipped)})
        return
    print_table(terminal_table(model.title, *words.count_rows(detected)))
    for line in words.said(detected):
        show(line)


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _classes(text: str) -> tuple[str, ...]:
    """As a line of CSV."""
    names = tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True), ()) if name.strip())
    if not names:
        raise UsageError(f"--classes {text}: name at least one")
    return names


def _thresholds(text: str | None) -> tuple[float, ...] | None:
    """Ascending and without repetition; None where none was said."""
    if text is None:
        return None
    try:
        values = {float(part) for part in _listed(text)}
    except ValueError:
        raise UsageError(f"--conf {text}: write numbers with commas, such as 0.3,0.4,0.5") from None
    if not values or not all(0 < value < 1 for value in values):
        raise UsageError(f"--conf {text}: confidences lie between 0 and 1, such as 0.3,0.4,0.5")
    if any(round(value, 4) != value for value in values):
        raise UsageError(f"--conf {text}: scores have four decimals, and so have confidences at most")
    return tuple(sorted(values))
