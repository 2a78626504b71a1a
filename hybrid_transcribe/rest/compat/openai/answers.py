"""Transcripts in the formats of ``response_format``."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from hybrid_transcribe.core.languages import english_name
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.compat import whisper
from hybrid_transcribe.rest.compat.openai.parameters import TranscriptionParameters
from hybrid_transcribe.types import Transcript

#: Writers of ours for the formats that are files.
_FILES = {"text": "txt", "srt": "srt", "vtt": "vtt"}

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


def answer(
    transcript: Transcript, transcription_parameters: TranscriptionParameters
) -> tuple[bytes, str]:
    """The body and its type."""
    if transcription_parameters.format in _FILES:
        writer = WRITERS.make(_FILES[transcription_parameters.format])
        return writer.write(transcript).encode(), _TEXT
    translated = transcription_parameters.run["task"] == "translate"
    if transcription_parameters.format == "verbose_json":
        return msgspec.json.encode(
            _verbose(transcript, transcription_parameters.granularities, translated)
        ), _JSON
    usage = {} if translated else _usage(transcript)
    return msgspec.json.encode({"text": transcript.text, **usage}), _JSON


def _verbose(
    transcript: Transcript, granularities: frozenset[str], translated: bool
) -> dict[str, Any]:
    by_name: dict[str, Any] = {
        "task": "translate" if translated else "transcribe",
        # Of a translation it is the language of the text that comes out.
        "language": "english" if translated else english_name(transcript.language),
        "duration": transcript.duration_s or 0.0,
        "text": transcript.text,
    }
    if "word" in granularities:
        words = itertools.chain.from_iterable(whisper.words_of(transcript))
        by_name["words"] = [{k: w[k] for k in ("word", "start", "end")} for w in words]
    if "segment" in granularities:
        by_name["segments"] = whisper.segments(transcript)
    return by_name if translated else {**by_name, **_usage(transcript)}


def _usage(transcript: Transcript) -> dict[str, Any]:
    if transcript.duration_s is None:
        return {}
    return {"usage": {"type": "duration", "seconds": transcript.duration_s}}
