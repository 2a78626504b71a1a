"""A wire that a test can cut: passes bytes on between clients and a server of this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterable
from types import TracebackType


class Wire:
    """Listens on a port of its own and passes everything on to another.

    ``connections`` counts those that came.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._cuts: list[int] = []
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._to), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            with self._lock:
                self.connections += 1
                most = self._cuts.pop(0) if self._cuts else None
                pair = (client, server)
                self._pairs.add(pair)
            for item, other, limit in ((client, server, None), (server, client, most)):
                threading.Thread(
                    target=self._pass_on, args=(item, other, limit, pair), daemon=True
                ).start()

    def _pass_on(
        self,
        one: socket.socket,
        other: socket.socket,
        left: int | None,
        pair: tuple[socket.socket, socket.socket],
    ) -> None:
        with contextlib.suppress(OSError):
            while block := one.recv(65536 if left is None else min(65536, max(left, 1))):
                if left is not None:
                    block = block[:left]
                    left -= len(block)
                other.sendall(block)
                if left == 0:
                    break
        self._end(pair)

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for side in pair:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()

    def cuts(self, after: Iterable[int]) -> None:
        """Cut each of the next connections after so many bytes of the server's."""
        with self._lock:
            self._cuts = list(after)

    def cut(self) -> None:
        """Cut every connection there is; new ones may come."""
        for pair in tuple(self._pairs):
            self._end(pair)

    def close(self) -> None:
        """Cut everything and take no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
