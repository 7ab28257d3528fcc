"""results.csv of Ultralytics and of old YOLOv5 (which pads its headers with blanks) -> Curves.

`read` and `read_results` are for detectors, `read_classifier` for what Ultralytics trained to classify.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.nouns import Curves

Maker = Literal["ultralytics", "yolov5"]

_COLUMNS = {
    "epoch": "epoch",
    "time": "seconds",
    "metrics/precision(B)": "val/precision",
    "metrics/recall(B)": "val/recall",
    "metrics/mAP50(B)": "val/mAP50",
    "metrics/mAP50-95(B)": "val/mAP50_95",
    "metrics/precision": "val/precision",
    "metrics/recall": "val/recall",
    "metrics/mAP_0.5": "val/mAP50",
    "metrics/mAP_0.5:0.95": "val/mAP50_95",
}
_COLUMNS_OF_CLASSIFIER = {
    "epoch": "epoch",
    "time": "seconds",
    "metrics/accuracy_top1": "val/accuracy",
    "metrics/accuracy_top5": "val/accuracy_top5",
}
_NEEDED: Mapping[Maker, tuple[str, ...]] = {
    "ultralytics": ("epoch", "metrics/mAP50(B)", "metrics/mAP50-95(B)"),
    "yolov5": ("epoch", "metrics/mAP_0.5", "metrics/mAP_0.5:0.95"),
}
_METRICS = ("precision", "recall", "mAP50", "mAP50_95")
_WEIGHTS_OF_MAP50: Mapping[Maker, float] = {"ultralytics": 0.0, "yolov5": 0.1}  # YOLOv5 7.0 utils/metrics.py: fitness
_MAX_BYTES = 2**26
_MAX_EPOCH = 10**6
_A_TABLE = "Give the results.csv that YOLOv5 or Ultralytics writes while it trains a detector"


@dataclass(frozen=True, slots=True)
class Results:
    """What a results.csv holds.

    Attributes:
        best: the epoch that the framework keeps as best.pt, from 1; None where no epoch has its metrics.
        own_metrics: the framework's own figures at that epoch, as `yolov5/mAP50`.
        notes: what reading changed or left out, each a sentence without a full stop.
    """

    maker: Maker
    curves: Curves
    best: int | None
    own_metrics: dict[str, float]
    notes: tuple[str, ...]


def read(file: Path) -> Curves:
    """One row an epoch, in the shared column names; the losses and rates keep theirs. See `read_results`."""
    return read_results(file).curves


def read_classifier(file: Path) -> Curves:
    """As `read`, of a classifier: Ultralytics says of it the two losses, and the accuracy on val.

    Raises:
        InputError: as `read_results`.
    """
    lines, _ = _lines(file)
    header = [name.strip() for name in lines[0]]
    _require(file, header, ("epoch", "metrics/accuracy_top1"), "Give the one that Ultralytics writes for a classifier")
    notes: list[str] = []
    columns = _columns(file, header, _rows(file, header, lines[1:], notes), notes)
    return Curves({_COLUMNS_OF_CLASSIFIER.get(name, name): values for name, values in columns.items()})


def read_results(file: Path) -> Results:
    """A results.csv of either framework; epochs count from 1, whatever they count from there.

    A cell that is blank, nan or infinite is NaN; a half-written last line is left out. Both are noted.

    Raises:
        InputError: no such file, not one of theirs, a cell that is no number, or no whole epoch in it.
    """
    lines, is_whole = _lines(file)
    header = [name.strip() for name in lines[0]]
    maker = _maker(file, header)
    notes: list[str] = []
    rows = _rows(file, header, lines[1:], notes)
    if not is_whole:
        notes.append("the last line has no line end: its last figure may be cut short")
    columns = _columns(file, header, rows, notes)
    curves = Curves({_COLUMNS.get(name, name): values for name, values in columns.items()})
    best = best_epoch(curves, maker)
    return Results(maker, curves, best, _own_metrics(curves, maker, best), tuple(notes))


def best_epoch(curves: Curves, maker: Maker) -> int | None:
    """The epoch that best.pt is of, by the framework's own measure: 0.1 mAP50 + 0.9 mAP50-95, or mAP50-95 alone."""
    share = _WEIGHTS_OF_MAP50[maker]
    pairs = zip(curves.columns["val/mAP50"], curves.columns["val/mAP50_95"], strict=True)
    fitness = [share * map50 + (1 - share) * map50_95 if share else map50_95 for map50, map50_95 in pairs]
    there = [row for row, value in enumerate(fitness) if math.isfinite(value)]
    if not there:
        return None
    return int(curves.columns["epoch"][max(there, key=lambda row: fitness[row])])


def _lines(file: Path) -> tuple[list[list[str]], bool]:
    """The lines of a table that say anything, and whether the last one ends."""
    text = _text(file)
    try:
        lines = [line for line in csv.reader(text.splitlines(), strict=True) if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise InputError(file, f"is no results.csv ({error})", _A_TABLE) from error
    if not lines:
        raise InputError(file, "is empty", "Give the file of a training that ended at least one epoch")
    return lines, text.endswith("\n")


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise InputError(file, f"is over {_MAX_BYTES >> 20} MB", _A_TABLE)
        with open(file, encoding="utf-8-sig", newline="") as stream:
            return stream.read()
    except OSError as error:
        raise InputError(file, error.strerror or str(error), "Train the attempt first, or check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(file, f"is no text in UTF-8 ({error.reason})", _A_TABLE) from error


def _maker(file: Path, header: Sequence[str]) -> Maker:
    maker: Maker = "yolov5" if "metrics/mAP_0.5:0.95" in header else "ultralytics"
    _require(file, header, _NEEDED[maker], _A_TABLE)
    return maker


def _require(file: Path, header: Sequence[str], needed: Sequence[str], remedy: str) -> None:
    """
    Raises:
        InputError: a column is missing, stands there twice, or has a name that no column has.
    """
    if missing := [name for name in needed if name not in header]:
        raise InputError(file, f"has no column {missing[0]}", remedy)
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise InputError(file, f"has the column {twice[0]!r} twice", remedy)
    if odd := next((name for name in header if not name.isprintable() or "," in name or not name), None):
        raise InputError(file, f"has a column named {one_line(odd)!r}", remedy)


def _rows(file: Path, header: Sequence[str], lines: Sequence[list[str]], notes: list[str]) -> list[list[float]]:
    """The figures of each line; a last line that stops halfway is left out."""
    rows: list[list[float]] = []
    odd = 0
    for number, line in enumerate(lines, start=1):
        if len(line) < len(header) and number == len(lines):
            notes.append(f"the last line stops after {len(line)} of {len(header)} columns and is left out")
            break
        if len(line) != len(header):
            raise InputError(file, f"row {number} has {len(line)} columns, the header {len(header)}", "Mend the row")
        cells = [_number(cell) for cell in line]
        if None in cells:
            at = cells.index(None)
            raise InputError(file, f"row {number}: {header[at]} is {line[at].strip()[:40]!r}, no number", "Mend it")
        figures = [cell for cell in cells if cell is not None]
        odd += sum(not math.isfinite(figure) for figure in figures)
        rows.append([figure if math.isfinite(figure) else math.nan for figure in figures])
    if odd:
        notes.append(f"{odd} figure{'s are' if odd > 1 else ' is'} blank, nan or infinite, and shown as gaps")
    if not rows:
        raise InputError(file, "holds no whole epoch", "Give the file of a training that ended at least one epoch")
    return rows


def _columns(
    file: Path, header: Sequence[str], rows: list[list[float]], notes: list[str]
) -> dict[str, tuple[float, ...]]:
    """The columns, with epochs from 1; of an epoch that stands there twice (a resumed training), the later one."""
    at = header.index("epoch")
    for number, row in enumerate(rows, start=1):
        if not (row[at].is_integer() and 0 <= row[at] <= _MAX_EPOCH):
            raise InputError(file, f"row {number}: the epoch is {row[at]:g}", "Epochs are whole numbers")
    shift = 1 if min(row[at] for row in rows) == 0 else 0
    by_epoch = {row[at] + shift: row for row in rows}
    if len(by_epoch) < len(rows):
        notes.append(f"{len(rows) - len(by_epoch)} epochs stand there twice; the later ones count")
    ordered = [[*by_epoch[epoch][:at], epoch, *by_epoch[epoch][at + 1 :]] for epoch in sorted(by_epoch)]
    return dict(zip(header, zip(*ordered, strict=True), strict=True))


def _number(cell: str) -> float | None:
    """NaN for a blank cell; None where it is no number."""
    try:
        return float(cell) if cell.strip() else math.nan
    except ValueError:
        return None


def _own_metrics(curves: Curves, maker: Maker, best: int | None) -> dict[str, float]:
    if best is None:
        return {}
    row = curves.columns["epoch"].index(best)
    found = {f"{maker}/{name}": curves.columns.get(f"val/{name}", ())[row : row + 1] for name in _METRICS}
    return {name: value[0] for name, value in found.items() if value and math.isfinite(value[0])}
