"""What a track says of runtimes where nothing but its own framework runs its weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError
from yolo_pipeline.progress import Progress


class OwnRuntime:
    """Base of such tracks; `runtime` as `Track.runtime`."""

    runtime: str

    def runtimes(self, device: str | None) -> tuple[str, ...]:
        return ()

    def prepared(self, weights: Path, runtime: str) -> bool:
        return runtime == self.runtime

    def prepare(self, weights: Path, runtime: str, asking: Asking, samples: Sequence[Path], progress: Progress) -> None:
        self.require_own(runtime)

    def require_own(self, runtime: str) -> None:
        """
        Raises:
            InputError: it is another.
        """
        if runtime != self.runtime:
            reason = f"cannot run this model, which {self.runtime} alone runs"
            raise InputError(f"runtime {runtime}", reason, "Leave --runtime and --int8 out")
