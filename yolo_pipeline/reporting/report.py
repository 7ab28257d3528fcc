"""runs/attempt-N/report.md: what was changed, with what data and settings, what came of it, and what to try next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from yolo_pipeline import images
from yolo_pipeline.diagnosis import BACKGROUND, Case, Diagnosis
from yolo_pipeline.files import write_text
from yolo_pipeline.nouns import Scores, Split
from yolo_pipeline.reporting import recorded
from yolo_pipeline.reporting.curve_points import is_noisy, loss_columns, smoothed, unit_of
from yolo_pipeline.reporting.diagnosed import curves_line, diagnosis_section, interval_text
from yolo_pipeline.reporting.figures import (
    Sample,
    draw_confidence,
    draw_confusion,
    draw_curves,
    draw_samples,
    draw_step_curves,
)
from yolo_pipeline.reporting.tables import METRICS, markdown_table, metric
from yolo_pipeline.results import Results

_SAMPLES = 8


def write_report(results: Results) -> None:
    """Writes report.md and its figures. What is chosen, is chosen on val; test is shown at the end."""
    run, record, scores = results.run, results.record, results.scores
    sections: list[Iterator[str]] = [recorded.heading(results), _metrics(results), recorded.advice(results)]
    sections += [recorded.changed(results), recorded.data(record), recorded.settings(record)]
    if len(results.curves):
        draw = draw_step_curves if unit_of(results) == "step" else draw_curves
        draw(results.curves, run.figures / "curves.png")
        sections.append(_losses(results))
    if (diagnosis := results.diagnoses.get("val")) is not None:
        sections += [diagnosis_section(diagnosis, scores.get("val")), _figures(results, diagnosis)]
    sections += [_classes(scores[split], split) for split in ("val", "test") if split in scores]
    sections.append(recorded.how(record))
    write_text(run.report_file, "\n\n".join("\n".join(section) for section in sections) + "\n")


def _metrics(results: Results) -> Iterator[str]:
    scores, own = results.scores, recorded.part_of(results.record, "training").get("own_metrics") or {}
    yield "## Metrics\n"
    if scores:
        rows: list[list[Any]] = [
            [name, *(metric(getattr(score, name)) + interval_text(results.intervals, split, name)
                     for split, score in scores.items())]
            for name in METRICS
        ]  # fmt: skip
        rows.append(["found of all", *(f"{score.correct} of {score.truths}" for score in scores.values())])
        rows.append(["images", *(score.images for score in scores.values())])
        yield markdown_table(["", *scores], rows)
        yield ""
        yield (
            "COCO's definitions. Precision, recall and F1 count all boxes together at IoU 0.5 and `conf`, "
            "the confidence at which F1 is best. In brackets: where the figure lies in 95 of 100 draws of such images; "
            "the luck of training is not in it."
        )
        if len({score.conf for score in scores.values()}) > 1:
            yield (
                "Each split has a `conf` of its own here, which is kind to test; report.html counts mistakes at one "
                "confidence, that of val or of the attempt's `detect.conf`."
            )
    else:
        yield "No detections were saved, so that the judge has nothing to say."
    if own:
        yield ""
        yield from recorded.own_metrics(results, own)


def _losses(results: Results) -> Iterator[str]:
    curves = results.curves
    yield "## Losses\n"
    unit = unit_of(results)
    told = {name: [value for value in curves.columns[name] if value == value] for name in loss_columns(curves)}
    noisy = [name for name, values in told.items() if unit == "step" and is_noisy(name, values)]
    told |= {name: smoothed(told[name]) for name in noisy}
    rows = [[name, metric(v[0]), metric(min(v)), metric(v[-1])] for name, v in told.items() if v]
    yield markdown_table(["loss", f"first {unit}", "lowest", f"last {unit}"], rows)
    if noisy:
        yield "\nLosses on train are means of the steps around."
    if results.reading is not None:
        yield f"\n{curves_line(results.reading)}"
    yield "\n![Loss and mAP curves](figures/curves.png)"


def _classes(scores: Scores, split: Split) -> Iterator[str]:
    yield f"## Classes on {split}\n"
    rows = [
        [name, entry.truths, *(metric(getattr(entry, key)) for key in ("AP50", "AP50_95", "precision", "recall", "f1"))]
        for name, entry in scores.classes.items()
    ]
    yield markdown_table(["class", "truths", "AP50", "AP50_95", "precision", "recall", "F1"], rows)


def _figures(results: Results, diagnosis: Diagnosis) -> Iterator[str]:
    figures = results.run.figures
    draw_confidence(diagnosis.curve, diagnosis.conf, figures / "confidence.png")
    matrix = diagnosis.matrix
    draw_confusion((*matrix.names, BACKGROUND), matrix.counts, figures / "confusion.png")
    yield "![Precision, recall, F1 and boxes over confidence](figures/confidence.png)\n"
    yield "![Confusion matrix](figures/confusion.png)"
    if samples := _samples(results, diagnosis):
        draw_samples(samples, figures / "samples.png")
        yield "\nThe pictures with most mistakes, then the first with objects: truth green, detections red.\n"
        yield "![Truth and detections](figures/samples.png)"


def _samples(results: Results, diagnosis: Diagnosis) -> list[Sample]:
    """The worst pictures, and some others with objects, as far as they are there."""
    by_image: dict[str, list[Case]] = defaultdict(list)
    for case in diagnosis.cases:
        by_image[case.image].append(case)

    def wrong(name: str) -> int:
        return sum(not case.is_hit for case in by_image[name])

    worst = sorted((name for name in by_image if wrong(name)), key=lambda name: (-wrong(name), name))
    chosen = [*worst[: _SAMPLES // 2], *sorted(name for name in by_image if not wrong(name)), *worst[_SAMPLES // 2 :]]
    samples: list[Sample] = []
    for name in chosen:
        file = results.picture(name)
        if file is not None and len(samples) < _SAMPLES:
            truths = [case.truth for case in by_image[name] if case.truth]
            found = [case.detection for case in by_image[name] if case.detection]
            samples.append((images.decode_upright(file), truths, found))
    return samples
