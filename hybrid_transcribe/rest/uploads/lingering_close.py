"""An answer that comes before the end of the question, and is read all the same.

To close a connection while bytes still come in resets it: the sender's system then may throw
away the answer it has not read yet, and tell of a broken connection instead. So the last byte
of the answer is followed by an end of our side only, and what still comes is thrown away until
the client has read and hung up, or `LINGER_S` is over.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPConnection
from tornado.iostream import SSLIOStream

#: How long we listen to who has been answered; in that time an answer crosses any ocean.
LINGER_S = 2.0


class LingeringClose(HTTPConnection):
    """A connection that says goodbye before it hangs up. The handler must drop what comes."""

    def __init__(self, connection: HTTP1Connection) -> None:
        self._connection = connection
        self.write_headers = connection.write_headers  # type: ignore[method-assign]
        self.write = connection.write  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """As the connection's own."""
        self._connection.set_close_callback(callback)

    def finish(self) -> None:
        """The answer is complete."""
        self._end_our_side()
        asyncio.get_running_loop().call_later(LINGER_S, self._connection.close)

    def _end_our_side(self) -> None:
        stream = self._connection.stream
        # An encrypted connection has no half to end; and what is not sent yet must be.
        if isinstance(stream, SSLIOStream) or stream.closed() or stream.writing():
            return
        # The client may have hung up.
        with suppress(OSError):
            stream.socket.shutdown(socket.SHUT_WR)
