"""What an attempt's plots show, for plotLines of plots.js. Numbers that are none become gaps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from yolo_pipeline.diagnosis import Calibration, ConfidenceCurve, Diagnosis
from yolo_pipeline.errors import one_line
from yolo_pipeline.reporting.curve_points import are_few, is_noisy, points, smoothed, unit_of
from yolo_pipeline.reporting.pages.attempt.summary import best_by, counted, curve_plots, figure
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.results import Results

Plot = dict[str, Any]

_SHORT_CURVE = 40  # points, up to which each is drawn
_SAID = {"mAP50": "mAP50", "mAP50_95": "mAP50-95"}


def plots_json(results: Results, diagnosis: Diagnosis | None, say: Say) -> list[Plot]:
    """Each plot: the id of its place, its traces and options."""
    plots = _training(results, say)
    if diagnosis is not None:
        plots += [_precision_recall(diagnosis, say), _confidence(diagnosis, say)]
        if diagnosis.calibration.bins:
            plots.append(calibration_plot(diagnosis.calibration, say))
    return plots


def numbers(values: Iterable[float]) -> list[float | None]:
    """For JSON: five digits, and None for what is no number."""
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values]


def _training(results: Results, say: Say) -> list[Plot]:
    columns, by_steps = results.curves.columns, unit_of(results) == "step"
    x = "epoch" if "epoch" in columns and not by_steps else "step"
    at = columns.get(x) or tuple(range(1, len(results.curves) + 1))
    plots = []
    for name, mine in curve_plots(results).items():
        is_map = "/mAP" in mine[0] or mine[0].startswith("mAP")
        traces: list[dict[str, Any]] = []
        for column in mine:
            known: dict[str, Any] = {"name": _trace_name(column, is_map)}
            known |= {} if is_map else {"colour": int(column.startswith("val/"))}
            known |= {"group": one_line(column)} if by_steps else {}
            drawn = _step_traces(column, at, columns[column]) if by_steps else _traces(at, columns[column])
            traces += [{**known, **trace} for trace in drawn]
        title = "mAP" if is_map else one_line(mine[0].rpartition("/")[2])
        options = {"title": title, "x": say(x), **({"yrange": [0, 1.02]} if is_map else {})}
        if is_map and results.reading and best_by(results):
            best = counted(results.reading.best, results.reading)
            options["marks"] = [{"x": results.reading.best, "text": say("best_epoch", best=best)}]
        plots.append({"id": f"curve-{name}", "traces": traces, "options": options})
    return plots


def _traces(at: Sequence[float], values: Sequence[float]) -> list[dict[str, Any]]:
    return [{"x": numbers(at), "y": numbers(values), "markers": len(at) <= _SHORT_CURVE, "size": 4}]


def _step_traces(column: str, at: Sequence[float], values: Sequence[float]) -> list[dict[str, Any]]:
    """Points that there are, joined; of many steps the mean, and themselves thin behind it."""
    x, y = points(at, values)
    if not is_noisy(column, y):
        return [{"x": numbers(x), "y": numbers(y), "markers": are_few(y), "size": 4}]
    thin = {"width": 1, "opacity": 0.35, "legend": False, "hover": False}
    return [{"x": numbers(x), "y": numbers(y), **thin}, {"x": numbers(x), "y": numbers(smoothed(y))}]


def _trace_name(column: str, is_map: bool) -> str:
    split, _, name = column.rpartition("/")
    said = " ".join(part for part in (split, _SAID.get(name, name)) if part)
    return one_line(said if is_map else split or column)


def _precision_recall(diagnosis: Diagnosis, say: Say) -> Plot:
    recalls = numbers(diagnosis.recalls)
    traces = [{"name": one_line(name), "x": recalls, "y": numbers(values)} for name, values in diagnosis.pr.items()]
    options = {"title": say("pr_title"), "x": say("recall"), "y": say("precision"), "hovermode": "closest"}
    return {"id": "plot-pr", "traces": traces, "options": {**options, "xrange": [0, 1.01], "yrange": [0, 1.03]}}


def _confidence(diagnosis: Diagnosis, say: Say) -> Plot:
    curve = diagnosis.curve
    x = numbers(curve.conf)
    shares = {"precision": curve.precision, "recall": curve.recall, "f1": curve.f1}
    traces: list[dict[str, Any]] = [{"name": say(key), "x": x, "y": numbers(values)} for key, values in shares.items()]
    boxes = {"name": say("boxes_an_image"), "x": x, "y": numbers(curve.boxes), "colour": "--muted", "dash": "dash"}
    traces.append({**boxes, "second": True})
    options: dict[str, Any] = {"title": say("conf_title"), "x": say("conf"), "xrange": [0, 1], "yrange": [0, 1.03]}
    if curve.best is not None and any(f1 > 0 for f1 in curve.f1):
        options["marks"] = [{"x": curve.best, "text": say("best_f1", conf=figure(curve.best)), "colour": "--c2"}]
    options |= {"y2": say("boxes_an_image"), "y2range": [0, _most_boxes(diagnosis.curve)]}
    return {"id": "plot-confidence", "traces": traces, "options": options}


def _most_boxes(curve: ConfidenceCurve) -> float:
    """Where the axis of boxes ends: below a confidence of 0.05 nearly everything is a box."""
    boxes = [
        count for conf, count in zip(curve.conf, curve.boxes, strict=True) if conf >= 0.05 and math.isfinite(count)
    ]
    most = max(boxes, default=1.0)
    return 5.0 * math.ceil(most / 4.8) if most > 2.4 else 2.5


def calibration_plot(calibration: Calibration, say: Say) -> Plot:
    """Of a calibration that has bins."""
    scores, right, _ = zip(*calibration.bins, strict=True)
    perfect = {"name": say("perfect"), "x": [0, 1], "y": [0, 1], "colour": "--muted", "dash": "dot", "hover": False}
    texts = [
        f"{figure(score, 2)}: {figure(share, 2)} ({say('bin', n=f'{count:,}')})"
        for score, share, count in calibration.bins
    ]
    name = say("share_right")
    points = {"x": numbers(scores), "y": numbers(right), "text": texts}
    traces = [perfect, {"name": name, **points, "markers": True, "colour": 0}]
    options = {"x": say("score_mean"), "y": name, "xrange": [0, 1], "yrange": [0, 1.02], "hovermode": "closest"}
    return {"id": "plot-calibration", "traces": traces, "options": options}
