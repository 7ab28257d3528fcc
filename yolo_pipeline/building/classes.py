"""Which classes a data set keeps, under which names, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import Dataset, ImageRecord, Truth


def rename_classes(datasets: Sequence[Dataset], names: Mapping[str, str]) -> list[Dataset]:
    """Renames classes in all data sets; two that get one name become one.

    Raises:
        DataError: a name that no class has.
    """
    known = dict.fromkeys(name for dataset in datasets for name in dataset.names)
    for old in names:
        if old not in known:
            there = f"There are {_listed(list(known))}"
            raise DataError(f"data.rename: {old}", "no annotation has this class", there)
    return [
        Dataset(
            tuple(dict.fromkeys(names.get(name, name) for name in dataset.names)),
            tuple(_relabel(image, names) for image in dataset.images),
        )
        for dataset in datasets
    ]


def choose_classes(datasets: Sequence[Dataset], classes: Sequence[str]) -> list[Dataset]:
    """Keeps the boxes of `classes`, in that order of classes. Images stay, also those left without a box.

    Raises:
        DataError: a class that no annotation has, or one named twice.
    """
    there = {truth.label for dataset in datasets for image in dataset.images for truth in image.truths}
    for number, name in enumerate(classes):
        if name not in there:
            known = f"There are {_listed(sorted(there))}"
            raise DataError(f"data.classes: {name}", "no annotation has this class", known)
        if name in classes[:number]:
            raise DataError(f"data.classes: {name}", "is named twice", "Name it once")
    wanted = frozenset(classes)
    return [Dataset(tuple(classes), tuple(_only(image, wanted) for image in dataset.images)) for dataset in datasets]


def _only(image: ImageRecord, wanted: frozenset[str]) -> ImageRecord:
    return replace(image, truths=tuple(truth for truth in image.truths if truth.label in wanted))


def _relabel(image: ImageRecord, names: Mapping[str, str]) -> ImageRecord:
    renamed = (Truth(truth.box, names.get(truth.label, truth.label)) for truth in image.truths)
    return replace(image, truths=tuple(dict.fromkeys(renamed)))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
