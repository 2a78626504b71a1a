"""Segments and words as openai-whisper writes them, which many clients read."""

from __future__ import annotations

import math
import zlib
from typing import Any

from hybrid_transcribe.outputs.json import document
from hybrid_transcribe.types import Transcript

#: Frames of Whisper's spectrogram in a second, in which it counts ``seek``.
_FRAMES_PER_S = 100


def segments(transcript: Transcript) -> list[dict[str, Any]]:
    """Every segment with all of openai-whisper's fields but its words.

    Numbers that an engine does not tell are 0; tokens are never kept.
    """
    return [_segment(n, message) for n, message in enumerate(document(transcript)["segments"])]


def words_of(transcript: Transcript) -> list[list[dict[str, Any]]]:
    """For each segment its words, with their probabilities where they are known."""
    return [[_word(w) for w in message["words"]] for message in document(transcript)["segments"]]


def _segment(n: int, fields: dict[str, Any]) -> dict[str, Any]:
    # Whisper's tokens begin with the space before a word, and clients join them without one.
    text = f" {fields['text'].strip()}"
    ratio = fields["compression_ratio"]
    return {
        "id": n,
        "seek": math.floor(fields["start_s"] * _FRAMES_PER_S),
        "start": fields["start_s"],
        "end": fields["end_s"],
        "text": text,
        "tokens": [],
        "temperature": fields["temperature"] or 0.0,
        "avg_logprob": fields["avg_logprob"] or 0.0,
        "compression_ratio": compression_ratio(text) if ratio is None else ratio,
        "no_speech_prob": fields["no_speech_prob"] or 0.0,
    }


def _word(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "word": fields["text"],
        "start": fields["start_s"],
        "end": fields["end_s"],
        "probability": fields["probability"],
    }


def compression_ratio(text: str) -> float:
    """Bytes of the text over their number when compressed: high where it repeats itself."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw))
