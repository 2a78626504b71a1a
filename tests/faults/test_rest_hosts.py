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
from tests.rest.clients import everybody
from tests.rest.hosts.running import TOKEN, Running, serve
from tests.rest.strangers import TRIED, try_everything
from tests.services import service, wavs

# ------------------------------------------------------------------------------------- row 14


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals as POSIX has them")
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_f14_a_signal_amid_a_job(tmp_path: Path, number: int) -> None:
    """No more work is taken, it ends with 0 in time, and the next start completes the job.

    Whatever clients of every kind are doing.
    """
    gate = tmp_path / "gate"
    model = Script(gate=str(gate)).model
    (path,) = wavs(tmp_path, "a")
    sent = {"files": {"file": ("a.wav", path.read_bytes())}, "data": {"session_id": "one"}}
    # A state folder is used by one process after the other.
    with serve(tmp_path, "--token", TOKEN, HYBRID_TRANSCRIBE_MODEL=model) as first:
        with first.client() as client:
            job = client.post("/jobs", **sent).json()
            _until_state(client, job["job_id"], "running")
            auth = f"Authorization: token {TOKEN}"
            with everybody(first.url, "/docs/swagger-ui-bundle.js", auth) as others:
                first.process.send_signal(number)
                first.until(lambda line: "stopping" in line)
                _until_refused(client, sent)
                assert first.process.wait(30) == 0
                assert all(other.is_hung_up_on() for other in others)
    gate.touch()
    with service(tmp_path / "state") as second:
        result = second.job(job["job_id"], session_ids=["one"])
        assert result.result(60).text.split() == "a.wav 0 a.wav 1 a.wav 2".split()


def _until_state(client: httpx.Client, job_id: str, state: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        result = client.get(f"/jobs/{job_id}", params={"session_id": "one"}).json()
        if result["state"] == state:
            return
        time.sleep(0.05)
    raise AssertionError(result)


def _until_refused(client: httpx.Client, sent: dict[str, Any]) -> None:
    """503 while it closes; then nobody is there. What was taken before is kept like the rest."""
    for _ in range(100):
        try:
            answer = client.post("/jobs", **sent)
        except httpx.TransportError:
            return
        if not answer.is_success:
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
            return
    raise AssertionError("it goes on taking work")


# ------------------------------------------------------------------------------------- row 41


def test_f41_no_route_is_forgotten() -> None:
    """Whoever adds an address says here what a stranger may try there."""
    assert {pattern for pattern, _ in TABLE} == set(TRIED)


def test_f41_strangers_inside_a_kernel(tmp_path: Path) -> None:
    """On an open server of one's own kernel."""
    with service(tmp_path / "state") as s, s.serve(open_to_all=True) as server:
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            try_everything(client, tmp_path)


# ------------------------------------------------------------------------------------- row 46


@pytest.mark.parametrize("debug", ["true", pytest.param("false", marks=pytest.mark.slow)])
def test_f46_no_capability_in_a_log(tmp_path: Path, debug: str) -> None:
    """Tokens, sessions and uploads, in whatever place a client puts them, and the cloud's key."""
    fields = {"DEBUG": debug, "ASSEMBLYAI_API_KEY": "SENTINEL-cloud"}
    token = "SENTINEL-token"
    with serve(tmp_path, "--token", token, **fields) as running:
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
        names = ("token", "session_id", "session_ids", "SENTINEL-name", "format")
        for name in names:
            for where in ("/queues", "/", "/nowhere", f"/jobs/{job['job_id']}"):
                client.get(where, params={name: "SENTINEL-query"})
        # Each look at the page starts a kernel.
        client.get("/ui", params=dict.fromkeys(names, "SENTINEL-query"))
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
