"""What engines left elsewhere and has to go, such as transcripts in the cloud.

A deletion is journalled before it is tried, and tried again until it is confirmed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from hybrid_transcribe.clock import Clock, Timer
from hybrid_transcribe.errors import EngineFailed
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


class Erasures:
    """Used on the engine-room loop only.

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
        self._asked: set[Left] = set()
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
        left = (engine, note)
        if left not in self._tries:
            self._take_in(left)
            self._write()
            self._pump()

    def answered(self, engine: str, note: str, error: ErrorInfo | None) -> None:
        """It is gone, or may still be there."""
        left = (engine, note)
        if left not in self._tries:
            return
        self._asked.discard(left)
        if error is None:
            self._forget(left)
        else:
            self._last[left] = error
            wait_s = min(FIRST_WAIT_S * 2.0 ** (self._tries[left] - 1), LONGEST_WAIT_S)
            self._again_in(wait_s, left)
        self._pump()

    async def settle(self, within_s: float) -> None:
        """Wait for the answers; what is then not confirmed is told, for nobody tries again."""
        self._idle.clear()
        if self._tries:
            try:
                await asyncio.wait_for(self._idle.wait(), within_s)
            except asyncio.TimeoutError:
                for left in tuple(self._tries):
                    self._end(left)

    def _take_in(self, left: Left) -> None:
        self._tries[left] = 0
        self._ready.append(left)

    def _pump(self) -> None:
        while self._ready and len(self._asked) < AT_ONCE:
            left = self._ready.popleft()
            if left in self._tries:
                self._ask(left)

    def _ask(self, left: Left) -> None:
        self._asked.add(left)
        self._tries[left] += 1
        self._again_in(NO_ANSWER_S, left)
        self._send(*left)

    def _again_in(self, wait_s: float, left: Left) -> None:
        self._stop_timer(left)
        self._timers[left] = self._clock.call_later(wait_s, lambda: self._due(left))

    def _due(self, left: Left) -> None:
        self._asked.discard(left)
        if self._tries[left] >= MOST_TRIES:
            self._end(left)
        else:
            self._ready.append(left)
        self._pump()

    def _end(self, left: Left) -> None:
        """No more tries: tell people."""
        error = self._last.get(left) or EngineFailed("no answer").info()
        self._forget(left)
        self._give_up(left[0], error)

    def _stop_timer(self, left: Left) -> None:
        timer = self._timers.pop(left, None)
        if timer is not None:
            timer.cancel()

    def _forget(self, left: Left) -> None:
        self._stop_timer(left)
        self._asked.discard(left)
        self._last.pop(left, None)
        del self._tries[left]
        self._write()
        if not self._tries:
            self._idle.set()

    def plain(self) -> list[list[str]]:
        """What is not confirmed yet, as JSON values."""
        return [list(left) for left in self._tries]

    def _write(self) -> None:
        self._save(self.plain())
