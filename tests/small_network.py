"""A small YOLO network that really finds things, trained in seconds: what it learnt is whatever red and blue squares are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import yaml

from yolo_pipeline.decoding import Pixels

IMGSZ = 96
NAMES = ("chicken", "onion")

_COLOURS = ((30, 30, 200), (200, 30, 30))
_LAYERS = {
    "nc": len(NAMES),
    "backbone": [[-1, 1, "Conv", [channels, 3, 2]] for channels in (8, 16, 32, 32, 32)],
    "head": [[[2, 3, 4], 1, "Detect", ["nc"]]],
}
_PICTURES, _STEPS, _BATCH = 64, 100, 8

Square = tuple[int, float, float, float, float]
"""Class number; centre, width and height as parts of the picture's."""


def squares(seed: int, width: int = 96, height: int = 64) -> tuple[Pixels, list[Square]]:
    """A noisy picture, blue first, with a square or two: red is a chicken, blue an onion."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(150, 230, size=(height, width, 3), dtype=np.uint8)
    found = []
    for part in range(int(rng.integers(1, 3))):
        label, side = int(rng.integers(0, 2)), int(rng.integers(min(width, height) // 4, min(width, height) // 2))
        x = part * (width // 2) + int(rng.integers(0, max(width // 2 - side, 1)))
        y = int(rng.integers(0, height - side))
        pixels[y : y + side, x : x + side] = _COLOURS[label]
        found.append((label, (x + side / 2) / width, (y + side / 2) / height, side / width, side / height))
    return pixels, found


def write_pictures(folder: Path, count: int, start: int = 1000) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:04}.png" for number in range(start, start + count)]
    for number, file in enumerate(files, start):
        file.write_bytes(cv2.imencode(".png", squares(number)[0])[1].tobytes())
    return files


def train_small_network(weights: Path, steps: int = _STEPS) -> Path:
    """Writes weights as Ultralytics saves them; the same ones every time on the same machine."""
    from yolo_pipeline.tracks.yolo.weights import quiet_ultralytics

    yolo = quiet_ultralytics().YOLO
    import torch
    from ultralytics.cfg import get_cfg

    torch.manual_seed(0)
    architecture = weights.with_suffix(".yaml")
    architecture.write_text(yaml.safe_dump(_LAYERS))
    network = yolo(architecture).model.train()
    architecture.unlink()
    network.args = get_cfg(overrides={"imgsz": IMGSZ})
    shown, labels = zip(*(squares(seed) for seed in range(_PICTURES)), strict=True)
    inputs = torch.from_numpy(np.stack(shown)[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.005)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=max(steps, 10))
    rng = np.random.default_rng(0)
    for _ in range(steps):
        chosen = rng.choice(_PICTURES, _BATCH, replace=False)
        rows = [(at, *row) for at, number in enumerate(chosen) for row in labels[number]]
        table = torch.tensor(rows, dtype=torch.float32)
        batch = {"img": inputs[chosen], "batch_idx": table[:, 0], "cls": table[:, 1:2], "bboxes": table[:, 2:]}
        optimizer.zero_grad()
        network.loss(batch)[0].sum().backward()
        optimizer.step()
        schedule.step()
    network.names = dict(enumerate(NAMES))
    network.args, network.criterion = {}, None
    torch.save({"model": network.eval().half(), "train_args": {"imgsz": IMGSZ}, "epoch": -1}, weights)
    return weights
