"""Which addresses are asked for pictures, and that a connection goes where the check looked."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_server import BLUE, QUICK, RED, PictureServer, fetch, gives, names, redirects, serve

from yolo_pipeline.errors import InputError
from yolo_pipeline.fetching.addresses import RefusedAddress, is_public, parse
from yolo_pipeline.fetching.downloads import Download
from yolo_pipeline.fetching.pictures import Fetched, fetch_pictures
from yolo_pipeline.files import fits_windows
from yolo_pipeline.progress import silent

PUBLIC = "93.184.215.14"


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with serve() as running:
        yield running


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A function that says what a name resolves to, one answer after another; the names that were asked for."""
    asked: list[str] = []
    answers: dict[str, list[list[str]]] = {}
    known = socket.getaddrinfo

    def answer(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        if host not in answers:
            return known(host, port, *arguments, **options)
        asked.append(host)
        if not answers[host][0]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        turn = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [row for address in turn for row in known(address, port, *arguments, **options)]

    def say(name: str, *turns: list[str]) -> list[str]:
        answers[name] = list(turns)
        return asked

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return say


@pytest.fixture
def public_server(
    server: PictureServer, resolve: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> PictureServer:
    """The server behind a public address, `public.test`: a router would lead there, here the socket does."""
    resolve("public.test", [PUBLIC])
    connect = socket.socket.connect

    def routed(self: socket.socket, address: Any) -> None:
        connect(self, ("127.0.0.1", *address[1:]) if address[0] == PUBLIC else address)

    monkeypatch.setattr(socket.socket, "connect", routed)
    return server


@pytest.mark.parametrize(
    ("address", "public"),
    [
        pytest.param("93.184.215.14", True, id="public"),
        pytest.param("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True, id="public IPv6"),
        pytest.param("127.0.0.1", False, id="loopback"),
        pytest.param("127.255.255.254", False, id="all of loopback"),
        pytest.param("::1", False, id="loopback IPv6"),
        pytest.param("0.0.0.0", False, id="unspecified"),
        pytest.param("::", False, id="unspecified IPv6"),
        pytest.param("10.1.2.3", False, id="private 10"),
        pytest.param("172.16.0.1", False, id="private 172.16"),
        pytest.param("172.31.255.255", False, id="private 172.31"),
        pytest.param("172.32.0.1", True, id="just behind private"),
        pytest.param("192.168.0.1", False, id="private 192.168"),
        pytest.param("100.64.0.1", False, id="carrier's NAT"),
        pytest.param("169.254.169.254", False, id="link-local, where clouds keep credentials"),
        pytest.param("fe80::1", False, id="link-local IPv6"),
        pytest.param("fe80::1%lo", False, id="link-local IPv6 with an interface"),
        pytest.param("fc00::1", False, id="unique local"),
        pytest.param("fd12:3456::1", False, id="unique local fd"),
        pytest.param("fec0::1", False, id="site-local"),
        pytest.param("224.0.0.1", False, id="multicast"),
        pytest.param("233.252.0.1", False, id="multicast that is global"),
        pytest.param("ff0e::1", False, id="multicast IPv6"),
        pytest.param("240.0.0.1", False, id="reserved"),
        pytest.param("255.255.255.255", False, id="broadcast"),
        pytest.param("192.0.0.8", False, id="protocol assignments"),
        pytest.param("192.0.2.1", False, id="documentation"),
        pytest.param("198.18.0.1", False, id="benchmarking"),
        pytest.param("192.88.99.1", False, id="6to4 relay"),
        pytest.param("::ffff:127.0.0.1", False, id="mapped loopback"),
        pytest.param("::ffff:10.0.0.1", False, id="mapped private"),
        pytest.param("::ffff:93.184.215.14", True, id="mapped public"),
        pytest.param("::127.0.0.1", False, id="compatible loopback"),
        pytest.param("2002:7f00:1::", False, id="6to4 of loopback"),
        pytest.param("2002:c0a8:101::1", False, id="6to4 of private"),
        pytest.param("64:ff9b::7f00:1", False, id="NAT64 of loopback"),
        pytest.param("64:ff9b::a9fe:a9fe", False, id="NAT64 of link-local"),
        pytest.param("64:ff9b::5db8:d70e", True, id="NAT64 of public, as networks without IPv4 have it"),
        pytest.param("64:ff9b:1::1", False, id="local NAT64"),
        pytest.param("2001:0:4136:e378:8000:63bf:3fff:fdd2", False, id="Teredo"),
        pytest.param("2001:db8::1", False, id="documentation IPv6"),
        pytest.param("3fff::1", False, id="documentation IPv6, the newer"),
        pytest.param("100::1", False, id="discard"),
        pytest.param("4000::1", False, id="not given out yet"),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("https://example.com/a.jpg", "https://example.com/a.jpg", id="as it is"),
        pytest.param("  HTTP://Example.COM:80/A.jpg#part \n", "http://example.com/A.jpg", id="made plain"),
        pytest.param("http://한글.kr/사진 1.jpg?큐=1", "http://xn--bj0bj06e.kr/%EC%82%AC%EC%A7%84%201.jpg?%ED%81%90=1", id="Korean"),
        pytest.param("http://[2001:db8::1]:81/", "http://[2001:db8::1]:81/", id="IPv6"),
    ],
)  # fmt: skip
def test_an_address_is_asked_for_in_ascii(text: str, address: str) -> None:
    assert str(parse(text)) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("file:///etc/passwd", "begins neither with http:// nor with https://", id="file"),
        pytest.param("ftp://example.com/a.jpg", "begins neither with http:// nor with https://", id="FTP"),
        pytest.param("data:image/png;base64,AAAA", "begins neither with http:// nor with https://", id="data"),
        pytest.param("javascript:alert(1)", "begins neither with http:// nor with https://", id="script"),
        pytest.param("example.com/a.jpg", "begins neither with http:// nor with https://", id="no scheme"),
        pytest.param("//example.com/a.jpg", "begins neither with http:// nor with https://", id="half a scheme"),
        pytest.param("", "begins neither with http:// nor with https://", id="nothing"),
        pytest.param("http:///a.jpg", "names no host", id="no host"),
        pytest.param("http://me@example.com/", "holds a user name or a password", id="user"),
        pytest.param("http://example.com\\@127.0.0.1/", "holds a user name or a password", id="a host in disguise"),
        pytest.param("http://example.com:0/", "names port 0, which there cannot be", id="port 0"),
        pytest.param("http://example.com:65536/", "names port 65536, which there cannot be", id="port too high"),
        pytest.param("http://example.com:x/", "is no address", id="no port"),
        pytest.param("http://[::1/", "is no address", id="half a bracket"),
        pytest.param("http://xn--a.com/", "is no address", id="a broken name"),
        pytest.param("http://a\nb/", "is no address", id="a line break"),
        pytest.param("http://a/" + "b" * 70_000, "is no address", id="too long"),
    ],
)
def test_what_is_not_asked_for(text: str, reason: str) -> None:
    with pytest.raises(RefusedAddress) as refused:
        parse(text)
    assert str(refused.value).startswith(reason)
    assert str(refused.value).isprintable()


@given(st.text(max_size=60) | st.text("htps:/@[]%.#?1x\\\n가\ud800", max_size=30).map("http://".__add__))
@settings(max_examples=150, deadline=None)
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    try:
        address = str(parse(text))
    except RefusedAddress:
        return
    assert address.isascii()
    assert str(parse(address)) == address
    name = Download(address, 200, "0" * 64, "JPEG").file_name
    assert fits_windows(name)
    assert "/" not in name
    assert "\\" not in name
    assert len(name.encode("utf-8", "surrogatepass")) < 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_this_machine_is_not_asked_by_any_name(server: PictureServer, tmp_path: Path, host: str) -> None:
    server.pages = {"/a.jpg": gives(RED)}
    (fetched,) = fetch_pictures([server.url("/a.jpg", host)], tmp_path, silent, limits=QUICK)
    assert fetched.file is None
    assert "no public address; --allow-local asks it too" in fetched.reason or "there is no host" in fetched.reason
    assert server.asked == []


def test_what_was_not_public_is_asked_again_when_it_may_be(server: PictureServer, tmp_path: Path) -> None:
    server.pages = {"/a.jpg": gives(RED)}
    (refused,) = fetch_pictures([server.url("/a.jpg")], tmp_path, silent, limits=QUICK)
    assert refused == Fetched(
        server.url("/a.jpg"), None, "", None, "leads to 127.0.0.1, no public address; --allow-local asks it too"
    )
    assert fetch([server.url("/a.jpg")], tmp_path)[0].status == 200


def test_a_name_with_one_private_address_is_not_asked(
    public_server: PictureServer, resolve: Callable[..., list[str]], tmp_path: Path
) -> None:
    public_server.pages = {"/a.jpg": gives(RED)}
    resolve("two.test", [PUBLIC, "10.0.0.7"])
    urls = [public_server.url("/a.jpg", "two.test"), public_server.url("/a.jpg", "public.test")]
    two, one = fetch_pictures(urls, tmp_path, silent, limits=QUICK)
    assert two.reason == "leads to two.test (10.0.0.7), no public address; --allow-local asks it too"
    assert (one.status, one.reason) == (200, "")


def test_a_name_that_means_another_host_the_second_time_gains_nothing(
    public_server: PictureServer, resolve: Callable[..., list[str]], tmp_path: Path
) -> None:
    public_server.pages = {"/a.jpg": gives(RED)}
    asked = resolve("rebinding.test", [PUBLIC], ["127.0.0.1"])
    (fetched,) = fetch_pictures([public_server.url("/a.jpg", "rebinding.test")], tmp_path, silent, limits=QUICK)
    assert (fetched.status, fetched.reason) == (200, "")
    assert asked.count("rebinding.test") == 1
    assert public_server.headers["/a.jpg"]["Host"] == f"rebinding.test:{public_server.port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "rebinding.test"])
def test_a_redirect_from_outside_leads_to_no_private_address(
    public_server: PictureServer, resolve: Callable[..., list[str]], tmp_path: Path, host: str
) -> None:
    resolve("rebinding.test", [PUBLIC], ["127.0.0.1"])
    target = public_server.url("/secret.jpg", host)
    start = "rebinding.test" if host == "rebinding.test" else "public.test"
    public_server.pages = {"/a.jpg": redirects(target), "/secret.jpg": gives(BLUE)}
    (fetched,) = fetch_pictures([public_server.url("/a.jpg", start)], tmp_path, silent, limits=QUICK)
    named = host if host == "127.0.0.1" else f"{host} (127.0.0.1)"
    told = f"redirects to {target}, which leads to {named}, no public address; --allow-local asks it too"
    assert (fetched.status, fetched.reason) == (302, told)
    assert public_server.asked == ["/a.jpg"]
    assert names(tmp_path) == []


def test_hosts_that_cannot_be_are_told_from_those_that_are_away(
    resolve: Callable[..., list[str]], tmp_path: Path
) -> None:
    asked = resolve("gone.test", [])
    urls = [f"http://{'a' * 70}.test/", "http://a..b/", "http://gone.test/"]
    reasons = [one.reason for one in fetch_pictures(urls, tmp_path, silent)]
    assert reasons == [
        f"{'a' * 70}.test is an impossible name",
        "a..b is an impossible name",
        "there is no host gone.test",
    ]
    assert asked == ["gone.test"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of its own for tls.test, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    key, signed = folder / "key.pem", folder / "signed.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=tls.test"
    subprocess.run(
        [*words.split(), "-addext", "subjectAltName=DNS:tls.test", "-keyout", key, "-out", signed],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + signed.read_bytes())
    return both


@pytest.mark.parametrize(
    ("host", "trusted", "reason"),
    [
        pytest.param("tls.test", True, "", id="the name, signed by whom we trust"),
        pytest.param("tls.test", False, "the certificate of tls.test is not trusted (self-signed certificate)", id="signed by nobody"),
        pytest.param("other.test", True, "the certificate of other.test is not trusted (Hostname mismatch, certificate is not valid for 'other.test')", id="another name"),
    ],
)  # fmt: skip
def test_certificates_are_verified_against_the_name(
    certificate: Path,
    resolve: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    host: str,
    trusted: bool,
    reason: str,
) -> None:
    resolve(host, ["127.0.0.1"])
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serve(certificate) as server:
        server.pages = {"/a.jpg": gives(RED)}
        (fetched,) = fetch([server.url("/a.jpg", host)], tmp_path)
    assert fetched.reason.replace("self signed", "self-signed") == reason  # OpenSSL 1.1 and 3 spell it differently
    assert server.asked == (["/a.jpg"] if not reason else [])


def test_a_server_without_tls_is_told_from_one_that_is_away(server: PictureServer, tmp_path: Path) -> None:
    (fetched,) = fetch([server.url("/a.jpg").replace("http:", "https:")], tmp_path)
    assert fetched.reason == "127.0.0.1 offers no TLS connection"


def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(InputError, match="SSL_CERT_FILE: its certificates cannot be read"):
        fetch_pictures(["http://127.0.0.1/"], tmp_path, silent)
