"""Whose turn it is: fair between sessions, then by priority, then by age.

A turn is one batch of one session. Within it, and only there, the longest goes first, so that
a batch that runs in parallel ends together. A newcomer waits for at most one turn of each
session that was there before it, however much those have queued.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import TypeVar

from hybrid_transcribe.types import Spec

_T = TypeVar("_T")

#: Bytes of a compressed second of speech (128 kbit/s), to guess a length from a size.
BYTES_PER_S = 16_000


@dataclass(frozen=True, slots=True, order=True)
class QueueItem:
    """A place in the queue; tickets of one session sort by urgency, then age.

    ``stage``: the post-processor that is next, where the engine is through with it.
    """

    sort_key: tuple[int, int, int] = field()
    recording_id: str = field(compare=False)
    session_id: str = field(compare=False)
    spec: Spec = field(compare=False)
    length_s: float = field(compare=False, default=0.0)
    solo: bool = field(compare=False, default=False)
    stage: str | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of one batch: recordings and seconds of audio (one recording always fits)."""

    max_recordings: int = 8
    max_audio_s: float = 300.0


def sort_key(priority: int, age: int, index: int) -> tuple[int, int, int]:
    """The sort key of a ticket: higher priority first, then older jobs, then their order."""
    return (-priority, age, index)


class FairQueue:
    """Tickets waiting for one lane."""

    def __init__(self) -> None:
        # Sessions in the order of their next turn, each with its tickets sorted.
        self._waiting: OrderedDict[str, list[QueueItem]] = OrderedDict()
        self._tickets: dict[str, QueueItem] = {}
        # Whose turn is under way: behind everybody who comes before the next one is chosen.
        self._served: str | None = None

    def __len__(self) -> int:
        return len(self._tickets)

    def __contains__(self, recording_id: str) -> bool:
        return recording_id in self._tickets

    def length_of(self, session_id: str) -> int:
        """How many tickets of one session wait."""
        return len(self._waiting.get(session_id, ()))

    def add(self, ticket: QueueItem) -> None:
        """Queue a recording; a session without a place in the round gets the last one."""
        self.remove(ticket.recording_id)
        insort(self._waiting.setdefault(ticket.session_id, []), ticket)
        self._tickets[ticket.recording_id] = ticket

    def remove(self, recording_id: str) -> None:
        """Take a recording out; unknown ones are ignored."""
        ticket = self._tickets.pop(recording_id, None)
        if ticket is None:
            return
        line = self._waiting[ticket.session_id]
        del line[bisect_left(line, ticket)]
        if not line:
            del self._waiting[ticket.session_id]

    def take(self, turn: BatchLimits) -> list[QueueItem]:
        """The next batch, longest first; then its session goes to the end of the round."""
        if not self._waiting:
            return []
        self._send_back(self._waiting)
        session_id, line = next(iter(self._waiting.items()))
        batch = _batch(line, turn)
        for ticket in batch:
            self.remove(ticket.recording_id)
        self._served = session_id
        return sorted(batch, key=_longest_first)

    def _send_back(self, lines: OrderedDict[str, _T]) -> None:
        if self._served is not None and self._served in lines:
            lines.move_to_end(self._served)

    def head(self) -> QueueItem | None:
        """The ticket that the next turn begins with; None where nothing waits."""
        for session_id, line in self._waiting.items():
            if session_id != self._served or len(self._waiting) == 1:
                return line[0]
        return None

    def forecast(self, turn: BatchLimits) -> Iterator[QueueItem]:
        """Every ticket in the order in which `take` would hand them out.

        As the queue is when the first is asked for, whatever happens to it afterwards.
        """
        lines = OrderedDict((s, (list(line), 0)) for s, line in self._waiting.items())
        self._send_back(lines)
        # Chosen before their place in the line is reached.
        chosen: set[str] = set()
        while lines:
            session_id, (line, start) = lines.popitem(last=False)
            batch = _batch(line, turn, start, chosen)
            yield from sorted(batch, key=_longest_first)
            chosen.update(ticket.recording_id for ticket in batch)
            while start < len(line) and line[start].recording_id in chosen:
                chosen.remove(line[start].recording_id)
                start += 1
            if start < len(line):
                lines[session_id] = (line, start)


def _longest_first(ticket: QueueItem) -> float:
    return -ticket.length_s


def _batch(
    line: list[QueueItem], turn: BatchLimits, start: int = 0, chosen: Set[str] = frozenset()
) -> list[QueueItem]:
    """What one turn takes from a session's line: its head, and others alike, up to the limits.

    Those that are ``chosen`` already are passed over.
    """
    head = line[start]
    if head.solo:
        return [head]
    batch, audio_s = [head], head.length_s
    for place in range(start + 1, len(line)):
        ticket = line[place]
        if len(batch) >= turn.max_recordings:
            break
        if ticket.solo or ticket.spec != head.spec or ticket.recording_id in chosen:
            continue
        if audio_s + ticket.length_s > turn.max_audio_s:
            break
        batch.append(ticket)
        audio_s += ticket.length_s
    return batch
