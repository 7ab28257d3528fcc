"""What every page is wrapped in: one self-contained HTML file, light and dark, that asks no network for anything."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from yolo_pipeline.errors import one_line
from yolo_pipeline.fonts import font_subset

Language = Literal["en", "ko"]

_FIRST_OF_THE_FONT = 0x1100  # Hangul and what comes behind it
_FONT_PLACE = "/* font */"
_POLICY = (
    "default-src 'none'; img-src data: blob:; font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def safe(text: object) -> str:
    """Text of strangers, as text: it can neither become markup nor close an attribute."""
    return html.escape(one_line(str(text)), quote=True)


def page(
    title: str,
    body: str,
    data: Any,
    scripts: Sequence[str],
    lang: Language = "en",
    *,
    plots: bool = True,
    styles: Sequence[str] = (),
) -> str:
    """A whole page.

    Args:
        body: HTML inside `<main>`, escaped where it must be (`safe`).
        data: what the scripts read with `JSON.parse(document.getElementById("data").textContent)`.
        scripts: paths of script files below this folder, run in this order once the page is read.
        plots: put the library that draws plots (Plotly) before them, for plots.js to run when it needs it.
        styles: paths of style sheets below this folder that follow the one of all pages.
    """
    style = "\n".join(_beside(name) for name in ("style.css", *styles))
    code = "\n".join(_script(_beside(name)) for name in scripts)
    library = f'<script type="text/plain" id="plotly">{_plotly()}</script>' if plots else ""
    whole = f"""<!doctype html>
<html lang="{lang}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{safe(title)}</title>
<style>{_FONT_PLACE}
{style}</style></head>
<body>
<main>
{body}
</main>
<script type="application/json" id="data">{_inert(data)}</script>
{library}
{code}
</body>
</html>
"""
    return whole.replace(_FONT_PLACE, font_face(body + json.dumps(data, ensure_ascii=False)), 1)


def font_face(text: str) -> str:
    """A rule with the font `names` for what a browser may have no font for, of what `text` holds: Hangul, above all."""
    if text.isascii():  # megabytes of pictures are
        return ""
    characters = {character for character in set(text) if ord(character) >= _FIRST_OF_THE_FONT}
    if not characters:
        return ""
    data = base64.b64encode(font_subset(characters)).decode()
    source = f'url("data:font/woff;base64,{data}")'
    return f'@font-face {{ font-family: "names"; unicode-range: U+1100-10FFFF; src: {source}; }}'


def data_url(data: bytes, kind: Literal["jpeg", "png"]) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _inert(data: Any) -> str:
    """JSON that cannot end its script element, nor begin a comment in it."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _script(code: str) -> str:
    return f"<script>{code}</script>"


def _beside(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    """Plotly's script, gzipped, in base64: a third of its 4.8 MB."""
    from plotly.offline import get_plotlyjs  # imported late: only pages need it

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode("ascii")
