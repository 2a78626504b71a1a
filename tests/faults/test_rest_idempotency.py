"""Row 10 at ``POST /jobs``: the same submission, sent again by who lost the answer."""

from __future__ import annotations

import threading
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from hybrid_transcribe import Service
from tests.services import service, wavs

_WRITING = threading.Lock()


def _post(server: Any, name: str, key: str, **fields: str) -> httpx.Response:
    folder = Path(fields.pop("folder"))
    # Written once: who reads it while another thread writes it anew sends something else.
    with _WRITING:
        path = folder / f"{name}.wav"
        if not path.exists():
            (path,) = wavs(folder, name)
    headers = {"Idempotency-Key": key}
    if server.token:
        headers["Authorization"] = f"token {server.token}"
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        files = {"file": (path.name, path.read_bytes())}
        return client.post("/jobs", files=files, data=fields, headers=headers)


def _many(server: Any, n: int, **how: str) -> list[httpx.Response]:
    """That many at the same time, and one after them."""
    answers: list[httpx.Response] = []
    together = threading.Barrier(n)

    def post() -> None:
        together.wait(30)
        answers.append(_post(server, "a", **how))

    threads = [threading.Thread(target=post) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [*answers, _post(server, "a", **how)]


def test_f10_the_same_key_is_the_same_job(tmp_path: Path) -> None:
    """At the same time or later, with a session or without: one job, one id, one file kept."""
    for n, fields in enumerate(({"session_id": "one"}, {}), 1):
        with (
            service(tmp_path / f"state{n}", preload_models=False) as s,
            s.serve(open_to_all=True) as server,
        ):
            answers = _many(server, 5, key="k1", folder=str(tmp_path), **fields)
            assert {a.status_code for a in answers} <= {HTTPStatus.OK, HTTPStatus.ACCEPTED}
            assert len({(a.json()["job_id"], a.json()["session_id"]) for a in answers}) == 1
            assert len(s.snapshots()) == 1
            assert len(list(s.uploads_dir.iterdir())) == 1


def test_f10_a_restart_forgets_no_key(tmp_path: Path) -> None:
    """The key is journalled with the job."""
    ids = []
    for _ in range(2):
        with service(tmp_path / "state", preload_models=False) as s, s.serve(token="t") as server:
            answer = _post(server, "a", "k1", folder=str(tmp_path))
            ids.append(answer.json()["job_id"])
            s.wait(ids[-1], 30)
    assert ids[0] == ids[1]


def test_f10_another_submission_under_the_same_key(tmp_path: Path) -> None:
    """Is refused, not answered with the wrong job; in another session the key is free."""
    with service(preload_models=False) as s, s.serve(open_to_all=True) as server:
        where = {"folder": str(tmp_path)}
        first = _post(server, "a", "k", session_id="one", **where)
        for name, more in (("b", {}), ("a", {"language": "pt"})):
            other = _post(server, name, "k", session_id="one", **more, **where)
            assert other.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
            assert other.json()["code"] == "key_reused"
        theirs = _post(server, "a", "k", session_id="two", **where)
        assert theirs.json()["job_id"] != first.json()["job_id"]
        assert len(s.snapshots()) == 2


def test_f10_without_a_session_the_content_tells_whose_it_is(tmp_path: Path) -> None:
    """A stranger who guesses a key gets no job of somebody else's."""
    with service(preload_models=False) as s, s.serve(open_to_all=True) as server:
        mine = _post(server, "a", "1", folder=str(tmp_path)).json()
        theirs = _post(server, "b", "1", folder=str(tmp_path)).json()
        assert mine["job_id"] != theirs["job_id"]
        assert mine["session_id"] != theirs["session_id"]


def test_f10_a_deleted_job_frees_its_key(tmp_path: Path) -> None:
    """What was erased does not come back by its key."""
    (path,) = wavs(tmp_path, "a")
    with service() as s:
        first = s.submit(path, idempotency_key="k")
        assert s.submit(path, idempotency_key="k") is first
        first.delete()
        assert s.submit(path, idempotency_key="k").job_id != first.job_id


def test_a_key_that_cannot_be(tmp_path: Path) -> None:
    """Longer than any key is: 400, and nothing is kept."""
    with (
        service(tmp_path / "state", preload_models=False) as s,
        s.serve(open_to_all=True) as server,
    ):
        answer = _post(server, "a", "k" * 300, folder=str(tmp_path))
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert list(s.uploads_dir.iterdir()) == []
        assert isinstance(s, Service)
