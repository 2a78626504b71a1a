"""A hub on 127.0.0.1 with one small repository, which can misbehave on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.models.fakes import CT2_FILES, sha256

COMMIT = "a1b2c3d4" * 5
REPO = "someone/whisper-mine"


@dataclass
class Hub:
    """What the server holds and does.

    Attributes:
        cut_after: bytes of the weights after which the connection is closed, once.
        sent: what is sent for the weights, if not the weights.
        ranges: the Range headers that came.
    """

    files: dict[str, bytes] = field(default_factory=lambda: dict(CT2_FILES))
    cut_after: int | None = None
    sent: bytes | None = None
    ranges: list[str] = field(default_factory=list)
    url: str = ""

    def sibling(self, name: str) -> dict[str, object]:
        """A file as ``/api/models`` tells it."""
        told = self.tree_entry(name)
        entry = {"rfilename": name, "size": told["size"], "blobId": told["oid"]}
        if "lfs" in told:
            entry["lfs"] = {"sha256": self.etag(name), "size": told["size"], "pointerSize": 130}
        return entry

    def tree_entry(self, name: str) -> dict[str, object]:
        """A file as ``/api/models/…/tree`` tells it."""
        entry: dict[str, object] = {
            "type": "file",
            "path": name,
            "size": len(self.files[name]),
            "oid": sha256(self.files[name])[:40],
        }
        if name == "model.bin":
            entry["lfs"] = {"oid": self.etag(name), "size": entry["size"], "pointerSize": 130}
        return entry

    def etag(self, name: str) -> str:
        """The digest by which the hub's cache names the file's blob."""
        digest = sha256(self.files[name])
        return digest if name == "model.bin" else digest[:40]


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    """Serve the hub while the block runs; its address."""

    class Handler(_Handler):
        served = hub

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield hub.url
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path = urlsplit(self.path).path
        if path.startswith(f"/api/models/{REPO}/tree/"):
            self._json([self.served.tree_entry(name) for name in self.served.files])
        elif path == f"/api/models/{REPO}" or path.startswith(f"/api/models/{REPO}/revision/"):
            siblings = [self.served.sibling(name) for name in self.served.files]
            self._json({"id": REPO, "sha": COMMIT, "siblings": siblings})
        elif path.startswith(f"/{REPO}/resolve/"):
            self._file(path.rsplit("/", 1)[-1], with_body)
        else:
            self.send_error(404)

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, name: str, with_body: bool) -> None:
        body = self.served.files[name]
        if name == "model.bin" and self.served.sent is not None:
            body = self.served.sent
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        if asked:
            self.served.ranges.append(asked)
        self.send_response(206 if asked else 200)
        self.send_header("ETag", f'"{self.served.etag(name)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(body) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if with_body:
            self._send(name, body[start:])

    def _send(self, name: str, body: bytes) -> None:
        cut, self.served.cut_after = (
            (self.served.cut_after, None) if name == "model.bin" else (None, self.served.cut_after)
        )
        if cut is None:
            self.wfile.write(body)
            return
        self.wfile.write(body[:cut])
        self.close_connection = True
