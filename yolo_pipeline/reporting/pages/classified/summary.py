"""The figures of a classifier on its page: cards, classes, what the curves say."""

from __future__ import annotations

from collections.abc import Iterator

from yolo_pipeline.classification import PictureScores
from yolo_pipeline.nouns import Split
from yolo_pipeline.reporting.classified.answers import best_epoch, main_split
from yolo_pipeline.reporting.curve_points import accuracy_columns, loss_columns
from yolo_pipeline.reporting.pages.attempt.summary import figure, own_section, range_of, read_losses, with_interval
from yolo_pipeline.reporting.pages.classified.words import EXPLAINED
from yolo_pipeline.reporting.pages.markup import Markup, details, element, join, section, table
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.tables import PICTURE_METRICS
from yolo_pipeline.results import Results


def figures_section(results: Results, say: Say) -> Markup:
    main = main_split(results)
    parts: list[Markup | None] = []
    if main is None:
        parts.append(element("p", say("not_judged")))
    else:
        parts.append(element("p", say("test_lead" if main == "test" else "figures_lead"), class_="muted"))
        parts.append(cards(results, main, say, aside="test" if main == "val" else None))
        parts.append(details(say("classes"), classes_table(results.classified[main].scores, say)))
    parts.append(own_section(results, say, judged=main is not None))
    pairs = [[element("dt", element("code", name)), element("dd", say.of(both))] for name, both in EXPLAINED.items()]
    explained = details(say("explained"), element("dl", join(map(join, pairs)), class_="explained"))
    return section("figures", say("figures"), *parts, explained)


def cards(results: Results, split: Split, say: Say, aside: Split | None = None) -> Markup:
    """The judge's figures with their intervals.

    Args:
        aside: a split whose figures are added in small letters.
    """
    beside = results.classified.get(aside) if aside else None
    of_split = results.classified[split]
    made = []
    for key in (*PICTURE_METRICS, "right"):
        lines: list[Markup | None] = [
            element("h3", say(key)),
            element("p", _said(of_split.scores, key, say), class_="figure"),
        ]
        if (interval := of_split.intervals.get(key)) is not None:
            lines += with_interval(getattr(of_split.scores, key), interval, say)
        if beside is not None:
            other = beside.intervals.get(key)
            text = _said(beside.scores, key, say) + (f" ({range_of(other, say)})" if other else "")
            lines.append(element("p", say("on_test", value=text), class_="aside small number"))
        made.append(element("div", join(lines), class_="card", data_metric=key, data_split=split))
    return element("div", join(made), class_="cards")


def _said(scores: PictureScores, key: str, say: Say) -> str:
    if key != "right":
        return figure(getattr(scores, key))
    return say("right_of_all", right=f"{round((scores.top1 or 0.0) * scores.images):,}", all=f"{scores.images:,}")


def classes_table(scores: PictureScores, say: Say) -> Markup:
    rows = [
        [name, f"{entry.images:,}", figure(entry.precision), figure(entry.recall), figure(entry.f1)]
        for name, entry in scores.classes.items()
    ]
    head = (say("class"), say("truths"), say("precision"), say("recall"), say("f1"))
    lead = element("p", say("classes_lead"), class_="muted small")
    return join([lead, table(head, rows, label=say("classes"))])


def curve_plots(results: Results) -> dict[str, list[str]]:
    """`loss` and `accuracy` -> columns of the curves that a plot of these shows."""
    plots = {"loss": loss_columns(results.curves), "accuracy": accuracy_columns(results.curves)}
    return {name: columns for name, columns in plots.items() if columns}


def training_section(results: Results, say: Say) -> Markup:
    if not len(results.curves):
        return section("training", say("training"), element("p", say("no_curves")))
    said = " ".join(_read(results, say))
    places = (element("div", id=f"curve-{name}") for name in curve_plots(results))
    help_ = element("p", say("curve_help"), class_="muted small")
    plots = element("div", join(places), class_="plots")
    return section("training", say("training"), element("p", said) if said else None, help_, plots)


def _read(results: Results, say: Say) -> Iterator[str]:
    best, reading = best_epoch(results), results.reading
    if reading is not None:
        yield say("read_best_epoch", best=best, epochs=reading.epochs, asked=reading.asked)
        yield from read_losses(reading, say)
    elif best is not None:
        yield say("kept_epoch", best=best)
