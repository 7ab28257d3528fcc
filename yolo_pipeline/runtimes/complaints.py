"""What libraries say when they fail, as a part of a line of ours."""

from __future__ import annotations

import re

from yolo_pipeline.errors import one_line

_TERMINAL_CODE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_MARK = re.compile("(?:ERROR |WARNING )?[❌⚠✅\N{ELECTRIC LIGHT BULB}]\N{VARIATION SELECTOR-16}?")  # Ultralytics' own


def complaint(error: Exception, most: int = 200) -> str:
    """On one line, without marks and terminal codes, of at most so many characters; longer ones end at a word."""
    said = one_line(_MARK.sub(" ", _TERMINAL_CODE.sub("", str(error)))) or type(error).__name__
    if len(said) <= most:
        return said
    cut = said[: most - 1]
    return f"{cut[: max(cut.rfind(' '), 0)] or cut[:-1]} …"
