"""What a worker reports of its batch, told to the jobs and measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock, Timer
from hybrid_transcribe.errors import (
    EngineFailed,
)
from hybrid_transcribe.interfaces import Executor
from hybrid_transcribe.jobs.assignment import Assignment
from hybrid_transcribe.jobs.eta import First, Speed, Speeds, Stopwatch, key
from hybrid_transcribe.jobs.machine import Change
from hybrid_transcribe.jobs.model_advice import weak_model_notice
from hybrid_transcribe.jobs.request import capabilities
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models.catalogue import LAYOUTS
from hybrid_transcribe.types import (
    ErrorInfo,
    Options,
    Recording,
    RecordingFacts,
    Spec,
    Stage,
    State,
    Transcript,
)

#: What a post-processor does.
AFTER_THE_ENGINE = (Stage.IDENTIFYING_SPEAKERS, Stage.POSTPROCESSING)

#: From these stages on the worker has opened a recording, and from these its time counts.
OPENING = (Stage.DECODING, Stage.TRANSCRIBING, *AFTER_THE_ENGINE)
WORKING = (
    Stage.TRANSCRIBING,
    Stage.UPLOADING_TO_CLOUD,
    Stage.WAITING_FOR_CLOUD,
    *AFTER_THE_ENGINE,
)


class JobSink(Protocol):
    """What a lane needs of the room around it."""

    def find(self, recording_id: str) -> Recording | None: ...

    def apply(self, recording_id: str, change: Change, *, lasting: bool = True) -> Recording: ...

    def on_segment(self, recording_id: str, change: p.SegmentTranscribed) -> Recording: ...

    def on_segments(self, recording_id: str, change: p.SegmentsTranscribed) -> Recording: ...

    def text_for_stage(self, recording_id: str) -> Transcript: ...

    def options_for_stage(self, recording_id: str) -> Options: ...

    def on_processed(
        self, recording_id: str, change: p.PostProcessed, base_revision: int
    ) -> Recording: ...

    def enqueue(self, recording: Recording) -> None: ...

    def pump(self) -> None: ...

    def left_behind(self, engine: str, note: str) -> None: ...

    def aside(self, message: p.Erased | p.ModelStaged | p.ModelReady) -> None: ...


class ReportReceiver(ABC):
    """Takes the messages of one worker. `WorkerSlot` starts, feeds and watches it.

    Late words of an earlier attempt, and words about what was let go, change nothing.
    """

    executor: Executor
    peak_bytes: int | None
    _settings: Settings
    _clock: Clock
    _ledger: JobSink
    _speeds: Speeds
    _stopwatch: Stopwatch
    _flights: dict[str, Assignment]
    _batch_id: int
    _batch_spec: Spec | None
    _busy: bool
    _dying: bool
    _ended_outside: int
    _warm: str | None
    _heard_at: float
    _answered_at: float | None
    _watch_timer: Timer | None

    @abstractmethod
    def pump(self) -> None:
        """Hand over what waits, where the worker is free."""

    def _on_message(self, message: p.Message) -> None:
        if self._dying:
            # Said before the kill reached it: nothing may be handed to that worker any more.
            return
        self._heard_at = self._clock.monotonic()
        if isinstance(message, p.BatchDone):
            if message.batch_id == self._batch_id:
                self._batch_done()
        elif isinstance(message, p.BatchPlaced):
            if message.batch_id == self._batch_id:
                self._placed(message)
        elif isinstance(message, p.Erased | p.ModelStaged | p.ModelReady):
            self._ledger.aside(message)
        elif isinstance(message, p.RecordingMessage):
            flight = self._flights.get(message.recording_id)
            # Late words of an earlier attempt, or about what is no longer wanted.
            if flight is not None and flight.attempt == message.attempt:
                self._about(flight, message.report)

    def _about(self, flight: Assignment, report: p.RecordingReport) -> None:
        if isinstance(report, p.StageChanged) and report.stage in OPENING:
            flight.touched = True
        if isinstance(report, p.CheckpointSaved):
            self._remembered(flight, report)
        elif flight.let_go:
            return
        elif self._ledger.find(flight.recording_id) is None:
            self._leave(flight)
        else:
            self._take(flight, report)

    def _take(self, flight: Assignment, report: p.RecordingReport) -> None:
        """Do what a report means for this slot, and hand it on."""
        rid = flight.recording_id
        match report:
            case p.SegmentTranscribed(index, segment):
                if self._is_next(flight, index):
                    self._count(rid, segment.end_s)
                    self._ledger.on_segment(rid, report)
            case p.SegmentsTranscribed(index, _, resume_s):
                if self._is_next(flight, index):
                    self._count(rid, resume_s)
                    self._ledger.on_segments(rid, report)
            case p.ProgressAdvanced(done_s):
                self._count(rid, done_s)
                self._ledger.apply(rid, report, lasting=False)
            case p.StageChanged():
                self._staged(flight, report)
                self._ledger.apply(rid, report, lasting=False)
            case p.MetadataLearned(facts):
                self._ledger.apply(rid, report)
                self._advise(flight, facts)
            case p.RecordingCompleted(duration_s, peak_bytes):
                self._count(rid, duration_s)
                self.peak_bytes = peak_bytes
                self._end(flight, report)
            case p.RecordingFailed() | p.PostProcessingFailed():
                self._end(flight, report)
            case p.PostProcessed():
                self._processed(flight, report)
            case p.RecordingCanceled():
                self._canceled(flight)
            case _:
                self._ledger.apply(rid, report)

    def _remembered(self, flight: Assignment, report: p.CheckpointSaved) -> None:
        """Journal a note, then let the engine go on.

        A recording that was deleted, or is on its way again, leaves nothing behind.
        """
        recording = self._ledger.find(flight.recording_id)
        if recording is not None and recording.attempt == flight.attempt:
            self._ledger.apply(flight.recording_id, report)
        elif report.note:
            self._ledger.left_behind(flight.ticket.spec.engine, report.note)
        self.executor.send(p.Checkpoint(flight.recording_id, flight.attempt))

    def _is_next(self, flight: Assignment, index: int) -> bool:
        """Is a segment of that index the one to be journalled now? A gap ends the recording."""
        recording = self._ledger.find(flight.recording_id)
        if recording is None or index < recording.n_segments:
            return False
        if index > recording.n_segments:
            error = EngineFailed(UserMessage("segment_lost", n=recording.n_segments)).info()
            self._end(flight, p.RecordingFailed(error))
            return False
        self._ended_outside = 0
        return True

    def _staged(self, flight: Assignment, report: p.StageChanged) -> None:
        if report.stage in WORKING and flight.working_since is None:
            flight.working_since = self._clock.monotonic()
        if report.stage is Stage.TRANSCRIBING:
            self._stopwatch.hears(self._clock.monotonic())

    def _placed(self, message: p.BatchPlaced) -> None:
        spec = self._batch_spec
        assert spec is not None
        self._warm = key(spec)
        self._stopwatch.segments_received(self._clock.monotonic())
        if message.load_s:
            self._speeds.of(spec).load_s = message.load_s

    def _advise(self, flight: Assignment, facts: RecordingFacts) -> None:
        """Tell of a better model where this one is known to be weak in the language.

        The language is known from the start where one was set, else when it is detected.
        """
        options = flight.ticket.spec.options
        language = facts.language or (options.language if facts.device else None)
        recording = self._ledger.find(flight.recording_id)
        can = capabilities(flight.ticket.spec, self._settings)
        # Elsewhere a name of the catalogue may stand for another model.
        if language is None or recording is None or can.model_layout not in LAYOUTS:
            return
        line = weak_model_notice(flight.ticket.spec, language, recording.duration_s, self._speeds)
        if line is not None:
            self._ledger.apply(flight.recording_id, p.WarningRaised.of(line))

    def _processed(self, flight: Assignment, report: p.PostProcessed) -> None:
        recording = self._ledger.find(flight.recording_id)
        if recording is not None:
            self._count_stage(flight, recording.duration_s or 0.0, is_over=True)
        self.peak_bytes = report.peak_bytes or self.peak_bytes
        self._leave(flight)
        self._go_on(self._ledger.on_processed(flight.recording_id, report, flight.base_revision))

    def _count_stage(self, flight: Assignment, done_s: float, *, is_over: bool = False) -> None:
        """Measure a post-processor: audio that it went through since it began to work.

        Until it was through with one recording, what it did of this one is all there is.
        """
        if flight.ticket.stage is None or flight.working_since is None:
            return
        speed = self._speeds.of_stage(flight.ticket.stage)
        work_s = max(0.0, self._clock.monotonic() - flight.working_since)
        if is_over:
            speed.first = None
            speed.add(done_s, work_s)
        else:
            speed.first = First(flight.recording_id, Speed(), done_s, work_s)

    def _count(self, recording_id: str, done_s: float) -> None:
        """Measure the speed: audio that got finished since something last got finished."""
        recording = self._ledger.find(recording_id)
        if recording is None:
            return
        flight = self._flights[recording_id]
        if flight.ticket.stage is not None:
            self._count_stage(flight, done_s)
            return
        self._stopwatch.finished(
            self._speeds.of(flight.ticket.spec),
            recording_id,
            max(0.0, done_s - recording.done_s),
            self._clock.monotonic(),
        )

    def _canceled(self, flight: Assignment) -> None:
        recording = self._ledger.find(flight.recording_id)
        if recording is not None and recording.state is State.CANCELING:
            self._end(flight, p.RecordingCanceled())
        else:
            error = EngineFailed(UserMessage("let_go")).info()
            self._end(flight, p.RecordingFailed(error))

    def _end(self, flight: Assignment, change: Change) -> None:
        self._leave(flight)
        self._go_on(self._ledger.apply(flight.recording_id, change))

    def _go_on(self, after: Recording) -> None:
        """What waits for a stage now may be another worker's."""
        if after.state is State.QUEUED:
            self._ledger.enqueue(after)
            self._ledger.pump()

    def _leave(self, flight: Assignment) -> None:
        self._flights.pop(flight.recording_id, None)
        self._stopwatch.over(flight.recording_id)
        if not self._flights:
            self._answered_at = self._clock.monotonic()

    def _batch_done(self) -> None:
        self._fail_all(EngineFailed(UserMessage("forgotten")).info())
        self._rest()
        self.pump()

    def _fail_all(self, error: ErrorInfo) -> None:
        for flight in tuple(self._flights.values()):
            if not flight.let_go:
                self._end(flight, p.RecordingFailed(error))

    def _rest(self) -> None:
        self._flights.clear()
        self._busy = False
        if self._watch_timer is not None:
            self._watch_timer.cancel()
            self._watch_timer = None

    def _again(self, flight: Assignment, change: Change) -> None:
        if self._ledger.find(flight.recording_id) is None:
            return
        after = self._ledger.apply(flight.recording_id, change)
        if after.state is State.QUEUED:
            self._ledger.enqueue(after)
