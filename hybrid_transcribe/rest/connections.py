"""How many connections a server has at once, and what it does where the system gives no more.

A connection costs a descriptor while it is open, whether anything is asked on it or not, and
descriptors are what files, workers and kernels need as well. So a server asks the system for as
many as it may have, takes connections up to a share of them, and leaves the rest to its work.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

from hybrid_transcribe.errors import OUT_OF_DESCRIPTORS, Overloaded
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.problems import PROBLEM, problem

# Windows has no such limit.
if sys.platform != "win32":
    import resource

log = logging.getLogger(__name__)

#: Most descriptors that are asked for, where the system sets no bound or one of a billion, as
#: containers do: programs that close "all" descriptors one by one would take minutes.
MOST_DESCRIPTORS = 1 << 20

#: What the limit is taken to be where the system has none.
ASSUMED_DESCRIPTORS = 8192

#: Descriptors left to the journal, uploads, workers and kernels: each kernel has about ten.
RESERVED = 224

#: Of the other descriptors connections have this share: each may have a file open as well.
SHARE = 5 / 8

#: Most connections whatever the system would give; each costs about 50 kB of memory.
MOST_CONNECTIONS = 4000

#: Connections beyond the limit that are answered in HTTP before they are closed; others are told
#: without reading what they ask.
MOST_REFUSED = 64

#: How long a refused connection may take to ask something, in seconds.
REFUSED_S = 5.0

#: When a client that was refused may try again, in seconds.
TRY_AGAIN_S = 5

#: Refusals are logged once in so many seconds, with their number.
LOG_EVERY_S = 60.0

#: A wait before the next attempt where not even a refusal can be accepted, in seconds.
PAUSE_S = 0.01

#: Errors of `accept` for want of something that may be there later.
_EXHAUSTED = frozenset({*OUT_OF_DESCRIPTORS, errno.ENOBUFS, errno.ENOMEM})

FULL = UserMessage("connections_full")


def raise_descriptor_limit() -> int:
    """Allow this process as many open files as the system lets it; returns how many that are."""
    if sys.platform == "win32":
        return ASSUMED_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most
    # macOS names no bound and refuses what is above its own.
    for limit in (most, 10_240):
        if soft < limit <= most:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                return limit
    return soft


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Most connections at once: in all, and from one address."""

    total: int
    per_address: int

    @classmethod
    def of(cls, n_descriptors: int, *, behind_proxy: bool = False) -> ConnectionLimits:
        """What fits a process with so many descriptors.

        One address has at most half, so that nobody keeps out all others. ``behind_proxy``: all
        come from one address, the proxy's.

        >>> ConnectionLimits.of(1024), ConnectionLimits.of(1 << 20).per_address
        (ConnectionLimits(total=500, per_address=250), 2000)
        """
        total = min(MOST_CONNECTIONS, max(32, int((n_descriptors - RESERVED) * SHARE)))
        return cls(total, total if behind_proxy else total // 2)


class OpenConnections:
    """The connections there are, by address. ``is_closed`` says that one has ended by itself."""

    def __init__(self, limits: ConnectionLimits, is_closed: Callable[[Any], bool]) -> None:
        self.limits = limits
        self._is_closed = is_closed
        self._address_of: dict[Hashable, str] = {}
        self._n_of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._address_of)

    def admit(self, connection: Hashable, address: str) -> bool:
        """Count a new connection; False where that would be one too many."""
        if self._is_full(address):
            # What became a websocket, or was taken over by a handler, tells nobody of its end.
            for entry in [c for c in self._address_of if self._is_closed(c)]:
                self.forget(entry)
            if self._is_full(address):
                return False
        self._address_of[connection] = address
        self._n_of[address] += 1
        return True

    def _is_full(self, address: str) -> bool:
        limits = self.limits
        return len(self) >= limits.total or self._n_of[address] >= limits.per_address

    def forget(self, connection: Hashable) -> None:
        """It has ended. Unknown ones are ignored."""
        address = self._address_of.pop(connection, None)
        if address is None:
            return
        self._n_of[address] -= 1
        if self._n_of[address] <= 0:
            del self._n_of[address]


class Refusals:
    """Counts refused connections, and logs them now and then instead of each."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self._n = 0
        self._next_s = float("-inf")

    def add(self) -> None:
        """One more."""
        self._n += 1
        now = time.monotonic()
        if now >= self._next_s:
            log.warning("Connections refused: %d, for %s", self._n, self._reason)
            self._n, self._next_s = 0, now + LOG_EVERY_S


class ListeningSocket(socket.socket):
    """A socket that listens, and goes on where the process has no descriptor left.

    `accept` then turns the caller away with 503 by means of a descriptor that is kept for that,
    and raises BlockingIOError, which event loops take for "nobody there". Otherwise the loop
    would be told of the same waiting caller again and again, and log an error each time.
    """

    _spare: int | None = None
    _refusals: Refusals

    @classmethod
    def of(cls, bound: socket.socket) -> ListeningSocket:
        """That socket, taken over: ``bound`` itself is closed."""
        blocking = bound.getblocking()
        instance = cls(bound.family, bound.type, bound.proto, fileno=bound.detach())
        instance.setblocking(blocking)
        instance._refusals = Refusals("want of file descriptors")
        instance._keep_spare()
        return instance

    def _keep_spare(self) -> None:
        if self._spare is None:
            with suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY)

    def _release_spare(self) -> bool:
        if self._spare is None:
            return False
        os.close(self._spare)
        self._spare = None
        return True

    def accept(self) -> tuple[socket.socket, Any]:
        """As `socket.socket.accept`; BlockingIOError also where a caller was turned away."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
        self._refusals.add()
        if not self._release_spare():
            time.sleep(PAUSE_S)
        try:
            with suppress(OSError):
                turn_away(super().accept()[0])
        finally:
            self._keep_spare()
        raise BlockingIOError(errno.EAGAIN, "no file descriptor is left")

    def close(self) -> None:
        """Listen no more."""
        self._release_spare()
        super().close()


def turn_away(connection: socket.socket) -> None:
    """Answer 503 without waiting for a question, and close."""
    with connection, suppress(OSError):
        connection.setblocking(False)
        connection.send(refusal())
        connection.shutdown(socket.SHUT_WR)
        # What was asked already is taken, or the answer could be lost with it.
        while connection.recv(65_536):
            pass


def refusal_headers() -> dict[str, str]:
    """Headers of the answer to a connection that is one too many."""
    return {
        "Content-Type": PROBLEM,
        "Content-Length": str(len(refusal_body())),
        "Cache-Control": "no-store",
        "Retry-After": str(TRY_AGAIN_S),
        "Connection": "close",
    }


def refusal_body() -> bytes:
    """Its body."""
    body = problem(Overloaded.code, FULL, HTTPStatus.SERVICE_UNAVAILABLE)
    return msgspec.json.encode(body)


def refusal() -> bytes:
    """The whole answer, as it is sent."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    head = [f"HTTP/1.1 {status.value} {status.phrase}"]
    head += [f"{name}: {value}" for name, value in refusal_headers().items()]
    return "\r\n".join([*head, "", ""]).encode("ascii") + refusal_body()
