"""What engines left elsewhere and has to go, such as transcripts in the cloud.

A deletion is journalled before it is tried, and tried again until it is confirmed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hybrid_transcribe.clock import Clock, Timer
from hybrid_transcribe.types import ErrorInfo

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
        self._timers: dict[Left, Timer] = {}

    def load(self, saved: Any) -> None:
        """Go on with what an earlier process had not finished."""
        for engine, note in saved or ():
            self._tries[engine, note] = 0
        for left in tuple(self._tries):
            self._try(left)

    def add(self, engine: str, note: str) -> None:
        """Have this deleted. Twice is once."""
        left = (engine, note)
        if left not in self._tries:
            self._tries[left] = 0
            self._write()
            self._try(left)

    def answered(self, engine: str, note: str, error: ErrorInfo | None) -> None:
        """It is gone, or may still be there."""
        left = (engine, note)
        if left not in self._tries:
            return
        if error is None:
            self._forget(left)
        elif self._tries[left] >= MOST_TRIES:
            self._forget(left)
            self._give_up(engine, error)
        else:
            wait_s = min(FIRST_WAIT_S * 2.0 ** (self._tries[left] - 1), LONGEST_WAIT_S)
            self._try_in(wait_s, left)

    def _try(self, left: Left) -> None:
        self._tries[left] += 1
        self._try_in(NO_ANSWER_S, left)
        self._send(*left)

    def _try_in(self, wait_s: float, left: Left) -> None:
        self._stop_timer(left)
        self._timers[left] = self._clock.call_later(wait_s, lambda: self._try(left))

    def _stop_timer(self, left: Left) -> None:
        timer = self._timers.pop(left, None)
        if timer is not None:
            timer.cancel()

    def _forget(self, left: Left) -> None:
        self._stop_timer(left)
        del self._tries[left]
        self._write()

    def _write(self) -> None:
        self._save([list(left) for left in self._tries])
