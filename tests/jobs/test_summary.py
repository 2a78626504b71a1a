"""A job is what its recordings are."""

from __future__ import annotations

import pytest

from hybrid_transcribe.jobs.summary import job_eta_s, job_percentage, job_state
from hybrid_transcribe.types import State

from .conftest import make_recording


@pytest.mark.parametrize(
    ("states", "job"),
    [
        ("queued queued", "queued"),
        ("completed queued", "queued"),
        ("completed preparing queued", "preparing"),
        ("running preparing", "running"),
        ("failed canceling", "canceling"),
        ("failed completed", "completed"),
        ("canceled failed", "canceled"),
        ("failed failed", "failed"),
    ],
)
def test_state(states: str, job: str) -> None:
    """The liveliest while anything lives, then the best that came of it."""
    assert job_state([make_recording(state=State(s)) for s in states.split()]) is State(job)


def test_percentage_is_weighted_by_length() -> None:
    """A long recording counts for more."""
    long = make_recording(duration_s=90.0, state=State.RUNNING, percentage=50.0)
    short = make_recording(duration_s=10.0, state=State.COMPLETED, percentage=100.0)
    assert job_percentage([long, short]) == 55.0


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_what_did_not_end_well_is_not_100(state: State) -> None:
    """A job that failed or was canceled shows how far it came."""
    stopped = make_recording(state=state, percentage=24.0)
    assert job_percentage([stopped]) == 24.0
    done = make_recording(state=State.COMPLETED, percentage=100.0)
    assert job_percentage([stopped, done]) == 100.0


def test_never_100_before_the_end() -> None:
    """Rounding does not finish a job."""
    almost = make_recording(state=State.RUNNING, percentage=99.99)
    assert job_percentage([almost]) == 99.9


def test_nobody_knows() -> None:
    """A job only in the cloud has no percentage and no ETA."""
    cloud = make_recording(state=State.RUNNING, percentage=None)
    assert job_percentage([cloud]) is None
    assert job_eta_s([cloud]) is None


def test_eta_is_the_last_one() -> None:
    """A job is done when its last recording is."""
    ends = [make_recording(eta_s=e) for e in (3.0, 7.0)]
    assert job_eta_s([*ends, make_recording(state=State.COMPLETED)]) == 7.0
