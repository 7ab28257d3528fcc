"""What became of addresses that were asked for pictures: limits, file names, and the record that a later call reads."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from yolo_pipeline.errors import one_line
from yolo_pipeline.files import FORBIDDEN_ON_WINDOWS
from yolo_pipeline.images import PICTURE_SUFFIXES, SUFFIXES

RECORD, LOG = ".downloads.jsonl", "downloads.csv"
"""In a folder of downloads: what a later call goes on from, and what people read."""

_LONGEST_STEM = 40  # characters; of Hangul, 120 bytes of the 255 that file systems hold
_SLASHES = re.compile(r"[/\\]")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of hosts, and borne from them.

    Attributes:
        at_once, at_once_of_a_host: exchanges going on at the same time, of all and of one host.
        attempts: how often a picture is asked for where answers fail that may come right.
        redirects: how many are followed for a picture.
        bytes: of a picture, as sent and as unpacked.
        connect_s, read_s: seconds until a connection stands; between two pieces of an answer.
        total_s: seconds that all exchanges for a picture may take, attempts and redirects together.
        backoff_s: seconds before the second attempt; twice as many before each further one.
        patience_s: the longest wait that a host may ask for (Retry-After); who asks for more is asked another day.
    """

    at_once: int = 8
    at_once_of_a_host: int = 2
    attempts: int = 4
    redirects: int = 5
    bytes: int = 50 * 2**20
    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 120.0
    backoff_s: float = 1.0
    patience_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Download:
    """How asking an address ended.

    Attributes:
        address: as it was asked for.
        status: of the last answer; None where there was none.
        sha256, format: of the picture, `format` as Pillow names it; empty where it was not got.
        reason: why it was not got; empty where it was.
        final: whether asking again is of no use.
    """

    address: str
    status: int | None
    sha256: str = ""
    format: str = ""
    reason: str = ""
    final: bool = True

    @property
    def file_name(self) -> str:
        """Of the picture: the last part of the address, readable, with a hash of all of it, and the true suffix."""
        return f"{_readable(self.address)}-{address_hash(self.address)}{SUFFIXES[self.format]}"


def address_hash(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:12]


@dataclass(slots=True)
class Record:
    """A file with one JSON line for each download that ended, written as it ends; the last line of an address counts.

    A line that was cut off or damaged is as if it was not there: its address is asked again.
    """

    file: Path
    _out: BinaryIO | None = None

    def __enter__(self) -> Record:
        before = self.file.read_bytes() if self.file.is_file() else b""
        self._out = self.file.open("ab")
        if before and not before.endswith(b"\n"):  # the last line was cut off
            self._out.write(b"\n")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._out is not None:
            self._out.close()

    def add(self, download: Download) -> None:
        assert self._out is not None
        self._out.write(json.dumps(asdict(download)).encode("ascii") + b"\n")
        self._out.flush()

    def read(self) -> dict[str, Download]:
        """Address -> how asking it ended."""
        return {download.address: download for download in self._lines()} if self.file.is_file() else {}

    def _lines(self) -> Iterator[Download]:
        for line in self.file.read_bytes().splitlines():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict) and _is_download(row):
                yield Download(**row)


def _is_download(row: Mapping[str, Any]) -> bool:
    if row.keys() != {field.name for field in fields(Download)}:
        return False
    if not all(isinstance(row[key], str) for key in ("address", "sha256", "format", "reason")):
        return False
    got = bool(_SHA256.fullmatch(row["sha256"])) and row["format"] in SUFFIXES
    known = row["address"].isascii() and isinstance(row["final"], bool)
    return known and (type(row["status"]) is int or row["status"] is None) and (got or row["sha256"] == "")


def _readable(address: str) -> str:
    """The last part of an address as a file name without suffix: decoded, composed, and fit for every system."""
    last = unquote_to_bytes(address.partition("?")[0].rstrip("/").rpartition("/")[2])
    text = _SLASHES.sub("_", FORBIDDEN_ON_WINDOWS.sub("_", one_line(_decoded(last))))
    stem, dot, suffix = text.rpartition(".")
    if dot and f".{suffix.lower()}" in PICTURE_SUFFIXES:
        text = stem
    return unicodedata.normalize("NFC", text).strip(". -")[:_LONGEST_STEM] or "picture"


def _decoded(data: bytes) -> str:
    """UTF-8, or Korean as older servers write it."""
    for encoding in ("utf-8", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            pass
    return data.decode("ascii", "replace")
