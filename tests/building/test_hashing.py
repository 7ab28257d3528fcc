"""Hashes of pictures, on all cores, each file once."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from yolo_pipeline.building.pictures import Hashes
from yolo_pipeline.cores import all_cores
from yolo_pipeline.nouns import Dataset, ImageRecord
from yolo_pipeline.progress import Silent

T = TypeVar("T")


class Counter(Silent):
    def __init__(self) -> None:
        self.seen: list[object] = []

    def items(self, items: Sequence[T], what: str) -> Iterable[T]:
        assert what == "hashing pictures"
        for item in items:
            self.seen.append(item)
            yield item


def files(folder: Path, count: int) -> list[Path]:
    named = [folder / f"사진 {number:02}" for number in range(count)]
    for number, file in enumerate(named):
        file.write_bytes(bytes([number]) * (100_000 - 4000 * number))
    return named


def records(files: Sequence[Path]) -> Dataset:
    return Dataset((), tuple(ImageRecord(file, f"{n}", 10, 10, ".jpg") for n, file in enumerate(files)))


def test_every_file_is_hashed_once_and_in_order(tmp_path: Path) -> None:
    there = files(tmp_path, 20)
    hashes, progress = Hashes(), Counter()
    hashes.of(records([*there[:10], *there[:5]]), progress)
    hashes.of(records(there), progress)
    assert progress.seen == there
    assert list(hashes.known.items()) == [(file, hashlib.sha256(file.read_bytes()).hexdigest()) for file in there]


def test_a_file_that_is_gone_ends_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Hashes().of(records([*files(tmp_path, 3), tmp_path / "gone"]), Silent())


def threads_used() -> int:
    def work(_: int) -> int:
        time.sleep(0.01)
        return threading.get_ident()

    with all_cores() as pool:
        return len(set(pool.map(work, range(32))))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind threads to cores")
def test_no_more_threads_than_cores_that_may_be_used() -> None:
    allowed = os.sched_getaffinity(0)
    if len(allowed) == 1:
        pytest.skip("one core is all there is")
    assert threads_used() == min(32, len(allowed))
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert threads_used() == 1
    finally:
        os.sched_setaffinity(0, allowed)
