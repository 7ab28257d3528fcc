"""From pictures seen to the files that people look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from yolo_pipeline.detecting import labels, sheet, tables
from yolo_pipeline.detecting.drawing import colours
from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.mining import Mined, mine
from yolo_pipeline.errors import InputError
from yolo_pipeline.files import write_json, write_text
from yolo_pipeline.images import sha256
from yolo_pipeline.nouns import SPLITS, Skip, Split
from yolo_pipeline.recipes.detect.order import Detected, Order
from yolo_pipeline.recipes.detect.words import as_json, brief, told
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
        counts, likeliest = tally(self.pictures(), self.views), None
        if self.model.classifies:
            likeliest = tally(self._likeliest(), self._best)
            tables.write_classes(self.folder.classes_file, self.pictures(), self.views)
        tables.write_detections(self.folder.detections_file, self.pictures(), self.views)
        tables.write_coco(self.folder.coco_file, self.pictures, self.views, self.settings["names"])
        tables.write_counts(self.folder.counts_file, self.pictures(), self.views)
        palette, classifies = colours(self.settings["names"]), self.model.classifies
        sheet.write_sheet(self.folder.sheet_file, self.pictures(), self.views, palette, classifies=classifies)
        write_json(self.folder.settings_file, {**self.settings, **as_json(counts, self.skipped, likeliest)})
        self._page()
        if not counts.images:
            raise self._nothing_read()
        mined = self._mined()
        # Labels last: they are never written over, so nothing may be left to do once they are there.
        return Detected(self.folder, counts, self.skipped, likeliest, mined, (*notes, *self._labels()))

    def _likeliest(self) -> Iterator[Seen]:
        """Each picture with its likeliest class of all, so that one which is not asked for leaves no room to others."""
        return (replace(seen, detections=seen.detections[:1]) for seen in self.pictures())

    @property
    def _best(self) -> Views:
        return replace(self.views, most=1)

    def _nothing_read(self) -> InputError:
        reasons = list(dict.fromkeys(skip.why for skip in self.skipped))
        why = f"{reasons[0]}{', and others' * (len(reasons) > 1)}"
        reason = f"none of {len(self.skipped)} pictures can be had ({why})"
        return InputError(brief(self.order.sources), reason, f"See {self.folder.skipped_file}")

    def _labels(self) -> Iterator[str]:
        for kind in self.order.labels:
            written = labels.write_labels(kind, self.pictures(), self.views, self.settings["names"], self.folder)
            source = "labelimg" if kind == "xml" else "yolo"
            yield f"{written}; then, as a source: {{path: {written.folder.as_posix()}, format: {source}}}"

    def _mined(self) -> Mined | None:
        if self.order.mine is None:
            return None
        splits = _splits(self.model)
        training = {digest for digest, split in splits.items() if split == "train"}
        return mine(self.pictures(), self.views, self.order.mine, training, splits.keys() - training)

    def _page(self) -> None:
        from yolo_pipeline.reporting.pages.detections import detections_page  # fonts and markup: late

        title = f"{self.model.title}: {brief(self.order.sources)}"
        facts = {key: told(value) for key, value in self.settings.items() if key != "names"}
        page = detections_page(
            title,
            self._likeliest if self.model.classifies else self.pictures,
            self._best if self.model.classifies else self.views,
            self.skipped,
            facts,
            self.folder,
            self.order.lang,
            colours=colours(self.settings["names"]),
            classifies=self.model.classifies,
        )
        write_text(self.folder.page_file, page)


def _splits(model: Model) -> dict[str, Split]:
    """sha256 -> split of every picture of a model's data: of the photos, and of what was made of them."""
    splits = {**model.splits, **{photo.sha256: photo.split for photo in model.photos}}
    if model.folder is not None:
        for split in SPLITS:
            made = sorted((model.folder / "images" / split).rglob("*"))
            splits |= {sha256(file): split for file in made if file.is_file()}
    return splits
