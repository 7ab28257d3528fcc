"""The same picture twice: across splits it flatters the scores, labelled differently it confuses training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from yolo_pipeline.auditing.evidence import Evidence, Severity, count, named
from yolo_pipeline.geometry import SAME_OBJECT_IOU, iou
from yolo_pipeline.nouns import Finding, ImageRecord, Split, Truth

_SEPARATE = (
    "Keep one picture of each pair, or deal the data anew with such pictures in one split "
    "(`split: {train: 0.8, val: 0.1, test: 0.1, again: true, similar_together: true}`)"
)


@dataclass(frozen=True, slots=True)
class _Pair:
    first: ImageRecord
    second: ImageRecord
    identical: bool

    @property
    def names(self) -> tuple[str, str]:
        return self.first.name, self.second.name

    @property
    def splits(self) -> tuple[Split | None, Split | None]:
        return self.first.split, self.second.split

    @property
    def across(self) -> bool:
        return self.first.split != self.second.split

    @property
    def one_group(self) -> bool:
        """Versions of one photo that somebody made on purpose."""
        return bool(self.first.group) and self.first.group == self.second.group


def leakage(evidence: Evidence) -> Iterator[Finding]:
    """The same or nearly the same picture in two splits."""
    pairs = sorted((p for p in _pairs(evidence) if p.across), key=lambda p: (not p.identical, p.names))
    if not pairs:
        return
    same = sum(pair.identical for pair in pairs)
    kinds = " and ".join(
        count(n, f"{kind} pair") for n, kind in ((same, "identical"), (len(pairs) - same, "near-identical")) if n
    )
    judged = {i.name for p in pairs for i in (p.first, p.second) if i.split in ("val", "test")}
    text = f"{kinds} of pictures across splits, which flatters the scores: {named(pairs[0].names)}"
    figures = {**_figures(pairs), "identical": same, "near": len(pairs) - same, "judged_images": len(judged)}
    yield Finding("leakage", "fault", text, _SEPARATE, _files(pairs), figures)


def divided_groups(evidence: Evidence) -> Iterator[Finding]:
    """Versions of one photo (Roboflow's, or edited ones of one file) in several splits."""
    groups: dict[str, list[ImageRecord]] = defaultdict(list)
    for image in evidence.images:
        if image.group:
            groups[image.group].append(image)
    divided = {name: images for name, images in sorted(groups.items()) if len({i.split for i in images}) > 1}
    if divided:
        files = tuple(image.name for images in divided.values() for image in images)
        text = f"the versions of {count(len(divided), 'photo')} lie in different splits: {named(divided)}"
        yield Finding("divided groups", "fault", text, _SEPARATE, files, {"groups": list(divided)})


def labelled_differently(evidence: Evidence) -> Iterator[Finding]:
    """Identical files whose boxes or classes disagree."""
    pairs = [p for p in _identical(evidence) if not _same_objects(p.first.truths, p.second.truths)]
    if pairs:
        text = f"{count(len(pairs), 'pair')} of identical pictures have different labels: {named(pairs[0].names)}"
        remedy = "Keep one picture of each pair with the labels that are right"
        yield Finding("copies labelled differently", "warning", text, remedy, _files(pairs), _figures(pairs))


def copies(evidence: Evidence) -> Iterator[Finding]:
    """Copies within one split, or in data that has yet to be dealt into splits."""
    pairs = [pair for pair in _pairs(evidence) if not pair.across and not pair.one_group]
    same = [pair for pair in pairs if pair.identical]
    near = [pair for pair in pairs if not pair.identical]
    undealt = not evidence.has_splits
    if same:
        text = f"{count(len(same), 'pair')} of identical pictures, such as {named(same[0].names)}: each counts twice"
        yield Finding("identical pictures", "note", text, "Keep one of each", _files(same), _figures(same))
    if near:
        danger = ": dealt into splits, they would flatter the scores" if undealt else ""
        text = f"{count(len(near), 'pair')} of nearly the same picture, such as {named(near[0].names)}{danger}"
        remedy = (
            "Keep one of each, or deal them into one split (`similar_together: true` in `split:`)"
            if undealt
            else "Keep those that add something"
        )
        severity: Severity = "warning" if undealt else "note"
        yield Finding("near-identical pictures", severity, text, remedy, _files(near), _figures(near))


def _pairs(evidence: Evidence) -> Iterator[_Pair]:
    yield from _identical(evidence)
    for a, b in evidence.near:
        if evidence.hashes[a] != evidence.hashes[b]:
            yield _widest(evidence.by_file[a], evidence.by_file[b], identical=False)


def _identical(evidence: Evidence) -> Iterator[_Pair]:
    """Each file with the same bytes as another, with the first such file of every split; and files in two splits."""
    by_hash: dict[str, list[Path]] = defaultdict(list)
    for file, images in evidence.by_file.items():
        by_hash[evidence.hashes[file]].append(file)
        if len({image.split for image in images}) > 1:
            yield _widest(images, images, identical=True)
    for _, files in sorted(by_hash.items()):
        for a, b in _stars(sorted(files), evidence):
            yield _widest(evidence.by_file[a], evidence.by_file[b], identical=True)


def _stars(files: list[Path], evidence: Evidence) -> Iterator[tuple[Path, Path]]:
    """Pairs that join all files of one content: few, where all combinations of a thousand copies are many."""
    firsts: dict[Split | None, Path] = {}
    for file in files:
        first = firsts.setdefault(evidence.by_file[file][0].split, file)
        if first != file:
            yield first, file
    yield from combinations(firsts.values(), 2)


def _widest(first: list[ImageRecord], second: list[ImageRecord], *, identical: bool) -> _Pair:
    """Of the images made of two files, two that lie in different splits if there are such; training first."""
    pairs = [(a, b) for a in first for b in second if a is not b]
    a, b = next(((a, b) for a, b in pairs if a.split != b.split), pairs[0])
    ordered = (b, a) if b.split == "train" and a.split != "train" else (a, b)
    return _Pair(*ordered, identical)


def _same_objects(first: tuple[Truth, ...], second: tuple[Truth, ...]) -> bool:
    if len(first) != len(second):
        return False
    rest = list(second)
    for truth in first:
        match = next((o for o in rest if o.label == truth.label and iou(o.box, truth.box) >= SAME_OBJECT_IOU), None)
        if match is None:
            return False
        rest.remove(match)
    return True


def _files(pairs: Iterable[_Pair]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for pair in pairs for name in pair.names))


def _figures(pairs: list[_Pair]) -> dict[str, object]:
    return {"pairs": [list(pair.names) for pair in pairs], "splits": [list(pair.splits) for pair in pairs]}
