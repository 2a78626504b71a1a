"""Segments and words as openai-whisper writes them, which many clients read."""

from __future__ import annotations

import itertools
import math
import zlib
from typing import Any

import msgspec

from hybrid_transcribe.outputs.json import document
from hybrid_transcribe.types import Transcript

#: Frames of Whisper's spectrogram in a second, in which it counts ``seek``.
_FRAMES_PER_S = 100


class WhisperWord(msgspec.Struct, frozen=True, kw_only=True):
    """One word; its probability where one is known and asked for, and so who says it."""

    word: str
    start: float
    end: float
    probability: float | msgspec.UnsetType | None = msgspec.UNSET
    speaker: str | msgspec.UnsetType = msgspec.UNSET


class WhisperSegment(msgspec.Struct, frozen=True, kw_only=True):
    """One segment. Numbers that an engine does not tell are 0; tokens are never kept."""

    id: int
    seek: int
    start: float
    end: float
    text: str
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    tokens: tuple[int, ...] = ()
    words: tuple[WhisperWord, ...] | msgspec.UnsetType = msgspec.UNSET
    speaker: str | msgspec.UnsetType = msgspec.UNSET


def segments(transcript: Transcript) -> tuple[WhisperSegment, ...]:
    """Every segment without its words."""
    return tuple(map(_segment, itertools.count(), document(transcript)["segments"]))


def words_of(transcript: Transcript) -> list[tuple[WhisperWord, ...]]:
    """For each segment its words."""
    return [tuple(map(_word, said["words"])) for said in document(transcript)["segments"]]


def _segment(n: int, fields: dict[str, Any]) -> WhisperSegment:
    # Whisper's tokens begin with the space before a word, and clients join them without one.
    text = f" {fields['text'].strip()}"
    ratio = fields["compression_ratio"]
    return WhisperSegment(
        id=n,
        seek=math.floor(fields["start_s"] * _FRAMES_PER_S),
        start=fields["start_s"],
        end=fields["end_s"],
        text=text,
        temperature=fields["temperature"] or 0.0,
        avg_logprob=fields["avg_logprob"] or 0.0,
        compression_ratio=compression_ratio(text) if ratio is None else ratio,
        no_speech_prob=fields["no_speech_prob"] or 0.0,
    )


def _word(fields: dict[str, Any]) -> WhisperWord:
    return WhisperWord(
        word=fields["text"],
        start=fields["start_s"],
        end=fields["end_s"],
        probability=fields["probability"],
    )


def compression_ratio(text: str) -> float:
    """Bytes of the text over their number when compressed: high where it repeats itself."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw))
