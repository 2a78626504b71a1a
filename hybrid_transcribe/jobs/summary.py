"""A job's own state, percentage and ETA, derived from its recordings.

A job is what its recordings are: completed when at least one is and none is left, failed when
all failed, canceled when all that did not complete were canceled on the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hybrid_transcribe.types import Recording, State

#: While anything is alive, the job shows the liveliest of its recordings.
_LIVELIEST = (State.RUNNING, State.PREPARING, State.CANCELING, State.QUEUED)


@dataclass(slots=True)
class JobProgress:
    """Sums over the recordings of a job, kept up with each change instead of counted anew.

    A job may have thousands of recordings, each with many changes.
    """

    states: Counter[State] = field(default_factory=Counter)
    n_lengths: int = 0
    lengths_s: float = 0.0
    weight_s: float = 0.0
    done: float = 0.0
    n_unmeasured: int = 0
    done_unmeasured: float = 0.0
    highest: float = 0.0

    @classmethod
    def of(cls, recordings: Iterable[Recording]) -> JobProgress:
        """The tally of these."""
        tally = cls()
        for recording in recordings:
            tally.count(recording, 1)
        return tally

    def count(self, recording: Recording, sign: int) -> None:
        """Add (1) a recording or take it out again (-1)."""
        self.states[recording.state] += sign
        length_s, share = recording.duration_s, recording.percentage
        if length_s:
            self.n_lengths += sign
            self.lengths_s += sign * length_s
        if share is None:
            return
        if length_s:
            self.weight_s += sign * length_s
            self.done += sign * length_s * share
        else:
            self.n_unmeasured += sign
            self.done_unmeasured += sign * share

    def state(self) -> State:
        """The state of a job with these recordings."""
        for state in (*_LIVELIEST, State.COMPLETED, State.CANCELED):
            if self.states[state]:
                return state
        return State.FAILED

    def percentage(self) -> float | None:
        """Mean over the recordings that can be known, weighted by length.

        None when nothing is known, 100 only when the job is completed, and never less than
        it was before: lengths that become known may shift the weights.
        """
        if self.state() is State.COMPLETED:
            return 100.0
        usual_s = self.lengths_s / self.n_lengths if self.n_lengths else 1.0
        total = self.weight_s + usual_s * self.n_unmeasured
        if total <= 1e-9:
            return None
        mean = (self.done + usual_s * self.done_unmeasured) / total
        self.highest = max(self.highest, min(round(mean, 1), 99.9))
        return self.highest


def job_state(recordings: Iterable[Recording]) -> State:
    """The state of a job with these recordings."""
    return JobProgress.of(recordings).state()


def job_percentage(recordings: Iterable[Recording]) -> float | None:
    """The percentage of a job with these recordings (see `JobProgress.percentage`)."""
    return JobProgress.of(recordings).percentage()


def job_eta_s(recordings: Sequence[Recording]) -> float | None:
    """Until the last one is done; None when over or when any of them is unknown."""
    alive = [r.eta_s for r in recordings if not r.state.terminal]
    if not alive or None in alive:
        return None
    return max(eta for eta in alive if eta is not None)
