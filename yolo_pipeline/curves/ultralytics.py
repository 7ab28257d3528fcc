"""results.csv of Ultralytics and of old YOLOv5 (which pads its headers with blanks) -> Curves."""

from __future__ import annotations

import csv
from pathlib import Path

from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Curves

_COLUMNS = {
    "epoch": "epoch",
    "time": "seconds",
    "metrics/precision(B)": "val/precision",
    "metrics/recall(B)": "val/recall",
    "metrics/mAP50(B)": "val/mAP50",
    "metrics/mAP50-95(B)": "val/mAP50_95",
}


def read(file: Path) -> Curves:
    """One row an epoch, in the shared column names; the losses and rates keep theirs.

    Raises:
        InputError: no such file, or a row that is not numbers.
    """
    try:
        with open(file, encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines)
        names = [_COLUMNS.get(name.strip(), name.strip()) for name in header]
        columns = zip(*([float(value) for value in row] for row in rows if row), strict=True)
        return Curves(dict(zip(names, columns, strict=True)) if rows else dict.fromkeys(names, ()))
    except OSError as error:
        raise InputError(file, error.strerror or str(error), "Train the attempt first") from error
    except ValueError as error:
        raise InputError(file, f"is no results.csv of Ultralytics ({error})", "Check the file") from error
