"""report.html of a classifier: one attempt on one page, made of what its run saved and of what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from yolo_pipeline.advising.korean import in_korean
from yolo_pipeline.diagnosis import Advice
from yolo_pipeline.reporting.pages.attempt import making
from yolo_pipeline.reporting.pages.attempt.summary import advice_section, changed_section, head, title_of
from yolo_pipeline.reporting.pages.classified import mistakes, summary
from yolo_pipeline.reporting.pages.classified.drawing import plots_json
from yolo_pipeline.reporting.pages.classified.shown import ShownAnswers, answers_json, shown_answers
from yolo_pipeline.reporting.pages.classified.words import FOR_SCRIPTS, WORDS
from yolo_pipeline.reporting.pages.markup import Markup, details, element, join, section
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.pages.shell import Language, page
from yolo_pipeline.results import Results, finite, part

_SCRIPTS = ("plots.js", "elements.js", "matrix.js", "classified/classified.js")
_STYLES = ("gallery.css", "attempt/attempt.css", "classified/classified.css")

_Section = tuple[str, str, Markup]
"""Its id, its heading, itself."""


def classified_page(results: Results, lang: Language = "en") -> str:
    """The page of one finished attempt: one HTML file that asks no network for anything."""
    say, shown = Say(lang, WORDS), shown_answers(results)
    body = join(_body(results, shown, say))
    return page(title_of(results, say), body, _data(results, shown, say), _SCRIPTS, lang, styles=_STYLES)


def _body(results: Results, shown: ShownAnswers, say: Say) -> Iterator[Markup]:
    sections = [*_results(results, say), *_answers(results, shown, say), *_background(results, say)]
    links = (element("a", heading, href=f"#{name}") for name, heading, _ in sections)
    yield head(results, say)
    yield element("nav", join(links), class_="contents", aria_label=say("contents"))
    yield from (part for _, _, part in sections)


def _results(results: Results, say: Say) -> Iterator[_Section]:
    yield "figures", say("figures"), summary.figures_section(results, say)
    yield "advice", say("advice"), advice_section(results, _advice(results, say), say)
    yield "changed", say("changed"), changed_section(results, say)
    yield "training", say("training"), summary.training_section(results, say)


def _advice(results: Results, say: Say) -> Sequence[Advice]:
    return [in_korean(one) for one in results.advice] if say.lang == "ko" else results.advice


def _answers(results: Results, shown: ShownAnswers, say: Say) -> Iterator[_Section]:
    if shown.main is None:
        return
    found = shown.splits[shown.main]
    yield "matrix", say("matrix"), mistakes.matrix_section(found.diagnosis, say)
    if shown.drawn:
        yield "grid", say("grid"), mistakes.grid_section(shown.drawn, say)
    yield "least", say("least"), mistakes.least_section(shown, say)
    inside = {"wrong": mistakes.wrong_section(shown.main, say)}
    if (tested := _test(results, shown, say)) is not None:
        inside["test"] = tested
    slider = mistakes.slider(shown, _first_least(results), say)
    whole = element("div", join([slider, *inside.values()]), class_="with-slider")
    for name, part_ in zip(inside, (whole, Markup()), strict=False):
        yield name, say(name), part_
    folder = results.run.suspects.as_posix() if results.run.suspects.is_dir() else None
    yield "suspects", say("suspects"), mistakes.suspects_section(shown.suspects, found, folder, say)


def _first_least(results: Results) -> float:
    """The least probability that the page begins with: the attempt's own, else none."""
    return finite(part(results.record, "settings", "detect").get("conf")) or 0.0


def _test(results: Results, shown: ShownAnswers, say: Say) -> Markup | None:
    if shown.main == "test" or "test" not in shown.splits:
        return None
    return section(
        "test",
        say("test"),
        element("p", say("test_lead"), class_="muted"),
        summary.cards(results, "test", say),
        details(say("classes"), summary.classes_table(results.classified["test"].scores, say)),
        element("h3", say("matrix")),
        mistakes.matrix(shown.splits["test"].diagnosis, say),
        element("h3", say("test_wrong")),
        mistakes.wrong_gallery("test"),
    )


def _background(results: Results, say: Say) -> Iterator[_Section]:
    record = results.record
    yield "settings", say("settings"), making.settings_section(record, say)
    if (data := making.data_section(record, say, boxes=False)) is not None:
        yield "dataset", say("data"), data
    yield "audit", say("audit"), making.audit_section(record, say)
    yield "making", say("making"), making.making_section(record, say)


def _data(results: Results, shown: ShownAnswers, say: Say) -> dict[str, Any]:
    """What classified.js reads."""
    main = shown.splits[shown.main].diagnosis if shown.main else None
    return {
        "say": say.some(FOR_SCRIPTS),
        "plots": plots_json(results, main, say),
        "least": _first_least(results),
        **answers_json(shown),
    }
