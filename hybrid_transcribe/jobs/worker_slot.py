"""One lane of work: a queue, a worker, and the batch in the worker's hands.

The lane decides who goes next and watches over the worker's time; who is to blame when a worker
dies is decided in `blame`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock, Timer
from hybrid_transcribe.errors import (
    EngineFailed,
    HybridTranscribeError,
    TimedOut,
    WorkerCrashed,
    is_out_of_descriptors,
)
from hybrid_transcribe.interfaces import Executor, WorkerExit
from hybrid_transcribe.jobs import machine
from hybrid_transcribe.jobs.assignment import Assignment, allowed_s, late
from hybrid_transcribe.jobs.crash_policy import crash_verdicts
from hybrid_transcribe.jobs.eta import Speeds, Stopwatch
from hybrid_transcribe.jobs.queue import BatchLimits, FairQueue, QueueItem
from hybrid_transcribe.jobs.report_receiver import JobSink, ReportReceiver
from hybrid_transcribe.jobs.request import stage_options
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Recording, Spec, State

log = logging.getLogger(__name__)

#: A worker that somebody outside asked to end, as Jupyter does with a kernel's children before it
#: ends the kernel: neither the recording nor the machine is to blame, and the next worker would
#: be asked the same, so it waits a little.
ASKED_TO_END = (-15, -2, -1)
PAUSE_S = 3.0

#: So many failed starts, or ends from outside, in a row are no accident any more.
MOST_IN_A_ROW = 3

#: How often the watchdog looks while a batch is in hand, in seconds.
WATCH_S = 0.5


class WorkerSlot(ReportReceiver):
    """Used on the manager loop only.

    Several lanes may share a ``queue``, of which one ``leads``. ``foretold``: its speed says
    when something will be done. ``patience_s`` is added to the time a recording may take.
    """

    def __init__(
        self,
        name: str,
        executor: Executor,
        settings: Settings,
        clock: Clock,
        ledger: JobSink,
        speeds: Speeds,
        turn: Callable[[QueueItem], BatchLimits],
        *,
        queue: FairQueue | None = None,
        leads: bool = True,
        foretold: bool = True,
        patience_s: float = 0.0,
    ) -> None:
        self.name = name
        self.queue = FairQueue() if queue is None else queue
        self.foretold = foretold
        #: The most memory the worker was seen to hold, in bytes.
        self.peak_bytes: int | None = None
        #: Workers that died with work in their hands.
        self.deaths = 0
        self._leads = leads
        self._patience_s = patience_s
        self.executor = executor
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._speeds = speeds
        self._turn = turn
        self._flights: dict[str, Assignment] = {}
        self._batch_id = 0
        self._batch_spec: Spec | None = None
        self._busy = False
        self._stopping = False
        self._pausing = False
        self._dying = False
        self._failed_starts = 0
        self._ended_outside = 0
        self._batch: tuple[str, ...] = ()
        self._warm: str | None = None
        self._heard_at = 0.0
        self._stopwatch = Stopwatch()
        self._watch_timer: Timer | None = None
        self._answered_at: float | None = None

    @property
    def warm(self) -> str | None:
        """The key of the model that is loaded (see `eta.key`)."""
        return self._warm

    @property
    def flights(self) -> tuple[Assignment, ...]:
        """What is in the worker's hands, in the order it was handed over."""
        return tuple(f for f in self._flights.values() if not f.let_go)

    def line(self) -> Iterator[QueueItem]:
        """What waits, in the order it will be handed over; told by the one lane that leads."""
        if not self._leads:
            return iter(())
        head = self.queue.head()
        return iter(()) if head is None else self.queue.forecast(self._turn(head))

    # --------------------------------------------------------------------- dispatch

    def pump(self) -> None:
        """Hand the next batch to the worker, if it is free and anything waits."""
        while not (self._busy or self._stopping or self._pausing):
            head = self.queue.head()
            if head is None or not self._ensure_worker():
                return
            tickets = self.queue.take(self._turn(head))
            self._busy = True
            if tickets[0].stage is not None:
                if not self._send_stage(tickets[0]):
                    self._rest()
                continue
            items = tuple(item for item in map(self._board, tickets) if item is not None)
            if not items or not self._send_batch(tickets[0].spec, items):
                self._rest()

    def _ensure_worker(self) -> bool:
        """True when a worker is there. A machine that cannot start one is given some time."""
        if self.executor.alive:
            return True
        self._warm, self.peak_bytes = None, None
        try:
            self.executor.start(self._on_message, self._on_exit)
        except Exception as error:
            if is_out_of_descriptors(error):
                log.warning("lane %s: no worker can be started: %s", self.name, error)
            else:
                log.exception("lane %s: no worker can be started", self.name)
            self._cannot_start(error)
            return False
        self._failed_starts = 0
        self.executor.send(p.Configure(self._settings))
        return True

    def _cannot_start(self, error: Exception) -> None:
        if is_out_of_descriptors(error):
            # No recording is to blame, and files are closed again sooner or later.
            self._pause()
            return
        self._failed_starts += 1
        if self._failed_starts % MOST_IN_A_ROW == 0:
            crash = WorkerCrashed(UserMessage("no_worker", why=error)).info()
            for ticket in self.queue.take(BatchLimits(1)):
                self._ledger.apply(ticket.recording_id, p.RecordingFailed(crash))
        self._pause()

    def _board(self, ticket: QueueItem) -> p.Item | None:
        """Put a recording in the worker's hands, if it still waits."""
        recording = self._ledger.find(ticket.recording_id)
        if recording is None or recording.state is not State.QUEUED:
            return None
        self._flights[ticket.recording_id] = Assignment(
            ticket.recording_id, recording.attempt, ticket
        )
        self._ledger.apply(ticket.recording_id, machine.Dispatched())
        return p.Item(
            recording.recording_id,
            recording.attempt,
            recording.path,
            recording.name,
            resume_from_s=recording.done_s,
            first_index=recording.n_segments,
            language=recording.language,
            note=recording.note,
        )

    def _send_batch(self, spec: Spec, items: tuple[p.Item, ...]) -> bool:
        recording_ids = tuple(item.recording_id for item in items)
        honoured = stage_options(spec, self._settings)
        return self._send(
            spec, recording_ids, p.RunBatch(self._batch_id + 1, spec, items, honoured)
        )

    def _send_stage(self, ticket: QueueItem) -> bool:
        """Have a recording's next stage done, if it still waits; False when it was not sent."""
        recording = self._ledger.find(ticket.recording_id)
        if recording is None or recording.state is not State.QUEUED:
            return False
        flight = Assignment(ticket.recording_id, recording.attempt, ticket)
        stage = recording.pending_stages[0]
        self._flights[ticket.recording_id] = flight
        self._ledger.apply(ticket.recording_id, machine.Dispatched())
        try:
            transcript = self._ledger.text_for_stage(ticket.recording_id)
        except HybridTranscribeError as error:
            # Its text cannot be read now, which must not hold up what comes behind it.
            self._end(flight, p.PostProcessingFailed(stage.name, error.info()))
            return False
        flight.base_revision = transcript.revision or 0
        command = p.RunStage(
            self._batch_id + 1,
            ticket.recording_id,
            recording.attempt,
            recording.path,
            stage.name,
            self._ledger.options_for_stage(ticket.recording_id),
            transcript,
        )
        return self._send(ticket.spec, (ticket.recording_id,), command)

    def _send(
        self, spec: Spec, recording_ids: tuple[str, ...], command: p.RunBatch | p.RunStage
    ) -> bool:
        self._batch_id = command.batch_id
        self._batch_spec = spec
        self._batch = recording_ids
        self._answered_at = None
        self._heard_at = self._clock.monotonic()
        try:
            self.executor.send(command)
        except Exception as error:
            # Whatever cannot be sent must not hold up what comes behind it.
            log.exception("lane %s: a batch could not be sent", self.name)
            self._fail_all(EngineFailed(UserMessage("not_sent", why=error)).info())
            return False
        self._watch()
        return True

    # ---------------------------------------------------------------------- errands

    def preload(self, spec: Spec) -> None:
        """Make a model ready before anybody asks."""
        self._errand(p.Preload(spec))

    def erase(self, engine: str, note: str) -> None:
        """Have an engine delete what it left elsewhere."""
        self._errand(p.Erase(engine, note))

    def _errand(self, command: p.Preload | p.Erase) -> None:
        if not self._stopping and self._ensure_worker():
            self.executor.send(command)

    # ----------------------------------------------------------------------- cancel

    def cancel(self, recording_id: str) -> None:
        """Tell the worker to let go; what it has not come to yet is free at once."""
        flight = self._flights.get(recording_id)
        # Let go already, it may be in another lane's hands by now.
        if flight is None or flight.let_go:
            return
        self.executor.send(p.CancelRecording(recording_id, flight.attempt))
        if flight.touched:
            self._clock.call_later(
                self._settings.cancel_grace_s, lambda: self._enforce(recording_id, flight)
            )
            return
        flight.let_go = True
        # Should it have opened it meanwhile, or be stuck before it, it must still come free.
        if all(f.let_go for f in self._flights.values()):
            self._answered_at = self._clock.monotonic()
        if self._ledger.find(recording_id) is not None:
            self._ledger.apply(recording_id, p.RecordingCanceled())

    def _enforce(self, recording_id: str, flight: Assignment) -> None:
        if self._flights.get(recording_id) is flight:
            self._kill_for("a cancel it did not hear")

    def _kill_for(self, reason: str) -> None:
        """End the worker through no fault of the recordings that stay: they go back unblamed."""
        log.info("lane %s: worker killed for %s", self.name, reason)
        self._dying = self.executor.alive
        for flight in tuple(self._flights.values()):
            self._flights.pop(flight.recording_id)
            recording = self._ledger.find(flight.recording_id)
            if recording is None or flight.let_go or recording.state.terminal:
                continue
            after = self._ledger.apply(flight.recording_id, machine.Requeued())
            if after.state is State.QUEUED:
                self._ledger.enqueue(after)
        self.executor.kill()

    # --------------------------------------------------------------------- watchdog

    def _watch(self) -> None:
        if not self._busy:
            return
        self._watch_timer = self._clock.call_later(WATCH_S, self._watch)
        now = self._clock.monotonic()
        limit_s = allowed_s(self._held(), self._settings) + self._patience_s
        if slow := late(self._flights, now, self._heard_at, limit_s, self._settings):
            self._too_late(slow, limit_s)
        elif (
            self._answered_at is not None
            and now - self._answered_at > self._settings.cancel_grace_s
            and self.executor.alive
        ):
            self._kill_for("not ending its batch")

    def _held(self) -> list[Recording]:
        """The recordings of the batch, those already answered for too: all took its time."""
        items = (self._ledger.find(rid) for rid in self._batch)
        return [recording for recording in items if recording is not None]

    def _too_late(self, slow: tuple[Assignment, ...], limit_s: float) -> None:
        """One that took too long fails; several are suspects, and run alone next time."""
        error = TimedOut(UserMessage("timed_out", seconds=limit_s)).info()
        for flight in slow:
            recording = self._ledger.find(flight.recording_id)
            if recording is None or flight.let_go:
                continue
            if len(slow) == 1:
                self._end(flight, p.RecordingFailed(error))
            else:
                self._flights.pop(flight.recording_id)
                self._again(flight, machine.WorkerLost(error, suspect=True))
        self._kill_for("taking too long")

    # ------------------------------------------------------------------------ death

    def _on_exit(self, worker_exit: WorkerExit) -> None:
        self._warm, self._dying = None, False
        flights = tuple(self._flights.values())
        self._rest()
        if self._stopping:
            return
        if self._was_asked_to_end(worker_exit):
            self._pause()
            for flight in flights:
                if not flight.let_go:
                    self._again(flight, machine.Requeued())
        elif flights:
            self.deaths += 1
            log.warning(
                "lane %s: the worker died (%s)\n%s", self.name, worker_exit, worker_exit.last_words
            )
            most = self._settings.max_worker_deaths
            for flight, change in crash_verdicts(flights, worker_exit, most):
                self._again(flight, change)
        self.pump()

    def _was_asked_to_end(self, worker_exit: WorkerExit) -> bool:
        """Ended from outside. Again and again without any progress, it is a death like others."""
        if worker_exit.status not in ASKED_TO_END:
            return False
        self._ended_outside += 1
        return self._ended_outside % (MOST_IN_A_ROW + 1) != 0

    def _pause(self) -> None:
        def go_on() -> None:
            self._pausing = False
            self.pump()

        self._pausing = True
        self._clock.call_later(PAUSE_S, go_on)

    # ------------------------------------------------------------------------- stop

    async def stop(self, grace_s: float) -> None:
        """Take back what is in hand and end the worker."""
        self._stopping = True
        for flight in tuple(self._flights.values()):
            recording = self._ledger.find(flight.recording_id)
            if recording is not None and not flight.let_go:
                self._ledger.apply(flight.recording_id, machine.Requeued())
        self._rest()
        if self.executor.alive:
            await self.executor.stop(grace_s)
