"""Arithmetic on boxes: putting corners in order, clipping, following a picture's edits. Pixels, 0-based, half-open."""

from __future__ import annotations

import math

from yolo_pipeline.nouns import Box, Crop, Edit, Pad, Place, Resize, Rotate, Turn

SAME_OBJECT_IOU = 0.5
"""Two boxes that overlap so much are taken for one object, as the judge takes them."""

_Point = tuple[float, float]


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


def size_after(edit: Edit, width: int, height: int) -> tuple[int, int]:
    """(width, height) of a picture once `edit` was done to it."""
    match edit:
        case Resize() | Crop() | Pad() | Place():
            return edit.width, edit.height
        case Turn(5 | 6 | 7 | 8):
            return height, width
    return width, height


def follow(box: Box, edit: Edit, width: int, height: int) -> Box:
    """Where an object lies once `edit` was done to a picture of `width` x `height`; it may reach out of the result."""
    match edit:
        case Resize():
            across, down = edit.width / width, edit.height / height
            return Box(box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down)
        case Crop():
            return shift_box(box, -edit.x, -edit.y)
        case Pad() | Place():
            return shift_box(box, edit.x, edit.y)
        case Turn():
            return turn_box(box, edit.orientation, width, height)
        case Rotate():
            return rotate_box(box, edit.degrees, width / 2, height / 2)
    return box


def shift_box(box: Box, right: float, down: float) -> Box:
    return Box(box.x0 + right, box.y0 + down, box.x1 + right, box.y1 + down)


def rotate_box(box: Box, degrees: float, x: float, y: float) -> Box:
    """The box around `box` turned about (x, y), counter-clockwise as one sees it."""
    points = _turned_about(box, degrees, x, y)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Box(min(xs), min(ys), max(xs), max(ys))


def _turned_about(box: Box, degrees: float, x: float, y: float) -> list[_Point]:
    """The corners of `box`, one after the other, turned about (x, y)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = ((box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1))
    return [(x + cos * (cx - x) + sin * (cy - y), y - sin * (cx - x) + cos * (cy - y)) for cx, cy in corners]


def part_in_picture(box: Box, edit: Edit, width: int, height: int) -> tuple[Box, float]:
    """What of an object is left in the picture once `edit` was done: the box around it, and its share of the object.

    Args:
        width, height: of the picture before the edit.
    """
    after = size_after(edit, width, height)
    if isinstance(edit, Rotate):
        return _part_of_rotated(box, edit.degrees, width, height)
    moved = follow(box, edit, width, height)
    inside, area = clip_box(moved, *after), moved.width * moved.height
    return inside, inside.width * inside.height / area if area > 0 else 0.0


def _part_of_rotated(box: Box, degrees: float, width: float, height: float) -> tuple[Box, float]:
    """As `part_in_picture`: the turned rectangle itself is cut off at the borders, not the larger box around it."""
    points = _turned_about(box, degrees, width / 2, height / 2)
    for axis, limit in ((0, width), (1, height)):
        points = _cut(points, axis, 0.0, 1.0)
        points = _cut(points, axis, limit, -1.0)
    if len(points) < 3:
        return Box(0.0, 0.0, 0.0, 0.0), 0.0
    xs, ys = [x for x, _ in points], [y for _, y in points]
    pairs = zip(points, points[1:] + points[:1], strict=True)
    area = abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2
    whole = box.width * box.height
    return clip_box(Box(min(xs), min(ys), max(xs), max(ys)), width, height), area / whole if whole > 0 else 0.0


def _cut(points: list[_Point], axis: int, limit: float, side: float) -> list[_Point]:
    """The part of a convex polygon where (coordinate - limit) * side >= 0 (Sutherland and Hodgman, CACM 1974)."""
    kept: list[_Point] = []
    for a, b in zip(points, points[1:] + points[:1], strict=True):
        da, db = (a[axis] - limit) * side, (b[axis] - limit) * side
        if da >= 0:
            kept.append(a)
        if (da < 0) != (db < 0):
            t = da / (da - db)
            kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
    return kept


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1; 0 where both are empty."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    if width <= 0 or height <= 0:
        return 0.0
    overlap = width * height
    return overlap / (a.width * a.height + b.width * b.height - overlap)
