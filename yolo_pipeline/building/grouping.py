"""Which pictures must stay in one split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from yolo_pipeline.nouns import Dataset, ImageRecord


@dataclass(slots=True)
class Joined:
    """Keys of which some were joined, each by each (union-find)."""

    _above: dict[str, str] = field(default_factory=dict)

    def leader(self, key: str) -> str:
        """One of the keys that `key` was joined with, the same for all of them; `key` itself where it never was."""
        while (above := self._above.get(key, key)) != key:
            self._above[key] = self._above.get(above, above)
            key = above
        return key

    def join(self, first: str, second: str) -> None:
        self._above[self.leader(second)] = self.leader(first)


def join_groups(dataset: Dataset, pairs: Iterable[tuple[Path, Path]]) -> Dataset:
    """Makes one group of the pictures of each pair of files, and of the groups that these were in.

    A joined group has the name of its first picture; groups that no pair touches stay as they are.
    """
    joined = Joined()
    paired: set[Path] = set()
    for first, second in pairs:
        joined.join(f"file {first}", f"file {second}")
        paired |= {first, second}
    groups = {image.group for image in dataset.images if image.group and image.file in paired}
    for image in dataset.images:
        if image.group in groups:
            joined.join(f"group {image.group}", f"file {image.file}")
    names: dict[str, str] = {}

    def renamed(image: ImageRecord) -> ImageRecord:
        if image.file not in paired and image.group not in groups:
            return image
        return replace(image, group=names.setdefault(joined.leader(f"file {image.file}"), image.name))

    return dataset.with_images(map(renamed, dataset.images))
