"""A faster runtime and torch, shown the same pictures: how well each finds what is there, and how fast."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from yolo_pipeline import decoding, images, runtimes
from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.judging.coco import CocoTruth, part_of, results_json, truth_json
from yolo_pipeline.nouns import Detection, ImageRecord, Truth
from yolo_pipeline.progress import Progress
from yolo_pipeline.runtimes import kept
from yolo_pipeline.tracks import Track

INT8 = "-int8"
"""How the names of runtimes end that reckon in whole numbers of 8 bits."""

_CHECKED, _MOST_BYTES = 32, 2**30
_GROUPS_A_ROUND = 4
_CONF, _LOWEST_CONF, _MOST = 0.25, 0.001, 300
_ALLOWED, _ALLOWED_INT8 = 0.002, 0.005
_ALLOWED_INT8_UNLABELLED = 0.02
"""Beside torch's own detections: those that it is only just sure of come and go. On COCO, YOLOv8n in int8 is 0.012
below torch in this way, and equal to it against labels."""
_PACKAGES = ("ultralytics", "torch", "openvino", "onnxruntime")

Found = list[list[Detection]]
"""The detections on each of some pictures."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A runtime beside torch, on the same pictures.

    Attributes:
        images, out_of: pictures that were shown, and that there were, at most 32: some may not be readable.
        mAP50, torch_mAP50: of the runtime and of torch, against labelled objects; where there are none, torch's own
            detections are taken for the truth. None: there is nothing to find.
        agrees: whether they are within `allowed` of each other, or, for int8, torch is not better by more.
        seconds, torch_seconds: for a picture that is decoded already.
    """

    runtime: str
    images: int
    out_of: int
    mAP50: float | None
    torch_mAP50: float | None
    agrees: bool
    allowed: float
    seconds: float
    torch_seconds: float

    def __str__(self) -> str:
        rates = f"{1 / self.seconds:.1f} pictures a second, torch {1 / self.torch_seconds:.1f}"
        return f"{self.runtime}: {rates}; mAP50 {shown(self.mAP50)}, torch {shown(self.torch_mAP50)}"


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


@dataclass
class Check:
    """Pictures that are shown to torch, once, and to each runtime that nothing is known of yet.

    Attributes:
        truths: COCO truth of `pictures`, its images in their order; None: they are not labelled.
    """

    track: Track
    weights: Path
    asking: Asking
    pictures: Sequence[Path]
    truths: Mapping[str, Any] | None
    progress: Progress

    def of(self, runtime: str) -> Agreement:
        """What is known of a runtime that was prepared, or what is measured now, and kept.

        Raises:
            InputError: none of the pictures can be read.
            WeightsError: the network cannot be opened or asked.
        """
        agreement = self.known(runtime)
        if agreement is None:
            count = len(self._shown)
            self.progress.say(f"checking whether {runtime} finds what torch finds: once, on {count} pictures")
            agreement = self._measured(runtime)
            kept.note(self.weights, runtime, self._key, asdict(agreement))
            self.progress.say(str(agreement))
        return agreement

    def known(self, runtime: str) -> Agreement | None:
        """What an earlier command measured, with the same packages on the same machine, on no fewer pictures."""
        try:
            agreement = Agreement(**kept.noted(self.weights, runtime, self._key))
        except TypeError:
            return None
        return agreement if agreement.out_of >= self._out_of else None

    @property
    def _out_of(self) -> int:
        return min(len(self.pictures), _CHECKED)

    @cached_property
    def _key(self) -> str:
        """All that speed and detections depend on, beside the network; and what they were held to."""
        versions = " ".join(f"{name} {runtimes.version(name)}" for name in _PACKAGES if runtimes.installed(name))
        asked = f"imgsz {self.asking.imgsz} iou {self.asking.iou:g} device {self.asking.device}"
        held_to = "torch" if self.truths is None else "labels"
        return f"{asked}, {versions}, {platform.node()} with {os.cpu_count()} cores, held to {held_to}"

    def _measured(self, runtime: str) -> Agreement:
        found, seconds = self._ask(runtime)
        torch_found, torch_seconds = self._by_torch
        ours, theirs = self._score(found), self._score(torch_found)
        allowed = self._allowed(runtime)
        if ours is None or theirs is None:
            agrees = not any(one.score >= _CONF for picture in found for one in picture)
        else:  # int8 is told from torch anyhow; that it may be the better one by chance is no fault
            agrees = (theirs - ours if runtime.endswith(INT8) else abs(ours - theirs)) <= allowed
        count = len(self._shown)
        return Agreement(runtime, count, self._out_of, ours, theirs, agrees, allowed, seconds, torch_seconds)

    def _allowed(self, runtime: str) -> float:
        if not runtime.endswith(INT8):
            return _ALLOWED
        return _ALLOWED_INT8 if self._labelled else _ALLOWED_INT8_UNLABELLED

    def _ask(self, runtime: str) -> tuple[Found, float]:
        asking = replace(self.asking, conf=_LOWEST_CONF, most=_MOST)
        return ask(self.track.open(self.weights, asking, runtime), [pixels for _, pixels in self._shown])

    @cached_property
    def _by_torch(self) -> tuple[Found, float]:
        return self._ask("torch")

    @cached_property
    def _shown(self) -> list[tuple[int, Pixels]]:
        """At most 32 pictures and a gigabyte, of those that can be read; each with its number among all."""
        found: list[tuple[int, Pixels]] = []
        for at in _evenly(len(self.pictures), _CHECKED):
            try:
                found.append((at, decoding.decode_any(self.pictures[at]).pixels))
            except images.UnreadableImage:
                continue
            if len(found) == _CHECKED or sum(pixels.nbytes for _, pixels in found) > _MOST_BYTES:
                break
        if not found:
            raise InputError(self.weights, "there is no picture to check another runtime than torch on", "Use torch")
        return sorted(found, key=lambda one: one[0])

    @cached_property
    def _labelled(self) -> CocoTruth | None:
        """The objects that are labelled on the pictures; None: there are none."""
        if self.truths is None:
            return None
        chosen = part_of(self.truths, [at for at, _ in self._shown])
        return chosen if chosen["annotations"] else None

    @cached_property
    def _truth(self) -> CocoTruth:
        """What is labelled on the pictures; where nothing is, what torch finds with a confidence of 0.25.

        An untrained model is less sure of everything: there, what it is at least half as sure of as of the best.
        """
        if self._labelled is not None:
            return self._labelled
        found, _ = self._by_torch
        best = max((one.score for picture in found for one in picture), default=0.0)
        sure = [[Truth(d.box, d.label) for d in picture if d.score >= min(_CONF, best / 2)] for picture in found]
        names = list(dict.fromkeys(one.label for picture in sure for one in picture))
        records = [
            ImageRecord(Path(), str(at), pixels.shape[1], pixels.shape[0], "", tuple(truths))
            for (at, pixels), truths in zip(self._shown, sure, strict=True)
        ]
        return truth_json(records, names, {record.name: record.name for record in records}, {Path(): ""})

    def _score(self, found: Found) -> float | None:
        from yolo_pipeline.judging.detection import judge

        names = [category["name"] for category in self._truth["categories"]]
        known = [[one for one in picture if one.label in names] for picture in found]
        return judge(self._truth, results_json(known, names)).mAP50


def ask(predictor: Predictor, pictures: Sequence[Pixels]) -> tuple[Found, float]:
    """Detections on each picture; seconds a picture when as many threads ask as may, in the quickest of some rounds.

    Classes are named on one line, as exported networks name them.
    """
    groups = [pictures[at : at + predictor.batch] for at in range(0, len(pictures), predictor.batch)]
    size = _GROUPS_A_ROUND * predictor.callers
    found: Found = []
    seconds = []
    with ThreadPoolExecutor(predictor.callers) as pool:
        list(pool.map(predictor, groups[:1] * predictor.callers))  # the first time takes longer
        for at in range(0, len(groups), size):
            began = time.perf_counter()
            answers = [picture for group in pool.map(predictor, groups[at : at + size]) for picture in group]
            seconds.append((time.perf_counter() - began) / len(answers))
            found += [[replace(one, label=one_line(one.label)) for one in picture] for picture in answers]
    return found, max(round(min(seconds), 6), 1e-6)


def _evenly(count: int, wanted: int) -> Iterator[int]:
    """Numbers below `count`: first as many as are wanted, evenly chosen, then all others."""
    chosen = images.evenly(range(count), wanted)
    yield from chosen
    yield from sorted(set(range(count)).difference(chosen))
