"""What became of a data set from one attempt to another: its photos, their splits, boxes and classes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from yolo_pipeline.comparing.boxes import find_overlaps, is_one_class, is_redrawn, pair_by_class, pair_by_place
from yolo_pipeline.comparing.renaming import renamed_classes
from yolo_pipeline.comparison import BoxChange, DataDifference, SavedImage


def data_difference(before: Sequence[SavedImage], after: Sequence[SavedImage]) -> DataDifference:
    """Photos are the same where their bytes are; their boxes are then paired, photo by photo.

    A box of the same class, that overlaps the old one by IoU 0.1, was redrawn where it differs by more than rounding;
    one of another class was relabelled from IoU 0.5 on. Photos and boxes that both data sets have are given as the
    later one has them. Swapping the two mirrors the result.
    """
    shared, removed, added = _pair_photos(before, after)
    names_before, names_after = _names(before), _names(after)
    overlaps = [find_overlaps(earlier.truths, image.truths) for earlier, image in shared]
    renamed = renamed_classes(map(pair_by_place, overlaps), names_before, names_after)
    names = dict(renamed)
    redrawn: list[BoxChange] = []
    relabelled: list[BoxChange] = []
    boxes_added: list[BoxChange] = []
    boxes_removed: list[BoxChange] = []
    for (_, image), found in zip(shared, overlaps, strict=True):
        pairs = pair_by_class(found, names)
        boxes_added += (BoxChange(image, None, truth) for truth in pairs.new)
        boxes_removed += (BoxChange(image, truth, None) for truth in pairs.gone)
        for old, new, iou in pairs.same:
            if not is_one_class(old, new, names):
                relabelled.append(BoxChange(image, old, new, iou))
            elif is_redrawn(old.box, new.box, iou):
                redrawn.append(BoxChange(image, old, new, iou))
    return DataDifference(
        added=tuple(added),
        removed=tuple(removed),
        moved=tuple((image, earlier.split) for earlier, image in shared if earlier.split != image.split),
        redrawn=tuple(sorted(redrawn, key=lambda change: change.iou)),
        relabelled=tuple(relabelled),
        boxes_added=tuple(boxes_added),
        boxes_removed=tuple(boxes_removed),
        classes_added=tuple(sorted(names_after - names_before - set(names.values()))),
        classes_removed=tuple(sorted(names_before - names_after - set(names))),
        classes_renamed=renamed,
        backgrounds=(_backgrounds(before), _backgrounds(after)),
    )


def _pair_photos(
    before: Sequence[SavedImage], after: Sequence[SavedImage]
) -> tuple[list[tuple[SavedImage, SavedImage]], list[SavedImage], list[SavedImage]]:
    """Photos of both, those of the earlier and those of the later one alone; equal ones in one set by their order."""
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for place, image in enumerate(before):
        waiting[image.sha256].append(place)
    shared, added = [], []
    for image in after:
        if places := waiting[image.sha256]:
            shared.append((before[places.popleft()], image))
        else:
            added.append(image)
    left = sorted(place for places in waiting.values() for place in places)
    return shared, [before[place] for place in left], added


def _names(images: Iterable[SavedImage]) -> set[str]:
    return {truth.label for image in images for truth in image.truths}


def _backgrounds(images: Iterable[SavedImage]) -> int:
    return sum(not image.truths for image in images)
