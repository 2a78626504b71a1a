"""Rows of the fault matrix that need no process: the job manager's own part, step by step."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_transcribe import protocol as p
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import UnknownJob
from hybrid_transcribe.jobs.queue import BatchLimits, FairQueue
from hybrid_transcribe.types import ErrorInfo, State
from tests.jobs.managers import Stand
from tests.jobs.test_manager import play
from tests.jobs.test_queue import names, ticket
from tests.messages import about


def test_f09_late_message_of_an_earlier_attempt_is_ignored(tmp_path: Path) -> None:
    """After a recording was queued again, what its first attempt still says changes nothing."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (first,) = s.worker.items
        s.worker.begin(first)
        s.worker.hear(first, 0)
        s.worker.die()
        (second,) = s.worker.items
        assert (second.attempt, second.resume_from_s, second.first_index) == (2, 1.0, 1)
        s.worker.begin(second)
        s.worker.hear(first, 1, 2)
        s.worker.finish(first)
        s.worker.say(about(first, p.RecordingFailed(error=ErrorInfo("x", "late"))))
        (now,) = s.recordings(job)
        assert (now.state, now.n_segments, now.done_s) == (State.RUNNING, 1, 1.0)

    play(tmp_path, scene)


def test_f15_wall_clock_jumps_change_no_deadline(tmp_path: Path) -> None:
    """Setting the date ten years forward or back expires, kills and delays nothing."""

    async def scene(s: Stand) -> None:
        ended = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0)
        s.worker.finish(item)
        s.worker.done()
        job = await s.submit(session="s2")
        (item,) = s.worker.items
        s.worker.begin(item)
        s.clock.advance(2)
        s.worker.hear(item, 0, 1)
        s.clock.advance(0.3)
        eta_s = s.room.reading.snapshot(job).eta_s
        for years in (10, -20):
            s.clock.jump_wall(years * 365 * 86400.0)
            s.clock.advance(400)
        assert s.worker.kills == 0
        assert s.state(ended) is State.COMPLETED
        assert s.state(job) is State.RUNNING
        assert eta_s is not None
        assert 0 < eta_s < 60
        s.clock.advance(3600)
        with pytest.raises(UnknownJob):
            s.room.reading.snapshot(ended)

    play(tmp_path, scene, time_limit_factor=1000.0)


moves = st.lists(
    st.tuples(
        st.sampled_from(["begin", "hear", "cancel", "finish", "let go", "die", "done", "wait"]),
        st.integers(0, 2),
    ),
    max_size=30,
)


@settings(max_examples=150)
@given(moves)
def test_f07_cancel_races(plan: list[tuple[str, int]]) -> None:
    """Whatever a worker says or does around a cancel: terminal within 2.5 s, its text kept."""

    async def scene(s: Stand) -> None:
        job = await s.submit(3)
        canceled_at: dict[int, float] = {}
        items = [0, 0, 0]
        for move, i in plan:
            make(s, job, move, i, canceled_at, items)
            check(s, job, canceled_at)
        s.clock.advance(2.5)
        bury(s)
        check(s, job, canceled_at)
        for i, recording in enumerate(s.recordings(job)):
            partial = s.room.reading.transcript(job, recording.recording_id, partial=True)
            assert len(partial.segments) == recording.n_segments == items[i]

    def make(
        s: Stand, job: str, move: str, i: int, canceled_at: dict[int, float], heard: list[int]
    ) -> None:
        recording = s.recordings(job)[i]
        item = p.Item(recording.recording_id, recording.attempt, path="", name="")
        held = recording.state in (State.PREPARING, State.RUNNING, State.CANCELING)
        if move == "cancel":
            if not recording.state.terminal:
                canceled_at.setdefault(i, s.clock.monotonic())
            s.room.cancel(job, recording.recording_id)
        elif move == "wait":
            s.clock.advance(0.7)
            bury(s)
        elif not s.worker.alive:
            return
        elif move == "die":
            s.worker.die()
        elif move == "done":
            if all(r.state.terminal or r.state is State.QUEUED for r in s.recordings(job)):
                s.worker.done()
        elif move == "begin" and held:
            s.worker.begin(item)
        elif move == "hear" and held:
            s.worker.hear(item, recording.n_segments)
            heard[i] += 1
        elif move == "finish" and recording.state in (State.RUNNING, State.CANCELING):
            s.worker.finish(item)
        elif move == "let go" and recording.state is State.CANCELING:
            s.worker.say(about(item, p.RecordingCanceled()))

    def bury(s: Stand) -> None:
        while s.worker.kills > s.worker.buried:
            s.worker.buried += 1
            if s.worker.alive:
                s.worker.die()

    def check(s: Stand, job: str, canceled_at: dict[int, float]) -> None:
        for i, since in canceled_at.items():
            state = s.state(job, i)
            assert state.terminal or s.clock.monotonic() - since <= 2.5, (i, state)

    with TemporaryDirectory() as folder:
        play(Path(folder), scene)


@given(st.integers(0, 1000), st.integers(0, 20), st.integers(1, 8))
def test_f21_a_newcomer_waits_one_turn(n: int, taken_before: int, size: int) -> None:
    """However much one session has queued, the next one's turn comes after at most one of its."""
    queue = FairQueue()
    for i in range(n):
        queue.add(ticket(f"a{i}", "A", index=i))
    for _ in range(taken_before):
        queue.take(BatchLimits(size))
    queue.add(ticket("new", "B"))
    first, second = (names(queue.take(BatchLimits(size))) for _ in range(2))
    assert ["new"] in (first, second)
    if taken_before and n:
        assert first == ["new"]


def test_f21_a_thousand_recordings_then_one(tmp_path: Path) -> None:
    """In a room that is busy with a thousand of one session, another's runs in the next batch."""

    async def scene(s: Stand) -> None:
        await s.submit(1000, session="busy")
        newcomer = await s.submit(1, session="new")
        for item in s.worker.items:
            s.worker.begin(item)
            s.worker.finish(item)
        s.worker.done()
        assert [i.recording_id for i in s.worker.items] == [
            r.recording_id for r in s.recordings(newcomer)
        ]

    play(tmp_path, scene)


def test_f42_ids_have_128_random_bits(tmp_path: Path) -> None:
    """Jobs, recordings and sessions are named by 32 hexadecimal digits of real randomness."""

    async def scene(s: Stand) -> None:
        job = await s.submit(3)
        ids = [job, s.room.session_id, *(r.recording_id for r in s.recordings(job))]
        assert all(re.fullmatch(r"[0-9a-f]{32}", item) for item in ids)
        assert len(set(ids)) == len(ids)

    play(tmp_path, scene)
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_f42_sessions_are_compared_in_constant_time(tmp_path: Path) -> None:
    """A session that shares all but one character with the owner's is as foreign as any."""

    async def scene(s: Stand) -> None:
        session = new_id()
        job = await s.submit(session=session)
        near = session[:-1] + ("0" if session[-1] != "0" else "1")
        for wrong in (near, session[:-1], session + "0", "", "é"):
            with pytest.raises(UnknownJob):
                s.room.reading.snapshot(job, session_ids=[wrong])
        assert s.room.reading.snapshot(job, session_ids=["x", session]).job_id == job

    play(tmp_path, scene)
