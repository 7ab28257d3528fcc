"""What a Roboflow export says of itself, in whatever format its annotations are: licence, version, preprocessing.

It lies in README.roboflow.txt, README.dataset.txt and the `roboflow:` block of data.yaml. All of it is a stranger's
text: it is cut to a length, put on one line, and never followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from yolo_pipeline.errors import one_line
from yolo_pipeline.formats.source import Listing
from yolo_pipeline.formats.yaml_files import parse_yaml
from yolo_pipeline.nouns import Fact

KEYS = ("workspace", "project", "version", "licence", "url", "exported", "images", "preprocessing", "augmentation")

_MOST_BYTES = 2**16  # of a file that is looked at; real ones have 2 KB
_LONGEST_VALUE = 500
_BLOCK = re.compile(r"^roboflow:.*(?:\n[ \t]+.*)*", re.MULTILINE)
_TITLE = re.compile(r"^(?P<project>.*\S) - v(?P<version>\d+)(?: .*)?$", re.MULTILINE)
_EXPORTED = re.compile(r"exported via roboflow\.\w+ on (?P<exported>[^\n]+)")
_IMAGES = re.compile(r"includes (?P<images>[\d,]+) images?\b")
_LICENCE = re.compile(r"^Licen[sc]e:(?P<licence>.*)$", re.MULTILINE)
_URL = re.compile(r"^(?P<url>https?://\S+)$", re.MULTILINE)
_PROJECT_URL = re.compile(r"https?://\w+\.roboflow\.\w+/(?P<workspace>[\w-]+)/(?P<project>[\w-]+)")
_VERSIONS = re.compile(r"to create (\d+ versions of each source image)")


def facts(listing: Listing, source: str) -> tuple[Fact, ...]:
    """What the export says, as facts with the KEYS that it has a word for, in their order.

    Args:
        source: the name of the source, to stand in each fact.

    Returns:
        nothing where the folder is no Roboflow export. Files that cannot be read say nothing; nothing is raised.
    """
    texts = {name.lower(): name for name in listing.others if "/" not in name}

    def text_of(name: str) -> str:
        return _text(listing, texts[name]) if name in texts else ""

    said = _readme(text_of("readme.roboflow.txt"))
    said |= _dataset_readme(text_of("readme.dataset.txt"))
    said |= _config(text_of("data.yaml"))
    return tuple(Fact(source, key, value) for key in KEYS if (value := _bounded(said.get(key, ""))))


def _text(listing: Listing, name: str) -> str:
    """The beginning of a file, with `\\n` line ends; empty where it cannot be read."""
    try:
        with open(listing.root / name, "rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _readme(text: str) -> dict[str, str]:
    """README.roboflow.txt: title with the version, date, number of images, what was done to them."""
    if "roboflow" not in text.lower():
        return {}
    return _first(text, _TITLE, _EXPORTED, _IMAGES) | _sections(text.splitlines())


def _sections(lines: Iterable[str]) -> dict[str, str]:
    """`preprocessing` and `augmentation` from headings that end in a colon with `* ` lines below."""
    found: dict[str, list[str]] = {}
    key = ""
    for line in lines:
        if line.endswith(":") and "pre-processing" in line:
            key = "preprocessing"
            found.setdefault(key, [])
        elif line.endswith(":") and ("augmentation" in line or "transformations" in line):
            key = "augmentation"
            found.setdefault(key, []).extend(_VERSIONS.findall(line))
        elif line.startswith("No image augmentation"):
            found["augmentation"], key = [], ""
        elif line.startswith("* ") and key:
            found[key].append(line.removeprefix("* "))
    return {key: "; ".join(steps) or "none" for key, steps in found.items()}


def _dataset_readme(text: str) -> dict[str, str]:
    """README.dataset.txt: the project's address and licence."""
    if "roboflow" not in text.lower():
        return {}
    said = _first(text, _URL, _LICENCE)
    return said | _first(said.get("url", ""), _PROJECT_URL)


def _config(text: str) -> dict[str, str]:
    """The `roboflow:` block of data.yaml. It is cut out, as the lists around it may be long or broken."""
    if (block := _BLOCK.search(text)) is None:
        return {}
    try:
        said = parse_yaml(block.group())["roboflow"]
        words = {str(key): str(said[key]) for key in said if isinstance(said[key], (str, int))}
    except (ValueError, TypeError, KeyError):  # no YAML, or not what Roboflow writes
        return {}
    if "license" in words:
        words["licence"] = words.pop("license")
    return {key: words[key] for key in ("workspace", "project", "version", "licence", "url") if words.get(key)}


def _first(text: str, *patterns: re.Pattern[str]) -> dict[str, str]:
    """The named groups of the first match of each pattern."""
    return {
        key: value
        for pattern in patterns
        if (match := pattern.search(text))
        for key, value in match.groupdict().items()
    }


def _bounded(value: str) -> str:
    line = one_line(value)
    return line if len(line) <= _LONGEST_VALUE else line[: _LONGEST_VALUE - 1] + "…"
