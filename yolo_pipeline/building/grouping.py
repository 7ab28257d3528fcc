"""Which pictures must stay in one split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from yolo_pipeline.nouns import Dataset, ImageRecord


def join_groups(dataset: Dataset, pairs: Iterable[tuple[Path, Path]]) -> Dataset:
    """Makes one group of the pictures of each pair of files, and of the groups that these were in.

    A joined group has the name of its first picture; groups that no pair touches stay as they are.
    """
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        while leader.setdefault(key, key) != key:
            key = leader[key]
        return key

    for first, second in pairs:
        leader[find(f"file {second}")] = find(f"file {first}")
    paired = {image.file for image in dataset.images if f"file {image.file}" in leader}
    groups = {image.group for image in dataset.images if image.group and image.file in paired}
    for image in dataset.images:
        if image.group in groups:
            leader[find(f"file {image.file}")] = find(f"group {image.group}")
    names: dict[str, str] = {}

    def joined(image: ImageRecord) -> ImageRecord:
        if f"file {image.file}" not in leader:
            return image
        return replace(image, group=names.setdefault(find(f"file {image.file}"), image.name))

    return dataset.with_images(map(joined, dataset.images))
