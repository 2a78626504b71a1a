"""Who speaks, as OpenAI's own client asks for it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import openai
import pytest

from hybrid_transcribe.rest.compat.openai.diarized import diarized, speaker_letters
from hybrid_transcribe.rest.compat.openai.known_speakers import REFERENCE_BYTES
from hybrid_transcribe.types import Speaker
from tests.outputs.examples import TALK
from tests.rest.compat.conftest import Check, Client
from tests.rest.conftest import Site
from tests.services import wavs
from tests.speaking import TWO

#: Two people in turn.
MODEL = f"speaking/{TWO}"


def data_url(path: Path, kind: str = "audio/wav") -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def uploads(site: Site) -> set[str]:
    return {path.name for path in site.service.uploads_dir.iterdir()}


def test_diarized_json_says_who_speaks(
    client: Client, shared: Site, talk: Path, fits: Check
) -> None:
    """Capital letters in turn; speakers are told apart without a further word."""
    raw = client.audio.transcriptions.with_raw_response.create(
        file=talk, model=MODEL, response_format="diarized_json", chunking_strategy="auto"
    )
    fits("CreateTranscriptionResponseDiarizedJson", json.loads(raw.text))
    result: Any = raw.parse()

    assert isinstance(result, openai.types.audio.TranscriptionDiarized)
    assert (result.duration, result.text) == (3.0, "talk.wav 0 talk.wav 1 talk.wav 2")
    assert [(s.speaker, s.start, s.end, s.text) for s in result.segments] == [
        ("A", 0.0, 1.0, "talk.wav 0"),
        ("B", 1.0, 2.0, "talk.wav 1"),
        ("A", 2.0, 3.0, "talk.wav 2"),
    ]
    assert len({s.id for s in result.segments}) == 3
    assert shared.service.snapshot(raw.headers["X-Job-Id"]).spec.options.diarize


def test_openais_name_of_a_model_that_does_is_ours(client: Client, talk: Path) -> None:
    """It stands for the default, as the others do; without that format nobody is told apart."""
    raw = client.audio.transcriptions.with_raw_response.create(
        file=talk, model="gpt-4o-transcribe-diarize"
    )
    assert json.loads(raw.text)["text"].startswith("talk.wav 0")
    assert "gpt-4o-transcribe-diarize" in {model.id for model in client.models.list()}


def test_a_stream_says_who_speaks_at_its_end(client: Client, talk: Path, fits: Check) -> None:
    """The text as it comes, then its segments, then the whole."""
    stream: Any = client.audio.transcriptions.create(
        file=talk, model=MODEL, response_format="diarized_json", stream=True
    )
    events = list(stream)
    for event in events:
        fits("CreateTranscriptionResponseStreamEvent", event.model_dump(exclude_unset=True))

    kinds = [event.type.removeprefix("transcript.text.") for event in events]
    assert kinds == ["delta"] * 3 + ["segment"] * 3 + ["done"]
    assert [event.speaker for event in events[3:6]] == ["A", "B", "A"]


def test_known_speakers_are_recordings_of_voices(client: Client, shared: Site, talk: Path) -> None:
    """Of the job, with which they go; in any format that the client asks for."""
    ana, rui = wavs(talk.parent, "ana", "rui", seconds=2.0)
    before = uploads(shared)
    raw = client.audio.transcriptions.with_raw_response.create(
        file=talk,
        model=MODEL,
        response_format="diarized_json",
        known_speaker_names=["Ana", "agent"],
        known_speaker_references=[data_url(ana), data_url(rui, "audio/x-wav")],
    )
    job_id = raw.headers["X-Job-Id"]
    job = shared.service.snapshot(job_id)
    voices = job.spec.options.voices or ()

    assert [voice.name for voice in voices] == ["Ana", "agent"]
    contents = [(shared.service.uploads_dir / voice.path).read_bytes() for voice in voices]
    assert contents == [ana.read_bytes(), rui.read_bytes()]
    assert [r.name for r in job.recordings] == ["talk.wav"]
    shared.service.delete(job_id)
    assert uploads(shared) == before


@pytest.mark.parametrize(
    ("names", "references", "message"),
    [
        (["Ana"], [], "1 known_speaker_names and 0 known_speaker_references"),
        ([], ["GOOD"], "0 known_speaker_names and 1 known_speaker_references"),
        (["Ana", "Ana"], ["GOOD", "GOOD"], "'Ana': each needs a name of its own"),
        (list("abcde"), ["GOOD"] * 5, "5 known voices; at most 4"),
        (["Ana"], ["/etc/passwd"], "'/etc/passwd' is no data URL"),
        (["Ana"], ["http://127.0.0.1/a.wav"], "is no data URL"),
        (["Ana"], ["data:audio/wav;base64,*"], "no valid base64"),
        (["Ana"], ["data:audio/wav;base64,"], "The voice of 'Ana' cannot be taken"),
        (["Ana"], ["data:text/plain,hello"], "The voice of 'Ana' cannot be taken"),
        (["Ana"], ["LARGE"], "at most 2 MiB"),
    ],
)
def test_known_speakers_that_cannot_be(
    client: Client, shared: Site, talk: Path, names: list[str], references: list[str], message: str
) -> None:
    """Said with the field; nothing of it stays."""
    large = "data:audio/wav;base64," + base64.b64encode(bytes(REFERENCE_BYTES + 1)).decode()
    stand_for = {"GOOD": data_url(talk), "LARGE": large}
    before = uploads(shared)
    with pytest.raises(openai.BadRequestError, match=message):
        client.audio.transcriptions.create(
            file=talk,
            model=MODEL,
            known_speaker_names=names,
            known_speaker_references=[stand_for.get(url, url) for url in references],
        )
    assert uploads(shared) == before


def test_a_field_that_is_far_too_large_is_refused(client: Client, talk: Path) -> None:
    """Before it is read to its end."""
    url = "data:audio/wav;base64," + "A" * (2 * REFERENCE_BYTES)
    with pytest.raises(openai.APIStatusError) as caught:
        client.audio.transcriptions.create(
            file=talk, model=MODEL, known_speaker_names=["Ana"], known_speaker_references=[url]
        )
    assert caught.value.status_code == 413


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_translation_has_no_speakers(client: Client, talk: Path) -> None:
    """As in OpenAI's reference."""
    with pytest.raises(openai.BadRequestError, match="choose from: json"):
        client.audio.translations.create(
            file=talk,
            model="whisper-1",
            response_format="diarized_json",  # type: ignore[call-overload]
        )


def test_voices_of_ours_are_files_there_too(client: Client, shared: Site, talk: Path) -> None:
    """As for our own address."""
    with shared.client() as plain:
        answer = plain.post(
            "/v1/audio/transcriptions",
            data={"model": MODEL, "response_format": "diarized_json"},
            files=[
                ("file", ("talk.wav", talk.read_bytes())),
                ("voices[Ana]", ("a.wav", talk.read_bytes())),
            ],
        )
        assert answer.status_code == 200, answer.text
        options = shared.service.snapshot(answer.headers["x-job-id"]).spec.options
        assert [voice.name for voice in options.voices or ()] == ["Ana"]
        refused = plain.post(
            "/v1/audio/transcriptions",
            data={"model": MODEL, "voices": f"Ana={talk}"},
            files={"file": ("talk.wav", talk.read_bytes())},
        )
        assert refused.status_code == 400
        assert "names of files on the server" in refused.json()["error"]["message"]


def test_labels_are_names_or_letters(fits: Check) -> None:
    """A name is never given twice; what nobody says is said by somebody unknown."""
    assert speaker_letters((Speaker("x"), Speaker("y", "A"), Speaker("z"))) == {
        "x": "B",
        "y": "A",
        "z": "C",
    }
    many = speaker_letters(tuple(Speaker(str(n)) for n in range(28)))
    assert (many["25"], many["26"], many["27"]) == ("Z", "AA", "AB")
    segments = diarized(TALK, {"type": "duration", "seconds": 1}).segments
    assert [segment.speaker for segment in segments] == [
        *("Ana", "Ana", "Rui", "Ana", "A", "unknown", "A")
    ]
