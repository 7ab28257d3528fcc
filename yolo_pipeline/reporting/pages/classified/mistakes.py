"""What a classifier got wrong, as sections of its page; classified.js fills in pictures and counts."""

from __future__ import annotations

from collections.abc import Sequence

from yolo_pipeline.classification import Answer, PictureDiagnosis
from yolo_pipeline.nouns import Split
from yolo_pipeline.reporting.classified.answers import answered
from yolo_pipeline.reporting.pages.attempt.summary import figure
from yolo_pipeline.reporting.pages.classified.shown import ShownAnswers, SplitAnswers
from yolo_pipeline.reporting.pages.markup import Markup, element, join, section
from yolo_pipeline.reporting.pages.matrix import confused, confusion
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.tables import percent

_STEP = 0.005  # of the slider


def matrix_section(diagnosis: PictureDiagnosis, say: Say) -> Markup:
    pairs = confused(diagnosis.pairs, diagnosis.matrix.names, diagnosis.split, say)
    heading = element("h3", say("pairs"))
    return section("matrix", say("matrix"), matrix(diagnosis, say), heading, element("div", pairs, class_="pairs"))


def matrix(diagnosis: PictureDiagnosis, say: Say) -> Markup:
    names, counts = diagnosis.matrix.names, diagnosis.matrix.counts

    def says(row: int, column: int) -> str:
        key = "cell_hit" if row == column else "cell"
        return say(key, truth=names[row], said=names[column], n=f"{int(counts[row, column]):,}")

    lead = element("p", say("matrix_lead"), class_="muted")
    return join([lead, confusion(names, counts, diagnosis.split, says, say)])


def least_section(shown: ShownAnswers, say: Say) -> Markup:
    """How sure an answer must be, and whether its probability is to be trusted."""
    assert shown.main is not None
    calibration = shown.splits[shown.main].diagnosis.calibration
    lead = element("p", say("least_lead"), class_="muted")
    places = [element("div", id="plot-least")]
    if calibration.bins:
        said = element("p", say("calibration_lead", error=figure(calibration.error)), class_="small")
        heading = element("h3", say("calibration"), class_="beside-plot")
        places.append(element("div", heading, said, element("div", id="plot-calibration")))
    return section("least", say("least"), lead, element("div", join(places), class_="plots"))


def slider(shown: ShownAnswers, first: float, say: Say) -> Markup:
    value = element("output", f"{first:.3f}", id="least-value", for_="least-range", class_="number")
    moved = element("input", id="least-range", type="range", min=0, max=1, step=_STEP, value=f"{first:.3f}")
    reset = element(
        "button", say("reset", least=f"{first:.3f}"), id="least-reset", type="button", class_="button small"
    )
    top = element("div", element("label", say("slider"), for_="least-range"), value, moved, reset, class_="slide")
    counts = (_counts(split, found.diagnosis.answers, first, say) for split, found in shown.splits.items())
    return element("div", top, element("div", join(counts), class_="counts"), class_="slider")


def _counts(split: Split, answers: Sequence[Answer], least: float, say: Say) -> Markup:
    """As the script says them once the slider moves."""
    count, right = answered(answers, least)
    of_all = percent(count / len(answers)) if answers else "–"
    of_these = percent(right / count) if count else "–"
    words = {
        "given": (count, "answered", say("n_answered", all=f"{len(answers):,}", share=of_all)),
        "hit": (right, "right", say("n_right", share=of_these)),
        "false": (count - right, "wrong", say("n_wrong")),
    }
    said = (
        element("span", element("b", f"{n:,}", data_count=key), " ", element("span", text, data_words=key), class_=kind)
        for kind, (n, key, text) in words.items()
    )
    return element("p", element("span", split, class_="split"), *said, data_counts=split, class_="number")


def wrong_section(split: Split, say: Say) -> Markup:
    lead = element("p", say("wrong_lead"), class_="muted")
    return section("wrong", say("wrong"), lead, wrong_gallery(split))


def wrong_gallery(split: Split) -> Markup:
    return element("div", class_="gallery", data_wrong=split)


def grid_section(drawn: Sequence[Answer], say: Say) -> Markup:
    right = sum(answer.is_right for answer in drawn)
    lead = element("p", say("grid_lead", right=right, all=len(drawn)))
    return section("grid", say("grid"), lead, element("div", id="drawn", class_="drawn"))


def suspects_section(shown: Sequence[Answer], found: SplitAnswers, folder: str | None, say: Say) -> Markup:
    """The list; classified.js puts a picture into each entry.

    Args:
        folder: where copies of the pictures lie, if they were written.
    """
    if not shown:
        return section("suspects", say("suspects"), element("p", say("suspects_none")))
    lead = element("p", say("suspects_lead"), class_="muted")
    where = element("p", say("suspects_where", folder=folder)) if folder else None
    count = len(found.diagnosis.suspects)
    some = element("p", say("suspects_shown", shown=len(shown), all=f"{count:,}"), class_="muted small")
    items = (element("li", data_suspect=at) for at in range(len(shown)))
    ranked = element("ol", join(items), class_="crops")
    return section("suspects", say("suspects"), lead, where, some if len(shown) < count else None, ranked)
