"""The journal: what goes on after an interruption, and what is taken for seen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from seen_pictures import found, saved

from yolo_pipeline.detecting.journal import Journal
from yolo_pipeline.errors import InputError
from yolo_pipeline.views import Candidate, Seen

SETTINGS = {"names": ["닭", "onion"], "conf": [0.3]}


def candidate(folder: Path, name: str) -> Candidate:
    return Candidate(name, saved(folder / name), "source")


def looked(one: Candidate, *scores: float, note: str = "") -> Seen:
    return Seen(one.name, one.file, 100, 80, tuple(found("onion", score) for score in scores), note)


@pytest.fixture
def three(tmp_path: Path) -> list[Candidate]:
    return [candidate(tmp_path / "in", name) for name in ("a.png", "닭 😀.png", "c.png")]


def written(file: Path, candidates: Sequence[Candidate]) -> list[Seen]:
    seen = [looked(one, 0.9, 0.4, note="the first of 2 frames") for one in candidates]
    with Journal(file, SETTINGS) as journal:
        journal.unseen(candidates)
        journal.add(seen)
    return seen


def test_what_was_seen_comes_back_equal_in_the_order_asked_for(tmp_path: Path, three: list[Candidate]) -> None:
    seen = written(tmp_path / "j", three)
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.unseen(three) == set()
        assert list(journal.read(three[::-1])) == seen[::-1]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b'{"name": "photo', id="cut off"),
        pytest.param(b"\0" * 300 + b"\n", id="zeros after a power cut"),
        pytest.param(b'{"name":"a.png","state":"1","size":[1,1],"found":[[7,0.5,0,0,1,1]]}\n', id="no such class"),
        pytest.param(b'{"name":"a.png","state":"1","size":[1,1],"found":[[0,0.5,0]]}\n', id="half a box"),
        pytest.param(b'{"name":"a.png","state":"1","size":5,"found":[]}\n', id="no size"),
        pytest.param(b"[" * 100_000 + b"\n", id="deep"),
    ],
)
def test_what_is_added_behind_a_damaged_line_is_read(tmp_path: Path, three: list[Candidate], damage: bytes) -> None:
    first = written(tmp_path / "j", three[:1])
    with (tmp_path / "j").open("ab") as lines:
        lines.write(damage)
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.unseen(three) == {"닭 😀.png", "c.png"}
        journal.add([looked(three[1], 0.8)])
        assert list(journal.read(three)) == [*first, looked(three[1], 0.8)]
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert list(journal.read(three)) == [*first, looked(three[1], 0.8)]


def test_a_changed_a_replaced_and_a_missing_file_are_unseen(tmp_path: Path, three: list[Candidate]) -> None:
    """The one replaced has the same name, size and time, as files of two archives may have."""
    written(tmp_path / "j", three)
    three[0].file.write_bytes(b"changed")
    before = three[1].file.stat()
    other = Candidate(three[1].name, saved(tmp_path / "elsewhere" / three[1].name), "source")
    os.utime(other.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert other.file.stat().st_size == before.st_size
    three[2].file.unlink()
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.unseen([three[0], other, three[2]]) == {"a.png", "닭 😀.png", "c.png"}


def test_a_file_that_changes_or_goes_while_it_is_looked_at(tmp_path: Path, three: list[Candidate]) -> None:
    with Journal(tmp_path / "j", SETTINGS) as journal:
        journal.unseen(three)
        three[0].file.write_bytes(b"changed since it was decoded")
        three[1].file.unlink()
        journal.add([looked(three[0], 0.9), looked(three[1], 0.9)])
    three[1].file.write_bytes(b"back, as another one")
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.unseen(three) == {"a.png", "닭 😀.png", "c.png"}


def test_what_is_forgotten_stays_so(tmp_path: Path, three: list[Candidate]) -> None:
    seen = written(tmp_path / "j", three)
    with Journal(tmp_path / "j", SETTINGS) as journal:
        unseen = journal.unseen(three[1:])
        assert [(one.name, one.detections) for one in journal.forget(unseen)] == [("a.png", seen[0].detections)]
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.unseen(three) == {"a.png"}
        assert list(journal.read(three)) == seen[1:]


def test_two_commands_at_once(tmp_path: Path, three: list[Candidate]) -> None:
    with Journal(tmp_path / "j", SETTINGS) as first:
        first.unseen(three)
        with (
            pytest.raises(InputError, match="is being filled by another command"),
            Journal(tmp_path / "j", SETTINGS),
        ):
            pass
        first.add([looked(three[0], 0.9)])
    with Journal(tmp_path / "j", SETTINGS) as second:
        assert list(second.read(three)) == [looked(three[0], 0.9)]
