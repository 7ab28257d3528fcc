"""Pascal VOC XML, as LabelImg, Roboflow and the VOC challenge write it.

Two pixel conventions share this format. `origin=1` is Pascal VOC's own, 1-based and inclusive: x0 = xmin - 1,
x1 = xmax. `origin=0` is how LabelImg counts: x0 = xmin, x1 = xmax.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.files import write_text
from yolo_pipeline.formats.files import (
    Notebook,
    as_stored,
    clean_label,
    distinct_stems,
    image_record,
    once,
    place_picture,
    settle_box,
)
from yolo_pipeline.formats.source import Listing, ReadOptions, Source, folder_of, same_split, split_of_folder, stem_of
from yolo_pipeline.formats.voc_xml import CORNERS, BadXml, OtherXml, VocObject, parse
from yolo_pipeline.geometry import turn_box
from yolo_pipeline.nouns import SPLITS, Box, Change, Dataset, ImageRecord, ReadReport, Skip, Split, Truth
from yolo_pipeline.progress import Progress, silent

_NO_XML = "Label some pictures first; if they are labelled in another format, leave `format` out, or name that one"


def read(source: Source, options: ReadOptions = ReadOptions(), *, origin: int = 1) -> tuple[Dataset, ReadReport]:
    """Reads XML files and the pictures beside them (or below `options.images`).

    Args:
        origin: 1 for Pascal VOC (default), 0 for LabelImg; see the module's text.

    Raises:
        AnnotationError: no XML, no picture, or files that cannot be read (all are named).
    """
    listing, pictures = source.files, source.pictures
    annotations = listing.with_suffix(".xml")
    if not annotations:
        raise AnnotationError(source.path, "holds no XML file of LabelImg or Pascal VOC", _NO_XML)
    source.require_pictures()
    notebook = Notebook()
    splits = _image_sets(listing)
    reader = _FileReader(pictures.root, options, origin, splits, notebook)
    pairs = dict(_pair(annotations, pictures.pictures, listing, notebook))
    records = []
    for picture in options.progress.items(pictures.pictures, "reading annotations"):
        if picture in pairs:
            record = reader.labelled(picture, pairs[picture], f"{listing.root}/{pairs[picture]}")
        elif options.unlabelled == "background":
            record = reader.background(picture)
        else:
            notebook.skipped.append(Skip(picture, "unlabelled: no annotation file"))
            continue
        if record is not None:
            records.append(record)
    notebook.settle_bad(source.path, options.skip_bad)
    if not records:
        raise AnnotationError(source.path, "no annotation has its picture", "Name the pictures' folder (images)")
    names = sorted({truth.label for record in records for truth in record.truths})
    return Dataset(tuple(names), tuple(records)), notebook.report()


def write(
    dataset: Dataset,
    out: Path,
    *,
    root: Path | None = None,
    link: bool = False,
    progress: Progress = silent,
    origin: int = 1,
) -> dict[str, str]:
    """Writes pictures and XML side by side, as LabelImg keeps them; in one folder a split, if there are any.

    VOC has no list of classes: their order is lost, and so are classes without an object. Boxes are written on the
    pixels as stored, as LabelImg shows them. A box of one pixel's width has xmin = xmax at
    origin 1, which readers (ours, too) take for no box.

    Args:
        root, link, progress: as in `yolo.write`; VOC files do not say where they lie.

    Returns:
        name of each image record -> path of its picture below `out`.

    Source: LabelImg 1.8.6 pascal_voc_io.py (element order, tab indent).
    """
    stems = distinct_stems(image.name for image in dataset.images)
    placed: dict[str, str] = {}
    for image, stem in progress.items(list(zip(dataset.images, stems, strict=True)), "writing data set"):
        folder = out / image.split if image.split else out
        folder.mkdir(parents=True, exist_ok=True)
        picture = folder / f"{stem}{image.suffix}"
        place_picture(str(image.file), str(picture), link)
        placed[image.name] = picture.relative_to(out).as_posix()
        stored = as_stored(image)
        final = (root or out) / placed[image.name]
        text = annotation_xml(stored.truths, final, stored.width, stored.height, origin=origin)
        write_text(folder / f"{stem}.xml", text)
    return placed


def annotation_xml(truths: Sequence[Truth], picture: Path, width: int, height: int, *, origin: int = 1) -> str:
    """The XML text that LabelImg would save for one picture. Sizes and boxes in pixels."""
    lines = [
        "<annotation>",
        f"\t<folder>{escape(picture.parent.name)}</folder>",
        f"\t<filename>{escape(picture.name)}</filename>",
        f"\t<path>{escape(picture.name)}</path>",
        "\t<source>\n\t\t<database>Unknown</database>\n\t</source>",
        f"\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>3</depth>\n\t</size>",
        "\t<segmented>0</segmented>",
    ]
    for truth in truths:
        box = truth.box
        values = (box.x0 + origin, box.y0 + origin, box.x1, box.y1)
        corners = "".join(
            f"\n\t\t\t<{key}>{_number(value)}</{key}>" for key, value in zip(CORNERS, values, strict=True)
        )
        touches = box.x0 <= 0 or box.y0 <= 0 or box.x1 >= width or box.y1 >= height
        lines.append(
            f"\t<object>\n\t\t<name>{escape(truth.label)}</name>\n\t\t<pose>Unspecified</pose>\n"
            f"\t\t<truncated>{int(touches)}</truncated>\n\t\t<difficult>0</difficult>\n"
            f"\t\t<bndbox>{corners}\n\t\t</bndbox>\n\t</object>"
        )
    return "\n".join([*lines, "</annotation>", ""])


def recognise(listing: Listing) -> bool:
    """Whether the first XML file below a folder is a VOC annotation, or too broken to tell."""
    for name in listing.with_suffix(".xml")[:1]:
        try:
            parse((listing.root / name).read_bytes())
        except OtherXml:
            return False
        except (OSError, BadXml):
            return True  # let reading name the fault
        return True
    return False


@dataclass(slots=True)
class _FileReader:
    """Turns one picture and its XML into an ImageRecord, noting everything it mends."""

    root: Path
    options: ReadOptions
    origin: int
    splits: dict[str, Split]
    notebook: Notebook

    def labelled(self, picture: str, name: str, file: str) -> ImageRecord | None:
        header = self._header(picture)
        try:
            with open(file, "rb", buffering=0) as opened:
                annotation = parse(opened.read())
        except (OSError, BadXml) as error:
            self.notebook.bad.append(Skip(name, str(error)))
            return None
        if header is None:
            return None
        size = (annotation.width, annotation.height)
        turned = self.notebook.check_size(name, "the XML", size, header, stored_axes=True)
        truths = once(self._objects(annotation.objects, name, header, turned), name, self.notebook)
        return self._record(picture, header, truths)

    def background(self, picture: str) -> ImageRecord | None:
        header = self._header(picture)
        return self._record(picture, header, ()) if header else None

    def _header(self, picture: str) -> images.Header | None:
        try:
            return images.read_header(f"{self.root}/{picture}")
        except images.UnreadableImage as error:
            self.notebook.bad.append(Skip(picture, str(error)))
            return None

    def _record(self, picture: str, header: images.Header, truths: tuple[Truth, ...]) -> ImageRecord:
        split = (self.splits.get(stem_of(picture)) if self.splits else None) or split_of_folder(picture)
        return image_record(self.root, picture, header, truths, split)

    def _objects(
        self, objects: list[VocObject], name: str, header: images.Header, turned: bool
    ) -> Iterator[tuple[int, Truth]]:
        width, height = header.upright_size
        for number, found in enumerate(objects, start=1):
            label = clean_label(found.name)
            if label != found.name and label:
                self.notebook.fixed.append(Change(name, number, "label", f"{found.name!r} read as {label!r}"))
            if not self._is_wanted(found, label, name, number):
                continue
            if not turned and (plain := self._plain(found, width, height)) is not None:
                yield number, Truth(plain, label)
                continue
            corners = self._corners(found, name, number)
            if corners is None:
                continue
            if turned:
                corners = turn_box(corners, header.orientation, header.width, header.height)
            box, done = settle_box(corners, width, height)
            if done:
                self.notebook.note(name, number, done, kept=box is not None)
            if box is not None:
                yield number, Truth(box, label)

    def _is_wanted(self, found: VocObject, label: str, name: str, number: int) -> bool:
        if not label:
            self.notebook.dropped.append(Change(name, number, "no class", "the object has no name"))
            return False
        keep = self.options.difficult == "keep"
        return not found.difficult or self.notebook.wants_difficult(name, number, keep=keep)

    def _plain(self, found: VocObject, width: int, height: int) -> Box | None:
        """The box of an object with nothing to mend, as nearly all are: a short way through what follows."""
        if found.corners is None:
            return None
        xmin, ymin, xmax, ymax = found.corners
        if self.origin <= xmin < xmax <= width and self.origin <= ymin < ymax <= height:
            return Box(xmin - self.origin, ymin - self.origin, xmax, ymax)
        return None

    def _corners(self, found: VocObject, name: str, number: int) -> Box | None:
        """The box on the stored pixels, in order and 0-based; None where there is none."""
        if found.corners is None:
            self.notebook.dropped.append(Change(name, number, "no box", found.fault))
            return None
        xmin, ymin, xmax, ymax = found.corners
        if xmin == xmax or ymin == ymax:
            why = f"xmin {xmin:g}, ymin {ymin:g}, xmax {xmax:g}, ymax {ymax:g} has no area"
            self.notebook.dropped.append(Change(name, number, "no area", why))
            return None
        if xmin > xmax or ymin > ymax:
            xmin, xmax, ymin, ymax = min(xmin, xmax), max(xmin, xmax), min(ymin, ymax), max(ymin, ymax)
            why = f"reordered to xmin {xmin:g}, ymin {ymin:g}, xmax {xmax:g}, ymax {ymax:g}"
            self.notebook.fixed.append(Change(name, number, "swapped corners", why))
        return Box(xmin - self.origin, ymin - self.origin, xmax, ymax)


def _pair(
    annotations: Sequence[str], pictures: Sequence[str], listing: Listing, notebook: Notebook
) -> Iterator[tuple[str, str]]:
    """(picture, annotation) pairs by stem. Whatever has no partner, or no single one, is noted."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for picture in pictures:
        by_stem[stem_of(picture)].append(picture)
    claimed: dict[str, str] = {}
    for name in annotations:
        candidates = same_split(by_stem.get(stem_of(name), []), folder_of(name))
        if len(candidates) > 1:
            candidates = _nearest(name, candidates, listing)
        if not candidates:
            notebook.skipped.append(Skip(name, "annotation without picture"))
        elif len(candidates) > 1:
            notebook.bad.append(Skip(name, f"belongs to any of {', '.join(candidates)}; let <filename> say which"))
        elif candidates[0] in claimed:
            notebook.bad.append(Skip(name, f"annotates {candidates[0]}, as {claimed[candidates[0]]} does; keep one"))
        else:
            claimed[candidates[0]] = name
            yield candidates[0], name


def _nearest(name: str, candidates: list[str], listing: Listing) -> list[str]:
    """Of several pictures with the annotation's stem: those in its folder, then those that `<filename>` names."""
    beside = [picture for picture in candidates if folder_of(picture) == folder_of(name)] or candidates
    if len(beside) == 1:
        return beside
    try:
        said = parse((listing.root / name).read_bytes()).filename
    except (OSError, BadXml):
        return beside[:1]  # reading it will name the fault
    said = clean_label(said.replace("\\", "/").rpartition("/")[2])
    return [picture for picture in beside if clean_label(picture.rpartition("/")[2]) == said] or beside


def _image_sets(listing: Listing) -> dict[str, Split]:
    """Stem -> split from VOC's ImageSets/Main/{train,val,test}.txt, where those files are."""
    splits: dict[str, Split] = {}
    for split in SPLITS:
        for name in listing.others:
            if name.endswith(f"ImageSets/Main/{split}.txt"):
                text = (listing.root / name).read_text(encoding="utf-8", errors="replace")
                splits.update((clean_label(line), split) for line in text.splitlines() if line.strip())
    return splits


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
