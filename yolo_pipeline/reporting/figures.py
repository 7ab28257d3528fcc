"""Pictures for reports: curves, confusion matrix, detections beside the truth. Words may be in any script."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import font_manager, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageDraw, ImageFont

from yolo_pipeline.diagnosis import ConfidenceCurve
from yolo_pipeline.fonts import font_file
from yolo_pipeline.nouns import Box, Curves, Detection, Truth
from yolo_pipeline.reporting.curve_points import RATE, are_few, is_noisy, loss_columns, points, smoothed

_LOSSES = ("box_loss", "cls_loss")
TRAIN_COLOUR, VAL_COLOUR, THIRD_COLOUR = "#2a6f97", "#d1495b", "#66a182"
_TRUTH_RGB, _HIT_RGB = (40, 170, 80), (225, 70, 80)
_COLOURS = {"train": TRAIN_COLOUR, "val": VAL_COLOUR}
_MAP = "mAP on val, as the framework says"
_MAPS = [("val/mAP50", VAL_COLOUR), ("val/mAP50_95", THIRD_COLOUR)]
_TILE = 320  # pixels
_MOST_CELLS_WITH_NUMBERS = 30


def draw_curves(curves: Curves, file: Path) -> None:
    """Box and class loss of train and val, and the mAP of val, by epoch."""
    epochs = curves.columns.get("epoch") or tuple(range(1, len(curves) + 1))
    mark = "o" if len(epochs) < 3 else ""
    with canvas(1, 3, (12, 3.6), file) as made:
        axes = made[0]
        for axis, loss in zip(axes, _LOSSES, strict=False):
            for split, colour in (("train", TRAIN_COLOUR), ("val", VAL_COLOUR)):
                if values := curves.columns.get(f"{split}/{loss}"):
                    axis.plot(epochs, values, color=colour, label=split, marker=mark)
            axis.set(title=loss, xlabel="epoch", ylim=(0, None))
        for name, colour in _MAPS:
            if values := curves.columns.get(name):
                axes[2].plot(epochs, values, color=colour, label=name.removeprefix("val/"), marker=mark)
        axes[2].set(title=_MAP, xlabel="epoch", ylim=(0, 1.02))
        for axis in axes:
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.grid(alpha=0.25)
            if axis.get_legend_handles_labels()[0]:
                axis.legend(frameon=False)


def draw_step_curves(curves: Curves, file: Path) -> None:
    """The losses of train and val, the learning rate, and val's mAP, by step: single steps thin, their mean bold."""
    columns, steps = curves.columns, curves.columns["step"]
    named: dict[str, list[tuple[str, str]]] = {}
    for column in loss_columns(curves):
        split, _, name = column.partition("/")
        named.setdefault(name, []).append((column, _COLOURS.get(split, THIRD_COLOUR)))
    panels = [*sorted(named.items()), (RATE, [(RATE, TRAIN_COLOUR)] if RATE in columns else []), (_MAP, _MAPS)]
    panels = [(title, lines) for title, lines in panels if any(column in columns for column, _ in lines)]
    across = max(1, min(3, len(panels)))
    down = max(1, math.ceil(len(panels) / across))
    with canvas(down, across, (4 * across, 3.6 * down), file) as made:
        for axis in made.ravel()[len(panels) :]:
            axis.set_axis_off()
        for axis, (title, lines) in zip(made.ravel(), panels, strict=False):
            for column, colour in lines:
                if column in columns:
                    _draw_steps(axis, *points(steps, columns[column]), column, colour)
            axis.set(title=title, xlabel="step", xlim=(0, None), ylim=(0, 1.02 if title == _MAP else None))
            axis.grid(alpha=0.25)
            if len(lines) > 1:
                axis.legend(frameon=False)


def _draw_steps(axis: Any, x: Sequence[float], y: Sequence[float], column: str, colour: str) -> None:
    split, _, name = column.rpartition("/")
    label = name if name.startswith("mAP") else split
    mark = "o" if are_few(y) else ""
    if is_noisy(column, y):
        axis.plot(x, y, color=colour, alpha=0.25, linewidth=0.7)
        y = smoothed(y)
    axis.plot(x, y, color=colour, label=label, marker=mark, markersize=3)


def draw_confusion(
    names: Sequence[str],
    counts: npt.NDArray[np.int64],
    file: Path,
    axes: tuple[str, str] = ("truth", "detected"),
) -> None:
    """Counts, each row shaded by its share: rows are the truth, columns what was said; `axes` names the two."""
    names = [name.replace("$", r"\$") for name in names]  # $ would begin a formula
    size = min(4.5 + 0.45 * len(names), 24)
    totals = counts.sum(axis=1, keepdims=True)
    with canvas(1, 1, (size, size * 0.85), file) as made:
        axis = made[0, 0]
        axis.imshow(counts / np.maximum(totals, 1), cmap="Blues", vmin=0, vmax=1)
        axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.set(xlabel=axes[1], ylabel=axes[0])
        if len(names) > _MOST_CELLS_WITH_NUMBERS:
            return
        for (row, column), count in np.ndenumerate(counts):
            if count:
                dark = count > 0.5 * totals[row, 0]
                axis.text(column, row, str(count), ha="center", va="center", color="white" if dark else "black")


def draw_confidence(curve: ConfidenceCurve, conf: float, file: Path) -> None:
    """Precision, recall and F1, and the boxes an image, over confidence; a line at `conf`."""
    with canvas(1, 2, (9, 3.6), file) as made:
        left, right = made[0]
        for name, colour in (("precision", TRAIN_COLOUR), ("recall", VAL_COLOUR), ("f1", THIRD_COLOUR)):
            left.plot(curve.conf, getattr(curve, name), color=colour, label="F1" if name == "f1" else name)
        right.plot(curve.conf, curve.boxes, color=TRAIN_COLOUR)
        left.set(title="all classes, IoU 0.5", xlabel="confidence", ylim=(0, 1.02))
        right.set(title="boxes an image", xlabel="confidence", ylim=(0, None))
        for axis in (left, right):
            axis.axvline(conf, color="grey", linestyle=":", label=f"{conf:.3f}")
            axis.grid(alpha=0.25)
            axis.legend(frameon=False)


Sample = tuple[npt.NDArray[np.uint8], Sequence[Truth], Sequence[Detection]]
"""A picture (height, width, 3) with what is in it and what was found."""


def draw_samples(samples: Sequence[Sample], file: Path) -> None:
    """A sheet of pictures with truths (green) and detections (red, with score), two rows a picture pair."""
    columns = min(4, max(1, len(samples)))
    rows = math.ceil(len(samples) / columns)
    sheet = Image.new("RGB", (columns * 2 * (_TILE + 4), rows * (_TILE + 34)), "white")
    words = ImageFont.truetype(str(font_file()), 14)
    pen = ImageDraw.Draw(sheet)
    for number, (picture, truths, detections) in enumerate(samples):
        x, y = (number % columns) * 2 * (_TILE + 4), (number // columns) * (_TILE + 34) + 20
        marked = [(truth.box, truth.label) for truth in truths]
        said = [(found.box, f"{found.label} {found.score:.2f}") for found in detections]
        for offset, title, boxes, colour in ((0, "truth", marked, _TRUTH_RGB), (_TILE, "detected", said, _HIT_RGB)):
            sheet.paste(_tile(picture, boxes, colour, words), (x + offset, y))
            pen.text((x + offset + 4, y - 18), title, fill="black", font=words)
    sheet.save(file)


def _tile(
    picture: npt.NDArray[np.uint8],
    boxes: Sequence[tuple[Box, str]],
    colour: tuple[int, int, int],
    words: ImageFont.FreeTypeFont,
) -> Image.Image:
    """The picture fitted into a square with boxes and words on it, drawn after scaling so that both stay sharp."""
    height, width = picture.shape[:2]
    scale = _TILE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    fitted = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)
    tile = Image.new("RGB", (_TILE, _TILE), (235, 235, 235))
    tile.paste(fitted)
    pen = ImageDraw.Draw(tile)
    for box, text in boxes:
        x0, y0, x1, y1 = (value * scale for value in (box.x0, box.y0, box.x1, box.y1))
        pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=2)
        top = y0 - 17 if y0 >= 17 else y0
        left, upper, right, lower = pen.textbbox((x0 + 2, top), text, font=words)
        pen.rectangle((left - 2, upper - 1, right + 2, lower + 1), fill=colour)
        pen.text((x0 + 2, top), text, fill="white", font=words)
    return tile


@contextmanager
def canvas(rows: int, columns: int, size: tuple[float, float], file: Path) -> Iterator[Any]:
    """Axes (rows, columns) that are saved to `file`. pyplot's and the caller's global settings stay untouched."""
    if str(font_file()) not in {font.fname for font in font_manager.fontManager.ttflist}:
        font_manager.fontManager.addfont(str(font_file()))
    with rc_context({"font.family": ["DejaVu Sans", "NanumGothic"]}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure.subplots(rows, columns, squeeze=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=110, metadata={"Software": None})
