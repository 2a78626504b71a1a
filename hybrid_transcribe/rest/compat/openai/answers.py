"""Transcripts in the formats of ``response_format``."""

from __future__ import annotations

import itertools
from typing import Any, Literal

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


class Transcription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transcript as OpenAI writes it; all but the text in `verbose_json` only.

    Attributes:
        language: its English name; of a translation that of the text that comes out.
    """

    text: str
    task: Literal["transcribe", "translate"] | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType | None = msgspec.UNSET
    duration: float | msgspec.UnsetType = msgspec.UNSET
    words: tuple[whisper.WhisperWord, ...] | msgspec.UnsetType = msgspec.UNSET
    segments: tuple[whisper.WhisperSegment, ...] | msgspec.UnsetType = msgspec.UNSET
    usage: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


def written(transcript: Transcript, required: TranscriptionParameters) -> tuple[bytes, str]:
    """The body and its type."""
    if required.format in _FILES:
        return WRITERS.make(_FILES[required.format]).write(transcript).encode(), _TEXT
    translated = required.run["task"] == "translate"
    said = Transcription(text=transcript.text, usage=_usage(transcript, translated))
    if required.format == "verbose_json":
        said = _verbose(said, transcript, required.granularities, translated)
    return msgspec.json.encode(said), _JSON


def _verbose(
    said: Transcription, transcript: Transcript, granularities: frozenset[str], translated: bool
) -> Transcription:
    words = itertools.chain.from_iterable(whisper.words_of(transcript))
    return msgspec.structs.replace(
        said,
        task="translate" if translated else "transcribe",
        language="english" if translated else english_name(transcript.language),
        duration=transcript.duration_s or 0.0,
        words=tuple(msgspec.structs.replace(w, probability=msgspec.UNSET) for w in words)
        if "word" in granularities
        else msgspec.UNSET,
        segments=whisper.segments(transcript) if "segment" in granularities else msgspec.UNSET,
    )


def _usage(transcript: Transcript, translated: bool) -> dict[str, Any] | msgspec.UnsetType:
    if transcript.duration_s is None or translated:
        return msgspec.UNSET
    return {"type": "duration", "seconds": transcript.duration_s}
