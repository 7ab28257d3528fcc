"""A confusion matrix as a table of numbers to press; matrix.js opens what lies behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from yolo_pipeline.diagnosis import ConfusedPair
from yolo_pipeline.nouns import Split
from yolo_pipeline.reporting.pages.markup import Markup, element, join, listing
from yolo_pipeline.reporting.pages.saying import Say
from yolo_pipeline.reporting.tables import percent


def confusion(
    names: Sequence[str],
    counts: npt.NDArray[np.int64],
    split: Split,
    says: Callable[[int, int], str],
    say: Say,
    *,
    background: bool = False,
) -> Markup:
    """The matrix and the place where what is behind a cell appears. Rows are the truth, columns what was said.

    Args:
        says: what the cell in a row and column counts, in words.
        background: whether the last of the names is no class, so that nothing is right where it meets itself.
    """
    no_class = len(names) - 1 if background else -1
    top = [element("th", say("there_said"), scope="col", class_="corner")]
    top += [element("th", element("span", name), scope="col", title=name) for name in names]
    rows = []
    for row, name in enumerate(names):
        cells = []
        for column in range(len(names)):
            count, is_hit = int(counts[row, column]), row == column != no_class
            if count:
                share = count / int(counts[row].sum())
                cells.append(_pressed(count, share, f"{row},{column}", split, says(row, column), is_hit=is_hit))
            else:
                cells.append(element("td", "" if row == column == no_class else "·", class_="none"))
        rows.append(element("tr", element("th", name, scope="row", title=name), *cells))
    body = join([element("thead", element("tr", *top)), element("tbody", *rows)])
    box = element("div", element("table", body, class_="matrix", aria_label=say("matrix")), class_="scroll", tabindex=0)
    panel = element("div", id=f"crops-{split}", class_="crops-panel", tabindex=-1, aria_live="polite", hidden=True)
    return join([box, panel])


def _pressed(count: int, share: float, cell: str, split: Split, said: str, *, is_hit: bool) -> Markup:
    place = {"data_split": split, "data_cell": cell}
    button = element("button", f"{count:,}", type="button", **place, aria_label=said, title=said)
    return element("td", button, class_="hit" if is_hit else "miss", style=f"--share:{share:.2f}")


def confused(pairs: Sequence[ConfusedPair], names: Sequence[str], split: Split, say: Say) -> Markup:
    """Classes taken for one another, in words, with buttons that open their cells.

    Args:
        names: of the rows and columns.
    """
    if not pairs:
        return element("p", say("pairs_none"))
    return listing([_pair(pair, f"{names.index(pair.truth)},{names.index(pair.said)}", split, say) for pair in pairs])


def _pair(pair: ConfusedPair, cell: str, split: Split, say: Say) -> Markup:
    count = say("once") if pair.count == 1 else say("times", n=f"{pair.count:,}")
    said = say("pair", truth=pair.truth, said=pair.said, n=count)
    share = say("pair_share", share=percent(pair.share), truth=pair.truth)
    return join([element("span", said), element("span", f"({share})", class_="muted"), shows(split, cell, said, say)])


def shows(split: Split, cell: str, said: str, say: Say) -> Markup:
    """A button that opens a cell from elsewhere."""
    place = {"data_split": split, "data_cell": cell, "aria_label": f"{say('show')}: {said}"}
    return element("button", say("show"), type="button", class_="button small", **place)
