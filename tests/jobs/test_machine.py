"""Every cell of (state x change), and what a change does to a recording."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe import protocol as p
from hybrid_transcribe.errors import InvalidTransition
from hybrid_transcribe.jobs import machine as m
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.types import (
    ErrorInfo,
    PendingStage,
    Recording,
    RecordingFacts,
    Segment,
    Spec,
    Stage,
    State,
    WithheldSegment,
)

from .conftest import make_recording

ERROR = ErrorInfo("worker_crashed", "gone")

EXAMPLES: dict[type, m.Change] = {
    m.Dispatched: m.Dispatched(),
    p.StageChanged: p.StageChanged(Stage.TRANSCRIBING),
    p.MetadataLearned: p.MetadataLearned(RecordingFacts(duration_s=10.0)),
    p.SegmentTranscribed: p.SegmentTranscribed(0, Segment(0.0, 5.0, "text")),
    p.SegmentsTranscribed: p.SegmentsTranscribed(0, (Segment(0.0, 5.0, "text"),), 6.0),
    p.TextWithheld: p.TextWithheld(WithheldSegment(0.0, 1.0, "text", "no_voice")),
    p.ProgressAdvanced: p.ProgressAdvanced(5.0),
    p.WarningRaised: p.WarningRaised("on the CPU"),
    p.CheckpointSaved: p.CheckpointSaved("transcript 7"),
    p.RecordingCompleted: p.RecordingCompleted(10.0),
    p.RecordingFailed: p.RecordingFailed(ERROR),
    p.RecordingCanceled: p.RecordingCanceled(),
    p.StageNotNeeded: p.StageNotNeeded("speakers"),
    p.PostProcessed: p.PostProcessed("speakers", Document()),
    p.PostProcessingFailed: p.PostProcessingFailed("speakers", ERROR),
    m.CancelRequested: m.CancelRequested(),
    m.WorkerLost: m.WorkerLost(ERROR),
    m.Requeued: m.Requeued(),
    m.RetryRequested: m.RetryRequested(resume=True),
    m.StageRequested: m.StageRequested(PendingStage("speakers")),
}


def step(recording: Recording, change: m.Change) -> Recording:
    """A moment later."""
    return m.step(recording, change, 2.0)


#: What comes of each change in each state; everything else is refused.
Q, P, R, X, C, F, N = (
    State.QUEUED,
    State.PREPARING,
    State.RUNNING,
    State.CANCELING,
    State.COMPLETED,
    State.FAILED,
    State.CANCELED,
)
NEXT: dict[type, dict[State, State]] = {
    m.Dispatched: {Q: P},
    p.StageChanged: {P: R, R: R, X: X},
    p.MetadataLearned: {s: s for s in State},
    p.SegmentTranscribed: {P: R, R: R, X: X},
    p.SegmentsTranscribed: {P: R, R: R, X: X},
    p.TextWithheld: {s: s for s in State},
    p.ProgressAdvanced: {P: R, R: R, X: X},
    p.WarningRaised: {s: s for s in State},
    p.CheckpointSaved: {s: s for s in State},
    p.RecordingCompleted: {P: C, R: C, X: C},
    p.RecordingFailed: {Q: F, P: F, R: F, X: N},
    m.CancelRequested: {Q: N, P: X, R: X, X: X},
    p.RecordingCanceled: {X: N},
    p.StageNotNeeded: {P: P, R: R, X: X},
    p.PostProcessed: {P: C, R: C, X: C},
    p.PostProcessingFailed: {P: C, R: C, X: C},
    m.WorkerLost: {P: Q, R: Q, X: N},
    m.Requeued: {P: Q, R: Q, X: N},
    m.RetryRequested: {C: Q, F: Q, N: Q},
    m.StageRequested: {C: Q},
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_cell(kind: type, state: State) -> None:
    """A change leads where the table says, or is refused with its name and the state."""
    before = make_recording(state=state)
    expected = NEXT[kind].get(state)
    if expected is None:
        with pytest.raises(InvalidTransition, match=f"{kind.__name__}.*{state}"):
            step(before, EXAMPLES[kind])
    else:
        assert step(before, EXAMPLES[kind]).state is expected


def test_the_table_knows_every_change() -> None:
    """No change was forgotten in the table of the machine or of this test."""
    assert set(get_args(m.Change)) == set(m.ALLOWED) == set(NEXT)


def test_preparing_stages_do_not_run() -> None:
    """Loading and decoding are preparing; only work on the audio itself is running."""
    before = make_recording(state=State.PREPARING)
    assert step(before, p.StageChanged(Stage.LOADING_MODEL)).state is State.PREPARING


def test_the_cloud_has_no_percentage() -> None:
    """Where nobody can know how far it is, nobody is told."""
    before = make_recording(state=State.PREPARING)
    assert step(before, p.StageChanged(Stage.WAITING_FOR_CLOUD)).percentage is None


def test_third_death_alone_is_the_end() -> None:
    """A recording that was alone with three dying workers fails with their error."""
    r = make_recording()
    for _ in range(3):
        r = step(replace(r, state=State.RUNNING), m.WorkerLost(ERROR, blamed=True))
    assert (r.state, r.error, r.worker_deaths) == (State.FAILED, ERROR, 3)


def test_suspects_run_alone_but_are_not_blamed() -> None:
    """Batch-mates of a death get no strike, and are told apart next time."""
    r = step(make_recording(state=State.RUNNING), m.WorkerLost(ERROR, suspect=True))
    assert (r.worker_deaths, r.solo, r.attempt) == (0, True, 2)


def test_restarts_never_count() -> None:
    """A recording may be requeued for ever without getting a strike."""
    r = make_recording()
    for _ in range(50):
        r = step(replace(r, state=State.RUNNING), m.Requeued())
    assert (r.worker_deaths, r.attempt, r.state) == (0, 51, State.QUEUED)


def test_requeued_keeps_what_was_finished() -> None:
    """The next attempt goes on after the last finished segment."""
    r = step(
        make_recording(state=State.RUNNING), p.SegmentTranscribed(1, Segment(2.0, 4.0, "text"))
    )
    r = step(r, m.Requeued())
    assert (r.done_s, r.n_segments, r.percentage) == (4.0, 2, 40.0)


def test_what_was_not_sent_yet_is_done_again() -> None:
    """Progress of a block whose segments come at its end is for people: a death goes back."""
    r = make_recording(state=State.RUNNING)
    two = (Segment(0.0, 3.0, "one"), Segment(1.0, 2.0, "other"))
    r = step(r, p.ProgressAdvanced(3.0, resume_s=0.0))
    assert (r.done_s, r.percentage) == (3.0, 30.0)
    back = step(r, m.WorkerLost(ERROR))
    assert (back.done_s, back.n_segments, back.percentage) == (0.0, 0, 0.0)
    r = step(r, p.SegmentsTranscribed(0, two, 4.0))
    r = step(r, p.ProgressAdvanced(7.0, resume_s=4.0))
    back = step(r, m.WorkerLost(ERROR))
    assert (back.done_s, back.n_segments, back.percentage) == (4.0, 2, 40.0)
    done = step(r, p.RecordingCompleted(10.0))
    assert (done.done_s, done.resume_s) == (10.0, None)


def test_retry_afresh_forgets_what_was_finished() -> None:
    """A retry with another engine starts from nothing."""
    r = make_recording(state=State.FAILED, done_s=4.0, n_segments=2, language="pt", error=ERROR)
    r = step(r, m.RetryRequested(resume=False, spec=Spec("other", "x")))
    assert (r.done_s, r.n_segments, r.language, r.error, r.percentage) == (0.0, 0, None, None, 0.0)


def test_warnings_are_kept_once() -> None:
    """The same line said twice is read once."""
    r = make_recording(state=State.RUNNING)
    for _ in range(2):
        r = step(r, p.WarningRaised("on the CPU"))
    assert r.warnings == ("on the CPU",)


@given(st.lists(st.sampled_from([c for k, c in EXAMPLES.items() if k is not m.RetryRequested])))
def test_percentage_never_falls_and_is_100_only_at_the_end(changes: list[m.Change]) -> None:
    """Whatever comes in whatever order, within an attempt the percentage only rises."""
    r: Recording = make_recording(duration_s=None)
    for change in changes:
        try:
            after = step(r, change)
        except InvalidTransition:
            continue
        if after.attempt == r.attempt and None not in (r.percentage, after.percentage):
            assert after.percentage >= r.percentage  # type: ignore[operator]
        assert (after.percentage == 100.0) == (after.state is State.COMPLETED)
        assert after.attempt >= r.attempt
        r = after


@given(st.lists(st.floats(0, 20)), st.lists(st.floats(0.1, 20)))
def test_done_never_falls(positions: list[float], lengths: list[float]) -> None:
    """Late or corrected measures never take progress back."""
    r = make_recording(state=State.RUNNING, duration_s=None)
    for i, position in enumerate(positions):
        before = r
        if i < len(lengths):
            r = step(r, p.MetadataLearned(RecordingFacts(duration_s=lengths[i])))
        r = step(r, p.ProgressAdvanced(position))
        assert r.done_s >= before.done_s
        assert (r.percentage or 0) >= (before.percentage or 0)
