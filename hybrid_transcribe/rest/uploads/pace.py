"""Sends away who sends too slowly: a drip of bytes holds a connection and a file for days."""

from __future__ import annotations

from collections.abc import Callable

from hybrid_transcribe.core.clock import Clock, Timer
from hybrid_transcribe.errors import TooSlow
from hybrid_transcribe.rest.uploads.limits import UploadLimits


class UploadPace:
    """Watches one body. Time in which we ourselves do not read (`hold`) does not count."""

    def __init__(self, limits: UploadLimits, clock: Clock, slow: Callable[[TooSlow], None]) -> None:
        """``slow`` is called once, on the loop, with what to say."""
        self._limits, self._clock, self._slow = limits, clock, slow
        self._last = self._since = clock.monotonic()
        self._bytes = 0
        self._held: float | None = None
        self._timer: Timer | None = None
        self._wait()

    def came(self, n_bytes: int) -> None:
        """So many bytes came."""
        self._last = self._clock.monotonic()
        self._bytes += n_bytes

    def hold(self) -> None:
        """We do not read for a while."""
        self._held = self._clock.monotonic()
        self._pause()

    def go_on(self) -> None:
        """We read again."""
        if self._held is None:
            return
        away_s = self._clock.monotonic() - self._held
        self._last, self._since, self._held = self._last + away_s, self._since + away_s, None
        self._wait()

    def stop(self) -> None:
        """That was all."""
        self._held = None
        self._pause()

    def _pause(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        due = min(self._last + self._limits.idle_s, self._since + self._limits.window_s)
        self._timer = self._clock.call_later(max(0.0, due - self._clock.monotonic()), self._look)

    def _look(self) -> None:
        late = self._late(self._clock.monotonic())
        if late:
            self._timer = None
            self._slow(TooSlow(late))
            return
        self._wait()

    def _late(self, now: float) -> str | None:
        limits = self._limits
        if now >= self._last + limits.idle_s:
            return f"No byte of the body came for {limits.idle_s:g} s"
        if now < self._since + limits.window_s:
            return None
        rate, self._since, self._bytes = self._bytes / (now - self._since), now, 0
        if rate >= limits.least_bytes_per_s:
            return None
        return (
            f"The body comes at {rate:.0f} bytes/s; at least {limits.least_bytes_per_s:g} bytes/s "
            f"are asked for, over {limits.window_s:g} s"
        )
