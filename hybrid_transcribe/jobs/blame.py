"""What becomes of the recordings in the hands of a worker that died: a pure decision.

The one recording that was open is to blame. When there were several, nobody is, but they run
alone from then on, so that the next death is clear. What was not opened yet goes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hybrid_transcribe.errors import WorkerCrashed
from hybrid_transcribe.interfaces import WorkerExit
from hybrid_transcribe.jobs.flight import Flight
from hybrid_transcribe.jobs.machine import Change, Lost, Requeued
from hybrid_transcribe.types import ErrorInfo


def verdicts(
    flights: Sequence[Flight], how: WorkerExit, wall: float, max_deaths: int
) -> Iterator[tuple[Flight, Change]]:
    """The change for each recording that is still wanted. ``wall`` is seconds since the epoch."""
    wanted = [f for f in flights if not f.let_go]
    # What was let go may have been open all the same, and the cause.
    ghost = any(f.let_go and f.touched for f in flights)
    suspects = [] if ghost else [f for f in wanted if f.touched] or wanted
    alone = len(suspects) == 1
    for flight in wanted:
        if flight in suspects:
            yield flight, Lost(crashed(how), wall, alone, not alone, max_deaths)
        else:
            yield flight, Requeued(wall)


def crashed(how: WorkerExit) -> ErrorInfo:
    """The error a recording gets that cost too many workers."""
    words = how.last_words.strip().splitlines()
    last = f"; its last words: {words[-1]}" if words else ""
    return WorkerCrashed(f"The worker process died ({how}){last}").info()
