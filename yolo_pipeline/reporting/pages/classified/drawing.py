"""What a classifier's plots show, for plotLines of plots.js."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yolo_pipeline.classification import Answer, PictureDiagnosis
from yolo_pipeline.errors import one_line
from yolo_pipeline.reporting.classified.answers import answered, best_epoch
from yolo_pipeline.reporting.curve_points import are_few, points
from yolo_pipeline.reporting.pages.attempt.drawing import Plot, calibration_plot, numbers
from yolo_pipeline.reporting.pages.classified.summary import curve_plots
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.results import Results

_STEPS = 100  # of the least probability, from 0 to 1


def plots_json(results: Results, diagnosis: PictureDiagnosis | None, say: Say) -> list[Plot]:
    """Each plot: the id of its place, its traces and options."""
    plots = _training(results, say)
    if diagnosis is not None:
        plots.append(_least(diagnosis.answers, say))
        if diagnosis.calibration.bins:
            plots.append(calibration_plot(diagnosis.calibration, say))
    return plots


def _training(results: Results, say: Say) -> list[Plot]:
    columns, best = results.curves.columns, best_epoch(results)
    epochs = columns.get("epoch") or tuple(range(1, len(results.curves) + 1))
    plots = []
    for name, mine in curve_plots(results).items():
        traces = []
        for column in mine:
            x, y = points(epochs, columns[column])
            colour = {"colour": int(column.startswith("val/"))} if len(mine) <= 2 else {}
            trace = {"name": _trace_name(column, mine), "x": numbers(x), "y": numbers(y), "markers": are_few(y)}
            traces.append({**trace, **colour, "size": 4})
        options: dict[str, Any] = {"title": say(f"{name}_title"), "x": say("epoch")}
        if best is not None and min(epochs, default=0) <= best <= max(epochs, default=0):
            options["marks"] = [{"x": best, "text": say("best_epoch", best=best)}]
        if name == "accuracy":
            options["yrange"] = _shares(columns[column] for column in mine)
        plots.append({"id": f"curve-{name}", "traces": traces, "options": options})
    return plots


def _shares(columns: Any) -> list[float]:
    """From a little below the lowest share that was reached to 1."""
    values = [value for column in columns for value in column if 0 <= value <= 1]
    return [max(0.0, round(min(values, default=0.0) - 0.05, 2)), 1.02]


def _trace_name(column: str, beside: Sequence[str]) -> str:
    split = column.partition("/")[0]
    alone = sum(other.partition("/")[0] == split for other in beside) == 1
    return one_line(split if alone else column)


def _least(answers: Sequence[Answer], say: Say) -> Plot:
    leasts = [step / _STEPS for step in range(_STEPS + 1)]
    found = [answered(answers, least) for least in leasts]
    right = [round(right / count, 4) if count else None for count, right in found]
    given = [round(count / len(answers), 4) if answers else None for count, _ in found]
    traces = [
        {"name": say("right_answered"), "x": leasts, "y": right, "colour": 0},
        {"name": say("share_answered"), "x": leasts, "y": given, "colour": "--muted", "dash": "dash"},
    ]
    options = {"title": say("least_plot"), "x": say("slider"), "xrange": [0, 1], "yrange": [0, 1.03]}
    return {"id": "plot-least", "traces": traces, "options": options}
