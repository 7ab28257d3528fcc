"""Several sources, one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from yolo_pipeline.nouns import Change, Dataset, ImageRecord, ReadReport


def merge(datasets: Sequence[Dataset], hashes: Mapping[Path, str]) -> tuple[Dataset, ReadReport]:
    """Joins data sets: classes by name, and pictures that two of them share (by content) with their boxes united.

    Args:
        hashes: sha256 of every picture's file.
    """
    if len(datasets) == 1:
        return datasets[0], ReadReport()
    names = tuple(dict.fromkeys(name for dataset in datasets for name in dataset.names))
    images: list[ImageRecord] = []
    place: dict[str, int] = {}
    fixed: list[Change] = []
    for number, dataset in enumerate(datasets, start=1):
        earlier = dict(place)  # equal pictures within one source stay
        for image in dataset.images:
            image = replace(image, name=f"{number}/{image.name}")
            first = earlier.get(hashes[image.file])
            if first is None:
                place.setdefault(hashes[image.file], len(images))
                images.append(image)
                continue
            new = tuple(truth for truth in image.truths if truth not in images[first].truths)
            images[first] = replace(images[first], truths=images[first].truths + new)
            why = f"the same picture as {images[first].name}; {len(new)} further boxes were joined to it"
            fixed.append(Change(image.name, 0, "same picture", why))
    return Dataset(names, tuple(images)), ReadReport(fixed=tuple(fixed))
