"""What enters the first block that trains, computed once for each picture and draw, and kept in the user's cache.

A frozen network is a fixed function: what it gives for a picture is the same in every epoch, and under every head that
is tried on it. A file holds one draw of all pictures of a split, so that a training with more draws, or one that goes
on after an interruption, takes those that are there. They are float32, as the network gives them: in half the bytes
they would be rounded, and training no longer that of the plain loop.

Where there is no room for them, `Forward` computes them anew in every epoch, which is the plain loop.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torchvision

from yolo_pipeline.errors import WeightsError
from yolo_pipeline.progress import Progress
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.tracks.classify import kept
from yolo_pipeline.tracks.classify.kept import Features
from yolo_pipeline.tracks.classify.models import Classifier, Normalisation
from yolo_pipeline.tracks.classify.pictures import Pictures
from yolo_pipeline.tracks.classify.pixels import to_tensor

_IN_MEMORY = 2**30  # bytes of features that are held there as well
_PIXELS_AT_ONCE, _MOST_AT_ONCE = 16 * 224 * 224, 256
_VERSION = 1  # of how a picture becomes what the network is shown; draws have their own

Numbers = Sequence[torch.Tensor]
"""Of the pictures of each batch: (B,) int64, on the CPU."""


class Source(Protocol):
    """What enters a block, of all pictures of a split."""

    labels: torch.Tensor
    """(N,) int64, on the device that trains."""
    draws: int

    def batches(self, batches: Numbers, draw: int) -> Iterator[torch.Tensor]:
        """(B, …) float32 of each batch, on the device that trains."""
        ...


class Forward:
    """Pictures that go through the blocks below whenever they are asked for: the plain loop."""

    def __init__(self, pictures: Pictures, network: Below) -> None:
        self._pictures, self._network = pictures, network
        self.labels = torch.from_numpy(pictures.labels).to(network.device)
        self.draws = pictures.draws

    def batches(self, batches: Numbers, draw: int) -> Iterator[torch.Tensor]:
        for shown in self._pictures.batches([numbers.tolist() for numbers in batches], draw):
            with torch.no_grad():  # in inference mode, no gradient could be had of what comes after
                entering = self._network(to_tensor(shown, self._pictures.imgsz, self._network.normalisation))
            yield entering


class Kept:
    """Features of every draw, (N, …) each, in memory or on the disk."""

    def __init__(self, features: Sequence[Features], pictures: Pictures, device: torch.device) -> None:
        size = sum(of_draw.nbytes for of_draw in features)
        near = device if size <= _room_on(device) else torch.device("cpu")
        self._draws = [torch.from_numpy(of_draw).to(near) for of_draw in features]
        self._device = device
        self.labels = torch.from_numpy(pictures.labels).to(device)
        self.draws = len(features)

    def batches(self, batches: Numbers, draw: int) -> Iterator[torch.Tensor]:
        features = self._draws[draw]
        for numbers in batches:
            yield features.index_select(0, numbers.to(features.device)).to(self._device)


@dataclass(frozen=True, slots=True)
class Below:
    """The blocks below the first that trains: normalised pixels (B, 3, S, S) -> what enters that block."""

    classifier: Classifier
    block: int
    normalisation: Normalisation
    device: torch.device

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.classifier.up_to(pixels.to(self.device), self.block)

    def features(self, pixels: torch.Tensor) -> Features:
        with torch.inference_mode():
            return np.ascontiguousarray(self(pixels).cpu().numpy(), dtype=np.float32)

    def sha256(self) -> str:
        """Of all that makes it the function it is; GPUs count otherwise than processors."""
        versions = [str(torch.__version__), str(torchvision.__version__), self.device.type]
        digest = hashlib.sha256(
            json.dumps([self.classifier.model, self.block, asdict(self.normalisation), versions]).encode()
        )
        for name, tensor in self.classifier.blocks[: self.block].state_dict().items():
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().flatten().numpy())
        return digest.hexdigest()


def fingerprint(network: str, pictures: Pictures, draw: int) -> str:
    """sha256 of all that the features of a draw follow from.

    Args:
        network: `Below.sha256`.
    """
    augmentation = pictures.augmentation.told() if pictures.augmentation else None
    told = [_VERSION, network, pictures.imgsz, augmentation, draw, pictures.sha256]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def sources_of(
    splits: Sequence[Pictures], network: Below, epochs: int, progress: Progress
) -> tuple[list[Source], dict[str, Any] | None]:
    """A source for each split, and how its features were come by, as it is recorded; None where none are kept.

    Args:
        splits: the training pictures first.
        epochs: there are no more draws than these show.

    Raises:
        AnnotationError: a picture that cannot be decoded.
        WeightsError: the network gives something else than numbers.
    """
    network.classifier.eval()
    if network.block:
        making = _Making(splits, network, epochs, progress)
        if not (why_not := making.no_room()):
            try:
                return [Kept(making.features(of), of, network.device) for of in splits], making.told()
            except OSError as error:
                why_not = f"they cannot be kept ({complaint(error)})"
        progress.say(f"the features are computed anew in every epoch: {why_not}")
    return [Forward(pictures, network) for pictures in splits], None


class _Making:
    """Features of all draws that are wanted of some splits: where they are, how far they are, what they took."""

    def __init__(self, splits: Sequence[Pictures], network: Below, epochs: int, progress: Progress) -> None:
        side = splits[0].imgsz
        self._network, self._progress = network, progress
        self._shape = network.features(torch.zeros(1, 3, side, side)).shape[1:]
        self._folder, mark = kept.features_folder(), network.sha256()
        self._files = {
            id(of): [self._folder / f"{fingerprint(mark, of, draw)}.npy" for draw in range(min(of.draws, epochs))]
            for of in splits
        }
        self._all = sum(len(of) * len(self._files[id(of)]) for of in splits)
        self._of_training = (len(splits[0]), len(self._files[id(splits[0])]))
        self._missing = sum(len(of) for of in splits for file in self._files[id(of)] if not file.is_file())
        self._in_memory = kept.bytes_of((self._all, *self._shape)) <= _IN_MEMORY
        self._cached = self._computed = 0
        self._seconds = 0.0
        self._complained = False

    def no_room(self) -> str:
        """Why there is no room to keep them; empty where there is."""
        size, missing = (kept.bytes_of((count, *self._shape)) for count in (self._all, self._missing))
        why_not = kept.no_room(self._folder, size, 0 if self._in_memory else missing)
        if not why_not:
            return ""
        return f"those of {self._all} pictures and draws would take {kept.gigabytes(size)}, {why_not}"

    def features(self, pictures: Pictures) -> list[Features]:
        """(N, …) of every draw.

        Raises:
            OSError: they do not fit into memory, and cannot be written.
        """
        return [self._of_draw(pictures, draw, file) for draw, file in enumerate(self._files[id(pictures)])]

    def told(self) -> dict[str, Any]:
        """How they were come by, which is said as well."""
        pictures, draws = self._of_training
        what = f"features of {pictures} pictures and {draws} draw{'s' if draws > 1 else ''}"
        computed = f"computed in {self._seconds:.0f} s"
        some = f"{computed}, {self._cached} of {self._all} taken from the cache" if self._cached else computed
        self._progress.say(f"{what} {some if self._computed else 'taken from the cache'}")
        return {
            "pictures": pictures,
            "draws": draws,
            "computed": self._computed,
            "from_cache": self._cached,
            "seconds": round(self._seconds, 2),
        }

    def _of_draw(self, pictures: Pictures, draw: int, file: Path) -> Features:
        shape = (len(pictures), *self._shape)
        if (found := kept.read(file, shape)) is not None:
            self._cached += len(pictures)
            return np.array(found) if self._in_memory else found
        began = time.perf_counter()
        rows = self._given(pictures, draw)
        made = self._held(file, shape, rows) if self._in_memory else self._filed(file, shape, rows)
        self._seconds += time.perf_counter() - began
        return made

    def _held(self, file: Path, shape: tuple[int, ...], rows: Iterator[Features]) -> Features:
        held = np.concatenate(list(rows))
        try:
            kept.write(file, shape, [held])
        except OSError as error:
            if not self._complained:
                self._progress.say(f"the features are not kept for later: {complaint(error)}")
            self._complained = True
        return held

    def _filed(self, file: Path, shape: tuple[int, ...], rows: Iterator[Features]) -> Features:
        kept.write(file, shape, rows)
        if (found := kept.read(file, shape)) is None:
            raise OSError(f"{file} is gone")
        return found

    def _given(self, pictures: Pictures, draw: int) -> Iterator[Features]:
        size = max(1, min(_MOST_AT_ONCE, _PIXELS_AT_ONCE // pictures.imgsz**2))
        order = [range(start, min(start + size, len(pictures))) for start in range(0, len(pictures), size)]
        for shown in pictures.batches(order, draw):
            given = self._network.features(to_tensor(shown, pictures.imgsz, self._network.normalisation))
            if not np.isfinite(given).all():
                reason = "its weights give something else than numbers"
                raise WeightsError(self._network.classifier.model, reason, "Start from other weights")
            self._computed += len(given)
            self._progress.at("computing features", self._cached + self._computed, self._all)
            yield given


def _room_on(device: torch.device) -> int:
    """Bytes of features that may lie on a device."""
    return torch.cuda.mem_get_info(device)[0] // 4 if device.type == "cuda" else _IN_MEMORY
