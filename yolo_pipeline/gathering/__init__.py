"""What a user names as SOURCE -> the pictures that it stands for. Nothing is fetched, and hardly a file is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.formats.archive import unpacked
from yolo_pipeline.formats.source import composed
from yolo_pipeline.gathering.addresses import Address, is_address, read_list
from yolo_pipeline.gathering.finding import Found
from yolo_pipeline.gathering.kinds import Kind, kind_of
from yolo_pipeline.gathering.naming import labels, unique
from yolo_pipeline.gathering.patterns import find_pattern
from yolo_pipeline.gathering.walking import walk
from yolo_pipeline.nouns import Skip
from yolo_pipeline.progress import Progress, silent
from yolo_pipeline.views import Candidate

__all__ = ["Address", "Gathered", "gather"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What sources stand for.

    Attributes:
        candidates: in the order of the sources, those of each sorted by name. Names are composed Unicode, and begin
            with the folder's own name where there are several sources.
        skipped: what can be no candidate: dangling links, folders that may not be listed, lines that are no address,
            broken zips that a pattern matches.
        addresses: what is to be fetched, in order, each once.
        notes: what else should be known, a line each: links that loop, files that are reached twice, other files.
    """

    candidates: tuple[Candidate, ...]
    skipped: tuple[Skip, ...] = ()
    addresses: tuple[Address, ...] = ()
    notes: tuple[str, ...] = ()


def gather(sources: Sequence[str], progress: Progress = silent) -> Gathered:
    """Lists the pictures of all sources.

    Args:
        sources: each a picture, a folder (with all below it; links to folders are followed), a pattern
            (`scraped/*.jpg`, `scraped/**/*.png`), a zip, a text file with an address a line, or an address.

    Raises:
        InputError: a source as a whole is nothing: not there, without a match, without a picture or address.
    """
    gathering = _Gathering(progress)
    for source in sources:
        gathering.add(source)
    return gathering.result()


class _Gathering:
    """The sources taken so far, one after the other."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._parts: list[tuple[str, Found]] = []  # source, what was found
        self._addresses: dict[str, Address] = {}
        self._bad_lines: list[Skip] = []
        self._notes: list[str] = []

    def add(self, source: str) -> None:
        if is_address(source):
            self._take_addresses([Address(source)])
            return
        by_kind: dict[Kind, Callable[[], Found | None]] = {
            "folder": lambda: walk(source).without_archives(),
            "picture": partial(Found.of_file, source),
            "archive": partial(self._unpacked, source),
            "pattern": partial(find_pattern, source),
            "list": partial(self._read_list, source),
        }
        found = by_kind[kind_of(source)]()
        if found is not None:
            if not (found.files or found.skipped or found.archives):
                raise InputError(source, "holds no picture", "Name a folder, file, pattern or zip with pictures")
            self._parts.append((source, found))
            for archive in found.archives:
                try:
                    self.add(archive.path)
                except InputError as error:  # it was not named for itself
                    found.skip(archive.name, error.reason)

    def _unpacked(self, archive: str) -> Found:
        found = walk(str(unpacked(Path(archive), self._progress))).without_archives()
        found.root = archive
        return found

    def _read_list(self, file: str) -> None:
        addresses, bad = read_list(file)
        self._bad_lines += bad
        self._take_addresses(addresses)

    def _take_addresses(self, addresses: Sequence[Address]) -> None:
        before = len(self._addresses)
        for address in addresses:
            self._addresses.setdefault(address.url, address)
        if twice := before + len(addresses) - len(self._addresses):
            where = addresses[0].list_file or addresses[0].url
            self._notes.append(f"{where}: addresses that were there already and count once: {twice}")

    def result(self) -> Gathered:
        named, skipped = self._named()
        names = unique([composed(name) for name, _, _ in named])
        candidates = tuple(
            Candidate(name, Path(file), source) for name, (_, file, source) in zip(names, named, strict=True)
        )
        return Gathered(
            candidates,
            (*skipped, *self._bad_lines),
            tuple(self._addresses.values()),
            tuple(map(one_line, self._notes)),
        )

    def _named(self) -> tuple[list[tuple[str, str, str]], list[Skip]]:
        """(name, file, source) of every file that was not reached before, and what was skipped."""
        several = len(self._parts) + bool(self._addresses) > 1
        roots = labels([found.root for _, found in self._parts], [found.single for _, found in self._parts])
        named: list[tuple[str, str, str]] = []
        skipped: dict[Skip, None] = {}
        reached: set[str] = set()
        for (source, found), root in zip(self._parts, roots, strict=True):
            prefix = f"{root}/" if root and (several or found.single) else ""
            new = [file for file in found.files if file.real not in reached]
            reached.update(file.real for file in new)
            named += [(prefix + file.name, file.path, source) for file in new]
            skipped.update(dict.fromkeys(Skip(composed(prefix + skip.file), skip.why) for skip in found.skipped))
            self._note(source, found, len(found.files) - len(new))
        return named, list(skipped)

    def _note(self, source: str, found: Found, twice: int) -> None:
        self._notes += found.notes
        if found.passed:
            self._notes.append(f"{source}: files passed over that are no pictures: {found.passed}")
        if twice:
            self._notes.append(f"{source}: pictures that were reached before and count once: {twice}")
