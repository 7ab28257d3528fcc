"""Results that somebody wrote down: a YAML list of attempts, or a CSV table -> records of runs."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_pipeline import settings
from yolo_pipeline.attempt import differences
from yolo_pipeline.errors import InputError, UsageError, one_line
from yolo_pipeline.formats.yaml_files import BadYaml, load_yaml
from yolo_pipeline.recipes.import_entries import SHAPE, Entry, Metrics, entry_of
from yolo_pipeline.recipes.import_settings import track_of

OWN_NAMES = {"map50": "mAP50", "map50_95": "mAP50_95", "map75": "mAP75"}
_MAX_ENTRIES, _MAX_VALUES, _MAX_CHARACTERS = 1000, 100_000, 2**22
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_SHARES = ("map50", "map50_95", "map75", "precision", "recall", "f1", "recognition_rate", "accuracy")


_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("attempt", "base", "title", "group", "dataset", "changed", "notes"), ""),
    **dict.fromkeys(("model", "imgsz", "batch", "epochs", "steps", "hours", "settings"), "training"),
    **dict.fromkeys(Metrics.model_fields, "metrics"),
}
"""Column of a table -> the part of an entry that it goes to."""


def read_list(file: Path) -> list[Entry]:
    """The attempts of a YAML list or a CSV table.

    Raises:
        InputError: it cannot be read, or an entry has an unknown key (the nearest is named) or a wrong value.
    """
    rows = list(_table(file)) if file.suffix.lower() == ".csv" else _yaml_list(file)
    if not 0 < len(rows) <= _MAX_ENTRIES:
        raise InputError(file, f"holds {len(rows)} attempts", f"{SHAPE}; 1 to {_MAX_ENTRIES} are right")
    return [entry_of(f"{file}: entry {number}", row) for number, row in enumerate(rows, start=1)]


def is_table(header: Sequence[str]) -> bool:
    """Whether a CSV file with these columns is a table of attempts."""
    return any(name.strip() in Metrics.model_fields for name in header)


def numbers_of(file: Path, entries: Sequence[Entry], first: int | None) -> list[int]:
    """The attempt numbers that the entries come in as: from `first` on, or their own.

    Raises:
        UsageError: there is no `first`, and an entry has no number.
        InputError: two have the same.
    """
    if first is not None:
        return list(range(first, first + len(entries)))
    own = [entry.attempt for entry in entries if entry.attempt is not None]
    if len(own) < len(entries):
        raise UsageError(f"{one_line(str(file))} gives its attempts no numbers: say --attempt N for the first of them")
    if twice := next((number for number in own if own.count(number) > 1), None):
        raise InputError(file, f"attempt {twice} stands there twice", "Number them, or say --attempt N for the first")
    return own


def list_records(file: Path, entries: Sequence[Entry], numbers: Sequence[int]) -> list[dict[str, Any]]:
    """What record.json of each attempt says beside what all imported runs have: settings, data, training …"""
    own = {entry.attempt: number for entry, number in zip(entries, numbers, strict=True) if entry.attempt is not None}
    records: dict[int, dict[str, Any]] = {}
    for at, (entry, number) in enumerate(zip(entries, numbers, strict=True), start=1):
        base = None if entry.base is None else own.get(entry.base)
        if entry.base is not None and base is None:
            raise InputError(f"{file}: entry {at}: base", f"there is no attempt {entry.base} in it", "Mend the number")
        records[number] = {**_record(file, at, entry), "base": base}
    for record in records.values():
        before = records.get(record["base"])
        told = [{"key": "as told", "before": None, "after": line} for line in record["told"].get("changed", ())]
        found = differences(before["settings"], record["settings"]) if before else ()
        record["changed"] = told + [
            {"key": key, "before": old, "after": new} for key, old, new in found if _is_change(key, old, new)
        ]
    return list(records.values())


def oddities(entries: Sequence[Entry]) -> list[str]:
    """One line on figures that can hardly be right; they are taken as they are."""
    found = [f"entry {number}: {odd}" for number, entry in enumerate(entries, start=1) for odd in _odd(entry.metrics)]
    return [f"figures that look odd are taken as they are ({'; '.join(found)})"] if found else []


def _yaml_list(file: Path) -> list[Any]:
    try:
        content = load_yaml(file)
    except BadYaml as error:
        raise InputError(file, f"cannot be read: {error}", SHAPE) from error
    if not isinstance(content, list):
        raise InputError(file, "is no list of attempts", SHAPE)
    _weigh(file, content)
    return content


def _weigh(file: Path, content: Any) -> None:
    """Refuses what is small in the file and huge when written out: names for parts can be used again in YAML."""
    values = characters = 0
    left = [content]
    while left:
        value = left.pop()
        values += 1
        characters += len(value) if isinstance(value, str) else 0
        if values > _MAX_VALUES or characters > _MAX_CHARACTERS:
            raise InputError(file, f"holds more than {_MAX_VALUES} values, or one inside itself", SHAPE)
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, (list, tuple, set)):
            left += value


def _table(file: Path) -> Iterator[dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        lines = [line for line in csv.reader(text.splitlines(), strict=True) if any(cell.strip() for cell in line)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(file, f"cannot be read ({error})", "Save it as CSV in UTF-8") from error
    header = [name.strip() for name in lines[0]] if lines else []
    if unknown := next((name for name in header if name not in _COLUMNS), None):
        raise InputError(f"{file}: {unknown}", "no such column", settings.nearest(unknown, _COLUMNS))
    if len(set(header)) < len(header):
        raise InputError(file, "has a column twice", "Leave one of them out")
    for number, line in enumerate(lines[1:], start=1):
        where = f"{file}: entry {number}"
        if len(line) != len(header):
            raise InputError(where, f"has {len(line)} columns, the header {len(header)}", "Put quotes around commas")
        row: dict[str, Any] = {"training": {}, "metrics": {}}
        for name, cell in zip(header, line, strict=True):
            if cell.strip():
                part = row[_COLUMNS[name]] if _COLUMNS[name] else row
                part[name] = _cell(where, name, cell.strip())
        yield row


def _cell(where: str, name: str, text: str) -> Any:
    if name == "settings":
        return _pairs(where, text)
    return text if name in ("title", "group", "dataset", "changed", "notes", "model") else _value(text)


def _pairs(where: str, text: str) -> dict[str, Any]:
    """`k=v;k=v` -> its values."""
    found: dict[str, Any] = {}
    for pair in text.split(";"):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not key or key in found:
            raise InputError(f"{where}: settings", f"has {pair.strip()[:60]!r}", "Write key=value;key=value, each once")
        found[key] = _value(value)
    return found


def _value(text: str) -> Any:
    """A number where it is written as one, true and false, else the word."""
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        number = math.nan
    return number if math.isfinite(number) else {"true": True, "false": False}.get(text.lower(), text)


def _is_change(key: str, before: Any, after: Any) -> bool:
    """What only one of two attempts tells is no change, but in the blocks that list all that was done."""
    return None not in (before, after) or key.startswith(("data.preprocessing.", "data.augmentation.", "train."))


def _record(file: Path, at: int, entry: Entry) -> dict[str, Any]:
    training = entry.training
    where = f"{file}: entry {at}: training.settings"
    train = training.model_dump(include={"imgsz", "batch", "epochs", "steps"}, exclude_none=True)
    if both := sorted(train.keys() & training.settings.keys()):
        raise InputError(where, f"says {both[0]}, which stands beside it, too", "Say it once")
    images = {split: {"images": count} for split, count in entry.images.model_dump(exclude_none=True).items()}
    metrics = entry.metrics.model_dump(exclude_none=True)
    conf = entry.detection.get("conf")
    detect = {"detect": {"conf": conf}} if isinstance(conf, float) and 0 < conf < 1 else {}
    return {
        "title": one_line(entry.title or (f"{entry.group}, row {at}" if entry.group else "")),
        "settings": {
            "track": track_of(training.model),
            "model": training.model,
            "pretrained": training.pretrained,
            "data": _data(entry),
            "train": dict(sorted({**train, **training.settings}.items())),
            **detect,
            "notes": _notes(entry),
        },
        "data": {"names": entry.classes if isinstance(entry.classes, list) else [], "counts": images},
        "training": {
            "used": train,
            "own_metrics": {f"reported/{OWN_NAMES.get(key, key)}": value for key, value in metrics.items()},
        },
        "seconds": {} if training.hours is None else {"train": round(training.hours * 3600, 1)},
        "told": _told(entry),
        "entry": at,
    }


def _data(entry: Entry) -> dict[str, Any]:
    names = entry.classes if isinstance(entry.classes, list) else None
    found: dict[str, Any] = {
        "dataset": one_line(entry.dataset),
        "number_of_classes": entry.classes if names is None else len(names),
        "classes": names,
        "preprocessing": entry.preprocessing,
        "augmentation": entry.augmentation,
    }
    return {key: value for key, value in found.items() if value not in ("", None, {})}


def _told(entry: Entry) -> dict[str, Any]:
    """What was written beside the figures, as it was written."""
    keys = ("group", "changed", "detection", "problems", "causes", "next")
    return {key: value for key in keys if (value := getattr(entry, key))}


def _notes(entry: Entry) -> str:
    named = (("Problems", entry.problems), ("Causes", entry.causes), ("Next", entry.next))
    lines = [f"{name}: {'; '.join(map(one_line, words))}." for name, words in named if words]
    return " ".join([one_line(entry.notes), *lines]).strip()


def _odd(metrics: Metrics) -> Iterator[str]:
    shares = [(OWN_NAMES.get(key, key), getattr(metrics, key)) for key in _SHARES]
    for name, value in shares:
        if value is not None and not 0 <= value <= 1:
            yield f"{name} {value:g} is no share of 1"
    low, high = metrics.map50, metrics.map50_95
    if low is not None and high is not None and high >= low > 0:
        yield f"mAP50_95 {high:g} is {'as high as' if high == low else 'higher than'} mAP50"
