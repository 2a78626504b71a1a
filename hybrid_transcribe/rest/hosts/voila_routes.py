"""What of Voila's own routes a visitor may have.

Voila also lists and renders notebooks of the folder it was started in, serves that folder's
files, and brings JupyterLab's front end. Our page shows one notebook and brings its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.web import HTTPError
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from hybrid_transcribe.rest.hosts.message_filter import PageLine
from hybrid_transcribe.rest.hosts.plain_errors import PlainErrors


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
