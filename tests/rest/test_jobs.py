"""Jobs over HTTP, by a real client, on a real port."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from hybrid_transcribe.events import Event, ModelChanged
from hybrid_transcribe.jobs.bus import Subscription
from hybrid_transcribe.testing import Script
from tests.rest.conftest import OpenSite, Site
from tests.services import until_segment, wavs


def test_a_file_becomes_text(site: Site) -> None:
    """Sent as a form, waited for, and downloaded in every format."""
    with site.client() as client:
        job = site.post(client, "fala")
        assert job["state"] == "completed"
        assert job["percentage"] == 100.0
        (recording,) = job["recordings"]
        assert recording["name"] == "fala.wav"
        assert not {"path", "note", "owned"} & set(recording)
        text = client.get(f"/jobs/{job['job_id']}/result")
        assert text.text == "fala.wav 0 fala.wav 1 fala.wav 2\n"
        assert text.headers["content-type"] == "text/plain; charset=utf-8"
        for name in ("txt", "srt", "vtt", "tsv", "json"):
            path = f"/jobs/{job['job_id']}/recordings/{recording['recording_id']}/result"
            got = client.get(path, params={"format": name})
            assert got.status_code == 200
            assert f'filename="fala.{name}"' in got.headers["content-disposition"]


def test_it_answers_at_once(open_site: OpenSite, tmp_path: Path) -> None:
    """202 with where to look, while nothing is transcribed yet; the partial text on request."""
    gate = tmp_path / "gate"
    site = open_site()
    (path,) = wavs(site.folder, "a")
    with site.client() as client:
        answer = client.post(
            "/jobs",
            files={"file": ("a.wav", path.read_bytes())},
            data={"model": Script(gate=str(gate)).model},
        )
        assert answer.status_code == HTTPStatus.ACCEPTED
        assert answer.headers["retry-after"] == "1"
        where = answer.headers["location"]
        early = client.get(f"{where}/result")
        assert early.status_code == HTTPStatus.CONFLICT
        assert early.json()["code"] == "invalid_transition"
        gate.touch()
        until_segment(site.service)
        assert client.get(f"{where}/result", params={"partial": "true"}).text.startswith("a.wav 0")


def test_many_files_in_one_request(site: Site) -> None:
    """One zip has all texts, and the reason for what has none."""
    with site.client() as client:
        files = [("file", (p.name, p.read_bytes())) for p in wavs(site.folder, "a", "b")]
        files.append(("file", ("notes.txt", b"no sound at all")))
        answer = client.post("/jobs", files=files, headers={"Prefer": "wait=30"}).json()
        assert [r["name"] for r in answer["recordings"]] == ["a.wav", "b.wav"]
        assert [r["name"] for r in answer["rejected"]] == ["notes.txt"]
        packed = client.get(f"/jobs/{answer['job_id']}/result", params={"format": "zip"})
        with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
            assert set(archive.namelist()) == {"a.txt", "b.txt", "_errors.txt"}
        merged = client.get(f"/jobs/{answer['job_id']}/result").text
        assert merged.startswith("# a.wav")
        assert "# notes.txt" in merged


def test_a_raw_body_is_a_file(site: Site) -> None:
    """As ``curl -T`` sends it."""
    (path,) = wavs(site.folder, "a")
    with site.client() as client:
        answer = client.post(
            "/jobs",
            params={"name": "talk.wav"},
            content=path.read_bytes(),
            headers={"Content-Type": "audio/wav", "Prefer": "wait=30"},
        )
        assert answer.json()["recordings"][0]["name"] == "talk.wav"


def test_curl_sends_what_readme_says(site: Site) -> None:
    """A form of several, and ``-T``; the real command."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    item, two = map(str, wavs(site.folder, "a", "b"))
    to = ["-sS", "-H", f"Authorization: token {site.server.token}", "-H", "Prefer: wait=30"]
    for more in (
        ["-F", f"file=@{item}", "-F", f"file=@{two}", "-F", "language=pt", "/jobs"],
        ["-T", item, "/jobs?name=talk.wav"],
    ):
        *options, path = more
        ran = subprocess.run(
            [curl, *to, *options, site.server.url + path],
            capture_output=True,
            text=True,
            timeout=60,
        )
        job = json.loads(ran.stdout)
        assert job["state"] == "completed", ran
    assert job["recordings"][0]["name"] == "talk.wav"


def test_uploads_go_with_their_job(site: Site) -> None:
    """What was sent lies on the disk while the job is there, and no longer; refused, not at all."""
    with site.client() as client:
        job = site.post(client, "a")
        assert len(list(site.service.uploads_dir.iterdir())) == 1
        client.post("/jobs", files={"file": ("x.wav", b"no sound")})
        assert len(list(site.service.uploads_dir.iterdir())) == 1
        assert client.delete(f"/jobs/{job['job_id']}").status_code == HTTPStatus.NO_CONTENT
        assert list(site.service.uploads_dir.iterdir()) == []
        assert client.get(f"/jobs/{job['job_id']}").status_code == HTTPStatus.NOT_FOUND


def test_cancel_and_retry(open_site: OpenSite, tmp_path: Path) -> None:
    """A recording is let go, and taken up again with another model."""
    site = open_site()
    (path,) = wavs(site.folder, "a", seconds=30)
    slow = Script(delay_s=0.2).model
    with site.client() as client:
        job = client.post(
            "/jobs", files={"file": ("a.wav", path.read_bytes())}, data={"model": slow}
        ).json()
        where = f"/jobs/{job['job_id']}"
        until_segment(site.service)
        assert client.post(f"{where}/cancel").json()["state"] in ("canceling", "canceled")
        site.service.wait(job["job_id"], 10)
        recording = job["recordings"][0]["recording_id"]
        again = client.post(f"{where}/recordings/{recording}/retry", json={"model": "steady"})
        assert again.status_code == 200, again.text
        site.service.wait(job["job_id"], 20)
        assert client.get(where).json()["state"] == "completed"
        kept = client.post(f"{where}/keep", json={"keep": True}).json()
        assert (kept["kept"], kept["expires_at"]) == (True, None)


def test_options_of_a_retry_are_all_of_them(open_site: OpenSite, tmp_path: Path) -> None:
    """What they leave out takes its default again, as in Python; a field changes that one."""
    site = open_site()
    (path,) = wavs(site.folder, "a")
    with site.client() as client:
        job = client.post(
            "/jobs",
            files={"file": ("a.wav", path.read_bytes())},
            data={"language": "pt", "beam_size": "3"},
        ).json()
        job_id = job["job_id"]
        for body, expected in (({"beam_size": 2}, ("pt", 2)), ({"options": {}}, (None, None))):
            site.service.wait(job_id, 20)
            again = client.post(f"/jobs/{job_id}/retry", json=body)
            assert again.status_code == 200, again.text
            spec = site.service.snapshot(job_id).recordings[0].spec
            assert spec is not None
            options = spec.options
            assert (options.language, options.beam_size) == expected


@pytest.mark.parametrize(
    ("fields", "status", "code", "said"),
    [
        ({"engine": "nope"}, 400, "unknown_engine", "faster-whisper"),
        ({"beam_size": "many"}, 400, "invalid_option", "beam_size='many'"),
        ({"colour": "red"}, 400, "invalid_request", "colour"),
        ({"device": "tpu"}, 400, "unknown_device", "cpu"),
        ({"options": "{"}, 400, "invalid_request", "JSON"),
    ],
)
def test_errors_are_problems(
    site: Site, fields: dict[str, str], status: int, code: str, said: str
) -> None:
    """RFC 9457, naming the value and the choices; nothing is left on the disk."""
    (path,) = wavs(site.folder, "a")
    with site.client() as client:
        answer = client.post("/jobs", files={"file": ("a.wav", path.read_bytes())}, data=fields)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
        assert said in answer.json()["detail"]
        assert list(site.service.uploads_dir.iterdir()) == []


def test_a_form_with_nothing_filled_in(site: Site) -> None:
    """As browsers send it: every field is there, and empty; all but the file count as not given."""
    fields = [
        "source_url",
        "upload_ids",
        "callback_url",
        "options",
        "priority",
        "model",
        "language",
    ]
    (path,) = wavs(site.folder, "a")
    with site.client() as client:
        answer = client.post(
            "/jobs",
            files={"file": ("a.wav", path.read_bytes())},
            data=dict.fromkeys([*fields, "session_id", "engine", "device", "beam_size"], ""),
        )
        assert answer.is_success, answer.text  # 200 where the job has ended already


def test_nothing_sent_is_said(site: Site) -> None:
    """A request without a recording tells how to send one."""
    with site.client() as client:
        answer = client.post("/jobs", data={"language": "pt"})
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert "multipart" in answer.json()["detail"]


def test_f22_a_full_queue_asks_to_come_again(open_site: OpenSite, tmp_path: Path) -> None:
    """429 with when, and what waits goes on waiting."""
    site = open_site(max_queued=2, batch_recordings=1)
    model = Script(gate=str(tmp_path / "gate")).model
    with site.client() as client:
        files = [("file", (p.name, p.read_bytes())) for p in wavs(site.folder, "a", "b")]
        assert client.post("/jobs", files=files, data={"model": model}).status_code == 202
        answers = [client.post("/jobs", files=files, data={"model": model}) for _ in range(2)]
        refused = answers[-1]
        assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert int(refused.headers["retry-after"]) > 0
    (tmp_path / "gate").touch()


def test_the_queue_has_an_etag(site: Site) -> None:
    """Asked again, an unchanged queue costs no body."""
    with site.client() as client:
        site.post(client, "a")
        first = client.get("/queues")
        again = client.get("/queues", headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == HTTPStatus.NOT_MODIFIED
        assert len(first.json()["jobs"]) == 1
        assert client.get("/queues", params={"state": "failed"}).json()["jobs"] == []
        assert client.get("/queues", params={"state": "odd"}).status_code == 400


def test_the_model_is_ready_before_the_first_request(open_site: OpenSite) -> None:
    """A server makes its default model ready by itself; with ``preload_models=False`` not."""
    site = open_site(preload_models=None)
    with site.service.subscribe(after=0) as events:
        assert any(isinstance(e, ModelChanged) and e.device == "cpu" for e in _few(events))
    assert len(site.service.workers()) == 1


def test_a_server_may_wait_with_its_model(open_site: OpenSite) -> None:
    """Memory is taken by the first job only."""
    assert open_site(preload_models=False).service.workers() == ()


def _few(events: Subscription) -> Iterator[Event]:
    """What comes within some seconds of each other."""
    while (event := events.get(20.0)) is not None:
        yield event


def test_what_there_is(site: Site) -> None:
    """Engines with reasons, their models, limits and health."""
    with site.client() as client:
        engines = {e["name"]: e for e in client.get("/engines").json()["engines"]}
        assert engines["faster-whisper"]["available"] is True
        assert "tiny.en" in client.get("/engines/faster-whisper/models").json()["models"]
        advice = client.get(
            "/engines/faster-whisper/models", params={"language": "pt-BR", "duration_s": 3600}
        ).json()["details"]
        (best,) = [item for item in advice if item["recommended"]]
        assert (best["name"], best["wer_percent"], best["speaks"]) == ("small", 13.0, True)
        assert best["wer_source"]
        assert best["expected_s"] > 0
        for wrong in ({"duration_s": "long"}, {"duration_s": -1}, {"language": "klingonish"}):
            answer = client.get("/engines/faster-whisper/models", params=wrong)
            assert answer.status_code == HTTPStatus.BAD_REQUEST, wrong
        assert client.get("/engines/nope/models").status_code == HTTPStatus.BAD_REQUEST
        assert client.get("/limits").json()["max_files"] == site.service.settings.max_files
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/health/ready").json()["status"] == "ready"
        assert client.get("/nowhere").status_code == HTTPStatus.NOT_FOUND


def test_a_closed_server_lets_jobs_go_on(open_site: OpenSite) -> None:
    """The port is free again; the service is as it was."""
    site = open_site()
    with site.client() as client:
        job = site.post(client, "a")
    site.server.close()
    with pytest.raises(httpx.TransportError), site.client() as client:
        client.get("/health")
    assert site.service.snapshot(job["job_id"]).done
