"""Pictures that a model was shown, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.views import Seen


def found(label: str, score: float, x0: float = 10, y0: float = 20, x1: float = 50, y1: float = 60) -> Detection:
    return Detection(Box(x0, y0, x1, y1), label, score)


def seen(name: str, *detections: Detection, file: Path = Path("none.jpg"), size: tuple[int, int] = (100, 80)) -> Seen:
    return Seen(name, file, *size, detections)


def saved(file: Path, size: tuple[int, int] = (100, 80), seed: int = 0) -> Path:
    """Writes a picture of noise, with a red upper left corner."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    pixels[: size[1] // 4, : size[0] // 4] = (250, 0, 0)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return file
