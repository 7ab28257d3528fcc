"""Corners of boxes as pages carry them."""

from __future__ import annotations


def short(value: float) -> float:
    """To a tenth of a pixel, without a needless `.0`."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
