"""A server on loopback that gives pictures, and everything else that is found behind addresses of pictures."""

from __future__ import annotations

import csv
import io
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from yolo_pipeline.fetching.downloads import Limits
from yolo_pipeline.fetching.pictures import Fetched, fetch_pictures
from yolo_pipeline.progress import Silent, silent

Page = Callable[["Visit"], None]
"""Answers one request."""


@dataclass
class Visit:
    """One request: what was asked, where the answer is written to, and the number of requests for the path so far."""

    path: str
    headers: dict[str, str]
    out: BinaryIO
    connection: socket.socket
    number: int

    def head(self, status: str = "200 OK", **headers: object) -> None:
        """Writes a status line and headers; the connection is closed after the answer."""
        lines = [f"HTTP/1.1 {status}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.out.write("\r\n".join([*lines, "", ""]).encode())

    def reset(self) -> None:
        """Breaks the connection off, as a crash would."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@dataclass
class PictureServer:
    """What the server has and was asked for; a test sets it up.

    Attributes:
        pages: path -> what answers there; 404 elsewhere.
        asked: paths, in order.
        headers: of the last request for each path.
        most: host as named by the client -> most requests that it answered at once; "" is all hosts together.
    """

    port: int = 0
    scheme: str = "http"
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    most: Counter[str] = field(default_factory=Counter)
    _now: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path, host = handler.path, handler.headers.get("Host", "").rpartition(":")[0]
        with self._counted(host):
            with self._lock:
                self.asked.append(path)
                self.headers[path] = dict(handler.headers)
                number = self.asked.count(path)
            visit = Visit(path, dict(handler.headers), handler.wfile, handler.connection, number)
            with suppress(OSError):  # the client went away
                self.pages.get(path, status("404 Not Found"))(visit)

    @contextmanager
    def _counted(self, host: str) -> Iterator[None]:
        with self._lock:
            for key in ("", host):
                self._now[key] += 1
                self.most[key] = max(self.most[key], self._now[key])
        try:
            yield
        finally:
            with self._lock:
                for key in ("", host):
                    self._now[key] -= 1


def gives(content: bytes, kind: str = "image/jpeg", **headers: object) -> Page:
    def page(visit: Visit) -> None:
        visit.head(Content_Type=kind, **{"Content_Length": len(content), **headers})
        visit.out.write(content)

    return page


def status(line: str, **headers: object) -> Page:
    return lambda visit: visit.head(line, Content_Length=0, **headers)


def redirects(location: str) -> Page:
    return status("302 Found", Location=location)


def one_after_another(*pages: Page) -> Page:
    """The first page at the first request, and so on; the last one for ever."""
    return lambda visit: pages[min(visit.number, len(pages)) - 1](visit)


def slowly(page: Page, seconds: float) -> Page:
    def slow(visit: Visit) -> None:
        time.sleep(seconds)
        page(visit)

    return slow


def endless(start: bytes, piece: bytes = bytes(2**16), every_s: float = 0.0, most_s: float = 5.0) -> Page:
    """A body without an end, or nearly: the server gives up after `most_s` seconds."""

    def page(visit: Visit) -> None:
        visit.head(Content_Type="image/jpeg")
        visit.out.write(start)
        end = time.monotonic() + most_s
        while time.monotonic() < end:
            visit.out.write(piece)
            time.sleep(every_s)

    return page


def endless_head(lines: int = 1, every_s: float = 0.02, most_s: float = 5.0) -> Page:
    def page(visit: Visit) -> None:
        visit.out.write(b"HTTP/1.1 200 OK\r\n")
        end = time.monotonic() + most_s
        while time.monotonic() < end:
            visit.out.write(b"X: y\r\n" * lines)
            time.sleep(every_s)

    return page


def raw(content: bytes) -> Page:
    """Bytes instead of an answer."""
    return lambda visit: visit.out.write(content) and None


@contextmanager
def serve(certificate: Path | None = None) -> Iterator[PictureServer]:
    """Runs a server; with a PEM file of a key and its certificate, one that speaks TLS."""
    server = PictureServer(scheme="https" if certificate else "http")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self) -> None:
            self.close_connection = True
            server.answer(self)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # clients hang up, and refuse certificates

    listener = Listener(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    server.port = listener.server_address[1]
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def picture(colour: str = "red", kind: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


RED, BLUE, GREEN = picture("red"), picture("blue"), picture("green")
QUICK = Limits(bytes=2**18, backoff_s=0.01, patience_s=1.0)
IMPATIENT = replace(QUICK, read_s=0.6, total_s=1.5)


def fetch(urls: Sequence[str], folder: Path, limits: Limits = QUICK, **options: Any) -> list[Fetched]:
    return fetch_pictures(urls, folder, options.pop("progress", silent), limits=limits, allow_local=True, **options)


def names(folder: Path) -> list[str]:
    """The pictures in a folder, and whatever else should not be there."""
    return sorted(file.name for file in folder.iterdir() if file.name not in ("downloads.csv", ".downloads.jsonl"))


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "downloads.csv").read_text(encoding="utf-8"))))


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)
