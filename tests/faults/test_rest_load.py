"""Row 22: more than fits in the queue, over HTTP; and a service that is about to close."""

from __future__ import annotations

import threading
from http import HTTPStatus
from pathlib import Path

import httpx

from hybrid_transcribe.rest.server import Server
from hybrid_transcribe.testing import Script
from tests.services import service, wavs


def _client(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, trust_env=False, timeout=30)


def _post(client: httpx.Client, path: Path, session: str, model: str) -> httpx.Response:
    files = {"file": (path.name, path.read_bytes())}
    return client.post("/jobs", files=files, data={"session_id": session, "model": model})


def _check_refused(answer: httpx.Response) -> None:
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert answer.json()["code"] == "queue_full"
    assert 1 <= int(answer.headers["retry-after"]) <= 600


def test_f22_one_more_than_the_queue_takes(tmp_path: Path) -> None:
    """429 with Retry-After, nothing is kept of it, and when the queue has drained it works."""
    gate = tmp_path / "gate"
    model = Script(gate=str(gate)).model
    (path,) = wavs(tmp_path, "a")
    with (
        service(tmp_path / "state", max_queued=2, batch_recordings=1) as s,
        s.serve(open_to_all=True) as server,
        _client(server) as client,
    ):
        first = _post(client, path, "one", model)
        with s.subscribe() as events:
            while s.snapshot(first.json()["job_id"]).state == "queued":
                assert events.get(30) is not None
        for session in ("one", "two"):
            assert _post(client, path, session, model).status_code == HTTPStatus.ACCEPTED
        kept = len(list(s.uploads_dir.iterdir()))
        for session in ("one", "two", "three"):
            _check_refused(_post(client, path, session, model))
        assert len(list(s.uploads_dir.iterdir())) == kept
        gate.touch()
        for job in s.jobs():
            job.wait(30)
        assert _post(client, path, "three", model).is_success


def test_f22_one_session_does_not_fill_the_queue(tmp_path: Path) -> None:
    """Its own limit holds it back, in one job or in several; others go on."""
    gate = tmp_path / "gate"
    model = Script(gate=str(gate)).model
    (path,) = wavs(tmp_path, "a")
    with (
        service(max_queued_per_session=1, batch_recordings=1) as s,
        s.serve(open_to_all=True) as server,
        _client(server) as client,
    ):
        first = _post(client, path, "greedy", model)
        with s.subscribe() as events:
            while s.snapshot(first.json()["job_id"]).state == "queued":
                assert events.get(30) is not None
        assert _post(client, path, "greedy", model).status_code == HTTPStatus.ACCEPTED
        _check_refused(_post(client, path, "greedy", model))
        assert _post(client, path, "modest", model).status_code == HTTPStatus.ACCEPTED
        assert client.get("/limits").json()["max_queued_per_session"] == 1
        gate.touch()
        for job in s.jobs():
            job.wait(30)
        assert _post(client, path, "greedy", model).is_success


def test_f22_a_closing_service_is_not_ready(tmp_path: Path) -> None:
    """Whoever balances the load sends nothing more, while what runs is brought to rest."""
    model = Script(gate=str(tmp_path / "never")).model
    (path,) = wavs(tmp_path, "a")
    closing = threading.Event()
    s = service(stop_grace_s=1.0)
    with s, s.serve(open_to_all=True) as server, _client(server) as client:
        assert client.get("/health/ready").json()["status"] == "ready"
        job = _post(client, path, "one", model).json()["job_id"]
        with s.subscribe() as events:
            while s.snapshot(job).state == "queued":
                assert events.get(30) is not None
        s.before_close(closing.set)
        ending = threading.Thread(target=s.close)
        ending.start()
        assert closing.wait(10)
        answer = client.get("/health/ready", headers={"Connection": "close"})
        ending.join()
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["code"] == "service_closed"


def test_ready_tells_of_the_default_model(tmp_path: Path) -> None:
    """It is made ready when the server starts, and that is told."""
    with (
        service(model=Script(load_s=0.0).model) as s,
        s.subscribe() as events,
        s.serve(open_to_all=True) as server,
        _client(server) as client,
    ):
        while (message := client.get("/health/ready").json()["default_model"]) != "ready":
            assert message in ("waiting", "loading")
            assert events.get(30) is not None


def test_what_did_not_change_is_not_sent_again(tmp_path: Path) -> None:
    """A queue and a job carry an ETag; with it the answer is 304, until something changes."""
    (path,) = wavs(tmp_path, "a")
    with service() as s, s.serve(open_to_all=True) as server, _client(server) as client:
        job = _post(client, path, "one", "steady").json()["job_id"]
        s.wait(job, 30)
        tags = {}
        for where in ("/queues", "/queues?session_id=one", f"/jobs/{job}?session_id=one"):
            first = client.get(where)
            assert first.headers["cache-control"] == "private, no-cache"
            tags[where] = {"If-None-Match": first.headers["etag"]}
            again = client.get(where, headers=tags[where])
            assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")
            assert again.headers["etag"] == first.headers["etag"]
        client.post(f"/jobs/{job}/keep?session_id=one")
        for where in list(tags)[1:]:
            assert client.get(where, headers=tags[where]).status_code == HTTPStatus.OK
        _post(client, path, "two", "steady")
        changed = client.get("/queues", headers=tags["/queues"])
        assert changed.status_code == HTTPStatus.OK
