"""Addresses of pictures: which are asked for at all, and a network that connects only to where it may."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

import httpcore
import httpx

from yolo_pipeline.errors import one_line

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNLISTED = tuple(  # not public, though ipaddress of Python 3.11 takes them for it
    ipaddress.ip_network(block)
    for block in ("192.0.0.0/24", "192.88.99.0/24", "100::/64", "2001::/23", "3fff::/20", "64:ff9b:1::/48", "fec0::/10")
)


class RefusedAddress(ValueError):
    """The address is not asked for; the text says why.

    Args:
        final: whether it would be refused at any other time and place, too.
    """

    def __init__(self, reason: str, *, final: bool = True) -> None:
        super().__init__(one_line(reason))
        self.final = final


def parse(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """An address as it is asked for: in ASCII, without what stands behind `#`.

    Args:
        base: what a relative address is relative to.

    Raises:
        RefusedAddress: it is none, names no host, holds a password, or is of another kind than http and https.
    """
    try:
        address = httpx.URL(text.strip()) if base is None else base.join(text.strip())
        address, host, port = address.copy_with(fragment=None), address.host, address.port
    except (httpx.InvalidURL, ValueError) as error:
        raise RefusedAddress(f"is no address ({error})") from error
    if address.scheme not in ("http", "https"):
        raise RefusedAddress("begins neither with http:// nor with https://")
    if not host:
        raise RefusedAddress("names no host")
    if port is not None and not 0 < port < 2**16:
        raise RefusedAddress(f"names port {port}, which there cannot be")
    if address.userinfo:
        raise RefusedAddress("holds a user name or a password")
    return address


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the internet at large. One that wraps an IPv4 address is as public as that.

    Source: IANA's special-purpose registries, as `ipaddress` knows them; RFC 4291 2.5.5 (mapped), RFC 3056 (6to4),
    RFC 6052 (NAT64).
    """
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) % 2**32))
        if (wrapped := address.ipv4_mapped or address.sixtofour) is not None:
            return is_public(wrapped)
    if any(address in block for block in _UNLISTED):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects by name to the very address that was checked, so that a name cannot mean two things.

    Every address that a name has must be public, unless `allow_local`. TLS is left to the caller, who verifies
    certificates against the name.
    """

    def __init__(self, allow_local: bool) -> None:
        self._allow_local = allow_local
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes one.

        Raises:
            RefusedAddress: an address of the host is not public.
            httpcore.ConnectError, httpcore.ConnectTimeout: there is no such host; none of its addresses answers.
        """
        failed: Exception = httpcore.ConnectError("no address")
        for address in await self._checked(host, port):
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        """All addresses of a host, IPv4 first: where a network has no IPv6, that one is waited for in vain."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = [ipaddress.ip_address(where[0]) for *_, where in found]
        if not self._allow_local and (local := next((one for one in addresses if not is_public(one)), None)):
            named = host if host == str(local) else f"{host} ({local})"
            raise RefusedAddress(f"leads to {named}, no public address; --allow-local asks it too", final=False)
        return sorted(dict.fromkeys(addresses), key=lambda address: address.version)
