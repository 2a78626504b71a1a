"""What becomes of the recordings in the hands of a worker that died: a pure decision.

The one recording that was open is to blame. When there were several, nobody is, but they run
alone from then on, so that the next death is clear. What was not opened yet goes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hybrid_transcribe.errors import WorkerCrashed
from hybrid_transcribe.interfaces import WorkerExit
from hybrid_transcribe.jobs.assignment import Assignment
from hybrid_transcribe.jobs.machine import Change, Requeued, WorkerLost
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import ErrorInfo


def crash_verdicts(
    flights: Sequence[Assignment], worker_exit: WorkerExit, max_deaths: int
) -> Iterator[tuple[Assignment, Change]]:
    """The change for each recording that is still wanted."""
    items = [f for f in flights if not f.let_go]
    # What was let go may have been open all the same, and the cause.
    ghost = any(f.let_go and f.touched for f in flights)
    suspects = [] if ghost else [f for f in items if f.touched] or items
    alone = len(suspects) == 1
    for flight in items:
        if flight in suspects:
            yield flight, WorkerLost(crash_error(worker_exit), alone, not alone, max_deaths)
        else:
            yield flight, Requeued()


def crash_error(worker_exit: WorkerExit) -> ErrorInfo:
    """The error a recording gets that cost too many workers."""
    words = worker_exit.last_words.strip().splitlines()
    message = UserMessage("worker_died", exit=worker_exit.message)
    if words:
        message = UserMessage("worker_died_words", exit=worker_exit.message, text=words[-1])
    return WorkerCrashed(message).info()
