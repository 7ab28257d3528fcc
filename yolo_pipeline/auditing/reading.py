"""What reading mended, left out and did not use, as findings: one for each kind of fault."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from yolo_pipeline.auditing.evidence import Evidence, Severity, count, named, percent
from yolo_pipeline.formats.source import stem_of
from yolo_pipeline.nouns import Change, Finding, ImageRecord

MUCH = 0.05
"""Share of all boxes from which on a slip that was mended is a habit, worth a warning."""

_LISTED = 1_000  # changes among the figures; all of them are in the report of reading


@dataclass(frozen=True, slots=True)
class _Fault:
    """How a fault is called in a finding, and how grave it is when it is rare."""

    kind: str
    said: str
    remedy: str
    severity: Severity = "note"


_CLIP = "Draw boxes within the picture; see that they were drawn on pictures of this size"
_LABEL = "Label them, or say that they are background (unlabelled: background)"
_FOLDER = "Put them into the folder of their class"
_WHATEVER = "Look at the first of these files"

_FIXED = {
    "clipped": _Fault("clipped boxes", "reach out of the picture and were clipped", _CLIP),
    "swapped corners": _Fault("swapped corners", "have swapped corners, which were put in order", "Save them again"),
    "label": _Fault("untidy class names", "have stray blanks or other spelling in the class", "Rename the class"),
    "difficult": _Fault(
        "difficult objects", "are marked difficult and were kept", "Say difficult: drop to leave them out"
    ),
    "same picture": _Fault("pictures in two sources", "are in another source, too, and were joined", _WHATEVER),
}
_DROPPED = {
    "no area": _Fault("boxes without area", "have no width or height", "Draw them again"),
    "outside": _Fault("boxes outside", "lie outside the picture", _CLIP, "warning"),
    "duplicate": _Fault("duplicate boxes", "are in the file twice, box and class", "Remove the second one"),
    "no class": _Fault("objects without class", "have no class", "Name their class", "warning"),
    "no box": _Fault("objects without box", "have no readable box", "Draw them again", "warning"),
    "no picture": _Fault(
        "annotations without picture", "are of a picture that is not there", "Add the pictures", "warning"
    ),
    "difficult": _Fault(
        "difficult objects", "are marked difficult and were left out", "Say difficult: keep to have them"
    ),
    "crowd": _Fault("crowds", "stand for a crowd", "Box each object, or see that the crowd may count as background"),
    "conflict": _Fault(
        "conflicting classes", "have another class in another source", "Correct the wrong one", "warning"
    ),
    "too small": _Fault(
        "objects too small to crop", "are too small for a picture and were not cropped", "Nothing, if they are few"
    ),
    "boxed twice": _Fault("boxed in two sources", "are boxed otherwise in another source", _WHATEVER),
}
_SKIPPED = (
    ("no folder of a class", _Fault("pictures without class", "lie in no folder of a class", _FOLDER)),
    ("no name of a class", _Fault("pictures without class", "lie in no folder of a class", _FOLDER)),
    ("unlabelled", _Fault("unlabelled pictures", "have no annotation and are not used", _LABEL)),
    ("without picture", _Fault("annotations without picture", "belong to no picture", "Add the pictures")),
    ("no such picture", _Fault("annotations without picture", "are annotated but not there", "Add the pictures")),
    ("", _Fault("unreadable files", "could not be read and are not used", "Mend or remove them")),
)  # fmt: skip
_COVERED = ("EXIF", "size")  # by rules of their own


def fixed(evidence: Evidence) -> Iterator[Finding]:
    yield from _changes(evidence, evidence.report.fixed, _FIXED, "mended")
    yield from wrong_sizes(evidence)


def dropped(evidence: Evidence) -> Iterator[Finding]:
    yield from _changes(evidence, evidence.report.dropped, _DROPPED, "left out")


def wrong_sizes(evidence: Evidence) -> Iterator[Finding]:
    """Annotations that give their picture another size: then boxes may lie on another version of it."""
    changes = [change for change in evidence.report.fixed if change.what == "size"]
    empty = [change for change in changes if " 0x0" in change.why]
    other = [change for change in changes if " 0x0" not in change.why]
    if empty:
        text = f"{count(len(empty), 'annotation')} with size 0x0: {named(_files(empty))}"
        yield Finding("no picture size", "note", text, "Nothing: the picture's own size is used", _files(empty))
    if other:
        text = f"{count(len(other), 'annotation')} with another size than the picture's: {named(_files(other))}"
        remedy = "See on the page whether boxes lie right; they may have been drawn before the picture was scaled"
        yield Finding("wrong picture size", "warning", text, remedy, _files(other), _figures(other))


def emptied(evidence: Evidence) -> Iterator[Finding]:
    """Pictures whose objects were all left out: they would be trained on as background."""
    if not evidence.report.dropped:
        return
    backgrounds: dict[str, list[ImageRecord]] = defaultdict(list)
    for image in evidence.images:
        if image.is_background:
            backgrounds[stem_of(image.name)].append(image)
    stems = {stem_of(change.file) for change in evidence.report.dropped if change.what != "no picture"}
    files = tuple(image.name for stem in sorted(stems) for image in backgrounds.get(stem, ()))
    if files:
        text = f"{count(len(files), 'picture')} lost all objects while reading and would be background: {named(files)}"
        yield Finding("emptied pictures", "warning", text, "Mend their annotations, or leave them out", files)


def skipped(evidence: Evidence) -> Iterator[Finding]:
    groups: dict[str, tuple[_Fault, list[str], list[str]]] = {}
    for skip in evidence.report.skipped:
        fault = next(fault for sign, fault in _SKIPPED if sign in skip.why)
        _, files, reasons = groups.setdefault(fault.kind, (fault, [], []))
        files.append(skip.file)
        reasons.append(skip.why)
    for fault, files, reasons in groups.values():
        text = f"{count(len(files), 'file')} {_agree(fault.said, len(files))}: {named(files)}"
        figures = {"why": sorted(set(reasons))[:_LISTED]}
        yield Finding(fault.kind, "warning", text, fault.remedy, tuple(files), figures)


def _changes(evidence: Evidence, changes: Iterable[Change], table: dict[str, _Fault], done: str) -> Iterator[Finding]:
    by_kind: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.what not in _COVERED:
            by_kind[change.what].append(change)
    for what, same in sorted(by_kind.items(), key=lambda entry: -len(entry[1])):
        fault = table.get(what) or _Fault(f"{done}: {what}", f"were {done} ({what})", _WHATEVER)
        share = len(same) / max(evidence.dataset.boxes + len(evidence.report.dropped), 1)
        severity: Severity = "warning" if share > MUCH else fault.severity
        what_of = count(len(same), "object") + f" ({percent(share)})"
        if not any(change.object for change in same):  # 0 stands for the file as a whole
            what_of = count(len(same), "picture")
        text = f"{what_of} {_agree(fault.said, len(same))}: {named(_files(same))}"
        yield Finding(fault.kind, severity, text, fault.remedy, _files(same), _figures(same))


def _files(changes: Iterable[Change]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(change.file for change in changes))


def _figures(changes: list[Change]) -> dict[str, object]:
    listed = [[change.file, change.object, change.why] for change in changes[:_LISTED]]
    return {"objects": len(changes), "changes": listed}


def _agree(said: str, number: int) -> str:
    """The words for one thing: `have` -> `has`."""
    if number != 1:
        return said
    singular = {
        "have": "has",
        "are": "is",
        "lie": "lies",
        "reach": "reaches",
        "stand": "stands",
        "were": "was",
        "belong": "belongs",
    }
    verb, _, rest = said.partition(" ")
    return f"{singular.get(verb, verb)} {rest}".replace(" were ", " was ").replace(" and are ", " and is ")
