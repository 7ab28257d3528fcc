"""Pictures in which little can be seen: blank, dark, blurred."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from yolo_pipeline.auditing.evidence import Evidence, count, named
from yolo_pipeline.nouns import Finding

BLANK = 2.0
"""Standard deviation of luminance (0..255) that the noise of a camera alone exceeds."""

DARK = 30.0
"""Mean luminance (0..255) below which a photograph shows little ..."""

MUCH_DARKER = 0.4
"""... if the set's median is not dark itself: X-rays and night pictures are as they should be."""

SOFT = 0.008
"""Variance of the Laplacian over the variance of luminance: below it, edges are wider than a dozen pixels of 512 ..."""

MUCH_SOFTER = 0.1
"""... and a picture stands out if it is below this share of the set's median."""


def blank(evidence: Evidence) -> Iterator[Finding]:
    files = _images_of(evidence, [evidence.picture(file).contrast < BLANK for file in evidence.files])
    if files:
        text = f"{count(len(files), 'picture')} of one colour throughout: {named(files)}"
        yield Finding("blank pictures", "warning", text, "Leave them out, or export them again", files)


def dark(evidence: Evidence) -> Iterator[Finding]:
    light = np.array([evidence.picture(file).light for file in evidence.files])
    contrast = np.array([evidence.picture(file).contrast for file in evidence.files])
    if not len(light):
        return
    limit = min(DARK, MUCH_DARKER * float(np.median(light)))
    files = _images_of(evidence, (light < limit) & (contrast >= BLANK))
    if files:
        usual = f"the set's median being {np.median(light):.0f} of 255"
        text = f"{count(len(files), 'picture')} nearly black, {usual}: {named(files)}"
        remedy = "Leave out those in which you see nothing yourself; label more dark ones if it shall work in the dark"
        yield Finding("dark pictures", "warning", text, remedy, files, {"limit": round(limit, 1)})


def blurred(evidence: Evidence) -> Iterator[Finding]:
    pictures = [evidence.picture(file) for file in evidence.files]
    focus = np.array([p.sharpness / p.contrast**2 if p.contrast >= BLANK else np.nan for p in pictures])
    if not np.isfinite(focus).any():
        return
    limit = min(SOFT, MUCH_SOFTER * float(np.nanmedian(focus)))
    files = _images_of(evidence, focus < limit)
    if files:
        text = f"{count(len(files), 'picture')} far less sharp than the others: {named(files)}"
        remedy = "Leave them out, unless it shall work on blurred pictures too"
        yield Finding("blurred pictures", "warning", text, remedy, files, {"limit": round(limit, 5)})


def _images_of(evidence: Evidence, chosen: npt.ArrayLike) -> tuple[str, ...]:
    """Names of the images made of the chosen files."""
    return tuple(evidence.by_file[evidence.files[i]][0].name for i in np.flatnonzero(chosen))
