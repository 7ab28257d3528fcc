"""How pictures are stored: unreadable, small, of other shapes, greys and kinds than the rest, turned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from yolo_pipeline.auditing.evidence import Evidence, count, named, percent
from yolo_pipeline.nouns import Finding

ENLARGED = 4.0
"""Times that a picture is scaled up to the training size: it then holds no more detail, and costs the square of it."""

SMALLEST = 32
"""Shorter side in pixels below which a picture is one cell of YOLO's coarsest grid."""

STRETCHED = 4.0
"""Longer side over shorter from which on three quarters of the training input are grey margin."""

MIXED = 8.0
"""Largest picture over smallest (longer sides) from which on objects come in very different resolutions."""

_PLAIN_MODES = ("RGB", "L", "P", "1")  # what decoders turn into RGB without loss of what one sees


def unreadable(evidence: Evidence) -> Iterator[Finding]:
    why = evidence.measured.unreadable
    files = tuple(image.name for image in evidence.images if image.file in why)
    if files:
        reasons = Counter(why[image.file] for image in evidence.images if image.file in why)
        text = f"{count(len(files), 'picture')} cannot be decoded to the end: {named(files)} ({named(reasons, 1)})"
        yield Finding("unreadable pictures", "fault", text, "Copy them again from their source, or remove them", files)


def small(evidence: Evidence) -> Iterator[Finding]:
    tiny = [image.name for image in evidence.images if min(image.width, image.height) < SMALLEST]
    if tiny:
        text = f"{count(len(tiny), 'picture')} under {SMALLEST} pixels wide or high: {named(tiny)}"
        yield Finding("small pictures", "warning", text, "Remove thumbnails and icons", tuple(tiny))


def enlarged(evidence: Evidence) -> Iterator[Finding]:
    enlarged = tuple(image.name for image in evidence.images if evidence.scale(image) >= ENLARGED)
    if 2 * len(enlarged) > len(evidence.images):
        longer = float(np.median([max(image.width, image.height) for image in evidence.images]))
        wanted = max(SMALLEST, round(longer / SMALLEST) * SMALLEST)
        text = f"most pictures ({len(enlarged)}) are enlarged {ENLARGED:g} times or more to imgsz {evidence.imgsz}"
        remedy = f"imgsz {wanted} or {2 * wanted} shows as much and trains faster"
        yield Finding("enlarged pictures", "note", text, remedy, enlarged, {"wanted_imgsz": wanted})


def stretched(evidence: Evidence) -> Iterator[Finding]:
    ratio = {i.name: max(i.width, i.height) / min(i.width, i.height) for i in evidence.images}
    files = tuple(name for name, r in sorted(ratio.items(), key=lambda entry: -entry[1]) if r >= STRETCHED)
    if files:
        text = f"{count(len(files), 'picture')} at least {STRETCHED:g} times as long as wide: {named(files)}"
        remedy = "Cut them into pieces; scaled as a whole, their objects become tiny"
        if evidence.classified:
            remedy = "Cut out what counts: a classifier sees them pressed into a square"
        yield Finding("stretched pictures", "warning", text, remedy, files)


def mixed_sizes(evidence: Evidence) -> Iterator[Finding]:
    longer = [max(image.width, image.height) for image in evidence.images]
    if longer and max(longer) >= MIXED * min(longer):
        order = sorted(range(len(longer)), key=longer.__getitem__)
        ends = [evidence.images[i] for i in (order[0], order[-1])]
        sizes = " to ".join(f"{image.width}x{image.height}" for image in ends)
        what = "classes are" if evidence.classified else "objects are"
        text = f"pictures of very different sizes, {sizes}: {what} seen in different detail"
        remedy = "Look at the smallest ones at the training size; leave out what cannot be told there"
        yield Finding("mixed sizes", "note", text, remedy, tuple(image.name for image in ends))


def mixed_grey(evidence: Evidence) -> Iterator[Finding]:
    grey = [file for file in evidence.files if evidence.picture(file).grey]
    colour = [file for file in evidence.files if not evidence.picture(file).grey]
    if not grey or not colour:
        return
    fewer, what = (grey, "without colour") if len(grey) <= len(colour) else (colour, "in colour")
    files = tuple(evidence.by_file[file][0].name for file in fewer)
    share = percent(len(fewer) / len(evidence.files))
    text = f"{count(len(fewer), 'picture')} {what} ({share}) among others: {named(files)}"
    remedy = "Nothing, if it shall work on such pictures; else leave them out"
    yield Finding("mixed grey and colour", "note", text, remedy, files)


def unusual_modes(evidence: Evidence) -> Iterator[Finding]:
    """Pictures with transparency, four inks, or more than 8 bits: their colours are not what they seem."""
    modes = {file: evidence.picture(file).mode for file in evidence.files}
    files = [file for file in evidence.files if modes[file] not in _PLAIN_MODES]
    if files:
        kinds = Counter(modes[file] for file in files)
        listed = ", ".join(f"{n} {mode}" for mode, n in sorted(kinds.items()))
        text = f"{count(len(files), 'picture')} not stored as plain RGB or grey: {listed}"
        remedy = "Look whether their colours are right on the page; transparency is dropped in training"
        names = tuple(evidence.by_file[file][0].name for file in files)
        yield Finding("unusual pixel formats", "note", text, remedy, names, {"modes": dict(kinds)})


def turned(evidence: Evidence) -> Iterator[Finding]:
    files = tuple(evidence.by_file[f][0].name for f in evidence.files if evidence.picture(f).orientation != 1)
    if files:
        text = f"{count(len(files), 'picture')} stored turned, with an EXIF orientation: {named(files)}"
        remedy = "See on the page that boxes lie where they should; else export the pictures upright and label again"
        yield Finding("EXIF orientation", "note", text, remedy, files)
