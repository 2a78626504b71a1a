"""What of Voila's own routes a visitor may have, and what a page may say to its kernel.

Voila also lists and renders notebooks of the folder it was started in, serves that folder's
files, and brings JupyterLab's front end. Our page shows one notebook and brings its own.

A kernel runs whatever code it is sent. So what a page may say is listed here, on the one channel
where it may say it; everything else ends here, on every channel.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.web import HTTPError
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from hybrid_transcribe.rest.base_handler import TellsMethods
from hybrid_transcribe.rest.problems import PROBLEM, problem

log = logging.getLogger(__name__)


class PlainErrors(TellsMethods):
    """Goes before a handler of Jupyter's: errors are problems, as everywhere else.

    Jupyter Server renders a page for each, from templates that this server has not, and logs the
    stacks of both errors: of the refusal and of the template that is missing.
    """

    def write_error(self, status_code: int, **named: Any) -> None:
        """Every error; what it says goes to the log, too, where it is a refusal."""
        phrase = HTTPStatus(status_code).phrase
        error = named.get("exc_info", (None, None, None))[1]
        detail = (error.log_message or "") if isinstance(error, HTTPError) else ""
        if status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            log.info("%s refused: %d %s", self.request.method, status_code, detail or phrase)
        self.set_header("Content-Type", PROBLEM)
        self.set_header("Cache-Control", "no-store")
        code = phrase.lower().replace(" ", "_")
        self.finish(msgspec.json.encode(problem(code, detail, status_code)))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What nobody expected is logged with its stack; a refusal has its line."""
        if not isinstance(value, HTTPError):
            log.error("%s failed", self.request.method, exc_info=(typ, value, tb))


#: The form of messages that is read here. Older forms are refused: nobody here speaks them.
PROTOCOL = "v1.kernel.websocket.jupyter.org"

#: What a page may say, and where. It opens no widgets: all there are were made by its kernel.
CHANNEL = "shell"
MESSAGES = frozenset({"comm_msg", "comm_close", "comm_info_request", "kernel_info_request"})

#: Parts of a message before its buffers: channel, header, parent, metadata, content.
_PARTS = 5


class PageLine(PlainErrors, VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """Opens the line. Raises HTTPError for a client of another protocol."""

    async def pre_get(self) -> None:
        """Called before the socket is opened."""
        spoken = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if PROTOCOL not in [item.strip() for item in spoken.split(",")]:
            raise HTTPError(400, f"This line speaks {PROTOCOL} alone")
        await super().pre_get()

    async def open(self, kernel_id: str) -> None:
        """The page is there."""
        self.kernel_manager.opened(kernel_id, self)
        await super().open(kernel_id)

    def on_close(self) -> None:
        """The page is gone, or its kernel."""
        self.kernel_manager.closed(self.kernel_id, self)
        super().on_close()


class WidgetsOnly(ZMQChannelsWebsocketConnection):
    """Gives the kernel what a page may say."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """A message of the page."""
        if may_pass(incoming_msg):
            super().handle_incoming_message(incoming_msg)
        else:
            log.info("A page said what no page may say to its kernel")


def may_pass(message: object) -> bool:
    """True for a whole message of a kind in `MESSAGES` on `CHANNEL`.

    >>> may_pass("print(1)"), may_pass(b"")
    (False, False)
    """
    if not isinstance(message, bytes):
        return False
    n_offsets = int.from_bytes(message[:8], "little")
    # Read by others without a look at how long it is: a large number alone would exhaust memory.
    if not _PARTS < n_offsets <= len(message) // 8 - 1:
        return False
    at = [int.from_bytes(message[8 * i : 8 * i + 8], "little") for i in range(1, n_offsets + 1)]
    if at != sorted(at) or at[0] < 8 * (n_offsets + 1) or at[-1] != len(message):
        return False
    if message[at[0] : at[1]] != CHANNEL.encode():
        return False
    try:
        header = json.loads(message[at[1] : at[2]])
    except ValueError:
        return False
    return isinstance(header, dict) and header.get("msg_type") in MESSAGES


class KernelLook(PlainErrors, KernelHandler):
    """A page asks after its own kernel, by an id that it alone knows; it ends it elsewhere."""

    async def delete(self, kernel_id: str) -> None:
        """Raises HTTPError."""
        raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)

    head = KernelHandler.get

    def methods(self) -> list[str]:
        """Only to look."""
        return ["GET", "HEAD"]


class EndOfKernel(PlainErrors, VoilaShutdownKernelHandler):  # type: ignore[misc]
    """A page that is closed ends its kernel."""


#: Handlers that stay, with what stands in for them. Whatever Voila adds is left out until
#: somebody has looked at it.
ALLOWED: dict[type, type] = {
    KernelHandler: KernelLook,
    VoilaKernelWebsocketHandler: PageLine,
    VoilaShutdownKernelHandler: EndOfKernel,
}


def for_visitors(rules: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Those of Voila's rules that a visitor may have."""
    return [
        (pattern, ALLOWED[handler], *more)
        for pattern, handler, *more in rules
        if handler in ALLOWED
    ]
