"""What `detect` is asked for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.labels import LabelKind
from yolo_pipeline.detecting.mining import Mined
from yolo_pipeline.errors import UsageError
from yolo_pipeline.nouns import Skip
from yolo_pipeline.views import Tally


@dataclass(frozen=True, slots=True)
class Order:
    """What `detect` is asked for.

    Attributes:
        sources: files, folders, globs, archives, lists of addresses, addresses.
        thresholds: ascending; None: the model's own confidence.
        classes, most: see `Views`.
        imgsz, iou: see `Asking`; None: the model's own.
        device: None: CUDA where there is one.
        runtime: auto, torch, onnx, openvino, tensorflow.
        calibrate: folder of pictures that the scales of int8 are measured on; None: the training pictures.
        out: None: detections/MODEL/SOURCE in the project.
        labels: as what to write boxes for correction.
        pictures, crops: whether to draw annotated pictures, and to cut boxes out.
        mine: folder for the pictures, all without objects, on which the model fires.
        again: begin anew; what is there is kept under another name.
    """

    sources: tuple[str, ...]
    thresholds: tuple[float, ...] | None = None
    classes: tuple[str, ...] | None = None
    most: int | None = None
    imgsz: int | None = None
    iou: float | None = None
    device: str | None = None
    runtime: str = "auto"
    int8: bool = False
    calibrate: Path | None = None
    out: Path | None = None
    labels: tuple[LabelKind, ...] = ()
    pictures: bool = True
    crops: bool = False
    mine: Path | None = None
    allow_local: bool = False
    again: bool = False
    lang: Literal["en", "ko"] = "en"


_FOR_BOXES = {"labels": "save", "crops": "crops", "mine": "mine-backgrounds", "iou": "iou"}


def require_for_pictures(order: Order, title: str) -> None:
    """
    Raises:
        UsageError: something is asked of a classifier that only boxes have.
    """
    for asked, option in _FOR_BOXES.items():
        if getattr(order, asked) not in ((), False, None):
            raise UsageError(f"--{option} is for boxes, and {title} classifies whole pictures: leave it out")


@dataclass(frozen=True, slots=True)
class Detected:
    """What came of it.

    Attributes:
        counts: of the pictures that were seen.
        likeliest: of a classifier, by the likeliest class of each picture alone.
        skipped: of every picture that was not, why.
        mined: what --mine-backgrounds kept.
        notes: lines that the user should read.
    """

    folder: OutFolder
    counts: Tally
    skipped: tuple[Skip, ...]
    likeliest: Tally | None = None
    mined: Mined | None = None
    notes: tuple[str, ...] = ()
