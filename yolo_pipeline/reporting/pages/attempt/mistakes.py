"""What a model got wrong on one split, as sections of a page; attempt.js fills cells and suspects with crops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from yolo_pipeline.diagnosis import BACKGROUND, ConfusionMatrix, Diagnosis, Missed, Suspect
from yolo_pipeline.reporting.pages.attempt.boxes import SplitBoxes
from yolo_pipeline.reporting.pages.attempt.cells import Behind
from yolo_pipeline.reporting.pages.attempt.explanations import ERRORS
from yolo_pipeline.reporting.pages.attempt.summary import DASH, figure
from yolo_pipeline.reporting.pages.attempt.words import SIZES
from yolo_pipeline.reporting.pages.markup import Markup, details, element, join, listing, section, table
from yolo_pipeline.reporting.pages.matrix import confused, confusion
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.tables import percent

_LISTED = 100


def confidence_section(diagnosis: Diagnosis, boxes: SplitBoxes | None, say: Say) -> Markup:
    best = diagnosis.curve.best
    lead = None
    if best is not None and boxes and boxes.counts(best).found:
        lead = element("p", " ".join(_at_best_and_half(best, boxes, say)))
    plots = element("div", _place("pr"), _place("confidence"), class_="plots")
    calibrated = [
        element("h3", say("calibration")),
        element("p", say("calibration_lead", error=figure(diagnosis.calibration.error))),
        element("div", _place("calibration"), class_="narrow"),
    ]
    return section("confidence", say("confidence"), lead, plots, *(calibrated if diagnosis.calibration.bins else ()))


def _at_best_and_half(best: float, boxes: SplitBoxes, say: Say) -> Iterator[str]:
    images = max(len(boxes.pair.files), 1)
    for key, conf in (("best_lead", best), ("at_half", 0.5)):
        counts = boxes.counts(conf)
        values = {"precision": figure(counts.precision), "recall": figure(counts.recall)}
        yield say(key, conf=figure(conf), boxes=f"{counts.boxes / images:.1f}", **values)


def _place(name: str) -> Markup:
    return element("div", id=f"plot-{name}")


def errors_section(diagnosis: Diagnosis, say: Say) -> Markup:
    most = max((error.dAP for error in diagnosis.errors), default=0.0) or 1.0
    rows = [
        [
            element("code", error.name),
            join([_meter(error.dAP / most), element("span", figure(error.dAP))]),
            f"{error.count:,}",
            say.of(ERRORS[error.name]),
        ]
        for error in diagnosis.errors
    ]
    shown = table((say("kind"), "dAP", say("count"), say("meaning")), rows, words=(3,), label=say("errors"))
    fit = diagnosis.median_iou
    fitted = element("p", say("median_iou", iou=figure(fit))) if fit is not None else None
    lead = element("p", say("errors_lead", conf=figure(diagnosis.conf)), class_="muted")
    return section("errors", say("errors"), lead, shown, fitted)


def _meter(share: float) -> Markup:
    width = min(max(share, 0.0), 1.0)
    return element("span", element("i", style=f"width:{width:.0%}"), class_="meter", aria_hidden="true")


def matrix_section(diagnosis: Diagnosis, say: Say) -> Markup:
    pairs = confused(diagnosis.pairs, diagnosis.matrix.names, diagnosis.split, say)
    heading = element("h3", say("pairs"))
    return section("matrix", say("matrix"), matrix(diagnosis, say), heading, element("div", pairs, class_="pairs"))


def matrix(diagnosis: Diagnosis, say: Say) -> Markup:
    """The matrix and the place where the crops behind a cell appear."""
    found = diagnosis.matrix
    lead = element("p", say("matrix_lead", conf=figure(diagnosis.conf)), class_="muted")
    names = [*found.names, say("background")]
    shown = confusion(
        names, found.counts, diagnosis.split, lambda row, column: cell_words(found, row, column, say), say,
        background=True,
    )  # fmt: skip
    return join([lead, shown])


def cell_words(matrix: ConfusionMatrix, row: int, column: int, say: Say) -> str:
    last, names = len(matrix.names), [*matrix.names, BACKGROUND]
    count = f"{int(matrix.counts[row, column]):,}"
    key = "cell_hit" if row == column else "cell_missed" if column == last else "cell_false" if row == last else "cell"
    return say(key, truth=names[row], said=names[column], n=count)


def missed_section(diagnosis: Diagnosis, say: Say) -> Markup:
    sized = [replace(one, name=say.of(SIZES.get(one.name, (one.name, one.name)))) for one in diagnosis.by_size]
    by_size = join([element("h3", say("by_size")), _missed(sized, say("size"), say)])
    by_class = join([element("h3", say("classes")), _missed(diagnosis.by_class, say("class"), say)])
    lead = element("p", say("missed_lead", conf=figure(diagnosis.conf)), class_="muted")
    beside = element("div", element("div", by_size), element("div", by_class), class_="beside")
    return section("missed", say("missed"), lead, beside)


def _missed(rows: Sequence[Missed], name: str, say: Say) -> Markup:
    cells = [
        [one.name, f"{one.truths:,}", f"{one.missed:,}", join([_meter(one.share), element("span", percent(one.share))])]
        if one.truths
        else [one.name, "0", DASH, DASH]
        for one in rows
    ]
    return table((name, say("truths"), say("missed_n"), say("share")), cells, label=name)


def alarms_section(diagnosis: Diagnosis, say: Say) -> Markup:
    alarms = diagnosis.alarms
    values = {"boxes": f"{alarms.boxes:,}", "backgrounds": f"{alarms.backgrounds:,}", "fired": f"{len(alarms.fired):,}"}
    key = "alarms_lead" if alarms.backgrounds else "no_backgrounds"
    lead = element("p", say(key, **values, fired_boxes=f"{alarms.fired_boxes:,}"))
    files = element("div", listing(alarms.fired[:_LISTED]), class_="files")
    fired = details(f"{say('fired')} ({len(alarms.fired):,})", files) if alarms.fired else None
    return section("alarms", say("alarms"), lead, fired)


def suspects_section(
    all_suspects: int, shown: Sequence[tuple[Suspect, Behind]], folder: str | None, say: Say
) -> Markup:
    """The list; attempt.js puts a crop into each entry.

    Args:
        folder: where their annotations lie, if they were written.
    """
    if not shown:
        return section("suspects", say("suspects"), element("p", say("suspects_none")))
    lead = element("p", say("suspects_lead"), class_="muted")
    where = element("p", say("suspects_where", folder=folder)) if folder else None
    some = element("p", say("suspects_shown", shown=len(shown), all=f"{all_suspects:,}"), class_="muted small")
    about = [_suspect(suspect, behind, say) for suspect, behind in shown]
    items = (element("li", piece, data_suspect=at) for at, piece in enumerate(about))
    ranked = element("ol", join(items), class_="crops")
    return section("suspects", say("suspects"), lead, where, some if len(shown) < all_suspects else None, ranked)


def _suspect(suspect: Suspect, behind: Behind, say: Say) -> Markup:
    there = ", ".join(truth.label for truth in behind.there)
    said = ", ".join(f"{d.label} {d.score:.2f}" for d in behind.said)
    lines = [element("strong", say(suspect.kind))]
    lines += [element("span", f"{say('there')}: {there}")] if there else []
    lines += [element("span", f"{say('said')}: {said}")] if said else []
    lines.append(element("span", suspect.image, class_="muted file"))
    return element("div", join(lines), class_="about")


def legend(say: Say) -> Markup:
    kinds: Mapping[str, str] = {"truth": "key_truth", "missed": "key_missed", "hit": "key_hit", "false": "key_false"}
    keys = (element("span", element("i", class_=f"swatch {kind}"), say(key)) for kind, key in kinds.items())
    return element("p", join(keys), class_="legend small")
