"""Who waits for which job, where the answer to a request is the transcript itself.

Such a client never learns that there is a job. When its connection breaks or its patience ends
it sends the same again, often without telling anybody: that must find the job it began, not
begin another. So a job outlives its last client by a grace, and then nobody can want it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hybrid_transcribe.core.clock import Timer
from hybrid_transcribe.errors import ServiceClosed, UnknownJob
from hybrid_transcribe.events import Event, JobDeleted
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.service_protocol import HostedService

if TYPE_CHECKING:
    from hybrid_transcribe.jobs.handle import Job

#: How long a job without a client waits for one to come back. The pauses of OpenAI's client
#: between its attempts are 8 s at most.
GRACE_S = 60.0

_BLOCK = 1024 * 1024


class Awaited:
    """One job and those who wait for it. ``job_created`` becomes its id, or why there is none.

    Attributes:
        content: what was sent and how, see `content_of`.
        key: the Idempotency-Key of whoever began it, empty without one.
        named: its session was named by the caller, who can find it there.
    """

    def __init__(self, content: str, key: str, *, named: bool) -> None:
        self.content, self.key, self.named = content, key, named
        self.job_created: Future[str] = Future()
        self.clients = 0
        #: The last client to leave had no answer yet.
        self.lost = False
        self.timer: Timer | None = None
        # Whoever holds a job keeps the janitor away from it.
        self.job: Job | None = None

    def suits(self, key: str, *, again: bool) -> bool:
        """May who sends the same content have this job? Others get one of their own."""
        return again or key == self.key != "" or (self.lost and not self.clients)

    def stay(self) -> None:
        """Do not end when the grace does."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Waiting:
    """The jobs of one server that somebody waits for. Used on the service's loop only."""

    def __init__(self, service: HostedService, grace_s: float = GRACE_S) -> None:
        self._service = service
        self._grace_s = grace_s
        self._awaited: list[Awaited] = []
        self._watching = False
        self.closed = False

    def join(
        self,
        content: str,
        key: str,
        *,
        again: bool,
        named: bool,
    ) -> tuple[Awaited, bool]:
        """What to wait for, and whether the caller has to make the job. Raises ServiceClosed.

        ``again`` says that the client tells itself that it sent this before.
        """
        if self.closed:
            raise ServiceClosed(UserMessage("service_closing"))
        if not self._watching:
            self._watching = True
            self._service.before_close(self._close)
        result = self._find(content, key, again)
        awaited = result or Awaited(content, key, named=named)
        if result is None:
            self._awaited.append(awaited)
        awaited.stay()
        awaited.clients += 1
        return awaited, result is None

    def _find(self, content: str, key: str, again: bool) -> Awaited | None:
        same = [item for item in self._awaited if item.content == content]
        fitting = [item for item in same if item.suits(key, again=again)]
        # Rather one whose client is gone than to share another's.
        return min(fitting, key=lambda item: item.clients, default=None)

    def job_created(self, awaited: Awaited, job: Job) -> None:
        """The job is there."""
        awaited.job = job
        awaited.job_created.set_result(job.job_id)
        self._maybe_end(awaited)

    def failed(self, awaited: Awaited, error: BaseException) -> None:
        """There will be no job; whoever waits beside learns why."""
        self._forget(awaited)
        awaited.job_created.set_exception(error)

    def leave(self, awaited: Awaited, *, answered: bool) -> None:
        """A client has gone, with its answer or without."""
        awaited.clients -= 1
        awaited.lost = not answered
        self._maybe_end(awaited)

    def _maybe_end(self, awaited: Awaited) -> None:
        """Where nobody waits, let the grace begin."""
        alone = not awaited.clients and awaited in self._awaited
        # One that is still to be made ends when it is.
        if alone and awaited.job_created.done():
            end = partial(self._end, awaited)
            awaited.timer = self._service.clock.call_later(self._grace_s, end)

    def _end(self, awaited: Awaited) -> None:
        """Nobody came back."""
        self._forget(awaited)
        awaited.job = None
        with suppress(ServiceClosed):
            self._service.ask(lambda: _let_go(self._service, awaited))

    def take(self, event: Event) -> None:
        """What happens on the service's loop: a job that is deleted is nobody's any more."""
        if isinstance(event, JobDeleted):
            for awaited in tuple(self._awaited):
                created = awaited.job_created
                if created.done() and created.result() == event.job_id:
                    awaited.stay()
                    self._forget(awaited)

    def _forget(self, awaited: Awaited) -> None:
        if awaited in self._awaited:
            self._awaited.remove(awaited)

    def _close(self) -> None:
        """The service is closing: clients send again, to whoever comes after it."""
        self.closed = True
        for awaited in tuple(self._awaited):
            awaited.stay()
            if awaited.job_created.done():
                self._forget(awaited)
                awaited.job = None
                with suppress(ServiceClosed, UnknownJob):
                    _let_go(self._service, awaited)


def _let_go(service: HostedService, awaited: Awaited) -> None:
    """Cancel a job; erase it, too, where nobody else can know it."""
    job_id = awaited.job_created.result()
    job = service.snapshot(job_id)
    # Somebody who saw it wants it.
    if job.kept:
        return
    service.cancel(job_id)
    if not awaited.named:
        service.delete(job_id)


def content_of(paths: list[Path], options: Mapping[str, Any]) -> str:
    """A digest of files and of how they are to be transcribed. Reads them: not on a loop."""
    digest = hashlib.sha256(msgspec.json.encode(options, order="sorted"))
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
