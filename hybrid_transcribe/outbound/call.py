"""Calls to addresses that strangers named: checked, pinned, and bounded in time and size.

A name is resolved once for each connection, all its addresses are checked, and the connection
goes to those and no others: a name server that answers differently the next time is not asked
again. ``Host``, SNI and certificate are those of the name. Proxies of the environment are not
used: they would resolve the name themselves.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.netutil import Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from hybrid_transcribe.errors import HybridTranscribeError, InputMissing, TooLarge, UnsafeInput
from hybrid_transcribe.messages import UserMessage

# Of IPv6 only this part is given out to the world.
_WORLD = ipaddress.ip_network("2000::/3")

# What an address of IPv4 may hide in, by its last 32 bits.
_EMBEDDINGS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::ffff:0:0/96", "::ffff:0:0:0/96")))

# Not private by the registry, and nobody's public server all the same.
_NOBODYS = tuple(map(ipaddress.ip_network, ("192.88.99.0/24", "192.0.0.0/24", "2001::/23")))

# An ISATAP interface names an address of IPv4.
_ISATAP = (0x00005EFE, 0x02005EFE)

#: Longest address that is looked at.
_LONGEST = 4096


def is_public(text: str) -> bool:
    """True for an address of the open Internet, whatever it is wrapped in.

    >>> is_public("1.1.1.1"), is_public("10.0.0.1"), is_public("64:ff9b::7f00:1")
    (True, False, False)
    """
    try:
        result = ipaddress.ip_address(text)
    except ValueError:
        return False
    return _is_public(result)


def _is_public(result: IPv4Address | IPv6Address) -> bool:
    if isinstance(result, IPv6Address):
        inner = _inner(result)
        if inner is not None:
            return _is_public(inner)
        if result not in _WORLD or result.scope_id:
            return False
    if any(result in network for network in _NOBODYS):
        return False
    return result.is_global and not (result.is_multicast or result.is_reserved)


def _inner(ipv6_address: IPv6Address) -> IPv4Address | None:
    if ipv6_address.sixtofour is not None:
        return ipv6_address.sixtofour
    low = int(ipv6_address) & 0xFFFFFFFF
    isatap = (int(ipv6_address) >> 32) & 0xFFFFFFFF in _ISATAP
    if isatap or any(ipv6_address in network for network in _EMBEDDINGS):
        return IPv4Address(low)
    return None


def checked(url: str) -> SplitResult:
    """An address taken apart, if it is one that may be called. Raises UnsafeInput."""
    if len(url) > _LONGEST or not url.isascii() or re.search(r"[\s\x00-\x20\x7f\\]", url):
        raise UnsafeInput(UserMessage("url_syntax", url=_redacted(url)))
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UnsafeInput(UserMessage("labelled", label=_redacted(url), why=error)) from None
    if parts.scheme not in ("http", "https"):
        raise UnsafeInput(UserMessage("url_scheme", url=_redacted(url)))
    if not host:
        raise UnsafeInput(UserMessage("url_no_host", url=_redacted(url)))
    if "@" in parts.netloc:
        raise UnsafeInput(UserMessage("url_password"))
    if _is_odd_number(host):
        raise UnsafeInput(UserMessage("url_ipv4", url=_redacted(url)))
    return parts


def _is_odd_number(host: str) -> bool:
    """True for what resolvers take for an IPv4 address but people do not write: 0x7f.1."""
    last = host.rstrip(".").rpartition(".")[2]
    if not re.fullmatch(r"\d+|0x[0-9a-f]*", last):
        return False
    try:
        IPv4Address(host)
    except ValueError:
        return True
    return False


def _redacted(url: str) -> str:
    """An address without what may be a secret in it."""
    return repr(url.partition("?")[0][:80])


#: Times an answer may send us elsewhere.
REDIRECTS = 3

#: Longest wait for a connection, in seconds.
CONNECT_S = 10.0

_ELSEWHERE = (301, 302, 303, 307, 308)

#: Names with their addresses in numbers; blocks. Raises OSError.
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """As the system does it."""
    result = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in result))


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls nobody but the public, and the hosts allowed by name.

    Attributes:
        allowed: hosts that may be private, as they are written in addresses.
        resolve: for tests.
    """

    allowed: Collection[str] = ()
    resolve: Resolve = resolve

    @classmethod
    def of(cls, fetch_private_hosts: str) -> Caller:
        """With hosts separated by commas."""
        names = (name.strip().strip("[]").lower() for name in fetch_private_hosts.split(","))
        return cls(frozenset(name for name in names if name))

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be called. Raises UnsafeInput, InputMissing."""
        try:
            items = list(self.resolve(host, port))
        except (OSError, UnicodeError) as error:
            raise InputMissing(UserMessage("url_not_found", host=host, why=error)) from None
        unsafe = [] if host in self.allowed else [a for a in items if not is_public(a)]
        if unsafe or not items:
            # Not which address: that would map the network for a stranger.
            raise UnsafeInput(UserMessage("url_private", host=host))
        return items

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, within_s: float
    ) -> int:
        """Send it and return the status. Redirects are not followed.

        Raises UnsafeInput, InputMissing where nobody answers.
        """
        answer = _Answer(lambda data: None, most_bytes=64 * 1024)
        return await self._ask(url, answer, within_s, method="POST", body=body, headers=headers)

    async def fetch(
        self, url: str, write: Callable[[bytes], None], *, most_bytes: int, within_s: float
    ) -> str:
        """Hand what lies there to ``write``, piece by piece; returns where it lay in the end.

        Raises UnsafeInput, TooLarge, and InputMissing for whatever else goes wrong.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        for _ in range(REDIRECTS + 1):
            answer = _Answer(write, most_bytes)
            status = await self._ask(url, answer, max(0.1, until - loop.time()))
            if status == 200:
                return url
            if status not in _ELSEWHERE or not answer.location:
                raise InputMissing(
                    UserMessage("url_status", host=checked(url).hostname, status=status)
                )
            url = urljoin(url, answer.location)
        raise InputMissing(UserMessage("redirects", n=REDIRECTS))

    async def _ask(self, url: str, answer: _Answer, within_s: float, **kwargs: Any) -> int:
        parts = checked(url)
        resolver = _Pinned(self)
        client = SimpleAsyncHTTPClient(
            force_instance=True, resolver=resolver, max_body_size=answer.most_bytes + 1
        )
        request = HTTPRequest(
            url,
            connect_timeout=min(CONNECT_S, within_s),
            request_timeout=within_s,
            follow_redirects=False,
            decompress_response=False,
            header_callback=answer.header,
            streaming_callback=answer.data,
            **kwargs,
        )
        try:
            await client.fetch(request, raise_error=False)
        except Exception as error:
            entry = answer.error or resolver.error
            if entry is not None:
                raise entry from None
            raise InputMissing(
                UserMessage("labelled", label=parts.hostname, why=_reason(error))
            ) from error
        finally:
            client.close()
        if answer.error is not None:
            raise answer.error
        return answer.status


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPClientError):
        return error.message or "no answer"
    return str(error) or type(error).__name__


@dataclass(slots=True)
class _Answer:
    """Takes an answer as it comes: only a 200's body is wanted, and not too much of it."""

    write: Callable[[bytes], None]
    most_bytes: int
    status: int = 0
    location: str = ""
    error: HybridTranscribeError | None = None
    _bytes: int = field(default=0)

    def header(self, line: str) -> None:
        name, _, value = line.partition(":")
        if line.startswith("HTTP/"):
            self.status = int(line.split(" ", 2)[1])
        elif name.lower() == "location":
            self.location = value.strip()
        elif name.lower() == "content-length" and value.strip().isdecimal():
            self._check(int(value))

    def data(self, chunk: bytes) -> None:
        self._bytes += len(chunk)
        self._check(self._bytes)
        if self.status == 200 and self.error is None:
            try:
                self.write(chunk)
            except HybridTranscribeError as error:
                self.error = error
                raise

    def _check(self, n_bytes: int) -> None:
        if n_bytes > self.most_bytes:
            self.error = TooLarge(UserMessage("file_bytes", n=self.most_bytes))
            raise self.error


class _Pinned(Resolver):
    """Gives the connection the addresses that were checked, and no others."""

    def initialize(self, caller: Caller) -> None:
        self._caller = caller
        self.error: HybridTranscribeError | None = None

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(None, self._caller.addresses, host.lower(), port)
        except HybridTranscribeError as error:
            self.error = error
            raise
        return [
            (socket.AF_INET6, (item, port, 0, 0)) if ":" in item else (socket.AF_INET, (item, port))
            for item in result
        ]
