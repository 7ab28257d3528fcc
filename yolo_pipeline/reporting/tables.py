"""Tables of attempts and scores: for the terminal (rich) and as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from yolo_pipeline.classification import PictureScores
from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import Scores

MOST_SIDE_BY_SIDE = 6  # attempts; more have a row each
METRICS = ("mAP50", "mAP50_95", "precision", "recall", "f1", "conf")
PICTURE_METRICS = ("top1", "top5", "loss")
"""Names of the judge's figures: of a detector, of a classifier."""

_JUDGED_ALIKE = {
    "tfapi/DetectionBoxes_Precision/mAP@.50IOU": "mAP50",
    "tfapi/DetectionBoxes_Precision/mAP": "mAP50_95",
}
_MARKDOWN = str.maketrans({"|": "\\|", "<": "&lt;", ">": "&gt;", "[": "\\["})


def metric(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def percent(share: float) -> str:
    """`5 %`, `4.9 %`, `17 %`; a tenth only below ten."""
    if not math.isfinite(share):
        return "–"
    digits = 1 if abs(share) < 0.0995 else 0
    return f"{round(100 * share, digits) + 0.0:,.{digits}f}".removesuffix(".0") + " %"


def megabytes(size: float) -> str:
    """`12.3 MB`, of a thousand kilobytes, as disks are sold; `12 kB` where it is hardly any."""
    return f"{size / 1e6:,.1f} MB" if size >= 50_000 else f"{size / 1e3:.3g} kB"


def judged_alike(own_metric: str) -> str | None:
    """Which of METRICS the TensorFlow Object Detection API means by one of its own figures; both go by COCO."""
    return _JUDGED_ALIKE.get(own_metric)


def plain(value: Any) -> str:
    """A setting as a person would write it, on one line."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict) and "path" in value:  # a source
        return one_line(value["path"])
    if isinstance(value, dict) and "units" in value:  # a dense layer
        return plain(value["units"]) + (f" ({plain(value['dropout'])})" if value.get("dropout") else "")
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(entry)}" for key, entry in value.items() if entry is not None)
    if isinstance(value, (list, tuple)):
        return "; ".join(plain(entry) for entry in value) or "none"
    return f"{value:g}" if isinstance(value, float) else one_line(str(value))


def layers(head: Any) -> str:
    """The dense layers of a classifier's head, the first one first: `256 (dropout 0.3) → 128`."""
    if not isinstance(head, (list, tuple)) or not all(isinstance(layer, dict) and "units" in layer for layer in head):
        return plain(head)
    said = (
        plain(layer["units"]) + (f" (dropout {plain(layer['dropout'])})" if layer.get("dropout") else "")
        for layer in head
    )
    return " → ".join(said) or "none"


def markdown(text: object) -> str:
    """Text of strangers on one line of Markdown: it can neither become HTML nor a link or picture."""
    return one_line(str(text)).translate(_MARKDOWN)


def markdown_code(text: object) -> str:
    return f"`{one_line(str(text)).replace('`', chr(39))}`"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; cells cannot break out of it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(markdown, line))} |" for line in lines)


def terminal_table(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """The same for the terminal; cells are text, never markup."""
    table = Table(title=Text(title) if title else None, title_justify="left", box=SIMPLE_HEAD, header_style="bold")
    for number, name in enumerate(header):
        table.add_column(Text(name), justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(str(cell))) for cell in row))
    return table


def picture_score_rows(scores: Mapping[Any, PictureScores]) -> tuple[list[str], list[list[Any]]]:
    """The same of a classifier's."""
    header = ["split", "images", *PICTURE_METRICS, "right"]
    rows = [
        [split, score.images, *(short(getattr(score, name)) for name in PICTURE_METRICS), right_of_all(score)]
        for split, score in scores.items()
    ]
    return header, rows


def right_of_all(scores: PictureScores) -> str:
    """`97 of 100`: pictures whose most likely class is right."""
    return f"{round((scores.top1 or 0.0) * scores.images)} of {scores.images}"


def score_rows(scores: dict[Any, Scores]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of a table of scores, one row a split."""
    header = ["split", "images", "truths", *METRICS, "correct"]
    rows = [
        [split, score.images, score.truths, *(short(getattr(score, name)) for name in METRICS), score.correct]
        for split, score in scores.items()
    ]
    return header, rows
