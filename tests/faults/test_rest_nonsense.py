"""Values that no client should send, over HTTP: refused in words, and nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.errors import InvalidOption
from tests.services import service, wavs

NONSENSE: list[dict[str, Any]] = [
    {"temperature": "nan"},
    {"temperature": "0,inf"},
    {"clip_timestamps": "0,inf"},
    {"patience": "nan"},
    {"priority": "1.5"},
    {"priority": "9" * 30},
    {"options": '{"priority": 1.5}'},
    {"options": '{"priority": "high"}'},
    {"options": '{"priority": null}'},
    {"options": '{"inputs": "/etc/passwd"}'},
    {"options": '{"self": 1}'},
    {"options": '{"session_ids": null}'},
    {"options": '{"temperature": ["a"]}'},
    {"options": "[" * 60_000},
]


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, httpx.Client]]:
    """A service with a journal, for everybody."""
    folder = tmp_path_factory.mktemp("state")
    with service(folder) as s, s.serve(open_to_all=True) as server:
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            yield s, client


def _posted(client: httpx.Client, folder: Path, **fields: Any) -> httpx.Response:
    (path,) = wavs(folder, "a", seconds=1)
    files = {"file": (path.name, path.read_bytes())}
    return client.post("/jobs", files=files, data=fields)


@pytest.mark.parametrize("fields", NONSENSE, ids=lambda f: str(f)[:40])
def test_f34_nonsense_in_a_form(
    open_site: tuple[Service, httpx.Client], tmp_path: Path, fields: dict[str, str]
) -> None:
    """400, no job of it, and no file."""
    s, client = open_site
    before = len(s.snapshots())
    answer = _posted(client, tmp_path, **fields)
    assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.text
    assert answer.json()["detail"]
    assert len(s.snapshots()) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"engine": []},
        {"engine": 5},
        {"device": ["cpu"]},
        {"model": {"a": 1}},
        {"options": {"session_ids": None}},
        {"options": {"job_id": "x"}},
        {"options": []},
    ],
    ids=str,
)
def test_f34_nonsense_in_a_retry(
    open_site: tuple[Service, httpx.Client], tmp_path: Path, changes: dict[str, Any]
) -> None:
    """400, and what was finished stays."""
    s, client = open_site
    job = _posted(client, tmp_path, session_id="one").json()
    s.wait(job["job_id"], 30)
    at = f"/jobs/{job['job_id']}"
    who = {"X-Session-Id": "one"}
    answer = client.post(f"{at}/retry", json=changes, headers=who)
    assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.text
    deep = client.post(f"{at}/retry", content=b"[" * 200_000, headers=who)
    assert deep.status_code == HTTPStatus.BAD_REQUEST
    assert client.get(at, headers=who).json()["state"] == "completed"


def test_f34_afterwards_all_goes_on(
    open_site: tuple[Service, httpx.Client], tmp_path: Path
) -> None:
    """The next job ends, and the journal can be read again."""
    s, client = open_site
    done = _posted(client, tmp_path, session_id="one")
    s.wait(done.json()["job_id"], 30)
    assert not any(code.startswith("journal") for code, _ in s.warnings)


def test_many_sessions_are_not_looked_up(open_site: tuple[Service, httpx.Client]) -> None:
    """Each would be compared with that of every job."""
    _, client = open_site
    named = ",".join(f"s{i}" for i in range(101))
    assert client.get("/queues", params={"session_ids": named}).status_code == 400


def test_what_cannot_be_written_down_is_refused_at_once(tmp_path: Path) -> None:
    """In Python as well: neither the worker nor the journal could read it."""
    (path,) = wavs(tmp_path, "a")
    with service() as s:
        for options in ({"temperature": float("nan")}, {"clip_timestamps": (0.0, float("inf"))}):
            with pytest.raises(InvalidOption, match="finite"):
                s.submit(path, **options)
        with pytest.raises(InvalidOption, match="priority"):
            s.submit(path, priority=1.5)  # type: ignore[arg-type]


def test_a_repeat_with_uploads_gets_its_job(
    open_site: tuple[Service, httpx.Client], tmp_path: Path
) -> None:
    """Though the uploads were used up the first time."""
    _, client = open_site
    (path,) = wavs(tmp_path, "a", seconds=1)
    body = path.read_bytes()
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(body))}
    at = client.post("/files", headers=tus).headers["Location"]
    client.patch(
        at,
        content=body,
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": "0",
            "Content-Type": "application/offset+octet-stream",
        },
    )
    by_name = {"upload_ids": [at.rsplit("/", 1)[1]], "session_id": "uploader"}
    answers = [
        client.post("/jobs", json=by_name, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert [a.status_code // 100 for a in answers] == [2, 2], answers[-1].text
    assert len({a.json()["job_id"] for a in answers}) == 1
    assert client.post("/jobs", json=by_name).status_code == HTTPStatus.NOT_FOUND
