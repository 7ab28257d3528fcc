"""What was found, as labels to be corrected: so unlabelled pictures become the training data of the next attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.detecting.naming import DistinctNames, visible_stem
from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.files import folder_beside, write_text
from yolo_pipeline.formats import yolo
from yolo_pipeline.formats.files import clean_label
from yolo_pipeline.formats.labelling import in_whole_pixels, place_readable
from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.geometry import clip_box
from yolo_pipeline.images import UnreadableImage
from yolo_pipeline.nouns import Dataset, ImageRecord, Skip, Truth
from yolo_pipeline.views import Seen, Views

LabelKind = Literal["xml", "yolo"]

_CLASS_LIST = "classes.txt"


@dataclass(slots=True)
class Labelled:
    """What was written.

    Attributes:
        folder: where it lies.
        pictures: pictures with labels.
        boxes: boxes on them.
        without: pictures on which nothing was found; as XML they lie there unlabelled, as YOLO they are left out.
        remade: pictures that became PNG, as not every tool reads what they were.
        skipped: pictures that are gone, or can no longer be read.
    """

    kind: LabelKind
    folder: Path
    pictures: int = 0
    boxes: int = 0
    without: int = 0
    remade: int = 0
    skipped: list[Skip] = field(default_factory=list)

    def __str__(self) -> str:
        """For the user, on one line."""
        said = [f"{self.boxes} boxes on {self.pictures} pictures to be corrected in {self.folder}"]
        if self.without:
            where = "lie there unlabelled" if self.kind == "xml" else "were left out"
            said.append(f"{self.without} pictures without boxes {where}")
        if self.remade:
            said.append(f"{self.remade} became PNG, which every tool reads")
        if self.skipped:
            said.append(f"{len(self.skipped)} can no longer be read ({self.skipped[0].file}: {self.skipped[0].why})")
        return "; ".join(map(one_line, said))


def require_no_labels(folder: OutFolder, kind: LabelKind) -> Path:
    """Where labels will lie; to be asked before any work is done.

    Raises:
        InputError: labels lie there already.
    """
    final = folder.labels_as(kind)
    if final.exists() and not (final.is_dir() and not any(final.iterdir())):
        reason = "is there already, and somebody may have corrected labels in it"
        raise InputError(final, reason, "Move it away, or leave out --save")
    return final


def write_labels(
    kind: LabelKind, pictures: Iterable[Seen], views: Views, names: Sequence[str], folder: OutFolder
) -> Labelled:
    """Writes to-correct/KIND: pictures, and the boxes of the lowest threshold as their labels.

    "xml": pictures and XML side by side, in LabelImg's 0-based whole pixels. A picture without boxes has no XML, which
    that format takes for unlabelled: so a missed object does not become background by oversight. "yolo": images/train,
    labels/train with LabelImg's classes.txt, and data.yaml, with all classes; a picture without boxes is left out, as
    no label file would mean background.

    Args:
        names: the model's classes, in order.

    Raises:
        InputError: the folder is there.
        DataError: the disk is full.
    """
    final = require_no_labels(folder, kind)
    labels = _clean_names(names)
    with folder_beside(final) as building:
        writer = _Writer(building, views, labels, Labelled(kind, final))
        writer.write_xml(pictures) if kind == "xml" else writer.write_yolo(pictures)
    return writer.done


def _clean_names(names: Sequence[str]) -> dict[str, str]:
    """Class -> its name as files hold it: on one line, not empty, distinct."""
    clean: dict[str, str] = {}
    for number, name in enumerate(names):
        wanted = found = clean_label(name) or f"class {number}"
        again = 1
        while found in clean.values():
            again += 1
            found = f"{wanted} {again}"
        clean[name] = found
    return clean


@dataclass(slots=True)
class _Writer:
    """Fills `building`, which will become the folder of what is done."""

    building: Path
    views: Views
    labels: Mapping[str, str]
    done: Labelled
    _stems: DistinctNames = field(default_factory=DistinctNames)

    def write_xml(self, pictures: Iterable[Seen]) -> None:
        for seen in pictures:
            truths = dict.fromkeys(in_whole_pixels(truth, seen.width, seen.height) for truth in self._truths(seen))
            if (picture := self._place(seen, self.building, len(truths))) is None or not truths:
                continue
            xml = annotation_xml(list(truths), self.done.folder / picture.name, seen.width, seen.height, origin=0)
            write_text(picture.with_suffix(".xml"), xml)

    def write_yolo(self, pictures: Iterable[Seen]) -> None:
        folder = self.building / "images" / "train"
        folder.mkdir(parents=True)
        self._stems.take(Path(_CLASS_LIST).stem)  # whose labels would lie where the list does
        records = []
        for seen in pictures:
            if not (truths := tuple(dict.fromkeys(self._truths(seen)))):
                self.done.without += 1
            elif (picture := self._place(seen, folder, len(truths))) is not None:
                record = ImageRecord(picture, picture.name, seen.width, seen.height, picture.suffix, truths)
                records.append(record)
        names = tuple(self.labels.values())
        dataset = Dataset(names, tuple(records))
        yolo.write(
            dataset, self.building, root=self.done.folder, place=lambda record, target: None
        )  # each is there already
        write_text(self.building / "labels" / "train" / _CLASS_LIST, "".join(f"{name}\n" for name in names))

    def _truths(self, seen: Seen) -> Iterable[Truth]:
        for one in self.views.all(seen):
            truth = Truth(clip_box(one.box, seen.width, seen.height), self.labels[one.label])
            has_area = truth.box.width > 0 and truth.box.height > 0
            yield truth if has_area else in_whole_pixels(truth, seen.width, seen.height)

    def _place(self, seen: Seen, folder: Path, boxes: int) -> Path | None:
        """Where the picture lies; counts it. None where it cannot be read any more."""
        stem = folder / self._stems.take(visible_stem(seen.name))
        try:
            picture, is_remade = place_readable(seen.file, stem, link=True)
        except UnreadableImage as error:
            self.done.skipped.append(Skip(seen.name, str(error)))
            return None
        self.done.remade += is_remade
        self.done.pictures += boxes > 0
        self.done.without += not boxes
        self.done.boxes += boxes
        return picture
