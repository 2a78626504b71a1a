"""What engines left elsewhere and has to go, such as transcripts in the cloud.

A deletion is journalled before it is tried, and tried again until it is confirmed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from hybrid_transcribe.core.backoff import backoff_s
from hybrid_transcribe.core.clock import Clock, Timer
from hybrid_transcribe.errors import EngineFailed
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import ErrorInfo

#: Deletions asked for side by side: each costs its worker a connection.
AT_ONCE = 4

#: Wait before another try, in seconds: doubled each time up to the second figure.
FIRST_WAIT_S, LONGEST_WAIT_S = 30.0, 3600.0

#: A worker that has not answered by then is dead, in seconds.
NO_ANSWER_S = 120.0

#: So many tries (about a day) are enough to tell people instead.
MOST_TRIES = 30

#: An engine and its note.
Left = tuple[str, str]


class RemoteCleanup:
    """Used on the manager loop only.

    ``send`` asks for a deletion and returns at once, `answered` brings the answer. ``save``
    journals the list. ``give_up`` tells people what stayed.
    """

    def __init__(
        self,
        clock: Clock,
        send: Callable[[str, str], None],
        save: Callable[[list[list[str]]], None],
        give_up: Callable[[str, ErrorInfo], None],
    ) -> None:
        self._clock = clock
        self._send = send
        self._save = save
        self._give_up = give_up
        self._tries: dict[Left, int] = {}
        self._ready: deque[Left] = deque()
        self._in_progress: set[Left] = set()
        self._timers: dict[Left, Timer] = {}
        self._last: dict[Left, ErrorInfo] = {}
        self._idle = asyncio.Event()

    def load(self, saved: Any) -> None:
        """Go on with what an earlier process had not finished."""
        for engine, note in saved or ():
            self._take_in((engine, note))
        self._pump()

    def add(self, engine: str, note: str) -> None:
        """Have this deleted. Twice is once."""
        items = (engine, note)
        if items not in self._tries:
            self._take_in(items)
            self._write()
            self._pump()

    def answered(self, engine: str, note: str, error: ErrorInfo | None) -> None:
        """It is gone, or may still be there."""
        items = (engine, note)
        if items not in self._tries:
            return
        self._in_progress.discard(items)
        if error is None:
            self._forget(items)
        else:
            self._last[items] = error
            wait_s = backoff_s(self._tries[items], FIRST_WAIT_S, LONGEST_WAIT_S)
            self._again_in(wait_s, items)
        self._pump()

    async def settle(self, within_s: float) -> None:
        """Wait for the answers; what is then not confirmed is told, for nobody tries again."""
        self._idle.clear()
        if self._tries:
            try:
                await asyncio.wait_for(self._idle.wait(), within_s)
            except asyncio.TimeoutError:
                for remaining in tuple(self._tries):
                    self._end(remaining)

    def _take_in(self, remaining: Left) -> None:
        self._tries[remaining] = 0
        self._ready.append(remaining)

    def _pump(self) -> None:
        while self._ready and len(self._in_progress) < AT_ONCE:
            remaining = self._ready.popleft()
            if remaining in self._tries:
                self._ask(remaining)

    def _ask(self, remaining: Left) -> None:
        self._in_progress.add(remaining)
        self._tries[remaining] += 1
        self._again_in(NO_ANSWER_S, remaining)
        self._send(*remaining)

    def _again_in(self, wait_s: float, remaining: Left) -> None:
        self._stop_timer(remaining)
        self._timers[remaining] = self._clock.call_later(wait_s, lambda: self._due(remaining))

    def _due(self, remaining: Left) -> None:
        self._in_progress.discard(remaining)
        if self._tries[remaining] >= MOST_TRIES:
            self._end(remaining)
        else:
            self._ready.append(remaining)
        self._pump()

    def _end(self, remaining: Left) -> None:
        """No more tries: tell people."""
        error = self._last.get(remaining) or EngineFailed(UserMessage("silent")).info()
        self._forget(remaining)
        self._give_up(remaining[0], error)

    def _stop_timer(self, remaining: Left) -> None:
        timer = self._timers.pop(remaining, None)
        if timer is not None:
            timer.cancel()

    def _forget(self, remaining: Left) -> None:
        self._stop_timer(remaining)
        self._in_progress.discard(remaining)
        self._last.pop(remaining, None)
        del self._tries[remaining]
        self._write()
        if not self._tries:
            self._idle.set()

    def plain(self) -> list[list[str]]:
        """What is not confirmed yet, as JSON values."""
        return [list(remaining) for remaining in self._tries]

    def _write(self) -> None:
        self._save(self.plain())
