"""A job's own state, percentage and ETA, derived from its recordings.

A job is what its recordings are: completed when at least one is and none is left, failed when
all failed, canceled when all that did not complete were canceled on the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_transcribe.types import Recording, State

#: While anything is alive, the job shows the liveliest of its recordings.
_LIVELIEST = (State.RUNNING, State.PREPARING, State.CANCELING, State.QUEUED)


def job_state(recordings: Sequence[Recording]) -> State:
    """The state of a job with these recordings."""
    states = {r.state for r in recordings}
    for state in _LIVELIEST:
        if state in states:
            return state
    for state in (State.COMPLETED, State.CANCELED):
        if state in states:
            return state
    return State.FAILED


def job_percentage(recordings: Sequence[Recording]) -> float | None:
    """Mean over the recordings that can be known, weighted by length.

    None when nothing is known, and 100 only when the job is completed.
    """
    if job_state(recordings) is State.COMPLETED:
        return 100.0
    lengths = [r.duration_s for r in recordings if r.duration_s]
    usual_s = sum(lengths) / len(lengths) if lengths else 1.0
    total = done = 0.0
    for r in recordings:
        if r.percentage is not None:
            weight = r.duration_s or usual_s
            total += weight
            done += weight * r.percentage
    return min(round(done / total, 1), 99.9) if total else None


def job_eta_s(recordings: Sequence[Recording]) -> float | None:
    """Until the last one is done; None when over or when any of them is unknown."""
    alive = [r.eta_s for r in recordings if not r.state.terminal]
    if not alive or None in alive:
        return None
    return max(eta for eta in alive if eta is not None)
