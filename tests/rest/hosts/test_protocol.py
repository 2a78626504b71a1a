"""The same service on every host: who may come in, jobs, results, queues."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.rest.hosts.running import Running
from tests.services import wavs

PROBLEM = "application/problem+json"


@pytest.mark.parametrize("token", ["", "token wrong", "Basic dDprZW4="])
def test_without_the_token_nothing(host: Running, token: str) -> None:
    """401 as a problem and no redirect, whatever is asked for."""
    with host.client(Authorization=token) as client:
        for method, path in (("GET", "/queues"), ("POST", "/jobs"), ("GET", "/metrics")):
            answer = client.request(method, path)
            assert answer.status_code == HTTPStatus.UNAUTHORIZED, path
            assert answer.headers["content-type"] == PROBLEM
            assert answer.json()["code"] == "no_token"
        sent = client.post("/jobs", files={"file": ("a.wav", b"x" * 3_000_000)})
        assert sent.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("name", ["evil", "ok.com.evil.com", "127.0.0.1.evil.com"])
def test_f44_hosts_by_another_name(host: Running, name: str) -> None:
    """Refused with the token, too: a browser that was led here would show it."""
    with host.client() as client:
        answer = client.get("/queues", headers={"Host": name})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert answer.json()["code"] == "not_allowed"


def test_the_token_in_either_place(host: Running) -> None:
    """In the header in both ways of writing it, and in the address; from any page then."""
    with host.client(Accept="*/*") as client:
        for options in ("token", "Bearer"):
            fields = {"Authorization": f"{options} {host.token}", "Origin": "https://a.example"}
            assert client.get("/health", headers=fields).status_code == 200
        assert client.get("/health", params={"token": host.token}).status_code == 200


def test_a_job_from_file_to_text(host: Running, tmp_path: Path) -> None:
    """Sent, waited for, found where the answer says it is, and had in every format."""
    with host.client() as client:
        job = host.post(client, tmp_path, "fala", session_id="one")
        assert job["state"] == "completed"
        who = {"session_id": "one"}
        for name in ("txt", "srt", "vtt", "tsv", "json", "zip"):
            got = client.get(f"/jobs/{job['job_id']}/result", params={"format": name, **who})
            assert got.status_code == 200, got.text
        (path,) = wavs(tmp_path, "fala")
        again = client.put("/jobs", params={"name": "a.wav", **who}, content=path.read_bytes())
        assert again.status_code in (200, 202), again.text
        where = f"{urlsplit(host.url).path}/jobs/{again.json()['job_id']}"
        assert again.headers["location"] == where
        here = httpx.URL(host.url).copy_with(path=where)
        assert client.get(here, params=who).json()["job_id"] == again.json()["job_id"]
        assert client.delete(here, params=who).status_code == HTTPStatus.NO_CONTENT


def test_whose_jobs_the_token_shows(host: Running, tmp_path: Path) -> None:
    """All of them in one's own kernel or lab; on a server for many only those named.

    A job's id opens it on each.
    """
    with host.client() as client:
        job = host.post(client, tmp_path, "segredo", session_id="somebody")
        seen = client.get("/queues")
        assert seen.json()["anonymous"] is not host.owner
        assert ("segredo" in seen.text) is host.owner
        assert client.get(f"/jobs/{job['job_id']}").json()["state"] == "completed"
        other = client.get(f"/jobs/{job['job_id']}", params={"session_id": "another"})
        assert other.status_code == HTTPStatus.NOT_FOUND


def test_strangers_learn_that_it_is_there(host: Running) -> None:
    """Without a token the status and nothing else, whatever the server is called."""
    with httpx.Client(base_url=host.url, trust_env=False, timeout=30) as client:
        for path, status in (("health", "ok"), ("health/ready", "ready")):
            answer = client.get(f"{host.url}/{path}", headers={"Host": "balanced.example"})
            assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {"status": status})
        assert client.get(f"{host.url}/queues").status_code == HTTPStatus.UNAUTHORIZED


def test_named_sessions(host: Running, tmp_path: Path) -> None:
    """The jobs of a session that is named are shown, whoever asks."""
    with host.client() as client:
        job = host.post(client, tmp_path, "segredo", session_id="somebody")
        named = client.get("/queues", params={"session_ids": "somebody"})
        assert job["job_id"] in named.text


def test_errors_are_problems(host: Running, tmp_path: Path) -> None:
    """Ours and the server's own, in one shape."""
    (path,) = wavs(tmp_path, "a")
    with host.client() as client:
        wrong = client.post("/jobs", files={"file": path.read_bytes()}, data={"engine": "nope"})
        assert (wrong.status_code, wrong.json()["code"]) == (400, "unknown_engine")
        assert client.get("/jobs/nope").json()["code"] == "unknown_job"
        method = client.patch("/queues")
        assert method.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert method.headers["content-type"] == PROBLEM


def test_more_than_a_megabyte(host: Running, tmp_path: Path) -> None:
    """The host's own limit of a body is not that of an upload."""
    (path,) = wavs(tmp_path, "long", seconds=100.0)
    assert path.stat().st_size > 3_000_000
    with host.client() as client:
        sent = {"file": ("long.wav", path.read_bytes())}
        answer = client.post("/jobs", files=sent, headers={"Prefer": "wait=30"})
        assert answer.status_code == 200, answer.text
