"""COCO weights from TensorFlow's model zoo, fetched once into the user's cache; the archive is not trusted.

Source: tensorflow/models object_detection/g3doc/tf2_detection_zoo.md, release 20200711.
"""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from yolo_pipeline import images
from yolo_pipeline.errors import WeightsError, one_line
from yolo_pipeline.files import cache_folder, folder_beside, read_json, write_json
from yolo_pipeline.progress import Progress

BASE = "https://download.tensorflow.org/models/object_detection/tf2/20200711"
MAX_BYTES, MAX_UNPACKED_BYTES, MAX_ENTRIES = 2**29, 2**30, 1000

_REMEDY = "Start from scratch with `pretrained: false` in the attempt, or name a checkpoint: train.fine_tune_checkpoint"
_ABOUT_MB = {"ssd_mobilenet": 20, "ssd_resnet50": 230}
_SECONDS = httpx.Timeout(30.0, connect=10.0)
_AS_IT_IS = {"Accept-Encoding": "identity"}
_MIB = 2**20
_KEPT = re.compile(r"checkpoint/ckpt-0\.(index|data-\d{5}-of-\d{5})|pipeline\.config")
_NEEDED = ("checkpoint/ckpt-0.index", "checkpoint/ckpt-0.data-00000-of-00001", "pipeline.config")
_FOUND = "archive.json"
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
_BROKEN = (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError, MemoryError)


@dataclass(frozen=True, slots=True)
class ZooModel:
    """A model of the zoo in the user's cache.

    Attributes:
        checkpoint: the prefix that TensorFlow knows its checkpoint by.
        archive: name of the archive that it came in.
        sha256: of that archive.
    """

    checkpoint: str
    archive: str
    sha256: str


def zoo_model(name: str, progress: Progress, *, base: str = BASE) -> ZooModel:
    """The COCO weights of a model; fetched where they are not there yet, which is said.

    Args:
        name: of the archive, without .tar.gz.
        base: address of the folder that it lies in.

    Raises:
        WeightsError: it cannot be fetched, or the archive is not what it should be. Nothing is kept then.
        DataError: the cache cannot be written.
    """
    folder = cache_folder() / "tfapi" / "zoo" / name
    if (there := _found(folder, name)) is not None:
        return there
    address = f"{base}/{name}.tar.gz"
    size = next((f"about {mb} MB, " for start, mb in _ABOUT_MB.items() if name.startswith(start)), "")
    progress.say(f"fetching COCO weights from TensorFlow's model zoo ({size}needs the network): {name}")
    with folder_beside(folder, replace=True) as building:
        packed, opened = building / "archive.tar.gz", building / "archive.tar"
        _download(address, packed, progress)
        with _archive_faults(address):
            _gunzip(address, packed, opened)
            _extract(address, opened, building)
        write_json(building / _FOUND, {"address": address, "sha256": images.sha256(packed)})
        packed.unlink()
        opened.unlink()
    found = _found(folder, name)
    assert found is not None
    return found


def _found(folder: Path, name: str) -> ZooModel | None:
    try:
        said: Any = read_json(folder / _FOUND)
        sha256 = str(said["sha256"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if not all((folder / needed).is_file() for needed in _NEEDED):
        return None
    return ZooModel(str(folder / "checkpoint" / "ckpt-0"), f"{name}.tar.gz", sha256)


def _download(address: str, file: Path, progress: Progress) -> None:
    began = False
    try:
        with _client(address) as client, client.stream("GET", address) as answer:
            began = True
            if answer.status_code != httpx.codes.OK:
                raise WeightsError(address, f"the server answers {answer.status_code}", _REMEDY)
            _receive(address, answer, file, progress)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        unreached = isinstance(error, (httpx.NetworkError, httpx.TimeoutException))
        how = "breaks off" if began else "cannot be reached (no network?)" if unreached else "cannot be fetched"
        raise WeightsError(address, f"{how}: {one_line(str(error))[:200].rstrip('.')}", _REMEDY) from error


def _client(address: str) -> httpx.Client:
    """
    Raises:
        WeightsError: the environment names a proxy or certificates that cannot be used.
    """
    try:
        return httpx.Client(headers=_AS_IT_IS, follow_redirects=True, timeout=_SECONDS)
    except (ImportError, ValueError, OSError) as error:
        reason = f"cannot be asked: {one_line(str(error))[:200].rstrip('.')}"
        raise WeightsError(
            address, reason, "Correct or unset what names a proxy (ALL_PROXY) or SSL_CERT_FILE"
        ) from error


def _receive(address: str, answer: httpx.Response, file: Path, progress: Progress) -> None:
    said = answer.headers.get("Content-Length", "")
    total, came = int(said) if said.isdecimal() and len(said) < 20 else 0, 0
    too_large = WeightsError(address, f"is over the limit of {MAX_BYTES} bytes", _REMEDY)
    if total > MAX_BYTES:
        raise too_large
    with file.open("wb") as out:
        for piece in answer.iter_raw(_MIB):
            came += len(piece)
            if came > MAX_BYTES:
                raise too_large
            out.write(piece)
            progress.at("fetching weights", came / _MIB, max(total, came) / _MIB, "MB")


@contextmanager
def _archive_faults(address: str) -> Iterator[None]:
    """What the standard library raises on broken archives, as one line."""
    try:
        yield
    except gzip.BadGzipFile as error:
        raise WeightsError(address, f"sends no gzip archive ({error})", _REMEDY) from error
    except _BROKEN as error:
        raise WeightsError(address, f"sends a damaged archive ({one_line(str(error))[:200]})", _REMEDY) from error


def _gunzip(address: str, packed: Path, opened: Path) -> None:
    """Unpacked before it is read, so that no header in it can ask for more than there is."""
    size = 0
    with gzip.open(packed) as source, opened.open("wb") as out:
        while piece := source.read(_MIB):
            size += len(piece)
            if size > MAX_UNPACKED_BYTES:
                raise WeightsError(address, f"would unpack to more than {MAX_UNPACKED_BYTES} bytes", _REMEDY)
            out.write(piece)


def _extract(address: str, opened: Path, folder: Path) -> None:
    """Writes the few files that are needed, once every entry was looked at."""
    with tarfile.open(opened, "r:") as archive:
        wanted: dict[str, tarfile.TarInfo] = {}
        for number, entry in enumerate(archive):
            if number >= MAX_ENTRIES:
                raise WeightsError(address, f"has over {MAX_ENTRIES} entries", _REMEDY)
            if (fault := _fault(entry)) is not None:
                raise WeightsError(f"{address}: {entry.name}", fault, _REMEDY)
            name = entry.name.removeprefix("./").partition("/")[2]
            if name in wanted:
                raise WeightsError(f"{address}: {entry.name}", "is there twice", _REMEDY)
            if _KEPT.fullmatch(name) and entry.type != tarfile.DIRTYPE:
                wanted[name] = entry
        if missing := [name for name in _NEEDED if name not in wanted]:
            raise WeightsError(address, f"its archive has no {missing[0]}", _REMEDY)
        (folder / "checkpoint").mkdir()
        for name, entry in sorted(wanted.items()):
            source = archive.extractfile(entry)
            assert source is not None
            with source, (folder / name).open("wb") as out:
                shutil.copyfileobj(source, out, _MIB)


def _fault(entry: tarfile.TarInfo) -> str | None:
    """Why an entry is refused; None where it is safe."""
    if entry.name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", entry.name) or ":" in entry.name:
        return "leads out of the archive"
    if entry.type not in _PLAIN or entry.issparse():
        return "is a link, a device or a sparse file in an archive"
    if entry.size < 0:
        return "has a negative size"
    return None
