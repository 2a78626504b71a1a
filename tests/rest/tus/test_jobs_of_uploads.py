"""Finished uploads become the recordings of a job."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from tests.rest.conftest import OpenSite, Site
from tests.rest.tus.conftest import Tus
from tests.services import wavs


def _audio(folder: Path, name: str = "a") -> bytes:
    return wavs(folder, name)[0].read_bytes()


def test_in_the_order_given(site: Site, tus: Tus, tmp_path: Path) -> None:
    """Files and a zip, named in JSON; the ids are over then, and nothing was copied."""
    audio = _audio(tmp_path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/c.wav", audio)
        archive.writestr("in/d.wav", audio)
    ids = [tus.whole(audio, "b.wav"), tus.whole(packed.getvalue(), "x.zip"), tus.whole(audio, "a")]
    inode = (site.service.partial_dir / ids[0]).stat().st_ino
    answer = tus.client.post("/jobs", json={"upload_ids": ids}, headers={"Prefer": "wait=30"})
    job = answer.json()
    assert [r["name"] for r in job["recordings"]] == ["b.wav", "c.wav", "d.wav", "a"]
    assert job["state"] == "completed"
    assert inode in {p.stat().st_ino for p in site.service.uploads_dir.iterdir()}
    assert list(site.service.partial_dir.iterdir()) == []
    again = tus.client.post("/jobs", json={"upload_ids": ids[:1]})
    assert (again.status_code, again.json()["code"]) == (404, "unknown_upload")


def test_as_a_field_of_a_form(tus: Tus, tmp_path: Path) -> None:
    """With commas, beside a file that is sent at once, and other fields."""
    audio = _audio(tmp_path)
    ids = [tus.whole(audio, "b.wav"), tus.whole(audio, "c.wav")]
    job = tus.client.post(
        "/jobs",
        data={"upload_ids": ",".join(ids), "language": "pt"},
        files={"file": ("a.wav", audio)},
    ).json()
    assert [r["name"] for r in job["recordings"]] == ["a.wav", "b.wav", "c.wav"]


def test_nothing_is_lost_by_a_mistake(site: Site, tus: Tus, tmp_path: Path) -> None:
    """Whatever is wrong with the request, the upload can be used by the next one."""
    audio = _audio(tmp_path)
    good = tus.whole(audio, "a.wav")
    half = tus.url(9)
    tus.patch(half, 0, b"abc")
    unfinished = half.rpartition("/")[2]
    for body, status, code in (
        ({"upload_ids": [good, "0" * 32]}, 404, "unknown_upload"),
        ({"upload_ids": [good, "../journal.db"]}, 404, "unknown_upload"),
        ({"upload_ids": [good, unfinished]}, 409, "upload_conflict"),
        ({"upload_ids": [good, good]}, 400, "invalid_request"),
        ({"upload_ids": good}, 400, "invalid_request"),
        ({"upload_ids": [good], "engine": "nope"}, 400, "unknown_engine"),
        ({"upload_ids": [good], "beam_size": "many"}, 400, "invalid_option"),
        ({"upload_ids": []}, 400, "invalid_request"),
    ):
        said = tus.client.post("/jobs", json=body)
        assert (said.status_code, said.json()["code"]) == (status, code), said.text
        assert list(site.service.uploads_dir.iterdir()) == []
    assert tus.patch(half, 3, b"defghi").status_code == 204
    job = tus.client.post("/jobs", json={"upload_ids": [good, unfinished]}).json()
    assert [r["name"] for r in job["recordings"]] == ["a.wav"]
    assert len(job["rejected"]) == 1


def test_a_full_queue_loses_nothing(open_site: OpenSite, tmp_path: Path) -> None:
    """429, and the same upload later."""
    site = open_site(max_queued=1)
    with site.client() as client:
        client.headers["Tus-Resumable"] = "1.0.0"
        tus, audio = Tus(client), _audio(tmp_path)
        ids = [tus.whole(audio), tus.whole(audio)]
        assert client.post("/jobs", json={"upload_ids": ids}).status_code == 429
        assert client.post("/jobs", json={"upload_ids": ids[:1]}).is_success


def test_where_a_disk_has_no_links(
    tus: Tus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes are copied then."""

    def refused(*args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    upload_id = tus.whole(_audio(tmp_path), "a.wav")
    monkeypatch.setattr(os, "link", refused)
    said = tus.client.post("/jobs", json={"upload_ids": [upload_id]}, headers={"Prefer": "wait=30"})
    assert said.json()["state"] == "completed"
