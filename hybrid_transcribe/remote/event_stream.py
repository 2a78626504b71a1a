"""Connections that events come over, kept up until nobody listens.

All of them live on one loop on a daemon thread, which starts with the first listener.
Listeners to the same sessions share a connection, so that whoever waits for a job wakes after
those who listen have heard of its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import httpx_sse
import msgspec

from hybrid_transcribe.core.loop import run as run_loop
from hybrid_transcribe.core.loop import run_all
from hybrid_transcribe.errors import (
    HybridTranscribeError,
    InvalidRequest,
    ServiceClosed,
    UnknownJob,
    Unreachable,
)
from hybrid_transcribe.events import Closed, Event, JobChanged, JobDeleted, Resync
from hybrid_transcribe.jobs.bus import Subscription
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.remote.http_client import (
    CONNECT_S,
    TRIES,
    Address,
    check,
    pause_s,
    session_headers,
    unreachable,
)
from hybrid_transcribe.types import JobSnapshot
from hybrid_transcribe.wire import parse, shapes

_T = TypeVar("_T")

#: A stream that is silent for longer has lost its server, whose heart beats every 15 s.
SILENCE_S = 50.0

#: What a lost connection looks like; a refusal, and an answer nobody understands, among them.
_TROUBLE = (httpx.HTTPError, httpx_sse.SSEError, HybridTranscribeError, msgspec.MsgspecError)

_Key = tuple[str, ...] | None


class EventStreams:
    """The open connections by the sessions they tell of."""

    def __init__(
        self,
        address: Address,
        timeout_s: float,
        patience_s: float,
        complete: Callable[[JobSnapshot], JobSnapshot],
    ) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._complete = complete
        self._shared: dict[_Key, EventStream] = {}
        self._every: set[EventStream] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._begun = threading.Event()
        self.before_close: list[Callable[[], None]] = []
        self.after_close: list[Callable[[], Awaitable[None]]] = []

    # ------------------------------------------------------------------------- thread

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Have it done on the loop of the connections. Raises ServiceClosed."""
        with self._lock:
            if self._closed:
                coroutine.close()
                raise ServiceClosed(UserMessage("connection_closed"))
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                main = self._main(self._loop)
                self._thread = threading.Thread(
                    target=run_loop, args=(main, self._loop), name="remote-events", daemon=True
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _main(self, loop: asyncio.AbstractEventLoop) -> None:
        self._client = httpx.AsyncClient(**self._address.client_args(self._timeout_s))
        self._over = asyncio.Event()
        self._begun.set()
        await self._over.wait()
        run_all(self.before_close)
        for stream in tuple(self._every):
            stream.end()
        for last in self.after_close:
            await last()
        await _finish(loop)
        await self._client.aclose()

    @property
    def here(self) -> bool:
        """True on the loop's own thread, where listeners are called and nothing may wait."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """End all of it; those who listen or wait are told. Twice is once."""
        with self._lock:
            first, self._closed = not self._closed, True
        if self._loop is None or self._thread is None:
            return
        if first:
            self._begun.wait()
            self._loop.call_soon_threadsafe(self._over.set)
        if not self.here:
            self._thread.join()

    # ---------------------------------------------------------------------- listening

    def subscribe(
        self, sessions: _Key, callback: Callable[[Event], None] | None, after: int | None
    ) -> Subscription:
        """A listener, entered when this returns.

        Raises Unreachable, ServiceClosed, and what the service raises.
        """
        if not self.here:
            return self.run(self._subscribe(sessions, callback, after)).result()
        shared = self._shared.get(sessions)
        if after is not None or shared is None or not shared.ready.done():
            raise InvalidRequest(UserMessage("listener_connects"))
        return shared.add(callback)

    async def _subscribe(
        self, sessions: _Key, callback: Callable[[Event], None] | None, after: int | None
    ) -> Subscription:
        async with self._using(sessions, after) as stream:
            # Before the first answer is read: who resumes misses none of it.
            listener = stream.add(callback)
            try:
                await asyncio.shield(stream.ready)
            except BaseException:
                listener.close()
                raise
            return listener

    async def wait(self, job_id: str, sessions: _Key) -> None:
        """Return when that job has ended, and those who listen have heard so.

        Raises UnknownJob, Unreachable once the service was away for too long, ServiceClosed.
        """
        job = await self._look(job_id, sessions)
        if job.done and sessions not in self._shared:
            return
        async with self._using(sessions, None) as stream:
            await asyncio.shield(stream.ready)
            while not stream.ended.get(job_id, False):
                if job_id not in stream.ended:
                    # Not yet heard of, or gone since.
                    await self._look(job_id, sessions)
                    if job_id in stream.ended:
                        continue
                await stream.news(job_id)

    async def _look(self, job_id: str, sessions: _Key) -> JobSnapshot:
        failures = 0
        while True:
            try:
                answer = await self._client.get(
                    f"{self._address.url}/jobs/{job_id}", headers=session_headers(sessions)
                )
            except httpx.TransportError as error:
                failures += 1
                if failures >= TRIES:
                    raise unreachable(self._address, error) from error
                await asyncio.sleep(pause_s(failures))
            else:
                check(self._address, answer.status_code, answer.content)
                return parse.job(msgspec.json.decode(answer.content, type=shapes.JobView))

    @contextlib.asynccontextmanager
    async def _using(self, sessions: _Key, after: int | None) -> AsyncIterator[EventStream]:
        stream = self._shared.get(sessions) if after is None else None
        if stream is None:
            stream = EventStream(self._connect, sessions, after, self._patience_s, self._complete)
            stream.on_over = self._forget
            self._every.add(stream)
            if after is None:
                self._shared[sessions] = stream
        stream.users += 1
        try:
            yield stream
        finally:
            stream.users -= 1
            stream.end_if_unused()

    def _forget(self, stream: EventStream) -> None:
        self._every.discard(stream)
        if self._shared.get(stream.sessions) is stream:
            del self._shared[stream.sessions]

    @contextlib.asynccontextmanager
    async def _connect(
        self, sessions: _Key, after: int | None
    ) -> AsyncIterator[httpx_sse.EventSource]:
        headers = session_headers(sessions)
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        async with httpx_sse.aconnect_sse(
            self._client,
            "GET",
            f"{self._address.url}/queues/events",
            headers=headers,
            timeout=httpx.Timeout(SILENCE_S, connect=CONNECT_S, pool=None),
        ) as source:
            answer = source.response
            if answer.status_code != httpx.codes.OK:
                check(self._address, answer.status_code, await answer.aread())
            yield source


async def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """Let those who wait hear that it is over, then end what is left."""
    remaining = asyncio.all_tasks(loop) - {asyncio.current_task()}
    if remaining:
        _, late = await asyncio.wait(remaining, timeout=1.0)
        for task in late:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)


class EventStream:
    """One connection, made again whenever it is lost. Used on its loop only.

    Attributes:
        ready: settled once events from now on will come; an error if that failed.
        ended: jobs as its listeners know them: True for those that have ended.
        users: those who wait for something of it, beside its listeners.
    """

    def __init__(
        self,
        connect: Callable[
            [_Key, int | None], contextlib.AbstractAsyncContextManager[httpx_sse.EventSource]
        ],
        sessions: _Key,
        after: int | None,
        patience_s: float,
        complete: Callable[[JobSnapshot], JobSnapshot],
    ) -> None:
        self._connect = connect
        self.sessions = sessions
        self._last = after
        self._patience_s = patience_s
        self._complete = complete
        self._loop = asyncio.get_running_loop()
        self._lost_at: float | None = self._loop.time()
        self._listeners: list[Subscription] = []
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.ended: dict[str, bool] = {}
        self.users = 0
        self.on_over: Callable[[EventStream], None] = lambda stream: None
        self._task = self._loop.create_task(self._keep_up())

    # ---------------------------------------------------------------------- listeners

    def add(self, callback: Callable[[Event], None] | None) -> Subscription:
        """One more listener, from now on."""
        added = Subscription(self._leave, callback)
        self._listeners.append(added)
        return added

    def _leave(self, listener: Subscription) -> None:
        """Called on any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._remove, listener)

    def _remove(self, listener: Subscription) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
        self.end_if_unused()

    def end_if_unused(self) -> None:
        """Nobody listens and nobody waits: hang up."""
        if not self.users and not self._listeners:
            self.end()

    def end(self) -> None:
        """Hang up, and tell everybody."""
        self._task.cancel()
        self._fail(ServiceClosed(UserMessage("connection_closed")))
        self._tell(Closed(0))
        self._listeners.clear()
        self.on_over(self)

    def _tell(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            listener.push(event)

    async def news(self, job_id: str) -> None:
        """Return when something was heard of a job, or of all. Raises as `EventStreams.wait`."""
        waiter = self._loop.create_future()
        waiters = self._waiting.setdefault(job_id, [])
        waiters.append(waiter)
        try:
            await waiter
        finally:
            waiters.remove(waiter)
            if not waiters:
                self._waiting.pop(job_id, None)

    def _wake(self, job_id: str, error: Exception | None = None) -> None:
        for waiter in self._waiting.get(job_id, ()):
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

    def _fail(self, error: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(error)
            # Nobody may be left to hear it.
            self.ready.exception()
        for job_id in tuple(self._waiting):
            self._wake(job_id, error)

    # --------------------------------------------------------------------- connection

    async def _keep_up(self) -> None:
        failures = 0
        while True:
            try:
                await self._listen()
                error: Exception = Unreachable(UserMessage("stream_ended"))
            except _TROUBLE as caught:
                error = caught
            failures = 1 if self._lost_at is None and self.ready.done() else failures + 1
            if self._lost_at is None:
                self._lost_at = self._loop.time()
            self._lost(error, failures)
            await asyncio.sleep(pause_s(failures))

    def _lost(self, error: Exception, failures: int) -> None:
        """Whoever asked and was not answered is told in bounded time; listeners stay."""
        away_s = self._loop.time() - (self._lost_at or 0.0)
        refused = isinstance(error, HybridTranscribeError) and not isinstance(error, Unreachable)
        message = error if isinstance(error, HybridTranscribeError) else _away(error)
        hopeless = not self.ready.done() and (refused or failures >= TRIES)
        if hopeless or away_s >= self._patience_s:
            self._fail(message)

    async def _listen(self) -> None:
        async with self._connect(self.sessions, self._last) as source:
            self._lost_at = None
            if self._last is not None:
                self._set_ready()
            async for message in source.aiter_sse():
                if message.data:
                    self._take(message)
                    self._set_ready()

    def _set_ready(self) -> None:
        if not self.ready.done():
            self.ready.set_result(None)

    def _take(self, server_sent_event: httpx_sse.ServerSentEvent) -> None:
        seq = int(server_sent_event.id) if server_sent_event.id.isdecimal() else 0
        if server_sent_event.event == "snapshot":
            self._resync(seq, server_sent_event.data)
            return
        if self._last is not None and seq <= self._last:
            return
        self._last = seq
        try:
            event = parse.event(seq, server_sent_event.event, server_sent_event.data)
        except msgspec.DecodeError:
            # Of a newer server: whoever needs to know asks.
            event = Resync(seq)
        if event is None:
            return
        if isinstance(event, JobChanged) and event.job is not None:
            event = replace(event, job=self._complete(event.job))
            self.ended[event.job_id] = event.job is not None and event.job.done
        self._tell(event)
        if isinstance(event, JobChanged):
            self._wake(event.job_id)
        elif isinstance(event, JobDeleted):
            self.ended.pop(event.job_id, None)
            self._wake(event.job_id, UnknownJob(UserMessage("job_deleted", id=event.job_id)))

    def _resync(self, seq: int, data: str) -> None:
        jobs = msgspec.json.decode(data, type=shapes.SnapshotEvent).jobs
        first, self._last = self._last is None, seq
        self.ended = {job.job_id: job.state.terminal for job in jobs}
        if not first:
            self._tell(Resync(seq))
        for job_id in tuple(self._waiting):
            self._wake(job_id)


def _away(error: Exception) -> Unreachable:
    return Unreachable(UserMessage("unreachable_why", why=str(error) or type(error).__name__))


def key_of(session_ids: Sequence[str] | None) -> _Key:
    """Sessions in an order of their own, so that the same ones share a connection."""
    return None if session_ids is None else tuple(sorted(set(session_ids)))
