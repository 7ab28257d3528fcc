"""Pictures as pages carry them."""

from __future__ import annotations

import cv2

from yolo_pipeline.decoding import Pixels

_QUALITY = 74


def jpeg(pixels: Pixels) -> bytes:
    """As small as one still likes to look at it."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    return data.tobytes()
