"""The job manager: what happens to jobs, in one place and on one loop.

Everything here runs on the manager loop and returns at once. `Service` hands calls to it
from other threads.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Sequence
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
    ServiceClosed,
)
from hybrid_transcribe.events import Event
from hybrid_transcribe.interfaces import Executor, Restored, RunKey
from hybrid_transcribe.jobs import machine
from hybrid_transcribe.jobs.bus import Bus, Subscription
from hybrid_transcribe.jobs.control import PORTION, JobControl
from hybrid_transcribe.jobs.durations import DurationProber, Measure
from hybrid_transcribe.jobs.editing import JobEditing
from hybrid_transcribe.jobs.eta import Speeds
from hybrid_transcribe.jobs.event_publisher import EventPublisher
from hybrid_transcribe.jobs.forecast import Forecast, Forecaster
from hybrid_transcribe.jobs.idempotency import IdempotencyKeys, fingerprint
from hybrid_transcribe.jobs.janitor import Janitor
from hybrid_transcribe.jobs.job_queries import JobQueries
from hybrid_transcribe.jobs.job_store import JobStore
from hybrid_transcribe.jobs.journal_keeping import JournalKeeping
from hybrid_transcribe.jobs.journal_writer import JournalWriter
from hybrid_transcribe.jobs.remote_cleanup import RemoteCleanup
from hybrid_transcribe.jobs.request import make_spec, stages_of
from hybrid_transcribe.jobs.revision_store import RevisionStore
from hybrid_transcribe.jobs.slices import Sliced, Watch, finish
from hybrid_transcribe.jobs.state_folder import StateFolder
from hybrid_transcribe.jobs.voice_files import voices_of_jobs
from hybrid_transcribe.jobs.waiters import Waiters
from hybrid_transcribe.jobs.worker_pool import WorkerPool
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.service_protocol import ServiceFigures, ServiceHealth
from hybrid_transcribe.types import (
    ALL_TRACKS,
    JobSnapshot,
    Recording,
    Rejection,
    Spec,
    State,
)

log = logging.getLogger(__name__)

#: Longest that leaving waits for a journal that is locked or full, in seconds.
LAST_WRITE_S = 5.0

#: Longest that leaving waits for a cloud to let go, and again for it to delete, in seconds.
CLOUD_GOODBYE_S = 5.0


class JobManager(JobControl, JobEditing, JournalKeeping):
    """Jobs, lanes, journal and listeners, tied together; what comes in, and the start and end."""

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
        self.revisions = RevisionStore(self.table, clock, lambda *r: self._tell.revised(*r))
        self.reading = JobQueries(
            self.table,
            self.revisions,
            self._forecaster,
            self._damaged_segments,
            self._damaged_revision,
        )
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
        self.state.sweep(claimed | self._voices())
        self.state.expire(self.settings.upload_idle_s)
        self._janitor.start()
        if self.settings.preload_models:
            self.preload()
        self.pump()
        self._lengths.look_up(tuple(self.table.all_recordings()))

    def _voices(self) -> set[str]:
        """The names of recordings of voices among the uploads, brought back where they can be."""
        jobs = (self.table.row(job_id).job for job_id in self.table.job_ids())
        names = voices_of_jobs(jobs, self.table.all_recordings())
        for name in names:
            if not (self.state.uploads / name).exists():
                self.state.reclaim(name)
        return names

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
        mark = fingerprint(idempotency_key, input_files, rejected, spec, self.state.uploads)
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
        stages = stages_of(job.spec, self.settings)
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
                pending_stages=stages,
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
        self.pump()
        if job_id in self.table:
            self._lengths.look_up(self.table.recordings(job_id))

    # --------------------------------------------------------------------- control

    def forecast(self) -> Forecast:
        """When what waits will be done, as it was last looked at."""
        return self._forecaster.latest()

    @property
    def forecast_number(self) -> int:
        """Counts forecasts: what was made of an earlier one may be told anew."""
        return self._forecaster.number

    def _expired(self, job_id: str) -> None:
        if job_id in self.table:
            self.delete(job_id)

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


def _spec_for(input_file: InputFile, spec: Spec) -> Spec:
    """The spec of one recording: of a job for all tracks, each is of its own."""
    if spec.options.audio_track != ALL_TRACKS:
        return spec
    return replace(spec, options=replace(spec.options, audio_track=input_file.audio_track))
