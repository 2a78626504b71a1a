"""The line between a visitor's page and its kernel: widgets' messages pass, nothing else does.

A kernel runs whatever code it is sent. So what a page may say is listed here, on the one channel
where it may say it; everything else ends here, on every channel.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.web import HTTPError
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from hybrid_transcribe.rest.hosts.plain_errors import PlainErrors

log = logging.getLogger(__name__)

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
