"""What Bazarr, Speakr and others send, as they send it."""

from __future__ import annotations

import json
import struct
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.rest.compat import asr
from hybrid_transcribe.rest.compat.openai.base_handler import Unusable
from hybrid_transcribe.rest.compat.openai.parameters import transcription_parameters
from hybrid_transcribe.testing import tone
from hybrid_transcribe.types import Clip, Segment, Transcript, Word
from tests.rest.conftest import Site

#: Two seconds of bare samples: signed 16 bits, little endian, 16 kHz.
SAMPLES = (tone(2.0).samples * 32767).astype("<i2").tobytes()


def bazarrs(site: Site, path: str, body: bytes) -> Any:
    """Bazarr's form: no type, and a name without an extension."""
    with site.client() as client:
        return client.post(path, files={"audio_file": ("audio_file", body, "")})


@pytest.mark.parametrize("n_odd", [0, 1])
def test_bazarrs_bare_samples_are_a_recording(site: Site, n_odd: int) -> None:
    """Also where the last sample is cut in half."""
    answer = bazarrs(site, "/asr?task=transcribe&output=srt&encode=false", SAMPLES + b"\0" * n_odd)
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith("1\n00:00:00,000 --> 00:00:01,000\naudio_file 0\n")

    result = bazarrs(site, "/detect-language?encode=false", SAMPLES)
    assert result.status_code == 200, result.text


def test_a_file_that_says_what_it_is_keeps_its_header(site: Site) -> None:
    """Some clients send WAV with encode=false; without the word, bare samples are refused."""
    wav = asr._wav_header(len(SAMPLES)) + SAMPLES

    assert bazarrs(site, "/asr?encode=false", wav).status_code == 200
    assert bazarrs(site, "/asr", wav).status_code == 200
    assert bazarrs(site, "/asr?encode=perhaps", wav).status_code == 400


def test_the_header_says_what_the_samples_are() -> None:
    """As RIFF has it, of whole samples."""
    header = asr._wav_header(len(SAMPLES) + 1)

    assert struct.unpack("<4sL4s4sLHHLLHH4sL", header) == (
        *(b"RIFF", len(SAMPLES) + 36, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16),
        *(b"data", len(SAMPLES)),
    )


def test_speakers_are_in_whispers_json() -> None:
    """Where they are known; of others there is no such field."""
    words = (Word(0.0, 1.0, "hi"),)
    segments = (Segment(0, 1, "hi", speaker="A", words=words), Segment(1, 2, "you"))
    result = msgspec.to_builtins(
        asr._result(Transcript("r", "a.wav", segments, "assemblyai", "m", language="en"))
    )

    assert result["segments"][0]["speaker"] == "A"
    assert "speaker" not in result["segments"][1]
    assert json.dumps(result)


NAMES = ("timestamp_granularities[]", "timestamp_granularities", "timestamp_granularities[0]")
VALUES = (("word", "segment"), ("word,segment",), ('["word", "segment"]',), ("Words", "Segments"))


@pytest.mark.parametrize(("name", "values"), list(product(NAMES, VALUES)))
def test_granularities_in_all_spellings(name: str, values: tuple[str, ...]) -> None:
    """Of OpenAI's clients, axios, PHP, and of people."""
    form = {"model": ("whisper-1",), "response_format": ("verbose_json",), name: values}

    assert transcription_parameters(form, "transcribe", Settings()).granularities == {
        "word",
        "segment",
    }


def test_an_unknown_granularity_is_refused() -> None:
    """With the choices."""
    form = {
        "model": ("whisper-1",),
        "response_format": ("verbose_json",),
        "timestamp_granularities[1]": ("sentence",),
    }
    with pytest.raises(Unusable, match="'sentence'; choose from: segment, word"):
        transcription_parameters(form, "transcribe", Settings())


@pytest.mark.model
def test_the_language_is_that_of_speech(sample: Path, tmp_path: Path) -> None:
    """Not of the noise before it, whatever comes first."""
    import numpy as np

    from hybrid_transcribe import Service
    from hybrid_transcribe.audio.decode import decode
    from hybrid_transcribe.testing import write_wav

    speech = np.concatenate([c.samples for c in decode(sample, name="s", settings=Settings())])
    noise = np.random.default_rng(7).normal(0, 0.005, 35 * 16_000).astype(np.float32)
    path = write_wav(tmp_path / "late.wav", Clip(np.concatenate([noise, speech]), 0.0, "late"))
    with Service(journal=None, model="base") as service, service.serve() as server:
        with Site(service, server, tmp_path).client(
            **{"Authorization": f"token {server.token}", "Content-Type": "audio/wav"}
        ) as client:
            answer = client.post("/detect-language", content=path.read_bytes(), timeout=300)
    assert answer.json()["language_code"] == "en"
