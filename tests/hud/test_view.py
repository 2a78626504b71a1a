"""What is shown is a function of a snapshot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe.hud import view
from hybrid_transcribe.types import ErrorInfo, JobSnapshot, Recording, Rejection, Spec, State

SESSION = "0123456789abcdef0123456789abcdef"
SPEC = Spec("scripted", "steady")


def recording(n: int, state: State = State.QUEUED, job_id: str = "j", **more: object) -> Recording:
    by_name = {"name": f"{n}.wav", "path": f"/{n}", **more}
    return Recording(f"{job_id}-r{n}", job_id, n, state=state, **by_name)  # type: ignore[arg-type]


def job(*recordings: Recording, **more: object) -> JobSnapshot:
    by_name = {"job_id": "j", "session_id": SESSION, "spec": SPEC, **more}
    return JobSnapshot(recordings=recordings, **by_name)  # type: ignore[arg-type]


def test_a_row_says_what_its_recording_is() -> None:
    """Engine, model and who gets the audio come from the recording's own spec."""
    mine = Spec("cloudy", "best", "gpu")
    (row,) = view.job_rows(job(recording(0, spec=mine, eta_s=3.0)), {"cloudy": "Cloud Inc."})
    assert (row.engine, row.model, row.asked_device) == ("cloudy", "best", "gpu")
    assert (row.sends_audio_to, row.eta_s, row.state) == ("Cloud Inc.", 3.0, "queued")


def test_a_refused_input_is_a_row() -> None:
    """It stands behind the recordings, with its reason; it can only be deleted."""
    error = ErrorInfo("no_audio", "none")
    rows = view.job_rows(job(recording(0), rejected=(Rejection("x.mp4", error),)), {})
    assert [row.state for row in rows] == ["queued", "rejected"]
    assert (rows[1].name, rows[1].error, rows[1].recording_id) == ("x.mp4", error, None)
    assert rows[1].actions == ("delete",)


@pytest.mark.parametrize(
    ("state", "has_text", "kept", "expected"),
    [
        (State.QUEUED, False, False, ("cancel", "keep", "delete")),
        (State.QUEUED, True, False, ("open", "cancel", "keep", "delete")),
        (State.RUNNING, True, False, ("open", "cancel", "keep", "delete")),
        (State.CANCELING, False, False, ("keep", "delete")),
        (State.COMPLETED, True, True, ("open", "retry", "unkeep", "delete")),
        (State.FAILED, False, False, ("retry", "keep", "delete")),
        (State.CANCELED, True, False, ("open", "retry", "keep", "delete")),
    ],
)
def test_only_actions_that_make_sense(
    state: State, has_text: bool, kept: bool, expected: tuple[str, ...]
) -> None:
    """What has ended is not canceled, what has no text is not opened."""
    assert view.actions(state, has_text, kept) == expected


def test_ahead_counts_what_runs_before() -> None:
    """Others' recordings first, then those of the same job that have not ended."""
    states = (State.COMPLETED, State.QUEUED, State.QUEUED)
    rows = view.job_rows(job(*(recording(n, s) for n, s in enumerate(states)), position=4), {})
    assert [row.ahead for row in rows] == [0, 4, 5]


def test_others_ahead_is_what_the_foremost_job_waits_for() -> None:
    """Nothing once one is at work; jobs that have ended wait for nobody."""
    waiting = [job(position=7), job(position=3)]
    assert view.others_ahead(waiting) == 3
    assert view.others_ahead([*waiting, job(state=State.RUNNING)]) == 0
    assert view.others_ahead([*waiting, job(state=State.COMPLETED)]) == 3


def test_the_newest_job_comes_first() -> None:
    """And its recordings in their own order."""
    old = job(recording(0, job_id="a"), job_id="a", created_at=1.0)
    new = job(recording(0, job_id="b"), recording(1, job_id="b"), job_id="b", created_at=2.0)
    assert view.sheet([old, new], {}).order == ("b-r0", "b-r1", "a-r0")


def test_a_session_is_told_apart_but_not_given_away() -> None:
    """At most a quarter of the capability is ever shown."""
    assert view.short(SESSION) == "01234567"
    assert all(len(view.short("x" * n)) <= max(1, n // 4) for n in range(1, 60))


recordings = st.builds(
    lambda n, state, share, eta: recording(n, state, percentage=share, eta_s=eta),
    st.integers(0, 4),
    st.sampled_from(State),
    st.none() | st.sampled_from([0.0, 50.0]),
    st.none() | st.just(1.0),
)


@st.composite
def sheets(draw: st.DrawFn) -> view.TableState:
    jobs = []
    for name in draw(st.sets(st.sampled_from("abc"))):
        inside = {r.index: r for r in draw(st.lists(recordings, max_size=4))}
        own = [recording(n, r.state, name, percentage=r.percentage) for n, r in inside.items()]
        at = draw(st.integers(0, 2))
        jobs.append(job(*own, job_id=name, created_at=float(at), position=at))
    return view.sheet(jobs, {})


@given(sheets(), sheets())
def test_a_difference_makes_one_sheet_of_the_other(
    old: view.TableState, new: view.TableState
) -> None:
    """Whatever was shown, after the message the panel shows what is; and nothing is told twice."""
    message = view.difference(old, new)
    assert (view.applied(old, message) if message else old) == new
    assert view.difference(new, new) is None
    assert all(old.rows.get(row.id) != row for row in (message.rows if message else ()))


@given(sheets(), sheets())
def test_all_rows_stand_for_themselves(old: view.TableState, new: view.TableState) -> None:
    """A panel that begins anew shows what is, whatever it showed before."""
    assert view.applied(old, view.whole(new)) == new


def test_the_plain_table_names_each_recording() -> None:
    """For places without widgets."""
    display_name = view.sheet([job(recording(0, State.RUNNING, percentage=41.5, eta_s=12.0))], {})
    assert view.table(display_name).splitlines()[1].split() == [
        *("0.wav", "running", "42", "12", "s", "scripted", "steady"),
    ]
    assert view.table(view.TableState()) == "Nothing is queued."
