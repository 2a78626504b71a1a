"""The routes as an extension of Jupyter Server, below ``<base_url>/hybrid-transcribe``.

Whoever is logged in there can run any code as its owner, so they own every session here too.
Logging in, its cookies, its tokens and its hosts are Jupyter's own business.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import Application

from hybrid_transcribe.errors import NotAllowed, NoToken
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.access import ANY_HOST, Access, Role
from hybrid_transcribe.rest.base_handler import AppContext
from hybrid_transcribe.rest.logs import redacted
from hybrid_transcribe.rest.routes import alone
from hybrid_transcribe.service_protocol import HostedService

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

#: Where the routes are, below the server's own address.
PLACE = "hybrid-transcribe"

#: Parameters that Jupyter's log leaves out beside its own.
SECRET_PARAMETERS = ("session_id",)


def _load_jupyter_server_extension(serverapp: ServerApp) -> None:
    """Called by Jupyter Server when it starts."""
    application: Application = serverapp.web_app
    hidden = application.settings.setdefault("extra_log_scrub_param_keys", [])
    application.settings["extra_log_scrub_param_keys"] = [*hidden, *SECRET_PARAMETERS]
    prefix = url_path_join(application.settings["base_url"], PLACE)
    application.add_handlers(".*$", alone(Lazily(prefix), InJupyter, JupyterAuth))


class Lazily:
    """The service, started when somebody asks for something of it first.

    It is closed when the server's process ends, and then running work goes back to the journal.
    """

    def __init__(self, prefix: str, make: Callable[[], HostedService] = Service) -> None:
        self.prefix = prefix
        self._make = make
        self._lock = asyncio.Lock()
        self._rest: AppContext | None = None

    @property
    def started(self) -> bool:
        """True once a request has needed the service."""
        return self._rest is not None

    async def rest(self) -> AppContext:
        """What the handlers share. Raises what `Service` raises; the next request tries again."""
        async with self._lock:
            if self._rest is None:
                loop = asyncio.get_running_loop()
                service = await loop.run_in_executor(None, self._make)
                # Jupyter has looked at the name by which it was called, with its own settings.
                access = Access(hosts=frozenset({ANY_HOST}), owner=True)
                self._rest = AppContext(service, access, self.prefix)
        return self._rest


class JupyterAuth:
    """Goes before a door: Jupyter Server vouches for who is asking."""

    if TYPE_CHECKING:
        request: Any
        rest: AppContext
        current_user: Any
        _jupyter_current_user: Any
        identity_provider: Any
        authorizer: Any
        token_authenticated: bool
        open_to_strangers: bool
        stranger_status: str
        finish: Callable[[dict[str, str]], Any]
        check_host: Callable[[], bool]
        check_origin: Callable[[], bool]
        set_cors_headers: Callable[[], None]

    def initialize(self, rest: Lazily) -> None:
        """Called by Tornado with the route's arguments."""
        self._lazily = rest
        self._who = Role.OWNER

    async def prepare(self) -> None:
        """Log in by Jupyter's rules, then whatever the door prepares."""
        try:
            await self._log_in()
        except (NoToken, NotAllowed):
            if not self.open_to_strangers:
                raise
            self._who = Role.STRANGER
            if not self._lazily.started:
                # The check of a load balancer starts nothing here.
                self.finish({"status": self.stranger_status})
                return
        self.rest = await self._lazily.rest()
        await _done(super().prepare())  # type: ignore[misc]

    def identify(self) -> Role:
        """Nobody else comes as far as this, but for what strangers may ask."""
        return self._who

    async def _log_in(self) -> None:
        """Raises NotAllowed, NoToken. A redirect to a page to log in would help no program."""
        # Read by Jupyter's own log, whatever happens here.
        self.current_user = self._jupyter_current_user = None
        if not self.check_host():
            raise NotAllowed(UserMessage("wrong_host", host=self.request.host))
        user = await _done(self.identity_provider.get_user(self))
        if user is None:
            raise NoToken(UserMessage("jupyter_login"))
        self.current_user = self._jupyter_current_user = user
        self.set_cors_headers()
        # Pages of ours send no XSRF token: a cookie counts where the page is of this server.
        if not self.token_authenticated and not (self.check_origin() and self._same_origin()):
            raise NotAllowed(UserMessage("page_refused", origin=self.request.headers.get("Origin")))
        reads = self.request.method in ("GET", "HEAD", "OPTIONS")
        action = "read" if reads else "write"
        if not await _done(self.authorizer.is_authorized(self, user, action, PLACE)):
            raise NotAllowed(UserMessage("user_may_not", action=action))

    def _same_origin(self) -> bool:
        """Whatever Jupyter's ``allow_origin`` lets in, a cookie works for this server's pages."""
        origin = self.request.headers.get("Origin")
        return origin is None or urlsplit(origin).netloc.lower() == self.request.host.lower()


class InJupyter(JupyterHandler):
    """What a door stands on in Jupyter Server."""

    @property
    def log(self) -> Any:
        """Jupyter's log, which gets no secrets from here."""
        return _Careful(super().log, {})


class _Careful(logging.LoggerAdapter[logging.Logger]):
    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        return redacted(str(msg)), kwargs


async def _done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
