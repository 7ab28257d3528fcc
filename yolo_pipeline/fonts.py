"""The font for words in pictures: with Hangul, and there without a network."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path


@cache
def font_file() -> Path:
    """NanumGothic (SIL Open Font License), as the package koreanize-matplotlib carries it.

    The package is not imported: that would change matplotlib's settings for everybody.
    """
    spec = importlib.util.find_spec("koreanize_matplotlib")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("koreanize_matplotlib")
    return Path(spec.origin).parent / "fonts" / "NanumGothic.ttf"
