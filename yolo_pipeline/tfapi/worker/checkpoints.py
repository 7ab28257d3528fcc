"""Checkpoints of a training: saved, gone on from, and the best one kept apart."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from .faults import Fault
from .models import other_model, readable, restore, step_of

_KEPT = 2
BEST = "best"


class Checkpoints:
    """ckpt-STEP in a folder, the last two of them, with the optimizer's state: what the API's own tools go on from."""

    def __init__(self, folder: Path, **parts: Any) -> None:
        """
        Args:
            parts: what is saved: step, model, optimizer.
        """
        self.folder = folder
        self._parts = tf.train.Checkpoint(**parts)
        self._manager = tf.train.CheckpointManager(self._parts, str(folder), max_to_keep=_KEPT)

    def restore(self) -> None:
        """Values of the latest checkpoint, where there is one, for variables that all exist.

        Raises:
            Fault: it is damaged, or of another model.
        """
        if latest := latest_in(self.folder):
            restore(self._parts, latest)

    def save(self, step: int) -> None:
        """Saved already where there is one of this step."""
        if latest_in(self.folder) != str(self.folder / f"ckpt-{step}"):
            self._manager.save(checkpoint_number=step)
            self._forget_others()

    def _forget_others(self) -> None:
        """Earlier checkpoints, which the manager does not find in a folder with [ in its name; halves that a full disk
        left."""
        kept = {Path(prefix).name for prefix in self._manager.checkpoints}
        for file in sorted(self.folder.glob("ckpt-*")):
            if file.is_dir():
                shutil.rmtree(file, ignore_errors=True)
            elif file.name.split(".")[0] not in kept:
                file.unlink()

    def keep_best(self, step: int) -> None:
        """Copies the checkpoint of a step to best/; the one that was there goes afterwards."""
        best = self.folder / BEST
        best.mkdir(exist_ok=True)
        for file in sorted(self.folder.glob(f"ckpt-{step}.*")):
            partial = best / f".{file.name}"
            shutil.copyfile(file, partial)
            partial.replace(best / file.name)
        for file in sorted(best.iterdir()):
            if not file.name.startswith(f"ckpt-{step}."):
                file.unlink()

    def best(self, step: int) -> str | None:
        """Path of the best checkpoint, where that of this step is there."""
        prefix = self.folder / BEST / f"ckpt-{step}"
        return str(prefix) if prefix.with_name(f"{prefix.name}.index").is_file() else None


def latest_in(folder: Path) -> str | None:
    """The newest checkpoint of a folder, without .index or .data."""
    state = tf.train.get_checkpoint_state(str(folder))  # latest_checkpoint() takes [ in a folder's name for a pattern
    return None if state is None else str(state.model_checkpoint_path)


def start_step(folder: Path, train_config: Any, steps: int) -> int:
    """The step to go on from: of the folder's own checkpoint, else of a fine-tune checkpoint of type `full`.

    Raises:
        Fault: there is a checkpoint that cannot be read, or one to start from that has gone further than asked.
    """
    if latest := latest_in(folder):
        return step_of(latest) or 0
    if not train_config.fine_tune_checkpoint:
        return 0
    said = step_of(train_config.fine_tune_checkpoint)
    start = said if said and train_config.fine_tune_checkpoint_type == "full" else 0
    if start >= steps:
        reason = f"the checkpoint to start from is at step {start}, and train.steps is {steps}"
        raise Fault(reason, "Ask for more steps, or use fine_tune_checkpoint_type: detection")
    return start


def fine_tune(model: Any, train_config: Any) -> None:
    """Weights of `fine_tune_checkpoint` into a model that has its variables, as the checkpoint's type says.

    Raises:
        Fault: there is none, or it is of another model.
    """
    from object_detection import model_lib_v2

    checkpoint, kind = train_config.fine_tune_checkpoint, train_config.fine_tune_checkpoint_type
    try:
        with readable(checkpoint) as prefix:
            model_lib_v2.load_fine_tune_checkpoint(
                model, prefix, kind, train_config.fine_tune_checkpoint_version, False, None, False
            )
    except (AssertionError, ValueError) as error:
        wanted = tf.train.Checkpoint(**model.restore_from_objects(fine_tune_checkpoint_type=kind))
        raise other_model(wanted, checkpoint) from error
    except (RuntimeError, OSError) as error:
        raise Fault(f"{checkpoint}: {error}", "Name another checkpoint") from error
