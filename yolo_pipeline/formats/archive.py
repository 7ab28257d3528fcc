"""Zip archives from strangers, unpacked once into the user's cache, with every entry checked before one is written."""

from __future__ import annotations

import errno
import re
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.files import fits_windows
from yolo_pipeline.formats.unpacking import unpacked_folder
from yolo_pipeline.progress import Progress

MAX_ENTRIES = 500_000
MAX_BYTES = 100 * 2**30
MAX_RATIO = 200  # photographs hardly shrink, label files by 30; a bomb goes to 1000
_RATIO_COUNTS_FROM = 10 * 2**20  # bytes; what is smaller can be no bomb
_REMEDY = "Do not trust it; if you know it, unpack it yourself and name the folder"
_LONGEST_NAME, _LONGEST_PART = 1000, 255  # characters; bytes, the limit of most disks
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_ABSOLUTE = re.compile(r"/|[A-Za-z]:(/|$)")
_TURNS_TEXT = re.compile("[\u202a-\u202e\u2066-\u2069]")  # writes `gpj.exe` so that it reads `exe.jpg`
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError)
_BROKEN_ERRNO = (None, errno.EINVAL)
"""What Python's zipfile raises on broken archives; it seeks to where they say, and that may be nowhere."""

_LAYOUT_FOLDERS = frozenset(
    {"train", "training", "valid", "val", "validation", "test", "images", "labels", "annotations"}
)


def is_archive(path: Path) -> bool:
    return path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)


def unpacked(archive: Path, progress: Progress) -> Path:
    """The folder with the content of a zip file, below the user's cache; without folders around all of it.

    It is found again by the archive's sha256, and made anew where a file in it is not as it was.

    Raises:
        AnnotationError: no whole archive; an entry outside of it, a link, a name that no other system can hold, or
            more and larger entries than MAX_ENTRIES, MAX_BYTES and MAX_RATIO allow. Nothing was written then.
    """
    try:
        name = images.sha256(archive)
    except OSError as error:
        raise AnnotationError(archive, error.strerror or str(error), "Check its permissions") from error
    return _inside(unpacked_folder(name, lambda folder: unpack_into(folder, archive, progress)))


def unpack_into(folder: Path, archive: Path, progress: Progress) -> None:
    """Unpacks a zip file into a folder that is there, checked as by `unpacked`.

    Raises:
        AnnotationError: as `unpacked`; an archive that ends too early may have left a part in `folder`.
    """
    with _opened(archive) as (opened, entries):
        _extract(archive, opened, entries, folder, progress)


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[zipfile.ZipFile, list[tuple[str, zipfile.ZipInfo]]]]:
    """The open archive and its checked entries."""
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened, _checked(archive, opened)
    except _BROKEN as error:
        raise _not_whole(archive, error) from error
    except OSError as error:
        if error.errno not in _BROKEN_ERRNO:
            raise
        raise _not_whole(archive, error) from error


def _not_whole(archive: Path, error: Exception) -> AnnotationError:
    return AnnotationError(archive, f"is not a whole zip archive ({error})", "Download it again")


def _checked(archive: Path, opened: zipfile.ZipFile) -> list[tuple[str, zipfile.ZipInfo]]:
    """(safe relative name, entry) of every file worth unpacking."""
    infos = opened.infolist()
    if len(infos) > MAX_ENTRIES:
        raise AnnotationError(archive, f"has {len(infos)} entries, over the limit of {MAX_ENTRIES}", _REMEDY)
    size, packed = sum(info.file_size for info in infos), archive.stat().st_size
    if size > MAX_BYTES:
        raise AnnotationError(archive, f"would unpack to {size} bytes, over the limit of {MAX_BYTES}", _REMEDY)
    if size > _RATIO_COUNTS_FROM and size > MAX_RATIO * packed:
        raise AnnotationError(archive, f"would unpack to {size // packed} times its size, as bombs do", _REMEDY)
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _decoded(info)
        if (fault := _fault(name, info)) is not None:
            raise AnnotationError(f"{archive}: {name}", fault, _REMEDY)
        parts = name.split("/")
        if name.endswith("/") or any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        if name in entries:
            raise AnnotationError(f"{archive}: {name}", "is there twice", _REMEDY)
        entries[name] = info
    return sorted(entries.items())


def _decoded(info: zipfile.ZipInfo) -> str:
    """The entry's name with `/`. Korean Windows tools write CP949 and do not say so."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_FLAG:
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "cp949"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _fault(name: str, info: zipfile.ZipInfo) -> str | None:
    """Why an entry is refused; None where it is safe."""
    parts = name.rstrip("/").split("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if _ABSOLUTE.match(name):
        return "is an absolute path in an archive"
    if ".." in parts:
        return "leads out of the archive"
    if len(name) > _LONGEST_NAME or any(len(part.encode("utf-8", "replace")) > _LONGEST_PART for part in parts):
        return "has a name that is too long"
    if _TURNS_TEXT.search(name) or any(unicodedata.category(character) == "Cc" for character in name):
        return "has a name with control characters"
    if any(part in ("", ".") or not fits_windows(part) for part in parts):
        return "has a name that Windows cannot hold"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device in an archive"
    if info.flag_bits & _ENCRYPTED_FLAG:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way that is rare in zip archives"
    return None


def _extract(
    archive: Path,
    opened: zipfile.ZipFile,
    entries: list[tuple[str, zipfile.ZipInfo]],
    folder: Path,
    progress: Progress,
) -> None:
    for name, info in progress.items(entries, f"unpacking {archive.name}"):
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(info) as source, target.open("xb") as out:  # stops at the size that was checked
                shutil.copyfileobj(source, out, 2**20)
        except (FileExistsError, NotADirectoryError) as error:
            reason = "is the same name as another's on this disk (upper and lower case, or a folder and a file)"
            raise AnnotationError(f"{archive}: {name}", reason, "Rename one of them") from error


def _inside(folder: Path) -> Path:
    """The first folder that holds more than one other folder."""
    while len(found := [path for path in folder.iterdir() if path.name[0] != "."]) == 1 and found[0].is_dir():
        if found[0].name.lower() in _LAYOUT_FOLDERS:
            break
        folder = found[0]
    return folder
