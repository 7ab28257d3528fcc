"""The head of an attempt's page: what it is, its figures, what to try next, what was changed, what its curves say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from yolo_pipeline.diagnosis import Advice, CurveReading, Interval
from yolo_pipeline.nouns import Scores, Split
from yolo_pipeline.reporting.curve_points import RATE, loss_columns, unit_of
from yolo_pipeline.reporting.pages.attempt.boxes import SplitBoxes
from yolo_pipeline.reporting.pages.attempt.explanations import explanations
from yolo_pipeline.reporting.pages.comparison.fields import is_told, of_both_tracks, told_changes
from yolo_pipeline.reporting.pages.markup import (
    Markup,
    details,
    element,
    join,
    listing,
    paragraphs,
    section,
    table,
    with_code,
)
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.tables import judged_alike, percent, plain
from yolo_pipeline.results import Results, finite, network

_LISTED = 100  # file names below a piece of advice
DASH = "–"


def figure(value: object, digits: int = 3) -> str:
    """A metric; a dash where there is none."""
    there = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return f"{value:.{digits}f}" if there else DASH


def title_of(results: Results, say: Say) -> str:
    title = results.record.get("title") or (results.record.get("settings") or {}).get("title")
    return say("attempt_titled" if title else "attempt", number=results.number, title=title)


def head(results: Results, say: Say) -> Markup:
    record = results.record
    settings: Mapping[str, Any] = record.get("settings") or {}
    title = record.get("title") or settings.get("title")
    above = [say("attempt", number=results.number)] if title else []
    if settings.get("base") is not None:
        above.append(say("built_on", base=settings["base"]))
    if record.get("imported"):
        above.append(say("imported", file=(record["imported"] or {}).get("file", DASH)))
    lines = [
        element("p", " · ".join(above), class_="overline") if above else None,
        element("h1", str(title or say("attempt", number=results.number))),
        element("p", " · ".join(_in_short(record, say)), class_="muted"),
        paragraphs(str(settings.get("notes") or "")),
    ]
    return element("header", join(lines))


def _in_short(record: Mapping[str, Any], say: Say) -> Iterator[str]:
    settings: Mapping[str, Any] = record.get("settings") or {}
    asked: Mapping[str, Any] = settings.get("train") or {}
    used: Mapping[str, Any] = (record.get("training") or {}).get("used") or {}
    if model := network(record):
        yield str(model)
    for key in ("imgsz", "batch"):
        if (value := used.get(key, asked.get(key))) is not None:
            yield f"{key} {value}"
    if (steps := finite(used.get("steps", asked.get("steps")))) is not None:
        yield say("n_steps", n=f"{steps:,.0f}")
    elif (epochs := used.get("epochs", asked.get("epochs"))) is not None:
        yield say("epochs", n=epochs)
    counts = (record.get("data") or {}).get("counts") or {}
    if counts:
        yield ", ".join(f"{split} {entry.get('images', DASH)}" for split, entry in counts.items())


def figures_section(results: Results, boxes: Mapping[Split, SplitBoxes], say: Say) -> Markup:
    main: Split | None = "val" if "val" in results.scores else next(iter(results.scores), None)
    parts: list[Markup | None] = []
    if main is None:
        parts.append(element("p", say("not_judged")))
    else:
        parts.append(element("p", say("test_lead" if main == "test" else "figures_lead"), class_="muted"))
        parts.append(cards(results, main, boxes, say, aside="test" if main == "val" else None))
        if (by_class := classes_table(results.scores[main], say)) is not None:
            parts.append(details(say("classes"), by_class))
    parts.append(own_section(results, say, judged=main is not None))
    return section("figures", say("figures"), *parts, explanations(say, results.curves.columns))


def own_section(results: Results, say: Say, *, judged: bool) -> Markup | None:
    """Figures that are not the judge's: a click away where there are such."""
    own = (results.record.get("training") or {}).get("own_metrics") or {}
    if not own:
        return None
    shown = join([element("p", say("own_lead"), class_="muted"), _own_table(own, results.scores.get("val"), say)])
    return details(say("own_figures"), shown) if judged else join([element("h3", say("own_figures")), shown])


def _own_table(own: Mapping[str, Any], val: Scores | None, say: Say) -> Markup:
    """The framework's figures, beside the judge's on val where both mean the same."""
    rows = [[element("code", name), figure(value, 4)] for name, value in own.items()]
    alike = [judged_alike(name) for name in own]
    if val is None or not any(alike):
        return table(["", ""], rows, label=say("own_figures"))
    judged = [f"{key.replace('_', '-')} {figure(getattr(val, key), 4)}" if key else DASH for key in alike]
    rows = [[*row, cell] for row, cell in zip(rows, judged, strict=True)]
    return table(["", say("own_short"), say("judges")], rows, label=say("own_figures"))


def cards(
    results: Results, split: Split, boxes: Mapping[Split, SplitBoxes], say: Say, aside: Split | None = None
) -> Markup:
    """mAP with intervals; precision, recall and F1 at the confidence that mistakes are counted at.

    Args:
        aside: a split whose figures are added in small letters.
    """
    rows = _figures(results, split, boxes)
    beside = _figures(results, aside, boxes) if aside and aside in results.scores else {}
    conf = boxes[split].conf if split in boxes else results.scores[split].conf
    cards = []
    for key, value in rows.items():
        interval = results.intervals.get(split, {}).get(key)
        name = say(key) if key in ("precision", "recall", "f1") else key.replace("_", "-")
        lines: list[Markup | None] = [element("h3", name), element("p", figure(value), class_="figure")]
        if interval is not None:
            lines += with_interval(value, interval, say)
        elif conf is not None and not key.startswith("mAP"):
            lines.append(element("p", say("at_conf", conf=figure(conf)), class_="muted small number"))
        if key in beside:
            other = results.intervals.get(aside, {}).get(key) if aside else None
            text = figure(beside[key]) + (f" ({range_of(other, say)})" if other else "")
            lines.append(element("p", say("on_test", value=text), class_="aside small number"))
        cards.append(element("div", join(lines), class_="card", data_metric=key, data_split=split))
    return element("div", join(cards), class_="cards")


def _figures(results: Results, split: Split, boxes: Mapping[Split, SplitBoxes]) -> dict[str, float | None]:
    scores = results.scores[split]
    found = {"mAP50": scores.mAP50, "mAP50_95": scores.mAP50_95}
    if split not in boxes:
        return {**found, "precision": scores.precision, "recall": scores.recall, "f1": scores.f1}
    counts = boxes[split].counts(boxes[split].conf)
    return {**found, "precision": counts.precision, "recall": counts.recall, "f1": counts.f1}


def range_of(interval: Interval, say: Say) -> str:
    return say("range", low=figure(interval.low), high=figure(interval.high))


def with_interval(value: float | None, interval: Interval, say: Say) -> list[Markup | None]:
    """Below a figure: its interval as a bar and in words."""
    return [_bar(value, interval), element("p", f"({range_of(interval, say)})", class_="muted small number")]


def _bar(value: float | None, interval: Interval) -> Markup | None:
    """The interval and the figure on a line from 0 to 1."""
    ends = (interval.low, interval.high, value)
    if any(end is None or not 0 <= end <= 1 for end in ends):
        return None
    low, width = f"{interval.low:.1%}", f"{interval.width:.1%}"
    inside = element("i", style=f"left:{low};width:{width}") + element("b", style=f"left:{value:.1%}")
    return element("div", Markup(inside), class_="interval", aria_hidden="true")


def advice_section(results: Results, advice: Sequence[Advice], say: Say) -> Markup:
    if not advice:
        none = say("advice_none") if results.diagnoses or results.classified else say("advice_unknown")
        return section("advice", say("advice"), element("p", none, class_="nothing"))
    pieces = (element("li", _piece(one, say), class_="advice") for one in advice)
    return section("advice", say("advice"), element("ol", join(pieces), class_="advices"))


def _piece(advice: Advice, say: Say) -> Markup:
    said = {"measured": advice.measured, "cause": advice.cause}
    rows = [join([element("dt", say(key)), element("dd", with_code(text))]) for key, text in said.items()]
    if not advice.changes:
        rows.append(join([element("dt", say("settings_to")), element("dd", say("by_hand"))]))
    else:
        values = ((key, say("removed") if value is None else plain(value)) for key, value in advice.changes)
        lines = (element("code", f"{key}: {value}") for key, value in values)
        rows.append(join([element("dt", say("settings_to")), element("dd", join(lines), class_="changes")]))
    rows.append(join([element("dt", say("source")), element("dd", advice.source, class_="muted")]))
    parts = [element("h3", with_code(advice.remedy)), element("dl", join(rows))]
    if advice.images:
        shown = listing(advice.images[:_LISTED])
        parts.append(details(say("images_n", n=f"{len(advice.images):,}"), element("div", shown, class_="files")))
    return join(parts)


def changed_section(results: Results, say: Say) -> Markup:
    record = results.record
    settings: Mapping[str, Any] = record.get("settings") or {}
    base, changed = settings.get("base"), record.get("changed") or []
    if base is None and not changed:
        return section("changed", say("changed"), element("p", say("changed_new")))
    parts: list[Markup] = []
    told = told_changes(results)
    changed, left_out = of_both_tracks([change for change in changed if not is_told(change)])
    if told:
        parts.append(element("p", say("told", changes="; ".join(told).rstrip("."))))
    if changed:
        before = say("before", base=DASH if base is None else base)
        names = (say("setting"), before, say("after", number=results.number))
        rows = [[element("code", c.get("key", "")), plain(c.get("before")), plain(c.get("after"))] for c in changed]
        parts.append(table(names, rows, words=(1, 2), label=say("changed")))
        parts += [element("p", say("of_one_track", n=left_out), class_="muted small")] if left_out else []
    elif not told:
        parts.append(element("p", say("changed_none", base=base)))
    if record.get("split_dealt_again"):
        parts.append(element("p", say("dealt_again"), class_="warn"))
    return section("changed", say("changed"), *parts)


def training_section(results: Results, say: Say) -> Markup:
    if not len(results.curves):
        return section("training", say("training"), element("p", say("no_curves")))
    reading = results.reading
    said = element("p", " ".join(_read(results, reading, say))) if reading else None
    places = (element("div", id=f"curve-{name}") for name in curve_plots(results))
    plots = element("div", join(places), class_="plots")
    thin = f"{say('curve_thin')} " if unit_of(results) == "step" else ""
    help_ = element("p", f"{thin}{say('curve_help')}", class_="muted small")
    return section("training", say("training"), said, help_, plots)


def best_by(results: Results) -> str | None:
    """The metric whose best epoch the curves' reading names; None where none came above 0."""
    for column, name in (("val/mAP50_95", "mAP50-95"), ("val/mAP50", "mAP50")):
        if any(value > 0 for value in results.curves.columns.get(column, ())):
            return name
    return None


def _read(results: Results, reading: CurveReading, say: Say) -> Iterator[str]:
    of_unit = "_step" if reading.unit == "step" else ""
    epochs = {"epochs": counted(reading.epochs, reading), "asked": counted(reading.asked, reading)}
    if (metric := best_by(results)) is not None:
        yield say(f"read_best{of_unit}", metric=metric, best=counted(reading.best, reading), **epochs)
    elif any(column.startswith("val/mAP") for column in results.curves.columns):
        yield say(f"read_no_map{of_unit}", **epochs)
    yield from read_losses(reading, say)


def read_losses(reading: CurveReading, say: Say) -> Iterator[str]:
    """What the losses say, whatever is learnt."""
    of_unit = "_step" if reading.unit == "step" else ""
    if reading.stopped_early:
        yield say("read_early")
    if reading.apart is not None and of_unit:
        yield say("read_apart", apart=counted(reading.apart, reading))
    if reading.still_falling > 0:
        yield say(f"read_falling{of_unit}", share=percent(reading.still_falling))
    if reading.val_rise > 0:
        lowest, rise = counted(reading.lowest, reading), percent(reading.val_rise)
        yield say(f"read_rise{of_unit}", lowest=lowest, rise=rise, fall=percent(reading.train_fall))


def counted(number: int, reading: CurveReading) -> str:
    """Epochs as they are, and steps as 2,000."""
    return f"{number:,}" if reading.unit == "step" else str(number)


def curve_plots(results: Results) -> dict[str, list[str]]:
    """Plot -> columns of the curves that it shows: the mAPs, each loss of train and val, the learning rate."""
    plots: dict[str, list[str]] = {}
    for column in results.curves.columns:
        name = column.rpartition("/")[2]
        if name.startswith("mAP"):
            plots.setdefault("mAP", []).append(column)
    for column in loss_columns(results.curves):
        plots.setdefault(column.rpartition("/")[2], []).append(column)
    if RATE in results.curves.columns:
        plots[RATE] = [RATE]
    return {f"{at}": columns for at, columns in enumerate(plots.values())}


def classes_table(scores: Scores, say: Say) -> Markup | None:
    if not scores.classes:
        return None
    keys = ("AP50", "AP50_95", "precision", "recall", "f1")
    rows = [
        [name, f"{entry.truths:,}", *(figure(getattr(entry, key)) for key in keys)]
        for name, entry in scores.classes.items()
    ]
    names = (say("class"), say("truths"), "AP50", "AP50-95", say("precision"), say("recall"), say("f1"))
    conf = say("at_best", conf=figure(scores.conf))
    note = element("p", conf, class_="muted small")
    return join([note if scores.conf is not None else None, table(names, rows, label=say("classes"))])
