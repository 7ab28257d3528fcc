"""All pictures brought to one size."""

from __future__ import annotations

from typing import Literal

from yolo_pipeline.building.editing import edited
from yolo_pipeline.nouns import Change, Crop, Dataset, Edit, Pad, ReadReport, Resize

Mode = Literal["stretch", "fit", "fill"]


def resize(
    dataset: Dataset, width: int, height: int, mode: Mode, *, classified: bool = False
) -> tuple[Dataset, ReadReport]:
    """Every picture `width` x `height` large; one that is so already stays as it is.

    Args:
        mode: `stretch` changes the ratio of the sides where it must; `fit` puts the whole picture on a grey canvas;
            `fill` cuts off what is too long, at both ends alike, and drops the objects cut off with it.
        classified: see `edited`.
    """
    images, dropped = [], list[Change]()
    for image in dataset.images:
        edits = resize_edits(image.width, image.height, width, height, mode)
        record, cropped = edited(image, edits, classified=classified)
        images.append(record)
        dropped += cropped
    return dataset.with_images(images), ReadReport(dropped=tuple(dropped))


def resize_edits(width: int, height: int, to_width: int, to_height: int, mode: Mode) -> tuple[Edit, ...]:
    """What brings a picture of `width` x `height` to the size wanted; nothing where it has it."""
    if (width, height) == (to_width, to_height):
        return ()
    if mode == "stretch":
        return (Resize(to_width, to_height),)
    across, down = to_width / width, to_height / height
    scale = min(across, down) if mode == "fit" else max(across, down)
    scaled = Resize(max(1, round(width * scale)), max(1, round(height * scale)))
    x, y = abs(to_width - scaled.width) // 2, abs(to_height - scaled.height) // 2
    framed = Pad(x, y, to_width, to_height) if mode == "fit" else Crop(x, y, to_width, to_height)
    same_size = (scaled.width, scaled.height) == (width, height)
    same_frame = (scaled.width, scaled.height) == (to_width, to_height)
    return (() if same_size else (scaled,)) + (() if same_frame else (framed,))
