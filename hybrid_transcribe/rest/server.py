"""A server on a port of its own, on its service's loop in this very process.

It can also hang up: on everybody, at once, whatever they are doing; and it bounds how many
connections there are, see `connections`.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
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
from tornado.netutil import bind_sockets
from tornado.web import Application

from hybrid_transcribe.errors import InvalidRequest, ServiceClosed
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.access import Access
from hybrid_transcribe.rest.base_handler import AppContext
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
from hybrid_transcribe.rest.routes import alone
from hybrid_transcribe.service_protocol import HostedService

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


#: A new token, in random bits.
TOKEN_BITS = 192

#: Hosts that only this machine reaches.
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Server:
    """A running server. ``url`` is where it is, ``token`` what callers must show."""

    def __init__(self, service: HostedService, http: Web, url: str, token: str | None) -> None:
        self._service = service
        self._http = http
        self.url = url
        self.token = token

    def close(self) -> None:
        """Take no more requests, and hang up on whoever is there. Jobs go on. Twice is once."""
        # A service that closes hangs up itself, when everybody has had an answer.
        with suppress(ServiceClosed):
            self._service.on_loop(self._http.hang_up).result()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Server at {self.url}{'' if self.token is None else ', token needed'}>"


def serve(
    service: HostedService,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    token: str | None = None,
    open_to_all: bool = False,
) -> Server:
    """Serve over HTTP until closed; port 0 takes a free one.

    Without a ``token`` one is made: whoever shows it owns every job. ``open_to_all`` asks for
    none and is refused beyond this machine. Raises InvalidRequest, OSError.
    """
    if open_to_all and token is not None:
        raise InvalidRequest(UserMessage("token_or_all"))
    if open_to_all and host not in LOOPBACK:
        raise InvalidRequest(UserMessage("not_open", host=host))
    secret = None if open_to_all else token or secrets.token_hex(TOKEN_BITS // 8)
    # Before anything is opened: what the settings say may not be.
    rest = AppContext(service, Access(secret, owner=True))
    sockets = bind_sockets(port, host)

    def start() -> Web:
        application = Application(alone(rest), log_function=lambda handler: None)
        # Each request has its own limit; Tornado's is for all that do not stream.
        http = Web(
            application,
            max_body_size=1 << 20,
            idle_connection_timeout=IDLE_CONNECTION_S,
            body_timeout=BODY_S,
        )
        http.add_sockets(sockets)
        service.before_close(http.stop)
        service.after_close(lambda: http.leave(rest.busy))
        if service.settings.preload_models is None:
            service.preload()
        return http

    text = f"[{host}]" if ":" in host else host
    url = f"http://{text}:{sockets[0].getsockname()[1]}"
    try:
        return Server(service, service.on_loop(start).result(), url, secret)
    except BaseException:
        # E.g. a service that was closed meanwhile.
        for socket in sockets:
            socket.close()
        raise
