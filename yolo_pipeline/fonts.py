"""The font for words in pictures: with Hangul, and there without a network."""

from __future__ import annotations

import importlib.util
import io
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


def font_subset(characters: set[str]) -> bytes:
    """The same font as WOFF with these characters alone, as far as it has them: some kilobytes instead of megabytes."""
    from fontTools import subset

    options = subset.Options(notdef_outline=True)
    options.drop_tables += ["TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]  # an editor's own, of which it would warn
    font = subset.load_font(str(font_file()), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(characters)))
    subsetter.subset(font)
    font.flavor = "woff"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
