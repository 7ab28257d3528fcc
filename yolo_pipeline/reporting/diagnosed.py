"""A diagnosis and the advice that follows from it, in short: Markdown for report.md, lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import yaml

from yolo_pipeline.diagnosis import Advice, ConfusedPair, CurveReading, Diagnosis, ErrorName, Interval, SuspectKind
from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import Scores, Split
from yolo_pipeline.reporting.tables import markdown, markdown_code, markdown_table, metric, percent, short

NOTHING_JUDGED = "nothing was judged on val, so that there is little to advise on"
NOTHING_FOUND = "Nothing was found that another setting or other labels would mend."
_PAIRS, _SUSPECTS, _CLASSES, _IMAGES = 10, 10, 30, 8
_ERRORS: dict[ErrorName, str] = {
    "Cls": "right place, wrong class",
    "Loc": "right class, box too far off",
    "Both": "wrong class, box too far off",
    "Dupe": "found twice",
    "Bkg": "nothing is there",
    "Miss": "not found",
}
_KINDS: dict[SuspectKind, str] = {
    "missing": "not labelled",
    "wrong class": "another class",
    "loose": "loose box",
    "group": "one box around several",
}
_LABELS = {
    "en": (NOTHING_FOUND, "cause", "next", "pictures", "settings", "source", "none: this is work by hand"),
    "ko": (
        "다른 설정이나 라벨로 고칠 것을 찾지 못했습니다.",
        "원인",
        "다음",
        "이미지",
        "설정",
        "출처",
        "손으로 할 일",
    ),
}
_SHOWN_CONFIDENCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def interval_text(intervals: Mapping[Split, Mapping[str, Interval]], split: Split, name: str) -> str:
    """` (0.62 to 0.79)`, or nothing where there is no interval."""
    interval = intervals.get(split, {}).get(name)
    return f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""


def changes_yaml(changes: Sequence[tuple[str, Any]]) -> str:
    """Changes as a person would write them in an attempt, on one line: `train: {imgsz: 640}`."""
    nested: dict[str, Any] = {}
    for key, value in changes:
        *above, last = key.split(".")
        place = nested
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    parts = (
        f"{key}: {yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).strip()}"
        for key, value in nested.items()
    )
    return "; ".join(part.removesuffix("\n...").strip() for part in parts)


def advice_lines(advice: Sequence[Advice], lang: Literal["en", "ko"] = "en") -> Iterator[str]:
    """For the terminal: one thing after the other, its measurement first."""
    nothing, cause, remedy, pictures, settings, source, by_hand = _LABELS[lang]
    if not advice:
        yield nothing
    for number, one in enumerate(advice, start=1):
        yield f"{number}. {one.rule}: {one.measured}"
        yield f"   {cause}: {one.cause}"
        yield f"   {remedy}: {one.remedy}"
        if one.images:
            more = " …" if len(one.images) > _IMAGES else ""
            yield f"   {pictures}: {', '.join(one_line(image) for image in one.images[:_IMAGES])}{more}"
        yield f"   {settings}: {changes_yaml(one.changes) or by_hand}"
        yield f"   {source}: {one.source}"


def advice_section(advice: Sequence[Advice], number: int) -> Iterator[str]:
    yield "## What to try next\n"
    if not advice:
        yield NOTHING_FOUND
        return
    for one in advice:
        yield f"- **{one.rule}**: {markdown(one.measured)}"
        yield f"  - cause: {markdown(one.cause)}"
        yield f"  - next: {markdown(one.remedy)}"
        if one.changes:
            yield f"  - settings: {markdown_code(changes_yaml(one.changes))}"
        yield f"  - source: {one.source}"
    yield f"\n`python -m yolo_pipeline suggest --attempt {number}` writes the settings into a new attempt."


def diagnosis_section(diagnosis: Diagnosis, scores: Scores | None = None) -> Iterator[str]:
    """What went wrong on a split; its scores tell the exact figures at the best confidence."""
    yield f"## What went wrong on {diagnosis.split}\n"
    yield f"Counted among detections of confidence {diagnosis.conf:.3f} or more; dAP is over all of them.\n"
    rows = [[e.name, _ERRORS[e.name], e.count, metric(e.dAP)] for e in diagnosis.errors]
    yield markdown_table(["error", "", "count", "AP50 lost"], rows)
    yield ""
    yield from pair_lines(diagnosis.pairs)
    yield ""
    missed = [m for m in (*diagnosis.by_size, *diagnosis.by_class[:_CLASSES]) if m.truths]
    yield markdown_table(["objects", "truths", "missed", "share"], [[m.name, *_missed(m)] for m in missed])
    alarms = diagnosis.alarms
    yield ""
    on_backgrounds = (
        f"images without objects: {alarms.backgrounds}, with a false alarm: {len(alarms.fired)} "
        f"(boxes on these: {alarms.fired_boxes})."
        if alarms.backgrounds
        else "the split has no images without objects."
    )
    yield f"False alarms where nothing is: {alarms.boxes}; {on_backgrounds}"
    yield ""
    yield from _confidences(diagnosis, scores)
    yield ""
    yield f"Expected calibration error: {short(diagnosis.calibration.error)} (0: a score is the chance to be right)."
    yield from _suspects(diagnosis)


def pair_lines(pairs: Sequence[ConfusedPair]) -> Iterator[str]:
    """The most frequent confusions of one class with another."""
    for pair in pairs[:_PAIRS]:
        truth, said = markdown(pair.truth), markdown(pair.said)
        yield f"- {truth} taken for {said}, {_times(pair.count)} ({percent(pair.share)} of {truth})"


def curves_line(reading: CurveReading, kept: int | None = None) -> str:
    """What the curves say, in a sentence.

    Args:
        kept: the epoch whose weights were kept, where that need not be the one that the curves call the best.
    """
    if reading.unit == "step":
        return _steps_line(reading)
    ended = "ended early by patience" if reading.stopped_early else f"of {reading.asked} asked"
    best = f"the best {reading.best}" if kept is None else f"the weights are those of epoch {kept}"
    went = "rose" if reading.still_falling < 0 else "fell"
    return (
        f"{reading.epochs} epochs ({ended}), {best}; over the last fifth the loss on val {went} by "
        f"{percent(abs(reading.still_falling))} of its highest value, and it ends {percent(reading.val_rise)} above "
        f"its lowest, around epoch {reading.lowest}."
    )


def _steps_line(reading: CurveReading) -> str:
    apart = f" From step {reading.apart:,} on the loss on train came apart." if reading.apart else ""
    return (
        f"{reading.epochs:,} steps (of {reading.asked:,} asked), the best {reading.best:,}; over the last evaluations "
        f"the loss on val fell by {percent(reading.still_falling)} of its highest value, and it ends "
        f"{percent(reading.val_rise)} above its lowest, that of step {reading.lowest:,}.{apart}"
    )


def _missed(one: Any) -> tuple[int, int, str]:
    return one.truths, one.missed, percent(one.share)


def _confidences(diagnosis: Diagnosis, scores: Scores | None) -> Iterator[str]:
    rows = {conf: [f"{conf:g}", *_figures(*diagnosis.curve.at(conf))] for conf in _SHOWN_CONFIDENCES}
    if scores is not None and scores.conf is not None and scores.precision and scores.images:
        boxes = scores.correct / scores.precision / scores.images
        figures = _figures(scores.precision, scores.recall, scores.f1, boxes)
        rows[scores.conf] = [f"{scores.conf:.3f} (best F1)", *figures]  # between two points of the curve
    yield markdown_table(["confidence", "precision", "recall", "F1", "boxes an image"], [rows[c] for c in sorted(rows)])


def _figures(precision: float | None, recall: float | None, f1: float | None, boxes: float) -> list[str]:
    return [*map(_figure, (precision, recall, f1)), f"{boxes:.1f}"]


def _figure(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"


def _suspects(diagnosis: Diagnosis) -> Iterator[str]:
    if not diagnosis.suspects:
        return
    yield f"\nLabels that the model disagrees with, {len(diagnosis.suspects)} in all; pictures and XML in `suspects`:\n"
    for suspect in diagnosis.suspects[:_SUSPECTS]:
        label = f", labelled {suspect.truth.label}" if suspect.truth else ""
        says = ", ".join(f"{found.label} ({found.score:.2f})" for found in suspect.proposed)
        yield f"- {markdown(suspect.image)}: {_KINDS[suspect.kind]}{markdown(label)}; the model says {markdown(says)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
