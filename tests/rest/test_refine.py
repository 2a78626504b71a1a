"""Stages after the engine over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from hybrid_transcribe.testing import StageScript
from tests.rest.conftest import OpenSite, Site


def test_a_stage_is_asked_for_with_the_submission(site: Site) -> None:
    """As any other option; it is in the job until it is through, and in the result then."""
    with site.client() as client:
        job = site.post(client, "fala", postprocess="scripted-stage")
        assert job["state"] == "completed"
        (recording,) = job["recordings"]
        assert (recording["transcribed"], recording["stages"]) == (True, [])
        path = f"/jobs/{job['job_id']}/recordings/{recording['recording_id']}/result"
        document = client.get(path, params={"format": "json"}).json()
        assert [segment["speaker"] for segment in document["segments"]] == ["S1", "S2", "S1"]


def _refined(client: httpx.Client, where: str, **body: object) -> httpx.Response:
    return client.post(f"{where}/refine", json=body)


@pytest.mark.parametrize("whole", [True, False])
def test_a_stage_later(open_site: OpenSite, tmp_path: Path, whole: bool) -> None:
    """On a job or one of its recordings; the answer says what it waits for."""
    gate = tmp_path / "gate"
    site = open_site()
    with site.client() as client:
        job = site.post(client, "fala")
        (recording,) = job["recordings"]
        where = f"/jobs/{job['job_id']}"
        one = where if whole else f"{where}/recordings/{recording['recording_id']}"
        hotwords = StageScript(gate=str(gate)).hotwords
        answer = _refined(client, one, stage="scripted-stage", options={"hotwords": hotwords})
        assert answer.status_code == HTTPStatus.OK
        (recording,) = answer.json()["recordings"]
        assert (recording["stages"], recording["result_run"]) == (["scripted-stage"], 1)
        assert client.get(f"{where}/result").status_code == HTTPStatus.OK
        again = _refined(client, one, stage="scripted-stage")
        assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
        gate.touch()
        site.service.wait(job["job_id"], 30)
        (recording,) = client.get(where).json()["recordings"]
        assert (recording["state"], recording["stages"]) == ("completed", [])


def test_what_is_refused(site: Site) -> None:
    """Each with a code of its own and the choices."""
    with site.client() as client:
        job = site.post(client, "fala")
        where = f"/jobs/{job['job_id']}"
        for body, status, code, says in (
            ({}, 400, "invalid_request", "GET /postprocessors"),
            ({"stage": "nope"}, 400, "unknown_postprocessor", "scripted-stage"),
            ({"stage": 3}, 400, "invalid_request", "stage"),
            ({"stage": "scripted-stage", "wings": 1}, 400, "invalid_request", "wings"),
            ({"stage": "scripted-stage", "beam_size": 0}, 400, "invalid_option", "beam_size"),
        ):
            answer = _refined(client, where, **body)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert says in answer.json()["detail"]
        assert _refined(client, "/jobs/nope", stage="scripted-stage").status_code == 404
        missing = _refined(client, f"{where}/recordings/nope", stage="scripted-stage")
        assert missing.json()["code"] == "unknown_recording"


def test_they_are_listed(site: Site) -> None:
    """With what each honours, and whether it can run here."""
    with site.client() as client:
        names = {p["name"]: p for p in client.get("/postprocessors").json()["postprocessors"]}
        assert names["scripted-stage"]["available"] is True
        assert "hotwords" in names["scripted-stage"]["options"]
