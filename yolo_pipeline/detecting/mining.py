"""Pictures without objects on which the model fires all the same: the best backgrounds for the next attempt."""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from yolo_pipeline import images
from yolo_pipeline.detecting.naming import DistinctNames, visible_stem
from yolo_pipeline.detecting.tables import cell, write_rows
from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.files import folder_beside
from yolo_pipeline.formats.files import place_picture
from yolo_pipeline.formats.labelling import place_readable
from yolo_pipeline.images import UnreadableImage
from yolo_pipeline.nouns import Detection, Skip
from yolo_pipeline.views import Seen, Views

TABLE = "mined.csv"
_COLUMNS = ("image", "score", "class", "sha256")
_LEAST_SIDE = 10  # pixels; building a data set refuses smaller pictures
_HELD_OUT = "a val or test picture of the attempt: training on it would flatter the scores"
_TRAINED_ON = "a training picture of the attempt: it is labelled, or a background already"
_TAKEN_OUT = "was mined before and taken out of the folder since"


@dataclass(frozen=True, slots=True)
class Mined:
    """What became of the pictures on which the model fired.

    Attributes:
        folder: with the pictures and mined.csv; there only if a picture was ever added.
        added: pictures that are new in it.
        known: pictures that were in it already, or came twice.
        left_out: of every other one, why.
    """

    folder: Path
    added: int
    known: int
    left_out: tuple[Skip, ...]

    def __str__(self) -> str:
        """For the user, on one line."""
        said = [f"{self.added} pictures on which the model fires were added to {self.folder}"]
        if self.known:
            said.append(f"{self.known} are in it already")
        if self.left_out:
            first = self.left_out[0]
            said.append(f"{len(self.left_out)} were left out (the first, {first.file}: {first.why})")
        return one_line("; ".join(said))


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of mined.csv; `image` is the file in the folder, `sha256` that of the picture it was made of."""

    image: str
    score: float
    label: str
    sha256: str


def mine(
    pictures: Iterable[Seen],
    views: Views,
    target: Path,
    trained_on: Collection[str],
    held_out: Collection[str],
) -> Mined:
    """Copies the pictures on which the model fires at the lowest threshold into a folder, which is left as it is else.

    mined.csv names them with the surest false box of each, the surest first. Pictures are told apart by their sha256;
    one that somebody took out of the folder again does not come back.

    Args:
        pictures: all of them without objects, as the user says.
        trained_on, held_out: sha256 of the attempt's training pictures, and of those of val and test.

    Raises:
        InputError: the folder holds something else, or its mined.csv is damaged.
        DataError: the disk is full.
    """
    mining = _Mining(target, trained_on, held_out, _rows_of(target))
    for seen in pictures:
        if shown := views.all(seen):
            mining.look(seen, shown[0])
    mining.save()
    return Mined(target, len(mining.added), mining.repeated, tuple(mining.left_out))


@dataclass(slots=True)
class _Mining:
    """Collects what will be copied; `rows` are those of the table that is there."""

    target: Path
    trained_on: Collection[str]
    held_out: Collection[str]
    rows: Sequence[_Row]
    added: dict[str, tuple[Seen, Detection]] = field(default_factory=dict)  # by sha256
    repeated: int = 0
    left_out: list[Skip] = field(default_factory=list)
    _there: set[str] = field(init=False)
    _taken_out: set[str] = field(init=False)

    def __post_init__(self) -> None:
        there = {row.sha256 for row in self.rows if (self.target / row.image).is_file()}
        self._taken_out = {row.sha256 for row in self.rows} - there
        self._there = there | {images.sha256(file) for file in self._put_there_by_hand()}

    def _put_there_by_hand(self) -> list[Path]:
        known = {TABLE, *(row.image for row in self.rows)}
        entries = self.target.iterdir() if self.target.is_dir() else ()
        return [entry for entry in entries if entry.name not in known and entry.is_file()]

    def look(self, seen: Seen, surest: Detection) -> None:
        """Decides about a picture on which the model fires."""
        try:
            sha = images.sha256(seen.file)
        except OSError as error:
            self._leave_out(seen, error.strerror or str(error))
            return
        if sha in self.added or sha in self._there:
            self.repeated += 1
        elif why := self._why_not(seen, sha):
            self._leave_out(seen, why)
        else:
            self.added[sha] = (seen, surest)

    def _why_not(self, seen: Seen, sha: str) -> str:
        if sha in self.held_out:
            return _HELD_OUT
        if sha in self.trained_on:
            return _TRAINED_ON
        if sha in self._taken_out:
            return _TAKEN_OUT
        small = min(seen.width, seen.height) < _LEAST_SIDE
        return f"{seen.width}x{seen.height} pixels are too few to train on" if small else ""

    def _leave_out(self, seen: Seen, why: str) -> None:
        self.left_out.append(Skip(seen.name, why))

    def save(self) -> None:
        """Builds the folder anew beside its place, with what is in it and what is added, and swaps the two."""
        if not self.added:
            return
        final = self.target.resolve()  # a link to a folder stays one
        as_it_is = partial(place_picture, link=True)
        with folder_beside(final, replace=True) as building:
            if final.is_dir():
                shutil.copytree(final, building, symlinks=True, copy_function=as_it_is, dirs_exist_ok=True)
            rows = sorted([*self.rows, *self._copied(building)], key=lambda row: (-row.score, row.image))
            cells = ((cell(row.image), f"{row.score:.4f}", cell(row.label), row.sha256) for row in rows)
            write_rows(building / TABLE, _COLUMNS, cells)

    def _copied(self, folder: Path) -> Iterator[_Row]:
        stems = DistinctNames()
        for name in sorted({TABLE, *(entry.name for entry in folder.iterdir()), *(row.image for row in self.rows)}):
            stems.take(visible_stem(name))
        for sha, (seen, surest) in list(self.added.items()):
            try:
                stem = folder / stems.take(visible_stem(seen.name))
                picture, _ = place_readable(seen.file, stem, link=False, keep_turned=True)
            except UnreadableImage as error:
                del self.added[sha]
                self._leave_out(seen, str(error))
            else:
                yield _Row(picture.name, surest.score, surest.label, sha)


def require_mined(target: Path) -> None:
    """To be asked before any work is done.

    Raises:
        InputError: as `mine`.
    """
    _rows_of(target)


def _rows_of(target: Path) -> list[_Row]:
    """What mined.csv in a folder says; nothing where there is no folder, or an empty one."""
    if target.exists() and not target.is_dir():
        raise InputError(target, "is a file, where a folder of backgrounds must be", "Name another place")
    if not target.is_dir() or not any(target.iterdir()):
        return []
    file = target / TABLE
    if not file.is_file():
        reason = f"holds something else: there is no {TABLE} in it"
        raise InputError(target, reason, "Name a new folder; pictures can be moved together by hand")
    try:
        with file.open(encoding="utf-8", newline="") as text:
            header, *rows = csv.reader(text)
        if tuple(header) != _COLUMNS:
            raise ValueError(f"its first line is not {','.join(_COLUMNS)}")
        return [_row(row) for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(file, f"cannot be read ({error})", "Mend it, or name a new folder") from error


def _row(cells: Sequence[str]) -> _Row:
    if len(cells) != len(_COLUMNS):
        raise ValueError(f"a line has {len(cells)} cells, not {len(_COLUMNS)}")
    image, score, label, sha = cells
    if not math.isfinite(float(score)):
        raise ValueError(f"{score} is no score")
    return _Row(image, float(score), label, sha)
