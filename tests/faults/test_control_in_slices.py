"""Cancel, retry and delete of jobs with many recordings: a few at a time, all in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.errors import QueueFull
from hybrid_transcribe.events import JobChanged, JobDeleted, RecordingChanged
from hybrid_transcribe.interfaces import Journal, JournalChanges
from hybrid_transcribe.jobs import control, manager, slices
from hybrid_transcribe.jobs.journal_sqlite import SqliteJournal
from hybrid_transcribe.jobs.slices import finish
from hybrid_transcribe.types import State
from tests.jobs.managers import SPEC, Stand
from tests.jobs.test_manager import play

N = 17
PORTION = 5


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (control, manager):
        monkeypatch.setattr(module, "PORTION", PORTION)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[JournalChanges]:
    """What was written to the journal, transaction by transaction."""
    items: list[JournalChanges] = []
    write = SqliteJournal.write

    def noting(self: Journal, changes: JournalChanges) -> None:
        items.append(changes)
        write(self, changes)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteJournal, "write", noting)
    return items


def test_f86_each_slice_is_one_small_transaction(
    tmp_path: Path, written: list[JournalChanges]
) -> None:
    """No slice changes more than a portion, and none is written recording by recording."""

    async def scene(s: Stand) -> None:
        job = await s.submit(N)
        for work in (
            lambda: s.room.sliced_cancel(job),
            lambda: s.room.sliced_retry(job),
            lambda: s.room.sliced_cancel(job),
            lambda: s.room.sliced_retry(job, model="another"),
            lambda: s.room.sliced_delete(job),
        ):
            s.worker.say()
            del written[:]
            finish(work())
            sizes = [len(c.recordings) + len(c.deleted_recordings) for c in written]
            assert sum(sizes) >= N - 1
            # The worker's own batch is handed over in between.
            assert max(sizes) <= PORTION + s.room.settings.batch_recordings
            assert len(written) <= N // PORTION + 4
        assert s.room.table.job_ids() == ()

    play(tmp_path, scene, disk=True)


def test_f86_a_long_job_is_accepted_in_slices_with_one_transaction(
    tmp_path: Path, written: list[JournalChanges], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sees a part of it, and no slice but one depends on its length."""
    monkeypatch.setattr(slices, "SLICE_S", 0.0)

    async def scene(s: Stand) -> None:
        del written[:]
        work = s.room.sliced_accept(s.inputs(N), (), SPEC, "s1")
        for _ in range(N):
            next(work)
        assert (s.room.table.job_ids(), written, s.events) == ((), [], [])
        job_id, is_new = finish(work)
        (changes,) = written
        assert is_new
        assert [*changes.jobs] == [job_id]
        assert len(changes.recordings) == len(changes.encoded) == N
        assert {*s.states(job_id)} == {"queued"}
        assert isinstance(s.events[0], JobChanged)
        assert s.room.lanes.waiting() == N

    play(tmp_path, scene, disk=True)


def test_of_the_same_submission_twice_at_once_a_job_comes_about(tmp_path: Path) -> None:
    """The second comes while the first is being accepted: who is first has made it."""

    async def scene(s: Stand) -> None:
        inputs = s.inputs(N)
        first, second = (
            s.room.sliced_accept(inputs, (), SPEC, "s1", idempotency_key="k") for _ in range(2)
        )
        next(first)
        job_id, is_new = finish(second)
        assert is_new
        assert finish(first) == (job_id, False)
        assert s.room.table.job_ids() == (job_id,)

    play(tmp_path, scene)


def test_what_is_being_accepted_takes_room(tmp_path: Path) -> None:
    """Two at once do not pass the limit together; what came to nothing takes none."""

    async def scene(s: Stand) -> None:
        first = s.room.sliced_accept(s.inputs(N), (), SPEC, "s1")
        next(first)
        with pytest.raises(QueueFull):
            await s.submit(1, "s2")
        first.close()
        assert await s.submit(N, "s2")

    play(tmp_path, scene, max_queued=N)


def test_what_is_canceled_while_it_comes_is_not_put_in_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there for others as soon as it is in the journal."""
    monkeypatch.setattr(slices, "SLICE_S", 0.0)

    async def scene(s: Stand) -> None:
        work = s.room.sliced_accept(s.inputs(N), (), SPEC, "s1")
        while not s.room.table.job_ids():
            next(work)
        (job_id,) = s.room.table.job_ids()
        s.room.cancel(job_id)
        finish(work)
        assert {*s.states(job_id)} == {"canceled"}
        assert s.room.lanes.waiting() == 0

    play(tmp_path, scene)


def test_all_is_canceled_and_told_in_the_end(tmp_path: Path) -> None:
    """What waits is canceled at once, what is at work is asked to stop."""

    async def scene(s: Stand) -> None:
        job = await s.submit(N)
        del s.events[:]
        finish(s.room.sliced_cancel(job))
        assert {*s.states(job)} <= {"canceled", "canceling"}
        is_declared = {
            e.recording.recording_id for e in s.events if isinstance(e, RecordingChanged)
        }
        assert is_declared == {r.recording_id for r in s.recordings(job)}

    play(tmp_path, scene)


def test_a_worker_begins_with_nothing_that_is_being_canceled(tmp_path: Path) -> None:
    """It becomes free between two slices: what has not been come to yet is not handed to it."""

    async def scene(s: Stand) -> None:
        job = await s.submit(N)
        n_runs = len(s.worker.runs)
        work = s.room.sliced_cancel(job)
        next(work)
        s.worker.done()
        finish(work)
        assert len(s.worker.runs) == n_runs
        assert {*s.states(job)} == {"canceled"}

    # All that the worker has is in the first slice.
    play(tmp_path, scene, batch_recordings=PORTION)


def test_what_happens_in_between_counts(tmp_path: Path) -> None:
    """A job deleted amid its cancel or retry stays deleted; what was retried alone is left."""

    async def scene(s: Stand) -> None:
        first = await s.submit(N)
        work = s.room.sliced_cancel(first)
        next(work)
        s.room.delete(first)
        finish(work)
        assert first not in s.room.table

        second = await s.submit(N, session="s2")
        s.room.cancel(second)
        for recording in s.recordings(second):
            if recording.state is State.CANCELING:
                s.worker.die()
        assert {*s.states(second)} == {"canceled"}
        last = s.recordings(second)[-1].recording_id
        work = s.room.sliced_retry(second)
        next(work)
        s.room.retry(second, last)
        finish(work)
        assert not any(r.state.terminal for r in s.recordings(second))
        assert s.recordings(second)[-1].attempt == 2

        work = s.room.sliced_retry(second) if s.room.cancel(second) else None
        assert work is None
        s.room.delete(second)
        assert s.room.table.job_ids() == ()

    play(tmp_path, scene)


def test_a_session_of_many_jobs_goes_and_no_other(tmp_path: Path) -> None:
    """Short and long jobs, at work or not; each is told once, files of ours go with them."""

    async def scene(s: Stand) -> None:
        mine = [await s.submit(n) for n in (1, 2, N, 1, 1, 3)]
        other = await s.submit(2, session="s2")
        del s.events[:]
        work = s.room.sliced_delete_session("s1")
        assert sum(1 for _ in work) >= 3
        lines = [e.job_id for e in s.events if isinstance(e, JobDeleted)]
        assert sorted(lines) == sorted(mine)
        assert s.room.table.job_ids() == (other,)
        assert len(s.recordings(other)) == 2

    play(tmp_path, scene)


def test_a_delete_that_was_cut_off_leaves_a_job_that_can_be_deleted(tmp_path: Path) -> None:
    """As a kill between two slices does: fewer recordings, and nothing is damaged."""

    async def scene(s: Stand) -> None:
        job = await s.submit(N)
        s.room.cancel(job)
        work = s.room.sliced_delete(job)
        next(work)
        next(work)
        work.close()
        restored = s.room.state.journal.restore()
        (remaining,) = restored.jobs
        assert 0 < len(remaining.recordings) < N
        assert restored.damaged == ()
        assert len(s.recordings(job)) == len(remaining.recordings)
        s.room.delete(job)
        assert s.room.state.journal.restore().jobs == ()

    play(tmp_path, scene, disk=True)
