"""What happens, as it happens: ``GET /queues/events``, a stream of server-sent events.

Who may see what is the rule of ``GET /queues``. Whoever names sessions, and the owner of all,
gets events in full; everybody else the anonymous queue, at most once a second and only when it
changed.

A full stream begins with a ``snapshot``, and its listener is entered on the manager loop
before that is put together, so that nothing falls between the two: what happens meanwhile to a
long queue is in the snapshot already and told again after it. Every event bears the service's
number for it. A client that comes back with the last one it saw (``Last-Event-ID``, or
``?last_event_id=`` where headers cannot be set) gets what came after it, once. Where the bus
can no longer tell, another ``snapshot`` comes instead, after a restart as after a pause that
was too long.

A snapshot has no text. All segments up to its number are journalled before anybody can read
it, so a client that then reads ``…/result?partial=true`` has at least those, and each later
``segment`` bears its index in the recording: one that is there already is left out, and one
beyond the next means to read again. Text that is read only after the snapshot came has no gap.
Where a finished recording is transcribed again, its segments are those of the ``run`` that they
name, and ``…/result?partial=true&run=N`` has their text; without ``run`` the finished text comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from hybrid_transcribe.errors import ServiceClosed
from hybrid_transcribe.events import Event, Resync
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.openapi.operation import SSE, answer, operation, parameter
from hybrid_transcribe.rest.openapi.schemas import TEXT, ref
from hybrid_transcribe.rest.queues import OF_SESSIONS
from hybrid_transcribe.service_protocol import EventListener, HostedService, QueueJson
from hybrid_transcribe.wire import shapes

#: Proxies close what is silent for a minute, and some for half of one; in seconds.
HEARTBEAT_S = 15.0

#: No blank line: nothing is dispatched, and what a proxy holds back is little.
HEARTBEAT = b": hb\n"

#: When browsers come back, in milliseconds.
RETRY = b"retry: 1000\n\n"

#: A client that takes nothing for so many seconds is given up.
GIVE_UP_S = 60.0

#: The end of a stream may take so many seconds to send.
GOODBYE_S = 1.0

#: Strangers hear of changes this often, in seconds.
ANONYMOUS_EVERY_S = 1.0

#: Events that are sent in one piece when they wait, so that few are in memory as text.
AT_ONCE = 100


#: The shape of each event's data.
_SHAPES = {
    "snapshot": (shapes.SnapshotEvent, shapes.AnonymousQueue),
    "job": (shapes.JobEvent,),
    "segment": (shapes.SegmentEvent,),
    "deleted": (shapes.DeletedEvent,),
    "model": (shapes.ModelEvent,),
    "warning": (shapes.WarningEvent,),
}

_ABOUT = "Server-sent events, whose data is JSON of these schemas: " + ", ".join(
    f"`{name}` " + " or ".join(f"`{ref(cls)['$ref'].rpartition('/')[2]}`" for cls in classes)
    for name, classes in _SHAPES.items()
)


class EventsHandler(BaseHandler):
    """``GET /queues/events``."""

    group, paths = "queue", ("/queues/events",)
    _listener: EventListener | None = None
    _begun = False
    _gone = False

    @operation(
        "events",
        "Hear what happens",
        about=f"{_ABOUT}. Who may see what is the rule of `/queues`: strangers get anonymous "
        "snapshots only.",
        parameters=(
            *OF_SESSIONS,
            parameter("Last-Event-ID", "header", "The last event you saw: what came after it."),
            parameter("last_event_id", "query", "The same, where no header can be set."),
        ),
        answers={200: answer("Server-sent events, until one side ends it.", {SSE: TEXT})},
    )
    async def get(self) -> None:
        """Tell what happens until the client or the service is gone."""
        sessions = self.sessions
        try:
            if sessions == ():
                await self._tell_strangers()
            else:
                await self._tell(sessions, self._last_seen())
        except StreamClosedError:
            return
        except (ServiceClosed, asyncio.CancelledError):
            # Also when the loop ends with the service that runs it.
            if not self._begun:
                raise
        finally:
            if self._listener is not None:
                self._listener.close()
        if not self._gone:
            await asyncio.wait({self.finish(": closed\n\n")}, timeout=GOODBYE_S)
            self._hang_up()

    def head(self) -> None:
        """How the stream would begin."""
        self._describe()

    def on_connection_close(self) -> None:
        """The client went: nobody listens any more."""
        super().on_connection_close()
        self._gone = True
        if self._listener is not None:
            self._listener.close()

    def _last_seen(self) -> int | None:
        """A browser that comes back sends the header beside the address it began with."""
        text = self.request.headers.get("Last-Event-ID") or self.get_query_argument(
            "last_event_id", ""
        )
        # Not ours: to begin with a snapshot is better than to refuse a browser for ever.
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None

    # ------------------------------------------------------------------------ in full

    async def _tell(self, sessions: tuple[str, ...] | None, after: int | None) -> None:
        lost = True
        while lost:
            listener, snapshot = await self.ask_at_length(partial(_begin, sessions, after))
            self._listener = listener
            try:
                self._check_there()
                await self._send(snapshot)
                lost = await self._pass_on(listener)
            finally:
                listener.close()
            after = None

    async def _pass_on(self, listener: EventListener) -> bool:
        """True when events were lost, False when no more will come."""
        events = aiter(listener)
        coming = _next(events)
        try:
            while True:
                await asyncio.wait({coming}, timeout=HEARTBEAT_S)
                if not coming.done():
                    await self._send(HEARTBEAT)
                    continue
                first = coming.result()
                if first is None:
                    return False
                lines = [first, *_waiting(listener)]
                if any(isinstance(event, Resync) for event in lines):
                    return True
                await self._send(b"".join(map(self.rest.event_texts.of, lines)))
                coming = _next(events)
        finally:
            coming.cancel()

    # ---------------------------------------------------------------------- strangers

    async def _tell_strangers(self) -> None:
        loop = asyncio.get_running_loop()
        display_name, heard_at = b"", loop.time()
        # Of nobody's events: it only tells that the service closes.
        self._listener = listener = await self.ask_at_length(
            lambda service: service.subscribe(session_ids=())
        )
        over = loop.create_task(_until_over(listener))
        while True:
            queue = await self.ask_at_length(lambda service: service.anonymous_queue_json())
            self._check_there()
            if queue.text != display_name:
                await self._send(_snapshot(queue))
                display_name, heard_at = queue.text, loop.time()
            elif loop.time() - heard_at >= HEARTBEAT_S:
                await self._send(HEARTBEAT)
                heard_at = loop.time()
            await asyncio.wait({over}, timeout=ANONYMOUS_EVERY_S)
            if over.done():
                return

    # ------------------------------------------------------------------------ sending

    def _hang_up(self) -> None:
        cast(HTTP1Connection, self.request.connection).close()

    def _check_there(self) -> None:
        """Raise StreamClosedError for a client that went meanwhile."""
        if self._gone:
            raise StreamClosedError

    def _describe(self) -> None:
        self.set_status(HTTPStatus.OK)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Connection", "close")
        # Nginx would hold events back.
        self.set_header("X-Accel-Buffering", "no")

    async def _send(self, text: bytes) -> None:
        """Send, and wait until the machine took it, so that nothing piles up here.

        Raises StreamClosedError when the client is gone or takes nothing.
        """
        if not self._begun:
            self._begun = True
            self._describe()
            text = RETRY + text
        self.write(text)
        sent = asyncio.ensure_future(self.flush())
        done, _ = await asyncio.wait({sent}, timeout=GIVE_UP_S)
        if not done:
            self._hang_up()
            raise StreamClosedError
        sent.result()


def _begin(
    sessions: tuple[str, ...] | None, after: int | None, service: HostedService
) -> tuple[EventListener, bytes]:
    """A listener, and the snapshot that comes before what it hears; none after a known event."""
    listener = service.subscribe(session_ids=sessions, after=after)
    if after is not None:
        return listener, b""
    try:
        return listener, _snapshot(service.queue_json(sessions))
    except BaseException:
        listener.close()
        raise


def _snapshot(queue: QueueJson) -> bytes:
    return b"id: %d\nevent: snapshot\ndata: %s\n\n" % (queue.seq, queue.text)


async def _until_over(listener: EventListener) -> None:
    async for _ in listener:
        pass


def _next(events: AsyncIterator[Event]) -> asyncio.Task[Event | None]:
    async def next_event() -> Event | None:
        return await anext(events, None)

    return asyncio.get_running_loop().create_task(next_event())


def _waiting(listener: EventListener) -> list[Event]:
    """What is there already."""
    items: list[Event] = []
    while len(items) < AT_ONCE and (event := listener.get(0)) is not None:
        items.append(event)
    return items
