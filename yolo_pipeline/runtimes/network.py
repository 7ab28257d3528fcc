"""What all runtimes share: pictures go in as the network wants them, detections come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from yolo_pipeline.asking import Asking, Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import WeightsError
from yolo_pipeline.nouns import Box, Detection
from yolo_pipeline.runtimes.complaints import complaint
from yolo_pipeline.runtimes.description import Description
from yolo_pipeline.runtimes.letterbox import letterbox, placed_back, rounded_up
from yolo_pipeline.runtimes.suppression import Found, Output, chosen, suppressed

Run = Callable[[Pixels], npt.NDArray[np.floating]]
"""A picture of the size that the network is shown, blue first -> its first output, (1, rows, columns).

The output is read before the same thread asks again.
"""


@dataclass(frozen=True, slots=True)
class Network:
    """An exported network, opened.

    Attributes:
        size: (height, width) of all that it can be shown; None: any, in multiples of its stride.
        run: may be called by `callers` threads at the same time.
    """

    file: Path
    told: Description
    size: tuple[int, int] | None
    run: Run
    callers: int = 1

    def predictor(self, asking: Asking) -> Predictor:
        stride = self.told.stride
        side = rounded_up(asking.imgsz or max(self.told.imgsz), stride)
        size = self.size or (side, side)

        def find_one(picture: Pixels) -> list[Detection]:
            shown, placement = letterbox(picture, size, None if self.size else stride)
            found = self._found(self._output(shown), asking)
            corners = placed_back(found.corners, placement).tolist()
            rows = zip(corners, found.labels.tolist(), found.scores.tolist(), strict=True)
            return [Detection(Box(*four), self.told.names[label], score) for four, label, score in rows]

        def find(batch: Sequence[Pixels]) -> list[list[Detection]]:
            return [find_one(picture) for picture in batch]

        return Predictor(find, self.told.names, max(size), batch=1, callers=self.callers)

    def _output(self, shown: Pixels) -> npt.NDArray[np.floating]:
        try:
            return self.run(shown)
        except Exception as error:  # what each runtime raises
            raise WeightsError(self.file, f"cannot be asked: {complaint(error)}", "Export it again") from error

    def _found(self, outputs: npt.NDArray[np.floating], asking: Asking) -> Found:
        """The detections on what it was shown.

        Raises:
            WeightsError: its output is not that of a detector with these classes.
        """
        classes = len(self.told.names)
        output: Output = np.asarray(outputs[0] if outputs.ndim == 3 else outputs, dtype=np.float32)
        if output.ndim == 2 and (self.told.suppresses or output.shape[1] == 6):
            found = chosen(output, asking.conf, asking.most)
            fits = output.shape[1] == 6 and bool(((found.labels >= 0) & (found.labels < classes)).all())
        else:
            fits = output.ndim == 2 and output.shape[0] == 4 + classes
            found = suppressed(output, asking.conf, asking.iou, asking.most) if fits else Found.none()
        if not fits:
            reason = f"puts out {outputs.shape}, which does not fit its {classes} classes"
            raise WeightsError(self.file, reason, "Export it again")
        return found


def fixed_size(file: Path, shape: Sequence[object]) -> tuple[int, int] | None:
    """The size that a network's input is fixed to.

    Args:
        shape: of its input: batch, channels, height, width; what is no number may be any.

    Raises:
        WeightsError: it does not take one picture in colours.
    """
    batch, channels, height, width = shape if len(shape) == 4 else (0, 0, 0, 0)
    sizes = [side for side in (height, width) if isinstance(side, int)]
    if (isinstance(batch, int) and batch != 1) or (isinstance(channels, int) and channels != 3) or len(sizes) == 1:
        reason = f"takes {list(shape)!s:.80}, and not one picture in colours at a time"
        raise WeightsError(file, reason, "Export it with batch=1")
    return (sizes[0], sizes[1]) if sizes else None


def as_floats(shown: Pixels) -> npt.NDArray[np.float32]:
    """The picture as most networks take it: (1, 3, height, width), red first, from 0 to 1."""
    return np.asarray(cv2.dnn.blobFromImage(shown, 1 / 255, swapRB=True), dtype=np.float32)


def unreadable(file: Path, kind: str, error: Exception) -> WeightsError:
    """For what a runtime raises on files that are none of its own: anything."""
    return WeightsError(file, f"cannot be read as {kind}: {complaint(error)}", "Export it again")
