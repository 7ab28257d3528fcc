"""best.zip, the weights file of this track: a checkpoint with its pipeline.config, label map and what it is.

model.json                    kind, model, size, names, step, parameters
pipeline.config               without paths of the disk it was trained on
label_map.pbtxt
ckpt.index, ckpt.data-00000-of-00001
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_pipeline import images
from yolo_pipeline.errors import AnnotationError, WeightsError, one_line
from yolo_pipeline.formats.archive import unpack_into
from yolo_pipeline.formats.unpacking import unpacked_folder
from yolo_pipeline.progress import silent
from yolo_pipeline.tfapi.textproto import parse, string_of

KIND = "yolo_pipeline tfapi"

_MODEL, _CONFIG, _LABEL_MAP = "model.json", "pipeline.config", "label_map.pbtxt"
_INDEX, _DATA = "ckpt.index", "ckpt.data-00000-of-00001"
_ENTRIES = tuple(sorted((_MODEL, _CONFIG, _LABEL_MAP, _INDEX, _DATA)))
_LARGEST = {_DATA: 4 * 2**30, _INDEX: 2**28}  # bytes
_LARGEST_TEXT = 2**24
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of zip archives
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, LookupError, RuntimeError, EOFError,
)  # fmt: skip
_AGAIN = "Train again, or use the best.zip of another run"


@dataclass(frozen=True, slots=True)
class About:
    """What a weights file says of itself.

    Attributes:
        size: longer side in pixels of what pictures are made to fit into; 0 where they keep their size.
        names: of the classes, by number from 0.
        step: of training, at which the weights were saved.
    """

    model: str
    size: int
    names: tuple[str, ...]
    step: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Weights:
    """An unpacked weights file."""

    folder: Path
    about: About

    @property
    def config(self) -> Path:
        return self.folder / _CONFIG

    @property
    def label_map(self) -> Path:
        return self.folder / _LABEL_MAP

    @property
    def checkpoint(self) -> str:
        """The prefix that TensorFlow knows the checkpoint by."""
        return str(self.folder / "ckpt")


def pack(file: Path, about: About, config: str, label_map: str, checkpoint: str | Path) -> None:
    """Writes a weights file, all or nothing. The same model gives the same bytes.

    Args:
        config, label_map: their texts, without paths of this disk.
        checkpoint: a prefix.

    Raises:
        WeightsError: the checkpoint is not there, or in several parts.
    """
    index, data = Path(f"{checkpoint}.index"), Path(f"{checkpoint}.data-00000-of-00001")
    for part in (index, data):
        if not part.is_file():
            raise WeightsError(part, "this part of the checkpoint is not there", "Train again")
    texts = {_MODEL: _described(about), _CONFIG: config, _LABEL_MAP: label_map}
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.part")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            for name in _ENTRIES:
                if name in texts:
                    archive.writestr(_entry(name), texts[name])
                else:
                    _store(archive, name, index if name == _INDEX else data)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def read_about(file: Path) -> About:
    """What a weights file says of itself; nothing is unpacked.

    Raises:
        WeightsError: it is none, or a damaged one.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            _check(file, archive)
            return _about(file, json.loads(archive.read(_MODEL)))
    except OSError as error:
        raise WeightsError(file, f"cannot be read ({error.strerror or error})", "Check the path") from error
    except _BROKEN as error:
        raise WeightsError(file, f"is no best.zip of this track ({one_line(str(error))[:200]})", _AGAIN) from error


def unpack(file: Path) -> Weights:
    """A weights file in the user's cache, found again by its sha256.

    Raises:
        WeightsError: it is none, or one with more than it should hold, links, or paths that lead out.
        DataError: the cache cannot be written.
    """
    about = read_about(file)
    try:
        name = f"tfapi-{images.sha256(file)}"
        return Weights(unpacked_folder(name, lambda folder: unpack_into(folder, file, silent)), about)
    except AnnotationError as error:
        raise WeightsError(error.where, error.reason, _AGAIN) from error


def checkpoint_prefix(path: Path) -> str:
    """The checkpoint that a user means, by the prefix that TensorFlow knows it by.

    Args:
        path: a prefix such as ckpt-7, a file of the checkpoint, a folder with the list `checkpoint` or with one
            checkpoint, a folder of TensorFlow's model zoo, or a best.zip.

    Raises:
        WeightsError: there is none, or there are several.
    """
    path = path.absolute()
    try:
        return _prefix(path)
    except OSError as error:
        raise WeightsError(path, error.strerror or str(error), "Check the path, and its permissions") from error


def _prefix(path: Path) -> str:
    if path.is_dir():
        return _in_folder(path)
    if path.suffix == ".zip":
        return unpack(path).checkpoint
    prefix = path.with_name(re.sub(r"\.(index|data-\d{5}-of-\d{5})$", "", path.name))
    if not _is_whole(prefix):
        half = "a part of the checkpoint is missing" if _parts(prefix) else "there is no such checkpoint"
        remedy = "Name a prefix such as ckpt-7, with ckpt-7.index beside it, its folder, or a best.zip"
        raise WeightsError(
            path, "is no checkpoint of TensorFlow" if path.is_file() and path == prefix else half, remedy
        )
    return str(prefix)


def _in_folder(folder: Path) -> str:
    inner = folder / "checkpoint"
    if inner.is_dir():
        return _in_folder(inner)
    found = sorted(path.with_suffix("") for path in folder.glob("*.index") if _is_whole(path.with_suffix("")))
    if (listed := _listed(inner)) is not None:
        if folder / listed not in found:
            reason = f"names {listed} as the last checkpoint, which is not there whole"
            raise WeightsError(inner, reason, "Name the one to use")
        return str(folder / listed)
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise WeightsError(folder, "holds no checkpoint of TensorFlow", "Name a folder with ckpt-N.index in it")
    names = ", ".join(prefix.name for prefix in found[:5])
    raise WeightsError(folder, f"holds {len(found)} checkpoints ({names})", f"Name one: {found[-1].as_posix()}")


def _listed(file: Path) -> str | None:
    """The last checkpoint in TensorFlow's own list of them, without its folder, which may have moved since."""
    try:
        said = parse(file.read_text(encoding="utf-8")).scalar("model_checkpoint_path")
        return None if said is None else re.split(r"[/\\]", string_of(said))[-1]
    except (OSError, ValueError):  # no text, or no protobuf text
        return None


def _is_whole(prefix: Path) -> bool:
    """Whether the index and every numbered part are there."""
    parts = _parts(prefix)
    data = [part for part in parts if not part.endswith(".index")]
    count = int(data[0].rpartition("-")[2]) if data else 0
    expected = {f"{prefix.name}.data-{number:05}-of-{count:05}" for number in range(min(count, len(data) + 1))}
    return f"{prefix.name}.index" in parts and bool(expected) and expected == set(data)


def _parts(prefix: Path) -> list[str]:
    if not prefix.parent.is_dir():
        return []
    form = re.compile(re.escape(prefix.name) + r"\.(index|data-\d{5}-of-\d{5})")
    return sorted(path.name for path in prefix.parent.iterdir() if form.fullmatch(path.name) and path.is_file())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIRST_DAY)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # Unix, on all systems
    return entry


def _store(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    entry = _entry(name)
    entry.file_size = file.stat().st_size  # over 2 GiB, an entry must be begun in another way
    with file.open("rb") as source, archive.open(entry, "w") as out:
        shutil.copyfileobj(source, out, 2**20)


def _described(about: About) -> str:
    said = {"kind": KIND, "model": about.model, "size": about.size, "names": list(about.names), "step": about.step}
    return json.dumps({**said, "parameters": about.parameters}, indent=2, ensure_ascii=False) + "\n"


def _check(file: Path, archive: zipfile.ZipFile) -> None:
    """What it holds, and how large; `unpack_into` checks the rest, entry by entry."""
    entries = archive.infolist()
    if sorted(entry.orig_filename for entry in entries) != list(_ENTRIES):
        reason = f"is no best.zip of this track: it must hold {', '.join(_ENTRIES)}, and nothing else"
        raise WeightsError(file, reason, _AGAIN)
    for entry in entries:
        if entry.file_size > _LARGEST.get(entry.filename, _LARGEST_TEXT):
            raise WeightsError(f"{file}: {entry.filename}", f"is said to be {entry.file_size} bytes", _AGAIN)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise WeightsError(f"{file}: {entry.filename}", "is packed in a way that is rare in zip archives", _AGAIN)


def _about(file: Path, said: Any) -> About:
    if not isinstance(said, dict) or said.get("kind") != KIND:
        raise WeightsError(file, f"is no best.zip of this track: its {_MODEL} does not say so", _AGAIN)
    counts = {name: said.get(name) for name in ("size", "step", "parameters")}
    model, names = said.get("model"), said.get("names")
    if odd := next((name for name, count in counts.items() if type(count) is not int or count < 0), None):
        raise WeightsError(f"{file}: {_MODEL}: {odd}", f"is {counts[odd]!r}, no whole number", _AGAIN)
    if not isinstance(model, str) or not model.isprintable():
        raise WeightsError(f"{file}: {_MODEL}: model", "is no name", _AGAIN)
    if not isinstance(names, list) or not _are_names(names):
        raise WeightsError(f"{file}: {_MODEL}: names", "is no list of different class names", _AGAIN)
    return About(model, said["size"], tuple(names), said["step"], said["parameters"])


def _are_names(names: list[Any]) -> bool:
    if not names or not all(isinstance(name, str) for name in names):
        return False
    return all(name and name.isprintable() for name in names) and len(set(names)) == len(names)
