"""A hub on 127.0.0.1 with one small repository, which can misbehave on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
        cuts: bytes of each answer with weights after which the connection is closed, in turn.
        refusals: statuses with which the weights are refused first, in turn.
        sent: what is sent for the weights, if not the weights; ``wrong`` answers long.
        whole: send everything, whatever range was asked for.
        at_half: called when half of an answer with weights is on its way.
        ranges: the Range headers that came.
        repo: id of the repository.
        weights: which of its files is large.
        sent_bytes: bytes of weights that were sent.
    """

    files: dict[str, bytes] = field(default_factory=lambda: dict(CT2_FILES))
    cuts: list[int] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    sent: bytes | None = None
    wrong: int = 1_000_000
    whole: bool = False
    at_half: Callable[[], object] | None = None
    ranges: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    url: str = ""
    repo: str = REPO
    weights: str = "model.bin"

    @property
    def weights_url(self) -> str:
        """Where the weights are."""
        return f"{self.url}/{self.repo}/resolve/main/{self.weights}"

    def sibling(self, name: str) -> dict[str, object]:
        """A file as ``/api/models`` tells it."""
        message = self.tree_entry(name)
        entry = {"rfilename": name, "size": message["size"], "blobId": message["oid"]}
        if "lfs" in message:
            entry["lfs"] = {"sha256": self.etag(name), "size": message["size"], "pointerSize": 130}
        return entry

    def tree_entry(self, name: str) -> dict[str, object]:
        """A file as ``/api/models/…/tree`` tells it."""
        entry: dict[str, object] = {
            "type": "file",
            "path": name,
            "size": len(self.files[name]),
            "oid": sha256(self.files[name])[:40],
        }
        if name == self.weights:
            entry["lfs"] = {"oid": self.etag(name), "size": entry["size"], "pointerSize": 130}
        return entry

    def etag(self, name: str) -> str:
        """The digest by which the hub's cache names the file's blob."""
        digest = sha256(self.files[name])
        return digest if name == self.weights else digest[:40]


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
        path, repo = urlsplit(self.path).path, self.served.repo
        if path.startswith(f"/api/models/{repo}/tree/"):
            self._json([self.served.tree_entry(name) for name in self.served.files])
        elif path == f"/api/models/{repo}" or path.startswith(f"/api/models/{repo}/revision/"):
            siblings = [self.served.sibling(name) for name in self.served.files]
            self._json({"id": repo, "sha": COMMIT, "siblings": siblings})
        elif path.startswith(f"/{repo}/resolve/"):
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
        hub, body = self.served, self.served.files[name]
        weighty = name == hub.weights and with_body
        if weighty and hub.refusals:
            self.send_error(hub.refusals.pop(0))
            return
        if weighty and hub.sent is not None and hub.wrong > 0:
            hub.wrong -= 1
            body = hub.sent
        requested = None if hub.whole else self.headers.get("Range")
        start = int(requested.removeprefix("bytes=").split("-")[0]) if requested else 0
        if requested:
            hub.ranges.append(requested)
        if start >= len(body) and requested:
            self.send_error(416)
            return
        self.send_response(206 if requested else 200)
        self.send_header("ETag", f'"{hub.etag(name)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(body) - start))
        if requested:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if weighty:
            self._send(body[start:])
        elif with_body:
            self.wfile.write(body)

    def _send(self, body: bytes) -> None:
        hub = self.served
        cut = hub.cuts.pop(0) if hub.cuts else None
        body = body[:cut]
        middle = len(body) // 2
        # A client that was killed reads no more.
        with suppress(ConnectionError):
            # Counted first: whoever receives the last byte may look at once.
            hub.sent_bytes += middle
            self.wfile.write(body[:middle])
            if hub.at_half is not None:
                self.wfile.flush()
                hub.at_half()
            hub.sent_bytes += len(body) - middle
            self.wfile.write(body[middle:])
        self.close_connection = self.close_connection or cut is not None
