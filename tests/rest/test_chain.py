"""A server in front of another server: a service elsewhere, served again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from hybrid_transcribe import RemoteService, Service
from tests.services import service as local_service
from tests.services import wavs
from tests.speaking import ENGINES


@pytest.fixture(scope="module")
def last() -> Iterator[Service]:
    with local_service(engines=ENGINES) as instance:
        yield instance


@pytest.fixture(scope="module")
def middle(last: Service) -> Iterator[RemoteService]:
    server = last.serve()
    with RemoteService(server.url, server.token) as instance:
        yield instance


@pytest.fixture(scope="module")
def client(middle: RemoteService) -> Iterator[httpx.Client]:
    server = middle.serve()
    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as instance:
        yield instance


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wavs(tmp_path_factory.mktemp("chain"), "talk")[0]


@pytest.fixture(scope="module")
def job(client: httpx.Client, talk: Path) -> dict[str, object]:
    """A job that was sent to the server in front, completed."""
    answer = client.post(
        "/jobs", files={"file": ("talk.wav", talk.read_bytes())}, headers={"Prefer": "wait=30"}
    )
    answer.raise_for_status()
    result: dict[str, object] = answer.json()
    assert result["state"] == "completed"
    return result


def test_a_part_of_a_recording(client: httpx.Client, job: dict[str, object], talk: Path) -> None:
    """A player may begin anywhere: each server asks the next for what is from there on."""
    (recording,) = job["recordings"]  # type: ignore[misc]
    path = f"/jobs/{job['job_id']}/recordings/{recording['recording_id']}/audio"
    part = client.get(path, headers={"Range": "bytes=1000-2999"})
    assert (part.status_code, part.content) == (206, talk.read_bytes()[1000:3000])
    again = client.get(path, headers={"If-None-Match": part.headers["ETag"]})
    assert again.status_code == 304


def test_queues_are_the_same(last: Service, middle: RemoteService, job: dict[str, object]) -> None:
    """In full for owners, and as strangers may see them."""
    decode = msgspec.json.decode
    own, anonymous = middle.queue_json(None), middle.anonymous_queue_json()
    assert decode(own.text) == decode(last.queue_json(None).text)
    assert decode(anonymous.text) == decode(last.anonymous_queue_json().text)
    assert own.seq == last.queue_json(None).seq


def test_figures(client: httpx.Client, job: dict[str, object]) -> None:
    """Metrics count the jobs of the server behind."""
    assert 'hybrid_transcribe_jobs{state="completed"} 1.0' in client.get("/metrics").text


def test_callbacks_are_made_by_the_server_behind(client: httpx.Client, talk: Path) -> None:
    """The one in front has no secret to sign them with, and says so."""
    fields = {"callback_url": "https://example.org/done"}
    answer = client.post("/jobs", data=fields, files={"file": ("talk.wav", talk.read_bytes())})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_closing_the_connection_ends_the_server_in_front(last: Service) -> None:
    """What was asked of it is answered first; the service behind goes on."""
    server = last.serve()
    with RemoteService(server.url, server.token) as instance:
        front = instance.serve(open_to_all=True)
        assert httpx.get(f"{front.url}/health").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{front.url}/health")
    assert not last.closed


def test_known_voices_come_through(
    client: httpx.Client, last: Service, middle: RemoteService, talk: Path
) -> None:
    """With the people's exact names; nothing stays on the server in front."""
    name = 'Ana "A/B" Çelik. Jr'
    content = talk.read_bytes()
    files = [("file", ("talk.wav", content)), ("voices", (f"{name}.wav", content))]
    answer = client.post("/jobs", files=files, data={"engine": "speaking"})
    # It may have ended by then.
    assert answer.status_code in (200, 202), answer.text
    options = last.snapshot(answer.json()["job_id"]).spec.options
    (voice,) = options.voices or ()
    assert (voice.name, voice.owned, options.diarize) == (name, True, True)
    assert (last.uploads_dir / voice.path).read_bytes() == content
    assert list(middle.uploads_dir.iterdir()) == []


def test_known_voices_are_sent_from_disk(last: Service, middle: RemoteService, talk: Path) -> None:
    """From files that stay where they are."""
    job = middle.submit(talk, speakers={"Ana": talk}, engine="speaking")
    (voice,) = last.snapshot(job.job_id).spec.options.voices or ()
    assert (voice.name, voice.owned) == ("Ana", True)
    assert (last.uploads_dir / voice.path).read_bytes() == talk.read_bytes()
    assert talk.exists()


def test_a_text_is_revised_behind(client: httpx.Client, talk: Path, last: Service) -> None:
    """The server in front asks the one behind: revisions, conditions, conflicts and sessions."""
    answer = client.post(
        "/jobs", files={"file": ("talk.wav", talk.read_bytes())}, headers={"Prefer": "wait=30"}
    ).json()
    at = f"/jobs/{answer['job_id']}/recordings/{answer['recordings'][0]['recording_id']}"
    edit = [{"op": "replace-text", "segment_id": "1.0", "text": "Bom dia"}]
    first = client.patch(f"{at}/transcript", json=edit, headers={"If-Match": '"0"'})
    assert (first.status_code, first.headers["ETag"]) == (200, '"1"')
    assert client.get(f"{at}/transcript").headers["ETag"] == '"1"'
    edit[0]["text"] = "Olá"
    conflict = client.patch(f"{at}/transcript", json=edit, headers={"If-Match": '"0"'})
    assert (conflict.status_code, conflict.json()["params"]["segments"]) == (409, ["1.0"])
    assert client.patch(f"{at}/transcript", json=edit).status_code == 428
    assert client.post(f"{at}/restore", json={"revision": 0}).json()["restored"] == 0
    listed = client.get(f"{at}/revisions").json()["revisions"]
    assert [r["kind"] for r in listed] == ["engine", "person", "restore"]
    assert "Bom dia" in client.get(f"{at}/result", params={"revision": 1}).text
    other = {"X-Session-Id": "another"}
    assert client.get(f"{at}/revisions", headers=other).json()["code"] == "unknown_job"
    (snapshot,) = (job for job in last.snapshots() if job.job_id == answer["job_id"])
    assert (snapshot.kept, snapshot.recordings[0].revision) == (True, 2)
