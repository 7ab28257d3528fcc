"""HTML in pieces. Text is escaped wherever it is put in; only what was made here is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from yolo_pipeline.reporting.pages.shell import safe


class Markup(str):
    """HTML of our own making; any other string is text."""

    __slots__ = ()


Part = str | Markup | None
"""None stands for nothing."""


def html(part: object) -> Markup:
    if part is None:
        return Markup()
    return part if isinstance(part, Markup) else Markup(safe(part))


def with_code(text: str) -> Markup:
    """Text, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", html(text)))


def join(parts: Iterable[Part]) -> Markup:
    return Markup("\n".join(html(part) for part in parts if part is not None))


def element(tag: str, *parts: Part, **attributes: object) -> Markup:
    """`class_` gives `class`, `data_x` gives `data-x`; one of None or False is left out, one of True is bare."""
    opened = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{safe(value)}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{tag}{opened}>{''.join(html(part) for part in parts)}</{tag}>")


def section(name: str, heading: str, *parts: Part) -> Markup:
    inside = join([element("h2", heading, id=f"{name}-heading"), *parts])
    return element("section", inside, id=name, aria_labelledby=f"{name}-heading")


def table(
    head: Sequence[Part], rows: Iterable[Sequence[Part]], *, words: Sequence[int] = (), label: str | None = None
) -> Markup:
    """A table in a box of its own that scrolls sideways; the first cell of a row is its heading.

    Args:
        head: empty strings: it needs none.
        words: columns that hold words, which stand at the left.
        label: what it shows, where no heading stands right before it.
    """

    def kind(column: int) -> str | None:
        return "words" if column in words else None

    def row_of(row: Sequence[Part]) -> Markup:
        cells = (element("td", cell, class_=kind(at)) for at, cell in enumerate(row[1:], start=1))
        return element("tr", element("th", row[0], scope="row"), *cells)

    top = element("tr", *(element("th", cell, scope="col", class_=kind(at)) for at, cell in enumerate(head)))
    inside = join([element("thead", top) if any(head) else None, element("tbody", join(map(row_of, rows)))])
    return element("div", element("table", inside, aria_label=label), class_="scroll", tabindex=0)


def listing(items: Iterable[Part]) -> Markup:
    return element("ul", join(element("li", item) for item in items))


def details(summary: Part, *parts: Part) -> Markup:
    """What is a click away."""
    return element("details", element("summary", summary), *parts)


def paragraphs(text: str) -> Markup:
    """A paragraph for each line that says something."""
    return join(element("p", line) for line in text.splitlines() if line.strip())
