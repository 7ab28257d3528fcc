"""What many tests share: tiny labelled folders, a project around them, and a track that needs no framework."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.attempt import Attempt
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.cli import run as run_command_line
from yolo_pipeline.formats.voc import annotation_xml
from yolo_pipeline.nouns import Box, Curves, Detection, Truth
from yolo_pipeline.progress import Progress, Silent
from yolo_pipeline.run import Run
from yolo_pipeline.tracks import Trained

SHARED = Path(__file__).parents[2] / "shared"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as under nohup; tests press Ctrl-C, and so do their children
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that train go first, so that no process is alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def labelled_folder() -> Callable[..., Path]:
    """A function that fills a folder with N pictures of one coloured square each, labelled as LabelImg would.

    Red squares are `chicken`, blue ones `onion`; every picture is different.
    """

    def fill(folder: Path, count: int = 20, side: int = 64, start: int = 0) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(start, start + count):
            rng = np.random.default_rng(number)
            pixels = rng.integers(170, 230, size=(side, side, 3), dtype=np.uint8)
            label, colour = (("chicken", (200, 30, 30)), ("onion", (30, 30, 200)))[number % 2]
            size = side // 2 - number % 5
            x, y = (int(value) for value in rng.integers(1, side - size, size=2))
            pixels[y : y + size, x : x + size] = colour
            picture = folder / f"photo_{number:03}.png"
            Image.fromarray(pixels).save(picture)
            truth = Truth(Box(x, y, x + size, y + size), label)
            picture.with_suffix(".xml").write_text(
                annotation_xml([truth], picture, side, side, origin=0), encoding="utf-8"
            )
        return folder

    return fill


@pytest.fixture
def project(tmp_path: Path, labelled_folder: Callable[..., Path]) -> Path:
    """A project with 20 labelled pictures and attempts 1 to 3, of which 2 and 3 build on 1."""
    root = tmp_path / "project"
    labelled_folder(root / "datasets" / "raw" / "pictures")
    write_yaml(root / "data.yaml", {"sources": [{"path": "datasets/raw/pictures", "format": "labelimg"}]})
    first = {
        "title": "first",
        "model": "yolov8n",
        "pretrained": False,
        "data": {"split": {"train": 0.6, "val": 0.2, "test": 0.2}},
        "train": {"imgsz": 64, "batch": 4, "epochs": 1},
    }
    write_yaml(root / "attempts" / "1.yaml", first)
    write_yaml(root / "attempts" / "2.yaml", {"base": 1, "train": {"epochs": 2}})
    write_yaml(root / "attempts" / "3.yaml", {"base": 2, "data": {"classes": ["onion"]}})
    return root


def write_yaml(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


class Told(Silent):
    """A progress that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@dataclass
class FakeTrack:
    """A track that learns nothing and detects what `detect` says. It counts what it is asked."""

    detect: Callable[[np.ndarray], list[Detection]] = lambda picture: []
    interrupt: bool = False
    calls: list[str] = field(default_factory=list)
    task: str = "detect"
    runtime: str = "torch"
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def asking(self, settings: Mapping[str, Any]) -> Asking:
        return Asking(imgsz=(settings.get("train") or {}).get("imgsz"))

    def check(self, attempt: Attempt, progress: Progress) -> None:
        self.calls.append("check")

    def train(self, attempt: Attempt, dataset: BuiltDataset, run: Run, progress: Progress, *, resume: bool) -> Trained:
        self.calls.append("resume" if resume else "train")
        weights = run.training / "weights"
        weights.mkdir(parents=True, exist_ok=True)
        (weights / "last.pt").write_bytes(b"half")
        if self.interrupt:
            raise KeyboardInterrupt
        (weights / "best.pt").write_bytes(b"whole")
        used = {"imgsz": attempt.train["imgsz"], "batch": 2, "device": "fake", "epochs": attempt.train["epochs"]}
        return Trained(weights / "best.pt", {"file": None}, 7, used, {"fake/mAP50": 0.5})

    def open(self, weights: Path, asking: Asking, runtime: str = "") -> Predictor:
        self.calls.append("open")

        def predict(batch: Sequence[np.ndarray]) -> list[list[Detection]]:
            return [self.detect(picture) for picture in batch]

        return Predictor(predict, ("chicken", "onion"), asking.imgsz or 64, batch=2, callers=2)

    def runtimes(self, device: str | None) -> tuple[str, ...]:
        return ()

    def prepared(self, weights: Path, runtime: str) -> bool:
        return False

    def prepare(self, weights: Path, runtime: str, asking: Asking, samples: Sequence[Path], progress: Progress) -> None:
        raise NotImplementedError

    def export(
        self, weights: Path, target: str, folder: Path, asking: Asking, samples: Sequence[Path], progress: Progress
    ) -> Path:
        raise NotImplementedError

    def curves(self, run: Run) -> Curves:
        columns = {"epoch": (1.0, 2.0), "train/box_loss": (2.0, 1.0), "train/cls_loss": (3.0, 1.5)}
        return Curves({**columns, "val/box_loss": (2.5, 1.25), "val/mAP50": (0.1, 0.4)})

    def versions(self) -> dict[str, str]:
        return {"fake": "1.0"}


def find_squares(picture: np.ndarray) -> list[Detection]:
    """What a perfect detector says of a picture of `labelled_folder`, blue first."""
    found = []
    for label, mask in (
        ("chicken", (picture[..., 2] > 150) & (picture[..., 0] < 80)),
        ("onion", (picture[..., 0] > 150) & (picture[..., 2] < 80)),
    ):
        if mask.any():
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
            found.append(Detection(box, label, 0.9))
    return found


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs one command line in this process."""

    def call(*arguments: object) -> Ended:
        capsys.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return call
