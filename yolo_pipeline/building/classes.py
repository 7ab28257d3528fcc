"""Which classes a data set keeps, under which names, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import Dataset, ImageRecord, Truth


def rename_classes(dataset: Dataset, names: Mapping[str, str]) -> Dataset:
    """Renames classes; two that get one name become one.

    Raises:
        DataError: a name that no class has.
    """
    for old in names:
        if old not in dataset.names:
            raise DataError(
                f"data.rename: {old}", "no annotation has this class", f"There are {_listed(dataset.names)}"
            )
    renamed = tuple(dict.fromkeys(names.get(name, name) for name in dataset.names))
    images = (_relabel(image, names) for image in dataset.images)
    return Dataset(renamed, tuple(images))


def choose_classes(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """Keeps the boxes of `classes`, in that order of classes. Images stay, also those left without a box.

    Raises:
        DataError: a class that no annotation has, or one named twice.
    """
    there = {truth.label for image in dataset.images for truth in image.truths}
    for number, name in enumerate(classes):
        if name not in there:
            raise DataError(
                f"data.classes: {name}", "no annotation has this class", f"There are {_listed(sorted(there))}"
            )
        if name in classes[:number]:
            raise DataError(f"data.classes: {name}", "is named twice", "Name it once")
    wanted = frozenset(classes)
    images = (
        replace(image, truths=tuple(truth for truth in image.truths if truth.label in wanted))
        for image in dataset.images
    )
    return Dataset(tuple(classes), tuple(images))


def _relabel(image: ImageRecord, names: Mapping[str, str]) -> ImageRecord:
    renamed = (Truth(truth.box, names.get(truth.label, truth.label)) for truth in image.truths)
    return replace(image, truths=tuple(dict.fromkeys(renamed)))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
