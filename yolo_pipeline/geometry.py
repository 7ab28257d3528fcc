"""Arithmetic on boxes: putting corners in order, clipping, turning with a picture. Pixels, 0-based, half-open."""

from __future__ import annotations

from yolo_pipeline.nouns import Box


def order_corners(box: Box) -> Box:
    """The same rectangle with x0 <= x1 and y0 <= y1."""
    return Box(min(box.x0, box.x1), min(box.y0, box.y1), max(box.x0, box.x1), max(box.y0, box.y1))


def clip_box(box: Box, width: float, height: float) -> Box:
    """`box` cut off at the borders of a picture; its area is 0 where it lies outside altogether."""
    x0, y0 = min(max(box.x0, 0.0), width), min(max(box.y0, 0.0), height)
    return Box(x0, y0, min(max(box.x1, x0), width), min(max(box.y1, y0), height))


def turn_box(box: Box, orientation: int, width: float, height: float) -> Box:
    """A box on the stored pixels, as it lies on the upright picture.

    Args:
        orientation: EXIF orientation, 1..8 (CIPA DC-008-2019, tag 0x0112).
        width, height: size as stored, before turning.
    """
    x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
    if orientation in (5, 6, 7, 8):  # rows become columns
        x0, y0, x1, y1 = y0, x0, y1, x1
        width, height = height, width
    if orientation in (2, 3, 6, 7):  # mirrored left to right
        x0, x1 = width - x1, width - x0
    if orientation in (3, 4, 7, 8):  # mirrored top to bottom
        y0, y1 = height - y1, height - y0
    return Box(x0, y0, x1, y1)


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1; 0 where both are empty."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    if width <= 0 or height <= 0:
        return 0.0
    overlap = width * height
    return overlap / (a.width * a.height + b.width * b.height - overlap)
