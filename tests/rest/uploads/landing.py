"""A small server whose only handler takes uploads, on a loop and a thread of its own."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from hybrid_transcribe import errors
from hybrid_transcribe.core.clock import Clock, LoopClock
from hybrid_transcribe.rest.uploads.streaming import StreamingBody
from hybrid_transcribe.uploads.files import Opener, open_new
from hybrid_transcribe.uploads.received import UploadLimits

#: What the handlers on top of uploads make of their errors.
STATUS = {
    errors.TooLarge: 413,
    errors.TooMany: 413,
    errors.InvalidRequest: 400,
    errors.TooSlow: 408,
    errors.DiskFull: 507,
    errors.UnsupportedMedia: 415,
}


@dataclass
class Landing:
    """Where uploads land. ``keep`` leaves the files where the handler got them."""

    folder: Path
    limits: UploadLimits = field(default_factory=UploadLimits)
    clock: Clock = field(default_factory=LoopClock)
    opener: Opener = open_new
    keep: bool = True
    port: int = 0
    loop: asyncio.AbstractEventLoop = field(init=False)
    #: Set when a request's body is awaited, and when a handler is through with one.
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    logged: list[BaseException] = field(default_factory=list)
    #: How often a handler's method was entered and got a body.
    got: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jobs"

    def call(self, action: Callable[[], Any]) -> Any:
        """Do it on the server's loop."""
        done: Future[Any] = Future()
        self.loop.call_soon_threadsafe(lambda: done.set_result(action()))
        return done.result(timeout=5)

    def left(self) -> list[str]:
        """Names of the files that are there."""
        return sorted(path.name for path in self.folder.iterdir())

    def settled(self) -> bool:
        """True when, within some seconds, no file is left."""
        return until(lambda: not self.left())

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> bool:
    """Wait for what another thread does."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


@stream_request_body
class _Handler(StreamingBody, RequestHandler):
    def initialize(self, landing: Landing) -> None:
        self.landing = landing
        self.opener = landing.opener

    async def prepare(self) -> None:
        if self.request.headers.get("X-Stranger"):
            raise HTTPError(401)
        landing = self.landing
        await self.receive_begin(
            landing.folder, landing.limits, name=self.request.path[1:], clock=landing.clock
        )
        landing.begun.set()

    async def post(self) -> None:
        received = await self.received()
        self.landing.got += 1
        uploads = [
            {
                "name": upload.display_name,
                "stored": upload.path.name,
                "size": upload.size_bytes,
                "sha256": hashlib.sha256(upload.path.read_bytes()).hexdigest(),
            }
            for upload in received.uploads
        ]
        if not self.landing.keep:
            received.discard()
        self.write({"fields": dict(received.fields), "uploads": uploads, "json": received.json})

    put = post

    async def patch(self) -> None:
        """Looks at nothing of what was sent."""
        self.write({})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1]
        items = [STATUS[cls] for cls in type(error).__mro__ if cls in STATUS]
        self.set_status(items[0] if items else status_code)
        self.finish(json.dumps({"code": getattr(error, "code", ""), "detail": str(error)}))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        self.landing.logged.append(value)

    def on_finish(self) -> None:
        super().on_finish()
        self.landing.ended.set()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.landing.ended.set()


@contextmanager
def serving(landing: Landing) -> Iterator[Landing]:
    """The server, until the end of the block."""
    landing.folder.mkdir(exist_ok=True)
    landing.loop = asyncio.new_event_loop()
    thread = threading.Thread(target=landing.loop.run_forever, daemon=True)
    thread.start()
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    server: HTTPServer = landing.call(lambda: _listen(landing))
    try:
        yield landing
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), landing.loop).result(timeout=5)
        landing.loop.call_soon_threadsafe(landing.loop.stop)
        thread.join(timeout=5)
        landing.loop.close()


def _listen(landing: Landing) -> HTTPServer:
    server = HTTPServer(Application([(r"/.*", _Handler, {"landing": landing})]))
    sockets = bind_sockets(0, "127.0.0.1")
    landing.port = sockets[0].getsockname()[1]
    server.add_sockets(sockets)
    return server


async def _close(server: HTTPServer) -> None:
    server.stop()
    await server.close_all_connections()
    # What handlers still had to do, now that their clients are gone.
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)


def request(
    body: bytes = b"", *headers: str, method: str = "POST", length: int | None = -1
) -> bytes:
    """A request as it goes over the wire; ``length`` as the client says, None says nothing."""
    lines = [f"{method} /jobs HTTP/1.1", "Host: localhost", *headers]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length < 0 else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(client: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON of what the server says until it hangs up."""
    text = b""
    while piece := client.recv(65536):
        text += piece
    assert text, "the server hung up without a word"
    head, _, body = text.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def part(name: str, value: bytes, filename: str | None = None, boundary: str = "xx") -> bytes:
    """One part of a form, with the boundary before it."""
    said = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    return f"--{boundary}\r\nContent-Disposition: {said}\r\n\r\n".encode() + value + b"\r\n"


FORM = "Content-Type: multipart/form-data; boundary=xx"
END = b"--xx--\r\n"
