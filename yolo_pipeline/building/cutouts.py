"""Objects cut out of training pictures, each alone on an empty canvas, so that a detector learns the thing itself.

The canvas has the grey that Ultralytics pads pictures with: to the network that is nothing already, where white would
be one more background, with a hard edge around every object.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from yolo_pipeline import images
from yolo_pipeline.building.editing import edited, free_name, overlapped
from yolo_pipeline.building.grabcut import cut_into_cache, forget_old_cutouts, opaque_box
from yolo_pipeline.building.pixels import decode_cutout
from yolo_pipeline.cores import all_cores
from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import Box, Dataset, ImageRecord, Place, ReadReport, Truth
from yolo_pipeline.progress import Progress, silent

T = TypeVar("T")

_LEAST_SIDE = 16  # pixels of a box
_AT_LEAST_AT_ONCE = 16  # objects, so that all cores have work where many fail
_MOST_OF_PICTURE = 0.9  # of its area; more leaves GrabCut no background to learn from


@dataclass(frozen=True, slots=True)
class _Object:
    """A labelled object that could be cut out. `number` counts from 1; `key` is its picture's content and its box."""

    image: ImageRecord
    number: int
    truth: Truth
    key: str
    overlapped: bool


def add_cutouts(
    dataset: Dataset, share: float, seed: int, hashes: Mapping[Path, str], progress: Progress = silent
) -> tuple[Dataset, ReadReport]:
    """Adds cut-outs to the training pictures, `share` of their number, each on a canvas as large as its picture.

    Objects are taken class by class in turn, in a seeded order, those that no other box touches first; those that
    GrabCut cannot part from their background are passed over and counted. Cut-outs are kept in the user's
    cache, for a month after they were last asked for.

    Raises:
        DataError: there are too few objects that can be cut out, or the cache cannot be written.
    """
    forget_old_cutouts()
    wanted = at_once = round(share * len(dataset.of("train")))
    waiting = _candidates(dataset, seed, hashes)
    found: list[ImageRecord] = []
    failed = 0
    while len(found) < wanted and waiting:
        tried, waiting = waiting[:at_once], waiting[at_once:]
        for one, file in zip(tried, _cut_all(tried, progress), strict=True):
            if len(found) < wanted:
                failed += file is None
                found += [_on_canvas(one, file, seed)] if file else []
        at_once = max(wanted - len(found), _AT_LEAST_AT_ONCE)
    _refuse_too_few(share, wanted, len(found), f"Lower data.cutouts.share; {failed} objects have no edge to cut along")
    note = f"{failed} objects could not be parted from their background and were passed over for cut-outs"
    return _with_cutouts(dataset, found), ReadReport(notes=(note,) if failed else ())


def add_ready_cutouts(
    dataset: Dataset, ready: Mapping[str, Sequence[ImageRecord]], share: float, seed: int, hashes: Mapping[Path, str]
) -> Dataset:
    """As `add_cutouts`, with pictures whose background was taken away already; each keeps its size and place.

    Args:
        ready: class -> pictures with alpha; what is more than half opaque is the object.

    Raises:
        DataError: there are too few, a class that the data set does not have, or a picture without alpha.
    """
    for label in ready:
        if label not in dataset.names:
            known = ", ".join(dataset.names[:20])
            raise DataError(f"data.cutouts.source: {label}", "no class has this name", f"There are {known}")
    wanted = round(share * len(dataset.of("train")))
    by_class = {
        label: sorted(ready.get(label, ()), key=lambda one: _rank(seed, hashes[one.file])) for label in dataset.names
    }
    chosen = _by_turns(by_class)[:wanted]
    _refuse_too_few(share, wanted, len(chosen), "Put more into data.cutouts.source, or lower data.cutouts.share")
    return _with_cutouts(dataset, [_ready_record(label, record) for label, record in chosen])


def _with_cutouts(dataset: Dataset, cutouts: Sequence[ImageRecord]) -> Dataset:
    taken = {image.name for image in dataset.images}
    named = [replace(one, name=free_name(f"cutouts/{one.name}", "", taken)) for one in cutouts]
    return dataset.with_images([*dataset.images, *named])


def _candidates(dataset: Dataset, seed: int, hashes: Mapping[Path, str]) -> list[_Object]:
    by_class: dict[str, list[_Object]] = {label: [] for label in dataset.names}
    for image in dataset.of("train"):
        crowded = overlapped([truth.box for truth in image.truths])
        for number, truth in enumerate(image.truths, start=1):
            box = truth.box
            fills = box.width * box.height > _MOST_OF_PICTURE * image.width * image.height
            if min(box.width, box.height) >= _LEAST_SIDE and not fills:
                key = f"{hashes[image.file]}:{box.x0:.2f}:{box.y0:.2f}:{box.x1:.2f}:{box.y1:.2f}"
                by_class[truth.label].append(_Object(image, number, truth, key, crowded[number - 1]))
    for objects in by_class.values():
        objects.sort(key=lambda one: (one.overlapped, _rank(seed, one.key)))
    return [one for _, one in _by_turns(by_class)]


def _by_turns(by_class: Mapping[str, Sequence[T]]) -> list[tuple[str, T]]:
    """The first of each class, then the second of each, and so on."""
    rounds = zip_longest(*([(label, item) for item in items] for label, items in by_class.items()))
    return [entry for entries in rounds for entry in entries if entry is not None]


def _rank(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}:cutout:{key}".encode()).hexdigest()


def _refuse_too_few(share: float, wanted: int, found: int, remedy: str) -> None:
    if found < wanted:
        reason = f"{share:.0%} of train are {wanted} cut-outs, {wanted - found} are missing"
        raise DataError("data.cutouts", reason, remedy)


def _on_canvas(one: _Object, file: Path, seed: int) -> ImageRecord:
    """The cut-out at a seeded place of a canvas as large as its picture."""
    width, height = images.read_header(file).upright_size
    rng = random.Random(f"{seed}:place:{one.key}")
    x, y = (int(rng.random() * (free + 1)) for free in (one.image.width - width, one.image.height - height))
    box = Box(0, 0, width, height)
    name = free_name(one.image.name, f"-{one.number}", set())
    alone = ImageRecord(file, name, width, height, ".png", (Truth(box, one.truth.label),), one.image.group, "train")
    return edited(alone, [Place(x, y, one.image.width, one.image.height)])[0]


def _ready_record(label: str, record: ImageRecord) -> ImageRecord:
    try:
        box = opaque_box(decode_cutout(record.file))
    except images.UnreadableImage as error:
        raise DataError(record.file, str(error), "Save it as PNG with a transparent background") from error
    if box is None:
        raise DataError(record.file, "all of it is transparent", "Take it out")
    alone = replace(record, truths=(Truth(box, label),), split="train")
    return edited(alone, [Place(0, 0, record.width, record.height)])[0]


def _cut_all(objects: Sequence[_Object], progress: Progress) -> list[Path | None]:
    """The file of each object's cut-out; None where GrabCut did not find one."""
    with all_cores() as pool:
        files = pool.map(lambda one: cut_into_cache(one.image.file, one.truth.box, one.key), objects)
        return [file for _, file in zip(progress.items(objects, "cutting out objects"), files, strict=True)]
