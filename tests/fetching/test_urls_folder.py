"""A folder of fetched pictures: what is kept of the same one, what a second call asks for, how hosts are spared."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from picture_server import (
    BLUE,
    GREEN,
    QUICK,
    RED,
    PictureServer,
    Said,
    fetch,
    gives,
    names,
    redirects,
    rows,
    serve,
    slowly,
    status,
)

from yolo_pipeline.errors import DataError
from yolo_pipeline.fetching.downloads import Limits
from yolo_pipeline.fetching.pictures import fetch_pictures
from yolo_pipeline.progress import Silent, silent


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with serve() as running:
        yield running


@pytest.fixture
def names_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every host below `.test` is this machine."""
    known = socket.getaddrinfo

    def resolve(host: str, *arguments: object, **options: object) -> object:
        return known("127.0.0.1" if host.endswith(".test") else host, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("delayed", ["/a", "/b", "/c"])
def test_of_the_same_picture_the_first_in_the_list_is_kept(server: PictureServer, tmp_path: Path, delayed: str) -> None:
    server.pages = {"/a": gives(RED), "/b": gives(RED), "/c": gives(RED), "/d": gives(BLUE)}
    server.pages[delayed] = slowly(gives(RED), 0.2)
    urls = [server.url(path) for path in ("/b", "/a", "/d", "/c", "/b", "/b#top")]
    fetched = fetch(urls, tmp_path)
    kept, other = fetched[0].file, fetched[2].file
    assert kept is not None
    assert other is not None
    assert kept.name.startswith("b-")
    same = f"the same picture as {server.url('/b')}"
    assert [one.file for one in fetched] == [kept, kept, other, kept, kept, kept]
    assert [one.reason for one in fetched] == ["", same, "", same, same, same]
    assert names(tmp_path) == [kept.name, other.name]
    assert sorted(server.asked) == ["/a", "/b", "/c", "/d"]


def test_the_same_answers_leave_the_same_bytes(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {f"/{number}.jpg": gives([RED, BLUE, GREEN][number % 3]) for number in range(9)}
    server.pages |= {"/no": status("404 Not Found"), "/html": gives(b"<html>" * 9)}
    urls = [server.url(path) for path in server.pages]
    first = fetch(urls, tmp_path / "first")
    for number in (0, 4, 7):
        server.pages[f"/{number}.jpg"] = slowly(server.pages[f"/{number}.jpg"], 0.1)
    second = fetch(urls, tmp_path / "second")
    assert (tmp_path / "first/downloads.csv").read_bytes() == (tmp_path / "second/downloads.csv").read_bytes()
    assert names(tmp_path / "first") == names(tmp_path / "second")
    assert [one.sha256 for one in first] == [one.sha256 for one in second]
    assert len(names(tmp_path / "first")) == 3


@pytest.mark.usefixtures("names_of_this_machine")
def test_at_most_two_at_once_of_a_host_and_eight_of_all(server: PictureServer, tmp_path: Path) -> None:
    paths = [f"/{number}" for number in range(4)]
    server.pages = dict.fromkeys(paths, slowly(gives(RED), 0.4))
    hosts = [f"host-{number}.test" for number in range(6)]
    fetch([server.url(path, host) for host in hosts for path in paths], tmp_path, Limits())
    assert {server.most[host] for host in hosts} == {2}
    assert server.most[""] == 8


@pytest.mark.usefixtures("names_of_this_machine")
def test_a_host_that_many_redirect_to_is_spared_too(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/a": redirects(server.url("/b", "all.test")), "/b": slowly(gives(RED), 0.15)}
    fetched = fetch([server.url("/a", f"host-{number}.test") for number in range(6)], tmp_path, Limits())
    assert {one.sha256 for one in fetched} == {fetched[0].sha256}
    assert fetched[0].sha256
    assert server.most["all.test"] == 2


def test_a_second_call_asks_only_for_what_may_come_right(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {
        "/a": gives(RED), "/same": gives(RED), "/no": status("404 Not Found"), "/html": gives(b"<html>" * 9),
        "/down": status("503 Down"), "/slow": slowly(gives(GREEN), 4.0), "/gone": gives(BLUE),
    }  # fmt: skip
    urls = [server.url(path) for path in server.pages]
    before = fetch(urls, tmp_path, replace(QUICK, total_s=1.0))
    assert [one.status for one in before] == [200, 200, 404, 200, 503, None, 200]
    assert before[-1].file is not None
    before[-1].file.unlink()
    server.asked.clear()
    server.pages |= {"/down": gives(GREEN), "/slow": gives(GREEN)}
    after = fetch([*urls, server.url("/new")], tmp_path)
    assert sorted(server.asked) == ["/down", "/gone", "/new", "/slow"]
    assert [one.status for one in after] == [200, 200, 404, 200, 200, 200, 200, 404]
    assert after[:4] == before[:4]
    assert after[6] == before[6]
    assert after[5].reason == f"the same picture as {urls[4]}"
    assert len(names(tmp_path)) == 3
    server.asked.clear()
    assert fetch([*urls, server.url("/new")], tmp_path) == after
    assert server.asked == []


def test_a_picture_that_was_changed_is_fetched_again(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/a": gives(RED)}
    (before,) = fetch([server.url("/a")], tmp_path)
    assert before.file is not None
    before.file.write_bytes(RED[:100])
    assert fetch([server.url("/a")], tmp_path) == [before]
    assert before.file.read_bytes() == RED


def test_another_order_keeps_the_name_of_its_own_first(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/a": gives(RED), "/b": gives(RED)}
    urls = [server.url("/a"), server.url("/b")]
    once, twice = tmp_path / "once", tmp_path / "twice"
    fetch(urls, twice)
    fetched = fetch(urls[::-1], twice)
    assert len(server.asked) == 2
    assert fetched[0].file is not None
    assert fetched[0].file.name.startswith("b-")
    assert names(twice) == [fetched[0].file.name]
    fetch(urls, once)
    fetch(urls, twice)
    assert names(twice) == names(once)
    assert (twice / "downloads.csv").read_bytes() == (once / "downloads.csv").read_bytes()


class Interrupting(Silent):
    """Presses Ctrl-C when so many pictures are done."""

    def __init__(self, after: int) -> None:
        self.after = after

    def at(self, what: str, done: float, total: float, detail: str = "") -> None:
        if done == self.after:
            signal.raise_signal(signal.SIGINT)


def test_an_interrupted_call_is_gone_on_with(server: PictureServer, tmp_path: Path) -> None:
    pictures = {f"/{number}": gives([RED, BLUE, GREEN][number % 3]) for number in range(8)}
    server.pages = pictures | {"/7": slowly(gives(RED), 0.3)}
    urls = [server.url(path) for path in pictures]
    with pytest.raises(KeyboardInterrupt):
        fetch(urls, tmp_path / "twice", progress=Interrupting(3))
    assert not (tmp_path / "twice/downloads.csv").exists()
    assert not [name for name in names(tmp_path / "twice") if name.startswith(".")]
    done = len((tmp_path / "twice/.downloads.jsonl").read_bytes().splitlines())
    assert done >= 3
    server.asked.clear()
    fetch(urls, tmp_path / "twice")
    assert len(set(server.asked)) == len(urls) - done  # one under way at Ctrl-C may reach the server late, and so twice
    fetch(urls, tmp_path / "once")
    assert (tmp_path / "once/downloads.csv").read_bytes() == (tmp_path / "twice/downloads.csv").read_bytes()
    assert names(tmp_path / "once") == names(tmp_path / "twice")


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals as POSIX has them")
def test_ctrl_c_ends_a_slow_download_at_once(server: PictureServer, tmp_path: Path) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def press(visit: object) -> None:
        signal.pthread_kill(main, signal.SIGINT)
        slowly(gives(RED), 1.0)(visit)  # type: ignore[arg-type]

    server.pages = {"/a": press}
    with pytest.raises(KeyboardInterrupt):
        fetch([server.url("/a")], tmp_path, Limits())
    assert names(tmp_path) == []
    assert rows_of_record(tmp_path) == []


def rows_of_record(folder: Path) -> list[object]:
    return [json.loads(line) for line in (folder / ".downloads.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b'{"address": "http://127', id="cut off"),
        pytest.param(b"\xff\xfe\n", id="no text"),
        pytest.param(b"[" * 100_000 + b"\n", id="nested"),
        pytest.param(b"[]\n12\nnull\n{}\n", id="other JSON"),
        pytest.param(b'{"address": "http://h/../../x", "status": 200, "sha256": "../../etc", "format": "JPEG", "reason": "", "final": true}\n', id="a path for a hash"),
        pytest.param(b'{"address": "http://h/a", "status": 200, "sha256": "' + b"a" * 64 + b'", "format": "EXE", "reason": "", "final": true}\n', id="an unknown format"),
        pytest.param(b'{"address": "http://[h/a", "status": 1e400, "sha256": "", "format": "", "reason": "", "final": 1}\n', id="wrong types"),
        pytest.param(b'{"address": "", "status": null, "sha256": "", "format": "", "reason": "", "final": true}\n', id="no address"),
    ],
)  # fmt: skip
def test_damaged_lines_of_the_record_are_passed_over(server: PictureServer, tmp_path: Path, damage: bytes) -> None:
    server.pages = {"/a": gives(RED), "/b": gives(BLUE)}
    (first,) = fetch([server.url("/a")], tmp_path)
    with (tmp_path / ".downloads.jsonl").open("ab") as record:
        record.write(damage)
    both = fetch([server.url("/a"), server.url("/b"), ""], tmp_path)
    assert both[0] == first
    assert [one.reason for one in both] == ["", "", "begins neither with http:// nor with https://"]
    assert sorted(server.asked) == ["/a", "/b"]
    assert fetch([server.url("/a"), server.url("/b"), ""], tmp_path) == both
    assert len(server.asked) == 2


def test_what_a_killed_command_left_is_removed(server: PictureServer, tmp_path: Path) -> None:
    (tmp_path / ".0123456789ab.part").write_bytes(RED[:50])
    (tmp_path / "mine.part").write_bytes(b"mine")
    fetch([], tmp_path)
    assert names(tmp_path) == ["mine.part"]
    assert (tmp_path / "downloads.csv").read_text(encoding="utf-8") == "url,source,status,sha256,file,reason\n"


def test_a_bad_address_is_a_row_like_any_other(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/a": gives(RED)}
    urls = ["file:///etc/passwd", server.url("/a"), 'no, "address"', "http://me:secret@127.0.0.1/"]
    fetched = fetch(urls, tmp_path)
    assert [row["url"] for row in rows(tmp_path)] == urls
    assert [one.status for one in fetched] == [None, 200, None, None]
    assert fetched[1].file is not None
    assert rows(tmp_path)[1] == {
        "url": urls[1], "source": "", "status": "200", "sha256": fetched[1].sha256, "file": fetched[1].file.name, "reason": "",
    }  # fmt: skip


def test_it_says_before_it_asks_the_network(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/a": gives(RED), "/b": gives(BLUE)}
    said = Said()
    fetch([server.url("/a"), server.url("/b", "localhost"), server.url("/a")], tmp_path, progress=said)
    fetch([server.url("/a")], tmp_path, progress=said)
    assert said.lines == ["downloading: 2 addresses, 2 hosts"]


def test_it_works_where_a_loop_runs_already(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/a": gives(RED)}

    async def notebook() -> object:
        return fetch([server.url("/a")], tmp_path)

    asyncio.run(notebook())
    assert len(names(tmp_path)) == 1


def test_a_file_where_the_folder_must_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="is a file, where a folder must be"):
        fetch_pictures([], tmp_path / "file", silent)
    with pytest.raises(DataError, match="folder must be"):
        fetch_pictures([], tmp_path / "file" / "below", silent)


def test_a_full_disk_is_an_error_and_no_answer(server: PictureServer, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    server.pages = {"/a": gives(RED), "/b": slowly(gives(BLUE), 0.1)}
    (tmp_path / ".downloads.jsonl").symlink_to(full)
    with pytest.raises(DataError, match="the disk is full"):
        fetch([server.url("/a"), server.url("/b")], tmp_path, QUICK)
