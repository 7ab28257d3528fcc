"""One source in one format -> one folder in another."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from yolo_pipeline import formats
from yolo_pipeline.building.classes import choose_classes
from yolo_pipeline.errors import DataError, UsageError
from yolo_pipeline.files import folder_beside
from yolo_pipeline.formats import FORMATS, ReadOptions
from yolo_pipeline.nouns import SPLITS, Dataset, ReadReport


def convert(
    source: Path,
    out: Path,
    *,
    from_format: str = "auto",
    to_format: str = "yolo",
    classes: tuple[str, ...] | None = None,
    link: bool = True,
    options: ReadOptions = ReadOptions(),
) -> tuple[Dataset, ReadReport]:
    """Reads `source` and writes `out`, which must not exist or be empty. Built beside, then renamed.

    Args:
        classes: keep the boxes, or pictures, of these classes, in this order.
        link: hard-link pictures where the disk can; else copy them.

    Raises:
        InputError: what reading finds, or something in the way of `out`.
    """
    for name in (from_format, to_format):
        if name not in FORMATS and not (name == "auto" and name is from_format):
            raise UsageError(f"format {name!r} is not known. Known are {', '.join(FORMATS)}")
    write = FORMATS[to_format].write
    if write is None:
        raise UsageError(f"format {to_format!r} can be read but not written")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(out, "is there and not empty", "Name a new folder")
    dataset, report = formats.read(source, from_format, options)
    if classes is not None:
        pictures = formats.is_of_pictures(dataset, source, from_format)
        (dataset,) = choose_classes([dataset], classes)
        if pictures:  # one of another class is no background
            dataset = dataset.with_images(image for image in dataset.images if image.truths)
    with folder_beside(out) as building:
        write(dataset, building, root=out, link=link, progress=options.progress)
    return dataset, report


def summary(dataset: Dataset, report: ReadReport) -> dict[str, Any]:
    """What `convert --json` prints."""
    splits = {
        split: {"images": len(images), "boxes": sum(len(image.truths) for image in images)}
        for split in SPLITS
        if (images := [image for image in dataset.images if (image.split or "train") == split])
    }
    return {
        "images": len(dataset.images),
        "boxes": dataset.boxes,
        "backgrounds": sum(image.is_background for image in dataset.images),
        "classes": list(dataset.names),
        "splits": splits,
        "fixed": [asdict(change) for change in report.fixed],
        "dropped": [asdict(change) for change in report.dropped],
        "skipped": [asdict(skip) for skip in report.skipped],
        "notes": list(report.notes),
        "facts": [asdict(fact) for fact in report.facts],
    }
