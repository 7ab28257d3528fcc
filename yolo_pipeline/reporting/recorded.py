"""The sections of report.md that are made of the record, whatever the attempt was trained to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from yolo_pipeline.reporting.curve_points import unit_of
from yolo_pipeline.reporting.diagnosed import NOTHING_JUDGED, advice_section
from yolo_pipeline.reporting.pages.comparison.fields import changes, is_told, of_both_tracks, told_changes
from yolo_pipeline.reporting.tables import (
    judged_alike,
    layers,
    markdown,
    markdown_code,
    markdown_table,
    megabytes,
    metric,
    percent,
    plain,
)
from yolo_pipeline.results import Results, finite

_LISTED_CHANGES = 10
_STEPS = (("building", "build"), ("training", "train"), ("judging", "judge"))


def part_of(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What the record says under a key; empty where a run from elsewhere left it out."""
    return record.get(key) or {}


def heading(results: Results) -> Iterator[str]:
    title = results.record.get("title")
    yield f"# Attempt {results.number}" + (f": {markdown(title)}" if title else "")
    if notes := part_of(results.record, "settings").get("notes"):
        yield ""
        yield from map(markdown, str(notes).splitlines())


def own_metrics(results: Results, own: Mapping[str, float]) -> Iterator[str]:
    """Figures that are not the judge's, beside the judge's where both mean the same."""
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


def advice(results: Results) -> Iterator[str]:
    if not results.advice and not results.diagnoses and not results.classified:
        return iter(("## What to try next\n", f"{NOTHING_JUDGED.capitalize()}."))
    return advice_section(results.advice, results.number)


def changed(results: Results) -> Iterator[str]:
    record = results.record
    base = part_of(record, "settings").get("base")
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


def data(record: Mapping[str, Any], *, boxes: bool = True) -> Iterator[str]:
    """What was trained on.

    Args:
        boxes: whether objects in the pictures were counted, or the pictures themselves.
    """
    said = part_of(record, "data")
    counts: Mapping[str, Mapping[str, Any]] = said.get("counts", {})
    yield "## Data\n"
    if boxes:
        yield markdown_table(["split", "images", "boxes", "backgrounds", "share"], map(_count_row, counts.items()))
    else:
        yield markdown_table(["split", "images"], ([split, plain(c.get("images"))] for split, c in counts.items()))
    yield ""
    splits = [split for split, entry in counts.items() if "classes" in entry]
    if splits:
        rows = [[name, *(counts[split]["classes"].get(name, 0) for split in splits)] for name in said["names"]]
        yield markdown_table([f"{'boxes' if boxes else 'pictures'} by class", *splits], rows)
    if "test" not in counts:
        yield "\nThe data has no test split: nothing but val could be judged."
    yield ""
    yield from _reading(said)
    findings = record.get("findings")
    if findings is not None:
        yield f"\nThe audit found {len(findings) or 'no'} thing{'s' * (len(findings) != 1)} to look at.\n"
        for finding in findings:
            yield f"- {finding['severity']}: {markdown(finding['text'])}. {markdown(finding['remedy'])}"
    if "fingerprint" in said:
        folder = markdown_code(said.get("folder"))
        yield f"\nFingerprint `{said['fingerprint'][:16]}`, in {folder}. All of it is in `record.json`."


def _count_row(counted: tuple[str, Mapping[str, Any]]) -> list[str]:
    split, entry = counted
    images, backgrounds = entry.get("images"), entry.get("backgrounds")
    share = percent(backgrounds / images) if images and backgrounds is not None else "–"
    return [split, *(plain(value) for value in (images, entry.get("boxes"), backgrounds)), share]


def _reading(said: Mapping[str, Any]) -> Iterator[str]:
    """What reading the sources mended and left out."""
    fixed, dropped, skipped = (said.get(key, []) for key in ("fixed", "dropped", "skipped"))
    if "fixed" in said:
        yield (
            f"Reading mended {len(fixed)} things, left out {len(dropped)} objects and did not use {len(skipped)} files."
        )
    for entry in [*dropped, *fixed][:_LISTED_CHANGES]:
        what = f"{entry['file']}, object {entry['object']}: {entry['what']}, {entry['why']}"
        yield f"- {markdown(what)}"
    for entry in skipped[:_LISTED_CHANGES]:
        yield f"- {markdown(entry['file'])}: {markdown(entry['why'])}"
    for note in said.get("notes", []):
        yield f"- {markdown(note)}"


def settings(record: Mapping[str, Any]) -> Iterator[str]:
    said, training = part_of(record, "settings"), part_of(record, "training")
    yield "## Settings\n"
    asked: Mapping[str, Any] = said.get("train", {})
    used: Mapping[str, Any] = training.get("used", {})
    start = training.get("start", {}).get("file") or ("from scratch" if "start" in training else None)
    parameters = f"{training['parameters']:,} parameters" if "parameters" in training else "–"
    rows = [
        ["model", plain(said.get("model")), parameters],
        ["weights", plain(said.get("pretrained")), plain(start)],
        *([["head", layers(said["head"]), "–"]] if "head" in said else []),
        *([key, plain(asked.get(key)), plain(used.get(key))] for key in sorted({*asked, *used})),
    ]
    yield markdown_table(["setting", "asked", "used"], rows)


def how(record: Mapping[str, Any]) -> Iterator[str]:
    seconds, training = part_of(record, "seconds"), part_of(record, "training")
    yield "## How it was made\n"
    rows = [["started", plain(record.get("started"))]]
    if imported := record.get("imported"):
        rows.append(["made elsewhere", f"{imported['kind']}, {markdown_code(imported['file'])}"])
    rows.append(["device", plain(training.get("used", {}).get("device"))])
    rows.append(["seed", plain(part_of(record, "settings").get("train", {}).get("seed"))])
    rows += [[what, f"{seconds[key]:.1f} s"] for what, key in _STEPS if key in seconds]
    if "an_image" in seconds:
        rows.append(["judging an image", f"{seconds['an_image'] * 1000:.0f} ms"])
    if (size := finite(training.get("bytes"))) is not None:
        rows.append(["size of the weights", megabytes(size)])
    if "weights" in training:
        rows.append(["weights", f"`{training['weights']}`, sha256 `{training['sha256'][:16]}`"])
    rows.append(["git commit", record.get("git_commit") or "no git repository"])
    rows += [[name, version] for name, version in part_of(record, "versions").items()]
    yield markdown_table(["", ""], rows)
