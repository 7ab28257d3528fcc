"""Pictures as a classifier is shown them: stretched to a square, normalised."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.tracks.classify.models import Normalisation


def to_tensor(pictures: Sequence[Pixels], imgsz: int, normalisation: Normalisation) -> torch.Tensor:
    """
    Args:
        pictures: each (height, width, 3) uint8, blue first.
        imgsz: side in pixels of the square that each is stretched to.

    Returns:
        (N, 3, imgsz, imgsz) float32, red first, normalised.
    """
    if not pictures:
        return torch.empty((0, 3, imgsz, imgsz))
    squares = np.stack([stretched(picture, imgsz) for picture in pictures])
    values = torch.from_numpy(squares[..., ::-1].copy()).permute(0, 3, 1, 2).contiguous().float().div_(255)
    mean, std = (torch.tensor(of).view(1, 3, 1, 1) for of in (normalisation.mean, normalisation.std))
    return values.sub_(mean).div_(std)


def stretched(picture: Pixels, imgsz: int) -> Pixels:
    """A picture as a square (imgsz, imgsz, 3), whatever its shape, as Keras' flow_from_directory has it.

    A side that is too long is averaged by area, so that nothing between pixels is lost; then one that is too short is
    interpolated linearly.
    """
    height, width = picture.shape[:2]
    shrunk = (min(width, imgsz), min(height, imgsz))
    if shrunk != (width, height):
        picture = np.asarray(cv2.resize(picture, shrunk, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if shrunk != (imgsz, imgsz):
        picture = np.asarray(cv2.resize(picture, (imgsz, imgsz), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    return picture
