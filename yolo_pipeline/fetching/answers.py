"""What an answer to a request for a picture means: the end, try again, go elsewhere; and its body, within limits."""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpcore
import httpx

from yolo_pipeline.errors import one_line
from yolo_pipeline.fetching.addresses import RefusedAddress, parse
from yolo_pipeline.fetching.downloads import Limits

REDIRECTS = (301, 302, 303, 307, 308)
FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
"""What httpcore raises where no whole answer came."""

_MAY_COME_RIGHT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)  # and all from 500
_GZIP = 31  # window bits by which zlib expects gzip's header
_LONGEST_TOLD = 200  # characters of an address in a reason


class Refusal(Exception):
    """The end for a picture. `final`: asking another day is of no use."""

    def __init__(self, reason: str, *, final: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.final = reason, final


class Trouble(Exception):
    """What may come right when it is tried again.

    Args:
        of_host: whether the host's other pictures would fare the same.
        wait: seconds that the host asks to be left alone.
    """

    def __init__(self, reason: str, *, of_host: bool = False, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.of_host, self.wait = reason, of_host, wait


def require_fine(status: int, headers: httpx.Headers, limits: Limits) -> None:
    """Raises what an answer other than 200 means."""
    if status == HTTPStatus.OK:
        return
    reason = f"answers {_spelt_out(status)}"
    if status < 500 and status not in _MAY_COME_RIGHT:
        raise Refusal(reason)
    wait = _asked_to_wait(headers)
    if wait > limits.patience_s:
        told = f"{reason}, and asks to be left alone for more than {limits.patience_s:g} seconds"
        raise Refusal(told, final=False)
    raise Trouble(reason, of_host=status == HTTPStatus.TOO_MANY_REQUESTS, wait=wait)


def explained(error: Exception, host: str, limits: Limits) -> Refusal | Trouble:
    """One of FAILURES, in plain words that are the same for the same failure."""
    cause = error.__cause__ or error.__context__  # the pool takes the cause away
    match error:
        case httpcore.ConnectError() if isinstance(cause, ssl.SSLCertVerificationError):
            told = one_line(cause.verify_message).rstrip(".")
            return Refusal(f"the certificate of {host} is not trusted ({told})", final=False)
        case httpcore.ConnectError() if isinstance(cause, ssl.SSLError):
            return Refusal(f"{host} offers no TLS connection", final=False)
        case httpcore.ConnectError() if isinstance(cause, UnicodeError):
            return Refusal(f"{host} is an impossible name")
        case httpcore.ConnectError() if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
            return Refusal(f"there is no host {host}", final=False)
        case httpcore.ConnectError():
            return Trouble(f"{host} cannot be reached", of_host=True)
        case httpcore.ConnectTimeout():
            return Trouble(f"{host} does not answer within {limits.connect_s:g} seconds", of_host=True)
        case httpcore.TimeoutException():
            return Trouble(f"nothing comes for {limits.read_s:g} seconds")
        case httpcore.LocalProtocolError() | httpcore.UnsupportedProtocol():
            return Refusal("cannot be asked for")
    return Trouble("the answer breaks off or is no HTTP")


def redirected(url: httpx.URL, status: int, headers: httpx.Headers) -> httpx.URL:
    """Where an answer says to go."""
    if (location := headers.get("Location")) is None:
        raise Refusal(f"answers {_spelt_out(status)} without saying where to")
    try:
        return parse(location, url)
    except RefusedAddress as error:
        raise Refusal(told_of_redirect(location, error)) from error


def told_of_redirect(target: str, error: RefusedAddress) -> str:
    return f"redirects to {one_line(target)[:_LONGEST_TOLD]}, which {error}"


async def body(answer: httpcore.Response, headers: httpx.Headers, most: int) -> AsyncIterator[bytes]:
    """What comes, unpacked, as it comes.

    Raises:
        Refusal: it is over `most` bytes, packed or unpacked, or packed by other means than gzip.
    """
    too_large = Refusal(f"over the limit of {most} bytes")
    if (length := headers.get("Content-Length", "")).isdecimal() and int(length[:20]) > most:
        raise too_large
    gzip = _unpacker(headers.get("Content-Encoding", ""))
    came = gave = 0
    async for packed in answer.aiter_stream():
        piece = packed if gzip is None else _unpacked(gzip, packed, most - gave + 1)
        came, gave = came + len(packed), gave + len(piece)
        if max(came, gave) > most:
            raise too_large
        yield piece
        if gzip is not None and gzip.eof:
            return  # whatever follows is not looked at
    if gzip is not None:
        raise Trouble("the answer breaks off or is no HTTP")


def _unpacker(packing: str) -> zlib._Decompress | None:
    match packing.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":  # not asked for, but some servers know nothing else
            return zlib.decompressobj(_GZIP)
    raise Refusal(f"is packed as {one_line(packing)[:40]}, which was not asked for")


def _unpacked(gzip: zlib._Decompress, packed: bytes, most: int) -> bytes:
    try:
        return gzip.decompress(packed, most)
    except zlib.error as error:
        raise Refusal("is said to be packed as gzip, and is not") from error


def _asked_to_wait(headers: httpx.Headers) -> float:
    """Seconds from now that Retry-After asks for, which says seconds or a date; 0 where it says neither."""
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said[:12])
    try:
        when = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


def _spelt_out(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)
