"""What somebody may try with another's ids, at every address there is."""

from __future__ import annotations

from pathlib import Path

import httpx

from hybrid_transcribe.core.names import new_id
from tests.services import wavs

_GET_HEAD = ("GET", "HEAD")

#: Every route with what a stranger may try there; ``{…}`` are the ids of somebody's job. A route
#: that is missing here fails the test.
TRIED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    r"/jobs": (("GET",), ("/jobs",)),
    r"/jobs/([^/]+)": (("GET", "DELETE"), ("/jobs/{job}",)),
    **{
        f"/jobs/([^/]+){pattern}/{verb}": (("POST",), (f"/jobs/{{job}}{part}/{verb}",))
        for pattern, part in (("", ""), ("/recordings/([^/]+)", "/recordings/{recording}"))
        for verb in ("cancel", "retry", "refine", "keep")
    },
    r"/jobs/([^/]+)/result": (
        ("GET",),
        tuple(f"/jobs/{{job}}/result?{q}" for q in ("", "format=zip", "partial=true")),
    ),
    r"/jobs/([^/]+)/recordings/([^/]+)/result": (
        ("GET",),
        ("/jobs/{job}/recordings/{recording}/result",),
    ),
    r"/jobs/([^/]+)/recordings/([^/]+)/transcript": (
        ("GET", "HEAD", "PATCH"),
        ("/jobs/{job}/recordings/{recording}/transcript",),
    ),
    r"/jobs/([^/]+)/recordings/([^/]+)/revisions": (
        _GET_HEAD,
        ("/jobs/{job}/recordings/{recording}/revisions",),
    ),
    r"/jobs/([^/]+)/recordings/([^/]+)/restore": (
        ("POST",),
        ("/jobs/{job}/recordings/{recording}/restore",),
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
    r"/postprocessors": (("GET",), ("/postprocessors",)),
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

#: What is sent where an empty body would be refused before anybody looks at whose it is.
SENT: dict[str, object] = {
    "transcript": [{"op": "delete-segments", "segment_ids": ["1.0"]}],
    "restore": {"revision": 0},
    "refine": {"stage": "speakers"},
}

#: Of a job that never was.
NEVER = "0" * 32


def try_everything(client: httpx.Client, folder: Path) -> None:
    """Assert that a stranger is told nothing but what is said of what never was."""
    # Others use the same server.
    secret = f"segredo-{new_id()}"
    (path,) = wavs(folder, secret)
    mine = {"session_id": new_id()}
    sent = {"file": (path.name, path.read_bytes())}
    job = client.post("/jobs", files=sent, data=mine, headers={"Prefer": "wait=30"}).json()
    ids = {"job": job["job_id"], "recording": job["recordings"][0]["recording_id"]}
    secrets = (*ids.values(), *mine.values(), secret)
    for who in ({}, {"X-Session-Id": new_id()}):
        for methods, paths in TRIED.values():
            for method in methods:
                for item in paths:
                    # A job's id without any session is a key of its own.
                    if who or not item.startswith("/jobs/{job}"):
                        _try(client, method, item, who, ids, secrets)
    assert client.get(f"/jobs/{ids['job']}").json()["job_id"] == ids["job"]
    result = client.get(f"/jobs/{ids['job']}", params=mine).json()
    assert result["state"] == "completed"
    assert result["kept"] is False


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
    headers = {**who, "Tus-Resumable": "1.0.0", "If-Match": "*"}
    sent = SENT.get(path.rpartition("/")[2]) if method in ("POST", "PATCH") else None
    with client.stream(method, path, headers=headers, json=sent) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, next(answer.iter_text(), "")
        answer.read()
        return answer.status_code, answer.text
