"""Rows 42, 43 and 44 over HTTP; `tests/rest/test_access.py` has who may come in."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from hybrid_transcribe.errors import NotAllowed, NoToken
from hybrid_transcribe.rest.access import Access
from hybrid_transcribe.rest.server import Server
from tests.services import service, wavs

LOCAL = {"Host": "127.0.0.1:8888"}

#: Digits of 128 bits.
ID = re.compile(r"[0-9a-f]{32}")


def _client(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, trust_env=False, timeout=30)


def _job(client: httpx.Client, folder: Path, name: str, **fields: str) -> dict[str, Any]:
    (path,) = wavs(folder, name)
    files = {"file": (path.name, path.read_bytes())}
    mapping: dict[str, Any] = client.post(
        "/jobs", files=files, data=fields, headers={"Prefer": "wait=30"}
    ).json()
    return mapping


# ----------------------------------------------------------------------------- 42: guessing


def test_f42_what_is_handed_out_cannot_be_guessed(tmp_path: Path) -> None:
    """Sessions, jobs, recordings and uploads are 128 random bits; a token has more."""
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "10"}
    items: list[str] = []
    with service() as s, s.serve(open_to_all=True) as server, _client(server) as client:
        for name in "ab":
            job = _job(client, tmp_path, name)
            items += [job["session_id"], job["job_id"], job["recordings"][0]["recording_id"]]
            items.append(client.post("/files", headers=tus).headers["location"].split("/")[-1])
        with s.serve() as guarded, s.serve() as other:
            tokens = {guarded.token, other.token}
    assert all(ID.fullmatch(item) for item in items)
    assert len(set(items)) == len(items)
    assert len(tokens) == 2
    assert all(re.fullmatch("[0-9a-f]{48}", token or "") for token in tokens)


def test_f42_almost_right_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is compared as a whole, in constant time, also one of the wrong length."""
    items: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        items.append((one, other))
        return one == other

    monkeypatch.setattr("hybrid_transcribe.rest.access.hmac.compare_digest", compare)
    access = Access("0123456789abcdef")
    for wrong in ("0123456789abcdee", "0123456789abcde", "1123456789abcdef", "", "é"):
        with pytest.raises(NoToken):
            access.check({**LOCAL, "Authorization": f"token {wrong}"}, None)
        assert (wrong.encode(), b"0123456789abcdef") in items


# ----------------------------------------------------------- 43: the queue without a session


def test_f43_strangers_see_a_queue_without_names(tmp_path: Path) -> None:
    """Position, state, engine, percentage, ETA: and nothing that tells whose it is."""
    with service() as s, s.serve(open_to_all=True) as server, _client(server) as client:
        ana = _job(client, tmp_path, "segredo", session_id="anas-secret")
        bia = _job(client, tmp_path, "enigma", session_id="bias-secret")
        for seen in (client.get("/queues"), client.get("/queues?state=completed")):
            assert seen.json()["anonymous"] is True
            assert len(seen.json()["jobs"]) == 2
            assert set(seen.json()["jobs"][0]) == {
                *("position", "state", "engine", "percentage", "eta_s", "n_recordings"),
            }
            named = ("segredo", "anas-secret", "enigma", "bias-secret", "steady")
            for secret in (*named, ana["job_id"], bia["job_id"]):
                assert secret not in seen.text
        own = client.get("/queues", params={"session_ids": "anas-secret,other"}).json()
        assert [j["job_id"] for j in own["jobs"]] == [ana["job_id"]]


# ------------------------------------------------- 44: somebody else's page, somebody else's name


@pytest.mark.parametrize(
    "host", ["evil", "ok.com.evil.com", "127.0.0.1.evil.com", "", "localhost.evil.com", "[::1"]
)
def test_f44_a_host_that_is_not_ours(host: str) -> None:
    """A name that points here by somebody else's will (DNS rebinding) is refused."""
    with pytest.raises(NotAllowed):
        Access(hosts=frozenset({"ok.com"})).check({"Host": host}, None)


@pytest.mark.parametrize("origin", ["https://evil.com", "null", "http://127.0.0.1:9999", ""])
def test_f44_a_page_of_somebody_else(origin: str) -> None:
    """Without a token its requests are refused, whatever the browser adds to them."""
    with pytest.raises(NotAllowed):
        Access().check({**LOCAL, "Origin": origin}, None)


def test_f44_nothing_is_done_for_them(tmp_path: Path) -> None:
    """403 as a problem, on every kind of address, and no job is made."""
    (path,) = wavs(tmp_path, "a")
    files = {"file": ("a.wav", path.read_bytes())}
    with (
        service(preload_models=False) as s,
        s.serve(open_to_all=True) as server,
        _client(server) as client,
    ):
        lines = ({"Host": "evil"}, {"Host": "127.0.0.1.evil.com"}, {"Origin": "https://evil.com"})
        for headers in lines:
            for answer in (
                client.get("/queues", headers=headers),
                client.get("/queues/events", headers=headers),
                client.delete("/sessions/one", headers=headers),
                client.post("/jobs", headers=headers, files=files),
                client.post("/v1/audio/transcriptions", headers=headers, files=files),
            ):
                assert answer.status_code == HTTPStatus.FORBIDDEN, answer.text
                assert "not_allowed" in answer.text
        assert s.snapshots() == ()
        assert list(s.uploads_dir.iterdir()) == []
