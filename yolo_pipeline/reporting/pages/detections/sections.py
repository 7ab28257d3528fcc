"""The sections of the page, which detections.js fills with pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import Skip
from yolo_pipeline.reporting.pages.detections.survey import Survey
from yolo_pipeline.reporting.pages.detections.telling import Told
from yolo_pipeline.reporting.pages.detections.words import counted
from yolo_pipeline.reporting.pages.markup import Markup, element, join, section, table
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.views import named

_SKIPPED = 1000  # files that are named


def head(title: str, found: Survey, skipped: Sequence[Skip], say: Say) -> Markup:
    views = found.tally.views
    said = [element("p", summary(found, len(skipped), say), class_="summary number")]
    if views.classes is not None:
        names = ", ".join(one_line(name) for name in sorted(views.classes))
        said.append(element("p", say("only_classes", names=names), class_="muted"))
    if views.most is not None:
        said.append(element("p", counted(say, "at_most", views.most), class_="muted"))
    return element("header", join([element("h1", title), *said]))


def summary(found: Survey, skipped: int, say: Say) -> str:
    """`500 pictures, 3 skipped; at 0.3: 1,204 boxes on 431 pictures; 12 boxes vanish at 0.5`."""
    tally = found.tally
    lowest, *higher = tally.views.thresholds
    boxes, pictures = counted(say, "box", tally.total(lowest)), counted(say, "picture", tally.images_with_boxes[lowest])
    parts = [
        f"{counted(say, 'picture', tally.images)}, {say('skipped_n', n=f'{skipped:,}')}",
        say("found_at", conf=named(lowest), boxes=boxes, pictures=pictures),
    ]
    if tally.total(lowest) and higher:
        parts.append(", ".join(_vanishing(tally.vanished(threshold), threshold, say) for threshold in higher))
    return "; ".join(parts)


def _vanishing(n: int, threshold: float, say: Say) -> str:
    return say(f"vanish_{n if n < 2 else 'n'}", n=f"{n:,}", conf=named(threshold))


def pictures_section(found: Survey, told: Told, folder: OutFolder, controls: Markup, say: Say) -> Markup:
    if not told.rows:
        return section("pictures", say("pictures"), element("p", say("no_pictures")))
    lead = " ".join([say("lead"), *_how_many(found, told, folder, say)])
    matches = element("p", id="matches", role="status", class_="muted small")
    gallery = element("div", element("div", class_="pictures"), _more(), class_="gallery", id="gallery")
    return section("pictures", say("pictures"), element("p", lead, class_="muted"), controls, matches, gallery)


def _how_many(found: Survey, told: Told, folder: OutFolder, say: Say) -> Iterator[str]:
    thresholds, images = found.tally.views.thresholds, found.tally.images
    everything, shown = counted(say, "picture", images), f"{len(told.large):,}"
    if len(told.large) == images:
        yield say("embedded_all", all=everything)
        return
    how = "embedded_by_vanishing" if len(thresholds) > 1 else "embedded_by_boxes"
    yield say(how, shown=shown, all=everything, low=named(thresholds[0]), high=named(thresholds[-1]))
    if others := len(told.rows) - len(told.large):
        yield say("others_below", others=f"{others:,}")
    if unlisted := images - len(told.rows):
        yield say("unlisted", n=f"{unlisted:,}", file=folder.detections_file.name)


def others_section(say: Say) -> Markup:
    head = (say("name"), say("boxes"), say("vanished_boxes"), say("surest"))
    lead = element("p", say("others_lead"), class_="muted")
    return section("others", say("others"), lead, table(head, (), label=say("others")), _more())


def _more() -> Markup:
    return element("button", type="button", class_="button more", hidden=True)


def counts_section(found: Survey, say: Say) -> Markup:
    tally = found.tally
    if not tally.total(tally.views.lowest):
        return section("counts", say("counts"), element("p", say("no_boxes")))
    thresholds = tally.views.thresholds
    rows = [
        [one_line(name), *(_cell(tally.boxes[at][name], found.holding.get((at, name), 0), say) for at in thresholds)]
        for name in found.classes()
    ]
    total = [say("total"), *(_cell(tally.total(at), tally.images_with_boxes[at], say) for at in thresholds)]
    head = [say("class"), *(say("at", conf=named(at)) for at in thresholds)]
    return section(
        "counts", say("counts"), element("p", say("counts_lead"), class_="muted"), table(head, [*rows, total])
    )


def _cell(boxes: int, pictures: int, say: Say) -> Markup:
    behind = say("of_pictures", n=f"{pictures:,}")
    return Markup(f"{boxes:,} {element('span', behind, class_='muted') if behind else ''}")


def skipped_section(skipped: Sequence[Skip], folder: OutFolder, say: Say) -> Markup:
    rows = [[one_line(skip.file), one_line(skip.why)] for skip in skipped[:_SKIPPED]]
    values = {"shown": f"{len(rows):,}", "all": f"{len(skipped):,}", "file": folder.skipped_file.name}
    some = element("p", say("skipped_some", **values), class_="muted") if len(rows) < len(skipped) else None
    lead = element("p", say("skipped_lead"), class_="muted")
    return section("skipped", say("skipped"), join([lead, some]), table((say("file"), say("reason")), rows, words=(1,)))


def making_section(facts: Mapping[str, str], say: Say) -> Markup:
    rows = [[one_line(key), one_line(value)] for key, value in facts.items()]
    return section("making", say("making"), table((say("setting"), say("value")), rows, words=(1,)))
