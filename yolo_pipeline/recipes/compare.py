"""Attempts side by side: what was changed, what became of their data, what came of it, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from yolo_pipeline.classification import PictureScores
from yolo_pipeline.comparing.data import data_difference
from yolo_pipeline.comparison import DataDifference
from yolo_pipeline.errors import InputError, command
from yolo_pipeline.judging.bootstrap import LEAST_PAIRED, differences, differences_of
from yolo_pipeline.judging.classification import judge_pictures
from yolo_pipeline.judging.classified import picture_differences
from yolo_pipeline.judging.coco import CocoResults, CocoTruth, load_pair
from yolo_pipeline.judging.detection import judge
from yolo_pipeline.judging.shared import on_shared_images, same_truths
from yolo_pipeline.nouns import JUDGED, Scores, Split
from yolo_pipeline.recipes.diagnose import results_of
from yolo_pipeline.reporting.tables import metric
from yolo_pipeline.results import Comparison, Judged, Results, own_metrics
from yolo_pipeline.run import classifies, finished_runs

_Pair = tuple[CocoTruth, CocoResults]
_Saved = Mapping[tuple[int, Split], _Pair]
"""Truth and detections of those attempts and splits that were judged."""

_MANY = 20  # differences, of which one is clear by chance


@dataclass(frozen=True, slots=True)
class _Task:
    """What attempts are compared by: the figure of a note, that of a choice, and what their labels are called."""

    figure: str
    chosen_by: str
    objects: Literal["boxes", "labels"]
    judge: Callable[[CocoTruth, CocoResults], Scores | PictureScores]


_DETECTING = _Task("mAP50", "mAP50_95", "boxes", judge)
_CLASSIFYING = _Task("top1", "top1", "labels", judge_pictures)


def compare(root: Path, numbers: Sequence[int]) -> Comparison:
    """The finished attempts that are asked for, in that order, or all of them.

    Raises:
        InputError: one is not finished, there is none at all, or a saved file is damaged.
    """
    wanted = list(dict.fromkeys(numbers)) or [number for number, _ in finished_runs(root)]
    if not wanted:
        raise InputError(root / "runs", "there is no finished attempt", f"Type: {command(root, 'train --attempt 1')}")
    attempts = tuple(results_of(root, number) for number in wanted)
    data = dict(_data_differences(attempts))
    saved = _read_judged(attempts)
    judged: list[Judged] = []
    notes: list[str] = []
    for before, after in pairwise(attempts):
        for split in JUDGED:
            found, told = _judge_both(before, after, split, saved)
            judged += found
            notes += told
    notes += [
        *_two_tasks(attempts),
        *_clear_by_chance(judged),
        *_dealt_again(attempts, data),
        *_chosen_on_test(attempts, saved),
        *_foreign(attempts),
    ]
    return Comparison(attempts, tuple(judged), data, tuple(notes))


def _data_differences(attempts: Sequence[Results]) -> Iterator[tuple[tuple[int, int], DataDifference]]:
    noted = [(entry.number, entry.run.read_dataset()) for entry in attempts]
    for (a, before), (b, after) in pairwise(noted):
        if before is not None and after is not None:
            yield (a, b), data_difference(before, after)


def _read_judged(attempts: Iterable[Results]) -> _Saved:
    files = {
        (entry.number, split): (entry.run.truth_file(split), entry.run.detections_file(split))
        for entry in attempts
        for split in JUDGED
        if split in entry.scores or split in entry.classified
    }
    return {key: load_pair(*pair) for key, pair in files.items() if pair[0].is_file()}


def _judge_both(old: Results, new: Results, split: Split, saved: _Saved) -> tuple[list[Judged], list[str]]:
    """The differences between two attempts on the images of a split that both were judged on, and notes on these."""
    a, b = old.number, new.number
    if (a, split) not in saved or (b, split) not in saved or _task(old) is not _task(new):
        return [], []
    one, other = saved[a, split], saved[b, split]
    alike = one[0] == other[0]
    both = (*one, other[1]) if alike else on_shared_images(*one, *other)
    if both is None:
        return [], [f"attempts {a} and {b} share no {split} images, or no class: their scores cannot be compared"]
    truth, before, after = both
    shared = not same_truths(one[0], other[0])
    task = _task(new)
    if task is _CLASSIFYING:
        told = picture_differences(truth, before, after)
    else:
        told = differences_of(old.drawn[split], new.drawn[split]) if alike else differences(truth, before, after)
    images = len({row["image_id"] for row in truth["annotations"]} if task is _CLASSIFYING else truth["images"])
    redrawn = shared and _redrawn(one, other, truth)
    judged = [Judged(a, b, split, name, found, images, shared, redrawn, task.objects) for name, found in told.items()]
    notes = [_judged_again(a, b, split, one, other, both, redrawn, task)] if shared else []
    if not told:
        few = f"fewer than {LEAST_PAIRED} {split} images{' with objects' * (task is _DETECTING)}"
        notes.append(f"attempts {a} and {b} share {few}: too few to tell a difference from chance")
    return judged, notes


def _judged_again(
    a: int,
    b: int,
    split: Split,
    one: _Pair,
    other: _Pair,
    both: tuple[CocoTruth, CocoResults, CocoResults],
    redrawn: bool,
    task: _Task,
) -> str:
    truth, *said = both
    scores = [task.judge(truth, results) for results in said]
    figures = " and ".join(metric(getattr(score, task.figure)) for score in scores)
    differs, by = _what_differs(one, other, truth, redrawn, b, task.objects)
    images = scores[0].images
    return (
        f"attempts {a} and {b} were judged on different {split} {differs}; both judged again on the {images} "
        f"image{'s' * (images != 1)} that they share{by}: {task.figure} {figures}"
    )


def _what_differs(one: _Pair, other: _Pair, shared: CocoTruth, redrawn: bool, b: int, objects: str) -> tuple[str, str]:
    """In what two truths differ, and by what, but for their images, both were judged instead."""

    def is_all(what: str) -> bool:
        return len(one[0][what]) == len(other[0][what]) == len(shared[what])

    same = {
        "images": is_all("images"),
        "classes": is_all("categories"),
        objects: not redrawn,
    }
    known = len(shared["categories"])
    instead = {"classes": f"the {known} class{'es' * (known != 1)} that both know"}
    instead[objects] = f"the {objects} of attempt {b}, which favours it"
    differs = [what for what, is_same in same.items() if not is_same]
    by = " and ".join(instead[what] for what in differs if what in instead)
    return " and ".join(differs) or "data", by and f", by {by}"


def _redrawn(one: _Pair, other: _Pair, shared: CocoTruth) -> bool:
    """Whether the shared images have other boxes in the one than in the other."""
    backwards = on_shared_images(*other, *one)
    return backwards is None or not same_truths(shared, backwards[0])


def _task(entry: Results) -> _Task:
    return _CLASSIFYING if classifies(entry.record) else _DETECTING


def _two_tasks(attempts: Iterable[Results]) -> Iterator[str]:
    numbers: dict[_Task, list[int]] = {}
    for entry in attempts:
        numbers.setdefault(_task(entry), []).append(entry.number)
    if len(numbers) > 1:
        detect, classify = _numbered(numbers[_DETECTING]), _numbered(numbers[_CLASSIFYING])
        yield f"detectors ({detect}) and classifiers ({classify}) are judged by figures that cannot be compared"


def _clear_by_chance(judged: Sequence[Judged]) -> Iterator[str]:
    if len(judged) >= _MANY:
        clear = sum(one.difference.is_clear for one in judged)
        yield (
            f"{clear} of {len(judged)} differences are clear; about {len(judged) / _MANY:.0f} would be by chance alone "
            "if no attempt were better than the one before"
        )


def _dealt_again(attempts: Sequence[Results], data: Mapping[tuple[int, int], DataDifference]) -> Iterator[str]:
    for place, entry in enumerate(attempts):
        if not entry.record.get("split_dealt_again"):
            continue
        said = f"attempt {entry.number} dealt its split again: scores cannot be compared directly with those of others"
        earlier = attempts[place - 1].number if place else 0
        if found := data.get((earlier, entry.number)):
            trained_on = sum(before == "train" and image.split in JUDGED for image, before in found.moved)
            said += f", and {trained_on} of its val and test photos were trained on in attempt {earlier}"
        yield said


def _chosen_on_test(attempts: Iterable[Results], saved: _Saved) -> Iterator[str]:
    """Where test would choose another attempt than val, and so flatter it."""
    groups: list[list[Results]] = []
    for entry in attempts:
        if all((entry.number, split) in saved for split in JUDGED):
            group = next((group for group in groups if _judged_alike(group[0], entry, saved)), None)
            if group is None:
                groups.append([entry])
            else:
                group.append(entry)
    for group in groups:
        by_val, by_test = (max(group, key=lambda entry: _figure(entry, split)) for split in JUDGED)
        if _figure(by_test, "test") > _figure(by_val, "test"):
            numbers = " and ".join(str(entry.number) for entry in group)
            yield (
                f"attempts {numbers} were judged on the same test images: by {_task(by_val).chosen_by}, val chooses "
                f"attempt {by_val.number}, test attempt {by_test.number}; choose on val, as the figure of an attempt "
                "that was chosen on test is too good"
            )


def _judged_alike(one: Results, other: Results, saved: _Saved) -> bool:
    return _task(one) is _task(other) and all(
        same_truths(saved[one.number, split][0], saved[other.number, split][0]) for split in JUDGED
    )


def _figure(entry: Results, split: Split) -> float:
    scores = entry.classified[split].scores if split in entry.classified else entry.scores[split]
    value: float | None = getattr(scores, _task(entry).chosen_by)
    return -1.0 if value is None else value


def _foreign(attempts: Sequence[Results]) -> Iterator[str]:
    silent = [entry.number for entry in attempts if not entry.scores and not entry.classified]
    if silent:
        yield f"{_numbered(silent)} left no detections to judge: they have only figures of their own"
    own = {name.partition("/")[0] for entry in attempts for name in own_metrics(entry.record)}
    if len(own) > 1:
        yield "figures under the name of a framework go by its own definitions: they compare attempts of one framework"


def _numbered(numbers: Sequence[int]) -> str:
    """`attempts 1 to 72`, `attempts 3 and 7`, `attempt 3`."""
    if len(numbers) == 1:
        return f"attempt {numbers[0]}"
    if len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"attempts {numbers[0]} to {numbers[-1]}"
    return f"attempts {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
