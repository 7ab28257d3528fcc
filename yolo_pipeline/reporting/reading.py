"""What reading mended, left out and did not use, in lines for a person."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import ReadReport


def reading_lines(report: ReadReport, limit: int | None = None) -> Iterator[str]:
    """One line a change, skipped file, note, and source that says what it is.

    Of each kind at most `limit`, then how many more there are.
    """
    kinds = [
        [f"fixed: {c.file} object {c.object}: {c.what}, {c.why}" for c in report.fixed],
        [f"dropped: {c.file} object {c.object}: {c.what}, {c.why}" for c in report.dropped],
        [f"skipped: {skip.file}: {skip.why}" for skip in report.skipped],
        list(report.notes),
        list(_said_of_sources(report)),
    ]
    for lines in kinds:
        yield from map(one_line, lines[:limit])
        if limit is not None and len(lines) > limit:
            yield f"… and {len(lines) - limit} more {lines[0].partition(':')[0]}"


def _said_of_sources(report: ReadReport) -> Iterator[str]:
    for source, facts in groupby(report.facts, key=lambda fact: fact.source):
        yield f"{source} says: {'; '.join(f'{fact.key} {fact.value}' for fact in facts)}"
