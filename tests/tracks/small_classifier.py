"""A project of small pictures of two classes, and its attempts trained without the recipe around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import write_yaml
from PIL import Image

from yolo_pipeline.attempt import Attempt, load
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.nouns import Curves
from yolo_pipeline.progress import Progress, Silent, silent
from yolo_pipeline.recipes.build import build
from yolo_pipeline.run import Run
from yolo_pipeline.tracks import Trained, torch_device
from yolo_pipeline.tracks.classify.track import track


class Said(Silent):
    """Keeps what is said; ends the program, as Ctrl-C does, when an epoch is done."""

    def __init__(self, interrupt_at: float = float("inf")) -> None:
        self.lines: list[str] = []
        self.interrupt_at = interrupt_at

    def say(self, line: str) -> None:
        self.lines.append(line)

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        if what == "training" and done >= self.interrupt_at:
            raise KeyboardInterrupt


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of the test's own, which it gives, and one thread: tests run beside each other."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch_device, "_MOST_THREADS", 1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path / "cache"
    torch.set_num_threads(threads)


def small_project(root: Path, train: int = 8, val: int = 3, side: int = 32) -> Path:
    """Bars that lie and bars that stand, in noise: so many of each."""
    for split, count in (("train", train), ("val", val)):
        for number in range(count):
            for turned, label in enumerate(("lying", "standing")):
                rng = np.random.default_rng([number, turned, split == "val"])
                pixels = rng.integers(0, 200, size=(side, side, 3), dtype=np.uint8)
                place = int(rng.integers(4, side - 8))
                pixels[place : place + 4] = 255
                file = root / "raw" / split / label / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels if label == "lying" else pixels.transpose(1, 0, 2)).save(file)
    write_yaml(root / "data.yaml", {"sources": [{"path": "raw", "format": "folders"}]})
    return root


def attempt_of(root: Path, *, model: str = "resnet18", number: int = 1, **train: Any) -> Attempt:
    """An attempt from scratch with a small head, at 32 pixels; 3 epochs unless more are asked for."""
    said = {"imgsz": 32, "epochs": 3, "batch": 8, "device": "cpu", **train}
    head = [{"units": 16, "dropout": 0.3}]
    content = {"track": "classify", "model": model, "pretrained": False, "head": head, "data": {}, "train": said}
    write_yaml(root / "attempts" / f"{number}.yaml", content)
    return load(root, number)


def built(attempt: Attempt) -> BuiltDataset:
    return build(attempt).built


def run_of(attempt: Attempt, name: str = "run") -> Run:
    return Run(attempt.root / name)


def trained(attempt: Attempt, name: str = "run", *, resume: bool = False, progress: Progress = silent) -> Trained:
    return track.train(attempt, built(attempt), run_of(attempt, name), progress, resume=resume)


def curves(attempt: Attempt, name: str = "run") -> Curves:
    return track.curves(run_of(attempt, name))


def measured(attempt: Attempt, name: str = "run") -> dict[str, tuple[float, ...]]:
    """The curves without the time that they took."""
    return {key: values for key, values in curves(attempt, name).columns.items() if key != "seconds"}
