"""runs/attempt-N/report.md: what was changed, with what data and settings, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_pipeline import images
from yolo_pipeline.files import read_json, write_text
from yolo_pipeline.judging.coco import detections_by_image, truths_by_image
from yolo_pipeline.judging.detection import confusion_matrix, mistakes
from yolo_pipeline.nouns import Curves, Scores, Split
from yolo_pipeline.reporting.figures import draw_confusion, draw_curves, draw_samples
from yolo_pipeline.reporting.tables import markdown_table, metric, plain
from yolo_pipeline.run import Run

_SAMPLES = 8
_FALLBACK_CONF = 0.25  # where nothing was found, so that no best confidence exists
_LISTED_CHANGES = 10


def write_report(
    run: Run, record: Mapping[str, Any], scores: Mapping[Split, Scores], curves: Curves, dataset: Path
) -> None:
    """Writes report.md and its figures.

    Args:
        record: the run's record, as it will be saved.
        dataset: folder of the built data set, for the pictures.
    """
    draw_curves(curves, run.figures / "curves.png")
    shown: Split = "test" if "test" in scores else "val"
    # Val chooses the confidence, so that showing the test images chooses nothing.
    chosen = scores["val"].conf if "val" in scores else None
    conf = chosen if chosen is not None else _FALLBACK_CONF
    truth, results = read_json(run.truth_file(shown)), read_json(run.detections_file(shown))
    draw_confusion(confusion_matrix(truth, results, conf), run.figures / "confusion.png")
    _draw_samples(run, truth, results, conf, dataset)
    sections = [
        _heading(record),
        _changed(record),
        _data(record),
        _settings(record),
        _metrics(record, scores),
        _losses(curves),
        _classes(scores[shown], shown),
        _pictures(shown, conf),
        _how(record),
    ]
    write_text(run.report_file, "\n\n".join("\n".join(section) for section in sections) + "\n")


def _heading(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Attempt {record['attempt']}" + (f": {record['title']}" if record["title"] else "")
    if record["settings"]["notes"]:
        yield ""
        yield record["settings"]["notes"]


def _changed(record: Mapping[str, Any]) -> Iterator[str]:
    base = record["settings"]["base"]
    if base is None:
        yield "## Changed\n"
        yield "This attempt has no base: everything is new."
        return
    yield f"## Changed against attempt {base}\n"
    if not record["changed"]:
        yield "Nothing."
    else:
        rows = [[entry["key"], plain(entry["before"]), plain(entry["after"])] for entry in record["changed"]]
        yield markdown_table(["setting", f"attempt {base}", f"attempt {record['attempt']}"], rows)
    if record["split_dealt_again"]:
        yield "\nThe split was dealt again: scores cannot be compared directly with those of the base."


def _data(record: Mapping[str, Any]) -> Iterator[str]:
    data = record["data"]
    yield "## Data\n"
    rows = [
        [split, entry["images"], entry["boxes"], entry["backgrounds"], f"{entry['backgrounds'] / entry['images']:.1%}"]
        for split, entry in data["counts"].items()
    ]
    yield markdown_table(["split", "images", "boxes", "backgrounds", "share"], rows)
    yield ""
    splits = list(data["counts"])
    rows = [[name, *(data["counts"][split]["classes"][name] for split in splits)] for name in data["names"]]
    yield markdown_table(["boxes by class", *splits], rows)
    if "test" not in splits:
        yield "\nThe data has no test split: nothing but val could be judged."
    yield ""
    yield (
        f"Reading mended {len(data['fixed'])} things, left out {len(data['dropped'])} objects "
        f"and did not use {len(data['skipped'])} files."
    )
    for entry in [*data["dropped"], *data["fixed"]][:_LISTED_CHANGES]:
        yield f"- {entry['file']}, object {entry['object']}: {entry['what']}, {entry['why']}"
    for entry in data["skipped"][:_LISTED_CHANGES]:
        yield f"- {entry['file']}: {entry['why']}"
    for note in data["notes"]:
        yield f"- {note}"
    count = len(record.get("findings", ()))
    yield f"\nThe audit found {count or 'no'} thing{'s' * (count != 1)} to look at.\n"
    for finding in record.get("findings", ()):
        yield f"- {finding['severity']}: {finding['text']}. {finding['remedy']}"
    yield f"\nFingerprint `{data['fingerprint'][:16]}`, in `{data['folder']}`. All of it is in `record.json`."


def _settings(record: Mapping[str, Any]) -> Iterator[str]:
    settings, training = record["settings"], record["training"]
    yield "## Settings\n"
    asked: Mapping[str, Any] = settings["train"]
    used: Mapping[str, Any] = training["used"]
    start = training["start"]["file"] or "from scratch"
    rows = [
        ["model", settings["model"], f"{training['parameters']:,} parameters"],
        ["weights", plain(settings["pretrained"]), start],
        *([key, plain(asked.get(key)), plain(used.get(key))] for key in sorted({*asked, *used})),
    ]
    yield markdown_table(["setting", "asked", "used"], rows)


def _metrics(record: Mapping[str, Any], scores: Mapping[Split, Scores]) -> Iterator[str]:
    yield "## Metrics\n"
    fields = ("mAP50", "mAP50_95", "precision", "recall", "f1", "conf")
    rows: list[list[Any]] = [[name, *(metric(getattr(score, name)) for score in scores.values())] for name in fields]
    rows.append(["found of all", *(f"{score.correct} of {score.truths}" for score in scores.values())])
    rows.append(["images", *(score.images for score in scores.values())])
    yield markdown_table(["", *scores], rows)
    yield ""
    yield (
        "COCO's definitions. Precision, recall and F1 count all boxes together at IoU 0.5 and `conf`, "
        "the confidence at which F1 is best."
    )
    own = record["training"]["own_metrics"]
    if own:
        yield ""
        said = ", ".join(f"`{name}` {value:.4f}" for name, value in own.items())
        yield f"What the framework says of its best epoch on val, by its own definitions: {said}."


def _losses(curves: Curves) -> Iterator[str]:
    yield "## Losses\n"
    names = [name for name in curves.columns if name.endswith("_loss")]
    rows = [
        [name, metric(values[0]), metric(min(values)), metric(values[-1])]
        for name in names
        if (values := curves.columns[name])
    ]
    yield markdown_table(["loss", "first epoch", "lowest", "last epoch"], rows)
    yield "\n![Loss and mAP curves](figures/curves.png)"


def _classes(scores: Scores, split: Split) -> Iterator[str]:
    yield f"## Classes on {split}\n"
    rows = [
        [name, entry.truths, *(metric(getattr(entry, key)) for key in ("AP50", "AP50_95", "precision", "recall", "f1"))]
        for name, entry in scores.classes.items()
    ]
    yield markdown_table(["class", "truths", "AP50", "AP50_95", "precision", "recall", "F1"], rows)


def _pictures(split: Split, conf: float) -> Iterator[str]:
    yield f"## What was taken for what on {split}\n"
    yield f"At confidence {conf:.3f}, chosen on val.\n"
    yield "![Confusion matrix](figures/confusion.png)\n"
    yield f"The pictures of {split} with most mistakes, then the first with objects: truth green, detections red.\n"
    yield "![Truth and detections](figures/samples.png)"


def _how(record: Mapping[str, Any]) -> Iterator[str]:
    seconds, training = record["seconds"], record["training"]
    yield "## How it was made\n"
    rows = [
        ["started", record["started"]],
        ["device", training["used"].get("device", "unknown")],
        ["seed", plain(record["settings"]["train"].get("seed"))],
        ["building", f"{seconds['build']:.1f} s"],
        ["training", f"{seconds['train']:.1f} s"],
        ["judging", f"{seconds['judge']:.1f} s, {seconds['an_image'] * 1000:.0f} ms an image"],
        ["weights", f"`{training['weights']}`, sha256 `{training['sha256'][:16]}`"],
        ["git commit", record["git_commit"] or "no git repository"],
        *([name, version] for name, version in record["versions"].items()),
    ]
    yield markdown_table(["", ""], rows)


def _draw_samples(run: Run, truth: dict[str, Any], results: list[dict[str, Any]], conf: float, dataset: Path) -> None:
    truths, detections = truths_by_image(truth), detections_by_image(truth, results, conf)
    wrong = {image["id"]: mistakes(truths[image["id"]], detections[image["id"]]) for image in truth["images"]}
    worst = sorted((image for image in truth["images"] if wrong[image["id"]]), key=lambda image: -wrong[image["id"]])
    chosen: Sequence[dict[str, Any]] = worst[: _SAMPLES // 2]
    others = sorted((image for image in truth["images"] if image not in chosen), key=lambda i: not truths[i["id"]])
    chosen = [*chosen, *others][:_SAMPLES]
    samples = [
        (images.decode_upright(dataset / image["file_name"]), truths[image["id"]], detections[image["id"]])
        for image in chosen
    ]
    draw_samples(samples, run.figures / "samples.png")
