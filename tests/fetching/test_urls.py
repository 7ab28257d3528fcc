"""Pictures fetched from lists of addresses, from a server on loopback that does what servers do."""

from __future__ import annotations

import gzip
import hashlib
import socket
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from picture_server import (
    BLUE,
    GREEN,
    IMPATIENT,
    QUICK,
    RED,
    Page,
    PictureServer,
    Said,
    endless,
    endless_head,
    fetch,
    gives,
    names,
    one_after_another,
    picture,
    raw,
    redirects,
    rows,
    serve,
    slowly,
    status,
)

from yolo_pipeline.fetching.downloads import Limits
from yolo_pipeline.fetching.pictures import Fetched
from yolo_pipeline.files import fits_windows
from yolo_pipeline.images import MAX_PIXELS

NO_PICTURE = "not a picture of a known kind (JPEG, PNG, BMP, WEBP, TIFF, GIF, AVIF)"


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with serve() as running:
        yield running


def fetch_one(server: PictureServer, page: Page, folder: Path, limits: Limits = QUICK) -> Fetched:
    server.pages["/one.jpg"] = page
    (fetched,) = fetch([server.url("/one.jpg")], folder, limits)
    return fetched


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("BMP", ".bmp"), ("WEBP", ".webp"), ("TIFF", ".tif"), ("GIF", ".gif"), ("AVIF", ".avif")],
)  # fmt: skip
def test_a_picture_has_the_suffix_of_what_it_is(server: PictureServer, tmp_path: Path, kind: str, suffix: str) -> None:
    content = picture(kind=kind)
    fetched = fetch_one(server, gives(content, "text/html"), tmp_path)
    assert fetched == Fetched(server.url("/one.jpg"), 200, hashlib.sha256(content).hexdigest(), fetched.file, "")
    assert fetched.file is not None
    assert fetched.file.read_bytes() == content
    assert fetched.file.name.startswith("one-")
    assert names(tmp_path) == [fetched.file.name]
    assert fetched.file.suffix == suffix


REFUSED: list[Any] = [
    pytest.param(status("404 Not Found"), 404, "answers 404 (Not Found)", id="404"),
    pytest.param(status("403 Away with you"), 403, "answers 403 (Forbidden)", id="the server's own words are not told"),
    pytest.param(status("799 What"), 799, "answers 799", id="a status that nobody knows"),
    pytest.param(status("204 No Content"), 204, "answers 204 (No Content)", id="204"),
    pytest.param(status("503 Down"), 503, "answers 503 (Service Unavailable)", id="503 for ever"),
    pytest.param(gives(b"<!doctype html><title>no picture</title>"), 200, NO_PICTURE, id="HTML as image/jpeg"),
    pytest.param(gives(b"GIF?"), 200, NO_PICTURE, id="a few bytes"),
    pytest.param(gives(b""), 200, "the file is empty", id="nothing"),
    pytest.param(gives(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"), 200, NO_PICTURE, id="SVG"),
    pytest.param(endless(RED), 200, "over the limit of 262144 bytes", id="endless"),
    pytest.param(endless(b"\0\0\1\xba" * 8), 200, NO_PICTURE, id="an endless film ends at its first bytes"),
    pytest.param(gives(RED, Content_Length=10**15), 200, "over the limit of 262144 bytes", id="too long by its own word"),
    pytest.param(gives(RED, Content_Length=len(RED) + 9), 200, "the answer breaks off or is no HTTP", id="too short"),
    pytest.param(endless_head(lines=1000, every_s=0.0), None, "the answer breaks off or is no HTTP", id="an endless head"),
    pytest.param(raw(b"SSH-2.0-OpenSSH_9.7\r\n"), None, "the answer breaks off or is no HTTP", id="no HTTP"),
    pytest.param(lambda visit: visit.reset(), None, "the answer breaks off or is no HTTP", id="reset"),
    pytest.param(gives(gzip.compress(bytes(2**24)), Content_Encoding="gzip"), 200, "over the limit of 262144 bytes", id="a gzip bomb of zeros"),
    pytest.param(gives(gzip.compress(RED + bytes(2**24)), Content_Encoding="gzip"), 200, "over the limit of 262144 bytes", id="a gzip bomb that begins as a picture"),
    pytest.param(gives(gzip.compress(RED)[:-9], Content_Encoding="gzip"), 200, "the answer breaks off or is no HTTP", id="gzip cut off"),
    pytest.param(gives(RED, Content_Encoding="gzip"), 200, "is said to be packed as gzip, and is not", id="no gzip"),
    pytest.param(gives(RED, Content_Encoding="gzip, gzip"), 200, "is packed as gzip, gzip, which was not asked for", id="gzip in gzip"),
    pytest.param(gives(RED, Content_Encoding="br"), 200, "is packed as br, which was not asked for", id="brotli"),
    pytest.param(redirects("/one.jpg"), 302, "redirects in a circle", id="to itself"),
    pytest.param(redirects("#there"), 302, "redirects in a circle", id="to itself, a place in it"),
    pytest.param(status("302 Found"), 302, "answers 302 (Found) without saying where to", id="to nowhere"),
    pytest.param(redirects("file:///etc/passwd"), 302, "redirects to file:///etc/passwd, which begins neither with http:// nor with https://", id="to a file"),
    pytest.param(redirects("ftp://127.0.0.1/a.jpg"), 302, "redirects to ftp://127.0.0.1/a.jpg, which begins neither with http:// nor with https://", id="to FTP"),
    pytest.param(redirects("data:image/gif;base64,R0lGODdh"), 302, "redirects to data:image/gif;base64,R0lGODdh, which begins neither with http:// nor with https://", id="to data"),
    pytest.param(redirects("http://me:secret@127.0.0.1/"), 302, "redirects to http://me:secret@127.0.0.1/, which holds a user name or a password", id="with a password"),
    pytest.param(redirects("http://127.0.0.1:70000/"), 302, "redirects to http://127.0.0.1:70000/, which names port 70000, which there cannot be", id="to no port"),
    pytest.param(status("429 Slow down", Retry_After="3600"), 429, "answers 429 (Too Many Requests), and asks to be left alone for more than 1 seconds", id="an hour's rest"),
    pytest.param(status("503 Down", Retry_After="Fri, 31 Dec 2100 23:59:59 GMT"), 503, "answers 503 (Service Unavailable), and asks to be left alone for more than 1 seconds", id="a rest until 2100"),
]  # fmt: skip


TOO_SLOW: list[Any] = [
    pytest.param(endless(RED, b"x", every_s=0.05), 200, id="a body in drops"),
    pytest.param(endless_head(), None, id="a head in drops"),
    pytest.param(slowly(gives(RED), 2.0), None, id="no answer in time"),
]


@pytest.mark.parametrize(("page", "code", "reason"), REFUSED)
def test_what_is_no_picture_is_told_and_leaves_nothing(
    server: PictureServer, tmp_path: Path, page: Page, code: int | None, reason: str
) -> None:
    url = server.url("/one.jpg")
    assert fetch_one(server, page, tmp_path) == Fetched(url, code, "", None, reason)
    assert names(tmp_path) == []
    shown = "" if code is None else str(code)
    assert rows(tmp_path) == [{"url": url, "source": "", "status": shown, "sha256": "", "file": "", "reason": reason}]


@pytest.mark.parametrize(("page", "code"), TOO_SLOW)
def test_nobody_is_waited_for_for_ever(server: PictureServer, tmp_path: Path, page: Page, code: int | None) -> None:
    fetched = fetch_one(server, page, tmp_path, IMPATIENT)
    assert fetched == Fetched(server.url("/one.jpg"), code, "", None, "takes longer than 1.5 seconds")
    assert names(tmp_path) == []


def test_a_decompression_bomb_is_known_by_its_header(server: PictureServer, tmp_path: Path) -> None:
    bomb = bytearray(picture(kind="BMP"))
    bomb[18:26] = (15_000).to_bytes(4, "little") * 2
    fetched = fetch_one(server, gives(bytes(bomb)), tmp_path)
    assert str(MAX_PIXELS) in fetched.reason
    assert "pixels" in fetched.reason
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("page", "content"),
    [
        pytest.param(gives(gzip.compress(RED), Content_Encoding="gzip"), RED, id="packed though nobody asked"),
        pytest.param(gives(gzip.compress(RED) + bytes(2**17), Content_Encoding="x-gzip"), RED, id="something behind the packed picture"),
        pytest.param(gives(RED[:-20]), RED[:-20], id="cut off before it was sent: for the decoder to see"),
        pytest.param(gives(RED + b"more", Content_Length=len(RED)), RED, id="longer than it says"),
        pytest.param(endless(RED, b"", most_s=0.0), RED, id="without a length"),
        pytest.param(one_after_another(status("500 Oh"), gives(RED)), RED, id="500, then fine"),
        pytest.param(one_after_another(status("429 Slow", Retry_After="0"), gives(RED)), RED, id="429, then fine"),
        pytest.param(one_after_another(status("503 Down", Retry_After="nonsense"), gives(RED)), RED, id="Retry-After without sense"),
        pytest.param(one_after_another(lambda visit: visit.reset(), gives(RED)), RED, id="reset, then fine"),
        pytest.param(one_after_another(gives(RED, Content_Length=9999), gives(RED)), RED, id="broken off, then fine"),
    ],
)  # fmt: skip
def test_what_comes_in_the_end_is_kept(server: PictureServer, tmp_path: Path, page: Page, content: bytes) -> None:
    fetched = fetch_one(server, page, tmp_path)
    assert (fetched.status, fetched.reason) == (200, "")
    assert fetched.file is not None
    assert fetched.file.read_bytes() == content


def test_a_picture_that_stood_still_once_is_asked_for_again(server: PictureServer, tmp_path: Path) -> None:
    page = one_after_another(slowly(gives(BLUE), 3.0), gives(RED))
    fetched = fetch_one(server, page, tmp_path, replace(QUICK, read_s=0.5))
    assert (fetched.status, fetched.sha256) == (200, hashlib.sha256(RED).hexdigest())


def test_retry_after_is_waited_for_by_all_of_a_host(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {
        "/a": one_after_another(status("429 Slow down", Retry_After="1"), gives(RED)),
        "/b": slowly(gives(BLUE), 0.1),
        "/c": gives(GREEN),
    }
    began = time.monotonic()
    fetched = fetch([server.url(path) for path in server.pages], tmp_path)
    assert [one.reason for one in fetched] == ["", "", ""]
    assert time.monotonic() - began > 1.0
    assert server.asked[:2] in (["/a", "/b"], ["/b", "/a"])
    assert sorted(server.asked[2:]) == ["/a", "/c"]


def test_a_failing_picture_is_asked_four_times_and_a_missing_one_once(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/503": status("503 Down"), "/404": status("404 Not Found"), "/html": gives(b"<html>" * 9)}
    fetch([server.url(path) for path in server.pages], tmp_path)
    assert sorted(server.asked) == ["/404", "/503", "/503", "/503", "/503", "/html"]


def test_a_host_that_cannot_be_reached_is_given_up_for_all_its_pictures(tmp_path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        limits = Limits(backoff_s=0.1)
        began = time.monotonic()
        fetched = fetch([f"{url}/{number}.jpg" for number in range(60)], tmp_path, limits)
        assert time.monotonic() - began < 8  # 60 of them would take 21 seconds
    assert {(one.status, one.reason) for one in fetched} == {(None, "127.0.0.1 cannot be reached")}


def test_another_port_of_a_host_that_was_given_up_is_asked(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/a.jpg": gives(RED)}
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        closed = [f"http://127.0.0.1:{unheard.getsockname()[1]}/{number}.jpg" for number in range(12)]
        fetched = fetch([*closed, server.url("/a.jpg")], tmp_path)
    assert [one.reason for one in fetched] == ["127.0.0.1 cannot be reached"] * 12 + [""]


def test_a_host_that_refuses_by_429_is_left_alone(server: PictureServer, tmp_path: Path) -> None:
    paths = [f"/{number}.jpg" for number in range(60)]
    server.pages = dict.fromkeys(paths, status("429 Too Many Requests"))
    fetched = fetch([server.url(path) for path in paths], tmp_path)
    assert {(one.status, one.reason) for one in fetched} == {(429, "answers 429 (Too Many Requests)")}
    assert len(server.asked) < 12


def test_redirects_are_followed_five_times(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {f"/{number}": redirects(f"/{number + 1}") for number in range(6)} | {"/6": gives(RED)}
    server.pages["/moved"] = status("301 Moved", Location="somewhere/../사진 1.jpg")
    server.pages["/%EC%82%AC%EC%A7%84%201.jpg"] = gives(BLUE)
    six, five, moved = fetch([server.url("/0"), server.url("/1"), server.url("/moved")], tmp_path)
    assert (six.status, six.reason) == (302, "redirects more than 5 times")
    assert (five.status, five.reason) == (200, "")
    assert (moved.sha256, moved.reason) == (hashlib.sha256(BLUE).hexdigest(), "")


def test_it_says_who_it_is_and_keeps_no_cookie(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {
        "/a": status("302 Found", Location="/b", Set_Cookie="who=you; Path=/"),
        "/b": gives(RED, Set_Cookie="who=you; Path=/"),
    }
    fetch([server.url("/a")], tmp_path)
    assert server.headers["/b"]["User-Agent"] == "yolo_pipeline"
    assert server.headers["/b"]["Host"] == f"127.0.0.1:{server.port}"
    assert not {"cookie", "referer", "authorization"} & {name.lower() for name in server.headers["/b"]}


def test_proxies_of_the_environment_are_not_used(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    said = Said()
    server.pages["/a"] = gives(RED)
    (fetched,) = fetch([server.url("/a")], tmp_path, progress=said)
    assert fetched.reason == ""
    assert said.lines == [
        "downloading: 1 address, 1 host",
        "downloading: proxies of the environment are not used, as nobody can check where they connect to",
    ]


NAMES = [
    pytest.param("/%EA%B0%95%EC%95%84%EC%A7%80.jpg", "강아지", id="Korean"),
    pytest.param("/강아지 1.jpg", "강아지 1", id="Korean that nobody encoded"),
    pytest.param("/" + unicodedata.normalize("NFD", "강아지.jpg"), "강아지", id="decomposed"),
    pytest.param("/%B0%AD%BE%C6%C1%F6.JPG", "강아지", id="Korean as older servers write it"),
    pytest.param("/%F0%9F%90%B6.png", "🐶", id="emoji"),
    pytest.param("/a%2F..%2F..%2Fetc%5Cpasswd", "a_.._.._etc_passwd", id="a path in disguise"),
    pytest.param("/..%00%0A%1B[31m.jpg", "[31m", id="control characters"),
    pytest.param("/a%3Ab%3C%3E%22%7C%3F%2A.jpg", "a_b______", id="what Windows forbids"),
    pytest.param("/con.jpg", "con", id="a device of Windows"),
    pytest.param("/" + "긴" * 300 + ".jpg", "긴" * 40, id="long"),
    pytest.param("/image.php?id=7&name=a.jpg", "image.php", id="a query"),
    pytest.param("/-rf.jpeg", "rf", id="an option in disguise"),
    pytest.param("/photo.tar", "photo.tar", id="a suffix that is no picture's"),
    pytest.param("/%20.%20/", "picture", id="nothing to name it by"),
    pytest.param("", "127.0.0.1_PORT", id="the host alone"),
    pytest.param("/%E2%80%AEgpj.exe", "gpj.exe", id="written backwards"),
]


@pytest.mark.parametrize(("path", "stem"), NAMES)
def test_names(server: PictureServer, tmp_path: Path, path: str, stem: str) -> None:
    server.pages = AlwaysRed()
    (fetched,) = fetch([server.url(path)], tmp_path)
    assert fetched.file is not None
    name, _, rest = fetched.file.name.rpartition("-")
    assert name == stem.replace("PORT", str(server.port))
    assert len(rest) == len("0123456789ab.jpg")
    assert fits_windows(fetched.file.name)
    assert names(tmp_path) == [fetched.file.name]


class AlwaysRed(dict[str, Page]):
    def get(self, path: str, otherwise: Page | None = None) -> Page:
        return gives(RED)


def test_addresses_that_end_alike_have_names_of_their_own(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/image.php?id=1": gives(RED), "/image.php?id=2": gives(BLUE), "/x/image.php?id=1": gives(GREEN)}
    fetched = fetch([server.url(path) for path in server.pages], tmp_path)
    assert len({one.file for one in fetched}) == 3
    assert all(one.file and one.file.name.startswith("image.php-") for one in fetched)
