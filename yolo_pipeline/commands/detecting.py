"""The command detect."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yolo_pipeline.commands.output import HERE, Json, Project, print_json, print_table, show, warn
from yolo_pipeline.console import terminal_progress
from yolo_pipeline.errors import INTERRUPTED, UsageError

if TYPE_CHECKING:
    from yolo_pipeline.recipes.detect import Order

Runtime = Literal["auto", "torch", "onnx", "openvino", "tensorflow"]
_NUMBER = re.compile(r"0?\.\d+")
_LABELS: dict[str, Literal["xml", "yolo"]] = {"xml": "xml", "yolo": "yolo"}


Sources = Annotated[
    list[str], typer.Argument(metavar="SOURCE …", help="Pictures, folders, globs, a zip, a text file of addresses.")
]
Attempt = Annotated[int | None, typer.Option("--attempt", min=1, help="The model of a finished attempt …")]
Weights = Annotated[Path | None, typer.Option(metavar="FILE", help="… or a weights file.")]
Conf = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,…", help="Confidences; left out: the attempt's, or the best F1 of val; of a classifier 0.01."
    ),
]
Classes = Annotated[str | None, typer.Option(metavar="A,B,…", help="Only these classes.")]
MaxBoxes = Annotated[
    int | None, typer.Option(min=1, help="The best N boxes of a picture; the likeliest N classes, 5 where left out.")
]
Iou = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, help="Of boxes that overlap by more, one counts. Left out: the model's own."),
]
Imgsz = Annotated[int | None, typer.Option(min=32, max=8192, help="Left out: as trained.")]
AnyRuntime = Annotated[Runtime, typer.Option(help="auto: the fastest that agrees with what it was trained in.")]
Int8 = Annotated[bool, typer.Option("--int8", help="OpenVINO in whole numbers: faster, a little less exact.")]
Calibrate = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Pictures for --int8; left out: the attempt's training pictures.")
]
Device = Annotated[str | None, typer.Option(help="cpu, or the number of a GPU.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Left out: detections/MODEL/SOURCE.")]
Save = Annotated[
    list[str] | None,
    typer.Option(metavar="xml|yolo", help="Boxes as labels to correct: for LabelImg, or in YOLO's format."),
]
Crops = Annotated[bool, typer.Option("--crops", help="Cut every box out.")]
NoPictures = Annotated[bool, typer.Option("--no-pictures", help="Draw no annotated pictures.")]
Mine = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The pictures hold no object: keep those there on which the model fires."),
]
AllowLocal = Annotated[bool, typer.Option("--allow-local", help="Fetch from private addresses, too.")]
Again = Annotated[bool, typer.Option("--again", help="Begin anew; the old folder is kept as DIR.1.")]
Lang = Annotated[Literal["en", "ko"], typer.Option(help="Language of the page.")]


def detect(
    sources: Sources,
    number: Attempt = None,
    weights: Weights = None,
    conf: Conf = None,
    classes: Classes = None,
    max_boxes: MaxBoxes = None,
    iou: Iou = None,
    imgsz: Imgsz = None,
    runtime: AnyRuntime = "auto",
    int8: Int8 = False,
    calibrate: Calibrate = None,
    device: Device = None,
    out: Out = None,
    save: Save = None,
    crops: Crops = False,
    no_pictures: NoPictures = False,
    mine_backgrounds: Mine = None,
    allow_local: AllowLocal = False,
    again: Again = False,
    lang: Lang = "en",
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Detect on any pictures at several confidences; a classifier says what each picture is."""
    from yolo_pipeline.recipes.detect import Order

    if (number is None) == (weights is None):
        raise UsageError("name either --attempt N or --weights FILE")
    if iou is not None and math.isnan(iou):
        raise UsageError("--iou nan: write a number from 0 to 1")
    if calibrate is not None and not int8:
        raise UsageError("--calibrate is for --int8: add that, or leave it out")
    order = Order(
        sources=_sources(sources),
        thresholds=_thresholds(conf),
        classes=None if classes is None else _classes(classes),
        most=max_boxes,
        imgsz=imgsz,
        iou=iou,
        device=device,
        runtime=runtime,
        int8=int8,
        calibrate=calibrate,
        out=out,
        labels=_labels(save or []),
        crops=crops,
        pictures=not no_pictures,
        mine=mine_backgrounds,
        allow_local=allow_local,
        again=again,
        lang=lang,
    )
    _run(project, number, weights, order, as_json)


def _run(project: Path, number: int | None, weights: Path | None, order: Order, as_json: bool) -> None:
    from yolo_pipeline.recipes.detect import detect as recipe
    from yolo_pipeline.recipes.detect import words
    from yolo_pipeline.recipes.models import model_of_attempt, model_of_weights
    from yolo_pipeline.reporting.tables import terminal_table

    model = model_of_attempt(project, number) if number is not None else model_of_weights(weights or Path())
    try:
        with terminal_progress() as progress:
            detected = recipe(project, model, order, progress)
    except KeyboardInterrupt:
        without = " without --again" if order.again else ""
        warn(f"interrupted; what was seen is kept: the same command{without} goes on")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        for line in words.said(detected):
            warn(line)
        print_json(
            {
                "folder": detected.folder.root.as_posix(),
                **words.as_json(detected.counts, detected.skipped, detected.likeliest),
            }
        )
        return
    print_table(terminal_table(model.title, *words.count_rows(detected)))
    for line in words.said(detected):
        show(line)


def _sources(sources: list[str]) -> tuple[str, ...]:
    if wrong := next((source for source in sources if _NUMBER.fullmatch(source) and not Path(source).exists()), None):
        raise UsageError(f"{wrong} is no picture: several confidences are written with commas, such as --conf 0.3,0.4")
    return tuple(sources)


def _labels(save: list[str]) -> tuple[Literal["xml", "yolo"], ...]:
    kinds = [kind for text in save for kind in _listed(text)]
    if unknown := [kind for kind in kinds if kind not in _LABELS]:
        raise UsageError(f"--save {unknown[0]}: say xml, yolo, or both with a comma")
    return tuple(dict.fromkeys(_LABELS[kind] for kind in kinds))


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
