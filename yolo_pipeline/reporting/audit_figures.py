"""Figures of a data set before training: where objects lie, how large they are, how many, and what they look like."""

from __future__ import annotations

import io
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib import font_manager, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageDraw, ImageFont

from yolo_pipeline.errors import one_line
from yolo_pipeline.fonts import font_file
from yolo_pipeline.nouns import SPLITS, Dataset, ImageRecord, Truth

Pixels = npt.NDArray[np.uint8]
Load = Callable[[ImageRecord], Pixels | None]
"""Pixels of an image, upright and edited, RGB, perhaps scaled down; None where it cannot be read."""

SPLIT_COLOURS = {"train": "#2a6f97", "val": "#d1495b", "test": "#66a182"}
_PALETTE = (
    "#e63946",
    "#2a9d8f",
    "#f4a261",
    "#457b9d",
    "#9b5de5",
    "#43aa8b",
    "#f72585",
    "#577590",
    "#bc6c25",
    "#4361ee",
    "#8ac926",
    "#ff595e",
    "#1982c4",
    "#ffca3a",
    "#6a4c93",
    "#00b4d8",
    "#d00000",
    "#588157",
    "#ff9f1c",
    "#7f5539",
)
_MOST_CLASSES, _MOST_MAPS, _MOST_POINTS = 40, 12, 20_000
_MAP_CELLS = 24
_SHEET_CLASSES, _SHEET_COLUMNS, _CROP = 20, 6, 128  # the last in pixels
_ROOM_AROUND = 0.35  # of a box's longer side, so that one sees what it was cut out of
_TINY = 8.0  # pixels at the training size, as in the audit's rule


def heat_maps(dataset: Dataset) -> bytes:
    """Where box centres lie, over all and for the classes with most boxes; PNG."""
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for image, truth in _boxes(dataset):
        x, y = (truth.box.x0 + truth.box.x1) / 2, (truth.box.y0 + truth.box.y1) / 2
        points[truth.label].append((x / image.width, y / image.height))
    largest = sorted(points, key=lambda name: (-len(points[name]), name))[:_MOST_MAPS]
    panels = [("all boxes", [p for name in points for p in points[name]])]
    panels += [(shown(name), points[name]) for name in largest if len(points) > 1]
    columns = min(5, len(panels))
    rows = -(-len(panels) // columns)
    with _canvas(rows, columns, (2.2 * columns, 2.45 * rows)) as (axes, saved):
        for axis, panel in zip(axes.ravel(), [*panels, *[None] * (rows * columns - len(panels))], strict=True):
            axis.set_axis_off()
            if panel is not None:
                xy = np.array(panel[1]).reshape(-1, 2)
                edges = np.linspace(0, 1, _MAP_CELLS + 1)
                grid, _, _ = np.histogram2d(xy[:, 1], xy[:, 0], bins=[edges, edges])
                axis.imshow(grid, cmap="inferno", extent=(0, 1, 1, 0))
                axis.set_title(f"{panel[0]} ({len(xy):,})", fontsize=9)
    return saved.getvalue()


def class_bars(dataset: Dataset, things: Literal["boxes", "pictures"]) -> bytes:
    """Boxes, or pictures, of each class, by split; PNG."""
    counts = Counter((truth.label, image.split or "train") for image, truth in _boxes(dataset))
    total = {name: sum(counts[name, split] for split in SPLITS) for name in dataset.names}
    names = sorted(dataset.names, key=lambda name: (-total[name], name))[:_MOST_CLASSES]
    with _canvas(1, 1, (8, 1.1 + 0.27 * len(names))) as (axes, saved):
        axis, left = axes[0, 0], np.zeros(len(names))
        for split in [s for s in SPLITS if any(s == (image.split or "train") for image in dataset.images)]:
            values = np.array([counts[name, split] for name in names])
            axis.barh(range(len(names)), values, left=left, color=SPLIT_COLOURS[split], label=split)
            left += values
        for row, name in enumerate(names):
            axis.text(left[row], row, f" {total[name]:,}", va="center", fontsize=8)
        axis.set_yticks(range(len(names)), [shown(name) for name in names])
        axis.invert_yaxis()
        axis.margins(x=0.1, y=0.01)
        axis.set(
            xlabel=things
            + (f" ({len(dataset.names) - len(names)} rarer classes left out)" * (len(dataset.names) > len(names)))
        )
        _finish(axis)
        axis.legend(frameon=False, fontsize=8, ncols=3, loc="lower right", bbox_to_anchor=(1, 1))  # clear of the bars
    return saved.getvalue()


def box_sizes(dataset: Dataset, imgsz: int) -> bytes:
    """Width and height of every box in pixels at the training size, with the line below which it is tiny; PNG."""
    rows = [
        (
            truth.box.width * imgsz / max(image.width, image.height),
            truth.box.height * imgsz / max(image.width, image.height),
        )
        for image, truth in _boxes(dataset)
    ]
    step = max(1, len(rows) // _MOST_POINTS)
    sizes = np.maximum(np.array(rows[::step]).reshape(-1, 2), 0.5)
    with _canvas(1, 1, (5.2, 4.6)) as (axes, saved):
        axis = axes[0, 0]
        axis.scatter(sizes[:, 0], sizes[:, 1], s=6, alpha=0.35, color=SPLIT_COLOURS["train"], linewidths=0)
        axis.axvline(_TINY, color=SPLIT_COLOURS["val"], linestyle="--", linewidth=1)
        axis.axhline(_TINY, color=SPLIT_COLOURS["val"], linestyle="--", linewidth=1, label=f"{_TINY:g} pixels")
        ticks = [size for size in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048) if size <= imgsz * 1.1]
        low = min(4.0, float(sizes.min()) * 0.8) if len(sizes) else 4.0
        for which in ("x", "y"):
            getattr(axis, f"set_{which}scale")("log", base=2)
            getattr(axis, f"set_{which}ticks")(ticks, [str(tick) for tick in ticks])
            getattr(axis, f"set_{which}lim")(low, imgsz * 1.1)
        axis.set(xlabel=f"box width at imgsz {imgsz}", ylabel="box height", aspect="equal")
        _finish(axis)
    return saved.getvalue()


def pictures_and_counts(dataset: Dataset) -> bytes:
    """How many objects pictures have, and how large and of which shape pictures are; PNG."""
    with _canvas(1, 2, (9.6, 3.8)) as (axes, saved):
        numbers = [len(image.truths) for image in dataset.images]
        most = max(numbers, default=0)
        bins = np.arange(-0.5, most + 1.5, max(1, -(-most // 40)))
        axes[0, 0].hist(numbers, bins=bins if len(bins) > 1 else [-0.5, 0.5], color=SPLIT_COLOURS["train"])
        axes[0, 0].set(xlabel="objects a picture", ylabel="pictures")
        axes[0, 0].xaxis.set_major_locator(MaxNLocator(integer=True))
        _draw_sizes(axes[0, 1], dataset)
        for axis in axes.ravel():
            _finish(axis)
    return saved.getvalue()


def picture_sizes(dataset: Dataset) -> bytes:
    """How large and of which shape pictures are; PNG."""
    with _canvas(1, 1, (4.8, 3.8)) as (axes, saved):
        _draw_sizes(axes[0, 0], dataset)
        _finish(axes[0, 0])
    return saved.getvalue()


def _draw_sizes(axis: Any, dataset: Dataset) -> None:
    sizes = Counter((image.width, image.height) for image in dataset.images)
    xy = np.array(sorted(sizes), dtype=float).reshape(-1, 2)
    area = [10 + 90 * sizes[size] / max(sizes.values()) for size in sorted(sizes)]
    axis.scatter(xy[:, 0], xy[:, 1], s=area, alpha=0.5, color=SPLIT_COLOURS["test"], linewidths=0)
    limit = 1.08 * float(xy.max()) if len(xy) else 1.0
    for ratio, name in ((1, "1:1"), (4 / 3, "4:3"), (16 / 9, "16:9"), (3 / 4, "3:4")):
        axis.plot([0, limit], [0, limit / ratio], color="grey", linewidth=0.6, zorder=0)
        axis.annotate(name, (min(limit, limit * ratio), min(limit, limit / ratio)), fontsize=7, color="grey")
    axis.set(xlabel="picture width, pixels", ylabel="picture height", xlim=(0, limit), ylim=(0, limit))


def sample_sheet(dataset: Dataset, load: Load, *, room: float = _ROOM_AROUND) -> Image.Image:
    """Boxes of each class cut out with some room around, one row a class, spread over the data set.

    Args:
        room: share of a box's longer side; without any, boxes are not drawn.
    """
    rows: dict[str, list[tuple[ImageRecord, Truth]]] = defaultdict(list)
    for image, truth in _boxes(dataset):
        rows[truth.label].append((image, truth))
    names = [name for name in dataset.names if rows[name]][:_SHEET_CLASSES]
    chosen = {name: _spread(rows[name], _SHEET_COLUMNS) for name in names}
    cells = [(image, truth, (x, y)) for y, name in enumerate(names) for x, (image, truth) in enumerate(chosen[name])]
    step_y = _CROP + 24
    sheet = Image.new("RGB", (_SHEET_COLUMNS * (_CROP + 4), max(1, len(names)) * step_y), "white")
    pen, words = ImageDraw.Draw(sheet), ImageFont.truetype(str(font_file()), 14)
    for row, name in enumerate(names):
        pen.text((2, row * step_y + 2), f"{one_line(name)[:60]} ({len(rows[name]):,})", fill="black", font=words)
    for image, pixels, mine in _loaded(cells, load):
        for truth, (x, y) in mine:
            sheet.paste(_cut_out(pixels, image, truth, room), (x * (_CROP + 4), y * step_y + 20))
    return sheet


def thumbnail(image: ImageRecord, load: Load, names: Sequence[str], side: int) -> Image.Image:
    """The picture with its boxes, a colour a class; grey where it cannot be read."""
    pixels = load(image)
    if pixels is None:
        tile = Image.new("RGB", (side, side * 3 // 4), (200, 200, 200))
        ImageDraw.Draw(tile).line((0, 0, side, side * 3 // 4), fill=(150, 150, 150), width=2)
        return tile
    tile = Image.fromarray(pixels)
    tile.thumbnail((side, side))
    pen = ImageDraw.Draw(tile)
    across, down = tile.width / image.width, tile.height / image.height
    for truth in image.truths:
        x0, y0, x1, y1 = truth.box.x0 * across, truth.box.y0 * down, truth.box.x1 * across, truth.box.y1 * down
        colour = class_colour(names, truth.label)
        pen.rectangle((x0, y0, max(x0 + 1, x1 - 1), max(y0 + 1, y1 - 1)), outline=colour, width=2)
    return tile


def class_colour(names: Sequence[str], label: str) -> str:
    return _PALETTE[names.index(label) % len(_PALETTE)] if label in names else "#000000"


def jpeg(picture: Image.Image) -> bytes:
    saved = io.BytesIO()
    picture.save(saved, "JPEG", quality=72, optimize=True)
    return saved.getvalue()


def shown(name: str) -> str:
    """A class name for a figure: on one line, not too long, and no formula."""
    line = one_line(name)
    return (line if len(line) <= 24 else line[:23] + "…").replace("$", r"\$")


def _boxes(dataset: Dataset) -> Iterator[tuple[ImageRecord, Truth]]:
    for image in dataset.images:
        for truth in image.truths:
            yield image, truth


def _spread(boxes: list[tuple[ImageRecord, Truth]], number: int) -> list[tuple[ImageRecord, Truth]]:
    """Some of `boxes`, evenly over their order."""
    return [
        boxes[i] for i in dict.fromkeys(np.linspace(0, len(boxes) - 1, min(number, len(boxes))).astype(int).tolist())
    ]


def _loaded(
    cells: list[tuple[ImageRecord, Truth, tuple[int, int]]], load: Load
) -> Iterator[tuple[ImageRecord, Pixels, list[tuple[Truth, tuple[int, int]]]]]:
    """Each picture decoded once, with what is to be cut out of it."""
    by_image: dict[str, tuple[ImageRecord, list[tuple[Truth, tuple[int, int]]]]] = {}
    for image, truth, place in cells:
        by_image.setdefault(image.name, (image, []))[1].append((truth, place))
    for image, mine in by_image.values():
        pixels = load(image)
        if pixels is not None:
            yield image, pixels, mine


def _cut_out(pixels: Pixels, image: ImageRecord, truth: Truth, room: float) -> Image.Image:
    """A square around a box with some room, scaled to _CROP pixels; the box is drawn on it where there is room."""
    scale = pixels.shape[1] / image.width, pixels.shape[0] / image.height
    x0, y0 = truth.box.x0 * scale[0], truth.box.y0 * scale[1]
    x1, y1 = truth.box.x1 * scale[0], truth.box.y1 * scale[1]
    half = max(x1 - x0, y1 - y0, 2.0) * (0.5 + room)
    left, top = (x0 + x1) / 2 - half, (y0 + y1) / 2 - half
    frame = (left, top, left + 2 * half, top + 2 * half)
    tile = Image.fromarray(pixels).transform(
        (_CROP, _CROP), Image.Transform.EXTENT, frame, Image.Resampling.BILINEAR, fillcolor=(225, 225, 225)
    )
    if room:
        zoom = _CROP / (2 * half)
        corners = [(x0 - left) * zoom, (y0 - top) * zoom, (x1 - left) * zoom, (y1 - top) * zoom]
        ImageDraw.Draw(tile).rectangle(corners, outline=SPLIT_COLOURS["val"], width=1)
    return tile


@contextmanager
def _canvas(rows: int, columns: int, size: tuple[float, float]) -> Iterator[tuple[Any, io.BytesIO]]:
    """Axes (rows, columns) and the PNG that they are saved to; nobody's global settings change."""
    if str(font_file()) not in {font.fname for font in font_manager.fontManager.ttflist}:
        font_manager.fontManager.addfont(str(font_file()))
    saved = io.BytesIO()
    with rc_context({"font.family": ["DejaVu Sans", "NanumGothic"]}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a script that neither font has
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure.subplots(rows, columns, squeeze=False), saved
        figure.savefig(saved, format="png", dpi=100, metadata={"Software": None})


def _finish(axis: Any) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.2)
    axis.set_axisbelow(True)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(frameon=False, fontsize=8)
