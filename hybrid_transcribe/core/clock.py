"""The two times: one that only goes forward, for deadlines, and the one on the wall, for people.

Timeouts, grace periods and ETAs never look at the wall clock: it jumps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that will happen unless it is canceled."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What the job manager knows of time; `testing.ManualClock` is one that tests turn."""

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, as the machine believes."""
        ...

    def call_later(self, delay_s: float, action: Callable[[], None]) -> Timer:
        """Call ``action`` on the running loop after so many seconds."""
        ...


class LoopClock:
    """Real time, with timers on the running asyncio loop."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def call_later(self, delay_s: float, action: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, action)
