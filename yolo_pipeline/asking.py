"""How a model is asked, and one that can be: the seam between those who show pictures and what runs the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from yolo_pipeline.decoding import Pixels
from yolo_pipeline.nouns import Detection


@dataclass(frozen=True, slots=True)
class Asking:
    """How a model is asked.

    Attributes:
        imgsz: longer side in pixels of what the network is shown; None: as it was trained.
        conf: detections of at least this confidence.
        iou: of two boxes of one class that overlap by more, the surer one counts.
        most: at most so many detections on a picture, the best ones.
        device: cpu, mps, or the number of a GPU; None: CUDA where there is one.
    """

    imgsz: int | None = None
    conf: float = 0.001
    iou: float = 0.7
    most: int = 300
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model, opened; called with a batch of pictures, it gives the detections on each, the best first.

    Attributes:
        find: upright pictures in OpenCV's order, blue first, each (height, width, 3) uint8 -> the detections on each,
            in its pixels.
        names: its classes, in order.
        imgsz: longer side in pixels of what the network is shown.
        batch: pictures that are best asked together.
        callers: threads that may call at the same time.
        own_iou: of a network that suppresses by itself, the only IoU that it can be asked with; None: any can be had.
    """

    find: Callable[[Sequence[Pixels]], list[list[Detection]]]
    names: tuple[str, ...]
    imgsz: int
    batch: int = 1
    callers: int = 1
    own_iou: float | None = None

    def __call__(self, batch: Sequence[Pixels]) -> list[list[Detection]]:
        return self.find(batch)
