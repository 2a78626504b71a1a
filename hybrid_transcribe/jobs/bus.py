"""Events from the job manager to whoever listens, on any thread or loop.

A listener has a bounded buffer of its own: one that never reads costs that much memory and
nothing else. When it overflows, what was in it is replaced by a single `Resync`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from dataclasses import replace
from itertools import islice
from types import TracebackType

from hybrid_transcribe.events import Closed, Event, Resync

log = logging.getLogger(__name__)

#: Events kept for listeners that come back with the last number they saw.
REMEMBERED = 10_000

#: Events one listener may have unread.
UNREAD = 10_000


class Subscription:
    """One listener. Iterate over it (``for`` or ``async for``), or use it as a context manager.

    It ends when it is closed or when the service is; `Closed` itself is not handed out.
    """

    def __init__(
        self,
        forget: Callable[[Subscription], None],
        callback: Callable[[Event], None] | None = None,
        unread: int = UNREAD,
    ) -> None:
        self._forget = forget
        self._callback = callback
        self._unread = unread
        self._events: deque[Event] = deque()
        self._ready = threading.Condition()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._ended = False

    def push(self, event: Event) -> None:
        """Called by the bus, on the manager loop."""
        if self._callback is not None:
            if not isinstance(event, Closed):
                call_listener(self._callback, event)
            return
        with self._ready:
            if isinstance(event, Closed):
                self._ended = True
            elif len(self._events) >= self._unread:
                self._events.clear()
                self._events.append(Resync(event.seq))
            else:
                self._events.append(event)
            self._wake()

    def _wake(self) -> None:
        self._ready.notify_all()
        sleepers, self._sleepers = self._sleepers, []
        for loop, future in sleepers:
            # Its loop may be closed by now.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, future)

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None after the timeout or when it has ended."""
        with self._ready:
            self._ready.wait_for(lambda: bool(self._events) or self._ended, timeout_s)
            return self._events.popleft() if self._events else None

    def __iter__(self) -> Iterator[Event]:
        while (event := self.get()) is not None:
            yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            with self._ready:
                event = self._events.popleft() if self._events else None
                if event is None:
                    if self._ended:
                        return
                    loop = asyncio.get_running_loop()
                    sleep = loop.create_future()
                    self._sleepers.append((loop, sleep))
            if event is not None:
                yield event
            else:
                await sleep

    def close(self) -> None:
        """No more events; a waiting reader is woken. Twice is once."""
        self._forget(self)
        with self._ready:
            self._ended = True
            self._wake()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def call_listener(callback: Callable[[Event], None], event: Event) -> None:
    """A listener's mistake is its own: it is logged, and the job manager goes on."""
    try:
        callback(event)
    except Exception:
        log.exception("A listener failed on %s", type(event).__name__)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Bus:
    """Numbers events and hands them to every listener. Used on the manager loop only.

    ``first`` is the number before the first event. It is taken from the wall clock
    (microseconds), so that numbers rise over restarts too and a listener of an earlier life
    is told to resync instead of missing something.
    """

    def __init__(self, first: int) -> None:
        self.seq = first
        self._start = first
        self._recent: deque[Event] = deque(maxlen=REMEMBERED)
        # Every listener with its sessions (None: all), and the listeners of each session: an
        # event costs as much as it has listeners, not as much as there are.
        self._sessions_of: dict[Subscription, frozenset[str] | None] = {}
        self._of_all: dict[Subscription, None] = {}
        self._of_session: dict[str, dict[Subscription, None]] = {}

    @property
    def next_seq(self) -> int:
        """The number of the next event; one that bears it already is not copied."""
        return self.seq + 1

    def publish(self, event: Event) -> None:
        """Number an event and hand it out."""
        self.seq += 1
        numbered = event if event.seq == self.seq else replace(event, seq=self.seq)
        self._recent.append(numbered)
        for listener in self._listeners_of(event):
            listener.push(numbered)

    def _listeners_of(self, event: Event) -> tuple[Subscription, ...]:
        if not event.session_id:
            return tuple(self._sessions_of)
        return (*self._of_all, *self._of_session.get(event.session_id, ()))

    def subscribe(
        self,
        sessions: Collection[str] | None,
        callback: Callable[[Event], None] | None = None,
        after: int | None = None,
        unread: int = UNREAD,
    ) -> Subscription:
        """A listener for some sessions' events (None: all), from after the given number on."""

        entry = None if sessions is None else frozenset(sessions)
        subscription = Subscription(self._forget, callback, unread)
        for event in self._missed(after):
            if entry is None or not event.session_id or event.session_id in entry:
                subscription.push(event)
        self._sessions_of[subscription] = entry
        if entry is None:
            self._of_all[subscription] = None
        for session_id in entry or ():
            self._of_session.setdefault(session_id, {})[subscription] = None
        return subscription

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._sessions_of)

    def _missed(self, after: int | None) -> list[Event]:
        if after is None or after == self.seq:
            return []
        oldest = self._recent[0].seq if self._recent else self.seq + 1
        if after > self.seq or after + 1 < oldest:
            return [Resync(self.seq)]
        # Numbers are consecutive.
        newest = list(islice(reversed(self._recent), self.seq - after))
        return newest[::-1]

    def _forget(self, subscription: Subscription) -> None:
        entry = self._sessions_of.pop(subscription, None)
        self._of_all.pop(subscription, None)
        for session_id in entry or ():
            listeners = self._of_session[session_id]
            listeners.pop(subscription, None)
            if not listeners:
                del self._of_session[session_id]

    def close(self) -> None:
        """Tell every listener that nothing follows."""
        self.publish(Closed(0))
        for subscription in tuple(self._sessions_of):
            self._forget(subscription)
