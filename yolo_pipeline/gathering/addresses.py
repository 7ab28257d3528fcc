"""Text files with an address of a picture a line."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from yolo_pipeline.errors import InputError
from yolo_pipeline.nouns import Skip

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_LONGEST = 8192  # characters; servers refuse half of that
_LARGEST = 2**27  # bytes, a million addresses and more
_SHOWN = 60  # characters of a bad line
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a picture may be had.

    Attributes:
        url: as it is written, with http or https and a host.
        list_file, line: where it stands, lines counted from 1; None and 0 for one named directly.
    """

    url: str
    list_file: str | None = None
    line: int = 0


def is_address(text: str) -> bool:
    """Whether it begins with http:// or https:// and names a host; whether there is one, nobody has asked."""
    if not (_ADDRESS.match(text) and len(text) <= _LONGEST and text.isprintable()):
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:  # an IPv6 address that is none
        return False


def read_list(file: str) -> tuple[list[Address], list[Skip]]:
    """The addresses of a list and its bad lines, as `FILE:LINE`. Blank lines, and those after #, are comments.

    Raises:
        InputError: it cannot be read, is no text, or holds no address.
    """
    addresses: list[Address] = []
    bad: list[Skip] = []
    for number, text in enumerate(map(str.strip, _text(file).splitlines()), start=1):
        if is_address(text):
            addresses.append(Address(text, file, number))
        elif text and not text.startswith("#"):
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
            bad.append(Skip(f"{file}:{number}", f"is no http or https address: {shown}"))
    if not addresses:
        raise _no_list(file)
    return addresses, bad


def _text(file: str) -> str:
    """UTF-8, UTF-16 by its mark, else CP949, in which Korean Windows writes, else Latin-1."""
    try:
        if Path(file).stat().st_size > _LARGEST:
            raise _no_list(file)
        data = Path(file).read_bytes()
    except OSError as error:
        raise InputError(file, error.strerror or str(error), "Check its permissions") from error
    marked = [encoding for mark, encoding in _BOMS if data.startswith(mark)]
    if not marked and b"\0" in data:
        raise _no_list(file)
    for encoding in marked or ("utf-8", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _no_list(file: str) -> InputError:
    remedy = "Name pictures, folders, a zip, or a text file with an address a line"
    return InputError(file, "is no picture and no zip, and holds no http or https address", remedy)
