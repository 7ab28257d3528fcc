"""The page of a comparison: attempts side by side, what changed between them, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yolo_pipeline.reporting.pages.comparison.data import page_data
from yolo_pipeline.reporting.pages.comparison.effects import Effects
from yolo_pipeline.reporting.pages.comparison.steps import steps_section
from yolo_pipeline.reporting.pages.comparison.tables import (
    attempts_section,
    name_of,
    told_section,
)
from yolo_pipeline.reporting.pages.comparison.words import Say
from yolo_pipeline.reporting.pages.markup import Markup, Part, details, element, join, listing, section
from yolo_pipeline.reporting.pages.shell import Language, page
from yolo_pipeline.reporting.tables import MOST_SIDE_BY_SIDE
from yolo_pipeline.results import Comparison

_MOST_NOTES = 6  # before the rest is a click away
_BY_KIND = ("scores", "effects")  # sections whose headings name the figures

Data = Mapping[str, Any]


def comparison_page(comparison: Comparison, lang: Language = "en", effects: Effects | None = None) -> str:
    """One self-contained HTML file.

    Args:
        effects: `comparing.effects.effects`, which finds pairs of attempts that are one setting apart; None: the page
            goes without them.
    """
    say = Say(lang)
    data = page_data(comparison, say, effects)
    made = {  # in this order
        "scores": _scores_section(data, say),
        "attempts": attempts_section(comparison, say),
        "steps": steps_section(comparison, say),
        "effects": _effects_section(data, say),
        "classes": _classes_section(data, say),
        "curves": _curves_section(comparison, data, say),
        "pr": _pr_section(data, say),
        "tradeoff": _tradeoff_section(data, say),
        "told": told_section(comparison.attempts, say),
    }
    sections = {name: part for name, part in made.items() if part is not None}
    links = (element("a", say(_heading(name, data)), href=f"#{name}") for name in sections)
    contents = element("nav", join(links), class_="contents", aria_label=say("contents"))
    title = _title(comparison, say)
    body = join([element("h1", title), _notes(comparison.notes, say), contents, *sections.values()])
    return page(title, body, data, ["plots.js", "comparison/comparison.js"], lang, styles=["comparison/comparison.css"])


def _heading(name: str, data: Data) -> str:
    """The word of a section's heading."""
    if name == "scores" and all(metric["own"] for metric in data["metrics"]):
        return "own"
    if name in _BY_KIND:
        return _by_kind(name, data)
    return "table" if name == "attempts" else name


def _by_kind(word: str, data: Data) -> str:
    """The word for what was judged: boxes, pictures, or both."""
    kind = data["judged"]
    return word if kind == "boxes" else f"{word} {kind}"


def _title(comparison: Comparison, say: Say) -> str:
    numbers = [str(attempt.number) for attempt in comparison.attempts]
    if len(numbers) > MOST_SIDE_BY_SIDE:
        return say("title many", count=len(numbers))
    return say("title", numbers=", ".join(numbers))


def _notes(notes: Sequence[str], say: Say) -> Markup | None:
    """What a reader must know first, whole sentences."""
    sentences = [f"{note[:1].upper()}{note[1:]}." for note in notes]
    first, rest = sentences[:_MOST_NOTES], sentences[_MOST_NOTES:]
    more = details(say("more", count=len(rest)), listing(rest)) if rest else None
    return element("aside", listing(first), more, class_="notes", lang="en") if notes else None


def _scores_section(data: Data, say: Say) -> Markup | None:
    judged = any(not metric["own"] for metric in data["metrics"])
    own = any(metric["own"] for metric in data["metrics"]) and not data["all judged"]
    parts: list[Part] = []
    if judged:
        parts += [element("p", say(_by_kind("scores text", data))), element("div", class_="plots", id="score-plots")]
    if own:
        parts += [element("h3", say("own")) if judged else None, element("p", say("own text"))]
        parts.append(element("div", class_="plots", id="own-plots"))
    return section("scores", say(_heading("scores", data)), *parts) if parts else None


def _effects_section(data: Data, say: Say) -> Markup | None:
    if not data["effects"]:
        return None
    choices = _choices(("effect-metric", "metric"), ("effect-setting", "setting"), say=say)
    parts: list[Part] = [element("p", say("effects text")), choices, element("div", id="effect-plot")]
    if data["effects"]["pairs"] is not None:
        parts += [element("h3", say("pairs")), element("p", say("pairs text"))]
        parts.append(element("div", id="pairs", class_="scroll tall", tabindex=0))
    return section("effects", say(_heading("effects", data)), *parts)


def _classes_section(data: Data, say: Say) -> Markup | None:
    if not data["classes"]:
        return None
    choices = _choices(("class-split", "split"), ("class-figure", "metric"), say=say)
    table = element("div", id="class-table", class_="scroll tall", tabindex=0)
    return section("classes", say("classes"), element("p", say("classes text")), choices, table)


def _curves_section(comparison: Comparison, data: Data, say: Say) -> Markup | None:
    if not any(data["curves"]):
        return None
    pairs = zip(comparison.attempts, data["curves"], strict=True)
    without = [name_of(attempt, say) for attempt, curves in pairs if not curves]
    missing = element("p", say("curves missing", attempts=", ".join(without)), class_="muted") if without else None
    by_steps = any(curves and curves.get("sparse") for curves in data["curves"])
    smoothed = element("p", say("curves smoothed"), class_="muted") if by_steps else None
    choices = _choices(("curve-along", "along"), say=say)
    plots = element("div", class_="plots", id="curve-plots")
    return section(
        "curves", say("curves"), element("p", say("curves text")), smoothed, missing, choices, _chips(say), plots
    )


def _pr_section(data: Data, say: Say) -> Markup | None:
    if not data["pr"]:
        return None
    choices = _choices(("pr-split", "split"), ("pr-class", "class"), say=say)
    plots = element("div", element("div", id="pr-plot"), element("div", id="f1-plot"), class_="plots")
    return section("pr", say("pr"), element("p", say("pr text")), choices, _chips(say), plots)


def _tradeoff_section(data: Data, say: Say) -> Markup | None:
    if not data["cost"] or not data["metrics"]:
        return None
    choices = _choices(("cost-metric", "metric"), ("cost-along", "along"), say=say)
    return section("tradeoff", say("tradeoff"), choices, element("div", id="cost-plot"))


def _choices(*choices: tuple[str, str], say: Say) -> Markup:
    """Lists to choose from, filled by the script: (id, word)."""
    labels = (element("label", say(word), Markup(" "), element("select", id=name)) for name, word in choices)
    return element("div", join(labels), class_="choices")


def _chips(say: Say) -> Markup:
    """Names of the attempts, filled by the script, that switch their curves off and on."""
    return element("div", class_="chips", role="group", aria_label=say("show"))
