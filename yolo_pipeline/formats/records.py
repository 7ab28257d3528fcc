"""What annotation files say of pictures -> image records: for formats in which one file speaks of many pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError, one_line
from yolo_pipeline.formats.files import Notebook, clean_label, image_record, once, settle_box
from yolo_pipeline.formats.source import PictureIndex, ReadOptions, Source, folder_of, split_of_file, split_of_folder
from yolo_pipeline.geometry import turn_box
from yolo_pipeline.nouns import Box, Change, ImageRecord, Skip, Truth


@dataclass(frozen=True, slots=True)
class Found:
    """One object as a file says it: its label as written, and its box (0-based, half-open) or why it has none.

    `what` is the heading under which an object without box is reported.
    """

    label: str
    box: Box | None
    fault: str = ""
    what: str = "no box"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one annotation file says of one picture.

    Attributes:
        file: the annotation file, relative to the source.
        picture: the picture's name as written there.
        objects: in the file's order; reports count them from 1, within the picture.
        size: (width, height) as written, or None.
        stored_axes: whether boxes lie on the pixels as stored, where the size cannot tell (EXIF).
        otherwise: the name to look for where `picture` finds nothing.
    """

    file: str
    picture: str
    objects: Sequence[Found]
    size: tuple[float, float] | None = None
    stored_axes: bool = False
    otherwise: str = ""


@dataclass(slots=True)
class RecordMaker:
    """Makes image records of entries, noting everything that it mends.

    Reports name the picture and count its objects from 1, as one file may speak of thousands.
    """

    source: Source
    options: ReadOptions
    notebook: Notebook
    _index: PictureIndex = field(init=False)
    _records: dict[str, ImageRecord] = field(init=False, default_factory=dict)
    _entries: dict[str, Entry] = field(init=False, default_factory=dict)
    _repeated: dict[tuple[str, str], int] = field(init=False, default_factory=dict)
    _differing: dict[tuple[str, str], list[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._index = PictureIndex(self.source.pictures)

    def add(self, entry: Entry) -> None:
        """Takes an entry. Two that say the same of one picture count once; two that differ are bad files."""
        found = self._index.find(entry.picture, folder_of(entry.file))
        if not found and entry.otherwise:
            found = self._index.find(entry.otherwise, folder_of(entry.file))
        said = one_line(entry.picture or entry.otherwise)
        if not found:
            self.notebook.skipped.append(Skip(said, f"annotated in {entry.file}, but there is no such picture"))
            return
        if len(found) > 1:
            why = f"{said} in it may be any of {', '.join(found[:4])}"
            self.notebook.bad.append(Skip(entry.file, why))
            return
        picture = found[0]
        if picture in self._entries:
            self._repeat(picture, self._entries[picture], entry)
            return
        self._entries[picture] = entry
        if (record := self._record(picture, entry)) is not None:
            self._records[picture] = record

    def finish(self) -> tuple[ImageRecord, ...]:
        """All records by picture name; pictures that no entry named are unlabelled.

        Raises:
            AnnotationError: files that cannot be read, all named, unless `skip_bad`; not one picture is annotated.
        """
        for (first, second), count in sorted(self._repeated.items()):
            where = f"{first} and {second}" if first != second else f"two places of {first}"
            self.notebook.notes.append(f"{count} pictures are annotated alike in {where}: taken once")
        for (first, second), pictures in sorted(self._differing.items()):
            self.notebook.bad.append(Skip(second, _how_they_differ(first, second, pictures)))
        for picture in self.source.pictures.pictures:
            if picture in self._entries:
                continue
            if self.options.unlabelled == "skip":
                self.notebook.skipped.append(Skip(picture, "unlabelled: no annotation names it"))
            elif (header := self._header(picture)) is not None:
                split = split_of_folder(picture)
                self._records[picture] = image_record(self.source.pictures.root, picture, header, (), split)
        self.notebook.settle_bad(self.source.path, self.options.skip_bad)
        if not self._records:
            remedy = "Name the pictures' folder (images)"
            raise AnnotationError(self.source.path, "no annotation has its picture", remedy)
        return tuple(record for _, record in sorted(self._records.items()))

    def _repeat(self, picture: str, first: Entry, second: Entry) -> None:
        if set(first.objects) != set(second.objects):
            self._differing.setdefault((first.file, second.file), []).append(picture)
            return
        pair = (first.file, second.file)
        self._repeated[pair] = self._repeated.get(pair, 0) + 1
        record, split = self._records.get(picture), split_of_file(second.file)
        if record is not None and record.split is None and split is not None:
            self._records[picture] = replace(record, split=split)

    def _record(self, picture: str, entry: Entry) -> ImageRecord | None:
        header = self._header(picture)
        if header is None:
            return None
        truths = once(self._truths(picture, entry, header), picture, self.notebook)
        split = split_of_folder(picture) or split_of_file(entry.file)
        return image_record(self.source.pictures.root, picture, header, truths, split)

    def _header(self, picture: str) -> images.Header | None:
        try:
            return images.read_header(self.source.pictures.root / picture)
        except images.UnreadableImage as error:
            self.notebook.bad.append(Skip(picture, str(error)))
            return None

    def _truths(self, picture: str, entry: Entry, header: images.Header) -> Iterator[tuple[int, Truth]]:
        turned = self.notebook.check_size(picture, entry.file, entry.size, header, stored_axes=entry.stored_axes)
        width, height = header.upright_size
        for number, found in enumerate(entry.objects, start=1):
            label = clean_label(found.label)
            if label != found.label and label:
                self.notebook.fixed.append(Change(picture, number, "label", f"{found.label!r} read as {label!r}"))
            if found.box is None:
                why = found.fault or "no four numbers"
                self.notebook.dropped.append(Change(picture, number, found.what, why))
            elif not label:
                self.notebook.dropped.append(Change(picture, number, "no class", "the object has no class name"))
            else:
                box = found.box
                if turned:
                    box = turn_box(box, header.orientation, header.width, header.height)
                settled, done = settle_box(box, width, height)
                if done:
                    self.notebook.note(picture, number, done, kept=settled is not None)
                if settled is not None:
                    yield number, Truth(settled, label)


def _how_they_differ(first: str, second: str, pictures: list[str]) -> str:
    named = f"{pictures[0]} and {len(pictures) - 1} other pictures" if len(pictures) > 1 else pictures[0]
    if first == second:
        return f"annotates {named} twice, and not alike; keep one"
    return f"annotates {named} otherwise than {first} does; name one of the files as the source"
