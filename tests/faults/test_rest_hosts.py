"""Rows 14, 41 and 46 on servers as people start them."""

from __future__ import annotations

import re
import signal
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from hybrid_transcribe.rest.routes import TABLE
from hybrid_transcribe.testing import Script
from tests.rest.hosts.running import TOKEN, Running, serve
from tests.services import service, wavs

# ------------------------------------------------------------------------------------- row 14


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals as POSIX has them")
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_f14_a_signal_amid_a_job(tmp_path: Path, number: int) -> None:
    """No more work is taken, it ends with 0 in time, and the next start completes the job."""
    gate = tmp_path / "gate"
    model = Script(gate=str(gate)).model
    (path,) = wavs(tmp_path, "a")
    sent = {"files": {"file": ("a.wav", path.read_bytes())}, "data": {"session_id": "one"}}
    # A state folder is used by one process after the other.
    with serve(tmp_path, "--token", TOKEN, HYBRID_TRANSCRIBE_MODEL=model) as first:
        with first.client() as client:
            job = client.post("/jobs", **sent).json()
            _until_state(client, job["job_id"], "running")
            first.process.send_signal(number)
            first.until(lambda line: "stopping" in line)
            _until_refused(client, sent)
        assert first.process.wait(30) == 0
    gate.touch()
    with serve(tmp_path, "--token", TOKEN) as second, second.client() as client:
        _until_state(client, job["job_id"], "completed")
        text = client.get(f"/jobs/{job['job_id']}/result", params={"session_id": "one"}).text
        assert text == "a.wav 0 a.wav 1 a.wav 2\n"


def _until_state(client: httpx.Client, job_id: str, state: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.get(f"/jobs/{job_id}", params={"session_id": "one"}).json()
        if found["state"] == state:
            return
        time.sleep(0.05)
    raise AssertionError(found)


def _until_refused(client: httpx.Client, sent: dict[str, Any]) -> None:
    """503 while it closes; then nobody is there. What was taken before is kept like the rest."""
    for _ in range(100):
        try:
            answer = client.post("/jobs", **sent)
        except httpx.TransportError:
            return
        if answer.status_code != HTTPStatus.ACCEPTED:
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
            return
    raise AssertionError("it goes on taking work")


# ------------------------------------------------------------------------------------- row 41

_GET_HEAD = ("GET", "HEAD")

#: Every route with what a stranger may try there; ``{…}`` are the ids of somebody's job. A route
#: that is missing here fails the test.
TRIED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    r"/jobs": (("GET",), ("/jobs",)),
    r"/jobs/([^/]+)": (("GET", "DELETE"), ("/jobs/{job}",)),
    r"/jobs/([^/]+)(?:/recordings/([^/]+))?/(cancel|retry|keep)": (
        ("POST",),
        tuple(
            f"/jobs/{{job}}{part}/{verb}"
            for part in ("", "/recordings/{recording}")
            for verb in ("cancel", "retry", "keep")
        ),
    ),
    r"/jobs/([^/]+)/result": (
        ("GET",),
        tuple(f"/jobs/{{job}}/result?{q}" for q in ("", "format=zip", "partial=true")),
    ),
    r"/jobs/([^/]+)/recordings/([^/]+)/result": (
        ("GET",),
        ("/jobs/{job}/recordings/{recording}/result",),
    ),
    r"/jobs/([^/]+)/recordings/([^/]+)/audio": (
        _GET_HEAD,
        ("/jobs/{job}/recordings/{recording}/audio",),
    ),
    r"/files/?": (("GET", "OPTIONS"), ("/files", "/files/")),
    # Whose an upload is, its id tells, and a job's is none.
    r"/files/([^/]+)": (("GET", "HEAD", "DELETE", "PATCH"), ("/files/{job}",)),
    r"/queues": (("GET",), ("/queues", "/queues?state=completed")),
    r"/queues/events": (("GET",), ("/queues/events",)),
    r"/sessions": (("GET", "DELETE"), ("/sessions",)),
    r"/sessions/([^/]+)": (("GET", "DELETE"), ("/sessions/{job}", "/sessions/nobody")),
    r"/engines": (("GET",), ("/engines",)),
    r"/engines/([^/]+)/models": (("GET",), ("/engines/scripted/models",)),
    r"/limits": (("GET",), ("/limits",)),
    r"/metrics": (("GET",), ("/metrics",)),
    r"/health": (("GET",), ("/health",)),
    r"/health/ready": (("GET",), ("/health/ready",)),
    r"/openapi\.json": (("GET",), ("/openapi.json",)),
    r"/docs": (("GET",), ("/docs",)),
    r"/docs/([^/]+)": (("GET",), ("/docs/{job}",)),
    r"/v1/audio/transcriptions": (("POST",), ("/v1/audio/transcriptions",)),
    r"/v1/audio/translations": (("POST",), ("/v1/audio/translations",)),
    r"/v1/models": (("GET",), ("/v1/models",)),
    r"/v1/models/(.+)": (("GET",), ("/v1/models/{job}",)),
    r"/v1(?:/.*)?": (("GET",), ("/v1/{job}",)),
    r"/asr": (("POST",), ("/asr",)),
    r"/detect-language": (("POST",), ("/detect-language",)),
}

#: Of a job that never was.
NEVER = "0" * 32


def test_f41_no_route_is_forgotten() -> None:
    """Whoever adds an address says here what a stranger may try there."""
    assert {pattern for pattern, _ in TABLE} == set(TRIED)


def test_f41_strangers_inside_a_kernel(tmp_path: Path) -> None:
    """On an open server of one's own kernel."""
    with service(tmp_path / "state") as s, s.serve(open_to_all=True) as server:
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            _try_everything(client, tmp_path)


def test_f41_strangers_of_a_server_for_many(tmp_path: Path) -> None:
    """On `serve`, where they even have the token."""
    with serve(tmp_path, "--token", TOKEN) as running, running.client() as client:
        _try_everything(client, tmp_path)


def _try_everything(client: httpx.Client, folder: Path) -> None:
    (path,) = wavs(folder, "segredo")
    mine = {"session_id": "anas-session"}
    sent = {"file": (path.name, path.read_bytes())}
    job = client.post("/jobs", files=sent, data=mine, headers={"Prefer": "wait=30"}).json()
    ids = {"job": job["job_id"], "recording": job["recordings"][0]["recording_id"]}
    secrets = (*ids.values(), *mine.values(), "segredo")
    for who in ({}, {"X-Session-Id": "somebody"}):
        for methods, paths in TRIED.values():
            for method in methods:
                for one in paths:
                    _try(client, method, one, who, ids, secrets)
    found = client.get(f"/jobs/{ids['job']}", params=mine).json()
    assert found["state"] == "completed"
    assert found["kept"] is False


def _try(
    client: httpx.Client,
    method: str,
    path: str,
    who: dict[str, str],
    ids: dict[str, str],
    secrets: tuple[str, ...],
) -> None:
    status, text = _asked(client, method, path.format(**ids), who)
    if "{" not in path:
        assert not any(secret in text for secret in secrets), (method, path, text)
        return
    never = {"job": NEVER, "recording": ids["recording"]}
    there = _asked(client, method, path.format(**never), who)
    assert (status, text.replace(ids["job"], NEVER)) == there, (method, path)
    assert path.startswith("/sessions/") or status >= 400, (method, path)


def _asked(client: httpx.Client, method: str, path: str, who: dict[str, str]) -> tuple[int, str]:
    """Of a stream of events what comes first."""
    with client.stream(method, path, headers={**who, "Tus-Resumable": "1.0.0"}) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, next(answer.iter_text(), "")
        answer.read()
        return answer.status_code, answer.text


# ------------------------------------------------------------------------------------- row 46


@pytest.mark.parametrize("debug", ["true", pytest.param("false", marks=pytest.mark.slow)])
def test_f46_no_capability_in_a_log(tmp_path: Path, debug: str) -> None:
    """Tokens, sessions and uploads, in whatever place a client puts them, and the cloud's key."""
    told = {"DEBUG": debug, "ASSEMBLYAI_API_KEY": "SENTINEL-cloud"}
    token = "SENTINEL-token"
    with serve(tmp_path, "--token", token, **told) as running:
        running.token = token
        upload = _say_secrets_everywhere(running, tmp_path)
        assert running.stop() == 0
    written = "".join(running.lines)
    for file in (tmp_path / "state").rglob("*.log"):
        written += file.read_text(errors="replace")
    assert re.findall(r".*SENTINEL.*", written) == []
    assert upload not in written
    assert '"path":"/sessions/{id}"' in written
    assert ('"who"' in written) == (debug == "true")


def _say_secrets_everywhere(running: Running, folder: Path) -> str:
    (path,) = wavs(folder, "a")
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "10"}
    with running.client() as client:
        sent = {"file": ("SENTINEL-name.wav", path.read_bytes())}
        job = client.post("/jobs", files=sent, data={"session_id": "SENTINEL-field"}).json()
        upload = client.post("/files", headers=tus).headers["location"].rpartition("/")[2]
        client.head(f"/files/{upload}", headers=tus)
        client.get(f"/file/{upload}")
        for bad in ("SENTINEL-path", "SENTINEL%2Dpath", "SENTINEL path"):
            client.delete(f"/sessions/{bad}")
            client.get(f"/sessions/{bad}")
            client.get(f"/session/{bad}")
            client.get(f"/voila/static/{bad}")
            client.get(f"/jobs/{bad}/result")
            client.request("SENTINEL", f"/jobs/{bad}")
        for name in ("token", "session_id", "session_ids", "SENTINEL-name", "format"):
            for where in ("/queues", "/ui", "/", "/nowhere", f"/jobs/{job['job_id']}"):
                client.get(where, params={name: "SENTINEL-query"})
        for name in ("Authorization", "X-Session-Id", "Cookie", "Referer", "Origin", "Host"):
            client.get("/queues", headers={name: "token SENTINEL-header"})
        client.post("/jobs", json={"session_id": "SENTINEL-json", "engine": "SENTINEL-engine"})
        client.post("/jobs", content=b"{SENTINEL", headers={"Content-Type": "application/json"})
        ws = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        kernel = "/api/kernels/00000000-0000-0000-0000-000000000000/channels"
        client.get(kernel, params={"session_id": "SENTINEL-kernel"}, headers=ws)
    with running.client(Authorization="token SENTINEL-wrong") as client:
        client.get("/queues")
    return upload
