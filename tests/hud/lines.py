"""A panel without a browser: what it was told, and a way to talk back."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hybrid_transcribe.hud import messages as m
from hybrid_transcribe.hud import view
from hybrid_transcribe.hud.controller import PanelController

_ids = itertools.count(1)


@dataclass
class Line:
    """The panel's end of the line: does what a panel does with the messages that arrive."""

    heard: list[m.FromKernel] = field(default_factory=list)
    shown: view.TableState = field(default_factory=view.TableState)
    text: list[str] = field(default_factory=list)
    blobs: dict[int, bytearray] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)
    talk: Callable[..., None] = lambda *a: None

    def hear(self, content: dict[str, Any], buffers: list[bytes] | None) -> None:
        """Called by the kernel's side."""
        message = msgspec.convert(msgspec.json.decode(msgspec.json.encode(content)), m.FromKernel)
        with self._news:
            self.heard.append(message)
            if isinstance(message, m.Rows):
                self.shown = view.applied(self.shown, message)
            elif isinstance(message, m.Text):
                assert message.start in (0, len(self.text)), "a gap"
                self.text[message.start :] = [s.text for s in message.segments]
            elif isinstance(message, m.BlobBegin):
                self.blobs[message.ref] = bytearray()
            elif isinstance(message, m.BlobChunk):
                assert buffers is not None
                self.blobs[message.ref] += buffers[0]
            self._news.notify_all()

    def say(self, message: m.FromPanel, *buffers: bytes) -> None:
        """Say something, as it would come over the wire."""
        self.talk(msgspec.to_builtins(message), [memoryview(b) for b in buffers])

    def until(self, true: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        """What ``true`` gives once it is something."""
        found: Any = None

        def check() -> bool:
            nonlocal found
            found = true()
            return bool(found)

        deadline = time.monotonic() + timeout_s
        with self._news:
            # It may be news of another line.
            while not check() and time.monotonic() < deadline:
                self._news.wait(0.2)
            assert check(), f"never; heard {self.heard[-5:]}"
        return found

    def of(self, kind: type[Any], **fields: Any) -> list[Any]:
        """Messages of that kind with those fields."""
        alike = [x for x in tuple(self.heard) if isinstance(x, kind)]
        return [x for x in alike if all(getattr(x, k) == v for k, v in fields.items())]

    def first(self, kind: type[Any], **fields: Any) -> Any:
        """Wait for one of that kind with those fields."""
        return self.until(lambda: self.of(kind, **fields))[0]

    def hello(self, session_id: str | None = None) -> m.Welcome:
        """Be there."""
        n = len(self.of(m.Welcome))
        self.say(m.Hello(session_id=session_id))
        welcome: m.Welcome = self.until(lambda: self.of(m.Welcome)[n:])[0]
        self.until(lambda: [x for x in self.of(m.Rows) if x.reset][n:])
        return welcome

    def upload(self, data: bytes, name: str, *, chunk: int = 64 * 1024) -> str:
        """Send a whole file."""
        upload_id = f"u{next(_ids)}"
        self.say(m.UploadBegin(upload_id=upload_id, name=name, size_bytes=len(data)))
        for at in range(0, len(data), chunk):
            chunk_of = m.UploadChunk(upload_id=upload_id, offset=at)
            self.say(chunk_of, data[at : at + chunk])
        self.first(m.UploadAt, upload_id=upload_id, complete=True)
        return upload_id

    def submit(self, *upload_ids: str, **how: Any) -> m.Submitted | m.Problem:
        """Make a job of uploads; what is answered."""
        ref = next(_ids)
        self.say(m.Submit(ref=ref, upload_ids=upload_ids, arguments=how))
        return self.answer(ref)

    def ask(self, kind: type[Any], **fields: Any) -> Any:
        """Ask something; what is answered."""
        ref = next(_ids)
        self.say(kind(ref=ref, **fields))
        return self.answer(ref)

    def answer(self, ref: int) -> Any:
        kinds = (m.Submitted, m.Done, m.Problem, m.BlobBegin)
        return self.until(lambda: [x for k in kinds for x in self.of(k, ref=ref)])[0]

    def fetch(self, **fields: Any) -> tuple[m.BlobBegin, bytes]:
        """Fetch something whole, taking it as it comes."""
        begin = self.ask(m.Fetch, **fields)
        assert isinstance(begin, m.BlobBegin), begin
        while not self.of(m.BlobChunk, ref=begin.ref, last=True):
            n = len(self.blobs[begin.ref])
            self.say(m.BlobAt(ref=begin.ref, offset=n))
            self.until(
                lambda n=n: (
                    len(self.blobs[begin.ref]) > n or self.of(m.BlobChunk, ref=begin.ref, last=True)
                )
            )
        return begin, bytes(self.blobs[begin.ref])

    def row(self, state: str) -> m.Row:
        """Wait until a row is in that state."""
        found: m.Row = self.until(
            lambda: [r for r in self.shown.rows.values() if r.state == state]
        )[0]
        return found


@contextmanager
def desk_for(service: Any, **how: Any) -> Iterator[Line]:
    """A line to a desk of its own."""
    line = Line()
    desk = PanelController(service, line.hear, **how)
    line.talk = desk.receive
    try:
        yield line
    finally:
        desk.close()


def wait_until(true: Callable[[], bool], timeout_s: float = 60.0) -> bool:
    """For what tells nobody: whether it became true."""
    deadline = time.monotonic() + timeout_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def files_in(folder: Path) -> list[Path]:
    """All files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
