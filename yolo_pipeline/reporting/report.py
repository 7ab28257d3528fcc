"""runs/attempt-N/report.md: what was changed, with what data and settings, what came of it, and what to try next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from yolo_pipeline import images
from yolo_pipeline.diagnosis import Case, Diagnosis
from yolo_pipeline.files import write_text
from yolo_pipeline.nouns import Scores, Split
from yolo_pipeline.reporting.curve_points import is_noisy, loss_columns, smoothed, unit_of
from yolo_pipeline.reporting.diagnosed import (
    NOTHING_JUDGED,
    advice_section,
    curves_line,
    diagnosis_section,
    interval_text,
)
from yolo_pipeline.reporting.figures import (
    Sample,
    draw_confidence,
    draw_confusion,
    draw_curves,
    draw_samples,
    draw_step_curves,
)
from yolo_pipeline.reporting.pages.comparison.fields import changes, is_told, of_both_tracks, told_changes
from yolo_pipeline.reporting.tables import (
    METRICS,
    judged_alike,
    markdown,
    markdown_code,
    markdown_table,
    megabytes,
    metric,
    percent,
    plain,
)
from yolo_pipeline.results import Results, finite

_SAMPLES = 8
_LISTED_CHANGES = 10
_STEPS = (("building", "build"), ("training", "train"), ("judging", "judge"))


def write_report(results: Results) -> None:
    """Writes report.md and its figures. What is chosen, is chosen on val; test is shown at the end."""
    run, record, scores = results.run, results.record, results.scores
    sections: list[Iterator[str]] = [_heading(results), _metrics(results), _advice(results), _changed(results)]
    sections += [_data(record), _settings(record)]
    if len(results.curves):
        draw = draw_step_curves if unit_of(results) == "step" else draw_curves
        draw(results.curves, run.figures / "curves.png")
        sections.append(_losses(results))
    if (diagnosis := results.diagnoses.get("val")) is not None:
        sections += [diagnosis_section(diagnosis, scores.get("val")), _figures(results, diagnosis)]
    sections += [_classes(scores[split], split) for split in ("val", "test") if split in scores]
    sections.append(_how(record))
    write_text(run.report_file, "\n\n".join("\n".join(section) for section in sections) + "\n")


def _heading(results: Results) -> Iterator[str]:
    title = results.record.get("title")
    yield f"# Attempt {results.number}" + (f": {markdown(title)}" if title else "")
    if notes := _part(results.record, "settings").get("notes"):
        yield ""
        yield from map(markdown, str(notes).splitlines())


def _part(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What the record says under a key; empty where a run from elsewhere left it out."""
    return record.get(key) or {}


def _changed(results: Results) -> Iterator[str]:
    record = results.record
    base = _part(record, "settings").get("base")
    if base is None:
        yield "## Changed\n"
        yield "This attempt has no base: everything is new."
        return
    yield f"## Changed against attempt {base}\n"
    told = told_changes(results)
    settings, left_out = of_both_tracks([change for change in changes(results) if not is_told(change)])
    yield from (f"- {markdown(line)}" for line in told)
    if not told and not settings:
        yield "Nothing."
    if told and settings:
        yield ""
    if settings:
        rows = [[entry.get("key"), plain(entry.get("before")), plain(entry.get("after"))] for entry in settings]
        yield markdown_table(["setting", f"attempt {base}", f"attempt {results.number}"], rows)
    if left_out:
        yield f"\n{left_out} settings of training that only one of the two tracks has are left out here."
    if record.get("split_dealt_again"):
        yield "\nThe split was dealt again: scores cannot be compared directly with those of the base."


def _data(record: Mapping[str, Any]) -> Iterator[str]:
    data = _part(record, "data")
    counts: Mapping[str, Mapping[str, Any]] = data.get("counts", {})
    yield "## Data\n"
    yield markdown_table(["split", "images", "boxes", "backgrounds", "share"], map(_count_row, counts.items()))
    yield ""
    splits = [split for split, entry in counts.items() if "classes" in entry]
    if splits:
        rows = [[name, *(counts[split]["classes"][name] for split in splits)] for name in data["names"]]
        yield markdown_table(["boxes by class", *splits], rows)
    if "test" not in counts:
        yield "\nThe data has no test split: nothing but val could be judged."
    yield ""
    yield from _reading(data)
    findings = record.get("findings")
    if findings is not None:
        yield f"\nThe audit found {len(findings) or 'no'} thing{'s' * (len(findings) != 1)} to look at.\n"
        for finding in findings:
            yield f"- {finding['severity']}: {markdown(finding['text'])}. {markdown(finding['remedy'])}"
    if "fingerprint" in data:
        folder = markdown_code(data.get("folder"))
        yield f"\nFingerprint `{data['fingerprint'][:16]}`, in {folder}. All of it is in `record.json`."


def _count_row(counted: tuple[str, Mapping[str, Any]]) -> list[str]:
    split, entry = counted
    images, backgrounds = entry.get("images"), entry.get("backgrounds")
    share = percent(backgrounds / images) if images and backgrounds is not None else "–"
    return [split, *(plain(value) for value in (images, entry.get("boxes"), backgrounds)), share]


def _reading(data: Mapping[str, Any]) -> Iterator[str]:
    """What reading the sources mended and left out."""
    fixed, dropped, skipped = (data.get(key, []) for key in ("fixed", "dropped", "skipped"))
    if "fixed" in data:
        yield (
            f"Reading mended {len(fixed)} things, left out {len(dropped)} objects and did not use {len(skipped)} files."
        )
    for entry in [*dropped, *fixed][:_LISTED_CHANGES]:
        what = f"{entry['file']}, object {entry['object']}: {entry['what']}, {entry['why']}"
        yield f"- {markdown(what)}"
    for entry in skipped[:_LISTED_CHANGES]:
        yield f"- {markdown(entry['file'])}: {markdown(entry['why'])}"
    for note in data.get("notes", []):
        yield f"- {markdown(note)}"


def _settings(record: Mapping[str, Any]) -> Iterator[str]:
    settings, training = _part(record, "settings"), _part(record, "training")
    yield "## Settings\n"
    asked: Mapping[str, Any] = settings.get("train", {})
    used: Mapping[str, Any] = training.get("used", {})
    start = training.get("start", {}).get("file") or ("from scratch" if "start" in training else None)
    parameters = f"{training['parameters']:,} parameters" if "parameters" in training else "–"
    rows = [
        ["model", plain(settings.get("model")), parameters],
        ["weights", plain(settings.get("pretrained")), plain(start)],
        *([key, plain(asked.get(key)), plain(used.get(key))] for key in sorted({*asked, *used})),
    ]
    yield markdown_table(["setting", "asked", "used"], rows)


def _metrics(results: Results) -> Iterator[str]:
    scores, own = results.scores, _part(results.record, "training").get("own_metrics") or {}
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
        yield from _own_metrics(results, own)


def _own_metrics(results: Results, own: Mapping[str, float]) -> Iterator[str]:
    by = (
        "As it was reported where it was made"
        if results.record.get("imported")
        else f"What the framework says of its best {unit_of(results)} on val"
    )
    val = results.scores.get("val")
    beside = {name: alike for name in own if val and (alike := judged_alike(name))}
    if not beside:
        said = ", ".join(f"{markdown_code(name)} {value:.4f}" for name, value in own.items())
        yield f"{by}, by its own definitions: {said}."
        return
    yield f"{by}, by its own definitions, and the judge's figure where it means the same:\n"
    judged = {name: f"{alike} {metric(getattr(val, alike))}" for name, alike in beside.items()}
    rows = [[name, metric(value), judged.get(name, "–")] for name, value in own.items()]
    yield markdown_table(["on val", "its own", "the judge's"], rows)


def _advice(results: Results) -> Iterator[str]:
    if not results.advice and not results.diagnoses:
        return iter(("## What to try next\n", f"{NOTHING_JUDGED.capitalize()}."))
    return advice_section(results.advice, results.number)


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
    draw_confusion(diagnosis.matrix, figures / "confusion.png")
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


def _how(record: Mapping[str, Any]) -> Iterator[str]:
    seconds, training = _part(record, "seconds"), _part(record, "training")
    yield "## How it was made\n"
    rows = [["started", plain(record.get("started"))]]
    if imported := record.get("imported"):
        rows.append(["made elsewhere", f"{imported['kind']}, {markdown_code(imported['file'])}"])
    rows.append(["device", plain(training.get("used", {}).get("device"))])
    rows.append(["seed", plain(_part(record, "settings").get("train", {}).get("seed"))])
    rows += [[what, f"{seconds[key]:.1f} s"] for what, key in _STEPS if key in seconds]
    if "an_image" in seconds:
        rows.append(["judging an image", f"{seconds['an_image'] * 1000:.0f} ms"])
    if (size := finite(training.get("bytes"))) is not None:
        rows.append(["size of the weights", megabytes(size)])
    if "weights" in training:
        rows.append(["weights", f"`{training['weights']}`, sha256 `{training['sha256'][:16]}`"])
    rows.append(["git commit", record.get("git_commit") or "no git repository"])
    rows += [[name, version] for name, version in _part(record, "versions").items()]
    yield markdown_table(["", ""], rows)
