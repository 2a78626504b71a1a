"""What the two services do alike: handles of jobs, waiting, serving, the ``with`` block."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hybrid_transcribe.core.lookup import provider
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import InvalidRequest, ServiceClosed
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.jobs.transcript_edit import add_service
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.service_protocol import HostedService
from hybrid_transcribe.types import Transcript, TranscriptOrigin

if TYPE_CHECKING:
    from hybrid_transcribe.rest.server import Server


_T = TypeVar("_T")


class ServiceBase(HostedService):
    """Built on the operations that each service has of its own."""

    def __init__(self) -> None:
        self._jobs: weakref.WeakValueDictionary[str, Job] = weakref.WeakValueDictionary()
        self._jobs_lock = threading.Lock()
        self._key = add_service(self)

    @abstractmethod
    def _wait(self, job_id: str) -> concurrent.futures.Future[None]:
        """Done when the job has ended."""

    @property
    @abstractmethod
    def _on_own_thread(self) -> bool:
        """True on the thread of the service's loop, where nothing may wait."""

    def on_loop(self, action: Callable[[], _T]) -> concurrent.futures.Future[_T]:
        if not self._on_own_thread:
            return self._hand_over(action)
        done: concurrent.futures.Future[_T] = concurrent.futures.Future()
        done.set_result(action())
        return done

    @abstractmethod
    def _hand_over(self, action: Callable[[], _T]) -> concurrent.futures.Future[_T]:
        """Have it done on the service's loop, from another thread."""

    def new_session(self) -> str:
        return new_id()

    def _handle(self, job_id: str, session_id: str) -> Job:
        with self._jobs_lock:
            job = self._jobs.get(job_id)
            if job is None:
                job = self._jobs[job_id] = Job(self, job_id, session_id)
            return job

    def _with_origin(self, transcript: Transcript, job_id: str) -> Transcript:
        return replace(transcript, origin=TranscriptOrigin(self._key, job_id))

    def job(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> Job:
        return self._handle(job_id, self.snapshot(job_id, session_ids=session_ids).session_id)

    def jobs(self, *, session_ids: Sequence[str] | None = None) -> tuple[Job, ...]:
        snapshots = self.snapshots(session_ids=session_ids)
        return tuple(self._handle(job.job_id, job.session_id) for job in snapshots)

    def wait(self, job_id: str, timeout_s: float | None = None) -> None:
        if self._on_own_thread:
            if self.snapshot(job_id).done:
                return
            raise InvalidRequest(UserMessage("listener_waits"))
        waiting = self._wait(job_id)
        try:
            waiting.result(timeout_s)
        except concurrent.futures.TimeoutError:
            waiting.cancel()
            raise TimeoutError(f"Job {job_id} is not done after {timeout_s} s") from None
        except concurrent.futures.CancelledError:
            raise ServiceClosed(UserMessage("service_closed")) from None

    def wait_async(self, job_id: str) -> asyncio.Future[None]:
        return asyncio.wrap_future(self._wait(job_id))

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        token: str | None = None,
        open_to_all: bool = False,
    ) -> Server:
        server: Server = provider("serve")(self, host, port, token=token, open_to_all=open_to_all)
        return server
