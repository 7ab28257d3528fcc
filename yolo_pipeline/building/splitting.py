"""Dealing images to train, val and test: seeded, stratified by class, groups kept whole, earlier splits kept."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from yolo_pipeline.building.grouping import Joined
from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import SPLITS, Dataset, ImageRecord, Split

Ratios = Mapping[Split, float]
_BACKGROUND = ""  # images without a box are dealt as a class of their own


@dataclass(frozen=True, slots=True)
class _Group:
    """Images that must stay together. `key` does not depend on names or on what else there is."""

    key: str
    images: tuple[int, ...]
    classes: Counter[str]


def deal(dataset: Dataset, ratios: Ratios, seed: int, hashes: Mapping[Path, str], kept: Mapping[str, Split]) -> Dataset:
    """Gives every image a split.

    Iterative stratification: the class with the fewest undealt boxes is dealt first, each of its groups to the split
    that lacks most of it (Sechidis, Tsoumakas and Vlahavas, ECML PKDD 2011); the last groups of a class go to splits
    that have none of it. A group is what shares a content hash or a group name.

    Args:
        ratios: share of each split, adding up to 1.
        hashes: sha256 of every picture's file.
        kept: sha256 -> split for pictures that keep the split they have, also where that parts a group; the rest of
            their group joins most of them.

    Raises:
        DataError: a split with a share above 0 would get no image.
    """
    splits = [split for split in SPLITS if ratios.get(split, 0) > 0]
    groups = _groups(dataset, hashes, seed)
    placed: dict[str, Split] = {}
    filled: dict[Split, Counter[str]] = {split: Counter() for split in splits}
    images: Counter[Split] = Counter()
    for group in groups:
        if (earlier := _kept_split(group, dataset, hashes, kept)) is not None:
            placed[group.key] = earlier
            filled.setdefault(earlier, Counter()).update(group.classes)
            images[earlier] += len(group.images)
    total: Counter[str] = Counter()
    for group in groups:
        total.update(group.classes)
    undealt = {group.key: group for group in groups if group.key not in placed}
    while undealt:
        rarest = _rarest_class(undealt)
        waiting = [group for group in undealt.values() if group.classes[rarest]]
        for number, group in enumerate(waiting):
            without = [split for split in splits if not filled[split][rarest]]
            last_ones = len(waiting) - number <= len(without)  # so that every split gets one, while there are enough
            lacking = {
                split: (
                    ratios[split] * total[rarest] - filled[split][rarest],
                    ratios[split] * len(dataset.images) - images[split],
                    ratios[split],
                )
                for split in (without if last_ones and without else splits)
            }
            split = max(lacking, key=lacking.__getitem__)
            placed[group.key] = split
            filled[split].update(group.classes)
            images[split] += len(group.images)
            del undealt[group.key]
    where = {index: placed[group.key] for group in groups for index in group.images}
    dealt = [kept.get(hashes[image.file], where[index]) for index, image in enumerate(dataset.images)]
    _refuse_empty(splits, Counter(dealt), len(groups))
    return dataset.with_images(replace(image, split=split) for image, split in zip(dataset.images, dealt, strict=True))


def _groups(dataset: Dataset, hashes: Mapping[Path, str], seed: int) -> list[_Group]:
    """Connected by equal content or equal group name, in a seeded order that new images do not disturb."""
    joined = Joined()
    for image in dataset.images:
        if image.group:
            joined.join(hashes[image.file], f"group {image.group}")
    members: dict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(dataset.images):
        members[joined.leader(hashes[image.file])].append(index)
    groups = []
    for indexes in members.values():
        key = min(hashes[dataset.images[index].file] for index in indexes)
        classes = Counter(truth.label for index in indexes for truth in dataset.images[index].truths)
        groups.append(_Group(key, tuple(indexes), classes or Counter({_BACKGROUND: len(indexes)})))
    return sorted(groups, key=lambda group: hashlib.sha256(f"{seed}:{group.key}".encode()).hexdigest())


def _kept_split(group: _Group, dataset: Dataset, hashes: Mapping[Path, str], kept: Mapping[str, Split]) -> Split | None:
    """The split of most of the group's pictures that have one."""
    votes = Counter(kept[sha] for index in group.images if (sha := hashes[dataset.images[index].file]) in kept)
    return votes.most_common(1)[0][0] if votes else None


def _rarest_class(undealt: Mapping[str, _Group]) -> str:
    left: Counter[str] = Counter()
    for group in undealt.values():
        left.update(group.classes)
    return min(left, key=lambda label: (label == _BACKGROUND, left[label], label))


def _refuse_empty(splits: list[Split], images: Counter[Split], groups: int) -> None:
    for split in splits:
        if not images[split]:
            reason = f"{split} would be empty: {sum(images.values())} images in {groups} groups are too few"
            raise DataError("data.split", reason, "Label more pictures, or give that split a larger share")


def splits_by_content(images: tuple[ImageRecord, ...], hashes: Mapping[Path, str]) -> dict[str, Split]:
    """sha256 -> split of images that have one; of equal pictures in several splits, test goes before val and train."""
    ordered = sorted((image for image in images if image.split), key=lambda image: SPLITS.index(image.split or "train"))
    return {hashes[image.file]: image.split for image in ordered if image.split is not None}
