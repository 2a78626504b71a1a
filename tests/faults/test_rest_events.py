"""Rows 23 and 24: clients of the event stream that stop reading, or come and go."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import msgspec
import pytest

from hybrid_transcribe import RemoteService
from hybrid_transcribe.events import Event, ModelChanged, Resync, SegmentAdded, Warned
from hybrid_transcribe.jobs.bus import UNREAD, Subscription
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.rest import events as rest_events
from hybrid_transcribe.testing import Script
from hybrid_transcribe.wire import parse, serialize
from tests.proxy import Wire
from tests.services import service as local_service
from tests.services import wavs


def deaf_client(url: str, token: str | None) -> socket.socket:
    """It asks for the events and never reads one."""
    parts = urlsplit(url)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((parts.hostname, parts.port))
    request = f"GET /queues/events HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    deaf.sendall(f"{request}Authorization: token {token}\r\n\r\n".encode())
    return deaf


def listeners(room: JobManager) -> list[Subscription]:
    return list(room.bus._sessions_of)


def test_f23_a_client_that_never_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs a bounded buffer, holds up nobody, and is given up after a while."""
    monkeypatch.setattr(rest_events, "GIVE_UP_S", 1.0)
    n = 3 * UNREAD
    with local_service() as service, service.serve() as server:
        before = set(service.call(listeners).result())
        with deaf_client(server.url, server.token):
            deadline = time.monotonic() + 10
            while not (mine := set(service.call(listeners).result()) - before):
                assert time.monotonic() < deadline
            (deaf,) = mine
            with RemoteService(server.url, server.token) as other, other.subscribe() as output:
                for start in range(0, n, 1000):
                    service.call(lambda room, start=start: _warn(room, start)).result()  # type: ignore[misc]
                    assert len(deaf._events) <= UNREAD
                    # The other keeps pace.
                    codes = [event.code for event in _take(output, 1000)]
                    assert codes == [str(start + i) for i in range(1000)]
            while deaf in service.call(listeners).result():
                assert time.monotonic() < deadline + 30, "it was never given up"
                time.sleep(0.02)


def _warn(room: JobManager, start: int) -> None:
    for i in range(start, start + 1000):
        room.bus.publish(Warned(0, code=str(i), message="x" * 500))


def _take(heard: Subscription, n: int) -> list[Warned]:
    items: list[Warned] = []
    while len(items) < n:
        event = heard.get(30)
        assert event is not None
        if isinstance(event, Warned):
            items.append(event)
        else:
            assert isinstance(event, ModelChanged), event
    return items


def as_sent(event: Event) -> Event | None:
    """What is left of an event of this process on the other side."""
    message = serialize.event(event)
    return (
        None
        if message is None
        else parse.event(event.seq, message[0], msgspec.json.encode(message[1]))
    )


def test_f24_coming_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Cut again and again, a client hears every event once and in order, and no segment twice."""
    folder = tmp_path_factory.mktemp("talks")
    with local_service() as service, service.serve() as server:
        with Wire(urlsplit(server.url).port or 0) as wire, service.subscribe() as local:
            with RemoteService(wire.url, server.token) as remote, remote.subscribe() as there:
                job = remote.submit(
                    wavs(folder, "a", "b", seconds=20), model=Script(delay_s=0.01).model
                )
                items: list[Event] = []
                while not job_ended(items, job.job_id):
                    event = there.get(30)
                    assert event is not None
                    items.append(event)
                    if isinstance(event, SegmentAdded) and event.index % 4 == 0:
                        wire.cut()
                assert wire.connections >= 4
                expected = []
                while (event := local.get(0)) is not None:
                    if items[0].seq <= event.seq <= items[-1].seq:
                        expected.append(as_sent(event))
    assert not any(isinstance(event, Resync) for event in items)
    assert items == expected
    segments = [(e.recording_id, e.index) for e in items if isinstance(e, SegmentAdded)]
    assert len(segments) == len(set(segments)) == 40


def job_ended(heard: list[Event], job_id: str) -> bool:
    """True once its end was told."""
    last = heard[-1] if heard else None
    whole = getattr(last, "job", None)
    return whole is not None and whole.job_id == job_id and whole.done
