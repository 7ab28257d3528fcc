"""What was found for one source, and which files are taken for pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from yolo_pipeline import images
from yolo_pipeline.formats.source import composed
from yolo_pipeline.nouns import Skip

CLAIMING = images.PICTURE_SUFFIXES | {".apng", ".jxl"}
"""A file with one of these is a candidate, unopened; that it is none, or of a kind that is not read, is told later."""

_TEXTS = frozenset(
    {".txt", ".xml", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".md", ".names", ".pbtxt", ".html", ".htm",
     ".css", ".js", ".py", ".log", ".cache", ".npy"}
)  # fmt: skip
"""As many of them may lie beside pictures as there are pictures: they are not opened. All other files are."""

NOWHERE = "a link that leads nowhere"


def mode_of(path: str) -> int:
    """What kind of thing a path leads to, as `stat` has it; 0: to nothing that may be seen."""
    try:
        return Path(path).stat().st_mode
    except OSError:
        return 0


class File(NamedTuple):
    """A picture, as far as is known without opening it.

    Attributes:
        name: path below its source, with `/`, as the disk has it.
        path: as it was reached, beginning with the source.
        real: without links.
        linked: whether there is a link on the way, or it is one.
    """

    name: str
    path: str
    real: str
    linked: bool = False


@dataclass(slots=True)
class Found:
    """What one source holds.

    Attributes:
        root: the folder, file or archive that names are below of.
        single: whether it is one file.
        passed: how many files are no pictures.
        archives: zips, which count where they were asked for by a pattern.
    """

    root: str
    single: bool = False
    files: list[File] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    passed: int = 0
    archives: list[File] = field(default_factory=list)

    @staticmethod
    def of_file(path: str) -> Found:
        return Found(path, True, [File(os.path.basename(path), path, os.path.realpath(path))])

    def skip(self, name: str, reason: str | OSError) -> None:
        self.skipped.append(Skip(name, reason if isinstance(reason, str) else reason.strerror or str(reason)))

    def consider(self, file: File) -> None:
        """Takes a regular file where its suffix or its first bytes are those of a picture, or its suffix a zip's."""
        suffix = os.path.splitext(file.name)[1].lower()
        try:
            if suffix == ".zip":
                self.archives.append(file)
            elif suffix in CLAIMING or (
                suffix not in _TEXTS and images.starts_like_picture(images.start_of(file.path))
            ):
                self.files.append(file)
            else:
                self.passed += 1
        except OSError as error:
            self.skip(file.name, error)

    def other(self, name: str, path: str) -> None:
        """Notes what is neither a folder nor a regular file, where it has the name of a picture or leads nowhere."""
        suffix = os.path.splitext(name)[1].lower()
        if suffix not in _TEXTS and mode_of(path) == 0:
            self.skip(name, NOWHERE)
        elif suffix in CLAIMING:
            self.skip(name, "it is a pipe or a device, not a file")
        else:
            self.passed += 1

    def settle(self) -> None:
        """Sorts by name, each file once: by its own name rather than by a link's."""
        once: dict[str, File] = {}
        for file in sorted(self.files, key=lambda file: (file.linked, composed(file.name), file.name)):
            kept = once.setdefault(file.real, file)
            if kept.path != file.path:
                self.notes.append(f"{file.path}: is the same file as {kept.path}, which counts once")
        self.files = sorted(once.values(), key=lambda file: (composed(file.name), file.name))
        self.archives.sort(key=lambda file: (composed(file.name), file.name))
        self.skipped.sort(key=lambda skip: skip.file)

    def without_archives(self) -> Found:
        """Zips that merely lie in a folder are files like others that are no pictures."""
        self.passed += len(self.archives)
        self.archives = []
        return self
