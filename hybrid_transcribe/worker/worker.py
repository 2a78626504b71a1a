"""The worker: batches one after the other, and small errands in between."""

from __future__ import annotations

import threading

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import as_info
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.types import Stage
from hybrid_transcribe.worker.batch import TOO_MUCH, Batch
from hybrid_transcribe.worker.batch_state import Emit
from hybrid_transcribe.worker.pool import ModelPool, Report
from hybrid_transcribe.worker.stages import StagePool, StageRun

#: Longest wait for the service to journal a note, in seconds. It takes microseconds.
KEPT_TIMEOUT_S = 30.0


class Worker:
    """Runs batches and tells `emit`, on the thread that calls `run`.

    `cancel`, `kept` and `erase` are thread-safe. ``ahead`` decodes on a thread of its own while
    the engine works; without it everything happens on one thread, in an order that tests can
    rely on.
    """

    def __init__(self, settings: Settings, emit: Emit, *, ahead: bool = True) -> None:
        self.pool = ModelPool(settings)
        self.stages = StagePool(settings)
        self._settings = settings
        self._emit = emit
        self._ahead = ahead
        self._canceled: set[tuple[str, int]] = set()
        self._kept: set[tuple[str, int]] = set()
        self._news = threading.Condition()

    def cancel(self, recording_id: str, attempt: int) -> None:
        """Let a recording go at the next chance."""
        with self._news:
            self._canceled.add((recording_id, attempt))
            self._news.notify_all()

    def kept(self, recording_id: str, attempt: int) -> None:
        """The note of a recording is journalled."""
        with self._news:
            self._kept.add((recording_id, attempt))
            self._news.notify_all()

    def _journalled(self, recording_id: str, attempt: int) -> bool:
        """Wait until it is. One that is being let go needs no wait."""
        this = (recording_id, attempt)
        with self._news:
            done = self._news.wait_for(
                lambda: this in self._kept or this in self._canceled, KEPT_TIMEOUT_S
            )
            self._kept.discard(this)
        return done

    def run(self, command: p.RunBatch) -> None:
        """Answer for every recording of the batch, whatever happens; `BatchDone` comes last."""
        batch = Batch(command, self._settings, self._emit, self._canceled, self._journalled)
        try:
            batch.measure()
            while turns := batch.turns():
                self._take_turn(batch, turns[0])
        except Exception as error:
            batch.places.fail_the_rest(as_info(error))
        finally:
            batch.forget_cancels()
        self._emit(p.BatchDone(command.batch_id))

    def run_stage(self, command: p.RunStage) -> None:
        """Have a post-processor work on a recording's text; `BatchDone` comes last."""
        this = (command.recording_id, command.attempt)
        run = StageRun(
            command,
            self._settings,
            self._emit,
            lambda: this in self._canceled,
            self.pool.unload_all,
        )
        try:
            run.run(self.stages)
        finally:
            self._canceled.discard(this)
        self._emit(p.BatchDone(command.batch_id))

    def unload_idle(self) -> None:
        """Give back the memory of what was not used for a while."""
        self.pool.unload_idle()
        self.stages.unload_idle()

    def unload_all(self) -> None:
        """Give back the memory of everything that is loaded."""
        self.pool.unload_all()
        self.stages.unload_all()

    def _take_turn(self, batch: Batch, keys: list[int]) -> None:
        """Transcribe some recordings; what was too much is tried again in a smaller way."""
        try:
            with self.pool.lend(batch.spec, batch.places.stage_all) as lent:
                batch.transcribe(keys, lent, self.pool.batch_size(batch.spec), ahead=self._ahead)
        except TOO_MUCH as trouble:
            self.stages.unload_all()
            if not self.pool.step_down(batch.spec, trouble):
                if batch.troubled is None:
                    raise
                # Its neighbours may be small enough.
                batch.places.end(batch.troubled, p.RecordingFailed(error=as_info(trouble)))
            batch.go_back()

    def preload(self, command: p.Preload) -> None:
        """Make a model ready before anybody asks."""
        spec = command.spec

        def report(stage: Stage, percentage: float | None) -> None:
            self._emit(p.ModelStaged(spec.engine, spec.model, stage, percentage))

        try:
            device = self._loaded_on(command, report)
        except Exception as error:
            self._emit(p.ModelReady(spec.engine, spec.model, error=as_info(error)))
        else:
            self._emit(p.ModelReady(spec.engine, spec.model, device))

    def _loaded_on(self, command: p.Preload, report: Report) -> str:
        while True:
            try:
                with self.pool.lend(command.spec, report) as lent:
                    return lent.loaded.device
            except TOO_MUCH as trouble:
                if not self.pool.step_down(command.spec, trouble):
                    raise

    def erase(self, command: p.Erase) -> None:
        """Delete what an engine left elsewhere."""
        try:
            ENGINES.make(command.engine, self._settings.engines).erase(command.note, self._settings)
        except Exception as error:
            self._emit(p.Erased(command.engine, command.note, as_info(error)))
        else:
            self._emit(p.Erased(command.engine, command.note))
