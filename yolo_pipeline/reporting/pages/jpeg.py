"""Pictures as pages carry them."""

from __future__ import annotations

import cv2

from yolo_pipeline.decoding import Pixels

_QUALITY, _OF_TINY = 74, 95
_TINY = 64  # pixels of the longer side, of a picture that is shown enlarged


def jpeg(pixels: Pixels) -> bytes:
    """As small as one still likes to look at it."""
    quality = _OF_TINY if max(pixels.shape[:2]) <= _TINY else _QUALITY
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    return data.tobytes()
