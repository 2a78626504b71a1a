"""``diarized_json``: segments with who speaks, as OpenAI writes them."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from hybrid_transcribe.outputs.json import document
from hybrid_transcribe.types import Speaker, Transcript

#: Who speaks where nobody could say: the API asks for a label.
UNKNOWN = "unknown"


class DiarizedSegment(msgspec.Struct, frozen=True, kw_only=True):
    """One segment and who speaks; also an event of a stream."""

    type: Literal["transcript.text.segment"] = "transcript.text.segment"
    id: str
    start: float
    end: float
    text: str
    speaker: str


class DiarizedTranscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transcript with who speaks."""

    task: Literal["transcribe"]
    duration: float
    text: str
    segments: tuple[DiarizedSegment, ...]
    usage: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


def diarized(
    transcript: Transcript, usage: dict[str, Any] | msgspec.UnsetType
) -> DiarizedTranscription:
    """The whole answer."""
    return DiarizedTranscription(
        task="transcribe",
        duration=transcript.duration_s or 0.0,
        text=transcript.text,
        segments=diarized_segments(transcript),
        usage=usage,
    )


def diarized_segments(transcript: Transcript) -> tuple[DiarizedSegment, ...]:
    """Every segment that has text."""
    labels = speaker_letters(transcript.speakers)
    return tuple(
        DiarizedSegment(
            id=fields.get("id") or f"seg_{fields['index']:03}",
            start=fields["start_s"],
            end=fields["end_s"],
            text=fields["text"].strip(),
            speaker=labels.get(fields["speaker"] or "", UNKNOWN),
        )
        for fields in document(transcript)["segments"]
        if fields["text"].strip()
    )


def speaker_letters(speakers: tuple[Speaker, ...]) -> dict[str, str]:
    """A label for each id: the name, or capital letters in turn for those who have none.

    >>> speaker_letters((Speaker("S1"), Speaker("S2", "Ana"), Speaker("S3")))
    {'S1': 'A', 'S2': 'Ana', 'S3': 'B'}
    """
    names = {speaker.name for speaker in speakers}
    letters = (letter for letter in _letters() if letter not in names)
    return {speaker.id: speaker.name or next(letters) for speaker in speakers}


def _letters() -> Iterator[str]:
    """A to Z, then AA, AB and on."""
    for n in itertools.count(1):
        for letters in itertools.product(string.ascii_uppercase, repeat=n):
            yield "".join(letters)
