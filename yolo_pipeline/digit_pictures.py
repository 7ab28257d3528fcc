"""The built-in data set for classification: real handwritten digits, a picture each, in folders by class.

The digits are those of `digits`: scikit-learn's copy of the UCI "Optical Recognition of Handwritten Digits" test set
(E. Alpaydin and C. Kaynak, 1998, CC BY 4.0), 1,797 pictures of 8x8 pixels with values 0..16. Each is enlarged to 32x32
pixels by bicubic interpolation of 255/16 times its values, light on black as they are, and saved as grey PNG under its
number in scikit-learn's order: train/3/0013.png.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from yolo_pipeline.files import folder_beside
from yolo_pipeline.nouns import Split
from yolo_pipeline.progress import Progress, silent

FOLDER = Path("datasets/raw/digit-pictures")
"""Where a project that says `builtin: digits` keeps them."""

SIZE = 32  # pixels, width and height of a picture
COUNTS: dict[Split, int] = {"train": 597, "val": 200, "test": 1000}
_LEVELS = 16  # the largest value of scikit-learn's


def make(folder: Path, progress: Progress = silent, seed: int = 0) -> None:
    """Makes the data set in `folder`, which must not exist yet. The same seed gives the same bytes.

    It is built beside its place and renamed, so a folder that is there is whole.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels = [int(label) for label in digits.target]
    order = _evenly(labels, seed)
    splits = [split for split, count in COUNTS.items() for _ in range(count)]
    with folder_beside(folder) as building:
        for number, split in progress.items(list(zip(order, splits, strict=True)), "drawing digits"):
            file = building / split / str(labels[number]) / f"{number:04}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            shape = np.rint(digits.images[number] * (255 / _LEVELS)).astype(np.uint8)
            Image.fromarray(shape).resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(file, "PNG")


def _evenly(labels: list[int], seed: int) -> list[int]:
    """Indexes in an order of which any beginning holds each label by its share, give or take one; drawn by `seed`."""
    totals, seen = Counter(labels), Counter[int]()
    places = []
    for index in np.random.default_rng(seed).permutation(len(labels)).tolist():
        label = labels[index]
        places.append(((seen[label] + 0.5) / totals[label], label, index))
        seen[label] += 1
    return [index for _, _, index in sorted(places)]
