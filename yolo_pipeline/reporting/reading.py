"""What reading mended, left out and did not use, in lines for a person."""

from __future__ import annotations

from collections.abc import Iterator

from yolo_pipeline.nouns import ReadReport


def reading_lines(report: ReadReport, limit: int | None = None) -> Iterator[str]:
    """One line a change, skipped file and note; of each kind at most `limit`, then how many more there are."""
    kinds = [
        [f"fixed: {c.file} object {c.object}: {c.what}, {c.why}" for c in report.fixed],
        [f"dropped: {c.file} object {c.object}: {c.what}, {c.why}" for c in report.dropped],
        [f"skipped: {skip.file}: {skip.why}" for skip in report.skipped],
        list(report.notes),
    ]
    for lines in kinds:
        yield from lines[:limit]
        if limit is not None and len(lines) > limit:
            yield f"… and {len(lines) - limit} more {lines[0].partition(':')[0]}"
