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

Indices = npt.NDArray[np.int64]

MOST_BITS = 10
"""Of 64. Unrelated photographs differ in some 32; scaled or recompressed ones in 0 to 4, frames of a burst up to 10."""

LEAST_AGREEMENT = 0.9
"""Correlation of the thumbnails. Below it, pairs show similar things in a similar place, but other ones."""

PLAIN = 0.5
"""Share of a thumbnail within a few grey levels of its median from which on the picture is mostly empty: a page ..."""

PLAIN_AGREEMENT = 0.995
"""... on which any two signs in one place agree in all the rest. Copies of a page agree in more than this."""

SMALL = 64
"""Longer side in pixels below which a picture holds little enough for two signs to agree as those on a page do."""

LEAST_CONTRAST = 4.0
"""Standard deviation of a thumbnail, 0..255, below which it is too plain to say anything."""

_MOST_PARTNERS = 16  # of one picture, the next in order: of thousands that are all alike, each is still joined to some
_MOST_CANDIDATES = 256  # of one picture: so many thumbnails are compared, where thousands of hashes are alike
_COMPARED = 8192  # thumbnails at a time: 64 MB as floats
_FEW_LEVELS = 6
_ROWS = 32  # compared at a time, against all the others: 32 x 50,000 hashes are 13 MB


def near_pairs(hashes: Sequence[int], thumbs: Sequence[bytes], sides: Sequence[int] = ()) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, of near-identical pictures, sorted.

    Args:
        hashes: 64 bits a picture.
        thumbs: grey values of a picture's thumbnail, all of one size.
        sides: longer sides of the pictures in pixels; left out, none is SMALL.
    """
    if len(hashes) < 2:
        return []
    pixels = np.stack([np.frombuffer(thumb, np.uint8) for thumb in thumbs])
    little = _mostly_empty(pixels)
    if sides:
        little |= np.array(sides) < SMALL
    needed = np.where(little, PLAIN_AGREEMENT, LEAST_AGREEMENT)
    told = np.flatnonzero(pixels.std(axis=1, dtype=np.float32) >= LEAST_CONTRAST)
    pairs: list[tuple[int, int]] = []
    for block in _candidates(np.array(hashes, dtype=np.uint64)[told]):
        first, second = told[block[0]], told[block[1]]
        alike = _agreement(pixels, first, second) > np.maximum(needed[first], needed[second])
        first, second = first[alike], second[alike]
        few = _rank(first) < _MOST_PARTNERS
        pairs += zip(first[few].tolist(), second[few].tolist(), strict=True)
    return pairs


def _mostly_empty(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """(N,): of thumbnails (N, pixels), whether they are of one grey for the most part."""
    median = np.median(pixels, axis=1, keepdims=True).astype(np.int16)
    empty: npt.NDArray[np.bool_] = (np.abs(pixels - median) <= _FEW_LEVELS).mean(axis=1) > PLAIN
    return empty


def _agreement(pixels: npt.NDArray[np.uint8], first: Indices, second: Indices) -> npt.NDArray[np.float32]:
    """(N,): correlation of the thumbnails `first` and `second`, which are not plain."""
    parts = [slice(start, start + _COMPARED) for start in range(0, len(first), _COMPARED)]
    agreements = [_correlation(pixels[first[part]], pixels[second[part]]) for part in parts]
    return np.concatenate(agreements) if agreements else np.zeros(0, np.float32)


def _correlation(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    a, b = first.astype(np.float32), second.astype(np.float32)
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b))
    correlation: npt.NDArray[np.float32] = np.einsum("ij,ij->i", a, b) / spread
    return correlation


def _rank(first: Indices) -> Indices:
    """How many pairs with the same first picture stand before each; they lie together."""
    return np.arange(len(first)) - np.searchsorted(first, first)


def _candidates(hashes: npt.NDArray[np.uint64]) -> Iterator[tuple[Indices, Indices]]:
    """Pairs of close hashes as two index arrays, block by block."""
    for start in range(0, len(hashes) - 1, _ROWS):
        rows = hashes[start : start + _ROWS]
        close = np.bitwise_count(rows[:, None] ^ hashes[None, start + 1 :]) <= MOST_BITS
        first, second = np.nonzero(close)
        second += 1  # columns begin behind the block's first row
        first, second = first[second > first], second[second > first]
        few = _rank(first) < _MOST_CANDIDATES
        yield first[few] + start, second[few] + start
