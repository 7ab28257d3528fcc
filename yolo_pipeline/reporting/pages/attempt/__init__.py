"""report.html: one attempt on one page, made of what its run saved and of what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from yolo_pipeline.advising.korean import in_korean
from yolo_pipeline.diagnosis import Advice, Diagnosis, Suspect
from yolo_pipeline.nouns import JUDGED, Split
from yolo_pipeline.reporting.pages.attempt import making, mistakes, summary
from yolo_pipeline.reporting.pages.attempt.boxes import Counts, SplitBoxes, split_boxes
from yolo_pipeline.reporting.pages.attempt.cells import Behind, Cell, cells_of, frames_of, suspects_of
from yolo_pipeline.reporting.pages.attempt.drawing import plots_json
from yolo_pipeline.reporting.pages.attempt.pictures import Pictures, take_pictures
from yolo_pipeline.reporting.pages.attempt.words import FOR_SCRIPTS, WORDS
from yolo_pipeline.reporting.pages.markup import Markup, details, element, join, section
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.pages.shell import Language, page
from yolo_pipeline.results import Results

_SCRIPTS = ("plots.js", "elements.js", "matrix.js", "attempt/attempt.js")
_STYLES = ("gallery.css", "attempt/attempt.css")
_PICTURES = 400  # of a split that are looked at, the worst first
_STEP = 0.005  # of the confidence slider


def attempt_page(results: Results, lang: Language = "en") -> str:
    """The page of one finished attempt: one HTML file that asks no network for anything.

    Raises:
        InputError: what the run saved is damaged.
    """
    say, shown = Say(lang, WORDS), _gather(results)
    body = join(_body(results, shown, say))
    title, data = summary.title_of(results, say), _data(results, shown, say)
    return page(title, body, data, _SCRIPTS, lang, styles=_STYLES)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What several parts of the page speak of.

    Attributes:
        main: the split that choices are made on; test only where nothing else was judged.
    """

    main: Split | None
    boxes: Mapping[Split, SplitBoxes]
    cells: Mapping[Split, Mapping[Cell, Sequence[Behind]]]
    suspects: Sequence[tuple[Suspect, Behind]]
    pictures: Pictures

    @property
    def test(self) -> Split | None:
        return "test" if self.main != "test" else None


def _gather(results: Results) -> _Shown:
    diagnoses = results.diagnoses
    main: Split | None = next((split for split in JUDGED if split in diagnoses), None)
    loaded = {split: split_boxes(results.run, diagnosis) for split, diagnosis in diagnoses.items()}
    boxes = {split: found for split in JUDGED if (found := loaded.get(split)) is not None}
    sizes = {split: found.size_of() for split, found in boxes.items()}
    cells = {split: cells_of(diagnoses[split], sizes.get(split, {})) for split in JUDGED if split in diagnoses}
    suspects = suspects_of(diagnoses[main], sizes.get(main, {})) if main else []
    frames = frames_of(list(cells.values()), [behind for _, behind in suspects])
    worst = [[found.pair.files[at] for at in found.worst()[:_PICTURES]] for found in boxes.values()]
    in_turn = (name for names in zip_longest(*worst) for name in names if name is not None)
    every_size = {name: size for of_split in sizes.values() for name, size in of_split.items()}
    pictures = take_pictures(results.picture, frames, in_turn, every_size)
    return _Shown(main, boxes, cells, suspects, pictures)


def _body(results: Results, shown: _Shown, say: Say) -> Iterator[Markup]:
    sections = [*_results(results, shown, say), *_pictures(results, shown, say), *_background(results, say)]
    yield summary.head(results, say)
    yield _contents([(name, heading) for name, heading, _ in sections], say)
    yield from (part for _, _, part in sections)


_Section = tuple[str, str, Markup]
"""Its id, its heading, itself."""


def _results(results: Results, shown: _Shown, say: Say) -> Iterator[_Section]:
    yield "figures", say("figures"), summary.figures_section(results, shown.boxes, say)
    yield "advice", say("advice"), summary.advice_section(results, _advice(results, say), say)
    yield "changed", say("changed"), summary.changed_section(results, say)
    yield "training", say("training"), summary.training_section(results, say)
    if shown.main is None:
        return
    diagnosis = results.diagnoses[shown.main]
    yield "confidence", say("confidence"), mistakes.confidence_section(diagnosis, shown.boxes.get(shown.main), say)
    yield "errors", say("errors"), mistakes.errors_section(diagnosis, say)
    yield "matrix", say("matrix"), mistakes.matrix_section(diagnosis, say)
    yield "missed", say("missed"), mistakes.missed_section(diagnosis, say)
    yield "alarms", say("alarms"), mistakes.alarms_section(diagnosis, say)
    folder = results.run.suspects.as_posix() if results.run.suspects.is_dir() else None
    part = mistakes.suspects_section(len(diagnosis.suspects), shown.suspects, folder, say)
    yield "suspects", say("suspects"), part


def _advice(results: Results, say: Say) -> Sequence[Advice]:
    return [in_korean(one) for one in results.advice] if say.lang == "ko" else results.advice


def _pictures(results: Results, shown: _Shown, say: Say) -> Iterator[_Section]:
    """The pictures of the main split and the section of test, which one slider holds together."""
    inside: dict[str, Markup] = {}
    if shown.main and shown.main in shown.boxes:
        lead = element("p", say("gallery_lead"), class_="muted")
        gallery = _gallery(shown.boxes[shown.main], shown.main, say)
        inside["gallery"] = section("gallery", say("gallery"), lead, gallery)
    if (tested := _test(results, shown, say)) is not None:
        inside["test"] = tested
    slider = _slider(shown, say) if shown.boxes else None
    whole = element("div", join([slider, *inside.values()]), class_="with-slider")
    for name, part in zip(inside, (whole, Markup()), strict=False):
        yield name, say(name), part


def _test(results: Results, shown: _Shown, say: Say) -> Markup | None:
    if shown.test is None or shown.test not in results.scores or shown.main is None:
        return None
    parts = [
        element("p", say("test_lead"), class_="muted"),
        summary.cards(results, shown.test, shown.boxes, say),
    ]
    if (by_class := summary.classes_table(results.scores[shown.test], say)) is not None:
        parts.append(details(say("classes"), by_class))
    if shown.test in results.diagnoses:
        parts += [element("h3", say("matrix")), mistakes.matrix(results.diagnoses[shown.test], say)]
    if shown.test in shown.boxes:
        parts += [element("h3", say("test_pictures")), _gallery(shown.boxes[shown.test], shown.test, say)]
    return section("test", say("test"), *parts)


def _slider(shown: _Shown, say: Say) -> Markup:
    first = next(iter(shown.boxes.values()))
    conf, floor = first.conf, max(found.floor for found in shown.boxes.values())
    value = element("output", f"{conf:.3f}", id="conf-value", for_="conf", class_="number")
    slider = element(
        "input", id="conf", type="range", min=f"{floor:g}", max=f"{1 - _STEP:g}", step=_STEP, value=f"{conf:.3f}"
    )
    reset = element("button", say("reset", conf=f"{conf:.3f}"), id="conf-reset", type="button", class_="button small")
    counts = (_counts(split, found.counts(found.conf), say) for split, found in shown.boxes.items())
    top = element("div", element("label", say("slider"), for_="conf"), value, slider, reset, class_="slide")
    return element("div", top, element("div", join(counts), class_="counts"), class_="slider")


def _counts(split: Split, counts: Counts, say: Say) -> Markup:
    numbers = {"boxes": counts.boxes, "found": counts.found, "missed": counts.missed, "false": counts.false}
    said = (
        element("span", element("b", f"{number:,}", data_count=key), f" {say('n_' + key)}", class_=key)
        for key, number in numbers.items()
    )
    return element("p", element("span", split, class_="split"), *said, data_counts=split, class_="number")


def _gallery(boxes: SplitBoxes, split: Split, say: Say) -> Markup:
    counts = boxes.counts(boxes.conf)
    values = {"images": f"{len(boxes.pair.files):,}", "truths": f"{counts.found + counts.missed:,}"}
    said = f"{say('counts_lead', **values)} {say('floor', floor=f'{boxes.floor:g}')}"
    lead = element("p", said, class_="muted small")
    return join([lead, mistakes.legend(say), element("div", class_="gallery", data_gallery=split)])


def _background(results: Results, say: Say) -> Iterator[_Section]:
    record = results.record
    yield "settings", say("settings"), making.settings_section(record, say)
    if (data := making.data_section(record, say)) is not None:
        yield "dataset", say("data"), data
    yield "audit", say("audit"), making.audit_section(record, say)
    yield "making", say("making"), making.making_section(record, say)


def _contents(sections: Sequence[tuple[str, str]], say: Say) -> Markup:
    links = (element("a", heading, href=f"#{name}") for name, heading in sections)
    return element("nav", join(links), class_="contents", aria_label=say("contents"))


def _data(results: Results, shown: _Shown, say: Say) -> dict[str, Any]:
    """What attempt.js reads."""
    places = {frame: at for at, frame in enumerate(shown.pictures.crops)}
    main: Diagnosis | None = results.diagnoses[shown.main] if shown.main else None
    return {
        "say": say.some(FOR_SCRIPTS),
        "plots": plots_json(results, main, say),
        "best": main.curve.best if main else None,
        "crops": list(shown.pictures.crops.values()),
        "suspects": [behind.as_json(places) for _, behind in shown.suspects],
        "cells": {
            split: {
                f"{row},{column}": [behind.as_json(places) for behind in mine] for (row, column), mine in cells.items()
            }
            for split, cells in shown.cells.items()
        },
        "splits": {split: _split_json(found, shown.pictures) for split, found in shown.boxes.items()},
    }


def _split_json(boxes: SplitBoxes, pictures: Pictures) -> dict[str, Any]:
    return {**boxes.as_json(), "src": [pictures.whole.get(name) for name in boxes.pair.files]}
