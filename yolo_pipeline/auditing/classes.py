"""Classes and splits: too few boxes, too uneven, missing where they are needed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from yolo_pipeline.auditing.evidence import Evidence, Severity, count, named, percent
from yolo_pipeline.nouns import Finding

HARDLY_ANY = 10
"""Boxes of a class in training below which it is not learned but memorised."""

FEW = 50
"""Boxes of a class in training below which its accuracy hangs on single examples."""

UNEVEN = 10.0
"""Largest class over smallest from which on the rare one is drowned; Roboflow's Health Check warns there, too."""

LEAST_JUDGED_IMAGES = 20
"""Images of val or test below which one picture more or less moves a score by several points."""

LEAST_JUDGED_SHARE = 0.05
LEAST_TRAIN_SHARE = 0.5

MOST_BACKGROUNDS = 0.1
"""Ultralytics advises 0 to 10 % background pictures in training; COCO has 1 %."""

_WITHOUT: dict[str, tuple[Severity, str]] = {
    "val": ("warning", "no picture is in val: no epoch can be told from another"),
    "test": ("note", "no picture is in test: the final scores are those that choices were made on"),
}


def absent_from_splits(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.has_splits:
        return
    present = set(evidence.boxes.label.tolist())
    for split, counts in evidence.class_counts.items():
        absent = [
            name for number, name in enumerate(evidence.dataset.names) if number in present and not counts[number]
        ]
        if absent:
            verb = "has" if len(absent) == 1 else "have"
            why = "cannot be learned" if split == "train" else "scores there say nothing of it"
            text = f"{count(len(absent), 'class')} {verb} no {evidence.thing} in {split}: {named(absent)} ({why})"
            remedy = f"Put pictures of them into {split}, or deal the data anew (`split:` with `again: true`)"
            yield Finding("class absent from split", "fault", text, remedy, (), {"split": split, "classes": absent})


def few_boxes(evidence: Evidence) -> Iterator[Finding]:
    if "train" not in evidence.splits:
        return
    training = dict(zip(evidence.dataset.names, evidence.class_counts["train"].tolist(), strict=True))
    steps: tuple[tuple[Severity, int, int], ...] = (("fault", 1, HARDLY_ANY), ("warning", HARDLY_ANY, FEW))
    for severity, low, high in steps:
        few = {name: n for name, n in sorted(training.items(), key=lambda entry: entry[1]) if low <= n < high}
        if few:
            listed = named([f"{name} ({n})" for name, n in few.items()], 6)
            where = " in training" if evidence.has_splits else ""
            things = evidence.things
            text = f"{count(len(few), 'class')} with fewer than {high} {things}{where}: {listed}"
            files = _pictures_of(evidence, set(few))
            yield Finding(f"few {things}", severity, text, _more(evidence), files, {things: few, "wanted": high})


def without_boxes(evidence: Evidence) -> Iterator[Finding]:
    present = set(evidence.boxes.label.tolist())
    empty = [name for number, name in enumerate(evidence.dataset.names) if number not in present]
    if empty:
        text = f"{count(len(empty), 'class')} without any {evidence.thing}: {named(empty, 8)}"
        kind = f"class without {evidence.things}"
        yield Finding(kind, "warning", text, _more(evidence), (), {"classes": empty})


def imbalance(evidence: Evidence) -> Iterator[Finding]:
    """Among classes that have enough boxes to be learned at all; the others are reported for that."""
    if "train" not in evidence.splits:
        return
    counts = evidence.class_counts["train"]
    learnable = [(n, name) for name, n in zip(evidence.dataset.names, counts.tolist(), strict=True) if n >= FEW]
    if not learnable or max(learnable)[0] <= UNEVEN * min(learnable)[0]:
        return
    (most, largest), (least, smallest) = max(learnable), min(learnable)
    times = f"{most / least:.0f} times the {evidence.things}"
    text = f"{named([largest])} has {times} of {named([smallest])}: {most:,} and {least:,}"
    remedy = "Label more pictures with the rare class; judge it by its own AP, not by the mean"
    if evidence.classified:
        remedy = (
            "Add pictures of the rare class, or weigh it (`train: {class_weights: balanced}`); judge it by its own F1"
        )
    files = _pictures_of(evidence, {smallest})
    yield Finding(
        "class imbalance",
        "warning",
        text,
        remedy,
        files,
        {"largest": largest, "smallest": smallest, "ratio": round(most / least, 2)},
    )


def similar_names(evidence: Evidence) -> Iterator[Finding]:
    """Names that differ in case, blanks, punctuation or a plural s alone."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for name in evidence.dataset.names:
        key = re.sub(r"[\W_]+", "", name.casefold())
        spellings[key.removesuffix("s") if len(key) > 3 else key or name].append(name)
    alike = [sorted(names) for _, names in sorted(spellings.items()) if len(names) > 1]
    if alike:
        text = f"classes that may be one: {named([' and '.join(names) for names in alike])}"
        remedy = "Join them if they are one (`rename:`)"
        yield Finding(
            "similar class names",
            "warning",
            text,
            remedy,
            _pictures_of(evidence, {n for a in alike for n in a[1:]}),
            {"classes": alike},
        )


def split_sizes(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.has_splits:
        return
    sizes = {split: evidence.split_of.count(split) for split in ("train", "val", "test")}
    total = len(evidence.images)
    remedy = "Label more pictures"
    if 0.1 * total >= LEAST_JUDGED_IMAGES:
        remedy = f"Deal the data anew (`split: {{train: 0.8, val: 0.1, test: 0.1, again: true}}`), or {remedy.lower()}"
    if sizes["train"] < LEAST_TRAIN_SHARE * total:
        text = f"train holds {percent(sizes['train'] / total)} of the pictures ({sizes['train']} of {total})"
        yield Finding("split sizes", "warning", text, remedy, (), {"split": "train", "images": sizes["train"]})
    for split in ("val", "test"):
        number = sizes[split]
        if number == 0:
            severity, text = _WITHOUT[split]
            yield Finding("split sizes", severity, text, remedy, (), {"split": split, "images": 0})
        elif number < LEAST_JUDGED_IMAGES or number < LEAST_JUDGED_SHARE * total:
            held = f"{count(number, 'picture')}, {percent(number / total)} of all"
            text = f"{split} holds {held}: its scores depend on chance"
            yield Finding("split sizes", "warning", text, remedy, (), {"split": split, "images": number})


def backgrounds(evidence: Evidence) -> Iterator[Finding]:
    training = [image for image, split in zip(evidence.images, evidence.split_of, strict=True) if split == "train"]
    empty = [image.name for image in training if image.is_background]
    share = len(empty) / max(len(training), 1)
    figures = {"backgrounds": len(empty), "share": round(share, 4)}
    if training and not empty:
        text = "no background picture (without objects) to learn what is not to be found"
        remedy = "If it finds things that are not there, add 1 to 10 % pictures without objects (`backgrounds:`)"
        yield Finding("backgrounds", "note", text, remedy, (), figures)
    elif share > MOST_BACKGROUNDS:
        text = f"{percent(share)} of the training pictures ({len(empty)}) have no box; up to 10 % is useful"
        remedy = "See that they are not unlabelled ones, and leave some out"
        yield Finding("backgrounds", "warning", text, remedy, tuple(empty), figures)


def _more(evidence: Evidence) -> str:
    more = "Add pictures of it" if evidence.classified else "Label more pictures with it"
    return f"{more}, or leave the class out (`classes:`)"


def _pictures_of(evidence: Evidence, names: set[str]) -> tuple[str, ...]:
    return tuple(image.name for image in evidence.images if any(truth.label in names for truth in image.truths))
