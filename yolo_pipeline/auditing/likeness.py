"""Which pictures show nearly the same.

Candidates are pairs whose perceptual hashes differ in few bits; a pair counts when the thumbnails agree as well, so
that plain pictures (digits on white paper), whose hashes are alike by chance, raise no alarm.

Calibrated on public sets by eye: the two thresholds find the 28 near-identical pairs across train and valid of a
Roboflow export of kitchen photographs and the 22 of a set of X-rays, and none among scenes of handwritten digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

MOST_BITS = 10
"""Of 64. Unrelated photographs differ in some 32; scaled or recompressed ones in 0 to 4, frames of a burst up to 10."""

LEAST_AGREEMENT = 0.9
"""Correlation of the thumbnails. Below it, pairs show similar things in a similar place, but other ones."""

PLAIN = 0.5
"""Share of a thumbnail within a few grey levels of its median from which on the picture is mostly empty: a page ..."""

PLAIN_AGREEMENT = 0.995
"""... on which any two signs in one place agree in all the rest. Copies of a page agree in more than this."""

LEAST_CONTRAST = 4.0
"""Standard deviation of a thumbnail, 0..255, below which it is too plain to say anything."""

_MOST_PARTNERS = 16  # of one picture, the next in order: of thousands that are all alike, each is still joined to some
_FEW_LEVELS = 6
_ROWS = 32  # compared at a time, against all the others: 32 x 50,000 hashes are 13 MB


def near_pairs(hashes: Sequence[int], thumbs: Sequence[bytes]) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, of near-identical pictures, sorted.

    Args:
        hashes: 64 bits a picture.
        thumbs: grey values of a picture's thumbnail, all of one size.
    """
    if len(hashes) < 2:
        return []
    pixels = np.stack([np.frombuffer(thumb, np.uint8) for thumb in thumbs])
    needed = np.where(_mostly_empty(pixels), PLAIN_AGREEMENT, LEAST_AGREEMENT)
    pairs: list[tuple[int, int]] = []
    for first, second in _candidates(np.array(hashes, dtype=np.uint64)):
        alike = _agreement(pixels[first], pixels[second]) > np.maximum(needed[first], needed[second])
        pairs += zip(first[alike].tolist(), second[alike].tolist(), strict=True)
    return pairs


def _mostly_empty(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """(N,): of thumbnails (N, pixels), whether they are of one grey for the most part."""
    median = np.median(pixels, axis=1, keepdims=True).astype(np.int16)
    empty: npt.NDArray[np.bool_] = (np.abs(pixels - median) <= _FEW_LEVELS).mean(axis=1) > PLAIN
    return empty


def _agreement(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Correlation of thumbnails row by row, (N, pixels) each; 0 where one of them is too plain."""
    a, b = first.astype(np.float32), second.astype(np.float32)
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("ij,ij->i", a, a)), np.sqrt(np.einsum("ij,ij->i", b, b))
    told = np.minimum(*spread) >= LEAST_CONTRAST * np.sqrt(first.shape[1])
    agreement = np.einsum("ij,ij->i", a, b) / np.maximum(spread[0] * spread[1], 1)
    return np.where(told, agreement, np.float32(0))


def _candidates(hashes: npt.NDArray[np.uint64]) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Pairs of close hashes as two index arrays, block by block."""
    for start in range(0, len(hashes) - 1, _ROWS):
        rows = hashes[start : start + _ROWS]
        close = np.bitwise_count(rows[:, None] ^ hashes[None, start + 1 :]) <= MOST_BITS
        first, second = np.nonzero(close)
        second += 1  # columns begin behind the block's first row
        first, second = first[second > first], second[second > first]
        rank = np.arange(len(first)) - np.searchsorted(first, first)  # how many partners the row had before
        few = rank < _MOST_PARTNERS
        yield first[few] + start, second[few] + start
