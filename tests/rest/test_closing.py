"""A server and a service end when they are told to, whatever their clients are doing."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.core import loop
from hybrid_transcribe.errors import ServiceClosed
from hybrid_transcribe.rest import server as web
from hybrid_transcribe.testing import ManualClock, Script
from tests.rest.clients import PATIENCE_S, everybody
from tests.rest.conftest import OpenSite, Site
from tests.services import until_segment, wavs

#: A worker that does not hear is killed after so long, in seconds.
GRACE_S = 1.0

#: More than the buffers between two ends of a connection hold.
MANY_BYTES = 64 << 20


def ends(action: Callable[[], object]) -> bool:
    """True when that returns in time."""
    doing = threading.Thread(target=action, daemon=True)
    doing.start()
    doing.join(PATIENCE_S)
    return not doing.is_alive()


def held_open(url: str) -> list[object]:
    """This process's own side of connections to a server of it."""
    port = urlsplit(url).port
    process = psutil.Process().net_connections("tcp")
    return [c for c in process if c.laddr.port == port and c.status != psutil.CONN_NONE]


def at_a_gate(site: Site, gate: Path) -> str:
    """A long recording that goes on when a file is there; its job."""
    (path,) = wavs(site.folder, "long")
    os.truncate(path, MANY_BYTES)
    model = Script(gate=str(gate)).model
    job = site.service.submit(path, model=model)
    (recording,) = job.recordings
    return f"/jobs/{job.job_id}/recordings/{recording.recording_id}/audio"


@pytest.mark.parametrize("what", ["server", "service"])
def test_everybody_is_there(open_site: OpenSite, tmp_path: Path, what: str) -> None:
    """Both return in time, no connection stays open, and what came of uploads is gone."""
    site = open_site(stop_grace_s=GRACE_S)
    audio = at_a_gate(site, tmp_path / "gate")
    auth = f"Authorization: token {site.server.token}"
    with everybody(site.server.url, audio, auth) as clients:
        assert ends(getattr(site, what).close)
        assert held_open(site.server.url) == []
        assert all(client.is_hung_up_on() for client in clients)
    assert ends(site.service.close)
    assert list(site.service.uploads_dir.iterdir()) == []


def test_a_server_that_is_closed_answers_nobody(open_site: OpenSite, tmp_path: Path) -> None:
    """Also on connections that were there; its service goes on."""
    site = open_site()
    with site.client() as client:
        client.get("/health")
        job = site.service.submit(wavs(tmp_path, "a"))
        site.server.close()
        site.server.close()
        with pytest.raises(httpx.TransportError):
            client.get("/health")
    assert job.result(PATIENCE_S).text
    with site.service.serve(open_to_all=True) as another:
        assert httpx.get(f"{another.url}/health", trust_env=False).status_code == HTTPStatus.OK


def test_a_service_that_is_closed_serves_nobody(open_site: OpenSite) -> None:
    """And keeps no port; a socket that is left open fails the test."""
    site = open_site()
    site.service.close()
    with pytest.raises(ServiceClosed):
        site.service.serve()
    gc.collect()


def test_a_listener_closes_the_server(open_site: OpenSite, tmp_path: Path) -> None:
    """On the thread that would have to answer it."""
    site = open_site()
    closed = threading.Event()

    def close(event: object) -> None:
        site.server.close()
        closed.set()

    with site.service.subscribe(close):
        site.service.submit(wavs(tmp_path, "a"))
        assert closed.wait(PATIENCE_S)


def test_who_waits_has_an_answer(open_site: OpenSite, tmp_path: Path) -> None:
    """The service that closes says so to those who wait for a job, before it hangs up."""
    site = open_site(stop_grace_s=GRACE_S)
    answers: list[httpx.Response] = []

    def wait() -> None:
        (path,) = wavs(tmp_path, "a")
        files = {"file": ("a.wav", path.read_bytes())}
        with site.client(Prefer="wait=300", **auth) as client:
            answers.append(client.post("/jobs", files=files, data={"model": model}))

    auth = {"Authorization": f"token {site.server.token}"}
    model = Script(gate=str(tmp_path / "gate")).model
    waiting = threading.Thread(target=wait)
    with site.service.subscribe() as events:
        waiting.start()
        assert events.get(PATIENCE_S) is not None
    assert ends(site.service.close)
    waiting.join(PATIENCE_S)
    assert answers[0].json()["code"] == "service_closed"


@pytest.mark.parametrize("fault", ["", "hang"])
def test_a_worker_that_does_not_hear(open_site: OpenSite, tmp_path: Path, fault: str) -> None:
    """At its gate, or deaf: it is gone after the grace by the real time, whatever the clock."""
    site = open_site(stop_grace_s=GRACE_S, clock=ManualClock())
    script = Script(gate=str(tmp_path / "gate"), fault=fault, at_s=0.0)
    if fault:
        script = Script(fault=fault, at_s=1.0)
    job = site.service.submit(wavs(tmp_path, "a"), model=script.model)
    if fault:
        until_segment(site.service)
    job.cancel()
    assert ends(site.service.close)


def test_a_disk_that_hangs(open_site: OpenSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that never comes back is left to itself, and a task that hears no cancel too."""
    monkeypatch.setattr(loop, "LEAVE_S", 0.2)
    monkeypatch.setattr(web, "GOODBYE_S", 0.2)
    site = open_site()
    over = threading.Event()
    deaf: list[asyncio.Future[None]] = []

    async def hears_nothing() -> None:
        deaf.append(asyncio.get_running_loop().create_future())
        while not deaf[0].done():
            try:
                await asyncio.shield(deaf[0])
            except asyncio.CancelledError:
                continue

    def begin(room: object) -> None:
        running = asyncio.get_running_loop()
        running.run_in_executor(None, over.wait)
        tasks.append(running.create_task(hears_nothing()))

    tasks: list[asyncio.Task[None]] = []
    site.service.call(begin).result()
    try:
        assert ends(site.service.close)
    finally:
        over.set()
        tasks.clear()
        deaf.clear()
        # That it never ended is said when it goes: here, not at the end of all tests.
        gc.collect()


def test_who_asks_while_it_closes(open_site: OpenSite) -> None:
    """Gets an answer, or hears that it is closed: nobody waits for ever."""
    site = open_site()
    items: list[bool] = []

    def ask(service: Service) -> None:
        try:
            while True:
                service.snapshots()
        except ServiceClosed:
            items.append(True)

    asking = [threading.Thread(target=ask, args=(site.service,), daemon=True) for _ in range(4)]
    for item in asking:
        item.start()
    assert ends(site.service.close)
    for item in asking:
        item.join(PATIENCE_S)
    assert len(items) == len(asking)
