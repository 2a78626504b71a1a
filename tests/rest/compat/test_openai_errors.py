"""Every error reaches OpenAI's client as the exception that people catch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from hybrid_transcribe.config import MIB
from hybrid_transcribe.events import Event, JobChanged
from hybrid_transcribe.testing import Script
from hybrid_transcribe.types import State
from tests.rest.compat.conftest import Check, Client, OpenClient, until_state
from tests.rest.conftest import OpenSite, Site


def _error(told: openai.APIStatusError, fits: Check) -> dict[str, Any]:
    body = json.loads(told.response.text)
    fits("ErrorResponse", body)
    mapping: dict[str, Any] = body["error"]
    return mapping


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"response_format": "docx"}, "response_format"),
        ({"temperature": 3.0}, "temperature"),
        ({"language": "klingon"}, "language"),
        ({"extra_body": {"colour": "red"}}, "colour"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        ({"include": ["logprobs"]}, "include"),
        ({"known_speaker_names": ["Ana"]}, "known_speaker_names"),
        ({"stream": True, "response_format": "srt"}, "response_format"),
        ({"file": ("talk.wav", b"no audio at all", "audio/wav")}, "file"),
        ({"file": ("talk.zip", b"PK\x03\x04 and more", "application/zip")}, "file"),
    ],
)
def test_what_cannot_be_is_a_bad_request(
    client: Client, talk: Path, fits: Check, wrong: dict[str, Any], param: str
) -> None:
    """``param`` names the field."""
    with pytest.raises(openai.BadRequestError) as message:
        client.audio.transcriptions.create(**{"file": talk, "model": "whisper-1", **wrong})

    assert _error(message.value, fits)["param"] == param
    assert message.value.type == "invalid_request_error"


def test_a_file_is_needed(client: Client, shared: Site) -> None:
    """A form without one, as a program with a slip sends it."""
    answer = httpx.post(
        f"{shared.server.url}/v1/audio/transcriptions",
        data={"model": "whisper-1"},
        headers={"Authorization": f"Bearer {client.api_key}"},
        trust_env=False,
    )

    assert answer.status_code == 400
    assert "'file'" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "model", ["faster-whisper/nope", "faster-whisper//etc/passwd", "/etc/passwd", "scripted/"]
)
def test_an_unknown_model_is_not_found(client: Client, talk: Path, fits: Check, model: str) -> None:
    """A folder of this machine neither."""
    with pytest.raises(openai.NotFoundError) as message:
        client.audio.transcriptions.create(file=talk, model=model)

    error = _error(message.value, fits)
    assert (error["code"], error["param"]) == ("model_not_found", "model")


def test_other_addresses_are_not_found(client: Client, fits: Check) -> None:
    """The client says what there is."""
    with pytest.raises(openai.NotFoundError, match="/v1/audio/transcriptions") as message:
        client.chat.completions.create(model="gpt-4o", messages=[])
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-5")

    _error(message.value, fits)


def test_a_wrong_key_is_an_authentication_error(
    shared: Site, client_of: OpenClient, talk: Path, fits: Check
) -> None:
    """The client's api_key is our token."""
    with pytest.raises(openai.AuthenticationError) as message:
        client_of(shared, api_key="wrong").audio.transcriptions.create(file=talk, model="whisper-1")

    assert _error(message.value, fits)["code"] == "invalid_api_key"
    assert message.value.response.headers["WWW-Authenticate"] == "Bearer"


def test_a_foreign_page_is_denied(open_site: OpenSite, client_of: OpenClient, fits: Check) -> None:
    """A server without a token refuses pages of others."""
    client = client_of(
        open_site(open_to_all=True), default_headers={"Origin": "https://evil.example"}
    )
    with pytest.raises(openai.PermissionDeniedError) as message:
        client.models.list()

    assert _error(message.value, fits)["code"] == "not_allowed"


def test_a_full_queue_is_a_rate_limit(
    open_site: OpenSite, client_of: OpenClient, talk: Path, tmp_path: Path, fits: Check
) -> None:
    """With the time after which to try again, no longer than the client is ready to wait."""
    site = open_site(max_queued=1)
    model = Script(gate=str(tmp_path / "gate")).model
    first = site.service.submit(talk, model=model)
    until_state(site.service, first.job_id, State.RUNNING)
    site.service.submit(talk, model=model)
    with pytest.raises(openai.RateLimitError) as message:
        client_of(site).audio.transcriptions.create(file=talk, model="whisper-1")

    assert _error(message.value, fits)["code"] == "rate_limit_exceeded"
    assert 0 < int(message.value.response.headers["Retry-After"]) <= 120


@pytest.mark.parametrize("size", [2, 40])
def test_too_large_is_told_in_one_request(
    open_site: OpenSite, client_of: OpenClient, fits: Check, size: int
) -> None:
    """The client can read the answer while it is still sending, and does not send it again."""
    site = open_site(max_upload_bytes=MIB, max_file_bytes=MIB)
    client = client_of(site, max_retries=2)
    with pytest.raises(openai.APIStatusError) as message:
        client.audio.transcriptions.create(file=("talk.wav", bytes(size * MIB)), model="whisper-1")

    assert message.value.status_code == 413
    assert _error(message.value, fits)["code"] == "too_large"
    assert len(client.requests) == 1
    assert not list(site.service.uploads_dir.iterdir())


def test_what_the_engine_cannot_do_is_a_server_error_once(
    shared: Site, client_of: OpenClient, talk: Path, fits: Check
) -> None:
    """It was tried as often as makes sense: the client does not send it again."""
    client = client_of(shared, max_retries=2)
    with pytest.raises(openai.InternalServerError, match="as the script says") as message:
        client.audio.transcriptions.create(file=talk, model=Script(fault="raise").model)

    assert _error(message.value, fits)["code"] == "engine_failed"
    assert message.value.response.headers["X-Job-Id"]
    assert len(client.requests) == 1


def test_a_canceled_job_is_a_conflict(
    shared: Site, client_of: OpenClient, talk: Path, tmp_path: Path
) -> None:
    """Whoever canceled it does not want it begun again."""
    client = client_of(shared, max_retries=2)

    def cancel(event: Event) -> None:
        if isinstance(event, JobChanged) and event.job is not None and not event.job.done:
            shared.service.cancel(event.job_id)

    with shared.service.subscribe(cancel), pytest.raises(openai.ConflictError):
        client.audio.transcriptions.create(
            file=talk, model=Script(gate=str(tmp_path / "gate")).model
        )

    assert len(client.requests) == 1
