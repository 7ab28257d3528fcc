"""From what the user named to the pictures to look at, and the folder for what is found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import takewhile
from pathlib import Path
from urllib.parse import urlsplit

from yolo_pipeline.detecting.folder import OutFolder
from yolo_pipeline.errors import InputError
from yolo_pipeline.fetching.downloads import LOG, RECORD
from yolo_pipeline.files import set_aside
from yolo_pipeline.gathering import Address, Gathered
from yolo_pipeline.gathering.addresses import is_address
from yolo_pipeline.gathering.naming import unique
from yolo_pipeline.gathering.patterns import is_pattern
from yolo_pipeline.images import PICTURE_SUFFIXES
from yolo_pipeline.nouns import Skip
from yolo_pipeline.progress import Progress
from yolo_pipeline.views import Candidate


def candidates_of(
    gathered: Gathered, folder: OutFolder, progress: Progress, *, allow_local: bool
) -> tuple[list[Candidate], list[Skip], list[str]]:
    """The pictures to look at, those that cannot be had, and what should be said of the sources."""
    holds_results = cache(lambda folder: OutFolder(folder).journal_file.is_file())
    candidates = [one for one in gathered.candidates if not any(map(holds_results, _folders_in_source(one)))]
    skipped, notes = list(gathered.skipped), list(gathered.notes)
    if left := len(gathered.candidates) - len(candidates):
        notes.append(f"{left} pictures that an earlier detect made were passed over")
    if gathered.addresses:
        fetched, not_had, same = _fetched(gathered.addresses, folder, progress, allow_local)
        candidates += fetched
        skipped += not_had
        if same:
            notes.append(f"addresses that gave the same picture as another, which counts once: {same} (see {LOG})")
    names = unique([one.name for one in candidates])
    return [replace(one, name=name) for one, name in zip(candidates, names, strict=True)], skipped, notes


def _folders_in_source(candidate: Candidate) -> Iterator[Path]:
    """Those that it lies in, as far as the user did not name them: of all below a folder, and that folder."""
    named_in = Path(candidate.source).absolute().parent
    return takewhile(lambda folder: folder != named_in, candidate.file.absolute().parents)


def _fetched(
    addresses: Sequence[Address], folder: OutFolder, progress: Progress, allow_local: bool
) -> tuple[list[Candidate], list[Skip], int]:
    """The pictures behind addresses, the addresses that gave none, and how many gave the picture of another."""
    from yolo_pipeline.fetching.pictures import fetch_pictures  # a client for the network: late

    urls = [one.url for one in addresses]
    sources = [f"{one.list_file}:{one.line}" if one.list_file else "" for one in addresses]
    every = fetch_pictures(urls, folder.downloads, progress, sources=sources, allow_local=allow_local)
    candidates, skipped, same = [], [], 0
    for one in every:
        if one.file is None:
            skipped.append(Skip(one.url, one.reason))
        elif one.reason:
            same += 1
        else:
            candidates.append(Candidate(f"{folder.downloads.name}/{one.file.name}", one.file, one.url))
    return candidates, skipped, same


def default_folder(root: Path, title: str, sources: Sequence[str]) -> Path:
    """detections/attempt-5/scraped: by the model and the first source; of a pattern, by the folder before it."""
    first = sources[0]
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return root / "detections" / _safe(title) / _safe(f"{_short(first)}{more}")


def places(sources: Sequence[str]) -> list[str]:
    """What the sources are, whatever the folder that the command runs in; of a picture, the folder it lies in.

    So a pattern that a shell has expanded stays the same when pictures are added.
    """
    return sorted({source if is_address(source) else _place(Path(source)) for source in sources})


def _place(source: Path) -> str:
    is_picture = source.is_file() and source.suffix.lower() in PICTURE_SUFFIXES
    return (source.parent if is_picture else source).absolute().as_posix()


def _short(source: str) -> str:
    if is_address(source):
        return urlsplit(source).netloc
    path = Path(source).resolve()
    while is_pattern(str(path)) and not path.exists():
        path = path.parent
    return path.name if path.is_dir() else path.stem


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "pictures"


def claimed(root: Path, again: bool) -> OutFolder:
    """The folder for results: a new one, or one of ours to go on with.

    Raises:
        InputError: it holds something else; it is the one that the command runs in, and cannot be put aside.
    """
    folder = OutFolder(root)
    ours = folder.journal_file.is_file() or (folder.downloads / RECORD).is_file()
    if root.exists() and not ours and (not root.is_dir() or any(root.iterdir())):
        raise InputError(root, "holds something else than detections", "Name another folder with --out")
    if again and root.exists():
        if not root.name:
            raise InputError(root, "cannot be renamed while the command runs in it", "Name another folder with --out")
        set_aside(root)
    return folder
