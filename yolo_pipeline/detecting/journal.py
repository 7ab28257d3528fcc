"""What was found so far, on disk: a command that was interrupted goes on from it, and all tables are made of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.views import Candidate, Seen

_LONGEST_SHOWN = 200  # characters of a setting


@dataclass(slots=True)
class Journal:
    """A file of JSON lines: the settings first, then one line a picture, in the order in which they were seen.

    A later line of a picture counts; `{"forgotten": NAME}` takes its line back. Only where lines stand is kept in
    memory. While it is open no other command can open it.
    """

    file: Path
    settings: Mapping[str, Any]
    _places: dict[str, tuple[int, str]] = field(default_factory=dict)  # name -> where its line begins, its file's state
    _states: dict[str, str] = field(default_factory=dict)  # name -> its file's state, before it was decoded
    _labels: dict[str, int] = field(default_factory=dict)  # class -> its number
    _end: int = 0
    _out: BinaryIO | None = None

    def __enter__(self) -> Journal:
        """Opens it to go on, or begins it; from a line on that was cut off or damaged, it is taken away.

        Raises:
            InputError: it was begun with other settings, or another command has it open.
        """
        self._labels = {name: number for number, name in enumerate(self.settings["names"])}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._out = self.file.open("ab")
        try:
            _lock(self._out, self.file)
            self._read()
        except BaseException:
            self._out.close()
            raise
        self._out.truncate(self._end)
        if not self._end:
            self._write(self.settings)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._out is not None:
            self._out.close()

    def unseen(self, candidates: Iterable[Candidate]) -> frozenset[str]:
        """Names of those that it does not hold as their files are now; to be asked before they are decoded."""
        self._states = {one.name: _state(one.file) for one in candidates}
        seen = {name for name, now in self._states.items() if now and self._places.get(name, (0, ""))[1] == now}
        return frozenset(self._states.keys() - seen)

    def forget(self, unseen: Collection[str]) -> Iterator[Seen]:
        """Takes back what it holds of pictures that are `unseen`, or were no candidates; each, before it is forgotten.

        What was made of a picture is thus taken away before the journal no longer knows of it.
        """
        outdated = [name for name in self._places if name in unseen or name not in self._states]
        for name in outdated:
            yield from self.read([Candidate(name, Path(name), "")])
            self._write({"forgotten": name})
            del self._places[name]

    def add(self, pictures: Iterable[Seen]) -> None:
        """Those that were seen together, so that an interruption keeps all of them, or none."""
        self._write(*map(self._row, pictures))

    def read(self, candidates: Iterable[Candidate]) -> Iterator[Seen]:
        """What was seen on those of the candidates that are in it, in their order."""
        names = self.settings["names"]
        with self.file.open("rb") as lines:
            for candidate in candidates:
                if candidate.name in self._places:
                    lines.seek(self._places[candidate.name][0])
                    yield _seen(candidate, json.loads(lines.readline()), names)

    def _row(self, seen: Seen) -> dict[str, Any]:
        found = [[self._labels[d.label], d.score, d.box.x0, d.box.y0, d.box.x1, d.box.y1] for d in seen.detections]
        row = {"name": seen.name, "state": self._states[seen.name], "size": [seen.width, seen.height], "found": found}
        return row | ({"note": seen.note} if seen.note else {})

    def _write(self, *rows: Mapping[str, Any]) -> None:
        assert self._out is not None
        lines = [json.dumps(row, separators=(",", ":")).encode("ascii") + b"\n" for row in rows]
        self._out.write(b"".join(lines))
        self._out.flush()
        for row, line in zip(rows, lines, strict=True):
            self._note(row, len(line))

    def _note(self, row: Mapping[str, Any], length: int) -> None:
        """Goes on behind a line."""
        if "state" in row:
            self._places[row["name"]] = (self._end, row["state"])
        self._end += length

    def _read(self) -> None:
        """Notes all lines up to the first that is damaged."""
        with self.file.open("rb") as lines:
            for line in lines:
                row = _parsed(line)
                if row is None:
                    return
                if not self._end:
                    self._compare(row)
                elif isinstance(forgotten := row.get("forgotten"), str):
                    self._places.pop(forgotten, None)
                elif not _is_whole(row, self.settings["names"]):
                    return
                self._note(row, len(line))

    def _compare(self, before: Mapping[str, Any]) -> None:
        now = json.loads(json.dumps(self.settings))
        changed = [_shown(key, before.get(key)) for key in {**now, **before} if before.get(key) != now.get(key)]
        if changed:
            remedy = "Name another folder with --out, or add --again, which keeps this one under another name"
            raise InputError(self.file.parent, f"holds detections made with {', '.join(changed)}", remedy)


def begun_with(file: Path) -> Mapping[str, Any]:
    """The settings that a journal was begun with; empty where there is none."""
    if not file.is_file():
        return {}
    with file.open("rb") as lines:
        return _parsed(lines.readline()) or {}


def _parsed(line: bytes) -> dict[str, Any] | None:
    """None for a line that was cut off."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _shown(key: str, value: Any) -> str:
    if key in ("weights", "names"):
        return f"other {key}"
    said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{key} {said if len(said) <= _LONGEST_SHOWN else said[:_LONGEST_SHOWN] + '…'}"


def _is_whole(row: Mapping[str, Any], names: list[str]) -> bool:
    try:
        seen = _seen(Candidate(row["name"], Path(), ""), row, names)
    except (KeyError, ValueError, TypeError, IndexError):
        return False
    return isinstance(seen.name, str) and isinstance(row.get("state"), str)


def _seen(candidate: Candidate, row: Mapping[str, Any], names: list[str]) -> Seen:
    width, height = row["size"]
    found = tuple(Detection(Box(*corners), names[label], score) for label, score, *corners in row["found"])
    return Seen(candidate.name, candidate.file, width, height, found, row.get("note", ""))


def _state(file: Path) -> str:
    """Changes when the file does, or is another one; empty where there is none."""
    try:
        status = file.stat()
    except OSError:  # which decoding will say
        return ""
    place = sha256(str(file.absolute()).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{status.st_size}-{status.st_mtime_ns}-{place}"


def _lock(opened: BinaryIO, file: Path) -> None:
    """Until it is closed; where the disk cannot lock, nothing is locked."""
    try:
        if sys.platform == "win32":
            import msvcrt

            opened.seek(2**30)  # whose lock keeps nobody from reading
            msvcrt.locking(opened.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        reason = "is being filled by another command"
        raise InputError(file.parent, reason, "Wait for it, or name another folder with --out") from error
    except OSError:
        return
