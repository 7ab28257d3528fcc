"""What a network puts out -> detections, as Ultralytics 8.4's `predict` makes them (utils/nms.py)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_pipeline.runtimes.letterbox import Corners

Output = npt.NDArray[np.float32]

_APART = np.float32(7680)  # pixels between the boxes of two classes, so that they never overlap
_MOST_CANDIDATES = 30_000
_AT_FIRST = 4  # candidates for each detection that is wanted


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Detections on what the network was shown, the best first: corners (N, 4), scores (N,) and class numbers (N,)."""

    corners: Corners
    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.intp]

    @staticmethod
    def none() -> Found:
        return Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.intp))

    def at(self, places: npt.NDArray[np.intp] | slice) -> Found:
        return Found(self.corners[places], self.scores[places], self.labels[places])


def suppressed(output: Output, conf: float, iou: float, most: int) -> Found:
    """Of boxes of one class that overlap by more than `iou`, the surest.

    Args:
        output: (4 + classes, N): centre x, centre y, width, height, and a score for each class.
        conf: boxes whose best class scores more.
        most: at most so many.
    """
    sure = output[:, output[4:].max(axis=0) > conf]
    scores = sure[4:]
    centres, halves = sure[:2].T, sure[2:4].T / 2
    corners = np.concatenate([centres - halves, centres + halves], axis=1)
    found = _best_first(corners, scores.max(axis=0), scores.argmax(axis=0), _MOST_CANDIDATES)
    return found.at(_survivors(found, iou, most))


def chosen(output: Output, conf: float, most: int) -> Found:
    """The detections of a network that suppresses by itself.

    Args:
        output: (N, 6): x0, y0, x1, y1, score, class number.
    """
    sure = output[output[:, 4] > conf]
    return _best_first(sure[:, :4], sure[:, 4], sure[:, 5].astype(np.intp), most)


def _best_first(corners: Corners, scores: npt.NDArray[np.float32], labels: npt.NDArray[np.intp], most: int) -> Found:
    """Boxes and scores that are no numbers are left out: a damaged network may say such."""
    order = np.argsort(-scores, kind="stable")
    order = order[np.isfinite(corners[order]).all(axis=1) & np.isfinite(scores[order])]
    return Found(corners, scores, labels).at(order[:most])


def _survivors(found: Found, iou: float, most: int) -> npt.NDArray[np.intp]:
    """Asked of the best candidates first, of more where too few survive: the rest changes nothing for these.

    Boxes are moved apart by class in float32, as Ultralytics does it, and judged in float64.
    """
    apart = (found.corners + found.labels[:, None].astype(np.float32) * _APART).astype(np.float64)
    boxes = np.concatenate([apart[:, :2], apart[:, 2:] - apart[:, :2]], axis=1)
    count = _AT_FIRST * most
    while True:
        best, scores = boxes[:count], found.scores[:count]
        kept = np.asarray(cv2.dnn.NMSBoxes(best, scores, 0.0, iou), dtype=np.intp)  # type: ignore[arg-type]
        if len(kept) >= most or count >= len(boxes):
            return kept[:most]
        count *= _AT_FIRST
