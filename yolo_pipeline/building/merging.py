"""Several sources, one data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from yolo_pipeline.building.grouping import Joined
from yolo_pipeline.geometry import SAME_OBJECT_IOU, iou
from yolo_pipeline.nouns import Change, Dataset, Edit, ImageRecord, ReadReport, Truth

_Content = tuple[str, tuple[Edit, ...]]  # sha256 of the file, and what is done to its picture


def merge(datasets: Sequence[Dataset], hashes: Mapping[Path, str]) -> tuple[Dataset, ReadReport]:
    """Joins data sets: classes by name, and pictures that two of them share (by content) taken once.

    The boxes of such a picture are united. Where both sources boxed one object, the earlier source's box stays; where
    they disagree on its class, too, which is reported as a conflict. Equal pictures within one source stay, and all get
    the boxes of a later source's. Where both sources put the picture into a group, the two groups become one.

    Pictures are the same where their edits are, too: two crops of one photo are two pictures.

    Args:
        hashes: sha256 of every picture's file.
    """
    if len(datasets) == 1:
        return datasets[0], ReadReport()
    names = tuple(dict.fromkeys(name for dataset in datasets for name in dataset.names))
    joining = _Joining(hashes)
    for number, dataset in enumerate(datasets, start=1):
        joining.add(replace(image, name=f"{number}/{image.name}") for image in dataset.images)
    images = (replace(image, group=joining.groups.leader(image.group)) for image in joining.images)
    return Dataset(names, tuple(images)), ReadReport(tuple(joining.fixed), tuple(joining.dropped))


@dataclass(slots=True)
class _Joining:
    hashes: Mapping[Path, str]
    images: list[ImageRecord] = field(default_factory=list)
    fixed: list[Change] = field(default_factory=list)
    dropped: list[Change] = field(default_factory=list)
    groups: Joined = field(default_factory=Joined)
    _places: dict[_Content, list[int]] = field(default_factory=lambda: defaultdict(list))  # -> indexes in images

    def add(self, images: Iterable[ImageRecord]) -> None:
        """Takes the images of one source."""
        earlier = frozenset(self._places)
        for image in images:
            content = self.hashes[image.file], image.edits
            if content in earlier:
                for place in self._places[content]:
                    self.images[place] = self._joined(self.images[place], image)
            else:
                self._places[content].append(len(self.images))
                self.images.append(image)

    def _joined(self, first: ImageRecord, second: ImageRecord) -> ImageRecord:
        boxed = _same_objects(first.truths, second.truths)
        new = []
        for number, truth in enumerate(second.truths):
            if number not in boxed:
                new.append(truth)
            elif (other := first.truths[boxed[number]]) != truth:
                self.dropped.append(_disagreement(first.name, other, second.name, number + 1, truth))
        said = [f"the same picture as {first.name}", f"{len(new)} further boxes were joined to it"]
        if first.split and second.split and first.split != second.split:
            said.append(f"it stays in {first.split}, not in {second.split}")
        self.fixed.append(Change(second.name, 0, "same picture", "; ".join(said)))
        if first.group and second.group:
            self.groups.join(first.group, second.group)
        return replace(
            first,
            truths=first.truths + tuple(new),
            group=first.group or second.group,
            split=first.split or second.split,
        )


def _same_objects(first: Sequence[Truth], second: Sequence[Truth]) -> dict[int, int]:
    """Number of a truth in `second` -> number of the one in `first` for the same object; the closest pairs first."""
    pairs = [(iou(a.box, b.box), a.label == b.label, j, i) for i, a in enumerate(first) for j, b in enumerate(second)]
    matched: dict[int, int] = {}
    for overlap, _, j, i in sorted(pairs, key=lambda pair: (-pair[0], not pair[1], pair[2:])):
        if overlap >= SAME_OBJECT_IOU and j not in matched and i not in matched.values():
            matched[j] = i
    return matched


def _disagreement(first: str, kept: Truth, name: str, number: int, truth: Truth) -> Change:
    if kept.label == truth.label:
        return Change(name, number, "boxed twice", f"{truth.label} is boxed otherwise in {first}, whose box stays")
    return Change(name, number, "conflict", f"{truth.label} here is {kept.label} in {first}, which stays")
