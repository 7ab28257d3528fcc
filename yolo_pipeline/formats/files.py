"""What the readers and writers of all formats share: mending boxes and labels, reporting it, placing pictures."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError, one_line
from yolo_pipeline.files import cache_folder
from yolo_pipeline.formats.source import composed, stem_of
from yolo_pipeline.geometry import clip_box, order_corners, turn_box
from yolo_pipeline.nouns import Box, Change, ImageRecord, ReadReport, Skip, Split, Truth

ROUNDING_DIGITS = 6
"""Pixels are rounded to a millionth: half a width added and taken away gives back what was written."""

_ROBOFLOW_VERSION = re.compile(r"(.+)\.rf\.[0-9A-Za-z]{16,}")


@dataclass(slots=True)
class Notebook:
    """Collects what happens while a source is read."""

    fixed: list[Change] = field(default_factory=list)
    dropped: list[Change] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bad: list[Skip] = field(default_factory=list)

    def report(self) -> ReadReport:
        return ReadReport(
            tuple(self.fixed), tuple(self.dropped), tuple(sorted(self.skipped, key=lambda s: s.file)), tuple(self.notes)
        )

    def note(self, file: str, number: int, done: list[tuple[str, str]], *, kept: bool) -> None:
        """Notes what `settle_box` did to an object; the last of it is why an object is not kept."""
        changes = [Change(file, number, what, why) for what, why in done]
        if not kept:
            self.dropped.append(changes.pop())
        self.fixed += changes

    def wants_difficult(self, file: str, number: int, *, keep: bool) -> bool:
        """Notes an object that is marked difficult, and whether it is kept, as `ReadOptions.difficult` says."""
        why = f"marked difficult, {'kept' if keep else 'dropped as asked'}"
        (self.fixed if keep else self.dropped).append(Change(file, number, "difficult", why))
        return keep

    def check_size(
        self, file: str, teller: str, said: tuple[float, float] | None, header: images.Header, *, stored_axes: bool
    ) -> bool:
        """Reports a size that is not the picture's. Returns whether the boxes must be turned to stand upright.

        Args:
            teller: what says the size, for the report.
            said: (width, height) as written, or None.
            stored_axes: whether boxes lie on the pixels as stored, where the size cannot tell.
        """
        stored, upright = (header.width, header.height), header.upright_size
        if said is not None and said not in (stored, upright):
            shown = "x".join(f"{side:g}" if isinstance(side, float) else str(side) for side in said)
            why = f"{teller} says {shown}, the picture has {stored[0]}x{stored[1]}; the picture's is used"
            self.fixed.append(Change(file, 0, "size", why))
        if header.orientation == 1:
            return False
        decided = stored != upright and said in (stored, upright)
        turned = said == stored if decided else stored_axes
        if turned:
            why = f"boxes turned with the picture (EXIF orientation {header.orientation})"
            self.fixed.append(Change(file, 0, "EXIF", why))
        return turned

    def settle_bad(self, source: Path, skip_bad: bool) -> None:
        """Stops with every unreadable file named, or moves them to the skipped ones."""
        if self.bad and not skip_bad:
            named = "; ".join(f"{bad.file}: {bad.why}" for bad in self.bad)
            many = f"{len(self.bad)} file{'s' * (len(self.bad) > 1)} cannot be read: {named}"
            remedy = "Mend or remove them (`convert SOURCE OUT --skip-bad` goes on without them)"
            raise AnnotationError(source, many, remedy)
        self.skipped += self.bad


def place_picture(source: str, target: str, link: bool) -> None:
    """Hard-links a picture where the disk can, copies it where it cannot. Existing files are never replaced.

    What lies in the cache is copied always: an edit of the picture in place would change what later runs find there.
    """
    if link:
        source = os.path.realpath(source) if os.path.islink(source) else source
    if link and not _is_cached(os.path.split(source)[0]):
        try:
            os.link(source, target)
            return
        except FileExistsError:
            raise
        except OSError:
            pass  # another disk, or one without hard links
    if os.path.lexists(target):
        raise FileExistsError(target)
    shutil.copyfile(source, target)


@lru_cache(maxsize=256)  # thousands of pictures lie in a handful of folders
def _is_cached(folder: str) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(cache_folder()))


def image_record(
    root: Path, picture: str, header: images.Header, truths: tuple[Truth, ...] = (), split: Split | None = None
) -> ImageRecord:
    """The record of the picture `root/picture`, whose header was read."""
    file = root / picture
    width, height = header.upright_size
    suffix = images.trainable_suffix(file, header)
    return ImageRecord(file, picture, width, height, suffix, truths, group_of(picture), split)


def as_stored(image: ImageRecord) -> ImageRecord:
    """The record with its boxes and size on the pixels as stored, before EXIF turns them."""
    orientation = images.read_header(image.file).orientation
    if orientation == 1:
        return image
    back = {6: 8, 8: 6}.get(orientation, orientation)
    turned = (Truth(turn_box(t.box, back, image.width, image.height), t.label) for t in image.truths)
    size = (image.height, image.width) if orientation >= 5 else (image.width, image.height)
    return replace(image, truths=tuple(turned), width=size[0], height=size[1])


def distinct_stems(names: Iterable[str]) -> list[str]:
    """The stems of file names, numbered where two would be the same on a disk that ignores case or composes Unicode."""
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    stems = []
    for name in names:
        stem = wanted = os.path.splitext(name.rpartition("/")[2])[0]
        while (key := composed(stem).casefold()) in taken:
            numbers[wanted] += 1
            stem = f"{wanted}-{numbers[wanted] + 1}"
        taken.add(key)
        stems.append(stem)
    return stems


def group_of(name: str) -> str:
    """What all versions of one photo share: Roboflow writes them as NAME.rf.HASH."""
    if ".rf." not in name:
        return ""
    match = _ROBOFLOW_VERSION.fullmatch(stem_of(name))
    return match.group(1) if match else ""


@lru_cache(maxsize=4096)  # thousands of objects have a handful of classes
def clean_label(label: str) -> str:
    """A class name on one line, stripped, in composed Unicode."""
    return unicodedata.normalize("NFC", one_line(label))


def settle_box(box: Box, width: int, height: int) -> tuple[Box | None, list[tuple[str, str]]]:
    """Orders the corners and clips to the picture.

    Returns:
        the box, or None when nothing of it lies in the picture; and what was done as (what, why) pairs, the last of
        which explains the None.
    """
    done: list[tuple[str, str]] = []
    if box.x0 > box.x1 or box.y0 > box.y1:
        box = order_corners(box)
        done.append(("swapped corners", f"reordered to {show_box(box)}"))
    if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
        clipped = clip_box(box, width, height)
        if clipped.width <= 0 or clipped.height <= 0:
            return None, [*done, ("outside", f"{show_box(box)} lies outside the {width}x{height} picture")]
        done.append(("clipped", f"{show_box(box)} reaches out of the {width}x{height} picture"))
        box = clipped
    if box.width <= 0 or box.height <= 0:
        return None, [*done, ("no area", f"{show_box(box)} has no area")]
    return box, done


def once(truths: Iterable[tuple[int, Truth]], file: str, notebook: Notebook) -> tuple[Truth, ...]:
    """The truths without exact repeats; `truths` come with their number in the file."""
    found = list(truths)
    distinct = {(t.label, t.box.x0, t.box.y0, t.box.x1, t.box.y1) for _, t in found}  # hashed in half of their time
    if len(distinct) == len(found):
        return tuple(truth for _, truth in found)
    kept: dict[Truth, int] = {}
    for number, truth in found:
        first = kept.setdefault(truth, number)
        if first != number:
            why = f"the same box and class as object {first}"
            notebook.dropped.append(Change(file, number, "duplicate", why))
    return tuple(kept)


def rounded_box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(
        round(x0, ROUNDING_DIGITS), round(y0, ROUNDING_DIGITS), round(x1, ROUNDING_DIGITS), round(y1, ROUNDING_DIGITS)
    )


def show_box(box: Box) -> str:
    return f"({box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g})"
