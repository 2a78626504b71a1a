"""Tornado's server, which can also hang up: on everybody, at once, whatever they are doing."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

#: A connection that asks nothing more is closed after so many seconds.
IDLE_CONNECTION_S = 120.0

#: Longest time for a small body to come; uploads have a pace of their own. In seconds.
BODY_S = 60.0

#: Longest time for answers that are under way, and again for their handlers to end, in seconds.
GOODBYE_S = 1.0

#: How often we look whether they are, in seconds.
_LOOK_S = 0.01


class Web(HTTPServer):
    """Used on one loop."""

    def initialize(self, *args: Any, **named: Any) -> None:
        """As Tornado's."""
        self._streams: weakref.WeakSet[IOStream] = weakref.WeakSet()
        super().initialize(*args, **named)

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Somebody has called."""
        self._streams.add(stream)
        super().handle_stream(stream, address)

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
