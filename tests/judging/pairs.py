"""Pairs of truth and detections as COCO JSON: made by hand, or drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Xyxy = tuple[float, float, float, float]
Labelled = tuple[Xyxy, str]
Said = tuple[Xyxy, str, float]
CocoPair = tuple[dict[str, Any], list[dict[str, Any]]]


def made(
    truths: Sequence[Sequence[Labelled]],
    said: Sequence[Sequence[Said]],
    names: Sequence[str] = ("a", "b"),
    size: tuple[int, int] | None = (100, 100),
    crowds: Sequence[tuple[int, Xyxy, str]] = (),
) -> CocoPair:
    """Images 0.png, 1.png … with these objects and detections. Crowds are given as (image, box, class)."""
    numbers = {name: number for number, name in enumerate(names, start=1)}
    objects = [(at, box, name, 0) for at, mine in enumerate(truths) for box, name in mine]
    objects += [(at, box, name, 1) for at, box, name in crowds]
    described: Mapping[str, int] = {} if size is None else {"width": size[0], "height": size[1]}
    truth = {
        "images": [
            {"id": at + 1, "file_name": f"{at}.png", "sha256": f"{at:064}", **described} for at in range(len(truths))
        ],
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
        "annotations": [
            {
                "id": number,
                "image_id": at + 1,
                "category_id": numbers[name],
                "bbox": _xywh(box),
                "area": (box[2] - box[0]) * (box[3] - box[1]),
                "iscrowd": crowd,
            }
            for number, (at, box, name, crowd) in enumerate(objects, start=1)
        ],
    }
    results = [
        {"image_id": at + 1, "category_id": numbers[name], "bbox": _xywh(box), "score": score}
        for at, mine in enumerate(said)
        for box, name, score in mine
    ]
    return truth, results


def drawn(
    seed: int,
    images: int = 12,
    classes: int = 3,
    most_objects: int = 6,
    most_said: int = 10,
    crowds: bool = False,
    ties: bool = False,
) -> CocoPair:
    """Objects anywhere, and detections near them or anywhere, in any order; scores with ties are eighths."""
    rng = np.random.default_rng(seed)
    names = [f"class {number}" for number in range(classes)]
    truths: list[list[Labelled]] = []
    said: list[list[Said]] = []
    groups: list[tuple[int, Xyxy, str]] = []
    for image in range(images):
        mine = [(_box(rng), str(rng.choice(names))) for _ in range(rng.integers(0, most_objects + 1))]
        truths.append([one for one in mine if not (crowds and rng.random() < 0.15)])
        groups += [(image, *one) for one in mine if one not in truths[-1]]
        said.append([_said(rng, mine, names, ties) for _ in range(rng.integers(0, most_said + 1))])
    truth, results = made(truths, said, names, crowds=groups)
    return truth, [results[at] for at in rng.permutation(len(results))]


def _said(rng: np.random.Generator, objects: list[Labelled], names: list[str], ties: bool) -> Said:
    box, name = _box(rng), str(rng.choice(names))
    if objects and rng.random() < 0.8:
        near, label = objects[rng.integers(len(objects))]
        x0, y0, x1, y1 = (float(value) for value in np.array(near) + rng.integers(-4, 5, 4))
        box, name = (x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)), label if rng.random() < 0.8 else name
    return box, name, float(rng.integers(0, 9) / 8 if ties else rng.random())


def _box(rng: np.random.Generator) -> Xyxy:
    (x, y), (width, height) = rng.integers(0, 60, 2).tolist(), rng.integers(1, 40, 2).tolist()
    return (float(x), float(y), float(x + width), float(y + height))


def _xywh(box: Xyxy) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]
