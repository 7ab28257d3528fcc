"""Every labelled object as a picture of its own: a data set of boxes becomes one of pictures by class."""

from __future__ import annotations

from yolo_pipeline.building.editing import edited, free_name, whole_pixels
from yolo_pipeline.nouns import Change, Crop, Dataset, ImageRecord, ReadReport, Truth

LEAST_SIDE = 10
"""Pixels. Of a smaller object a picture shows next to nothing; Ultralytics would leave it out."""


def crops_of(dataset: Dataset) -> tuple[Dataset, ReadReport]:
    """A picture of what each box holds, rounded outwards to whole pixels, under the box's class.

    The crops of `a/b.jpg` are `a/b-1.jpg`, `a/b-2.jpg` …, by the number of the object. All of them are in the photo's
    split, and in one group, so that none is dealt elsewhere. Smaller objects than LEAST_SIDE are left out and reported,
    photos without objects counted.
    """
    taken: set[str] = set()
    crops: list[ImageRecord] = []
    dropped: list[Change] = []
    for image in dataset.images:
        for number, truth in enumerate(image.truths, start=1):
            x0, y0, x1, y1 = whole_pixels(truth.box, image.width, image.height)
            part = Crop(x0, y0, x1 - x0, y1 - y0)
            if min(part.width, part.height) < LEAST_SIDE:
                why = f"{truth.label}: {part.width}x{part.height} pixels are too few for a picture"
                dropped.append(Change(image.name, number, "too small", why))
            else:
                crops.append(_crop(image, number, truth, part, taken))
    empty = sum(image.is_background for image in dataset.images)
    note = f"{empty} pictures have no object to crop and were left out"
    return dataset.with_images(crops), ReadReport(dropped=tuple(dropped), notes=(note,) if empty else ())


def _crop(image: ImageRecord, number: int, truth: Truth, part: Crop, taken: set[str]) -> ImageRecord:
    alone = ImageRecord(
        file=image.file,
        name=free_name(image.name, f"-{number}", taken),
        width=image.width,
        height=image.height,
        suffix=image.suffix,
        truths=(truth,),
        group=image.group or image.name,
        split=image.split,
        edits=image.edits,
    )
    return edited(alone, [part], classified=True)[0]
