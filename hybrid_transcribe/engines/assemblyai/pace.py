"""How often to ask AssemblyAI, how long to wait after trouble, and when to give up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from hybrid_transcribe.core.backoff import backoff_s, spread_s


@dataclass(frozen=True, slots=True)
class PollingPace:
    """Times in seconds.

    Attributes:
        poll_first_s, poll_longest_s: between two looks at a transcript, growing by half.
        retry_first_s, retry_longest_s: after trouble, doubling.
        retry_after_longest_s: most that the service's own ``Retry-After`` is followed.
        silence_s: longest wait for a connection, or for the next bytes either way.
        request_s: longest request and answer in all, so that a drip ends too. An upload may
            take as long as its recording may.
        look_s: how often cancels are noticed.
        submitting_s, deleting_s, finding_s: after a cancel, the waits for the answer to a
            request under way, for the deletion, and for the listing where that answer never
            came. Together they stay below 2 s: then the worker would be killed.
        unreached_s: longest that is tried where nothing was ever answered: without a network
            people should know within minutes.
        discarding_s: longest deletion of what another attempt left, before a new upload.
        erasing_s: longest deletion that nobody waits for.
        chance, now: where chance (0..1) and monotonic time come from.
    """

    poll_first_s: float = 1.0
    poll_longest_s: float = 5.0
    retry_first_s: float = 1.0
    retry_longest_s: float = 30.0
    retry_after_longest_s: float = 120.0
    silence_s: float = 30.0
    request_s: float = 60.0
    look_s: float = 0.05
    submitting_s: float = 0.6
    deleting_s: float = 0.7
    finding_s: float = 0.3
    unreached_s: float = 120.0
    discarding_s: float = 3.0
    erasing_s: float = 30.0
    chance: Callable[[], float] = random.random
    now: Callable[[], float] = time.monotonic

    def poll_wait_s(self, n: int) -> float:
        """Before look ``n`` (0, 1…), a fifth more or less so that many do not fall in step."""
        grown = backoff_s(n + 1, self.poll_first_s, self.poll_longest_s, growth=1.5)
        return grown * (0.8 + 0.4 * self.chance())

    def retry_wait_s(self, n: int, asked_s: float | None = None) -> float:
        """After trouble number ``n`` (0, 1…): at least half the step, and what was asked for."""
        step = backoff_s(n + 1, self.retry_first_s, self.retry_longest_s)
        own = spread_s(step, self.chance())
        return max(own, min(asked_s or 0.0, self.retry_after_longest_s))


def retry_after_s(value: str | None, now: float) -> float | None:
    """Seconds that a ``Retry-After`` header asks for: a number or a date (RFC 9110, 10.2.3).

    ``now`` is wall-clock time. None where it is absent or makes no sense.

    >>> retry_after_s("7", 0.0), retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 50.0)
    (7.0, 10.0)
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None


class Deadline:
    """A point in time, so many seconds from when it is made."""

    def __init__(self, limit_s: float, now: Callable[[], float]) -> None:
        self.limit_s = limit_s
        self._now = now
        self._end = now() + limit_s

    def left_s(self) -> float:
        """Seconds until then; 0 or less when it is over."""
        return self._end - self._now()
