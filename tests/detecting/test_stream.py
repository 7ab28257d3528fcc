"""Many pictures through one model: order, groups, interruptions, and what goes wrong on the way."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from seen_pictures import found, saved

from yolo_pipeline.asking import Predictor
from yolo_pipeline.decoding import Pixels
from yolo_pipeline.detecting import stream as module
from yolo_pipeline.detecting.stream import rounded, stream
from yolo_pipeline.nouns import Box, Detection, Skip
from yolo_pipeline.views import Candidate, Seen


def candidates(folder: Path, count: int) -> list[Candidate]:
    """Each one pixel wider than the one before."""
    files = [saved(folder / f"{number:02}.png", (20 + number, 10)) for number in range(count)]
    return [Candidate(file.name, file, "source") for file in files]


def predictor(asked: list[list[int]], batch: int = 3, callers: int = 2) -> Predictor:
    def find(pictures: Sequence[Pixels]) -> list[list[Detection]]:
        asked.append([picture.shape[1] for picture in pictures])
        return [[found("닭", 0.5, 0, 0, picture.shape[1], 5)] for picture in pictures]

    return Predictor(find, ("닭",), 64, batch, callers)


def nothing(seen: Seen, pixels: Pixels) -> None: ...


def test_each_picture_gets_its_own_detections_in_order(tmp_path: Path) -> None:
    listed = candidates(tmp_path, 10)
    listed[4].file.write_text("no picture")
    groups = [listed[at : at + 3] for at in range(0, 10, 3)]
    asked: list[list[int]] = []
    kept: set[str] = set()
    looks = [one for group in stream(groups, predictor(asked), lambda seen, _: kept.add(seen.name)) for one in group]
    assert [one.file if isinstance(one, Skip) else one.name for one in looks] == [one.name for one in listed]
    assert isinstance(looks[4], Skip)
    assert {one.detections[0].box.x1 - one.width for one in looks if isinstance(one, Seen)} == {0}
    assert kept == {one.name for one in listed} - {"04.png"}
    assert sorted(asked) == [[20, 21, 22], [23, 25], [26, 27, 28], [29]]


def test_a_group_with_too_many_pixels_is_taken_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_PIXELS", 450)  # two pictures of 20x10 or so
    asked: list[list[int]] = []
    looks = list(stream([candidates(tmp_path, 5)], predictor(asked, batch=5), nothing))
    assert [[one.width for one in group if isinstance(one, Seen)] for group in looks] == [[20, 21], [22, 23], [24]]


def test_whoever_stops_listening_stops_the_work(tmp_path: Path) -> None:
    """At most the groups that were begun are asked; no thread goes on."""
    asked: list[list[int]] = []
    before = threading.active_count()
    with closing(stream([[one] for one in candidates(tmp_path, 30)], predictor(asked, 1), nothing)) as looks:
        next(looks)
    assert len(asked) <= 7
    assert threading.active_count() == before


def test_an_error_of_the_model_and_of_the_disk_come_through(tmp_path: Path) -> None:
    def full(seen: Seen, pixels: Pixels) -> None:
        raise OSError(28, "No space left on device")

    def broken(pictures: Sequence[Pixels]) -> list[list[Detection]]:
        raise ValueError("broken")

    groups = [[one] for one in candidates(tmp_path, 4)]
    with pytest.raises(OSError, match="No space left"):
        list(stream(groups, predictor([]), full))
    with pytest.raises(ValueError, match="broken"):
        list(stream(groups, Predictor(broken, ("닭",), 64), nothing))


@pytest.mark.parametrize(
    ("score", "wanted"),
    [
        pytest.param(0.3, 0.3, id="as it is"),
        pytest.param(0.29996, 0.2999, id="below a threshold stays below"),
        pytest.param(0.30004, 0.3, id="cut off"),
        pytest.param(0.5731, 0.5731, id="four decimals stay"),
        pytest.param(0.30000001192092896, 0.3, id="32 bits"),
        pytest.param(1.0, 1.0, id="certain"),
    ],
)
def test_scores_have_four_decimals(score: float, wanted: float) -> None:
    assert rounded([found("닭", score, 1.006, 2.004)]) == (Detection(Box(1.01, 2.0, 50, 60), "닭", wanted),)
