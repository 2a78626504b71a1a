"""A connection to a service elsewhere: whose it is, and the questions over it."""

from __future__ import annotations

import concurrent.futures
import threading
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import ServiceClosed, UnknownJob
from hybrid_transcribe.jobs.service_base import ServiceBase
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.remote.event_stream import EventStreams, key_of
from hybrid_transcribe.remote.http_client import Address, HttpClient, session_headers
from hybrid_transcribe.types import JobSnapshot
from hybrid_transcribe.wire import shapes

#: Sessions beside its own that a service elsewhere is asked for, those used last.
MOST_OTHERS = 50


class RemoteConnection(ServiceBase):
    """Asks over HTTP, listens over event streams, and knows which sessions it speaks for."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        session_id: str | None = None,
        *,
        timeout_s: float = 30.0,
        patience_s: float = 60.0,
    ) -> None:
        super().__init__()
        self._address = Address.of(url, token)
        self._own = session_id
        if session_id is not None:
            session_headers([session_id])
        self._sees_all = False
        # Beside the first: sessions that jobs were submitted to from here.
        self._others: dict[str, None] = {}
        self._lock = threading.Lock()
        self._limits: Settings | None = None
        self._closed = False
        self._calls = HttpClient(self._address, timeout_s)
        self._streams = EventStreams(self._address, timeout_s, patience_s, self._complete)

    @abstractmethod
    def _complete(self, job: JobSnapshot) -> JobSnapshot:
        """With what is known of it on this side only."""

    # ----------------------------------------------------------------------- sessions

    @property
    def session_id(self) -> str:
        return self._whose()[0]

    def _whose(self) -> tuple[str, bool]:
        """This side's session, and whether all others are seen as well."""
        with self._lock:
            if self._own is None:
                message = self._ask("GET", "/sessions")
                view = msgspec.json.decode(message, type=shapes.SessionView)
                self._own, self._sees_all = view.session_id, view.owner
            return self._own, self._sees_all

    def _named(self, session_ids: Sequence[str] | None, job_id: str = "") -> tuple[str, ...] | None:
        """The sessions to name; None where the token speaks for all."""
        if session_ids is not None:
            # To name none at all would ask for everybody's, so name one that nobody has.
            return tuple(session_ids) or (new_id(),)
        own, sees_all = self._whose()
        if sees_all:
            return None
        handle = self._jobs.get(job_id)
        return (own, *self._others) if handle is None else (handle.session_id,)

    def _note_session(self, session_id: str) -> None:
        """Jobs of that session are among those that are asked for."""
        self._others[session_id] = None
        while len(self._others) > MOST_OTHERS:
            self._others.pop(next(iter(self._others)))

    # ------------------------------------------------------------------------- asking

    @property
    def settings(self) -> Settings:
        """The service's limits, as far as it tells; everything else is the default.

        What passes them is refused before it is sent. The cache is the one of this side.
        """
        if self._limits is None:
            payload = msgspec.json.decode(self._ask("GET", "/limits"), type=shapes.LimitsView)
            limits = msgspec.structs.asdict(payload)
            self._limits = Settings().but(cache_dir=Settings.load().cache_dir, **limits)
        return self._limits

    def _ask(self, method: str, path: str, **kwargs: Any) -> bytes:
        return self._response(method, path, **kwargs).content

    def _response(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        self._check_open()
        return self._calls.ask(method, path, **kwargs)

    def _wait(self, job_id: str) -> concurrent.futures.Future[None]:
        self._check_open()
        return self._streams.run(self._streams.wait(job_id, key_of(self._named(None, job_id))))

    @property
    def _on_own_thread(self) -> bool:
        return self._streams.here

    # -------------------------------------------------------------------------- close

    def _check_open(self) -> None:
        if self._closed:
            raise ServiceClosed(UserMessage("connection_closed"))

    def close(self) -> None:
        """Hang up. The service and its jobs go on. Further calls do nothing."""
        self._closed = True
        self._streams.close()
        self._calls.close()

    @property
    def closed(self) -> bool:
        return self._closed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._address.url}{', closed' if self._closed else ''}>"


def job_path(job_id: str) -> str:
    """Where a job is, below the service's address. Raises UnknownJob for an empty id."""
    if not job_id:
        raise UnknownJob(UserMessage("no_job", id=job_id))
    return f"/jobs/{quote(job_id, safe='')}"


def recording_path(job_id: str, recording_id: str) -> str:
    """Where one recording of a job is. Raises UnknownJob for an empty id."""
    return f"{job_path(job_id)}/recordings/{quote(recording_id or '-', safe='')}"
