"""``/asr`` and ``/detect-language`` as clients of whisper-asr-webservice call them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from hybrid_transcribe.rest.compat import asr
from hybrid_transcribe.rest.compat.waiting import GRACE_S
from hybrid_transcribe.testing import ManualClock, Script
from hybrid_transcribe.types import Word
from tests.outputs.examples import TALK
from tests.rest.compat.conftest import turn, until_alone, until_gone
from tests.rest.conftest import OpenSite, Site
from tests.speaking import ENGINES, TWO


def _curl(site: Site, address: str, talk: Path, *more: str) -> tuple[str, dict[str, str]]:
    """Body and headers (names in lower case) of what curl gets for a file."""
    ran = subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--noproxy", "*", "--dump-header", "-"),
            *("--header", f"Authorization: Bearer {site.server.token}"),
            *("--form", f"audio_file=@{talk}", *more, f"{site.server.url}{address}"),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    head, _, body = ran.stdout.partition("\n\n")
    lines = [line.partition(": ") for line in head.splitlines()[1:]]
    return body, {name.lower(): value for name, _, value in lines}


@pytest.mark.parametrize(
    ("output", "begins"),
    [
        ("txt", "talk.wav 0 talk.wav 1"),
        ("srt", "1\n00:00:00,000 --> 00:00:01,000\ntalk.wav 0\n"),
        ("vtt", "WEBVTT\n"),
        ("tsv", "start\tend\ttext\n0\t1000\ttalk.wav 0\n"),
    ],
)
def test_asr_gives_a_file(shared: Site, talk: Path, output: str, begins: str) -> None:
    """In the format asked for, under the recording's name."""
    body, headers = _curl(shared, f"/asr?output={output}&encode=true&task=transcribe", talk)

    assert body.startswith(begins)
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert f'filename="talk.{output}"' in headers["content-disposition"]
    assert headers["asr-engine"] == "scripted"


def test_asr_gives_whispers_json(shared: Site, talk: Path) -> None:
    """openai-whisper's own result, with words where they are asked for."""
    body, _ = _curl(shared, "/asr?output=json&word_timestamps=true&language=en", talk)
    payload = json.loads(body)

    assert payload["language"] == "en"
    assert payload["text"] == " talk.wav 0 talk.wav 1 talk.wav 2"
    assert payload["segments"][1]["text"] == " talk.wav 1"
    assert payload["segments"][1]["words"] == [
        {"word": "talk.wav 1", "start": 1.0, "end": 2.0, "probability": 1.0}
    ]
    assert {"id", "seek", "tokens", "temperature", "avg_logprob"} <= set(payload["segments"][0])


def test_the_answer_is_text_where_nothing_is_said(shared: Site, talk: Path) -> None:
    """As in the published project."""
    body, _ = _curl(shared, "/asr", talk)

    assert body == "talk.wav 0 talk.wav 1 talk.wav 2\n"


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        ("/asr?output=docx", "'docx'; choose from: txt, vtt, srt, tsv, json"),
        ("/asr?word_timestamps=perhaps", "word_timestamps"),
        ("/asr?language=klingon", "klingon"),
        ("/asr?encode=perhaps", "encode"),
    ],
)
def test_what_cannot_be_is_told(shared: Site, talk: Path, address: str, detail: str) -> None:
    """In ``detail``, where those clients look for it; nothing of the upload stays."""
    before = set(shared.service.uploads_dir.iterdir())
    body, _ = _curl(shared, address, talk)
    payload = json.loads(body)

    assert payload["status"] == 400
    assert detail in payload["detail"]
    assert set(shared.service.uploads_dir.iterdir()) <= before


def test_a_language_is_told_as_soon_as_it_is_known(
    open_site: OpenSite, talk: Path, gate: Path
) -> None:
    """The engine never comes to its first segment; the job is erased."""
    model = Script(language="pt", gate=str(gate)).model
    site = open_site(model=model, clock=ManualClock())
    body, headers = _curl(site, "/detect-language?encode=false", talk)

    assert json.loads(body) == {
        "detected_language": "portuguese",
        "language_code": "pt",
        "confidence": 0.9,
    }
    until_alone(site)
    turn(site, GRACE_S)
    until_gone(site.service, headers["x-job-id"])


def test_a_bad_file_has_no_language(shared: Site, tmp_path: Path) -> None:
    """The reason comes as an error."""
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF and then nothing that one could hear")
    body, _ = _curl(shared, "/detect-language", bad)

    assert json.loads(body)["status"] in (415, 422)


def test_asr_says_who_speaks(open_site: OpenSite, talk: Path) -> None:
    """As WhisperX does in the published project: in segments, in words and in files."""
    query = "/asr?output={}&diarize=true&min_speakers=1&max_speakers=2&word_timestamps=true"
    # Clients cannot name an engine or a model there.
    shared = open_site(engines=ENGINES, engine="speaking", model=TWO)
    with shared.client() as client:

        def ask(address: str) -> httpx.Response:
            files = {"audio_file": ("talk.wav", talk.read_bytes())}
            return client.post(address, files=files)

        answer = ask(query.format("json"))
        options = shared.service.snapshot(answer.headers["x-job-id"]).spec.options
        assert (options.diarize, options.min_speakers, options.max_speakers) == (True, 1, 2)
        said = answer.json()["segments"]
        assert [segment["speaker"] for segment in said] == ["S1", "S2", "S1"]
        assert said[1]["words"][0]["speaker"] == "S2"
        assert ask(query.format("srt")).text.splitlines()[2] == "S1: talk.wav 0"

        # Some clients send the numbers always.
        answer = ask("/asr?diarize=false&min_speakers=2&max_speakers=5")
        options = shared.service.snapshot(answer.headers["x-job-id"]).spec.options
        assert (options.diarize, options.min_speakers) == (False, None)
        assert ask("/asr?diarize=true&min_speakers=3&max_speakers=2").status_code == 400


def test_json_and_files_name_speakers() -> None:
    """By their names, words too; a segment that nobody in particular says has none."""
    word = Word(0.0, 1.0, "Bom", 0.9, "S1")
    first = replace(TALK.segments[0], words=(word,))
    payload = json.loads(asr._file(replace(TALK, segments=(first, *TALK.segments[1:])), "json")[0])

    said = [segment.get("speaker") for segment in payload["segments"]]
    assert said == ["Ana", "Ana", "Rui", "Ana", "S3", None, "S3"]
    assert payload["segments"][0]["words"] == [
        {"word": "Bom", "start": 0.0, "end": 1.0, "probability": 0.9, "speaker": "Ana"}
    ]
    assert asr._file(TALK, "srt")[0].startswith(b"1\n00:00:00,000 --> 00:00:02,000\nAna: ")
