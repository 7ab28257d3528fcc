"""Pictures small enough for a page, as many as it has room for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

import cv2
import numpy as np

from yolo_pipeline.cores import all_cores
from yolo_pipeline.decoding import Pixels, at_most, decode_any
from yolo_pipeline.images import UnreadableImage
from yolo_pipeline.reporting.pages.jpeg import jpeg
from yolo_pipeline.reporting.pages.shell import data_url
from yolo_pipeline.views import Seen

MOST = 800
"""Pictures that are looked at."""
_SIDE = 480  # pixels, the longer side
_BUDGET = 12_000_000  # bytes of all data URLs, and of the corners of the boxes on them
_A_BOX = 26  # bytes, about, of its corners
_AT_A_TIME = 32


def take_thumbnails(pictures: Iterable[Seen]) -> Mapping[str, str]:
    """Name -> data URL, of the first ones until the budget is spent; what is gone or broken by now is absent.

    Args:
        pictures: the most telling first; their detections are those that are shown.
    """
    urls: dict[str, str] = {}
    left, waiting = _BUDGET, iter(pictures)
    with all_cores() as pool:
        while group := list(islice(waiting, _AT_A_TIME)):
            for seen, url in zip(group, pool.map(_thumbnail, group), strict=True):
                left -= len(url) + _A_BOX * len(seen.detections) if url else 0
                if left < 0:
                    return urls
                if url:
                    urls[seen.name] = url
    return urls


def _thumbnail(seen: Seen) -> str:
    """Empty where the picture cannot be read any more."""
    try:
        return data_url(jpeg(_smaller(decode_any(seen.file).pixels)), "jpeg")
    except UnreadableImage:
        return ""


def _smaller(pixels: Pixels) -> Pixels:
    """Made a little smaller by interpolation, which takes a third of the time of averaging."""
    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    if not 0.5 <= scale < 1:
        return at_most(pixels, _SIDE)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
