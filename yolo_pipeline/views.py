"""Pictures that a model was shown, and several confidences as views of what it saw.

The model is asked once, at the lowest confidence; every higher one shows a part of the same detections.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from yolo_pipeline.nouns import Detection


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture to be shown to a model; nobody has looked into it yet.

    Attributes:
        name: unique among those of a command, the same on every disk: path below its source, with `/`.
        file: where its bytes are.
        source: what the user named: a folder, a file, an archive, or the address that it was fetched from.
    """

    name: str
    file: Path
    source: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture, and all that was found on it.

    Attributes:
        name, file: as of the candidate.
        width, height: upright size in pixels.
        detections: the best first, down to the lowest confidence asked for; of every class.
        note: what should be known of how it was read ("the first of 12 frames"); else empty.
    """

    name: str
    file: Path
    width: int
    height: int
    detections: tuple[Detection, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Views:
    """What is shown of detections.

    Attributes:
        thresholds: confidences from which on boxes are shown, ascending, without repetition, at least one.
        classes: the classes asked for; None: all.
        most: at most so many boxes of a picture, the best ones; None: all.
    """

    thresholds: tuple[float, ...]
    classes: frozenset[str] | None = None
    most: int | None = None

    @property
    def lowest(self) -> float:
        return self.thresholds[0]

    def at(self, seen: Seen, threshold: float) -> tuple[Detection, ...]:
        """The boxes shown at a threshold, the best first. Those of a higher one are a part of a lower one's."""
        shown = [one for one in seen.detections if self.classes is None or one.label in self.classes]
        return tuple(one for one in shown[: self.most] if one.score >= threshold)

    def all(self, seen: Seen) -> tuple[Detection, ...]:
        return self.at(seen, self.lowest)


def named(threshold: float) -> str:
    """A threshold as folders, columns and JSON name it: `0.3`."""
    return f"{threshold:g}"


@dataclass(slots=True)
class Tally:
    """Counts over pictures, filled one by one.

    Attributes:
        images: pictures seen.
        noted: of these, those with a note.
        boxes: threshold -> class -> boxes.
        images_with_boxes: threshold -> pictures with at least one.
    """

    views: Views
    images: int = 0
    noted: int = 0
    boxes: dict[float, Counter[str]] = field(init=False)
    images_with_boxes: Counter[float] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.boxes = {threshold: Counter() for threshold in self.views.thresholds}

    def add(self, seen: Seen) -> None:
        self.images += 1
        self.noted += bool(seen.note)
        for threshold in self.views.thresholds:
            shown = self.views.at(seen, threshold)
            self.boxes[threshold].update(one.label for one in shown)
            self.images_with_boxes[threshold] += bool(shown)

    def total(self, threshold: float) -> int:
        return self.boxes[threshold].total()

    def vanished(self, threshold: float) -> int:
        """Boxes of the lowest threshold that are not shown at this one."""
        return self.total(self.views.lowest) - self.total(threshold)


def tally(pictures: Iterable[Seen], views: Views) -> Tally:
    counted = Tally(views)
    for seen in pictures:
        counted.add(seen)
    return counted
