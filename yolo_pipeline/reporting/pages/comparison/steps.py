"""From one attempt to the next: the settings that changed, what became of the data, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import TypeVar

from yolo_pipeline.comparison import BoxChange, DataDifference, SavedImage
from yolo_pipeline.nouns import SPLITS
from yolo_pipeline.reporting.pages.comparison.fields import (
    of_both_tracks,
    shown_interval,
    shown_metric,
    told_changes,
)
from yolo_pipeline.reporting.pages.comparison.pictures import Album, first_shown
from yolo_pipeline.reporting.pages.comparison.words import Say
from yolo_pipeline.reporting.pages.markup import Markup, Part, element, html, join, listing, section, table
from yolo_pipeline.reporting.tables import plain
from yolo_pipeline.results import Comparison, Judged, Results, flat_settings

_PICTURE_BYTES = 4_000_000  # of all steps together
_THUMBS = 8  # of each kind of change
_TRIED = 40  # photos of a kind that are looked for, where many are gone
_NAMES = 12  # of classes, and of pairs of them
_MOST_STEPS = 20

_Change = TypeVar("_Change")

_STYLES = {"better": "good", "worse": "bad", "unclear": "muted"}


def steps_section(comparison: Comparison, say: Say) -> Markup | None:
    """All steps; None where there is nothing to say, as for a long list of attempts from elsewhere."""
    pairs = _pairs(comparison)
    if not pairs:
        return None
    by_number = {attempt.number: attempt for attempt in comparison.attempts}
    share = _PICTURE_BYTES // len(pairs)
    noted, judged = bool(comparison.data), bool(comparison.judged)
    parts: list[Part] = [element("p", say("paired text") if judged else say("not judged"))]
    parts.append(None if noted else element("p", say("data unknown")))
    for a, b in pairs:
        step: list[Part] = [element("h3", say("step", a=a, b=b)), *_settings(by_number[a], by_number[b], say)]
        if judged:
            step.append(_judged([entry for entry in comparison.judged if (entry.a, entry.b) == (a, b)], say))
        if noted:
            roots = [by_number[number].run.folder.parents[1] for number in (a, b)]
            step += _data(comparison.data.get((a, b)), roots[0], roots[1], Album(share), say)
        parts.append(element("article", join(step)))
    return section("steps", say("steps"), *parts)


def _pairs(comparison: Comparison) -> list[tuple[int, int]]:
    """Neighbours, unless there are many of which nothing more is known; and what else was compared."""
    known = {attempt.number for attempt in comparison.attempts}
    compared = dict.fromkeys([*((judged.a, judged.b) for judged in comparison.judged), *comparison.data])
    neighbours = list(pairwise(attempt.number for attempt in comparison.attempts))
    if len(neighbours) > _MOST_STEPS:
        neighbours = [pair for pair in neighbours if pair in compared]
    return [pair for pair in dict.fromkeys([*neighbours, *compared]) if known.issuperset(pair)]


def _settings(a: Results, b: Results, say: Say) -> Iterator[Part]:
    """What changed, in the makers' words if there are any, then setting by setting."""
    if told := told_changes(b):
        yield element("p", "; ".join(told))
    before, after = flat_settings(a.record), flat_settings(b.record)
    keys = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    changed, left_out = of_both_tracks([{"key": k, "before": before.get(k), "after": after.get(k)} for k in keys])
    if changed:
        rows = [[element("code", c["key"]), plain(c["before"]), plain(c["after"])] for c in changed]
        yield table([say("setting"), say("before"), say("after")], rows, words=(1, 2), label=say("settings"))
        yield element("p", say("of one track", count=left_out), class_="muted small") if left_out else None
    else:
        yield element("p", say("no settings"), class_="muted" if told else None)


def _judged(judged: Sequence[Judged], say: Say) -> Markup:
    if not judged:
        return element("p", say("not judged"), class_="muted")
    words = ("metric", "difference", "interval", "verdict", "images")
    rows = [_judged_row(entry, say) for entry in judged]
    shared = any(entry.shared for entry in judged)
    note = element("p", say("shared text"), class_="muted small") if shared else None
    return join([table([say(word) for word in words], rows, label=say("difference")), note])


def _judged_row(judged: Judged, say: Say) -> list[Part]:
    difference = judged.difference
    verdict = "unclear" if not difference.is_clear else "better" if difference.delta > 0 else "worse"
    own = say(f"own {judged.objects}")
    return [
        f"{judged.split} {shown_metric(judged.metric)}",
        f"{difference.delta:+.3f}",
        shown_interval(difference.interval, signed=True),
        join([element("b", say(verdict), class_=_STYLES[verdict]), f" {own}" if judged.own_boxes else None]),
        say("shared", count=f"{judged.images:,}") if judged.shared else f"{judged.images:,}",
    ]


def _data(found: DataDifference | None, before: Path, after: Path, album: Album, say: Say) -> Iterator[Part]:
    """The difference in words, each kind of change with its first pictures. `before`, `after`: project folders."""
    if found is None or (found.is_empty and found.backgrounds[0] == found.backgrounds[1]):
        yield element("p", say("data unknown" if found is None else "data same"), class_="muted")
        return
    yield from _class_lines(found, say)
    photos: tuple[tuple[str, Sequence[SavedImage], Path], ...] = (
        ("added", found.added, after),
        ("removed", found.removed, before),
        ("moved", [image for image, _ in found.moved], after),
    )
    for word, images, root in photos:
        note = _counted(f"{old} → {i.split}" for i, old in found.moved) if word == "moved" else _by_split(images)
        pictures = first_shown((album.photo(image, root) for image in _spread(images)), _THUMBS)
        yield from _kind(word, len(images), note, pictures, say)
    boxes = ("redrawn", "relabelled", "boxes_added", "boxes_removed")
    for word in boxes:
        changes: Sequence[BoxChange] = getattr(found, word)
        note = _how_far(changes, say) if word == "redrawn" else _labels(changes)
        tried = islice(changes, _TRIED) if word == "redrawn" else _spread(changes)  # the most different stand first
        pictures = first_shown((album.change(change, after) for change in tried), _THUMBS)
        is_whole = word == "relabelled" and all(change.is_of_picture for change in changes)
        yield from _kind("pictures relabelled" if is_whole else word, len(changes), note, pictures, say)
    if album.gone:
        yield element("p", say("gone", count=album.gone), class_="muted small")


def _class_lines(found: DataDifference, say: Say) -> Iterator[Markup]:
    named = {
        "classes_renamed": [f"{before} → {after}" for before, after in found.classes_renamed],
        "classes_added": found.classes_added,
        "classes_removed": found.classes_removed,
    }
    lines = {word: f"{len(names)} ({_few(names)})" for word, names in named.items() if names}
    if found.backgrounds[0] != found.backgrounds[1]:
        lines["backgrounds"] = f"{found.backgrounds[0]:,} → {found.backgrounds[1]:,}"
    if lines:
        yield listing(Markup(f"{element('b', f'{say(word)}:')} {html(text)}") for word, text in lines.items())


def _kind(word: str, count: int, note: str, pictures: Sequence[Markup], say: Say) -> Iterator[Markup]:
    """One kind of change: how many, what more there is to say, the first pictures, and how many more there are."""
    if not count:
        return
    key = say("key") if word in ("redrawn", "relabelled") and pictures else ""
    more = " · ".join(filter(None, (note, key)))
    yield Markup(f"<p>{element('b', f'{say(word)}: {count:,}')} {html(f'({more})' if more else '')}</p>")
    if pictures:
        yield element("div", join(pictures), class_="thumbs")
    if pictures and count > len(pictures):
        yield element("p", say("more", count=f"{count - len(pictures):,}"), class_="muted small")


def _spread(changes: Sequence[_Change]) -> Iterator[_Change]:
    """Some of them, from all over the list first, so that not all are of one photo."""
    step = max(1, len(changes) // _THUMBS)
    spread = (change for start in range(step) for change in changes[start::step])
    return islice(spread, _TRIED)


def _by_split(images: Sequence[SavedImage]) -> str:
    counts = Counter(image.split for image in images)
    return ", ".join(f"{split} {counts[split]:,}" for split in SPLITS if counts[split])


def _how_far(changes: Sequence[BoxChange], say: Say) -> str:
    return say("median iou", iou=f"{median(change.iou for change in changes):.2f}") if changes else ""


def _labels(changes: Sequence[BoxChange]) -> str:
    return _counted(" → ".join(t.label for t in (change.before, change.after) if t) for change in changes)


def _counted(names: Iterator[str]) -> str:
    return _few([f"{name} {count:,}" for name, count in Counter(names).most_common()])


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + " …" * (len(names) > _NAMES)
