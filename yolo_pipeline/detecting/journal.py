"""What was found so far, on disk: a command that was interrupted goes on from it, and all tables are made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.views import Candidate, Seen


@dataclass(slots=True)
class Journal:
    """A file of JSON lines: the settings first, then one line a picture, in the order in which they were seen.

    Only where a line stands in the file is kept in memory.
    """

    file: Path
    settings: Mapping[str, Any]
    _places: dict[str, tuple[int, str]] = field(default_factory=dict)  # name -> where its line begins, its file's state
    _out: BinaryIO | None = None

    def __enter__(self) -> Journal:
        """Opens it to go on, or begins it; from a line on that was cut off or damaged, it is taken away.

        Raises:
            InputError: it was begun with other settings.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        end = self._read() if self.file.is_file() else 0
        self._out = self.file.open("ab")
        self._out.truncate(end)
        if not end:
            self._write(self.settings)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._out is not None:
            self._out.close()

    def has(self, candidate: Candidate) -> bool:
        """Whether the picture was seen as it is now."""
        return self._places.get(candidate.name, (0, ""))[1] == _state(candidate.file)

    def add(self, seen: Seen) -> None:
        label = {name: index for index, name in enumerate(self.settings["names"])}
        found = [[label[d.label], d.score, d.box.x0, d.box.y0, d.box.x1, d.box.y1] for d in seen.detections]
        state = _state(seen.file)
        row = {"name": seen.name, "state": state, "size": [seen.width, seen.height], "found": found}
        self._places[seen.name] = (self._write(row | ({"note": seen.note} if seen.note else {})), state)

    def read(self, candidates: Iterable[Candidate]) -> Iterator[Seen]:
        """What was seen on those of the candidates that are in it, in their order."""
        if self._out is not None:
            self._out.flush()
        names = self.settings["names"]
        with self.file.open("rb") as lines:
            for candidate in candidates:
                if candidate.name in self._places:
                    lines.seek(self._places[candidate.name][0])
                    yield _seen(candidate, json.loads(lines.readline()), names)

    def _write(self, row: Mapping[str, Any]) -> int:
        assert self._out is not None
        place = self._out.tell()
        self._out.write(json.dumps(row, separators=(",", ":")).encode("ascii") + b"\n")
        self._out.flush()
        return place

    def _read(self) -> int:
        """Notes the places of all whole lines; where the last one ends."""
        end = 0
        with self.file.open("rb") as lines:
            for line in lines:
                row = _parsed(line)
                if row is None or (end and not _is_of_a_picture(row)):
                    break
                if end:
                    self._places[row["name"]] = (end, row["state"])
                else:
                    self._compare(row)
                end += len(line)
        return end

    def _compare(self, before: Mapping[str, Any]) -> None:
        now = json.loads(json.dumps(self.settings))
        changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
        if changed:
            remedy = "Name another folder with --out, or add --again, which keeps this one under another name"
            reason = f"holds detections that were made with another {', another '.join(changed)}"
            raise InputError(self.file.parent, reason, remedy)


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
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _is_of_a_picture(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("name"), str) and isinstance(row.get("state"), str) and "size" in row and "found" in row


def _seen(candidate: Candidate, row: Mapping[str, Any], names: list[str]) -> Seen:
    width, height = row["size"]
    found = tuple(Detection(Box(*corners), names[label], score) for label, score, *corners in row["found"])
    return Seen(candidate.name, candidate.file, width, height, found, row.get("note", ""))


def _state(file: Path) -> str:
    """Changes when the file does."""
    status = file.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"
