"""The stream of events: who sees what, from the beginning and after a pause."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import httpx_sse
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from hybrid_transcribe import Service
from hybrid_transcribe.rest import events as rest_events
from hybrid_transcribe.rest.access import Access
from hybrid_transcribe.rest.base_handler import AppContext
from hybrid_transcribe.rest.routes import routes
from hybrid_transcribe.testing import Script
from tests.rest.conftest import OpenSite, Site
from tests.services import wavs

AT = "/queues/events"


@contextmanager
def listening(
    client: httpx.Client, at: str = AT, **headers: str
) -> Iterator[Iterator[httpx_sse.ServerSentEvent]]:
    """The events of a stream that were not only a bookmark or a pace."""
    with httpx_sse.connect_sse(client, "GET", at, headers=headers) as source:
        assert source.response.status_code == HTTPStatus.OK, source.response.read()
        yield (message for message in source.iter_sse() if message.data)


def until_done(
    events: Iterator[httpx_sse.ServerSentEvent], job_id: str
) -> list[httpx_sse.ServerSentEvent]:
    """All up to the end of a job."""
    items = []
    for event in events:
        items.append(event)
        data = json.loads(event.data)
        whole = data.get("job") if event.event == "job" else None
        if whole and data["job_id"] == job_id and whole["finished_at"]:
            return items
    raise AssertionError("the stream ended before the job")


def listeners(service: Service) -> int:
    """How many listen, the service's own among them."""
    return service.call(lambda room: room.bus.listeners).result()


def until_listeners(service: Service, n: int) -> None:
    """Wait until no more than so many listen."""
    deadline = time.monotonic() + 10
    while listeners(service) > n:
        assert time.monotonic() < deadline, "somebody still listens"
        time.sleep(0.01)


def test_a_whole_job(site: Site) -> None:
    """A snapshot first, then everything once, in order, with a number, up to the end."""
    with site.client() as client, listening(client) as events:
        first = next(events)
        assert (first.event, json.loads(first.data)["jobs"]) == ("snapshot", [])
        (path,) = wavs(site.folder, "talk")
        job = site.service.submit(path, word_timestamps=True)
        message = until_done(events, job.job_id)
    numbers = [int(t.id) for t in (first, *message)]
    assert numbers == sorted(set(numbers))
    segments = [json.loads(t.data) for t in message if t.event == "segment"]
    assert [s["index"] for s in segments] == [0, 1, 2]
    assert segments[1]["segment"]["text"] == "talk.wav 1"
    assert segments[1]["segment"]["words"][0]["start_s"] == 1.0
    assert json.loads(message[0].data)["state"] == "queued"
    assert json.loads(message[-1].data)["percentage"] == 100.0


def test_headers(site: Site) -> None:
    """Nobody may keep the stream, or hold it back; browsers are told when to come back."""
    with site.client() as client, client.stream("GET", AT) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        assert next(answer.iter_lines()) == "retry: 1000"


def test_coming_back(site: Site) -> None:
    """With the last number seen a client gets exactly what came after it, and no snapshot."""
    (path,) = wavs(site.folder, "talk")
    with site.client() as client:
        with listening(client) as events:
            start = next(events)
            job = site.service.submit(path)
            every = until_done(events, job.job_id)
        middle = every[len(every) // 2]
        after = [(t.id, t.event, t.data) for t in every if int(t.id) > int(middle.id)]
        with listening(client, f"{AT}?last_event_id={middle.id}") as events:
            by_address = until_done(events, job.job_id)
        # A browser's address still has the number it began with: the header counts.
        at = f"{AT}?last_event_id={start.id}"
        with listening(client, at, **{"Last-Event-ID": middle.id}) as events:
            by_header = until_done(events, job.job_id)
    for again in (by_address, by_header):
        assert [(t.id, t.event, t.data) for t in again] == after


def test_a_number_that_tells_nothing(site: Site) -> None:
    """Too old, of another life or no number: a snapshot with the present one."""
    with site.client() as client:
        for number in ("1", "99999999999999999", "no number", "-1", "²", "9" * 40):
            with listening(client, f"{AT}?last_event_id={number}") as events:
                message = next(events)
            assert message.event == "snapshot"
            assert int(message.id) == site.service.call(lambda room: room.bus.seq).result()


def test_heartbeat(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet stream says now and then that it is alive, and says nothing by it."""
    monkeypatch.setattr(rest_events, "HEARTBEAT_S", 0.05)
    with site.client() as client, client.stream("GET", AT) as answer:
        lines = answer.iter_lines()
        beat: list[str] = []
        while len(beat) < 3:
            line = next(lines)
            beat = [*beat, line] if line.startswith(":") else []
    assert beat == [": hb"] * 3


def test_strangers_learn_nothing(open_site: OpenSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a session: how long the queue is and how far, but no id, name or word."""
    monkeypatch.setattr(rest_events, "ANONYMOUS_EVERY_S", 0.02)
    site = open_site(open_to_all=True)
    (path,) = wavs(site.folder, "secret-name")
    secret = site.service.new_session()
    seen: list[httpx_sse.ServerSentEvent] = []
    with site.client(Accept="*/*") as client, listening(client) as events:
        seen.append(next(events))
        script = Script(delay_s=0.05, says=("secret word",) * 3)
        job = site.service.submit(path, session_id=secret, model=script.model)
        for event in events:
            seen.append(event)
            jobs = json.loads(event.data)["jobs"]
            if jobs and jobs[0]["state"] == "completed":
                break
        until_gone = len(seen)
        recording_id = job.recordings[0].recording_id
        job.delete()
        seen.append(next(events))
    text = " ".join(t.data for t in seen)
    for hidden in ("secret", job.job_id, secret, recording_id, "says"):
        assert hidden not in text
    assert {t.event for t in seen} == {"snapshot"}
    assert until_gone >= 3
    assert all(a.data != b.data for a, b in itertools.pairwise(seen))
    assert json.loads(seen[-1].data) == {"jobs": [], "anonymous": True}


def test_strangers_hear_of_changes_now_and_then(open_site: OpenSite) -> None:
    """A hundred changes in a moment are one event."""
    site = open_site(open_to_all=True)
    with site.client(Accept="*/*") as client, listening(client) as events:
        next(events)
        for path in wavs(site.folder, *(f"n{i}" for i in range(20)), seconds=0.1):
            site.service.submit(path)
        message = next(events)
    assert len(json.loads(message.data)["jobs"]) == 20


def test_two_sessions(open_site: OpenSite) -> None:
    """Each hears of its own jobs, whoever names both of both."""
    site = open_site(open_to_all=True)
    ana, rui = site.service.new_session(), site.service.new_session()
    first, second = wavs(site.folder, "ana", "rui")
    with (
        site.client(**{"X-Session-Id": ana}) as item,
        site.client(Accept="*/*") as both,
        listening(item) as of_ana,
        listening(both, f"{AT}?session_ids={ana},{rui}") as of_both,
    ):
        theirs = site.service.submit(second, session_id=rui)
        theirs.result(30)
        ours = site.service.submit(first, session_id=ana)
        event = until_done(of_ana, ours.job_id)
        all_heard = until_done(of_both, ours.job_id)
    assert theirs.job_id not in " ".join(t.data for t in event)
    jobs = [json.loads(t.data) for t in all_heard if t.event in ("job", "segment")]
    assert {job["session_id"] for job in jobs} == {ana, rui}


def test_erasing_is_told(site: Site) -> None:
    """A job that is gone is told with nothing but its id."""
    (path,) = wavs(site.folder, "talk")
    job = site.service.submit(path)
    job.result(30)
    with site.client() as client, listening(client) as events:
        assert [j["job_id"] for j in json.loads(next(events).data)["jobs"]] == [job.job_id]
        job.delete()
        is_declared = next(t for t in events if t.event == "deleted")
    assert json.loads(is_declared.data) == {"job_id": job.job_id, "session_id": job.session_id}


def test_line_ends_of_unicode(site: Site) -> None:
    """Text with characters that some clients split lines at arrives whole."""
    (path,) = wavs(site.folder, "talk", seconds=1)
    says = "a\u2028b\u2029c\u0085d\ne\rf"
    with site.client() as client, listening(client) as events:
        job = site.service.submit(path, model=Script(says=(says,)).model)
        message = until_done(events, job.job_id)
    (segment,) = [t for t in message if t.event == "segment"]
    assert "\u2028" not in segment.data
    assert json.loads(segment.data)["segment"]["text"] == says


def test_a_client_that_goes(site: Site) -> None:
    """Its listener goes with it, at once and not with the next event."""
    before = listeners(site.service)
    with site.client() as client, listening(client) as events:
        next(events)
        assert listeners(site.service) == before + 1
    until_listeners(site.service, before)


def test_the_service_closes(open_site: OpenSite) -> None:
    """The stream ends as streams do, in full and for strangers, and is no error."""
    site = open_site()
    (path,) = wavs(site.folder, "talk")
    job = site.service.submit(path)
    job.result(30)
    with site.client() as client, client.stream("GET", AT) as answer:
        lines = answer.iter_lines()
        next(lines)
        closing = threading.Thread(target=site.service.close)
        closing.start()
        rest = list(lines)
        closing.join()
    assert rest[-2:] == [": closed", ""]


def test_the_service_closes_on_strangers(open_site: OpenSite) -> None:
    """Theirs ends too."""
    site = open_site(open_to_all=True)
    with site.client(Accept="*/*") as client, client.stream("GET", AT) as answer:
        lines = answer.iter_lines()
        next(lines)
        closing = threading.Thread(target=site.service.close)
        closing.start()
        rest = list(lines)
        closing.join()
    assert rest[-2:] == [": closed", ""]


def test_on_another_loop(open_site: OpenSite) -> None:
    """A host with a loop of its own tells the same, and ends when the service does."""
    site = open_site()
    (socket_,) = bind_sockets(0, "127.0.0.1")
    loop = asyncio.new_event_loop()

    async def host() -> HTTPServer:
        server = HTTPServer(Application(routes(AppContext(site.service, Access("t", owner=True)))))
        server.add_sockets([socket_])
        return server

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(host(), loop).result()
        url = f"http://127.0.0.1:{socket_.getsockname()[1]}"
        fields = {"Authorization": "token t"}
        with (
            httpx.Client(base_url=url, headers=fields, trust_env=False, timeout=30) as client,
            listening(client) as events,
        ):
            next(events)
            (path,) = wavs(site.folder, "talk")
            message = until_done(events, site.service.submit(path).job_id)
            assert [t.event for t in message].count("segment") == 3
            site.service.close()
            assert list(events) == []
        server_closed = asyncio.run_coroutine_threadsafe(_stop(server), loop)
        server_closed.result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: HTTPServer) -> None:
    server.stop()
    await server.close_all_connections()


def test_own_session(site: Site) -> None:
    """The owner is told its session, and erases only what it names."""
    with site.client() as client:
        assert client.get("/sessions").json() == {
            "session_id": site.service.session_id,
            "owner": True,
        }
        (path,) = wavs(site.folder, "talk")
        job = site.service.submit(path, session_id="mine")
        assert client.delete("/sessions").status_code == HTTPStatus.BAD_REQUEST
        assert client.delete("/sessions", headers={"X-Session-Id": "other"}).is_success
        assert job.snapshot()
        assert client.delete("/sessions", headers={"X-Session-Id": "mine"}).is_success
        assert site.service.snapshots() == ()
