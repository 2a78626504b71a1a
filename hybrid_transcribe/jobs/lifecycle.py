"""What becomes of recordings, from the queue to their end: store, queue, events in step."""

from __future__ import annotations

import logging
from collections import Counter

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock
from hybrid_transcribe.errors import (
    EngineFailed,
    HybridTranscribeError,
    QueueFull,
    ServiceClosed,
    as_info,
    as_message,
)
from hybrid_transcribe.jobs import machine
from hybrid_transcribe.jobs.bus import Bus
from hybrid_transcribe.jobs.durations import DurationProber
from hybrid_transcribe.jobs.eta import Speeds
from hybrid_transcribe.jobs.event_publisher import EventPublisher
from hybrid_transcribe.jobs.forecast import Forecaster
from hybrid_transcribe.jobs.idempotency import IdempotencyKeys
from hybrid_transcribe.jobs.janitor import Janitor
from hybrid_transcribe.jobs.job_queries import JobQueries
from hybrid_transcribe.jobs.job_store import JobStore
from hybrid_transcribe.jobs.machine import Change
from hybrid_transcribe.jobs.queue import BYTES_PER_S, QueueItem, sort_key
from hybrid_transcribe.jobs.remote_cleanup import RemoteCleanup
from hybrid_transcribe.jobs.revision_store import RevisionStore
from hybrid_transcribe.jobs.state_folder import StateFolder
from hybrid_transcribe.jobs.voice_files import located
from hybrid_transcribe.jobs.waiters import Waiters
from hybrid_transcribe.jobs.worker_pool import WorkerPool
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revisions import keep_names, merge_stage, numbered, stage_fault
from hybrid_transcribe.types import (
    ErrorInfo,
    Options,
    Recording,
    RecordingFacts,
    Spec,
    State,
    Transcript,
)

log = logging.getLogger(__name__)


class JobLifecycle:
    """Applies every change of a recording, and does what follows from it.

    It is the `JobSink` of the workers. `JobManager` makes the parts.
    """

    settings: Settings
    state: StateFolder
    bus: Bus
    table: JobStore
    lanes: WorkerPool
    reading: JobQueries
    revisions: RevisionStore
    session_id: str
    _arriving: Counter[str]
    _clock: Clock
    _closing: bool
    _erasures: RemoteCleanup
    _forecaster: Forecaster
    _janitor: Janitor
    _lengths: DurationProber
    _repeats: IdempotencyKeys
    _speeds: Speeds
    _tell: EventPublisher
    _waiters: Waiters

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """What people should know about this service, as (code, message)."""
        return self._tell.warnings

    def warn(self, code: str, message: str) -> None:
        """Tell people something that stops nothing."""
        self._tell.warning(code, message)

    def find(self, recording_id: str) -> Recording | None:
        """The recording, None when it was deleted."""
        return self.table.find(recording_id)

    def apply(self, recording_id: str, change: Change, *, lasting: bool = True) -> Recording:
        """Let something happen to a recording, and tell everybody."""
        with self.table.operation():
            before = self.table.recording(recording_id)
            after = self.table.apply(recording_id, change, lasting=lasting)
            if before.has_result and _is_now_whole(before, after):
                # The earlier text stays, as a revision.
                self.revisions.commit_run(before)
                after = self.table.recording(recording_id)
            self._tell.recording(after)
            if after.state.terminal:
                if after.run != before.run and before.note:
                    # It fell back on an earlier text: nobody goes on with this run.
                    self.left_behind(self._spec_of(before).engine, before.note)
                if after.state is State.CANCELED:
                    self._erase(after)
                self._settle(after.job_id)
        return after

    def enqueue(self, recording: Recording) -> None:
        """Put a queued recording in its lane's line."""
        row = self.table.row(recording.job_id)
        spec = recording.spec or row.job.spec
        length_s = recording.duration_s or recording.size_bytes / BYTES_PER_S
        stage = recording.pending_stages[0].name if recording.transcribed else None
        self.lanes.queue_for(spec, stage).add(
            QueueItem(
                sort_key(row.job.priority, row.age, recording.index),
                recording.recording_id,
                row.job.session_id,
                spec,
                length_s,
                # What goes on in the middle has a language of its own already.
                solo=recording.solo or recording.n_segments > 0 or stage is not None,
                stage=stage,
            )
        )

    def pump(self) -> None:
        """Hand out work wherever a worker is free."""
        if not self._closing:
            self.lanes.pump()

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

    def on_segments(self, recording_id: str, change: p.SegmentsTranscribed) -> Recording:
        """The same for several that belong together."""
        after = self.table.add_segments(recording_id, change)
        for index, segment in enumerate(change.segments, change.index):
            self._tell.segment(after, index, segment)
        self._tell.recording(after)
        return after

    def text_for_stage(self, recording_id: str) -> Transcript:
        """The text that a stage after the engine works on. Raises JournalUnusable."""
        recording = self.table.recording(recording_id)
        return self.reading.transcript(recording.job_id, recording_id, partial=True)

    def options_for_stage(self, recording_id: str) -> Options:
        """How its next stage is to work, with the whole paths of voices that are known."""
        recording = self.table.recording(recording_id)
        options = recording.pending_stages[0].options or self._spec_of(recording).options
        return located(options, self.state.uploads)

    def on_processed(
        self, recording_id: str, change: p.PostProcessed, base_revision: int
    ) -> Recording:
        """A stage is through: its text becomes a revision, in one transaction with its end."""
        try:
            with self.table.operation():
                self._keep_document(recording_id, change, base_revision)
                return self.apply(recording_id, change)
        except (HybridTranscribeError, ValueError) as error:
            # E.g. a revision that cannot be read any more: the text stays as it is.
            log.exception("what %s made of a text cannot be kept", change.stage)
            failed = p.PostProcessingFailed(change.stage, as_info(error))
            return self.apply(recording_id, failed)

    def _keep_document(
        self, recording_id: str, change: p.PostProcessed, base_revision: int
    ) -> None:
        """Let what a stage made of a text be the next revision; what a person changed meanwhile
        stays. Raises EngineFailed for a document that no text can be.
        """
        recording = self.table.recording(recording_id)
        base = self.revisions.document(recording, base_revision)
        current = self.revisions.document(recording)
        number = recording.revision + 1
        document = keep_names(base, change.document)
        why = stage_fault(base, numbered(base, document, number))
        if why is not None:
            raise EngineFailed(why)
        document = merge_stage(base, current, document, number)
        self.revisions.commit(recording, document, "stage", change.stage)

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

    def _cancel(self, recording: Recording) -> None:
        self.lanes.remove(recording.recording_id)
        after = self.apply(recording.recording_id, machine.CancelRequested())
        if after.state is State.CANCELING:
            self.lanes.cancel(recording.recording_id)

    def _learn_length(self, recording_id: str, duration_s: float) -> None:
        recording = self.table.find(recording_id)
        if recording is None or recording.state is not State.QUEUED:
            return
        # A worker that had it meanwhile knows better than its header.
        if recording.duration_s is None:
            self.enqueue(
                self.apply(recording_id, p.MetadataLearned(RecordingFacts(duration_s=duration_s)))
            )


def _is_now_whole(before: Recording, after: Recording) -> bool:
    """The run under way is complete now; False where it fell back on an earlier one."""
    return after.is_whole and not before.is_whole and after.run == before.run
