"""The files that an attempt is told in: its own, its base's and so on, and how they are merged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_pipeline import settings
from yolo_pipeline.errors import AttemptError
from yolo_pipeline.formats.yaml_files import BadYaml, load_yaml

_NOT_INHERITED_ACROSS_TRACKS = ("model", "pretrained", "weights", "head", "train", "detect")
_TOP_KEYS = (
    "title", "base", "track", "model", "pretrained", "weights", "head", "data", "train", "detect", "notes",
)  # fmt: skip
COMMAND_LINE = Path("command line")


@dataclass(frozen=True, slots=True)
class SettingsFile:
    path: Path
    content: dict[str, Any]


def attempt_file(root: Path, number: int) -> Path:
    return root / "attempts" / f"{number}.yaml"


def attempt_numbers(root: Path) -> list[int]:
    """The numbers for which an attempts/N.yaml exists, ascending."""
    files = (root / "attempts").glob("*.yaml") if (root / "attempts").is_dir() else ()
    return sorted(int(file.stem) for file in files if re.fullmatch(r"[1-9][0-9]*", file.stem))


def chain_of(root: Path, number: int) -> Iterator[SettingsFile]:
    """The attempt's file, its base's, and so on."""
    seen: list[int] = []
    wanted: int | None = number
    while wanted is not None:
        if wanted in seen:
            path = attempt_file(root, seen[-1])
            raise AttemptError(f"{path.as_posix()}: base", f"attempt {wanted} builds on itself", "Break the circle")
        file = _read(root, wanted, seen)
        seen.append(wanted)
        yield file
        wanted = file.content.get("base")
        if wanted is not None and (not isinstance(wanted, int) or isinstance(wanted, bool)):
            where = f"{file.path.as_posix()}: base"
            raise AttemptError(where, f"{wanted!r} is no attempt number", "Write `base: 4`")


def _read(root: Path, number: int, seen: list[int]) -> SettingsFile:
    path = attempt_file(root, number)
    if not path.is_file():
        there = attempt_numbers(root)
        known = f"There are {', '.join(map(str, there))}" if there else "There are none: `init DIR` makes a project"
        where = f"{attempt_file(root, seen[-1]).as_posix()}: base" if seen else path.as_posix()
        raise AttemptError(where, f"there is no attempt {number}", known)
    content = load_mapping(path, path.as_posix())
    for key in content:
        if key not in _TOP_KEYS:
            where = f"{path.as_posix()}: {key}"
            raise AttemptError(where, "no such key", settings.nearest(str(key), _TOP_KEYS))
    return SettingsFile(path, content)


def load_mapping(path: Path, shown: str) -> dict[str, Any]:
    try:
        content = load_yaml(path)
    except BadYaml as error:
        raise AttemptError(shown, str(error), "Mend it there, and save it as YAML in UTF-8") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise AttemptError(shown, "does not hold keys and values", "Write lines such as `model: yolov8n`")
    return {str(key): value for key, value in content.items()}


def resolve(chain: Sequence[SettingsFile]) -> dict[str, Any]:
    """The chain's settings, nearest word last: mappings merge by key, lists replace, null removes."""
    resolved: dict[str, Any] = {}
    for file in reversed(chain):
        content = file.content
        if resolved and content.get("track", resolved.get("track", "yolo")) != resolved.get("track", "yolo"):
            resolved = {key: value for key, value in resolved.items() if key not in _NOT_INHERITED_ACROSS_TRACKS}
        if file.path != COMMAND_LINE:  # each attempt has a title and notes of its own
            resolved = {key: value for key, value in resolved.items() if key not in ("title", "notes")}
        resolved = _merge(resolved, content)
    return resolved


_INSTEAD = {
    (): ("weights", "pretrained"),
    ("data",): ("sources", "crops_of"),
    ("train", "freeze"): ("all_but_blocks", "all_but_layers"),
}
"""Block -> two of its keys, of which the one that is said nearest goes before the other."""


def _merge(below: Mapping[str, Any], above: Mapping[str, Any], block: tuple[str, ...] = ()) -> dict[str, Any]:
    merged = _without_other(below, above, _INSTEAD[block]) if block in _INSTEAD else dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            there = merged.get(key)
            merged[key] = _merge(there if isinstance(there, dict) else {}, value, (*block, key))
        else:
            merged[key] = value
    return merged


def _without_other(below: Mapping[str, Any], above: Mapping[str, Any], pair: tuple[str, str]) -> dict[str, Any]:
    """What a file takes over of a block: not what it says itself in the other key."""
    gone = {other for key, other in (pair, pair[::-1]) if above.get(key) is not None and other not in above}
    return {key: value for key, value in below.items() if key not in gone}


def origin_of(chain: Sequence[SettingsFile], key: tuple[str, ...]) -> Path:
    """The file of the chain that says a key: the nearest one, as far down the key as any says it."""
    for depth in range(len(key), 0, -1):
        for file in chain:
            value: Any = file.content
            for part in key[:depth]:
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                return file.path
    return chain[0].path
