"""What a server asks of a service of its own process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path

from hybrid_transcribe.core.clock import Clock
from hybrid_transcribe.jobs.local_thread import LocalThread
from hybrid_transcribe.jobs.queue_json import QueueWriter
from hybrid_transcribe.jobs.request import check_model
from hybrid_transcribe.service_protocol import (
    QueueJson,
    ServiceFigures,
    ServiceHealth,
)
from hybrid_transcribe.types import State


class LocalHosting(LocalThread):
    """Lets servers live on the loop of the job manager."""

    _clock: Clock
    _queue_writer: QueueWriter

    def before_close(self, action: Callable[[], None]) -> None:
        self._thread.before_close.append(action)

    def after_close(self, action: Callable[[], Awaitable[None]]) -> None:
        self._thread.after_close.append(action)

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def in_process(self) -> bool:
        return True

    @property
    def uploads_dir(self) -> Path:
        """Where files that people send belong: on the disk of the jobs, swept at the start."""
        return self._manager.state.uploads

    @property
    def partial_dir(self) -> Path:
        """Where uploads in pieces wait for their rest; on the same disk, never swept."""
        return self._manager.state.partial

    def check_model(self, engine: str | None, model: str | None, *, hub_ids: bool = False) -> None:
        check_model(engine, model, self.settings, hub_ids=hub_ids)

    def submitted_as(self, session_id: str, idempotency_key: str) -> str | None:
        return self.do(lambda manager: manager.submitted_as(session_id, idempotency_key))

    def queue_json(
        self, session_ids: Sequence[str] | None, states: Collection[State] = ()
    ) -> QueueJson:
        writer = self._queue_writer
        return self._thread.do_in_slices(lambda manager: writer.own(manager, session_ids, states))

    def anonymous_queue_json(self, states: Collection[State] = ()) -> QueueJson:
        writer = self._queue_writer
        return self._thread.do_in_slices(lambda manager: writer.anonymous(manager, states))

    def health(self) -> ServiceHealth:
        return self.do(lambda manager: manager.health())

    def figures(self) -> ServiceFigures:
        return self.do(lambda manager: manager.figures())

    def preload(self) -> None:
        self.do(lambda manager: manager.preload())

    def call_back(self, job_id: str, url: str) -> None:
        self.do(lambda manager: manager.call_back(job_id, url))

    def called_back(self, job_id: str, finished_at: float | None) -> None:
        self.do(lambda manager: manager.called_back(job_id, finished_at))
