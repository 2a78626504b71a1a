"""A person a channel, over HTTP: a field of the form or of JSON, and who speaks in the answers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.audio.makers import wav
from tests.audio.voices import conversation, int16
from tests.rest.conftest import Site


def _talk(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return wav(folder / "talk.wav", int16(conversation(4).recorded()))


def test_channels_are_a_field_of_the_form(site: Site) -> None:
    """The text says who speaks, in every output."""
    talk = _talk(site.folder)
    with site.client() as client:
        answer = client.post(
            "/jobs",
            files={"file": (talk.name, talk.read_bytes())},
            data={"channels": "speakers"},
            headers={"Prefer": "wait=60"},
        )
        job = answer.json()
        assert job["options"] == {"channels": "speakers"}
        address = f"/jobs/{job['job_id']}/result"
        transcript = json.loads(client.get(address, params={"format": "json"}).text)
        assert [s["id"] for s in transcript["speakers"]] == ["S1", "S2"]
        assert {s["speaker"] for s in transcript["segments"]} == {"S1", "S2"}
        assert "S2: " in client.get(address, params={"format": "txt"}).text


def test_a_value_that_is_none(site: Site) -> None:
    """It is refused with the choices; blank, as forms send it, stands for nothing."""
    talk = _talk(site.folder)
    with site.client() as client:
        files = {"file": (talk.name, talk.read_bytes())}
        answer = client.post("/jobs", files=files, data={"channels": "left"})
        assert answer.status_code == 400
        assert answer.json()["reason"] == "no_channels"
        assert "speakers, mix" in answer.json()["detail"]
        answer = client.post("/jobs", files=files, data={"channels": " "})
        assert answer.json()["options"] == {}
