"""The weights that torchvision publishes: which ones are meant, where they are kept, how they are fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import httpx
import torch
import torchvision

from yolo_pipeline import images
from yolo_pipeline.errors import WeightsError, unfetched
from yolo_pipeline.progress import Progress
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.settings.classify import MODELS

MAX_BYTES = 2**30

_SECONDS = httpx.Timeout(30.0, connect=10.0)
_MIB = 2**20
_SHA256 = re.compile(r"-([0-9a-f]{8,64})\.pth")  # torchvision's names end with how the file's sha256 begins


@dataclass(frozen=True, slots=True)
class Published:
    """Weights trained on ImageNet.

    Attributes:
        version: torchvision's name of them: IMAGENET1K_V2.
        address: where they are fetched from.
        size: about how much that is, in words; empty where torchvision does not say.
    """

    version: str
    address: str
    size: str = ""

    @property
    def name(self) -> str:
        """Of the file, which is the last part of the address."""
        return self.address.rpartition("/")[2]


def published(model: str) -> Published:
    """Those that are meant by `pretrained: true`."""
    weights = torchvision.models.get_model_weights(model)[MODELS[model].weights]
    megabytes = weights.meta.get("_file_size")
    return Published(weights.name, weights.url, f"about {megabytes:.0f} MB" if megabytes else "")


def obtain(weights: Published, folder: Path, progress: Progress) -> Path:
    """Their file: in `folder`, else in torch's own cache, else by download into `folder`, said beforehand.

    Raises:
        WeightsError: a file that is not what was published, or it cannot be fetched.
    """
    for place in (folder, Path(torch.hub.get_dir()) / "checkpoints"):
        if (file := place / weights.name).is_file():
            require_published(file)
            return file
    file = folder / weights.name
    where = httpx.URL(weights.address).host
    size = f"{weights.size}, " if weights.size else ""
    progress.say(f"fetching the pretrained weights {weights.name} ({size}from {where}) to weights/{weights.name}")
    folder.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.part")
    try:
        _download(weights.address, beside, progress)
        if (fault := _fault(weights.name, beside)) is None:
            beside.replace(file)
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:
        fault = complaint(error).rstrip(".")
    finally:
        beside.unlink(missing_ok=True)
    if fault is not None:
        progress.say(f"that failed: {fault}")
        raise unfetched(file)
    return file


def require_published(file: Path) -> None:
    """
    Raises:
        WeightsError: a file with a name of torchvision's that is not what was published under it.
    """
    if (fault := _fault(file.name, file)) is not None:
        raise WeightsError(file, fault, "Remove it, and fetch it again (an interrupted download?)")


def _fault(name: str, file: Path) -> str | None:
    said = _SHA256.search(name)
    if said is None or images.sha256(file).startswith(said[1]):
        return None
    return f"is not what was published: its sha256 does not begin with {said[1]}, as its name says"


def _download(address: str, file: Path, progress: Progress) -> None:
    """
    Raises:
        httpx.HTTPError: no network, or what the server answers.
        ValueError: it sends too much, or the environment names a proxy that is none.
    """
    try:
        client = httpx.Client(follow_redirects=True, timeout=_SECONDS)
    except OSError as error:
        raise ValueError(f"certificates cannot be read, see SSL_CERT_FILE ({error.strerror or error})") from error
    with client, client.stream("GET", address) as answer, file.open("wb") as out:
        answer.raise_for_status()
        total, came = answer.headers.get("Content-Length", ""), 0
        whole = int(total) if total.isdecimal() and len(total) < 20 else 0
        for piece in answer.iter_bytes(_MIB):
            came += len(piece)
            if came > MAX_BYTES:
                raise ValueError(f"it is over the limit of {MAX_BYTES} bytes")
            out.write(piece)
            progress.at("fetching weights", came / _MIB, max(whole, came) / _MIB, "MB")
