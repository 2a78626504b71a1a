"""JSON against its documented schema."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator, ValidationError

from hybrid_transcribe.outputs.json import Json, document, schema
from hybrid_transcribe.types import Segment, Speaker, Transcript, Word
from hybrid_transcribe.wire import parse
from tests.outputs.examples import TALK, transcript, transcripts


def _read(text: str) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    payload: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return payload


FULL = Transcript(
    recording_id="r1",
    name="reunião.wav",
    segments=(
        Segment(
            *(0.0, 1.5, " Olá.", (Word(0.0, 1.5, " Olá.", 0.9, "A"),)),
            *(-0.2, 0.01, 1.1, 0.0, "A", "pt", "1.0"),
        ),
        Segment(1.5, 2.0, " Até."),
    ),
    engine="faster-whisper",
    model="base",
    device="cpu",
    language="pt",
    language_probability=0.98,
    duration_s=2.5,
    complete=False,
    warnings=("diarize is not supported",),
    speakers=(Speaker("A", "Ana", "#c0ffee"),),
    revision=3,
)


def test_the_schema_is_a_schema() -> None:
    """The shipped file is valid JSON Schema 2020-12 and describes every field it can."""
    Draft202012Validator.check_schema(schema())


@given(heard=transcripts)
def test_every_transcript_satisfies_the_schema(heard: Transcript) -> None:
    """Whatever an engine hands over, NaN and lone surrogates included."""
    Draft202012Validator(schema()).validate(_read(Json().write(heard)))


def test_the_schema_refuses_what_it_does_not_know() -> None:
    """A field added by accident fails a test instead of reaching people."""
    with pytest.raises(ValidationError, match="surprise"):
        Draft202012Validator(schema()).validate({**document(FULL), "surprise": 1})


def test_keys_come_in_the_order_of_the_schema() -> None:
    """Files compare line by line."""
    written, described = _read(Json().write(FULL)), schema()
    segment = written["segments"][0]

    assert list(written) == list(described["properties"])
    assert set(written) - set(described["required"]) == {"revision", "speakers"}
    assert list(segment) == list(described["$defs"]["segment"]["properties"])
    assert list(segment["words"][0]) == list(described["$defs"]["word"]["properties"])


def test_nothing_a_transcript_knows_is_lost() -> None:
    """Every field of a full transcript reads back as it was."""
    written = _read(Json().write(FULL))
    first = written["segments"][0]

    assert written["name"] == "reunião.wav"
    assert (written["language"], written["language_probability"]) == ("pt", 0.98)
    assert (written["complete"], written["warnings"]) == (False, ["diarize is not supported"])
    assert (first["index"], first["start_s"], first["end_s"]) == (0, 0.0, 1.5)
    assert (first["avg_logprob"], first["no_speech_prob"], first["speaker"]) == (-0.2, 0.01, "A")
    assert (first["id"], first["language"]) == ("1.0", "pt")
    assert (written["speakers"], written["revision"]) == (
        [{"id": "A", "name": "Ana", "color": "#c0ffee"}],
        3,
    )
    assert "language" not in written["segments"][1]
    assert first["words"] == [
        {"start_s": 0.0, "end_s": 1.5, "text": " Olá.", "probability": 0.9, "speaker": "A"}
    ]


def test_letters_are_written_as_they_are() -> None:
    """People can read and search the file in their own language."""
    assert "reunião.wav" in Json().write(FULL)


def test_numbers_of_numpy_are_numbers() -> None:
    """Engines may hand over float32."""
    event = Transcript("id", "x", (Segment(np.float32(0.5), np.float32(1), "a"),), "e", "m")

    assert _read(Json().write(event))["segments"][0]["start_s"] == 0.5


def test_what_is_no_number_is_null() -> None:
    """NaN and infinity, which JSON does not have, read as unknown."""
    event = transcript("a", language_probability=math.nan, duration_s=math.inf)

    written = _read(Json().write(event))

    assert (written["language_probability"], written["duration_s"]) == (None, None)


def test_what_is_not_there_is_left_out() -> None:
    """A text without speakers is the document that it always was."""
    written = document(transcript("a"))

    assert "speakers" not in written
    assert "revision" not in written
    assert list(written["segments"][0])[:2] == ["index", "start_s"]


def test_it_reads_back_as_it_was() -> None:
    """As a remote service reads it."""
    assert parse.transcript(Json().write(FULL).encode()) == FULL
    assert parse.transcript(Json().write(TALK).encode()) == TALK
