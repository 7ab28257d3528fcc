"""Pictures without objects, added to the training images so that a detector learns what is nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from yolo_pipeline.errors import DataError
from yolo_pipeline.nouns import Dataset, ImageRecord


def add_backgrounds(
    dataset: Dataset, pictures: Sequence[ImageRecord], share: float, seed: int, hashes: Mapping[Path, str]
) -> Dataset:
    """Adds background pictures until they are `share` of all training images (background images included).

    Training images without a box count towards the share. The choice is seeded and grows with the share: what a
    smaller share takes, a larger one takes, too. Pictures that the data set holds already are passed over.

    Raises:
        DataError: there are too few pictures; the text says how many are missing.
    """
    training = dataset.of("train")
    there = sum(image.is_background for image in training)
    wanted = max(0, round((share * len(training) - there) / (1 - share)))
    held = {hashes[image.file] for image in dataset.images}
    free = {hashes[picture.file]: picture for picture in pictures if hashes[picture.file] not in held}
    if len(free) < wanted:
        reason = f"{share:.0%} of train are {wanted + there} background pictures, {wanted - len(free)} are missing"
        remedy = f"Add {wanted - len(free)} pictures without objects there, or lower data.backgrounds.share"
        raise DataError("data.backgrounds", reason, remedy)
    order = sorted(free, key=lambda sha: hashlib.sha256(f"{seed}:background:{sha}".encode()).hexdigest())
    chosen = sorted((free[sha] for sha in order[:wanted]), key=lambda picture: picture.name)
    added = (replace(picture, name=f"backgrounds/{picture.name}", split="train", truths=()) for picture in chosen)
    return dataset.with_images([*dataset.images, *added])
