"""Where `detect` leaves its results: every path below the folder that was asked for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from yolo_pipeline.views import named


@dataclass(frozen=True, slots=True)
class OutFolder:
    root: Path

    @property
    def journal_file(self) -> Path:
        """What was found so far, one picture a line, in the order of the listing: what a later command goes on from."""
        return self.root / ".seen.jsonl"

    @property
    def settings_file(self) -> Path:
        """How the model was asked, with which weights, and what was counted."""
        return self.root / "detect.json"

    @property
    def detections_file(self) -> Path:
        """One row a box."""
        return self.root / "detections.csv"

    @property
    def coco_file(self) -> Path:
        return self.root / "detections.json"

    @property
    def counts_file(self) -> Path:
        """One row a picture and class, a column a threshold."""
        return self.root / "counts.csv"

    @property
    def classes_file(self) -> Path:
        """Of a classifier: one row a picture, with its likeliest classes."""
        return self.root / "classes.csv"

    @property
    def skipped_file(self) -> Path:
        return self.root / "skipped.csv"

    @property
    def sheet_file(self) -> Path:
        return self.root / "contact-sheet.jpg"

    @property
    def page_file(self) -> Path:
        return self.root / "detections.html"

    @property
    def crops(self) -> Path:
        return self.root / "crops"

    @property
    def labels(self) -> Path:
        """Pictures with their boxes as annotations, to be corrected."""
        return self.root / "to-correct"

    def labels_as(self, kind: str) -> Path:
        """Those of one format, `xml` or `yolo`."""
        return self.labels / kind

    @property
    def downloads(self) -> Path:
        """Pictures fetched from addresses, and downloads.csv, which says of each address what became of it."""
        return self.root / "downloaded"

    def remove(self, file: Path) -> None:
        """Takes away a file that was made here, and the folders that it leaves empty."""
        file.unlink(missing_ok=True)
        for folder in file.relative_to(self.root).parents[:-1]:
            with suppress(OSError):  # something else lies in it
                (self.root / folder).rmdir()

    def pictures(self, threshold: float) -> Path:
        """Pictures with the boxes of a threshold drawn on them."""
        return self.root / "pictures" / named(threshold)
