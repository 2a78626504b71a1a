"""Tells the ``callback_url`` of a job that it has ended.

What was not told when this process ended is told by the next one: the journal has with each
job whether it was. Signed as Standard Webhooks has it, so that any of its libraries can check
who calls; tried a few times.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import random
import weakref
from collections.abc import Callable
from contextlib import suppress

import msgspec

from hybrid_transcribe.core.clock import Clock, Timer
from hybrid_transcribe.errors import (
    HybridTranscribeError,
    InvalidOption,
    InvalidRequest,
    UnknownJob,
    UnsafeInput,
)
from hybrid_transcribe.events import Event, JobChanged, JobDeleted
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.outbound.call import Caller, checked
from hybrid_transcribe.service_protocol import HostedService
from hybrid_transcribe.types import JobSnapshot
from hybrid_transcribe.wire import serialize

log = logging.getLogger(__name__)

#: Waits before the second, third… try, in seconds; each is varied by half of it either way.
WAITS_S = (5.0, 30.0, 120.0, 600.0)

#: Longest that one call may take, in seconds.
CALL_S = 15.0

#: Calls under way at the same time.
AT_ONCE = 8

#: A receiver's word for: never again.
_GONE = 410


#: What a secret begins with.
SECRET_PREFIX = "whsec_"  # noqa: S105

# Below that a secret is weak, above it no library takes it.
_LEAST_BYTES, _MOST_BYTES = 24, 64


class Outbox:
    """The callbacks of one service. All but `of` and `check` is used on the service's loop."""

    def __init__(
        self,
        service: HostedService,
        caller: Caller,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._service = service
        self._clock: Clock = service.clock
        self._caller = caller
        self._chance = chance
        self._key = key_of(service.settings.webhook_secret or "")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._timers: dict[str, Timer] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)
        service.subscribe(self._on_event)
        service.before_close(self._stop)
        for job in service.snapshots():
            self._look(job.job_id)

    def expect(self, job_id: str, url: str) -> None:
        """Call that address when the job ends, or now if it has."""
        with suppress(UnknownJob):
            self._service.call_back(job_id, url)
            self._look(job_id)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, JobDeleted):
            self._forget(event.job_id)
        elif isinstance(event, JobChanged) and event.job and event.job.callback_url:
            self._look(event.job_id)

    def _forget(self, job_id: str) -> None:
        timer = self._timers.pop(job_id, None)
        if timer is not None:
            timer.cancel()
        task = self._tasks.pop(job_id, None)
        if task is not None:
            task.cancel()

    def _stop(self) -> None:
        for job_id in (*self._timers, *self._tasks):
            self._forget(job_id)

    def _look(self, job_id: str) -> None:
        """Begin where there is something to tell that is not being told."""
        job = self._due(job_id)
        if job is not None and job_id not in self._tasks and job_id not in self._timers:
            self._begin(job_id, 0)

    def _due(self, job_id: str) -> JobSnapshot | None:
        """The job, when its end is not told yet."""
        try:
            job = self._service.snapshot(job_id)
        except UnknownJob:
            return None
        ended = job.finished_at is not None and job.called_back_at != job.finished_at
        return job if job.callback_url is not None and ended else None

    def _begin(self, job_id: str, tried: int) -> None:
        self._timers.pop(job_id, None)
        task = asyncio.get_running_loop().create_task(self._try(job_id, tried))
        self._tasks[job_id] = task

    async def _try(self, job_id: str, tried: int) -> None:
        try:
            over = await self._tell(job_id)
        except HybridTranscribeError as error:
            log.info("a callback failed: %s", error)
            # What is not called now will not be called later.
            over = isinstance(error, UnsafeInput)
        except Exception:
            log.exception("a callback failed")
            over = False
        self._tasks.pop(job_id, None)
        if not over and tried < len(WAITS_S):
            wait_s = WAITS_S[tried] * (0.5 + self._chance())
            self._timers[job_id] = self._clock.call_later(
                wait_s, lambda: self._begin(job_id, tried + 1)
            )
            return
        if not over:
            self._delivered(job_id, self._due(job_id))
        # The job may have been retried meanwhile, and ended anew.
        self._look(job_id)

    async def _tell(self, job_id: str) -> bool:
        """True when there is nothing more to tell."""
        async with self._turn:
            job = self._due(job_id)
            if job is None or job.callback_url is None:
                return True
            body = payload(job)
            at = int(self._clock.wall())
            headers = signed_headers(self._key, message_id(job), at, body)
            try:
                status = await self._caller.post(
                    job.callback_url,
                    body,
                    {"Content-Type": "application/json", **headers},
                    within_s=CALL_S,
                )
            except UnsafeInput:
                self._delivered(job_id, job)
                raise
        over = 200 <= status < 300 or status == _GONE
        if over:
            self._delivered(job_id, job)
        return over

    def _delivered(self, job_id: str, job: JobSnapshot | None) -> None:
        """That end was told, or nobody could be told."""
        if job is not None:
            with suppress(UnknownJob):
                self._service.called_back(job_id, job.finished_at)


def payload(job: JobSnapshot) -> bytes:
    """What is sent: the job as its owner sees it, without the session, which is a capability."""
    data = msgspec.to_builtins(serialize.job(job))
    del data["session_id"]
    at = serialize.when(job.finished_at or 0.0)
    return msgspec.json.encode({"type": f"job.{job.state}", "timestamp": at, "data": data})


def message_id(job: JobSnapshot) -> str:
    """The same for each try, another after a retry of the job."""
    digest = hashlib.sha256(f"{job.job_id} {job.finished_at!r}".encode())
    return f"msg_{digest.hexdigest()[:32]}"


def key_of(secret: str) -> bytes:
    """The bytes of a secret ``whsec_<base64>``. Raises InvalidOption, which does not show it."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise InvalidOption(
            UserMessage(
                "webhook_secret", prefix=SECRET_PREFIX, least=_LEAST_BYTES, most=_MOST_BYTES
            )
        )
    return key


def signed_headers(key: bytes, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent it, and when (seconds since the epoch)."""
    signed = b".".join((message_id.encode(), str(at).encode(), body))
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def check(service: HostedService, url: object) -> str:
    """A callback address that may be taken. Raises InvalidRequest, UnsafeInput."""
    if not isinstance(url, str) or not url:
        raise InvalidRequest(UserMessage("callback_address", url=url))
    if not service.settings.webhook_secret:
        raise InvalidRequest(UserMessage("callback_unsigned"))
    checked(url)
    return url


_outboxes: weakref.WeakKeyDictionary[HostedService, Outbox] = weakref.WeakKeyDictionary()


def start(service: HostedService) -> None:
    """Tell what an earlier process had not. Raises InvalidOption for a secret that cannot be."""
    secret = service.settings.webhook_secret
    if secret:
        key_of(secret)
        service.on_loop(lambda: outbox_of(service))


def outbox_of(service: HostedService) -> Outbox:
    """The one of that service, which several servers may share."""
    result = _outboxes.get(service)
    if result is None:
        caller = Caller.of(service.settings.fetch_private_hosts)
        result = _outboxes[service] = Outbox(service, caller)
    return result
