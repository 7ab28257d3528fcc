"""Classes whose names say that they must not be mirrored or turned: digits, letters, left and right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from yolo_pipeline.settings.classify import is_ultralytics

Turning = Literal["mirrored left to right", "mirrored top to bottom", "turned upside down", "turned by a quarter"]

_OTHER_SIGN: dict[Turning, frozenset[str]] = {
    "mirrored left to right": frozenset("2345679BCDEFGJKLNPQRSZabcdefghjkpqrsyz←→⬅➡↖↗↘↙⇐⇒◀▶"),
    "mirrored top to bottom": frozenset("245679AFGJLMNPQRSTUVWYZabdefghjmnpqrtuvwyz↑↓⬆⬇↖↗↘↙⇑⇓▲▼"),
    "turned upside down": frozenset("69MWbqdpnu←→⬅➡↑↓⬆⬇↖↗↘↙⇐⇒⇑⇓◀▶▲▼"),
    "turned by a quarter": frozenset("NZnz←→⬅➡↑↓⬆⬇↖↗↘↙⇐⇒⇑⇓◀▶▲▼"),
}
"""Signs that become another one, or none. A sign upside down counts only where it becomes another."""

_SIDES = (
    "left",
    "right",
    "왼쪽",
    "오른쪽",
    "좌",
    "우",
    "좌측",
    "우측",
    "좌회전",
    "우회전",
    "왼손",
    "오른손",
    "왼발",
    "오른발",
)
_HEIGHTS = (("up", "down"), ("upper", "lower"), ("top", "bottom"), ("위", "아래"), ("위쪽", "아래쪽"), ("상", "하"))
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[가-힣]+")
_MOST_NAMED = 10

_FLIPS: dict[str, Turning] = {"horizontal": "mirrored left to right", "vertical": "mirrored top to bottom"}
_TURNS: dict[str, Turning] = {
    "clockwise": "turned by a quarter", "counter-clockwise": "turned by a quarter", "upside-down": "turned upside down",
}  # fmt: skip


def turnings(settings: Mapping[str, Any]) -> dict[str, list[Turning]]:
    """Setting, as the user would have to write it -> how it mirrors or turns training pictures.

    Args:
        settings: those of an attempt, resolved, as they are recorded.
    """
    train, data = settings["train"], settings["data"]
    by_ultralytics = settings["track"] == "yolo" or (
        settings["track"] == "classify" and is_ultralytics(str(settings.get("model")))
    )
    fliplr = 0.5 if by_ultralytics else 0.0  # Ultralytics' default, 8.4.190 cfg/default.yaml
    asked: dict[str, list[Turning]] = {}
    if train.get("fliplr", fliplr) > 0:
        asked["train.fliplr"] = ["mirrored left to right"]
    if train.get("random_horizontal_flip") is True:
        asked["train.random_horizontal_flip"] = ["mirrored left to right"]
    if train.get("flipud", 0.0) > 0:
        asked["train.flipud"] = ["mirrored top to bottom"]
    if train.get("degrees", 0.0) >= 90:
        asked["train.degrees"] = ["turned by a quarter", "turned upside down"]
    said = train.get("augment")  # of the track classify; Ultralytics means something else by it
    shown = said if isinstance(said, Mapping) else {}
    if flips := shown.get("flip"):
        asked["train.augment.flip"] = [_FLIPS[flip] for flip in flips]
    if shown.get("rotation_deg", 0.0) >= 90:
        asked["train.augment.rotation_deg"] = ["turned by a quarter", "turned upside down"]
    augment = data.get("augment") or {}
    for key, section in (("data.augment", augment), ("data.augment.box", augment.get("box") or {})):
        if flips := section.get("flip"):
            asked[f"{key}.flip"] = [_FLIPS[flip] for flip in flips]
    if turns := augment.get("rot90"):
        asked["data.augment.rot90"] = [_TURNS[turn] for turn in turns]
    return asked


def other_signs(names: Sequence[str], asked: Mapping[str, Iterable[Turning]]) -> dict[str, tuple[str, ...]]:
    """Setting -> the classes that it makes another sign of, or none; settings that do not are left out.

    Digits count only where no class is a number above 9: such classes are numbers of something else.

    Args:
        names: the classes.
        asked: as of `turnings`.
    """
    changed = {
        setting: tuple(name for name in names if any(_changes(name, names, turning) for turning in turned))
        for setting, turned in asked.items()
    }
    return {setting: classes for setting, classes in changed.items() if classes}


def orientation_warnings(names: Sequence[str], asked: Mapping[str, Iterable[Turning]]) -> tuple[str, ...]:
    """A note when a setting shows objects in a way that makes them something else; nothing where none does."""
    found = []
    for setting, changed in other_signs(names, asked).items():
        found.append(f"{setting} may make another sign of {_listed(changed)} ({_remedy(setting)})")
    return ("; ".join(found),) if found else ()


def _remedy(setting: str) -> str:
    if setting == "train.random_horizontal_flip":
        return "set it to false"
    if setting.startswith("train.augment."):
        return "leave it out"
    return "set it to 0" if setting.startswith("train.") else "leave it out"


def _changes(name: str, names: Sequence[str], turning: Turning) -> bool:
    if name in _OTHER_SIGN[turning]:
        return not (name.isdecimal() and any(other.isdecimal() and len(other) > 1 for other in names))
    words = [word.casefold() for word in _WORD.findall(name)]
    if turning != "mirrored top to bottom" and any(word in _SIDES for word in words):
        return True
    return turning != "mirrored left to right" and _has_counterpart(words, names)


def _has_counterpart(words: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a class goes by the same words with `down` for `up`; alone, such words say little."""
    others = {tuple(word.casefold() for word in _WORD.findall(name)) for name in names}
    for pair in _HEIGHTS:
        for one, other in (pair, pair[::-1]):
            if one in words and tuple(other if word == one else word for word in words) in others:
                return True
    return False


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")
