"""What a server asks of a service that is itself elsewhere, so that servers stand in a chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hybrid_transcribe.core.clock import Clock, LoopClock
from hybrid_transcribe.core.scratch import ScratchFolder
from hybrid_transcribe.errors import InvalidRequest, UnknownEngine, UnknownModel
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.remote.connection import RemoteConnection
from hybrid_transcribe.service_protocol import (
    LAST_EVENT_HEADER,
    QueueJson,
    ServiceFigures,
    ServiceHealth,
)
from hybrid_transcribe.types import State
from hybrid_transcribe.wire import parse, shapes
from hybrid_transcribe.wire.queue_text import anonymous_queue_text, queue_text

_T = TypeVar("_T")

#: Questions of a server's clients to the service elsewhere, at the same time.
AT_ONCE = 16


class RemoteHosting(RemoteConnection):
    """Lets a server of this process serve a service elsewhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="remote-asks")
        self._clock = LoopClock()
        self._folder: ScratchFolder | None = None

    # ---------------------------------------------------------------------- its loop

    def ask(self, action: Callable[[], _T]) -> Future[_T]:
        self._check_open()
        return self._threads.submit(action)

    def _hand_over(self, action: Callable[[], _T]) -> Future[_T]:
        async def run() -> _T:
            return action()

        return self._streams.run(run())

    def before_close(self, action: Callable[[], None]) -> None:
        self._streams.before_close.append(action)

    def after_close(self, action: Callable[[], Awaitable[None]]) -> None:
        self._streams.after_close.append(action)

    @property
    def clock(self) -> Clock:
        return self._clock

    def close(self) -> None:
        super().close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._folder is not None:
            self._folder.close()

    # ------------------------------------------------------------------------- files

    @property
    def in_process(self) -> bool:
        return False

    @property
    def uploads_dir(self) -> Path:
        """A folder of this side for files that people send; `Uploaded` ones go when sent."""
        return self._own_folder("uploads")

    @property
    def partial_dir(self) -> Path:
        """A folder of this side, which goes when the connection is closed."""
        return self._own_folder("partial")

    def _own_folder(self, name: str) -> Path:
        with self._lock:
            self._check_open()
            if self._folder is None:
                self._folder = ScratchFolder()
            path = self._folder.path / name
            path.mkdir(exist_ok=True)
            return path

    # ----------------------------------------------------------------------- reading

    def preload(self) -> None:
        """Nothing: which models are ready is the other server's affair."""

    def health(self) -> ServiceHealth:
        ready = msgspec.json.decode(self._ask("GET", "/health/ready"), type=shapes.ReadyView)
        warnings = tuple((item.code, item.as_message) for item in ready.warnings or ())
        return ServiceHealth(warnings, ready.default_model or "")

    def figures(self) -> ServiceFigures:
        """Jobs and recordings; workers and queues are in the other server's own metrics."""
        jobs = self.snapshots()
        recordings = Counter(recording.state for job in jobs for recording in job.recordings)
        return ServiceFigures(Counter(job.state for job in jobs), recordings)

    def queue_json(
        self, session_ids: Sequence[str] | None, states: Collection[State] = ()
    ) -> QueueJson:
        response = self._response(
            "GET", "/queues", sessions=self._named(session_ids), params=_only(states)
        )
        jobs = map(self._complete, parse.queue(response.content))
        return QueueJson(int(response.headers.get(LAST_EVENT_HEADER, 0)), queue_text(jobs))

    def anonymous_queue_json(self, states: Collection[State] = ()) -> QueueJson:
        response = self._response("GET", "/queues", params=_only(states))
        text = response.content
        if self._whose()[1]:
            # Whoever sees everybody's jobs gets them in full.
            text = anonymous_queue_text(parse.queue(text))
        return QueueJson(int(response.headers.get(LAST_EVENT_HEADER, 0)), text)

    def check_model(self, engine: str | None, model: str | None, *, hub_ids: bool = False) -> None:
        if model is None or hub_ids:
            # The other server decides.
            return
        engines = {info.name: info for info in self.engines()}
        name = engine or next(iter(engines))
        if name not in engines:
            raise UnknownEngine(name, tuple(engines))
        info = engines[name]
        if info.models and model not in (*info.models, info.default_model):
            raise UnknownModel(model, info.models)

    def submitted_as(self, session_id: str, idempotency_key: str) -> str | None:
        """Unknown here: the other server gives the same job for the same key."""
        return None

    def call_back(self, job_id: str, url: str) -> None:
        raise InvalidRequest(UserMessage("callback_front"))

    def called_back(self, job_id: str, finished_at: float | None) -> None:
        raise InvalidRequest(UserMessage("callback_front"))


def _only(states: Collection[State]) -> dict[str, str]:
    """The query that asks for jobs in these states, of any where there are none."""
    return {"state": ",".join(sorted(states))} if states else {}
