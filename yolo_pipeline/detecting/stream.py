"""Many pictures through one model: decoding, asking and drawing overlap, in order, in bounded memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from yolo_pipeline import images
from yolo_pipeline.asking import Predictor
from yolo_pipeline.cores import all_cores
from yolo_pipeline.decoding import Picture, Pixels, decode_any
from yolo_pipeline.images import UnreadableImage
from yolo_pipeline.nouns import Box, Detection, Skip
from yolo_pipeline.views import Candidate, Seen

_AHEAD = 2  # groups that wait while every caller of the model is busy
_MOST_PIXELS = 200_000_000  # decoded at a time: 600 MB
_TEN_THOUSANDTHS = 10_000

Keep = Callable[[Seen, Pixels], None]

_Group = Future[list[Future[Seen | Skip]]]


def stream(
    groups: Iterable[Sequence[Candidate]], predictor: Predictor, keep: Keep
) -> Generator[list[Seen | Skip], None, None]:
    """What the model sees on each candidate, in their order, those of a group together.

    The pictures of a group are asked together, and no others with them: whoever gives the same groups gets the same
    detections, to the last digit. One that is too large to be decoded at once is handed on in parts.

    Args:
        keep: called with each picture and its pixels, by several threads at a time, before it is handed on.
    """
    with all_cores() as pool, ThreadPoolExecutor(predictor.callers) as asking:
        flow = _Flow(predictor, keep, pool, asking)
        under_way: deque[tuple[int, _Group]] = deque()
        try:
            for pixels, group in _parts(groups):
                while under_way and (
                    len(under_way) >= predictor.callers + _AHEAD
                    or pixels + sum(before for before, _ in under_way) > _MOST_PIXELS
                ):
                    yield _settled(under_way.popleft()[1])
                under_way.append((pixels, flow.start(group)))
            while under_way:
                yield _settled(under_way.popleft()[1])
        finally:
            asking.shutdown(cancel_futures=True)  # an interruption waits for no group that has not begun


def _parts(groups: Iterable[Sequence[Candidate]]) -> Iterator[tuple[int, list[Candidate]]]:
    """The groups, each with its pixels; one with too many is taken apart."""
    for group in groups:
        part: list[Candidate] = []
        total = 0
        for candidate in group:
            pixels = _pixels(candidate)
            if part and total + pixels > _MOST_PIXELS:
                yield total, part
                part, total = [], 0
            part.append(candidate)
            total += pixels
        if part:
            yield total, part


def rounded(detections: Iterable[Detection]) -> tuple[Detection, ...]:
    """Scores to 4 decimals and corners to 2, as tables say them: whoever reads the tables sees the same boxes.

    Scores are cut off, so that a box is shown at a threshold just if it would be found by a model asked at it.
    """

    def score(one: Detection) -> float:
        return math.floor(round(one.score * _TEN_THOUSANDTHS, 6)) / _TEN_THOUSANDTHS  # 0.7 is no 0.6999

    def box(one: Detection) -> Box:
        return Box(*(round(value, 2) for value in (one.box.x0, one.box.y0, one.box.x1, one.box.y1)))

    return tuple(sorted((Detection(box(one), one.label, score(one)) for one in detections), key=lambda one: -one.score))


@dataclass(frozen=True, slots=True)
class _Flow:
    predictor: Predictor
    keep: Keep
    pool: ThreadPoolExecutor
    asking: ThreadPoolExecutor

    def start(self, group: Sequence[Candidate]) -> _Group:
        return self.asking.submit(self._ask, group, [self.pool.submit(_decoded, one) for one in group])

    def _ask(self, group: Sequence[Candidate], decoded: Sequence[Future[Picture | Skip]]) -> list[Future[Seen | Skip]]:
        pictures = [one.result() for one in decoded]
        found = iter(self.predictor([one.pixels for one in pictures if isinstance(one, Picture)]))
        return [
            self.pool.submit(self._seen, candidate, picture, () if isinstance(picture, Skip) else next(found))
            for candidate, picture in zip(group, pictures, strict=True)
        ]

    def _seen(self, candidate: Candidate, picture: Picture | Skip, found: Iterable[Detection]) -> Seen | Skip:
        if isinstance(picture, Skip):
            return picture
        height, width = picture.pixels.shape[:2]
        seen = Seen(candidate.name, candidate.file, width, height, rounded(found), picture.note)
        self.keep(seen, picture.pixels)
        return seen


def _pixels(candidate: Candidate) -> int:
    try:
        header = images.read_header(candidate.file, images.VIEWABLE)
    except UnreadableImage:
        return 0  # which decoding will say
    return header.width * header.height


def _decoded(candidate: Candidate) -> Picture | Skip:
    try:
        return decode_any(candidate.file)
    except UnreadableImage as error:
        return Skip(candidate.name, str(error))


def _settled(group: _Group) -> list[Seen | Skip]:
    return [one.result() for one in group.result()]
