"""From pictures seen to the files that people look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yolo_pipeline.detecting import labels, sheet, tables
from yolo_pipeline.detecting.drawing import colours
from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.mining import Mined, mine
from yolo_pipeline.errors import InputError
from yolo_pipeline.files import write_json, write_text
from yolo_pipeline.nouns import Skip
from yolo_pipeline.recipes.detect.order import Detected, Order
from yolo_pipeline.recipes.detect.words import as_json, told
from yolo_pipeline.recipes.models import Model
from yolo_pipeline.views import Seen, Views, tally


@dataclass(frozen=True, slots=True)
class Look:
    """All pictures seen: what results are made of.

    Attributes:
        settings: as in detect.json, the names of the model's classes among them.
        pictures: what was seen, in order, read from the disk each time.
    """

    model: Model
    order: Order
    views: Views
    settings: Mapping[str, Any]
    folder: OutFolder
    skipped: tuple[Skip, ...]
    pictures: Callable[[], Iterator[Seen]]

    def written(self, notes: Sequence[str]) -> Detected:
        tables.write_skipped(self.folder.skipped_file, self.skipped)
        counts = tally(self.pictures(), self.views)
        if not counts.images:
            reason = f"none of {len(self.skipped)} pictures can be read"
            raise InputError(", ".join(self.order.sources), reason, f"{self.folder.skipped_file} says why")
        tables.write_detections(self.folder.detections_file, self.pictures(), self.views)
        tables.write_coco(self.folder.coco_file, self.pictures, self.views, self.settings["names"])
        tables.write_counts(self.folder.counts_file, self.pictures(), self.views)
        sheet.write_sheet(self.folder.sheet_file, self.pictures(), self.views, colours(self.settings["names"]))
        write_json(self.folder.settings_file, {**self.settings, **as_json(counts, self.skipped)})
        self._page()
        mined = self._mined()
        # Labels last: they are never written over, so nothing may be left to do once they are there.
        return Detected(self.folder, counts, self.skipped, mined, (*notes, *self._labels()))

    def _labels(self) -> Iterator[str]:
        for kind in self.order.labels:
            yield str(labels.write_labels(kind, self.pictures(), self.views, self.settings["names"], self.folder))

    def _mined(self) -> Mined | None:
        if self.order.mine is None:
            return None
        labelled = {photo.sha256 for photo in self.model.photos if photo.truths}
        held_out = {photo.sha256 for photo in self.model.photos if photo.split != "train"}
        return mine(self.pictures(), self.views, self.order.mine, labelled, held_out)

    def _page(self) -> None:
        from yolo_pipeline.reporting.pages.detections import detections_page  # fonts and markup: late

        title = f"{self.model.title}: {', '.join(self.order.sources)}"
        facts = {key: told(value) for key, value in self.settings.items() if key != "names"}
        palette = colours(self.settings["names"])
        page = detections_page(
            title, self.pictures, self.views, self.skipped, facts, self.folder, self.order.lang, colours=palette
        )
        write_text(self.folder.page_file, page)
