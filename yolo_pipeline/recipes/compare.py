"""Finished attempts side by side: what was changed, what came of it, what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from yolo_pipeline.errors import InputError, command
from yolo_pipeline.files import read_json
from yolo_pipeline.nouns import JUDGED, SPLITS, Scores, Split
from yolo_pipeline.reporting.tables import METRICS, markdown_table, metric, plain
from yolo_pipeline.run import Run, finished_runs, require_finished


@dataclass(frozen=True, slots=True)
class Compared:
    """One attempt of a comparison."""

    number: int
    run: Run
    record: Mapping[str, Any]
    scores: Mapping[Split, Scores]


def compare(root: Path, numbers: Sequence[int]) -> list[Compared]:
    """The finished attempts that are asked for, or all of them, in the order of their numbers as given.

    Raises:
        InputError: one is not finished, or there is none at all.
    """
    wanted = list(dict.fromkeys(numbers)) or [number for number, _ in finished_runs(root)]
    if not wanted:
        raise InputError(root / "runs", "there is no finished attempt", f"Type: {command(root, 'train --attempt 1')}")
    runs = [(number, require_finished(root, number)) for number in wanted]
    return [Compared(number, run, run.record, run.read_scores()) for number, run in runs]


def as_json(attempts: Sequence[Compared]) -> dict[str, Any]:
    """What `compare --json` prints. `differences` are between neighbours judged on the same images."""
    return {
        "attempts": [
            {
                "attempt": entry.number,
                "track": entry.record["settings"]["track"],
                "changed": entry.record["changed"],
                "settings": entry.record["settings"],
                "scores": {split: asdict(score) for split, score in entry.scores.items()},
                "cost": _cost(entry),
            }
            for entry in attempts
        ],
        "differences": [
            difference for before, after in pairwise(attempts) for difference in _differences(before, after)
        ],
        "notes": warnings(attempts),
    }


def rows(attempts: Sequence[Compared]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table: the settings that differ, the data, the metrics of test (or val), the cost."""
    header = ["", *(f"attempt {entry.number}" for entry in attempts)]
    table = [["title", *(entry.record["title"] or "–" for entry in attempts)]]
    flat = [_flat(entry.record["settings"]) for entry in attempts]
    for key in sorted({key for settings in flat for key in settings}):
        values = [plain(settings.get(key)) for settings in flat]
        if len(set(values)) > 1:
            table.append([key, *values])
    for split in SPLITS:
        images = [entry.record["data"]["counts"].get(split, {}).get("images") for entry in attempts]
        table.append([f"{split} images", *map(plain, images)])
    for split in JUDGED:
        for name in METRICS:
            values = [
                metric(getattr(entry.scores[split], name)) if split in entry.scores else "–" for entry in attempts
            ]
            table.append([f"{split} {name}", *values])
    table.append(["parameters", *(f"{entry.record['training']['parameters']:,}" for entry in attempts)])
    table.append(["training", *(f"{entry.record['seconds']['train']:.0f} s" for entry in attempts)])
    table.append(["an image", *(f"{entry.record['seconds']['an_image'] * 1000:.0f} ms" for entry in attempts)])
    return header, table


def warnings(attempts: Sequence[Compared]) -> list[str]:
    """What a reader of the table must know: attempts that were judged on different test images."""
    said = []
    for before, after in pairwise(attempts):
        split: Split = "test" if "test" in before.scores and "test" in after.scores else "val"
        if not _same_truths(before, after, split):
            said.append(f"attempts {before.number} and {after.number} were judged on different {split} data")
    return said


def as_markdown(attempts: Sequence[Compared]) -> str:
    header, table = rows(attempts)
    notes = "".join(
        f"\n{line[0].upper()}{line[1:]}: their scores differ for that reason, too.\n" for line in warnings(attempts)
    )
    return f"# Comparison\n\n{markdown_table(header, table)}\n{notes}"


def _differences(before: Compared, after: Compared) -> Iterator[dict[str, Any]]:
    for split in JUDGED:
        if split in before.scores and split in after.scores and _same_truths(before, after, split):
            for name in ("mAP50", "mAP50_95"):
                old, new = getattr(before.scores[split], name), getattr(after.scores[split], name)
                if old is not None and new is not None:
                    yield {"a": before.number, "b": after.number, "metric": f"{split} {name}", "delta": new - old}


def _same_truths(before: Compared, after: Compared, split: Split) -> bool:
    """Whether both were judged on the same pictures with the same boxes and classes."""
    one, other = (_truths(entry.run, split) for entry in (before, after))
    return one is not None and one == other


def _truths(run: Run, split: Split) -> Any:
    if not run.truth_file(split).is_file():
        return None
    truth = read_json(run.truth_file(split))
    names = {category["id"]: category["name"] for category in truth["categories"]}
    boxes: dict[int, list[Any]] = {image["id"]: [] for image in truth["images"]}
    for row in truth["annotations"]:
        boxes[row["image_id"]].append([names[row["category_id"]], row["bbox"]])
    return sorted([image["sha256"], sorted(boxes[image["id"]])] for image in truth["images"])


def _cost(entry: Compared) -> dict[str, Any]:
    seconds = entry.record["seconds"]
    return {
        "seconds": seconds["train"],
        "parameters": entry.record["training"]["parameters"],
        "seconds_an_image": seconds["an_image"],
        "device": entry.record["training"]["used"].get("device"),
    }


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if not prefix and key in ("attempt", "title", "base", "notes"):
            continue
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
