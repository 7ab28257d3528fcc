"""Pictures fetched from a list of addresses."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import getproxies_environment

from yolo_pipeline.errors import DataError
from yolo_pipeline.fetching.downloads import LOG, RECORD, Download, Limits, Record
from yolo_pipeline.files import explain_os_error, write_text
from yolo_pipeline.images import sha256
from yolo_pipeline.progress import Progress

_COLUMNS = ("url", "source", "status", "sha256", "file", "reason")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of an address.

    Attributes:
        url: as it was given.
        status: of the last answer; None where there was none.
        sha256: of the picture; empty where it was not got.
        file: the picture; of several with the same content, that of the first address.
        reason: why it was not got, or whose picture it is; empty for a picture that no earlier address gave.
    """

    url: str
    status: int | None
    sha256: str
    file: Path | None
    reason: str


def fetch_pictures(
    urls: Sequence[str],
    folder: Path,
    progress: Progress,
    *,
    sources: Sequence[str] = (),
    allow_local: bool = False,
    limits: Limits = Limits(),
) -> list[Fetched]:
    """Fills `folder` with the pictures, and writes downloads.csv there, one row an address.

    Only http and https are asked, a few addresses at a time, and of hosts whose addresses are all public; of what
    comes, the content says whether it is a picture. Proxies of the environment are not used.

    Another call with the same folder asks for what is missing and for what failed in a way that may come right: no
    connection, no answer in time, 429, 5xx, an address that was not public. What was refused for good (404, no
    picture, too large) is not asked again; that is noted in `.downloads.jsonl` there, without which all is asked anew.

    Args:
        sources: where each address stands, for downloads.csv; may be left out.
        allow_local: asks private and loopback addresses, too.

    Returns:
        One for each of `urls`, in their order, whatever the order in which the answers came.

    Raises:
        DataError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fetched = _fetch(urls, folder, progress, limits, allow_local)
        write_text(folder / LOG, _table(fetched, sources or [""] * len(fetched)))
        return fetched
    except FileExistsError as error:
        raise DataError(folder, "is a file, where a folder must be", "Name another folder") from error
    except OSError as error:
        raise explain_os_error(folder, error) or error from error


def _fetch(urls: Sequence[str], folder: Path, progress: Progress, limits: Limits, allow_local: bool) -> list[Fetched]:
    from yolo_pipeline.fetching.downloading import download_all

    for left in folder.glob(".????????????.part"):  # by a command that was killed
        left.unlink()
    planned = [_planned(url) for url in urls]
    with Record(folder / RECORD) as record:
        before = record.read().values()
        copies = _copies(folder, before)
        known = {d.address: d for d in before if d.final and (not d.sha256 or d.sha256 in copies)}
        missing = list(dict.fromkeys(d.address for d in planned if not d.reason and d.address not in known))
        _announce(missing, progress)
        new: list[Download] = []

        def ended(download: Download) -> None:
            record.add(download)
            new.append(download)
            progress.at("downloading", len(new), len(missing))

        if missing:
            download_all(missing, folder, ended, limits, allow_local=allow_local)
    for download in new:
        if download.sha256:
            copies.setdefault(download.sha256, []).append(folder / download.file_name)
    known |= {download.address: download for download in new}
    return _settle(urls, [d if d.reason else known[d.address] for d in planned], folder, copies)


def _planned(url: str) -> Download:
    """The address that a text stands for; with a reason where it is not asked."""
    from yolo_pipeline.fetching.addresses import RefusedAddress, parse

    try:
        return Download(str(parse(url)), None)
    except RefusedAddress as error:
        return Download("", None, reason=str(error))


def _copies(folder: Path, downloads: Iterable[Download]) -> dict[str, list[Path]]:
    """Of the pictures that were got before, those that are still there as they came: sha256 -> their files."""
    copies: dict[str, list[Path]] = {}
    for download in downloads:
        if download.sha256 and (file := folder / download.file_name).is_file() and sha256(file) == download.sha256:
            copies.setdefault(download.sha256, []).append(file)
    return copies


def _announce(missing: Sequence[str], progress: Progress) -> None:
    if not missing:
        return
    many, hosts = len(missing), len({address.split("/")[2] for address in missing})
    progress.say(f"downloading: {many} address{'es' * (many > 1)}, {hosts} host{'s' * (hosts > 1)}")
    if {"http", "https", "all"} & getproxies_environment().keys():
        progress.say("downloading: proxies of the environment are not used, as nobody can check where they connect to")


def _settle(
    urls: Sequence[str], downloads: Sequence[Download], folder: Path, copies: Mapping[str, Sequence[Path]]
) -> list[Fetched]:
    """Leaves one file of each picture, under the name of the first address that gave it."""
    first: dict[str, Fetched] = {}
    fetched = []
    for url, download in zip(urls, downloads, strict=True):
        if download.sha256 in first:
            same = first[download.sha256]
            reason = f"the same picture as {same.url}"
            fetched.append(Fetched(url, download.status, same.sha256, same.file, reason))
        elif download.sha256:
            file = _keep_one(folder / download.file_name, copies[download.sha256])
            first[download.sha256] = Fetched(url, download.status, download.sha256, file, "")
            fetched.append(first[download.sha256])
        else:
            fetched.append(Fetched(url, download.status, "", None, download.reason))
    return fetched


def _keep_one(file: Path, copies: Sequence[Path]) -> Path:
    if file not in copies:
        copies[0].replace(file)
    for other in copies:
        if other != file:
            other.unlink(missing_ok=True)
    return file


def _table(fetched: Iterable[Fetched], sources: Iterable[str]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for one, source in zip(fetched, sources, strict=True):
        rows.writerow([one.url, source, one.status, one.sha256, one.file.name if one.file else "", one.reason])
    return text.getvalue()
