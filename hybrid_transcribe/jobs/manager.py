"""The engine room: what happens to jobs, in one place and on one loop.

Everything here runs on the engine-room loop and returns at once. `Service` is the door to it
from other threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.intake import InputFile
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import (
    EngineUnavailable,
    HybridTranscribeError,
    InputMissing,
    InvalidTransition,
    JournalUnusable,
    QueueFull,
    ServiceClosed,
    UnknownJob,
    as_message,
)
from hybrid_transcribe.events import Event
from hybrid_transcribe.interfaces import Executor, Journal, JournalChanges, Restored, RunKey
from hybrid_transcribe.jobs import machine
from hybrid_transcribe.jobs.bus import Bus, Subscription
from hybrid_transcribe.jobs.durations import DurationProber, Measure
from hybrid_transcribe.jobs.eta import Speeds
from hybrid_transcribe.jobs.event_publisher import EventPublisher
from hybrid_transcribe.jobs.forecast import Forecast, Forecaster
from hybrid_transcribe.jobs.idempotency import IdempotencyKeys, fingerprint
from hybrid_transcribe.jobs.janitor import Janitor
from hybrid_transcribe.jobs.job_queries import JobQueries, incomplete
from hybrid_transcribe.jobs.job_store import JobStore
from hybrid_transcribe.jobs.journal_writer import JournalWriter
from hybrid_transcribe.jobs.machine import Change
from hybrid_transcribe.jobs.queue import BYTES_PER_S, QueueItem, sort_key
from hybrid_transcribe.jobs.remote_cleanup import RemoteCleanup
from hybrid_transcribe.jobs.request import changed_spec, make_spec
from hybrid_transcribe.jobs.slices import Sliced, Watch, finish, portions
from hybrid_transcribe.jobs.state_folder import StateFolder
from hybrid_transcribe.jobs.waiters import Waiters
from hybrid_transcribe.jobs.worker_pool import WorkerPool
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.service_protocol import ServiceFigures, ServiceHealth
from hybrid_transcribe.types import (
    ALL_TRACKS,
    ErrorInfo,
    JobSnapshot,
    Recording,
    RecordingFacts,
    Rejection,
    Spec,
    State,
)

log = logging.getLogger(__name__)

#: Recordings that a slice of a control call changes (some 10 ms), and segments that cost as much
#: to delete as a recording does.
PORTION, SEGMENTS_EACH = 50, 20

#: Between two steps in which the journal gives back room, in seconds.
SHRINK_AGAIN_S = 0.1

#: Longest that leaving waits for a journal that is locked or full, in seconds.
LAST_WRITE_S = 5.0

#: Longest that leaving waits for a cloud to let go, and again for it to delete, in seconds.
CLOUD_GOODBYE_S = 5.0


class JobManager:
    """Jobs, lanes, journal and listeners, tied together."""

    def __init__(
        self,
        settings: Settings,
        state: StateFolder,
        make_executor: Callable[[str], Executor],
        clock: Clock,
        *,
        in_use: Callable[[str], bool] = lambda job_id: False,
        measure: Measure | None = None,
    ) -> None:
        self.settings = settings
        self.state = state
        self._clock = clock
        self.bus = Bus(first=int(clock.wall() * 1e6))
        self.table = JobStore(JournalWriter(state.journal, clock, self), clock)
        self._janitor = Janitor(settings, clock, self._expired, in_use, self._look_after_files)
        self._lengths = DurationProber(measure, self._learn_length)
        self._speeds = Speeds()
        self.lanes = WorkerPool(settings, clock, make_executor, self, self._speeds)
        self._erasures = RemoteCleanup(
            clock,
            self.lanes.erase,
            lambda remaining: self.table.save_fact("erasures", remaining),
            self._not_erased,
        )
        self._repeats = IdempotencyKeys()
        #: Recordings by session that are being accepted and wait in no line yet.
        self._arriving: Counter[str] = Counter()
        self._waiters = Waiters()
        self._forecaster = Forecaster(clock, self.lanes.by_name, self._speeds, self.table.find)
        self.reading = JobQueries(self.table, self._forecaster, self._damaged_segments)
        self._tell = EventPublisher(self.bus, self.table, self.reading, self._forecaster)
        self._closing = False
        self._known_damaged: set[RunKey] = set()
        self.session_id = ""

    # ------------------------------------------------------------------ start, stop

    def start(self) -> None:
        """Take up what the journal holds: what was running goes back to the queue."""
        for code, message in self.state.warnings:
            self.warn(code, message)
        restored = self.state.journal.restore()
        with self.table.operation():
            self._restore(restored)
            self._tell_damage(restored)
        claimed = {Path(r.path).name for r in self.table.all_recordings() if r.owned}
        self.state.sweep(claimed)
        self.state.expire(self.settings.upload_idle_s)
        self._janitor.start()
        if self.settings.preload_models:
            self.preload()
        self._pump()
        self._lengths.look_up(tuple(self.table.all_recordings()))

    def _restore(self, restored: Restored) -> None:
        self._speeds.load(restored.facts.get("speeds"))
        self.session_id = str(restored.facts.get("session_id") or new_id())
        self.table.save_fact("session_id", self.session_id)
        self.table.load(restored.jobs)
        # Before anything is added to it.
        self._erasures.load(restored.facts.get("erasures"))
        for job in restored.jobs:
            self._repeats.remember(job)
            for recording in job.recordings:
                try:
                    self._take_up(recording)
                except (HybridTranscribeError, ImportError, AttributeError) as error:
                    # E.g. an engine that is no longer installed: this one fails, not the rest.
                    self._give_up(recording.recording_id, error)
            self._settle(job.job_id)

    def preload(self) -> None:
        """Make the default model ready before anybody asks. What cannot be is a warning."""
        try:
            self.lanes.preload(make_spec(self.settings))
        except HybridTranscribeError as error:
            self.warn("not_preloaded", UserMessage("not_preloaded", why=error))

    def default_model(self) -> str:
        """``ready``, ``loading``, ``failed``, or ``waiting`` until somebody needs it."""
        try:
            spec = make_spec(self.settings)
        except HybridTranscribeError:
            return "failed"
        if self.lanes.warm(spec):
            return "ready"
        message = self._tell.models.get((spec.engine, spec.model))
        if message is None:
            return "waiting"
        if message.error is not None:
            return "failed"
        return "ready" if message.stage is None else "loading"

    def health(self) -> ServiceHealth:
        """Raises ServiceClosed while it is closing."""
        if self._closing:
            raise ServiceClosed(UserMessage("service_closing"))
        return ServiceHealth(tuple(self.warnings), self.default_model())

    def figures(self) -> ServiceFigures:
        """How things stand now."""
        tallies = [self.table.row(job_id).tally for job_id in self.table.job_ids()]
        recordings: Counter[State] = Counter()
        for tally in tallies:
            recordings.update(tally.states)
        return ServiceFigures(
            Counter(tally.state() for tally in tallies),
            recordings,
            self.lanes.lines(),
            {name: lane.deaths for name, lane in self.lanes.by_name.items()},
            self.lanes.workers(),
            self.bus.listeners,
        )

    def _take_up(self, recording: Recording) -> None:
        if recording.owned and not os.path.exists(recording.path):  # noqa: PTH110 - never raises
            self.state.reclaim(recording.path)
        if recording.state.terminal:
            return
        if recording.state is not State.QUEUED:
            recording = self.apply(recording.recording_id, machine.Requeued())
        if recording.state is State.QUEUED:
            if os.path.exists(recording.path):  # noqa: PTH110 - never raises
                self.enqueue(recording)
            else:
                gone = InputMissing(
                    UserMessage("file_gone", name=recording.name, path=recording.path)
                )
                self.apply(recording.recording_id, p.RecordingFailed(gone.info()))

    def _give_up(self, recording_id: str, error: Exception) -> None:
        if not isinstance(error, HybridTranscribeError):
            error = EngineUnavailable(UserMessage("cannot_run", why=error))
        self.apply(recording_id, p.RecordingFailed(error.info()))

    async def stop(self) -> None:
        """No more intake; running work goes back to the journal; workers end."""
        self._closing = True
        self._forecaster.stop()
        self._janitor.stop()
        await self._lengths.stop()
        await self._leave_nothing_behind()
        await self.lanes.stop(self.settings.stop_grace_s)
        self.table.save_fact("speeds", self._speeds.plain())
        if not await self.table.close(LAST_WRITE_S):
            self.warn(
                "journal_incomplete",
                UserMessage("journal_incomplete"),
            )
        self._waiters.fail_all(ServiceClosed(UserMessage("service_closed")))
        self.bus.close()
        self.state.close()

    async def _leave_nothing_behind(self) -> None:
        """Where nothing outlives this process, neither may what a cloud keeps for it."""
        if self.table.durable:
            return
        for recording in tuple(self.table.all_recordings()):
            if not recording.state.terminal and self._is_away(recording):
                self._cancel(recording)
        await self.lanes.let_go(CLOUD_GOODBYE_S)
        for recording in tuple(self.table.all_recordings()):
            self._erase(recording)
        await self._erasures.settle(CLOUD_GOODBYE_S)

    def _is_away(self, recording: Recording) -> bool:
        return self.lanes.away(self._spec_of(recording))

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """What people should know about this service, as (code, message)."""
        return self._tell.warnings

    def warn(self, code: str, message: str) -> None:
        """Tell people something that stops nothing."""
        self._tell.warning(code, message)

    # ---------------------------------------------------------------- journal's events

    def journal_behind(self, error: JournalUnusable) -> None:
        """Nothing can be written now."""
        self.warn(
            "journal_behind",
            UserMessage("journal_behind", text=error),
        )

    def journal_written(self) -> None:
        """Everything is written again."""
        self._tell.warning_over("journal_behind")

    def replace_journal(self, error: JournalUnusable) -> Journal:
        """A fresh journal for one that is damaged. Raises JournalUnusable, OSError."""
        self.warn(*self.state.replace_journal(error))
        return self.state.journal

    def speeds(self) -> dict[str, Any]:
        """What was measured on this machine, as `Speeds.plain` gives it."""
        return self._speeds.plain()

    def everything(self) -> JournalChanges:
        """All jobs and recordings, and what else this process knows."""
        changes = self.table.everything()
        changes.facts.update(
            session_id=self.session_id,
            speeds=self._speeds.plain(),
            erasures=self._erasures.plain(),
        )
        return changes

    def _damaged_segments(self, recording: Recording, run: int, n_missing: int) -> None:
        """Segments cannot be read, found at the start or when somebody wanted the text."""
        key = (recording.recording_id, run)
        if key in self._known_damaged:
            return
        self._known_damaged.add(key)
        self.warn("journal_damaged", _damaged([recording.name]))
        self._mark_damaged(recording, run, n_missing)

    def _tell_damage(self, restored: Restored) -> None:
        names = list(restored.damaged)
        for (recording_id, run), n_missing in restored.n_missing.items():
            recording = self.table.recording(recording_id)
            self._known_damaged.add((recording_id, run))
            self._mark_damaged(recording, run, n_missing)
            names.append(recording.name)
        if names:
            self.warn("journal_damaged", _damaged(list(dict.fromkeys(names))))

    def _mark_damaged(self, recording: Recording, run: int, n_missing: int) -> None:
        if run == recording.run:
            line = incomplete(n_missing, recording.n_segments)
            self.apply(recording.recording_id, p.WarningRaised.of(line))

    @property
    def is_behind(self) -> bool:
        """True while something that happened is in memory only, and nobody was warned yet."""
        return self.table.is_behind

    # ----------------------------------------------------------------------- intake

    def accept(self, *arguments: Any, **more: Any) -> tuple[str, bool]:
        """`sliced_accept` at once."""
        return finish(self.sliced_accept(*arguments, **more))

    def sliced_accept(
        self,
        input_files: Sequence[InputFile],
        rejected: Sequence[Rejection],
        spec: Spec,
        session_id: str,
        priority: int = 0,
        idempotency_key: str | None = None,
    ) -> Sliced[tuple[str, bool]]:
        """A new job, journalled in one transaction before this returns its id and True.

        Or the job that the same submission made before under the same key, and False. Raises
        QueueFull, ServiceClosed, KeyReused.
        """
        mark = fingerprint(idempotency_key, input_files, rejected, spec)
        earlier = self._repeats.find(session_id, mark)
        if earlier is not None:
            return earlier, False
        self._check_room_for(len(input_files), session_id)
        job = JobSnapshot(
            job_id=new_id(),
            session_id=session_id,
            spec=spec,
            recordings=(),
            rejected=tuple(rejected),
            priority=priority,
            created_at=self._clock.wall(),
            repeat=mark,
        )
        self._arriving[session_id] += len(input_files)
        try:
            recordings, rows = yield from self._recordings_of(job, input_files)
            if len(recordings) > PORTION:
                yield
            # Between two slices the same submission may come again, or the end.
            earlier = self._repeats.find(session_id, mark)
            if earlier is not None:
                return earlier, False
            if self._closing:
                raise ServiceClosed(UserMessage("service_closing"))
            self.table.add(replace(job, recordings=tuple(recordings)), rows)
            self._repeats.remember(job)
            self._tell.job(job.job_id)
            if len(recordings) > PORTION:
                yield
            yield from self._enqueue_new(recordings)
        finally:
            self._arriving[session_id] -= len(input_files)
        # After the caller has its id: with an inline executor the work would come first.
        asyncio.get_running_loop().call_soon(self._begin, job.job_id)
        return job.job_id, True

    def _recordings_of(
        self, job: JobSnapshot, input_files: Sequence[InputFile]
    ) -> Sliced[tuple[list[Recording], dict[str, object]]]:
        """A new job's recordings, and their rows in the journal by id."""
        watch = Watch()
        recordings: list[Recording] = []
        rows: dict[str, object] = {}
        for index, item in enumerate(input_files):
            recording = Recording(
                recording_id=new_id(),
                job_id=job.job_id,
                index=index,
                name=item.name,
                path=str(item.path),
                owned=item.owned,
                size_bytes=item.size_bytes,
                spec=_spec_for(item, job.spec),
            )
            recordings.append(recording)
            rows[recording.recording_id] = self.table.encoded(recording)
            if watch.is_over():
                yield
        return recordings, rows

    def _enqueue_new(self, recordings: Sequence[Recording]) -> Sliced[None]:
        """Put in line those to which nothing has happened since they came."""
        watch = Watch()
        for recording in recordings:
            if watch.is_over():
                yield
            if self.table.find(recording.recording_id) is recording:
                self.enqueue(recording)

    def submitted_as(self, session_id: str, idempotency_key: str) -> str | None:
        """The job that was submitted under that key, while it is there."""
        return self._repeats.named(session_id, idempotency_key)

    def _begin(self, job_id: str) -> None:
        self._pump()
        if job_id in self.table:
            self._lengths.look_up(self.table.recordings(job_id))

    def _learn_length(self, recording_id: str, duration_s: float) -> None:
        recording = self.table.find(recording_id)
        if recording is not None and recording.state is State.QUEUED:
            self.enqueue(
                self.apply(recording_id, p.MetadataLearned(RecordingFacts(duration_s=duration_s)))
            )

    def _check_room_for(self, n: int, session_id: str) -> None:
        if self._closing:
            raise ServiceClosed(UserMessage("service_closing"))
        settings, arriving = self.settings, self._arriving
        of_session = self.lanes.waiting_of(session_id) + arriving[session_id]
        for waiting, most, code in (
            (self.lanes.waiting() + arriving.total(), settings.max_queued, "full"),
            (of_session, settings.max_queued_per_session, "full_session"),
        ):
            too_many = waiting + n - most
            if too_many > 0:
                raise QueueFull(
                    UserMessage(code, count=waiting, n=n, most=most),
                    self._forecaster.now().room_in_s(too_many),
                )

    @property
    def closing(self) -> bool:
        """No more jobs are taken."""
        return self._closing

    def enqueue(self, recording: Recording) -> None:
        """Put a queued recording in its lane's line."""
        row = self.table.row(recording.job_id)
        spec = recording.spec or row.job.spec
        length_s = recording.duration_s or recording.size_bytes / BYTES_PER_S
        self.lanes.queue_for(spec).add(
            QueueItem(
                sort_key(row.job.priority, row.age, recording.index),
                recording.recording_id,
                row.job.session_id,
                spec,
                length_s,
                # What goes on in the middle has a language of its own already.
                solo=recording.solo or recording.n_segments > 0,
            )
        )

    def _pump(self) -> None:
        if not self._closing:
            self.lanes.pump()

    # --------------------------------------------------------------- what happens

    def find(self, recording_id: str) -> Recording | None:
        """The recording, None when it was deleted."""
        return self.table.find(recording_id)

    def apply(self, recording_id: str, change: Change, *, lasting: bool = True) -> Recording:
        """Let something happen to a recording, and tell everybody."""
        with self.table.operation():
            before = self.table.recording(recording_id)
            after = self.table.apply(recording_id, change, lasting=lasting)
            self._tell.recording(after)
            if after.state.terminal:
                if after.run != before.run and before.note:
                    # It fell back on an earlier text: nobody goes on with this run.
                    self.left_behind(self._spec_of(before).engine, before.note)
                if after.state is State.CANCELED:
                    self._erase(after)
                self._settle(after.job_id)
        return after

    # ------------------------------------------------------------- what lies elsewhere

    def _erase(self, recording: Recording) -> None:
        """Have deleted what an engine keeps of a recording that nobody wants any more.

        Its note is no longer the recording's: a retry must not wait for what is being deleted.
        """
        if recording.note:
            self.left_behind(self._spec_of(recording).engine, recording.note)
            self.table.apply(recording.recording_id, p.CheckpointSaved(""))

    def _spec_of(self, recording: Recording) -> Spec:
        return recording.spec or self.table.row(recording.job_id).job.spec

    def left_behind(self, engine: str, note: str) -> None:
        """An engine left something that has to go."""
        self._erasures.add(engine, note)

    def _not_erased(self, engine: str, error: ErrorInfo) -> None:
        self.warn("not_erased", UserMessage("may_keep", engine=engine, why=as_message(error)))

    def aside(self, message: p.Erased | p.ModelStaged | p.ModelReady) -> None:
        """What a worker says that is about no recording."""
        match message:
            case p.Erased(engine, note, error):
                self._erasures.answered(engine, note, error)
            case p.ModelStaged():
                self._tell.model(message)
            case p.ModelReady(engine, model, _, error):
                self._tell.model(message)
                if error is not None:
                    text = UserMessage(
                        "model_not_ready", model=model, engine=engine, why=as_message(error)
                    )
                    self.warn("not_preloaded", text)

    def on_segment(self, recording_id: str, change: p.SegmentTranscribed) -> Recording:
        """A segment is final: journal it with the progress it means, then tell."""
        after = self.table.add_segment(recording_id, change)
        self._tell.segment(after, change.index, change.segment)
        self._tell.recording(after)
        return after

    def _settle(self, job_id: str) -> None:
        """Close a job whose last recording has ended."""
        row = self.table.row(job_id)
        if not row.tally.state().terminal:
            return
        job = row.job
        if job.finished_at is None:
            wall = self._clock.wall()
            expires = None if job.kept else wall + self.settings.retention_s
            job = self.table.change_job(job_id, finished_at=wall, expires_at=expires)
            self.table.save_fact("speeds", self._speeds.plain())
            self._tell.job(job_id)
        if not job.kept:
            self._janitor.expect(job_id, (job.expires_at or 0.0) - self._clock.wall())
        self._waiters.ended(job_id)

    def _reopen(self, job_id: str) -> None:
        self._janitor.forget(job_id)
        self.table.row(job_id).tally.highest = 0.0
        self.table.change_job(job_id, finished_at=None, expires_at=None)

    # --------------------------------------------------------------------- control

    def forecast(self) -> Forecast:
        """When what waits will be done, as it was last looked at."""
        return self._forecaster.latest()

    @property
    def forecast_number(self) -> int:
        """Counts forecasts: what was made of an earlier one may be told anew."""
        return self._forecaster.number

    def cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Collection[str] | None = None,
    ) -> None:
        """Stop a job or one recording of it; what has ended stays as it is."""
        finish(self.sliced_cancel(job_id, recording_id, session_ids=session_ids))

    def sliced_cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Collection[str] | None = None,
    ) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        chosen = self.reading.recordings(job_id, recording_id, session_ids)
        for recording in chosen:
            # Or a worker that becomes free between two slices would begin with them.
            self.lanes.remove(recording.recording_id)
        for portion in portions(chosen, PORTION):
            with self.table.operation():
                for recording in self._still_there(portion):
                    if not recording.state.terminal:
                        self._cancel(recording)
            yield

    def _still_there(self, recordings: Iterable[Recording]) -> Iterator[Recording]:
        """As they are now: between two slices anything may have happened to them."""
        for recording in recordings:
            now = self.table.find(recording.recording_id)
            if now is not None:
                yield now

    def _cancel(self, recording: Recording) -> None:
        self.lanes.remove(recording.recording_id)
        after = self.apply(recording.recording_id, machine.CancelRequested())
        if after.state is State.CANCELING:
            self.lanes.cancel(recording.recording_id)

    def retry(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Collection[str] | None = None,
        **changes: Any,
    ) -> None:
        """Once more, for what failed or was canceled, or for the one recording named.

        ``changes`` are those of `submit`: engine, model, device, options. Without any, a
        recording goes on after its last finished segment; with some, it starts afresh, and
        what is completed does too. A complete text stays the result until the new one is
        complete. Raises InvalidTransition when there is nothing to retry.
        """
        finish(self.sliced_retry(job_id, recording_id, session_ids=session_ids, **changes))

    def sliced_retry(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Collection[str] | None = None,
        **changes: Any,
    ) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        every = recording_id is not None or any(v is not None for v in changes.values())
        states = (State.FAILED, State.CANCELED, *((State.COMPLETED,) if every else ()))
        chosen = [
            recording
            for recording in self.reading.recordings(job_id, recording_id, session_ids)
            if recording.state in states
        ]
        if not chosen:
            raise InvalidTransition(UserMessage("nothing_to_retry"))
        self._check_room_for(len(chosen), self.table.row(job_id).job.session_id)
        old = self.table.row(job_id).job.spec
        # Most recordings of a job have the same.
        specs = {
            spec: changed_spec(spec, changes, self.settings)
            for spec in dict.fromkeys(r.spec or old for r in chosen)
        }
        n_left = len(chosen)
        for portion in portions(chosen, PORTION):
            if job_id not in self.table:
                return
            with self.table.operation():
                if n_left == len(chosen):
                    self._reopen(job_id)
                for recording in self._still_there(portion):
                    if recording.state in states:
                        spec = recording.spec or old
                        self._retry(recording, spec, specs[spec])
                n_left -= len(portion)
                if not n_left:
                    self._tell.job(job_id)
            yield
        self._pump()

    def _retry(self, recording: Recording, old: Spec, spec: Spec) -> None:
        resume = spec == old and recording.state is not State.COMPLETED
        if not resume:
            self._erase(recording)
        after = self.apply(recording.recording_id, machine.RetryRequested(resume, spec))
        if not resume:
            kept = {r.run for r in after.runs}
            for run in {recording.run, *(r.run for r in recording.runs)} - kept:
                self.table.drop_segments(recording.recording_id, run)
        self.enqueue(after)

    def keep(
        self, job_id: str, keep: bool = True, *, session_ids: Collection[str] | None = None
    ) -> None:
        """Spare a job from the janitor, or hand it back to it, from now on."""
        job = self.reading.owned(job_id, session_ids)
        expires = None
        self._janitor.forget(job_id)
        if not keep and job.finished_at is not None:
            expires = self._clock.wall() + self.settings.retention_s
            self._janitor.expect(job_id, self.settings.retention_s)
        self.table.change_job(job_id, kept=keep, expires_at=expires)
        self._tell.job(job_id)

    def delete(self, job_id: str, *, session_ids: Collection[str] | None = None) -> None:
        """Erase a job: canceled if need be, results, uploads and all."""
        finish(self.sliced_delete(job_id, session_ids=session_ids))

    def sliced_delete(
        self, job_id: str, *, session_ids: Collection[str] | None = None
    ) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        self.reading.owned(job_id, session_ids)
        yield from self._delete([job_id])

    def delete_session(self, session_id: str) -> None:
        """Erase every job of a session."""
        finish(self.sliced_delete_session(session_id))

    def sliced_delete_session(self, session_id: str) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        yield from self._delete(self.reading.ids([session_id]))

    def _delete(self, job_ids: Sequence[str]) -> Sliced[None]:
        """Short jobs many at once; of a long one first its recordings, then the job."""
        slice_ids: list[str] = []
        weight = 0
        for job_id in job_ids:
            if job_id not in self.table:
                continue
            recordings = self.table.recordings(job_id)
            if _weight(recordings) > PORTION:
                yield from self._delete_recordings(job_id, recordings)
            slice_ids.append(job_id)
            weight += 1 + _weight(self.table.recordings(job_id))
            if weight >= PORTION:
                self._forget_all(slice_ids)
                slice_ids, weight = [], 0
                yield
        self._forget_all(slice_ids)

    def _delete_recordings(self, job_id: str, recordings: Sequence[Recording]) -> Sliced[None]:
        for recording in recordings:
            self.lanes.remove(recording.recording_id)
        items = list(recordings)
        while items:
            portion = [items.pop()]
            while items and _weight(portion) + _weight(items[-1:]) <= PORTION:
                portion.append(items.pop())
            yield
            if job_id not in self.table:
                return
            with self.table.operation():
                gone = list(self._still_there(portion))
                for recording in gone:
                    self._let_go(recording)
                self.table.delete_recordings(job_id, [r.recording_id for r in gone])
            _unlink(gone)

    def _forget_all(self, job_ids: Sequence[str]) -> None:
        jobs = [self.table.row(job_id).job for job_id in job_ids if job_id in self.table]
        with self.table.operation():
            gone = [recording for job in jobs for recording in self._forget(job)]
        # After the journal: a death in between leaves files, which are put aside and then go.
        _unlink(gone)

    def _forget(self, job: JobSnapshot) -> tuple[Recording, ...]:
        """Let go of a job and forget it; its recordings are returned."""
        job_id = job.job_id
        for recording in self.table.recordings(job_id):
            self._let_go(recording)
        gone = self.table.delete(job_id)
        self._janitor.forget(job_id)
        self._repeats.forget(job)
        self._tell.deleted(job.session_id, job_id)
        self._waiters.fail(job_id, UnknownJob(UserMessage("job_deleted", id=job_id)))
        return gone

    def _let_go(self, recording: Recording) -> None:
        """Have nobody work on a recording that goes, here or in a cloud."""
        if recording.state is State.QUEUED:
            self.lanes.remove(recording.recording_id)
        elif not recording.state.terminal:
            self._cancel(recording)
        self._erase(self.table.recording(recording.recording_id))

    def _look_after_files(self) -> None:
        self.state.expire(self.settings.upload_idle_s)
        self._shrink_journal()

    def _shrink_journal(self) -> None:
        """Give back the room of deleted jobs, a little at a time."""
        if self._closing:
            return
        # What cannot be now, as while another program has a lock, is done next time.
        with contextlib.suppress(JournalUnusable):
            if self.state.journal.shrink():
                self._clock.call_later(SHRINK_AGAIN_S, self._shrink_journal)

    def _expired(self, job_id: str) -> None:
        if job_id in self.table:
            self.delete(job_id)

    def call_back(self, job_id: str, url: str) -> None:
        """Keep the address that is to be told of the job's end. Raises UnknownJob."""
        self.table.row(job_id)
        self.table.change_job(job_id, callback_url=url)

    def called_back(self, job_id: str, finished_at: float | None) -> None:
        """Note that the end at that time was told. Raises UnknownJob."""
        self.table.row(job_id)
        self.table.change_job(job_id, called_back_at=finished_at)

    async def wait(self, job_id: str) -> None:
        """Return when the job has ended. Raises UnknownJob, also when it is deleted meanwhile."""
        if not self.table.row(job_id).tally.state().terminal:
            await self._waiters.wait(job_id)

    def subscribe(
        self,
        callback: Callable[[Event], None] | None = None,
        *,
        session_ids: Collection[str] | None = None,
        after: int | None = None,
    ) -> Subscription:
        """Listen to what happens to these sessions' jobs (None: all)."""
        return self._tell.subscribe(callback, session_ids, after)


def _weight(recordings: Sequence[Recording]) -> int:
    """What it costs to delete these, in recordings without text."""
    return sum(1 + recording.n_segments // SEGMENTS_EACH for recording in recordings)


def _unlink(recordings: Iterable[Recording]) -> None:
    for recording in recordings:
        if recording.owned:
            # One that cannot go now (Windows: still open) is put aside at the next start.
            with contextlib.suppress(OSError):
                Path(recording.path).unlink(missing_ok=True)


#: Names listed in one warning.
_MOST_NAMES = 5


def _damaged(names: Sequence[str]) -> str:
    n_more = len(names) - _MOST_NAMES
    if n_more > 0:
        return UserMessage("journal_damaged_more", names=names[:_MOST_NAMES], n=n_more)
    return UserMessage("journal_damaged", names=names)


def _spec_for(input_file: InputFile, spec: Spec) -> Spec:
    """The spec of one recording: of a job for all tracks, each is of its own."""
    if spec.options.audio_track != ALL_TRACKS:
        return spec
    return replace(spec, options=replace(spec.options, audio_track=input_file.audio_track))
