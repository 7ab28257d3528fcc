"""What lies behind each cell of a confusion matrix, and behind each suspect: boxes in a frame, for a crop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yolo_pipeline.diagnosis import Case, Diagnosis, Suspect
from yolo_pipeline.errors import one_line
from yolo_pipeline.nouns import Detection, Truth
from yolo_pipeline.reporting.pages.attempt.pictures import Frame, frame_around

MOST_CROPS, MOST_HITS, MOST_SUSPECTS = 48, 12, 40
"""Of a cell of mistakes, of a cell of the diagonal, of all suspects."""

Cell = tuple[int, int]
Sizes = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Behind:
    """Objects and detections that are shown together in one crop."""

    frame: Frame
    there: tuple[Truth, ...]
    said: tuple[Detection, ...]

    def as_json(self, crops: Mapping[Frame, int]) -> dict[str, Any]:
        """For attempt.js; `crop` is the place of its picture in the page's list, if it has one."""
        return {
            "image": one_line(self.frame.image),
            "crop": crops.get(self.frame),
            "there": [[one_line(truth.label), *self.frame.place(truth.box)] for truth in self.there],
            "said": [[one_line(d.label), *self.frame.place(d.box), round(d.score, 3)] for d in self.said],
        }


def cells_of(diagnosis: Diagnosis, sizes: Sizes) -> dict[Cell, list[Behind]]:
    """(row, column) -> the first cases: the surest mistakes, the least sure hits. As many as are shown."""
    places = {name: at for at, name in enumerate(diagnosis.matrix.names)}
    last = len(places)
    cases: dict[Cell, list[Case]] = defaultdict(list)
    for case in diagnosis.cases:
        row = places[case.truth.label] if case.truth else last
        column = places[case.detection.label] if case.detection else last
        cases[row, column].append(case)
    found: dict[Cell, list[Behind]] = {}
    for (row, column), mine in sorted(cases.items()):
        hits = row == column
        mine.sort(key=lambda case: (case.detection.score if case.detection else 0.0) * (1 if hits else -1))
        found[row, column] = [_behind_case(case, sizes) for case in mine[: MOST_HITS if hits else MOST_CROPS]]
    return found


def suspects_of(diagnosis: Diagnosis, sizes: Sizes) -> list[tuple[Suspect, Behind]]:
    return [(suspect, _behind_suspect(suspect, sizes)) for suspect in diagnosis.suspects[:MOST_SUSPECTS]]


def frames_of(cells: Sequence[Mapping[Cell, Sequence[Behind]]], suspects: Sequence[Behind]) -> Iterator[Frame]:
    """All frames, the most important first: suspects, then mistakes, cell by cell in turn, then hits."""
    yield from (behind.frame for behind in suspects)
    for hits in (False, True):
        for of_split in cells:
            mine = [behind for cell, behind in of_split.items() if (cell[0] == cell[1]) == hits]
            for rank in range(max(map(len, mine), default=0)):
                yield from (row[rank].frame for row in mine if rank < len(row))


def _behind_case(case: Case, sizes: Sizes) -> Behind:
    there, said = (case.truth,) if case.truth else (), (case.detection,) if case.detection else ()
    return _behind(case.image, there, said, sizes)


def _behind_suspect(suspect: Suspect, sizes: Sizes) -> Behind:
    return _behind(suspect.image, (suspect.truth,) if suspect.truth else (), suspect.proposed, sizes)


def _behind(image: str, there: tuple[Truth, ...], said: tuple[Detection, ...], sizes: Sizes) -> Behind:
    boxes = [*(truth.box for truth in there), *(detection.box for detection in said)]
    size = sizes.get(image) or (max(box.x1 for box in boxes), max(box.y1 for box in boxes))
    return Behind(frame_around(image, boxes, *size), there, said)
