"""What the pictures are looked through with: confidence, classes, order, names."""

from __future__ import annotations

from yolo_pipeline.reporting.pages.detections.survey import Survey
from yolo_pipeline.reporting.pages.markup import Markup, element, join
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.views import named

_OPEN_CLASSES = 24  # as many lie open, more are a click away


def controls(found: Survey, say: Say) -> Markup:
    """Filled and kept up to date by detections.js."""
    return join([_slider(found, say), _filters(found, say)])


def _slider(found: Survey, say: Say) -> Markup:
    lowest = found.tally.views.lowest
    value = element("output", named(lowest), id="conf-value", for_="conf", class_="number")
    slider = element(
        "input", id="conf", type="range", min=lowest, max=1, step="any", value=lowest, aria_describedby="conf-help"
    )
    help_ = element("span", say("slider_help"), id="conf-help", hidden=True)
    track = element("div", element("div", id="scores", aria_hidden="true"), slider, help_, class_="track")
    parts = [element("label", say("slider"), for_="conf"), value, track, _presets(found, say)]
    return element("div", element("div", *parts, class_="slide"), _live(say), class_="slider")


def _presets(found: Survey, say: Say) -> Markup:
    buttons = (
        element("button", named(threshold), type="button", class_="button small number", data_threshold=place)
        for place, threshold in enumerate(found.tally.views.thresholds)
    )
    return element("span", *buttons, class_="presets", role="group", aria_label=say("asked_for"))


def _live(say: Say) -> Markup:
    parts = []
    for key in ("boxes", "pictures", "vanished"):
        before, _, after = say.of(say.words[f"live_{key}"]).partition("{n}")
        parts.append(element("span", before, element("b", data_count=key), after, hidden=not before + after))
    return element("p", *parts, class_="live number small")


def _filters(found: Survey, say: Say) -> Markup:
    search = element("label", say("search"), element("input", id="search", type="search", autocomplete="off"))
    marks = element("label", element("input", id="marks", type="checkbox", checked=True), say("show_vanished"))
    parts = [search, _orders(found, say), element("span", marks, class_="check")]
    return join([element("div", *parts, class_="filters"), _classes(found, say)])


def _orders(found: Survey, say: Say) -> Markup:
    several = len(found.tally.views.thresholds) > 1
    keys = [*(["vanishing"] if several else []), "boxes", "surest", "name"]
    options = (element("option", say(f"by_{key}"), value=key) for key in keys)
    return element("label", say("sort"), element("select", *options, id="sort", autocomplete="off"))


def _classes(found: Survey, say: Say) -> Markup | None:
    """A box to tick for each; detections.js puts them in, as it has their names."""
    classes = found.classes()
    if not classes:
        return None
    buttons = (
        element("button", say(key), type="button", class_="button small", data_classes=key) for key in ("all", "none")
    )
    top = element("summary", f"{say('classes')} ({len(classes):,})")
    inside = [
        element("p", *buttons, class_="all-or-none"),
        element("div", id="classes", role="group", aria_label=say("classes")),
    ]
    return element("details", top, *inside, class_="classes", open=len(classes) <= _OPEN_CLASSES)
