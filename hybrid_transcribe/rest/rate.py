"""How often one client may ask for work: a bucket of tokens for each address."""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from hybrid_transcribe.errors import RateLimited
from hybrid_transcribe.messages import UserMessage

#: Clients remembered at once. Whoever has not asked for longest is forgotten first.
CLIENTS = 10_000

#: What is counted: calls that create work, and those that hold a connection. A path stands for
#: all below it as well.
COUNTED: tuple[tuple[str, frozenset[str]], ...] = (
    ("/jobs", frozenset({"POST", "PUT"})),
    ("/files", frozenset({"POST"})),
    ("/v1/audio", frozenset({"POST"})),
    ("/asr", frozenset({"POST"})),
    ("/detect-language", frozenset({"POST"})),
    ("/queues/events", frozenset({"GET"})),
)

# Bits of an IPv6 address that one household has.
_HOUSEHOLD_BITS = 64


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class Rates:
    """A bucket for each client, which holds a minute's worth of calls when full.

    Attributes:
        per_min: calls that a client may make in a minute; 0 is for no limit.
        now: monotonic time in seconds.
    """

    per_min: int
    now: Callable[[], float]
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)
    # Hosts may have more than one loop.
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, address: str) -> dict[str, str]:
        """Count a call; the headers that tell what is left. Raises RateLimited."""
        if not self.per_min:
            return {}
        with self._lock:
            bucket = self._bucket(client_of(address))
            if bucket.tokens < 1.0:
                raise RateLimited(
                    UserMessage("rate_limit", n=self.per_min, address=address),
                    retry_after_s=(1.0 - bucket.tokens) * 60.0 / self.per_min,
                )
            bucket.tokens -= 1.0
            return self._headers(bucket.tokens)

    def refused(self) -> dict[str, str]:
        """The headers for whoever has nothing left."""
        return self._headers(0.0) if self.per_min else {}

    def _bucket(self, client: str) -> _Bucket:
        now = self.now()
        bucket = self._buckets.pop(client, None) or _Bucket(self.per_min, now)
        gained = (now - bucket.at) * self.per_min / 60.0
        bucket.tokens, bucket.at = min(float(self.per_min), bucket.tokens + gained), now
        self._buckets[client] = bucket
        while len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        return bucket

    def _headers(self, remaining: float) -> dict[str, str]:
        full_in_s = math.ceil((self.per_min - remaining) * 60.0 / self.per_min)
        return {
            "RateLimit-Policy": f'"work";q={self.per_min};w=60',
            "RateLimit": f'"work";r={int(remaining)};t={full_in_s}',
        }


def counted(method: str, path: str) -> bool:
    """True for a call that is counted; ``path`` is that below the service's prefix.

    >>> counted("POST", "/jobs"), counted("POST", "/jobs/1/cancel"), counted("GET", "/jobs")
    (True, False, False)
    """
    if path.startswith("/jobs/"):
        # Only a retry is new work.
        return method == "POST" and path.endswith("/retry")
    return any(
        method in methods and (path == start or path.startswith(f"{start}/"))
        for start, methods in COUNTED
    )


def client_of(address: str) -> str:
    """Who is behind an address: of IPv6 a whole network, since each has very many.

    >>> client_of("192.0.2.7"), client_of("2001:db8::1:2:3:4"), client_of("unix")
    ('192.0.2.7', '2001:db8::', 'unix')
    """
    try:
        result = ipaddress.ip_address(address)
    except ValueError:
        return address
    if result.version == 4:
        return address
    if result.ipv4_mapped is not None:
        return str(result.ipv4_mapped)
    return str(ipaddress.ip_network((int(result), _HOUSEHOLD_BITS), strict=False).network_address)
