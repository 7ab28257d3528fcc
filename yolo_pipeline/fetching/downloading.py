"""Asks many addresses for pictures, a few at a time, and believes nothing that comes back.

Nothing of the environment's proxies is used: who connects through one cannot check where it leads. Certificates are
verified, by the authorities of SSL_CERT_FILE where that is set. No cookie is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path

import httpcore
import httpx
from anyio.from_thread import start_blocking_portal

from yolo_pipeline import images
from yolo_pipeline.errors import InputError, one_line
from yolo_pipeline.fetching.addresses import CheckedNetwork, RefusedAddress
from yolo_pipeline.fetching.answers import (
    FAILURES,
    REDIRECTS,
    Refusal,
    Trouble,
    body,
    explained,
    redirected,
    require_fine,
    told_of_redirect,
)
from yolo_pipeline.fetching.downloads import Download, Limits, address_hash

USER_AGENT = "yolo_pipeline"

_IDLE_S = 5.0  # servers close what is idle for long, and a request on it would fail
_START_BYTES = 16  # that tell a picture

Ended = Callable[[Download], None]

_Port = tuple[str, int | None]  # scheme, and port where it is not the usual one: http may be closed where https is open


def download_all(
    addresses: Sequence[str], folder: Path, ended: Ended, limits: Limits = Limits(), *, allow_local: bool = False
) -> None:
    """Asks each address and puts the pictures into `folder`; `ended` hears of each as it ends, in any order.

    Args:
        addresses: as `addresses.parse` gives them, without repetition.

    Raises:
        InputError: the file that SSL_CERT_FILE names cannot be read.
        OSError: a picture cannot be written.
    """
    run = partial(_download_all, addresses, folder, ended, limits, allow_local)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(run())
    else:  # called from a notebook, which has a loop of its own
        with start_blocking_portal() as portal:
            portal.call(run)


async def _download_all(
    addresses: Sequence[str], folder: Path, ended: Ended, limits: Limits, allow_local: bool
) -> None:
    by_host: dict[str, list[str]] = defaultdict(list)
    for address in addresses:
        by_host[httpx.URL(address).host].append(address)
    async with httpcore.AsyncConnectionPool(
        ssl_context=_trusted(),
        max_connections=limits.at_once,
        keepalive_expiry=_IDLE_S,
        network_backend=CheckedNetwork(allow_local),
    ) as pool:
        client = _Client(pool, folder, limits)
        try:
            async with asyncio.TaskGroup() as group:
                for of_host in by_host.values():
                    queue = iter(of_host)  # from which all that work on a host take the next one
                    for _ in range(min(limits.at_once_of_a_host, len(of_host))):
                        group.create_task(client.work(queue, ended))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None


def _trusted() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        reason = f"its certificates cannot be read ({error.strerror or error})"
        raise InputError("SSL_CERT_FILE", reason, "Correct or unset it, and SSL_CERT_DIR") from error


@dataclass(slots=True)
class _Host:
    """A host as it is treated.

    Attributes:
        gate: lets in as many exchanges at once as it may have.
        rests_until: when it may be asked again, on the clock of `time.monotonic`.
        troubles: port -> how often in a row what failed was the host.
        failed: port -> why it was given up, and what it answered, if it did: its other pictures end with the same.
    """

    gate: asyncio.Semaphore
    rests_until: float = 0.0
    troubles: Counter[_Port] = field(default_factory=Counter)
    failed: dict[_Port, tuple[str, int | None]] = field(default_factory=dict)


class _Errand:
    """One picture to be got.

    Attributes:
        status: of the last answer.
        total_s, left_s: seconds that its exchanges may take, all together.
    """

    def __init__(self, address: str, total_s: float) -> None:
        self.address = address
        self.status: int | None = None
        self.total_s = self.left_s = total_s

    @asynccontextmanager
    async def timed(self) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, self.left_s)):
                yield
        except TimeoutError as error:
            raise Refusal(f"takes longer than {self.total_s:g} seconds", final=False) from error
        finally:
            self.left_s -= time.monotonic() - began


class _Client:
    def __init__(self, pool: httpcore.AsyncConnectionPool, folder: Path, limits: Limits) -> None:
        self._pool, self._folder, self._limits = pool, folder, limits
        self._gate = asyncio.Semaphore(limits.at_once)
        self._hosts: dict[str, _Host] = defaultdict(lambda: _Host(asyncio.Semaphore(limits.at_once_of_a_host)))

    async def work(self, queue: Iterable[str], ended: Ended) -> None:
        for address in queue:
            errand = _Errand(address, self._limits.total_s)
            try:
                ended(await self._persist(errand))
            except Refusal as refusal:
                ended(Download(address, errand.status, reason=refusal.reason, final=refusal.final))

    async def _persist(self, errand: _Errand) -> Download:
        """As many attempts as it takes, or as there may be."""
        for before in range(self._limits.attempts - 1):
            try:
                return await self._follow(errand)
            except Trouble:
                await asyncio.sleep(self._limits.backoff_s * 2**before)
        try:
            return await self._follow(errand)
        except Trouble as trouble:
            raise Refusal(trouble.reason, final=False) from trouble

    async def _follow(self, errand: _Errand) -> Download:
        """One attempt, through all redirects."""
        seen = [httpx.URL(errand.address)]
        while True:
            try:
                answer = await self._ask(seen[-1], errand)
            except RefusedAddress as error:
                reason = told_of_redirect(str(seen[-1]), error) if len(seen) > 1 else str(error)
                raise Refusal(reason, final=error.final) from error
            if isinstance(answer, Download):
                return answer
            if answer in seen:
                raise Refusal("redirects in a circle")
            if len(seen) > self._limits.redirects:
                raise Refusal(f"redirects more than {self._limits.redirects} times")
            seen.append(answer)

    async def _ask(self, url: httpx.URL, errand: _Errand) -> Download | httpx.URL:
        """One exchange, when its turn has come: the picture, or where to go for it."""
        host = self._hosts[url.host]
        async with host.gate:
            while (rest := host.rests_until - time.monotonic()) > 0:
                await asyncio.sleep(rest)
            port = url.scheme, url.port
            if port in host.failed:
                reason, status = host.failed[port]
                errand.status = status or errand.status
                raise Refusal(reason, final=False)
            async with self._gate, errand.timed():
                try:
                    return await self._exchange(url, errand)
                except Trouble as trouble:
                    raise self._noted(host, port, trouble, errand) from trouble
                except FAILURES as error:
                    failure = explained(error, one_line(url.host), self._limits)
                    raise (
                        self._noted(host, port, failure, errand) if isinstance(failure, Trouble) else failure
                    ) from error

    def _noted(self, host: _Host, port: _Port, trouble: Trouble, errand: _Errand) -> Trouble | Refusal:
        """Lets a host rest; gives it up when it failed as often as all who ask at once would bear."""
        host.rests_until = max(host.rests_until, time.monotonic() + trouble.wait)
        host.troubles[port] += trouble.of_host
        if host.troubles[port] < self._limits.attempts * self._limits.at_once_of_a_host:
            return trouble
        refused = errand.status == HTTPStatus.TOO_MANY_REQUESTS
        host.failed[port] = trouble.reason, errand.status if refused else None
        return Refusal(trouble.reason, final=False)

    async def _exchange(self, url: httpx.URL, errand: _Errand) -> Download | httpx.URL:
        asked = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        headers: dict[bytes | str, bytes | str] = {
            "Host": url.netloc,
            "User-Agent": USER_AGENT,
            "Accept": "image/jpeg, image/png, image/*;q=0.8, */*;q=0.1",
            "Accept-Encoding": "identity",
        }
        limits = self._limits
        seconds = {"connect": limits.connect_s, "read": limits.read_s, "write": limits.read_s}
        async with self._pool.stream("GET", asked, headers=headers, extensions={"timeout": seconds}) as answer:
            errand.status, said = answer.status, httpx.Headers(answer.headers)
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                self._hosts[url.host].troubles[url.scheme, url.port] = 0
            if answer.status in REDIRECTS:
                return redirected(url, answer.status, said)
            require_fine(answer.status, said, limits)
            return await self._receive(answer, said, errand.address)

    async def _receive(self, answer: httpcore.Response, said: httpx.Headers, address: str) -> Download:
        """Saves the picture, under its name once all of it came and proved to be one."""
        part = self._folder / f".{address_hash(address)}.part"
        sha256 = hashlib.sha256()
        try:
            with open(part, "wb") as file:
                async for piece in _begun(body(answer, said, self._limits.bytes)):
                    sha256.update(piece)
                    file.write(piece)
            header = images.read_header(part, images.VIEWABLE)
            got = Download(address, answer.status, sha256.hexdigest(), header.format)
            part.replace(self._folder / got.file_name)
            return got
        except images.UnreadableImage as error:
            raise Refusal(one_line(str(error))) from error
        finally:
            part.unlink(missing_ok=True)


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, unless they begin as no picture does: nobody waits for the end of a film.

    Raises:
        UnreadableImage: they do.
    """
    start = b""
    async for piece in pieces:
        if len(start) < _START_BYTES:
            start += piece[:_START_BYTES]
            if len(start) >= _START_BYTES and not images.starts_like_picture(start):
                raise images.UnreadableImage(f"not a picture of a known kind ({', '.join(images.VIEWABLE)})")
        yield piece
