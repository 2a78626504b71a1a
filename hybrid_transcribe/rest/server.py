"""The service on a port of its own, on its own loop in this very process."""

from __future__ import annotations

import secrets
from contextlib import suppress
from types import TracebackType

from tornado.netutil import bind_sockets
from tornado.web import Application

from hybrid_transcribe.errors import InvalidRequest, ServiceClosed
from hybrid_transcribe.rest.access import Access
from hybrid_transcribe.rest.base_handler import AppContext
from hybrid_transcribe.rest.routes import alone
from hybrid_transcribe.rest.web import BODY_S, IDLE_CONNECTION_S, Web
from hybrid_transcribe.service_protocol import HostedService

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
        raise InvalidRequest("A server has a token or is open_to_all, not both")
    if open_to_all and host not in LOOPBACK:
        raise InvalidRequest(f"A server on {host!r} is not open_to_all: give it a token")
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
