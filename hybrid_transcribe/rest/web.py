"""Tornado's server, which can also hang up: on everybody, at once, whatever they are doing.

It also bounds how many connections there are, see `connections`.
"""

from __future__ import annotations

import asyncio
import socket
import weakref
from collections.abc import Callable, Iterable
from typing import Any, cast

from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream

from hybrid_transcribe.rest.connections import (
    MOST_REFUSED,
    REFUSED_S,
    ConnectionLimits,
    ListeningSocket,
    OpenConnections,
    Refusals,
    raise_descriptor_limit,
    refusal_body,
    refusal_headers,
    turn_away,
)

#: A connection that asks nothing more is closed after so many seconds.
IDLE_CONNECTION_S = 120.0

#: Longest time for a small body to come; uploads have a pace of their own. In seconds.
BODY_S = 60.0

#: Longest time for answers that are under way, and again for their handlers to end, in seconds.
GOODBYE_S = 1.0

#: How often we look whether they are, in seconds.
_LOOK_S = 0.01


class Web(HTTPServer):
    """Used on one loop. Raises this process's limit of open files when it is made."""

    def initialize(
        self, *args: Any, connection_limits: ConnectionLimits | None = None, **named: Any
    ) -> None:
        """As Tornado's. Without ``connection_limits`` as many as the system's limit allows."""
        self._streams: weakref.WeakSet[IOStream] = weakref.WeakSet()
        behind_proxy = bool(named.get("xheaders"))
        n_descriptors = raise_descriptor_limit()
        limits = connection_limits or ConnectionLimits.of(n_descriptors, behind_proxy=behind_proxy)
        self.open_connections = OpenConnections(limits, IOStream.closed)
        self._refused: weakref.WeakSet[IOStream] = weakref.WeakSet()
        self._refusals = Refusals("their number")
        super().initialize(*args, **named)

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Listen on these, which from now on are the server's."""
        super().add_sockets([ListeningSocket.of(item) for item in sockets])

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        if len(self._refused) >= MOST_REFUSED and self._has_no_place(address):
            self._refusals.add()
            turn_away(connection)
            return
        super()._handle_connection(connection, address)

    def _has_no_place(self, address: Any) -> bool:
        probe = object()
        admitted = self.open_connections.admit(probe, _host_of(address))
        self.open_connections.forget(probe)
        return not admitted

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Somebody has called."""
        self._streams.add(stream)
        if not self.open_connections.admit(stream, _host_of(address)):
            self._refusals.add()
            self._refused.add(stream)
            asyncio.get_running_loop().call_later(REFUSED_S, stream.close)
        super().handle_stream(stream, address)

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """As Tornado's, but for connections that are too many."""
        if cast(HTTP1Connection, request_conn).stream in self._refused:
            return _RefusedRequest(request_conn)
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """As Tornado's. A stream that somebody took over may still be open, and counts on."""
        stream = cast(HTTP1ServerConnection, server_conn).stream
        if stream.closed():
            self.open_connections.forget(stream)
        super().on_close(server_conn)

    def hang_up(self) -> None:
        """Listen no more, and close every connection. Twice is once."""
        self.stop()
        # Not Tornado's `close_all_connections`: that closes one when the handler of the one
        # before has ended, which may be never.
        for stream in tuple(self._streams):
            stream.close()

    async def leave(self, busy: Callable[[], bool]) -> None:
        """The same, after a moment for the answers that are under way while it is ``busy``."""
        self.stop()
        loop = asyncio.get_running_loop()
        until = loop.time() + GOODBYE_S
        while busy() or self._sending():
            if loop.time() >= until:
                break
            await asyncio.sleep(_LOOK_S)
        self.hang_up()
        ended = asyncio.ensure_future(self.close_all_connections())
        await asyncio.wait({ended}, timeout=GOODBYE_S)
        ended.cancel()

    def _sending(self) -> bool:
        return any(s.writing() and not s.closed() for s in self._streams)


class _RefusedRequest(HTTPMessageDelegate):
    """Answers 503 to whatever is asked, and reads no body."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        # No HTTP phrase of ours: Tornado writes what it is given.
        status = ResponseStartLine("HTTP/1.1", 503, "Service Unavailable")
        body = b"" if getattr(start_line, "method", "") == "HEAD" else refusal_body()
        self._connection.write_headers(status, HTTPHeaders(refusal_headers()), body)
        self._connection.finish()


def _host_of(address: Any) -> str:
    """The address without its port; of a socket in the file system nothing."""
    return str(address[0]) if isinstance(address, tuple) and address else ""
