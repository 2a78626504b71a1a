"""Which addresses may be called at all."""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from hybrid_transcribe.errors import UnsafeInput

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
        raise UnsafeInput(f"{_redacted(url)}: not an address as RFC 3986 writes them")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UnsafeInput(f"{_redacted(url)}: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise UnsafeInput(f"{_redacted(url)}: only http and https are called")
    if not host:
        raise UnsafeInput(f"{_redacted(url)}: it names no host")
    if "@" in parts.netloc:
        raise UnsafeInput("An address with a name or password in it is not called")
    if _is_odd_number(host):
        raise UnsafeInput(f"{_redacted(url)}: write an IPv4 address as four decimal numbers")
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
