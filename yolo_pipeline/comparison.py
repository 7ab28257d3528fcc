"""The nouns of a difference between two data sets. All frozen; boxes in pixels of the upright photo."""

from __future__ import annotations

from dataclasses import dataclass

from yolo_pipeline.classification import whole
from yolo_pipeline.nouns import Split, Truth


@dataclass(frozen=True, slots=True)
class SavedImage:
    """A photo as a run noted it.

    Attributes:
        name: its name in its source.
        file: where its bytes were, from the project's folder; they may be gone.
        sha256: of its bytes: by it the same photo is known in another data set.
    """

    name: str
    file: str
    split: Split
    sha256: str
    width: int
    height: int
    truths: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class BoxChange:
    """What became of one object: `before` None: it was added; `after` None: it was removed. `iou` of the two boxes."""

    image: SavedImage
    before: Truth | None
    after: Truth | None
    iou: float = 0.0

    @property
    def is_of_picture(self) -> bool:
        """Whether it is of a classified picture, whose box is all of it."""
        truths = [truth for truth in (self.before, self.after) if truth is not None]
        return all(truth == whole(truth.label, self.image.width, self.image.height) for truth in truths)


@dataclass(frozen=True, slots=True)
class DataDifference:
    """What became of a data set from one attempt to another.

    Attributes:
        added, removed: photos that only the later, only the earlier one has.
        moved: photos in another split, as they are in the later one, with the split before.
        redrawn: boxes of the same class in another place or size, the most different first.
        relabelled: boxes of another class, but for renamed classes.
        boxes_added, boxes_removed: objects on photos that both have.
        classes_added, classes_removed: names.
        classes_renamed: (before, after), where the boxes of a class became those of a class that was not there.
        backgrounds: photos without objects, before and after.
    """

    added: tuple[SavedImage, ...] = ()
    removed: tuple[SavedImage, ...] = ()
    moved: tuple[tuple[SavedImage, Split], ...] = ()
    redrawn: tuple[BoxChange, ...] = ()
    relabelled: tuple[BoxChange, ...] = ()
    boxes_added: tuple[BoxChange, ...] = ()
    boxes_removed: tuple[BoxChange, ...] = ()
    classes_added: tuple[str, ...] = ()
    classes_removed: tuple[str, ...] = ()
    classes_renamed: tuple[tuple[str, str], ...] = ()
    backgrounds: tuple[int, int] = (0, 0)

    @property
    def is_empty(self) -> bool:
        return not any(
            (
                self.added,
                self.removed,
                self.moved,
                self.redrawn,
                self.relabelled,
                self.boxes_added,
                self.boxes_removed,
                self.classes_added,
                self.classes_removed,
                self.classes_renamed,
            )
        )
