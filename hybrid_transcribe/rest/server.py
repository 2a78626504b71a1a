"""The service on a port of its own, on the engine-room loop of this very process."""

from __future__ import annotations

import asyncio
import secrets
from types import TracebackType

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.jobs.room import EngineRoom
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.rest.access import Access
from hybrid_transcribe.rest.door import Rest
from hybrid_transcribe.rest.routes import alone

#: A new token, in random bits.
TOKEN_BITS = 192

#: A connection that asks nothing more is closed after so many seconds.
IDLE_CONNECTION_S = 120.0

#: Longest time to close connections that are left when the service has stopped, in seconds.
HANG_UP_S = 1.0

#: Hosts that only this machine reaches.
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Server:
    """A running server. ``url`` is where it is, ``token`` what callers must show."""

    def __init__(self, service: Service, http: HTTPServer, url: str, token: str | None) -> None:
        self._service = service
        self._http = http
        self.url = url
        self.token = token

    def close(self) -> None:
        """Take no more requests. Jobs go on. Twice is once."""
        if not self._service.closed:
            self._service.call(lambda room: self._http.stop()).result()

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
    service: Service,
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
        raise InvalidRequest("A server has a token or is open_to_all, not both")
    if open_to_all and host not in LOOPBACK:
        raise InvalidRequest(f"A server on {host!r} is not open_to_all: give it a token")
    secret = None if open_to_all else token or secrets.token_hex(TOKEN_BITS // 8)
    # Before anything is opened: what the settings say may not be.
    rest = Rest(service, Access(secret, owner=True))
    sockets = bind_sockets(port, host)

    def start(room: EngineRoom) -> HTTPServer:
        application = Application(alone(rest), log_function=lambda handler: None)
        # Each request has its own limit; Tornado's is for all that do not stream.
        http = HTTPServer(
            application, max_body_size=1 << 20, idle_connection_timeout=IDLE_CONNECTION_S
        )
        http.add_sockets(sockets)
        service.before_close(http.stop)
        # Browsers keep theirs open.
        service.after_close(lambda: _hang_up(http))
        if service.settings.preload_models is None:
            room.preload()
        return http

    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{sockets[0].getsockname()[1]}"
    return Server(service, service.call(start).result(), url, secret)


#: Turns of the loop in which those who stream notice the end and say so.
_GOODBYE_TURNS = 20


async def _hang_up(http: HTTPServer) -> None:
    for _ in range(_GOODBYE_TURNS):
        await asyncio.sleep(0)
    await asyncio.wait({asyncio.ensure_future(http.close_all_connections())}, timeout=HANG_UP_S)
