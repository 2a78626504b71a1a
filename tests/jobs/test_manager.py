"""What the job manager does with jobs, step by step: no thread, no process, no real time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.intake import InputFile
from hybrid_transcribe.errors import (
    InvalidTransition,
    JobCanceled,
    QueueFull,
    UnknownEngine,
    UnknownJob,
    UnknownRecording,
)
from hybrid_transcribe.events import JobDeleted, SegmentAdded
from hybrid_transcribe.jobs.queue import BYTES_PER_S
from hybrid_transcribe.jobs.summary import job_percentage, job_state
from hybrid_transcribe.types import ErrorInfo, RecordingFacts, Segment, Spec, Stage, State
from tests.messages import about

from .managers import SPEC, Stand, open_room

Play = Callable[[Stand], Awaitable[None]]


def play(tmp_path: Path, scene: Play, **settings: object) -> None:
    """Run a scene in a fresh room, and close it in order."""

    async def run() -> None:
        stand = await open_room(tmp_path, **settings)  # type: ignore[arg-type]
        await scene(stand)
        await stand.room.stop()

    asyncio.run(run())


def test_something_else_is_for_what_is_completed_too(tmp_path: Path) -> None:
    """Without a change there is nothing to retry; with one, all of it starts afresh."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0)
        s.worker.finish(item)
        s.worker.done()
        with pytest.raises(InvalidTransition):
            s.room.retry(job)
        s.room.retry(job, model="another")
        assert s.state(job) is State.PREPARING
        assert s.worker.runs[-1].spec.model == "another"
        assert s.recordings(job)[0].n_segments == 0

    play(tmp_path, scene)


def test_a_recording_from_queue_to_text(tmp_path: Path) -> None:
    """Segments become a transcript, and the job is completed with its last recording."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0, 1)
        assert s.room.reading.snapshot(job).percentage == 20.0
        s.worker.finish(item)
        s.worker.done()
        snapshot = s.room.reading.snapshot(job)
        assert (snapshot.state, snapshot.percentage, snapshot.eta_s) == (
            State.COMPLETED,
            100.0,
            None,
        )
        assert s.room.reading.transcript(job, item.recording_id).text == "text 0 text 1"
        assert [e.index for e in s.events if isinstance(e, SegmentAdded)] == [0, 1]

    play(tmp_path, scene)


def test_one_worker_for_all_jobs(tmp_path: Path) -> None:
    """The worker is started once and configured first."""

    async def scene(s: Stand) -> None:
        for _ in range(2):
            await s.submit()
            (item,) = s.worker.items
            s.worker.begin(item)
            s.worker.finish(item)
            s.worker.done()
        assert s.worker.starts == 1
        assert isinstance(s.worker.commands[0], p.Configure)

    play(tmp_path, scene)


def test_queued_is_canceled_at_once(tmp_path: Path) -> None:
    """A recording that waits is terminal before cancel returns, and never handed out."""

    async def scene(s: Stand) -> None:
        running = await s.submit(session="other")
        waiting = await s.submit()
        s.room.cancel(waiting)
        assert s.state(waiting) is State.CANCELED
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.finish(item)
        s.worker.done()
        assert len(s.worker.runs) == 1
        assert s.state(running) is State.COMPLETED

    play(tmp_path, scene)


def test_running_is_canceled_by_the_worker_and_keeps_its_text(tmp_path: Path) -> None:
    """A worker that hears a cancel lives on with its model, and what was heard stays."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0)
        s.room.cancel(job)
        assert s.state(job) is State.CANCELING
        s.worker.say(about(item, p.RecordingCanceled()))
        s.worker.done()
        s.clock.advance(60)
        assert (s.state(job), s.worker.kills) == (State.CANCELED, 0)
        partial = s.room.reading.transcript(job, item.recording_id, partial=True)
        assert (partial.text, partial.complete) == ("text 0", False)
        with pytest.raises(JobCanceled):
            s.room.reading.transcript(job, item.recording_id)

    play(tmp_path, scene)


def test_deaf_worker_is_killed_after_the_grace(tmp_path: Path) -> None:
    """A worker that does not let go within 2 s dies; its other recordings go on unblamed."""

    async def scene(s: Stand) -> None:
        job = await s.submit(2)
        item, two = s.worker.items
        s.worker.begin(item)
        s.room.cancel(job, item.recording_id)
        s.clock.advance(1.9)
        assert (s.state(job), s.worker.kills) == (State.CANCELING, 0)
        s.clock.advance(0.2)
        assert (s.state(job), s.worker.kills) == (State.CANCELED, 1)
        s.worker.die()
        (again,) = s.worker.items
        assert again.recording_id == two.recording_id
        assert s.recordings(job)[1].worker_deaths == 0

    play(tmp_path, scene)


def test_cancel_before_the_worker_came_to_it(tmp_path: Path) -> None:
    """A batch-mate that still waits inside the worker is free at once; nobody is killed."""

    async def scene(s: Stand) -> None:
        job = await s.submit(2)
        item, two = s.worker.items
        s.worker.begin(item)
        s.room.cancel(job, two.recording_id)
        assert s.states(job) == ["running", "canceled"]
        s.clock.advance(100)
        s.worker.finish(item)
        s.worker.say(about(two, p.RecordingCanceled()))
        s.worker.done()
        assert (s.states(job), s.worker.kills) == (["completed", "canceled"], 0)

    play(tmp_path, scene)


def test_cancel_that_comes_too_late_leaves_it_completed(tmp_path: Path) -> None:
    """What was finished before the cancel reached the worker is not thrown away."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.room.cancel(job)
        s.worker.finish(item)
        s.worker.done()
        assert s.state(job) is State.COMPLETED

    play(tmp_path, scene)


def test_batch_mates_of_a_death_are_told_apart(tmp_path: Path) -> None:
    """Several in hand: no strikes, but singly from then on; untouched ones wait as before."""

    async def scene(s: Stand) -> None:
        job = await s.submit(3)
        item, two, _ = s.worker.items
        s.worker.begin(item)
        s.worker.begin(two)
        s.worker.die()
        assert [r.worker_deaths for r in s.recordings(job)] == [0, 0, 0]
        assert [r.solo for r in s.recordings(job)] == [True, True, False]
        assert [i.recording_id for i in s.worker.items] == [item.recording_id]

    play(tmp_path, scene)


def test_poison_fails_after_three_deaths_and_neighbours_finish(tmp_path: Path) -> None:
    """A recording that kills its worker each time is given up with a typed error."""

    async def scene(s: Stand) -> None:
        job = await s.submit(3)
        poison = s.worker.items[0].recording_id
        for _ in range(20):
            if s.room.reading.snapshot(job).done:
                break
            for item in s.worker.items:
                s.worker.begin(item)
                if item.recording_id == poison:
                    s.worker.die(-11)
                    break
                s.worker.finish(item)
            else:
                s.worker.done()
        assert s.states(job) == ["failed", "completed", "completed"]
        failed = s.recordings(job)[0]
        assert (failed.worker_deaths, failed.error and failed.error.code) == (3, "worker_crashed")
        assert "signal 11" in (failed.error.message if failed.error else "")

    play(tmp_path, scene)


def test_dying_while_loading_ends_too(tmp_path: Path) -> None:
    """A worker that never gets as far as a recording does not loop for ever."""

    async def scene(s: Stand) -> None:
        job = await s.submit(2)
        for _ in range(20):
            if s.room.reading.snapshot(job).done:
                break
            s.worker.die()
        assert s.states(job) == ["failed", "failed"]

    play(tmp_path, scene)


def test_too_slow_is_killed_with_a_typed_error(tmp_path: Path) -> None:
    """A recording that takes more than its multiple of time fails; its neighbours go on."""

    async def scene(s: Stand) -> None:
        job = await s.submit(2)
        item, two = s.worker.items
        s.worker.begin(item, duration_s=10.0)
        s.clock.advance(40)
        assert s.state(job) is State.RUNNING
        s.clock.advance(15)
        s.worker.die()
        error = s.recordings(job)[0].error
        assert (s.state(job), error and error.code) == (State.FAILED, "timed_out")
        assert [i.recording_id for i in s.worker.items] == [two.recording_id]

    play(tmp_path, scene, time_limit_factor=5.0, time_limit_min_s=1.0)


def test_silence_while_loading_is_limited_too(tmp_path: Path) -> None:
    """A worker that says nothing at all while it loads is not waited for for ever."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.say(about(item, p.StageChanged(stage=Stage.LOADING_MODEL)))
        s.clock.advance(1000)
        s.worker.die()
        error = s.recordings(job)[0].error
        assert error is not None
        assert error.code == "timed_out"

    play(tmp_path, scene)


def test_janitor_spares_the_living_and_the_kept(tmp_path: Path) -> None:
    """After an hour ended jobs go, but not those that run, wait or are kept."""

    async def scene(s: Stand) -> None:
        jobs = [await s.submit(session=f"s{i}") for i in range(4)]
        for _ in range(2):
            (item,) = s.worker.items
            s.worker.begin(item)
            s.worker.finish(item)
            s.worker.done()
        gone, kept, running, waiting = jobs
        s.room.keep(kept)
        s.clock.advance(4000)
        items = [job.job_id for job in s.room.reading.snapshots()]
        assert items == [kept, running, waiting]
        assert [e.job_id for e in s.events if isinstance(e, JobDeleted)] == [gone]
        s.room.keep(kept, False)
        s.clock.advance(4000)
        assert kept not in [job.job_id for job in s.room.reading.snapshots()]

    play(tmp_path, scene, load_timeout_s=1e9, decode_timeout_s=1e9)


def test_other_sessions_see_nothing(tmp_path: Path) -> None:
    """A job of another session answers exactly like one that never was."""

    async def scene(s: Stand) -> None:
        job = await s.submit(session="mine")
        recording = s.recordings(job)[0].recording_id
        for ask in (
            lambda j: s.room.reading.snapshot(j, session_ids=["theirs"]),
            lambda j: s.room.cancel(j, session_ids=["theirs"]),
            lambda j: s.room.retry(j, session_ids=["theirs"]),
            lambda j: s.room.keep(j, session_ids=["theirs"]),
            lambda j: s.room.delete(j, session_ids=["theirs"]),
            lambda j: s.room.reading.transcript(j, recording, partial=True, session_ids=["theirs"]),
        ):
            lines = []
            for name in (job, "0" * 32):
                with pytest.raises(UnknownJob) as error:
                    ask(name)
                lines.append(str(error.value).replace(name, "?"))
            assert lines[0] == lines[1]
        assert s.room.reading.snapshots(session_ids=["theirs"]) == ()
        assert len(s.room.reading.snapshots(session_ids=["mine"])) == 1

    play(tmp_path, scene)


def test_retry_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Without changes, a canceled recording resumes after its last segment."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0, 1)
        s.room.cancel(job)
        s.worker.say(about(item, p.RecordingCanceled()))
        s.worker.done()
        s.room.retry(job)
        (again,) = s.worker.items
        assert (again.attempt, again.resume_from_s, again.first_index) == (2, 2.0, 2)

    play(tmp_path, scene)


def test_retry_with_changes_starts_afresh(tmp_path: Path) -> None:
    """Another model means another text from the first second on."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0)
        s.worker.say(about(item, p.RecordingFailed(error=ErrorInfo("engine_failed", "no"))))
        s.worker.done()
        s.room.retry(job, model="{}")
        (again,) = s.worker.items
        assert (again.resume_from_s, s.worker.runs[-1].spec) == (0.0, Spec("scripted", "{}"))
        assert s.room.reading.transcript(job, item.recording_id, partial=True).segments == ()

    play(tmp_path, scene)


def test_retry_changes_every_recording(tmp_path: Path) -> None:
    """A change asked for a whole job reaches each of its recordings."""

    async def scene(s: Stand) -> None:
        job = await s.submit(3)
        s.room.cancel(job)
        s.worker.done()
        s.room.retry(job, model="{}")
        assert {r.spec and r.spec.model for r in s.recordings(job)} == {"{}"}
        assert len(s.worker.items) == 3

    play(tmp_path, scene)


def test_nothing_to_retry(tmp_path: Path) -> None:
    """Retrying what runs, or a recording that is not there, is refused."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        with pytest.raises(InvalidTransition):
            s.room.retry(job)
        with pytest.raises(UnknownRecording):
            s.room.retry(job, "nope")

    play(tmp_path, scene)


def test_deleted_while_running(tmp_path: Path) -> None:
    """A job deleted in mid-work is gone at once, its waiter told, and the next one runs."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        waiting = asyncio.ensure_future(s.room.wait(job))
        await asyncio.sleep(0)
        s.room.delete(job)
        with pytest.raises(UnknownJob):
            await waiting
        s.worker.hear(item, 0)
        s.worker.say(about(item, p.RecordingCanceled()))
        s.worker.done()
        await s.submit(session="next")
        assert len(s.worker.runs) == 2
        assert s.worker.kills == 0

    play(tmp_path, scene)


def test_queue_full(tmp_path: Path) -> None:
    """Beyond the limit nothing is taken, and the message names the numbers."""

    async def scene(s: Stand) -> None:
        await s.submit(1)
        await s.submit(5, session="a")
        with pytest.raises(QueueFull, match="limit of 6"):
            await s.submit(2, session="b")

    play(tmp_path, scene, max_queued=6)


def test_eta_comes_with_the_first_progress_and_is_never_zero(tmp_path: Path) -> None:
    """Null before anything is measured, then a sensible figure for what runs and what waits."""

    async def scene(s: Stand) -> None:
        job = await s.submit(2)
        entry, two = s.worker.items
        for item in (entry, two):
            s.worker.say(about(item, p.MetadataLearned(RecordingFacts(duration_s=10.0))))
        assert s.room.reading.snapshot(job).eta_s is None
        s.worker.say(p.BatchPlaced(1))
        s.worker.begin(entry)
        for i in range(5):
            s.clock.advance(2)
            s.worker.hear(entry, i)
        s.clock.advance(1)
        first, second = s.recordings(job)
        assert first.eta_s == pytest.approx(10, abs=2)
        assert second.eta_s == pytest.approx(30, abs=4)
        assert s.room.reading.snapshot(job).eta_s == second.eta_s

    play(tmp_path, scene)


def test_eta_is_not_misled_by_what_comes_before_the_first_text(tmp_path: Path) -> None:
    """A minute of decoding says nothing about the nine seconds that are left."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.say(p.BatchPlaced(1))
        s.clock.advance(60)
        s.worker.begin(item)
        s.clock.advance(1)
        s.worker.hear(item, 0)
        s.clock.advance(1)
        assert s.room.reading.snapshot(job).eta_s == pytest.approx(9, abs=1)

    play(tmp_path, scene)


def test_a_turn_is_as_much_as_is_done_in_a_moment(tmp_path: Path) -> None:
    """Five minutes are one turn for whom they take three seconds, and six for whom nobody knows."""

    async def scene(s: Stand) -> None:
        await s.submit()
        (item,) = s.worker.items
        s.worker.say(p.BatchPlaced(1))
        s.worker.begin(item, duration_s=100.0)
        s.clock.advance(1)
        s.worker.finish(item, duration_s=100.0)
        s.worker.done()

        async def minutes(spec: Spec) -> int:
            path = tmp_path / "minute.wav"
            path.write_bytes(b"x")
            items = [InputFile(path.name, path, False, 50 * BYTES_PER_S)] * 6
            s.room.accept(items, (), spec, "s1")
            await asyncio.sleep(0)
            return len(s.worker.items)

        assert await minutes(SPEC) == 6
        for entry in s.worker.items:
            s.worker.begin(entry)
            s.worker.finish(entry)
        s.worker.done()
        assert await minutes(Spec("scripted", "another")) == 1

    play(tmp_path, scene, batch_audio_s=60.0)


def test_position_counts_what_comes_before(tmp_path: Path) -> None:
    """A waiting job knows how many recordings of others go first."""

    async def scene(s: Stand) -> None:
        first = await s.submit(1, session="a")
        await s.submit(2, session="b")
        third = await s.submit(1, session="c")
        s.clock.advance(1)
        assert (
            s.room.reading.snapshot(first).position,
            s.room.reading.snapshot(third).position,
        ) == (0, 3)

    play(tmp_path, scene)


def test_stopping_puts_running_work_back(tmp_path: Path) -> None:
    """What ran when the service closed goes on in the next one, after its last segment."""

    async def run() -> None:
        s = await open_room(tmp_path, disk=True)
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0)
        await s.room.stop()
        later = await open_room(tmp_path, disk=True)
        await asyncio.sleep(0)
        (again,) = later.worker.items
        assert (again.recording_id, again.attempt, again.first_index) == (item.recording_id, 2, 1)
        assert later.room.session_id == s.room.session_id
        later.worker.begin(again)
        later.worker.finish(again)
        later.worker.done()
        assert later.state(job) is State.COMPLETED
        await later.room.stop()

    asyncio.run(run())


def test_input_gone_at_restore(tmp_path: Path) -> None:
    """A recording whose file is gone fails with input_missing; the others go on."""

    async def run() -> None:
        s = await open_room(tmp_path, disk=True, batch_recordings=1)
        job = await s.submit(3)
        Path(s.recordings(job)[1].path).unlink()
        await s.room.stop()
        later = await open_room(tmp_path, disk=True)
        error = later.recordings(job)[1].error
        assert error is not None
        assert error.code == "input_missing"
        assert s.folder.name
        assert [i.recording_id for i in later.worker.items] == [
            r.recording_id for r in later.recordings(job) if r.index != 1
        ]
        await later.room.stop()

    asyncio.run(run())


def test_a_batch_that_cannot_be_sent_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    """Whatever is wrong with one batch, the lane is free for the one behind it."""

    async def scene(s: Stand) -> None:
        busy = await s.submit(session="a")
        s.worker.unsendable = True
        broken = await s.submit(session="b")
        (item,) = s.worker.items
        s.worker.finish(item)
        s.worker.done()
        assert s.state(busy) is State.COMPLETED
        error = s.recordings(broken)[0].error
        assert error is not None
        assert "cannot be sent" in error.message
        s.worker.unsendable = False
        await s.submit(session="c")
        assert len(s.worker.runs) == 2

    play(tmp_path, scene)


def test_a_worker_asked_to_end_from_outside_blames_nobody(tmp_path: Path) -> None:
    """SIGTERM, as Jupyter sends to a kernel's children: no strike, and a pause before the next."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        for starts in range(1, 4):
            (item,) = s.worker.items
            s.worker.begin(item)
            s.worker.die(-15)
            assert s.worker.starts == starts
            s.clock.advance(5)
        (recording,) = s.recordings(job)
        assert (recording.worker_deaths, recording.state) == (0, State.PREPARING)

    play(tmp_path, scene)


def test_a_worker_ended_again_and_again_is_a_death_like_others(tmp_path: Path) -> None:
    """What gets its worker terminated for ever does not run for ever."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        for _ in range(20):
            if s.room.reading.snapshot(job).done:
                break
            s.worker.begin(s.worker.items[0])
            s.worker.die(-15)
            s.clock.advance(5)
        assert s.state(job) is State.FAILED

    play(tmp_path, scene)


def test_a_listener_may_cancel_at_any_moment(tmp_path: Path) -> None:
    """A callback that cancels at the first change of a batch harms no other job."""

    async def scene(s: Stand) -> None:
        canceled: list[str] = []

        def listen(event: object) -> None:
            recording = getattr(event, "recording", None)
            if recording is not None and not canceled and recording.state is State.PREPARING:
                canceled.append(recording.job_id)
                s.room.cancel(recording.job_id)

        s.room.subscribe(listen)
        job = await s.submit(3)
        other = await s.submit(session="other")
        await asyncio.sleep(0)
        assert canceled == [job]
        assert set(s.states(job)) == {"canceled"}
        s.worker.done()
        assert [i.recording_id for i in s.worker.items] == [
            r.recording_id for r in s.recordings(other)
        ]

    play(tmp_path, scene)


def test_a_machine_that_cannot_start_a_worker_is_given_time(tmp_path: Path) -> None:
    """A start that fails once loses nothing: the recording runs a little later."""

    async def scene(s: Stand) -> None:
        s.worker.unstartable = 2
        job = await s.submit()
        assert s.state(job) is State.QUEUED
        s.clock.advance(10)
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.finish(item)
        s.worker.done()
        assert s.state(job) is State.COMPLETED

    play(tmp_path, scene)


def test_words_of_a_dying_worker_hand_nothing_to_it(tmp_path: Path) -> None:
    """Between the kill and the end the next batch is not sent, so nobody is blamed for it."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        innocent = await s.submit(session="other")
        (item,) = s.worker.items
        s.worker.begin(item)
        s.room.cancel(job)
        s.clock.advance(2.1)
        assert s.worker.kills == 1
        s.worker.say(about(item, p.RecordingCanceled()))
        s.worker.done()
        assert len(s.worker.runs) == 1
        s.worker.die()
        (recording,) = s.recordings(innocent)
        assert (recording.worker_deaths, recording.solo, len(s.worker.runs)) == (0, False, 2)

    play(tmp_path, scene)


def test_the_time_allowed_counts_the_whole_batch(tmp_path: Path) -> None:
    """The last of a batch is not late because its neighbours are done."""

    async def scene(s: Stand) -> None:
        job = await s.submit(8)
        for item in s.worker.items:
            s.worker.begin(item)
        s.clock.advance(350)
        for item in s.worker.items[:-1]:
            s.worker.finish(item)
        s.clock.advance(10)
        assert s.state(job, 7) is State.RUNNING

    play(tmp_path, scene)


def test_a_lost_segment_is_no_success(tmp_path: Path) -> None:
    """A gap in the numbers fails the recording instead of passing for its whole text."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0, 2)
        s.worker.finish(item)
        error = s.recordings(job)[0].error
        assert error is not None
        assert "Segment 1 was lost" in error.message

    play(tmp_path, scene)


def test_segments_that_belong_together(tmp_path: Path) -> None:
    """They come as one, with what was heard of each in order, and a death goes back before them."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        block = (Segment(0.0, 3.0, "one", speaker="S1"), Segment(1.0, 2.0, "two", speaker="S2"))
        s.worker.say(
            about(item, p.ProgressAdvanced(4.0, resume_s=0.0)),
            about(item, p.SegmentsTranscribed(0, block, 5.0)),
            about(item, p.ProgressAdvanced(8.0, resume_s=5.0)),
        )
        assert s.room.reading.snapshot(job).percentage == 80.0
        added = [e for e in s.events if isinstance(e, SegmentAdded)]
        assert [(e.index, e.segment.text) for e in added] == [(0, "one"), (1, "two")]
        s.worker.die()
        (again,) = s.worker.items
        assert (again.resume_from_s, again.first_index) == (5.0, 2)
        # Late, or twice: known by their index.
        s.worker.say(about(again, p.SegmentsTranscribed(0, block, 5.0)))
        s.worker.say(about(again, p.SegmentsTranscribed(2, (Segment(6.0, 7.0, "three"),), 10.0)))
        s.worker.finish(again)
        s.worker.done()
        transcript = s.room.reading.transcript(job, item.recording_id)
        assert transcript.text == "one two three"
        assert [speaker.id for speaker in transcript.speakers] == ["S1", "S2"]

    play(tmp_path, scene)


def test_a_lost_group_of_segments_is_no_success(tmp_path: Path) -> None:
    """A gap in the numbers fails the recording, whichever way segments come."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.say(about(item, p.SegmentsTranscribed(1, (Segment(0.0, 1.0, "x"),), 5.0)))
        assert s.state(job) is State.FAILED

    play(tmp_path, scene)


def test_a_bad_retry_changes_nothing(tmp_path: Path) -> None:
    """A retry that cannot be leaves the job as it was, expiry and all."""

    async def scene(s: Stand) -> None:
        job = await s.submit()
        s.room.cancel(job)
        before = s.room.reading.snapshot(job)
        with pytest.raises(UnknownEngine):
            s.room.retry(job, engine="nope")
        assert s.room.reading.snapshot(job) == before

    play(tmp_path, scene)


def test_an_engine_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    """A journal with a job of an engine no longer installed opens; only that job fails."""

    async def run() -> None:
        s = await open_room(tmp_path, disk=True)
        await s.submit(session="busy")
        job = await s.submit()
        await s.room.stop()
        later = await open_room(tmp_path, disk=True, engines={})
        error = later.recordings(job)[0].error
        assert error is not None
        assert error.code == "unknown_engine"
        await later.room.stop()

    asyncio.run(run())


def test_a_thousand_changes_cost_no_walk_of_the_job(tmp_path: Path) -> None:
    """Summaries of a large job are kept up, and agree with what its recordings say."""

    async def scene(s: Stand) -> None:
        job = await s.submit(300)
        for _ in range(3):
            for item in s.worker.items:
                s.worker.begin(item)
                s.worker.hear(item, 0)
                s.worker.finish(item)
            s.worker.done()
        snapshot = s.room.reading.snapshot(job)
        assert snapshot.state is job_state(snapshot.recordings)
        assert snapshot.percentage == pytest.approx(job_percentage(snapshot.recordings), abs=0.2)

    play(tmp_path, scene)
