"""Known voices over HTTP: as files that are sent, never as names of files here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.rest.conftest import OpenSite, Site
from tests.services import wavs
from tests.speaking import ENGINES


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    """Its engine tells speakers apart itself."""
    return open_site(engines=ENGINES, engine="speaking")


def voice_files(site: Site) -> set[str]:
    """The names of what was sent with all jobs, recordings apart."""
    jobs = site.service.snapshots()
    recordings = {Path(r.path).name for job in jobs for r in job.recordings}
    return {path.name for path in site.service.uploads_dir.iterdir()} - recordings


def sent(path: Path, name: str | None = None) -> tuple[str, bytes]:
    return name or path.name, path.read_bytes()


def post(client: httpx.Client, files: list[Any], **data: Any) -> httpx.Response:
    return client.post("/jobs", files=files, data=data, headers={"Prefer": "wait=60"})


def test_voices_are_fields_of_the_form(site: Site) -> None:
    """By the name in brackets, or by that of the file; they are no recordings, and go with it."""
    talk, ana = wavs(site.folder, "talk", "ana")
    files = [
        ("file", sent(talk)),
        ("voices[Ana Luísa]", sent(ana)),
        ("voices", sent(ana, "Rui Sá.wav")),
    ]
    with site.client() as client:
        answer = post(client, files)
        job = answer.json()
        assert [r["name"] for r in job["recordings"]] == ["talk.wav"]
        assert job["options"] == {
            "diarize": True,
            "voices": [{"name": "Ana Luísa"}, {"name": "Rui Sá"}],
        }
        stored = site.service.snapshot(job["job_id"]).spec.options.voices or ()
        assert {voice.path for voice in stored} == voice_files(site)
        assert len(stored) == 2
        assert client.delete(f"/jobs/{job['job_id']}").status_code == 204
        assert voice_files(site) == set()


def test_voices_are_uploads_that_came_before(site: Site) -> None:
    """Named by their ids, in JSON and in a form."""
    talk, ana = wavs(site.folder, "talk", "ana")
    with site.client() as client:
        for as_form in (False, True):
            ids = [upload(client, path) for path in (talk, ana)]
            if as_form:
                data = {"voices": json.dumps({"Ana": ids[1]})}
                answer = client.post("/jobs", files={"file": sent(talk)}, data=data)
            else:
                body = {"upload_ids": ids[:1], "voices": {"Ana": ids[1]}}
                answer = client.post("/jobs", json=body)
            # It may have ended by then.
            assert answer.status_code in (200, 202), answer.text
            (voice,) = site.service.snapshot(answer.json()["job_id"]).spec.options.voices or ()
            assert (voice.name, voice.owned) == ("Ana", True)
            assert (site.service.uploads_dir / voice.path).read_bytes() == ana.read_bytes()


def upload(client: httpx.Client, path: Path) -> str:
    """The id of a finished upload in one piece."""
    content = path.read_bytes()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content))}
    made = client.post("/files", headers=headers)
    assert made.status_code == 201, made.text
    where = made.headers["location"]
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
    }
    assert client.patch(where, content=content, headers=headers).status_code == 204
    return where.rpartition("/")[2]


@pytest.mark.parametrize(
    "fields",
    [
        {"options": {"voices": [{"name": "Ana", "path": "PATH"}]}},
        {"options": {"voices": [{"name": "Ana", "path": "x.wav", "owned": True}]}},
        {"options": {"voices": {"Ana": "PATH"}}},
        {"options": {"speakers": {"Ana": "PATH"}}},
        {"speakers": {"Ana": "PATH"}},
        {"voices": {"Ana": "PATH"}},
        {"voices": [{"name": "Ana", "path": "PATH"}]},
    ],
)
def test_no_file_of_this_machine_is_named(site: Site, fields: dict[str, Any]) -> None:
    """However it is written, for a new job and for another try; the file stays where it is."""
    talk, ana = wavs(site.folder, "talk", "ana")
    text = json.dumps(fields).replace("PATH", str(ana))
    values = json.loads(text)
    with site.client() as client:
        (job_id,) = [site.post(client, "a")["job_id"]]
        form = {n: v if isinstance(v, str) else json.dumps(v) for n, v in values.items()}
        answers = [
            client.post("/jobs", json={"upload_ids": ["0" * 32], **values}),
            client.post("/jobs", files={"file": sent(talk)}, data=form),
            client.post(f"/jobs/{job_id}/retry", json=values),
        ]
        for answer in answers:
            assert answer.status_code in (400, 404, 422), answer.text
        assert len(site.service.snapshots()) == 1
        assert site.service.snapshots()[0].spec.options.voices is None
    assert ana.exists()


def test_a_form_of_voices_alone_is_empty(site: Site) -> None:
    """There is nothing to transcribe."""
    (ana,) = wavs(site.folder, "ana")
    with site.client() as client:
        answer = post(client, [("voices[Ana]", sent(ana))])
        assert answer.status_code == 400, answer.text
        assert voice_files(site) == set()


def test_two_voices_of_one_name_are_refused(site: Site) -> None:
    """Nobody could say who is who; nothing stays."""
    talk, ana = wavs(site.folder, "talk", "ana")
    files = [("file", sent(talk)), ("voices[Ana]", sent(ana)), ("voices", sent(ana, "Ana.wav"))]
    with site.client() as client:
        answer = post(client, files)
        assert answer.status_code == 400, answer.text
        assert "'Ana'" in answer.json()["detail"]
    assert not list(site.service.uploads_dir.iterdir())
