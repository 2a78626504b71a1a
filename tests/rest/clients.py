"""Clients that do not what clients should."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

#: Longer than any end may take, on a machine with other work; in seconds.
PATIENCE_S = 30.0


class Client:
    """A connection to a server, on which something was said."""

    def __init__(self, url: str, *head: str) -> None:
        parts = urlsplit(url)
        to = (str(parts.hostname), int(parts.port or 80))
        self.socket = socket.create_connection(to, timeout=PATIENCE_S)
        if head:
            self.say("\r\n".join([*head, f"Host: {parts.netloc}", "", ""]).encode())

    def say(self, more: bytes) -> Client:
        """Go on."""
        self.socket.sendall(more)
        return self

    def hears(self, text: bytes) -> Client:
        """Wait for that, and read no further."""
        label = b""
        while text not in label:
            piece = self.socket.recv(1024)
            assert piece, label
            label += piece
        return self

    def is_hung_up_on(self) -> bool:
        """True when the other side ends it, in order or not."""
        try:
            while self.socket.recv(1 << 20):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True


@contextmanager
def everybody(url: str, audio: str, auth: str) -> Iterator[list[Client]]:
    """Clients of every kind, which the server has heard of, and which do nothing more."""
    wave = (auth, "Content-Type: audio/wav", "Content-Length: 999999", "Expect: 100-continue")
    clients = [
        # Browsers open some for what they may ask.
        Client(url),
        Client(url).say(b"GET /queues HTT"),
        Client(url, "GET /health HTTP/1.1").hears(b"}"),
        Client(url, "POST /jobs HTTP/1.1", *wave).hears(b"100 "),
        Client(url, "PUT /jobs HTTP/1.1", *wave).hears(b"100 ").say(bytes(1 << 17)),
        Client(url, "GET /queues/events HTTP/1.1", auth).hears(b"snapshot"),
        Client(url, "GET /queues/events HTTP/1.1", auth, "X-Session-Id: x").hears(b"snapshot"),
        Client(url, f"GET {audio} HTTP/1.1", auth).hears(b"200 OK"),
    ]
    try:
        yield clients
    finally:
        for client in clients:
            client.socket.close()
