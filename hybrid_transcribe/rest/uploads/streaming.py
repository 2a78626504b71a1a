"""The handler's side of an upload: a mixin for handlers with ``stream_request_body``.

::

    @stream_request_body
    class Jobs(Receiving, RequestHandler):
        async def prepare(self):
            await self.receive_begin(folder, Limits.of(settings))

        async def post(self):
            received = await self.received()

Whatever goes wrong is answered with one of our errors by way of `write_error`, as soon as it is
known; the files are gone then, and the connection is closed.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPConnection
from tornado.iostream import SSLIOStream
from tornado.web import Finish

from hybrid_transcribe.core.clock import Clock, LoopClock
from hybrid_transcribe.errors import QueueFull
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.uploads.bodies import (
    FormBody,
    JsonBody,
    NoBody,
    RequestBody,
    body_of,
    declared_bytes,
    is_chunked,
    name_of,
)
from hybrid_transcribe.rest.uploads.body_writer import BodyWriter, UploadPace, check_size
from hybrid_transcribe.uploads.files import Files, Opener, check_room, open_new
from hybrid_transcribe.uploads.received import Received, UploadLimits

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object


class StreamingBody(_Base):
    """Takes a request's body to disk."""

    #: Makes the files; tests have one that runs out of disk.
    opener: Opener = staticmethod(open_new)

    _taking: BodyWriter | None = None
    _pace: UploadPace | None = None
    #: Gives back this request's place among those that bring files.
    _place: Callable[[], None] | None = None
    _arrived_bytes = 0
    #: All of the body has come.
    _complete = False
    #: We answered before that.
    _turned_away = False

    async def receive_begin(
        self, folder: Path, limits: UploadLimits, *, name: str = "", clock: Clock | None = None
    ) -> None:
        """Get ready for the body; call it in ``prepare``, before anything is awaited there.

        Files are made in ``folder``, which must exist. ``name`` is what a body that is one file
        is called where neither a header nor the address says: the last part of the path, say.
        Raises TooLarge and DiskFull by the length that the request declares, InvalidRequest,
        UnsupportedMedia, QueueFull: then no byte of the body is read.
        """
        headers, query = self.request.headers, self.request.query_arguments
        files = Files(folder, limits, self.opener)
        called = name_of(headers.get("Content-Disposition", ""), query, name)
        body = body_of(headers, called, files, limits)
        self.receive_as(body, BodyWriter(body, files), folder, limits, clock)

    def receive_as(
        self,
        body: RequestBody,
        taking: BodyWriter,
        folder: Path,
        limits: UploadLimits,
        clock: Clock | None = None,
    ) -> None:
        """The same for a body whose kind is known. Raises TooLarge, DiskFull, QueueFull."""
        # We count ourselves: Tornado would hang up without an answer that says why.
        self._connection.set_max_body_size(sys.maxsize)
        # And uploads may take their time, within their pace.
        self._connection.set_body_timeout(None)  # type: ignore[arg-type]
        declared = declared_bytes(self.request.headers) or 0
        check_size(body, declared)
        check_room(folder, declared)
        if not isinstance(body, NoBody | JsonBody | FormBody):
            self._place = enter(folder, limits.parallel)
        self._taking = taking
        self._pace = UploadPace(limits, clock or LoopClock(), self._turn_away)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Called by Tornado, which reads no further before the result is done."""
        self._arrived_bytes += len(chunk)
        if self._taking is None or self._pace is None:
            # Turned away, and still talking.
            return None
        self._pace.came(len(chunk))
        try:
            busy = self._taking.take(chunk)
        except Exception as error:
            self._turn_away(error)
            return None
        return None if busy is None else self._wait_for(busy, self._pace)

    async def received(self) -> Received:
        """All of the body: call it first in the method, once; the files are the caller's.

        Raises TooLarge, TooMany, InvalidRequest, DiskFull; the files are gone then.
        """
        self._complete = True
        if self._turned_away:
            # The rest came while we waited for the client to read our answer.
            raise Finish
        taking, self._taking = self._taking, None
        self._stop()
        return Received({}, ()) if taking is None else await taking.end()

    async def _wait_for(self, busy: Awaitable[None], pace: UploadPace) -> None:
        pace.hold()
        try:
            await busy
        except Exception as error:
            self._turn_away(error)
        else:
            if self._pace is pace:
                pace.go_on()

    def _turn_away(self, error: Exception) -> None:
        """Answer amid the body: raising here would only close the connection."""
        self._stop()
        if self._turned_away or self._connection.stream.closed():
            return
        info = (type(error), error, error.__traceback__)
        self.log_exception(*info)
        self.send_error(exc_info=info)

    def _stop(self) -> None:
        """No more of the body is wanted, and nothing that came so far."""
        if self._pace is not None:
            self._pace.stop()
            self._pace = None
        if self._taking is not None:
            self._taking.discard()
            self._taking = None
        if self._place is not None:
            self._place()
            self._place = None

    # ------------------------------------------------------------- around Tornado's own steps

    @property
    def answering(self) -> bool:
        """Not while the body comes."""
        return self._complete

    @property
    def _connection(self) -> HTTP1Connection:
        return cast(HTTP1Connection, self.request.connection)

    @property
    def _more_comes(self) -> bool:
        """The client is still sending."""
        if self._complete:
            return False
        declared = declared_bytes(self.request.headers)
        return is_chunked(self.request.headers) or self._arrived_bytes < (declared or 0)

    @property
    def _waits(self) -> bool:
        """The client sends nothing before we ask for it."""
        # The same words as Tornado's: what it does not understand it does not answer.
        expects = self.request.headers.get("Expect") == "100-continue"
        return expects and not self._arrived_bytes

    def finish(self, chunk: Any = None) -> Any:
        """Answer; where the client is still sending, so that it can read the answer."""
        if not self.request._body_future.done():
            # Tornado then hangs up, also where nothing more was to come, and would not say so:
            # the client's next request would go to a connection that is closed.
            self.set_header("Connection", "close")
        if self._more_comes:
            self._turned_away = True
            if not self._waits:
                connection = self._connection
                connection.set_max_body_size(sys.maxsize)
                self.request.connection = LingeringClose(connection)
        return super().finish(chunk)

    def on_finish(self) -> None:
        """Whatever nobody asked for goes."""
        self._stop()
        super().on_finish()

    def on_connection_close(self) -> None:
        """The client has hung up."""
        self._stop()
        super().on_connection_close()


#: How long we listen to who has been answered; in that time an answer crosses any ocean.
LINGER_S = 2.0


class LingeringClose(HTTPConnection):
    """A connection that says goodbye before it hangs up. The handler must drop what comes."""

    def __init__(self, connection: HTTP1Connection) -> None:
        self._connection = connection
        self.write_headers = connection.write_headers  # type: ignore[method-assign]
        self.write = connection.write  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """As the connection's own."""
        self._connection.set_close_callback(callback)

    def finish(self) -> None:
        """The answer is complete."""
        self._end_our_side()
        asyncio.get_running_loop().call_later(LINGER_S, self._connection.close)

    def _end_our_side(self) -> None:
        stream = self._connection.stream
        # An encrypted connection has no half to end; and what is not sent yet must be.
        if isinstance(stream, SSLIOStream) or stream.closed() or stream.writing():
            return
        # The client may have hung up.
        with suppress(OSError):
            stream.socket.shutdown(socket.SHUT_WR)


_lock = threading.Lock()
# By the folder they go to, which each service has of its own; its handlers may be on many loops.
_inside: Counter[Path] = Counter()


def enter(folder: Path, most: int) -> Callable[[], None]:
    """Take one of ``most`` places; what is returned gives it back, once. Raises QueueFull."""
    with _lock:
        if _inside[folder] >= most:
            raise QueueFull(UserMessage("uploads_coming", most=most))
        _inside[folder] += 1
    entered = False

    def leave() -> None:
        nonlocal entered
        with _lock:
            if entered:
                return
            entered = True
            _inside[folder] -= 1
            if not _inside[folder]:
                del _inside[folder]

    return leave
