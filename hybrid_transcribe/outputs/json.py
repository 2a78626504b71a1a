"""Everything a transcript knows, as JSON of one documented schema.

The schema is ``transcript.schema.json`` beside this file (JSON Schema 2020-12).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import encodable
from hybrid_transcribe.types import Segment, Speaker, Transcript, WithheldSegment, Word

#: Rises when a field changes its meaning or goes; new fields alone leave it.
SCHEMA_VERSION = 1


class Json(Writer):
    """The schema's fields in its order, in UTF-8 as it is, without NaN."""

    extension = "json"
    media_type = "application/json"

    def write(self, transcript: Transcript) -> str:
        """One JSON object, indented."""
        return (
            json.dumps(document(transcript), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
        )


def schema() -> dict[str, Any]:
    """The JSON Schema that every document satisfies."""
    text = Path(__file__).with_name("transcript.schema.json").read_text(encoding="utf-8")
    payload: dict[str, Any] = json.loads(text)
    return payload


def document(transcript: Transcript) -> dict[str, Any]:
    """The transcript as plain data of the schema."""
    return {
        "schema_version": SCHEMA_VERSION,
        "recording_id": _text(transcript.recording_id),
        "name": _text(transcript.name),
        "text": _text(transcript.text),
        "language": _text(transcript.language),
        "language_probability": _probability(transcript.language_probability),
        "duration_s": _positive(transcript.duration_s),
        "engine": _text(transcript.engine),
        "model": _text(transcript.model),
        "device": _text(transcript.device),
        "complete": transcript.complete,
        "warnings": [_text(w) for w in transcript.warnings],
        **_optional("revision", transcript.revision),
        **_optional("speakers", [_speaker(s) for s in transcript.speakers] or None),
        "segments": [_segment(i, s) for i, s in enumerate(transcript.segments)],
        "withheld": [_withheld(w) for w in transcript.withheld],
    }


def _optional(name: str, value: Any) -> dict[str, Any]:
    """A field that is there where its value is."""
    return {} if value is None else {name: value}


def _speaker(speaker: Speaker) -> dict[str, Any]:
    fields = {"id": speaker.id, "name": speaker.name, "color": speaker.color}
    return {name: _text(text) for name, text in fields.items()}


def _withheld(segment: WithheldSegment) -> dict[str, Any]:
    return {**_times(segment), "text": _text(segment.text), "reason": segment.reason}


def _segment(index: int, segment: Segment) -> dict[str, Any]:
    return {
        "index": index,
        **_optional("id", _text(segment.id) or None),
        **_times(segment),
        "text": _text(segment.text),
        "avg_logprob": _number(segment.avg_logprob),
        "no_speech_prob": _probability(segment.no_speech_prob),
        "compression_ratio": _number(segment.compression_ratio),
        "temperature": _number(segment.temperature),
        "speaker": _text(segment.speaker),
        "words": [_word(w) for w in segment.words],
        **_optional("language", _text(segment.language)),
    }


def _word(word: Word) -> dict[str, Any]:
    return {
        **_times(word),
        "text": _text(word.text),
        "probability": _probability(word.probability),
        "speaker": _text(word.speaker),
    }


def _times(stretch: Segment | WithheldSegment | Word) -> dict[str, float]:
    start_s = _positive(stretch.start_s) or 0.0
    return {"start_s": start_s, "end_s": max(_number(stretch.end_s) or 0.0, start_s)}


def _text(text: str | None) -> str | None:
    return None if text is None else encodable(text)


def _number(value: float | None) -> float | None:
    # Engines may hand out numpy's floats, which json does not know, or NaN, which JSON does not.
    return float(value) if value is not None and math.isfinite(value) else None


def _positive(value: float | None) -> float | None:
    number = _number(value)
    return None if number is None else max(number, 0.0)


def _probability(value: float | None) -> float | None:
    # Rounding in half precision passes 1 by a hair.
    number = _positive(value)
    return None if number is None else min(number, 1.0)
