"""A version of a Roboflow project: waiting for its export, and downloading the archive.

The server is the SDK's to choose: Roboflow's, or what API_URL and ROBOFLOW_REGION say in the environment.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yolo_pipeline.errors import InputError
from yolo_pipeline.fetching.roboflow_sdk import PAGE, Sdk, open_sdk
from yolo_pipeline.progress import Progress, silent

MAX_BYTES = 100 * 2**30
_VERSION = re.compile(rf"{PAGE}([\w-]+)/([\w-]+)/(?:dataset/)?(\d{{1,9}})/?", re.ASCII)
_EXPORT = re.compile(r"[a-z0-9][a-z0-9-]*")
_POLL_S, _PATIENCE_S = 2.0, 3600.0
_TIMEOUT_S = (30.0, 120.0)  # connecting; between two pieces
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Export:
    """An export that is ready to be downloaded. Its link is as secret as the key, which it may hold."""

    reference: str
    sdk: Sdk = field(repr=False)
    link: str = field(repr=False)


def project_and_version(reference: str) -> tuple[str, str, int]:
    """The three parts of WORKSPACE/PROJECT/VERSION, or of the address of a version's page.

    Raises:
        InputError: it is none.
    """
    if (match := _VERSION.fullmatch(reference)) is None:
        remedy = "Write WORKSPACE/PROJECT/VERSION, as in the address of the version's page: kitchen/fridge/4"
        raise InputError(reference, "is no version of a Roboflow project", remedy)
    return match[1], match[2], int(match[3])


def find_export(reference: str, *, export: str = "yolov8", progress: Progress = silent) -> Export:
    """Asks for a version in a format, and waits until Roboflow has made it. Writes nothing.

    Args:
        reference: WORKSPACE/PROJECT/VERSION.
        export: Roboflow's name of a format: yolov8, yolov5pytorch, coco, voc, createml, tensorflow, tfrecord …

    Raises:
        InputError: no key, no SDK, no network; no such project, version or format; an export that does not end.
    """
    workspace, project, version = project_and_version(reference)
    if not _EXPORT.fullmatch(export):
        raise InputError(f"{reference}: {export}", "is no format of Roboflow's", "Say yolov8, coco or voc")
    sdk = open_sdk()
    where = f"{workspace}/{project}/{version}"
    _require_version(sdk, where, sdk.ask(where, sdk.rfapi.get_project, sdk.key, workspace, project), version)
    asked = (sdk.key, workspace, project, str(version))
    deadline = time.monotonic() + _PATIENCE_S
    while (share := _generating(sdk.ask(where, sdk.rfapi.get_version, *asked, nocache=True))) is not None:
        _wait(where, "Roboflow generates the version", share, deadline, progress)
    while (link := _link(answer := sdk.ask(where, sdk.rfapi.get_version_export, *asked, export))) is None:
        if not isinstance(answer, dict) or answer.get("ready") is not False:
            raise InputError(where, f"Roboflow gives no link for {export}", "Export it on the version's page once")
        _wait(where, f"Roboflow exports {export}", _share(answer.get("progress")), deadline, progress)
    require_encrypted(where, link, sdk.server)
    return Export(where, sdk, link)


def require_encrypted(where: str, link: str, server: str) -> None:
    """Refuses a link that is open to be read and changed on its way; a server on this machine may give one."""
    if not link.startswith("https://") and server.startswith("https://"):
        raise InputError(where, "Roboflow's link to the archive is not encrypted", "Download it on the version's page")


def download(export: Export, archive: Path, progress: Progress = silent) -> None:
    """Writes the zip archive of an export to `archive`.

    Raises:
        InputError: the network fails or ends too early, or the archive is over MAX_BYTES. What came is removed.
    """
    import requests

    sdk = export.sdk
    try:
        with sdk.quiet(), requests.get(export.link, stream=True, timeout=_TIMEOUT_S) as answer:
            if answer.status_code != 200:
                remedy = "Fetch it again: links to archives grow old"
                raise InputError(export.reference, f"the archive is not given out ({answer.status_code})", remedy)
            _save(export, answer, archive, progress)
    except requests.RequestException as error:
        archive.unlink(missing_ok=True)
        sdk.explain(export.reference, error)
    except BaseException:
        archive.unlink(missing_ok=True)
        raise


def _require_version(sdk: Sdk, where: str, answer: Any, version: int) -> None:
    found = answer.get("versions") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise InputError(where, "Roboflow answers without a list of versions", "Try again in some minutes")
    numbers = [os.path.basename(str(entry.get("id"))) for entry in found if isinstance(entry, dict)]
    if str(version) not in numbers:
        there = (
            f"there are {', '.join(sorted(numbers, key=lambda number: (len(number), number)))}"
            if numbers
            else "there is none yet"
        )
        raise InputError(where, sdk.scrub(f"the project has no version {version}: {there}"), "Name one that is there")


def _generating(answer: Any) -> float | None:
    """How much of a version is made, 0..1; None when all of it is."""
    said = answer.get("version") if isinstance(answer, dict) else None
    if isinstance(said, dict) and (said.get("generating") or said.get("images") == 0):
        return _share(said.get("progress"))
    return None


def _share(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else 0.0


def _link(answer: Any) -> str | None:
    export = answer.get("export") if isinstance(answer, dict) else None
    link = export.get("link") if isinstance(export, dict) else None
    return link if isinstance(link, str) and link.startswith(("https://", "http://")) else None


def _wait(where: str, what: str, share: float, deadline: float, progress: Progress) -> None:
    if time.monotonic() > deadline:
        minutes = f"{_PATIENCE_S / 60:.0f} minutes"
        raise InputError(where, f"{what}, and is not done after {minutes}", "Look at the version's page, and try later")
    progress.at(what, round(100 * share), 100, "%")
    time.sleep(_POLL_S)


def _save(export: Export, answer: Any, archive: Path, progress: Progress) -> None:
    said = answer.headers.get("content-length", "")
    total = int(said) if said.isdecimal() and len(said) < 20 else 0
    done = 0
    with open(archive, "xb") as file:
        for piece in answer.iter_content(_PIECE):
            done += len(piece)
            if max(done, total) > MAX_BYTES:
                raise InputError(export.reference, f"the archive is over {MAX_BYTES} bytes", "Export a smaller version")
            file.write(piece)
            progress.at("downloading", done / 2**20, max(total, done) / 2**20, "MiB")
