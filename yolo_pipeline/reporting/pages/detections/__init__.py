"""detections.html: what a model found on any pictures, at every confidence from the lowest asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from yolo_pipeline.detecting.drawing import Colour
from yolo_pipeline.detecting.drawing import colours as colours_of
from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.nouns import Skip
from yolo_pipeline.reporting.pages.detections import sections
from yolo_pipeline.reporting.pages.detections.controls import controls
from yolo_pipeline.reporting.pages.detections.survey import Survey, survey
from yolo_pipeline.reporting.pages.detections.telling import Told, class_rows, tell
from yolo_pipeline.reporting.pages.detections.words import FOR_SCRIPTS, WORDS, WORDS_OF_CLASSIFIER
from yolo_pipeline.reporting.pages.markup import Markup, element, join
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.pages.shell import Language, page
from yolo_pipeline.views import Seen, Views, named

_SCRIPTS = ("elements.js", "detections/detections.js")
_STYLES = ("gallery.css", "detections/detections.css")


def detections_page(
    title: str,
    pictures: Callable[[], Iterable[Seen]],
    views: Views,
    skipped: Sequence[Skip],
    facts: Mapping[str, str],
    folder: OutFolder,
    lang: Language = "en",
    colours: Mapping[str, Colour] | None = None,
    *,
    classifies: bool = False,
) -> str:
    """The page of a run: one HTML file, for `folder.page_file`, that asks no network for anything.

    Its size is bounded, however many pictures there are: it says how many it shows and lists.

    Args:
        pictures: gives all of them anew each time, in the same order; it is called twice, and only boxes are kept.
        facts: how it was made, as the page shows it.
        folder: what the page's links lead to; pictures with their boxes drawn are linked where they are there by now.
        colours: class -> colour, as its boxes were drawn in; None: the page chooses.
        classifies: the boxes are whole pictures, one for each: the page speaks of classes.
    """
    say, found = Say(lang, WORDS_OF_CLASSIFIER if classifies else WORDS), survey(pictures(), views)
    classes = found.classes()
    told = tell(pictures(), found.listed, classes, views, folder)
    shades = colours_of(classes) | dict(colours or {})
    body = join(_body(title, found, told, skipped, facts, folder, say))
    return page(
        title, body, _data(found, told, class_rows(classes, shades), say), _SCRIPTS, lang, plots=False, styles=_STYLES
    )


def _body(
    title: str,
    found: Survey,
    told: Told,
    skipped: Sequence[Skip],
    facts: Mapping[str, str],
    folder: OutFolder,
    say: Say,
) -> Iterator[Markup]:
    pictures = [sections.pictures_section(found, told, folder, controls(found, say), say)]
    if len(told.large) < len(told.rows):
        pictures.append(sections.others_section(say))
    below = {"counts": sections.counts_section(found, say)}
    if skipped:
        below["skipped"] = sections.skipped_section(skipped, folder, say)
    if facts:
        below["making"] = sections.making_section(facts, say)
    names = ["pictures", *(["others"] if len(pictures) > 1 else []), *below]
    yield sections.head(title, found, skipped, say)
    links = (element("a", say(name), href=f"#{name}") for name in names)
    yield element("nav", join(links), class_="contents", aria_label=say("contents"))
    yield element("div", join(pictures), class_="with-slider")
    yield from below.values()


def _data(found: Survey, told: Told, classes: Sequence[Sequence[str]], say: Say) -> dict[str, Any]:
    """What detections.js reads."""
    thresholds = found.tally.views.thresholds
    return {
        "say": say.some(FOR_SCRIPTS),
        "thresholds": list(thresholds),
        "folders": [f"pictures/{named(threshold)}" for threshold in thresholds],
        "classes": classes,
        "pictures": told.rows,
        "large": told.large,
    }
