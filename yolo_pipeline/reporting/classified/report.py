"""runs/attempt-N/report.md of a classifier: how many pictures it names rightly, which not, and what to try next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from yolo_pipeline import images
from yolo_pipeline.classification import Answer, Classified, PictureDiagnosis, PictureScores
from yolo_pipeline.diagnosis import Interval
from yolo_pipeline.files import write_text
from yolo_pipeline.nouns import Split
from yolo_pipeline.reporting import recorded
from yolo_pipeline.reporting.classified.answers import (
    answered,
    best_epoch,
    drawn_answers,
    main_split,
    picture_of,
    wrong_answers,
)
from yolo_pipeline.reporting.classified.figures import Shown, draw_accuracies, draw_predictions
from yolo_pipeline.reporting.curve_points import accuracy_columns, loss_columns
from yolo_pipeline.reporting.diagnosed import curves_line, interval_text, pair_lines
from yolo_pipeline.reporting.figures import draw_confusion
from yolo_pipeline.reporting.tables import (
    PICTURE_METRICS,
    markdown,
    markdown_table,
    metric,
    percent,
    right_of_all,
    short,
)
from yolo_pipeline.results import Results

_LISTED = 10  # mistakes, labels
_TOP = 5  # classes that top5 looks among
_LEAST_PROBABILITIES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def write_picture_report(results: Results) -> None:
    """Writes report.md and its figures. What is chosen, is chosen on val; test is shown at the end."""
    record, classified = results.record, results.classified
    sections: list[Iterator[str]] = [recorded.heading(results), _metrics(results), recorded.advice(results)]
    sections += [recorded.changed(results), recorded.data(record, boxes=False), recorded.settings(record)]
    if len(results.curves):
        draw_accuracies(results.curves, best_epoch(results), results.run.figures / "curves.png")
        sections.append(_curves(results))
    if (split := main_split(results)) is not None:
        sections += [_mistakes(classified[split].diagnosis), _figures(results, split)]
    sections += [_classes(one.scores, split) for split, one in classified.items()]
    sections.append(recorded.how(record))
    write_text(results.run.report_file, "\n\n".join("\n".join(section) for section in sections) + "\n")


def _metrics(results: Results) -> Iterator[str]:
    classified, own = results.classified, recorded.part_of(results.record, "training").get("own_metrics") or {}
    yield "## Metrics\n"
    if classified:
        intervals = {split: one.intervals for split, one in classified.items()}
        rows: list[list[Any]] = [[name, *_cells(name, classified, intervals)] for name in PICTURE_METRICS]
        rows.append(["right of all", *(right_of_all(one.scores) for one in classified.values())])
        rows.append(["images", *(one.scores.images for one in classified.values())])
        yield markdown_table(["", *classified], rows)
        yield ""
        yield (
            "top1 is the share of pictures whose likeliest class is right, top5 of those whose class is among the five "
            "likeliest; loss is the mean cross entropy, natural logarithm. In brackets: where the figure lies in 95 of "
            "100 draws of such images; the luck of training is not in it."
        )
        if any(len(one.scores.classes) <= _TOP for one in classified.values()):
            yield f"Of {_TOP} classes or fewer top5 says nothing: it is always 1."
    else:
        yield "No answers were saved, so that the judge has nothing to say."
    if own:
        yield ""
        yield from recorded.own_metrics(results, own)


def _cells(
    name: str, classified: Mapping[Split, Classified], intervals: Mapping[Split, Mapping[str, Interval]]
) -> Iterator[str]:
    for split, one in classified.items():
        yield metric(getattr(one.scores, name)) + interval_text(intervals, split, name)


def _curves(results: Results) -> Iterator[str]:
    curves, best = results.curves, best_epoch(results)
    yield "## Losses and accuracies\n"
    ways = [(min, name) for name in loss_columns(curves)] + [(max, name) for name in accuracy_columns(curves)]
    told = [(way, name, [value for value in curves.columns[name] if value == value]) for way, name in ways]
    rows = [[name, metric(v[0]), metric(way(v)), metric(v[-1])] for way, name, v in told if v]
    yield markdown_table(["curve", "first epoch", "best", "last epoch"], rows)
    if results.reading is not None:
        yield f"\n{curves_line(results.reading, best)}"
    elif best is not None:
        yield f"\nThe weights are those of epoch {best}."
    yield "\n![Losses and accuracies by epoch](figures/curves.png)"


def _mistakes(diagnosis: PictureDiagnosis) -> Iterator[str]:
    wrong = wrong_answers(diagnosis.answers)
    yield f"## What went wrong on {diagnosis.split}\n"
    said = f"{len(wrong)} of {len(diagnosis.answers)} pictures are named wrongly"
    yield f"{said}; the surest mistakes:\n" if wrong else f"{said}."
    yield from map(_answer_line, wrong[:_LISTED])
    if diagnosis.pairs:
        yield "\nClasses taken for one another:\n"
        yield from pair_lines(diagnosis.pairs)
    yield "\nWere only answers of at least some probability given:\n"
    yield markdown_table(["least probability", "answered", "of all", "right", "of these"], _least(diagnosis.answers))
    error = short(diagnosis.calibration.error)
    yield f"\nExpected calibration error: {error} (0: a probability is the chance to be right)."
    if diagnosis.suspects:
        count = len(diagnosis.suspects)
        yield f"\nLabels that the model disagrees with, {count} in all; pictures to look at in `suspects`:\n"
        yield from map(_answer_line, diagnosis.suspects[:_LISTED])


def _answer_line(answer: Answer) -> str:
    name, probability = answer.said[0]
    said = f"labelled {answer.label}; the model says {name} ({probability:.2f}), {answer.label} ({answer.of_label:.2f})"
    return f"- {markdown(answer.image)}: {markdown(said)}"


def _least(answers: Sequence[Answer]) -> Iterator[list[Any]]:
    for least in _LEAST_PROBABILITIES:
        count, right = answered(answers, least)
        shares = (percent(part / whole) if whole else "–" for part, whole in ((count, len(answers)), (right, count)))
        of_all, of_these = shares
        yield [f"{least:g}", count, of_all, right, of_these]


def _figures(results: Results, split: Split) -> Iterator[str]:
    figures, matrix = results.run.figures, results.classified[split].diagnosis.matrix
    draw_confusion(matrix.names, matrix.counts, figures / "confusion.png", ("labelled", "said"))
    yield "![Confusion matrix](figures/confusion.png)"
    if drawn := drawn_answers(results, split):
        shown = [_shown(results, answer) for answer in drawn]
        right = sum(one.is_right for one in shown)
        draw_predictions(shown, f"attempt {results.number}, {split}", figures / "predictions.png")
        chosen = "at random" if len(drawn) < len(results.classified[split].diagnosis.answers) else "all there are"
        yield f"\n{right} of {len(shown)} pictures of {split}, {chosen}, are named rightly: yellow right, red wrong.\n"
        yield "![Pictures and what was said of them](figures/predictions.png)"


def _shown(results: Results, answer: Answer) -> Shown:
    file = picture_of(results, answer)
    try:
        pixels = images.decode_upright(file) if file else None
    except images.UnreadableImage:
        pixels = None
    return Shown(pixels, answer.said[0][0], answer.label)


def _classes(scores: PictureScores, split: Split) -> Iterator[str]:
    yield f"## Classes on {split}\n"
    rows = [
        [name, entry.images, metric(entry.precision), metric(entry.recall), metric(entry.f1)]
        for name, entry in scores.classes.items()
    ]
    yield markdown_table(["class", "images", "precision", "recall", "F1"], rows)
