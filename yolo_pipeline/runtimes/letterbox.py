"""A picture as a network is shown it, and boxes on that back on the picture.

As Ultralytics 8.4 does: `LetterBox` in data/augment.py, `scale_boxes` in utils/ops.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_pipeline.decoding import Pixels

Corners = npt.NDArray[np.float32]
"""(N, 4): x0, y0, x1, y1 in pixels."""

GREY = (114, 114, 114)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies on what the network is shown.

    Attributes:
        width, height: of the picture.
        across, down: width and height of its image there, in pixels.
        left, top: pixels of grey beside and above it.
    """

    width: int
    height: int
    across: int
    down: int
    left: int
    top: int


def rounded_up(imgsz: int, stride: int) -> int:
    """The next size that the network can be shown, as Ultralytics' `check_imgsz` has it."""
    return -(-imgsz // stride) * stride


def letterbox(picture: Pixels, size: tuple[int, int], stride: int | None) -> tuple[Pixels, Placement]:
    """The picture scaled to fit into `size`, (height, width), in the middle of grey.

    Args:
        stride: pad to its multiples only, for networks that take rectangles; None: to the whole of `size`.
    """
    height, width = picture.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    across, down = max(round(width * scale), 1), max(round(height * scale), 1)
    wide, high = size[1] - across, size[0] - down
    if stride is not None:
        wide, high = wide % stride, high % stride
    if (width, height) != (across, down):
        picture = np.asarray(cv2.resize(picture, (across, down), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    left, top = round(wide / 2 - 0.1), round(high / 2 - 0.1)
    right, bottom = round(wide / 2 + 0.1), round(high / 2 + 0.1)
    shown = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=GREY)
    return np.asarray(shown, dtype=np.uint8), Placement(width, height, across, down, left, top)


def placed_back(corners: Corners, placement: Placement) -> Corners:
    """Boxes on what the network was shown as boxes on the picture, cut at its border."""
    offset = np.array([placement.left, placement.top] * 2, dtype=np.float32)
    scale = np.array([placement.across / placement.width, placement.down / placement.height] * 2, dtype=np.float32)
    border = np.array([placement.width, placement.height] * 2, dtype=np.float32)
    return np.asarray(np.clip((corners - offset) / scale, 0, border), dtype=np.float32)
