"""Weights to be handed to others: the same network, without what Ultralytics notes of the disk and the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yolo_pipeline.errors import WeightsError
from yolo_pipeline.portable import portable
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.tracks.yolo.weights import quiet_ultralytics

_REPOSITORY = "git"  # folder, branch, last message and address of the repository that Ultralytics lies in


def write_portable(weights: Path, file: Path) -> Path:
    """Writes a checkpoint of Ultralytics anew; the same weights give the same bytes. The file.

    Raises:
        WeightsError: it cannot be read.
    """
    quiet_ultralytics()
    import torch
    from ultralytics.nn.tasks import torch_safe_load

    try:
        checkpoint, _ = torch_safe_load(str(weights))
    except Exception as error:  # unpickling broken files raises anything
        raise WeightsError(weights, f"cannot be read as weights: {complaint(error)}", "Train again") from error
    for key in ("model", "ema"):
        _forget_folders(checkpoint.get(key))
    checkpoint["train_args"] = portable(checkpoint.get("train_args") or {})
    checkpoint.pop(_REPOSITORY, None)
    with open(file, "wb") as out:  # to a name, torch would write it into the file
        torch.save(checkpoint, out)
    return file


def _forget_folders(model: Any) -> None:
    for name in ("args", "yaml", "pt_path", "yaml_file"):
        if (said := getattr(model, name, None)) is not None:
            setattr(model, name, portable(said))
