"""The server of ``hybrid-transcribe serve``: Voila's application with our routes before its own.

One port has it all: the REST service, its page at ``/ui``, and what that page needs of Voila.
There is one service, in this process; the kernels behind pages reach it as any client does,
by the address and the token that they find in their environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import voila.app
from jupyter_core.utils import ensure_async
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler
from traitlets.config import Config
from voila.configuration import VoilaConfiguration
from voila.paths import collect_template_paths

from hybrid_transcribe.config import PREFIX
from hybrid_transcribe.core.scratch import ScratchFolder
from hybrid_transcribe.errors import NotAllowed
from hybrid_transcribe.rest.access import Access
from hybrid_transcribe.rest.base_handler import AppContext, BaseHandler, TellsMethods
from hybrid_transcribe.rest.hosts.kernels import (
    NOTEBOOK,
    OneNotebook,
    PageKernels,
    ThisPython,
    can_use_sockets_in,
)
from hybrid_transcribe.rest.hosts.page import TEMPLATE, TEMPLATE_NAME, pages
from hybrid_transcribe.rest.hosts.serve_config import ServeConfig
from hybrid_transcribe.rest.hosts.voila_routes import MESSAGES, WidgetsOnly, for_visitors
from hybrid_transcribe.rest.logs import log_request
from hybrid_transcribe.rest.routes import routes
from hybrid_transcribe.rest.server import BODY_S, IDLE_CONNECTION_S, Web
from hybrid_transcribe.rest.system import OPEN_PATHS
from hybrid_transcribe.service_protocol import HostedService

#: By these the kernels of pages find the service.
URL, TOKEN = f"{PREFIX}URL", f"{PREFIX}TOKEN"

#: What closing may take beside the service's own grace, in seconds.
MARGIN_S = 5.0

#: What ending the kernels of pages may take, in seconds.
KERNELS_S = 15.0


class PageServer(voila.app.Voila):  # type: ignore[misc]
    """One server: `prepare` it, and `run` serves until it is told to stop."""

    name = "voila"

    def prepare(
        self, service: HostedService, plan: ServeConfig, sockets: list[socket.socket]
    ) -> None:
        """Get ready to serve that on these sockets, see `take_port`."""
        self._service, self._plan, self._sockets = service, plan, sockets
        # Kernels' ids are as good as keys to them, and at every page's coming it writes one.
        self.log_level = logging.WARNING
        # Kernels must be told the port before anything is started.
        self.port = sockets[0].getsockname()[1]
        self.base_url = f"{plan.base_url}/"
        # Not `initialize`, which takes settings from files in whatever folder this is.
        self.voila_configuration = VoilaConfiguration(
            parent=self,
            template=TEMPLATE_NAME,
            allow_template_override="NO",
            allow_theme_override="NO",
            preheat_kernel=True,
            default_pool_size=plan.warm_pages,
            multi_kernel_manager_class=PageKernels,
            kernel_spec_manager_class=ThisPython,
            config=Config(VoilaConfiguration={"resources": {"about": f"{plan.base_url}/about"}}),
        )
        self.kernel_websocket_connection_class = WidgetsOnly
        # Those of the package, wherever a template of that name may lie on this machine.
        self.template_paths = [str(TEMPLATE), *collect_template_paths(["voila"], "base")]

    async def run(self, up: Callable[[str], None], stop: asyncio.Event) -> None:
        """Serve until told to stop; then new work is refused and running work handed back."""
        self._scratch = ScratchFolder()
        self.connection_dir = str(self._scratch.path)
        self.root_dir = self.connection_dir
        self.notebook_path = str(Path(self.root_dir) / NOTEBOOK.name)
        if can_use_sockets_in(self.root_dir):
            # No other user of this machine can listen, and no port is taken.
            self.config.KernelManager.transport = "ipc"
        url = self._plan.url(self.port)
        fields = {URL: url, TOKEN: self._plan.visitor, "IPYTHONDIR": f"{self.root_dir}/ipython"}
        with _environment(fields):
            base = self._plan.base_url
            self.app = _Guarded(
                self._plan.access,
                frozenset(f"{base}{path}" for path in OPEN_PATHS),
                log_function=log_request,
                **self.init_settings(),
            )
            self.app.add_handlers(".*$", self.init_handlers())
            http = Web(
                self.app,
                # Each request has its own limit; Tornado's is for all that do not stream.
                max_body_size=1 << 20,
                idle_connection_timeout=IDLE_CONNECTION_S,
                body_timeout=BODY_S,
                xheaders=self._plan.trust_proxy,
            )
            http.add_sockets(self._sockets)
            if self._service.settings.preload_models is None:
                self._service.ask(self._service.preload)
            try:
                up(url)
                await stop.wait()
            finally:
                await self._close(http)

    async def _close(self, http: Web) -> None:
        """In this order: whoever asks meanwhile is told that the service closes."""
        grace_s = self._service.settings.stop_grace_s + MARGIN_S
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(None, self._service.close)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(closing), grace_s)
        await http.leave(self._rest.busy)
        # Each is killed that does not end by itself.
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(ensure_async(self.kernel_manager.shutdown_all()), KERNELS_S)
        await loop.run_in_executor(None, self._scratch.close)

    def init_settings(self) -> dict[str, Any]:
        """Voila's, with kernels that are for pages alone."""
        settings: dict[str, Any] = super().init_settings()
        self.contents_manager = settings["contents_manager"] = OneNotebook()
        self.kernel_manager.allowed_message_types = sorted(MESSAGES)
        return settings

    def init_handlers(self) -> list[Any]:
        """Ours first, then those of Voila's that a visitor's page needs."""
        base = self._plan.base_url
        rest = self._rest = AppContext(self._service, self._plan.access, base)
        front = (rf"{re.escape(base)}/?", _ToPage, {"target": f"{base}/ui"})
        ours = [*routes(rest), front, *pages(self._plan, self)]
        return [*ours, *for_visitors(super().init_handlers())]


def take_port(plan: ServeConfig) -> list[socket.socket]:
    """Listen where the plan says, and nowhere else. Raises OSError where that cannot be."""
    try:
        return bind_sockets(plan.port, plan.host or None)
    except OSError as error:
        where = f"{plan.host}, port {plan.port}"
        raise OSError(f"Cannot listen on {where}: {error.strerror or error}") from error


class _ToPage(TellsMethods, RequestHandler):
    def initialize(self, target: str) -> None:
        self._target = target

    def get(self) -> None:
        query = self.request.query
        self.redirect(f"{self._target}?{query}" if query else self._target)


class _Guarded(Application):
    """Answers only to its own names, whichever route it is: Voila's are as easily turned.

    ``open_paths`` are for load balancers, which use any name.
    """

    def __init__(self, access: Access, open_paths: frozenset[str], **settings: Any) -> None:
        super().__init__(default_handler_class=_Refused, **settings)
        self._access, self._open_paths = access, open_paths

    def find_handler(self, request: HTTPServerRequest, **named: Any) -> Any:
        try:
            self._access.check_host(request.headers.get("Host", ""))
        except NotAllowed as error:
            if request.path in self._open_paths:
                return super().find_handler(request, **named)
            return self.get_handler_delegate(request, _Refused, {"error": error})
        return super().find_handler(request, **named)


class _Refused(BaseHandler, RequestHandler):
    """For what is nowhere, and for who calls us by another's name."""

    def initialize(self, error: Exception | None = None) -> None:  # type: ignore[override]
        self._error = error or HTTPError(HTTPStatus.NOT_FOUND)

    def prepare(self) -> None:
        raise self._error


@contextlib.contextmanager
def _environment(fields: dict[str, str]) -> Iterator[None]:
    """What processes started meanwhile find in their environment."""
    before = {name: os.environ.get(name) for name in fields}
    os.environ.update(fields)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
