"""The pictures of one split as training shows them: squares, each in as many draws as there are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from yolo_pipeline import decoding, images
from yolo_pipeline.building.writing import BuiltDataset
from yolo_pipeline.cores import all_cores
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.errors import AnnotationError, DataError
from yolo_pipeline.nouns import ImageRecord, Split
from yolo_pipeline.tracks.classify.augment import Augmentation, drawn
from yolo_pipeline.tracks.classify.pixels import stretched

_KEPT_BYTES = 2**30
"""Squares of a split that are larger together are read anew whenever they are shown."""


class Pictures:
    """Pictures, decoded when they are first shown.

    Attributes:
        labels: (N,) int64, numbers of their classes.
        augmentation: what is done to them; None: they are shown as they are.
        sha256: of their files.
    """

    def __init__(
        self,
        files: Sequence[Path],
        labels: Sequence[int],
        imgsz: int,
        augmentation: Augmentation | None,
        readers: Executor,
    ) -> None:
        """
        Raises:
            AnnotationError: a file that cannot be read.
        """
        self.imgsz, self.augmentation = imgsz, augmentation
        self.labels: npt.NDArray[np.int64] = np.asarray(labels, dtype=np.int64)
        self._files, self._readers = tuple(files), readers
        self.sha256: tuple[str, ...] = tuple(readers.map(_sha256, self._files))
        self._keeps = len(self._files) * imgsz * imgsz * 3 <= _KEPT_BYTES
        self._squares: dict[int, Pixels] = {}

    def __len__(self) -> int:
        return len(self._files)

    @property
    def draws(self) -> int:
        return self.augmentation.draws if self.augmentation else 1

    def batches(self, batches: Sequence[Sequence[int]], draw: int) -> Iterator[list[Pixels]]:
        """The pictures of each batch, by their numbers, in a draw; the next batch is made ready meanwhile.

        Raises:
            AnnotationError: a picture that cannot be decoded.
        """
        ahead: deque[list[Future[Pixels]]] = deque()
        for batch in batches:
            ahead.append([self._readers.submit(self._shown, number, draw) for number in batch])
            if len(ahead) > 1:
                yield [future.result() for future in ahead.popleft()]
        for futures in ahead:
            yield [future.result() for future in futures]

    def _shown(self, number: int, draw: int) -> Pixels:
        square = self._square(number)
        return square if self.augmentation is None else drawn(square, self.sha256[number], draw, self.augmentation)

    def _square(self, number: int) -> Pixels:
        if (known := self._squares.get(number)) is not None:
            return known
        file = self._files[number]
        try:
            square = stretched(decoding.decode(file), self.imgsz)
        except images.UnreadableImage as error:
            raise AnnotationError(file, str(error), "Build the data set again") from error
        if self._keeps:
            self._squares[number] = square
        return square


@contextmanager
def readers(workers: int) -> Iterator[Executor]:
    """Threads that read and change pictures: so many; 0: one for each core."""
    with all_cores() as pool:
        if not workers:
            yield pool
            return
        own = ThreadPoolExecutor(workers)
        try:
            yield own
        finally:
            own.shutdown(cancel_futures=True)


def pictures_of(
    dataset: BuiltDataset, split: Split, imgsz: int, augmentation: Augmentation | None, readers: Executor
) -> Pictures:
    """
    Raises:
        AnnotationError: a file that cannot be read.
        DataError: a picture that is not of one class.
    """
    numbers = {name: number for number, name in enumerate(dataset.dataset.names)}
    records = dataset.dataset.of(split)
    labels = [numbers[_label(record, dataset)] for record in records]
    return Pictures([dataset.picture(record.name) for record in records], labels, imgsz, augmentation, readers)


def _label(record: ImageRecord, dataset: BuiltDataset) -> str:
    if len(record.truths) != 1:
        reason = f"has {len(record.truths)} labelled objects; a picture to classify is of one class"
        raise DataError(dataset.picture(record.name), reason, "Name a data set of boxes under data.crops_of")
    return record.truths[0].label


def _sha256(file: Path) -> str:
    try:
        return images.sha256(file)
    except OSError as error:
        raise AnnotationError(file, error.strerror or str(error), "Build the data set again") from error
