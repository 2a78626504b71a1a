"""``/v1/audio/…`` as OpenAI's own client uses it."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from hybrid_transcribe.testing import Script
from tests.rest.compat.conftest import Check, Client
from tests.rest.conftest import Site

_TEXT = "talk.wav 0 talk.wav 1 talk.wav 2"


def test_json_is_the_text(client: Client, talk: Path, fits: Check) -> None:
    """The plainest call, with OpenAI's name for a model."""
    raw = client.audio.transcriptions.with_raw_response.create(file=talk, model="whisper-1")

    fits("CreateTranscriptionResponseJson", json.loads(raw.text))
    assert raw.parse().text == _TEXT
    assert raw.headers["X-Job-Id"]


@pytest.mark.parametrize(
    ("format_", "begins"),
    [
        ("text", f"{_TEXT}\n"),
        ("srt", "1\n00:00:00,000 --> 00:00:01,000\ntalk.wav 0\n\n2\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\ntalk.wav 0\n\n"),
    ],
)
def test_files_come_as_they_are(client: Client, talk: Path, format_: Any, begins: str) -> None:
    """The client gives them to the caller as text."""
    result: Any = client.audio.transcriptions.create(
        file=talk, model="whisper-1", response_format=format_
    )

    assert str(result).startswith(begins)


def test_verbose_json_has_words_and_segments(client: Client, talk: Path, fits: Check) -> None:
    """Every field that the schema asks for, and the language by its name."""
    raw = client.audio.transcriptions.with_raw_response.create(
        file=talk,
        model="gpt-4o-transcribe",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        temperature=0.2,
        prompt="Names",
    )
    result = raw.parse()

    fits("CreateTranscriptionResponseVerboseJson", json.loads(raw.text))
    assert (result.language, result.duration, result.text) == ("english", 3.0, _TEXT)
    assert result.segments is not None
    assert [(s.id, s.start, s.end) for s in result.segments] == [(0, 0, 1), (1, 1, 2), (2, 2, 3)]
    assert result.segments[0].text == " talk.wav 0"
    assert result.words is not None
    assert next((w.word, w.start, w.end) for w in result.words) == ("talk.wav 0", 0.0, 1.0)


def test_only_the_times_asked_for(client: Client, talk: Path) -> None:
    """Segments where nothing is said, and words alone where they are asked for."""
    plain = client.audio.transcriptions.create(
        file=talk, model="whisper-1", response_format="verbose_json"
    )
    words = client.audio.transcriptions.create(
        file=talk,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )

    assert (bool(plain.segments), plain.words) == (True, None)
    assert (bool(words.words), words.segments) == (True, None)


def test_what_openai_alone_knows_does_no_harm(client: Client, talk: Path) -> None:
    """How OpenAI is to cut the audio is nothing to us; the language is."""
    result = client.audio.transcriptions.create(
        file=("talk.wav", talk.read_bytes(), "audio/wav"),
        model="gpt-4o-mini-transcribe",
        chunking_strategy={"type": "server_vad", "threshold": 0.5},
        include=[],
        language="pt",
        keywords=["Ana", "Rui"],
        extra_body={"session_id": "mine", "vad_filter": "true"},
    )
    session = httpx.get(
        f"{client.base_url.copy_with(path='/queues')}",
        params={"session_ids": "mine"},
        headers={"Authorization": f"Bearer {client.api_key}"},
        trust_env=False,
    ).json()

    assert result.text == _TEXT
    options = session["jobs"][0]["options"]
    assert (options["language"], options["vad_filter"]) == ("pt", True)
    assert options["hotwords"] == "Ana, Rui"


def test_a_stream_tells_the_text_as_it_comes(
    client: Client, shared: Site, talk: Path, fits: Check
) -> None:
    """A piece is there while the engine is still at work; all pieces together are the text."""
    model = Script(delay_s=0.3).model
    stream = client.audio.transcriptions.create(file=talk, model=model, stream=True)
    running, events = [], []
    for event in stream:
        running += [not shared.service.snapshots()[-1].done]
        fits("CreateTranscriptionResponseStreamEvent", event.model_dump(exclude_unset=True))
        events.append(event)

    assert running[0]
    assert [e.type for e in events] == ["transcript.text.delta"] * 3 + ["transcript.text.done"]
    pieces = [e.delta for e in events if e.type == "transcript.text.delta"]
    assert "".join(pieces) == _TEXT
    assert events[-1].model_dump()["text"] == _TEXT


def test_a_stream_tells_what_went_wrong(client: Client, talk: Path) -> None:
    """The status was sent before; the client raises all the same."""
    script = Script(fault="raise", at_s=1.0)
    stream = client.audio.transcriptions.create(file=talk, model=script.model, stream=True)

    with pytest.raises(openai.APIError, match="as the script says"):
        list(stream)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_translations_need_an_engine_that_translates(client: Client, talk: Path) -> None:
    """Another says so."""
    with pytest.raises(openai.BadRequestError, match="cannot translate"):
        client.audio.translations.create(file=talk, model="whisper-1")


def test_models_are_those_of_here(client: Client, fits: Check) -> None:
    """Aliases, bare names and engine/model; each can be asked for by itself."""
    listed = client.models.with_raw_response.list()
    fits("ListModelsResponse", json.loads(listed.text))
    names = {model.id for model in listed.parse()}

    assert {"whisper-1", "steady", "scripted/steady", "faster-whisper/tiny.en"} <= names
    item = client.models.with_raw_response.retrieve("faster-whisper/tiny.en")
    fits("Model", json.loads(item.text))
    assert item.parse().owned_by == "faster-whisper"


def test_a_model_can_be_named_with_its_engine(client: Client, talk: Path, shared: Site) -> None:
    """``engine/model`` chooses both."""
    raw = client.audio.transcriptions.with_raw_response.create(
        file=talk, model="scripted/steady", extra_headers={"X-Session-Id": "mine"}
    )
    spec = shared.service.snapshot(raw.headers["X-Job-Id"]).spec

    assert (raw.status_code, spec.engine, spec.model) == (HTTPStatus.OK, "scripted", "steady")
