"""data.yaml and its like in a YOLO folder: the class names, and which folder is which split.

Such files come from strangers: nothing they say is run, and no path of theirs is followed out of the folder.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from yolo_pipeline.errors import AnnotationError
from yolo_pipeline.formats.files import Notebook, clean_label
from yolo_pipeline.formats.source import Listing, split_of_folder
from yolo_pipeline.formats.yaml_files import BadYaml, load_yaml
from yolo_pipeline.nouns import Split

NAME_LISTS = ("classes.txt", "obj.names", "_darknet.labels")
_SPLIT_KEYS: dict[str, Split] = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


def config_file(listing: Listing) -> str | None:
    """The YAML file that says the class names: data.yaml at the top, else the first there, else the only data.yaml."""
    top = [name for name in listing.others if "/" not in name and name.lower().endswith((".yaml", ".yml"))]
    if top:
        return next((name for name in top if name.lower() == "data.yaml"), top[0])
    below = _configs_below(listing)
    return below[0] if len(below) == 1 else None


def _configs_below(listing: Listing) -> list[str]:
    return [name for name in listing.others if name.rpartition("/")[2].lower() == "data.yaml"]


def read_config(listing: Listing) -> dict[str, Any]:
    name = config_file(listing)
    if name is None:
        if len(below := _configs_below(listing)) > 1:
            reason = f"holds several YOLO data sets ({', '.join(below[:4])}), whose class numbers differ"
            raise AnnotationError(listing.root, reason, "Name the folder of each as a source")
        return {}
    file = listing.root / name
    try:
        config = load_yaml(file)
    except BadYaml as error:
        raise AnnotationError(file, f"not a YAML file ({error})", "Mend it, or remove it") from error
    if not isinstance(config, dict):
        raise AnnotationError(file, "does not hold keys and values", "Write `names:` and the class names")
    return config


def class_names(listing: Listing, config: dict[str, Any]) -> tuple[str, ...]:
    if "names" in config:
        return _config_names(listing.root / (config_file(listing) or ""), config["names"])
    for name in listing.others:
        if name.rpartition("/")[2] in NAME_LISTS:
            text = (listing.root / name).read_text(encoding="utf-8-sig", errors="replace").rstrip()
            lines = [clean_label(line) for line in text.splitlines()]
            if not all(lines):
                where = f"{listing.root / name}: line {lines.index('') + 1}"
                raise AnnotationError(where, "is blank, where a class name must be", "Take the line out, or fill it")
            return _distinct(listing.root / name, lines)
    return ()


def _config_names(file: Path, names: object) -> tuple[str, ...]:
    if isinstance(names, dict):
        names = {int(key) if str(key).isdecimal() else key: name for key, name in names.items()}
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise AnnotationError(f"{file}: names", "the class numbers are not 0, 1, 2 …", "Number the classes from 0")
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or any(isinstance(name, (dict, list)) for name in names):
        raise AnnotationError(f"{file}: names", "not a list of class names", "Write `names: [chicken, onion]`")
    return _distinct(file, [clean_label(str(name)) for name in names])


def _distinct(file: Path, names: list[str]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AnnotationError(file, f"the class {twice[0]!r} stands there twice", "Give every class a name of its own")
    return tuple(names)


def split_folders(listing: Listing, config: dict[str, Any], notebook: Notebook) -> dict[str, Split]:
    """Folder or list file below the source -> split, as data.yaml says, as far as it is really there."""
    folders: dict[str, Split] = {}
    there = {parent for name in listing.pictures for parent in parents_of(name)}
    base = config.get("path")
    for key, split in _SPLIT_KEYS.items():
        entries = config.get(key)
        for entry in entries if isinstance(entries, list) else [entries] if entries else []:
            if not isinstance(entry, str):
                notebook.notes.append(f"{config_file(listing)}: {key}: is no path and was left out")
                continue
            found = _find_folder(entry, base if isinstance(base, str) else "", there, listing)
            if found is None:
                notebook.notes.append(f"{config_file(listing)}: {key}: {entry} is not there and was left out")
                continue
            for folder in found:
                folders.setdefault(folder, split)
    return folders


def parents_of(name: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(name).parents]


def _find_folder(entry: str, base: str, there: set[str], listing: Listing) -> list[str] | None:
    """The folder (or the pictures of a list file) that an entry of data.yaml means, looked for below the source.

    Exports hold somebody else's absolute paths, or `../train/images` for what is `train/images`: so an entry's last
    parts count, as many as are found.
    """
    parts = [part for part in PurePosixPath(entry.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    if entry in (".", "./") or (base and not parts):
        return ["."] if listing.pictures else None
    base_parts = [part for part in PurePosixPath(base.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    named = next((part for part in reversed(parts) if split_of_folder(f"{part}/")), None)
    for candidate in [[*base_parts, *parts], parts, parts[-2:][::-1]]:
        for start in range(len(candidate)):
            name = "/".join(candidate[start:])
            if name in there and (named is None or named in candidate[start:]):  # `images` is not `train/images`
                return [name]
            if name in listing.others and name.endswith(".txt"):
                return _listed_pictures(listing, name)
    return None


def _listed_pictures(listing: Listing, name: str) -> list[str]:
    text = (listing.root / name).read_text(encoding="utf-8-sig", errors="replace")
    ends = [line.strip().replace("\\", "/").removeprefix("./") for line in text.splitlines() if line.strip()]
    known = set(listing.pictures)
    found = []
    for end in ends:
        parts = end.split("/")
        found += [tail for i in range(len(parts)) if (tail := "/".join(parts[i:])) in known][:1]
    return found
