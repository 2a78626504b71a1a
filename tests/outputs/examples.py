"""Transcripts the tests of the writers share: by hand, and any whatever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from hybrid_transcribe.types import Segment, Speaker, Transcript, Word


def transcript(*texts: str, name: str = "talk.m4a", **fields: Any) -> Transcript:
    """A transcript with a segment of two seconds for each text."""
    segments = tuple(Segment(2.0 * i, 2.0 * i + 2, text) for i, text in enumerate(texts))
    return Transcript("id", name, segments, "faster-whisper", "tiny.en", **fields)


def conversation(*turns: tuple[str | None, str], speakers: tuple[Speaker, ...] = ()) -> Transcript:
    """The same, with who speaks before each text."""
    heard = transcript(*(text for _, text in turns))
    segments = tuple(
        replace(segment, speaker=speaker)
        for segment, (speaker, _) in zip(heard.segments, turns, strict=True)
    )
    return replace(heard, segments=segments, speakers=speakers)


#: Two with names, one without.
ANA_RUI = (Speaker("S1", "Ana"), Speaker("S2", "Rui"), Speaker("S3"))

#: Ana, Rui and Ana again, then somebody without a name and nobody at all.
TALK = conversation(
    *(("S1", "Bom dia."), ("S1", "Tudo bem?"), ("S2", "Tudo."), ("S1", "Sim?")),
    *(("S3", "Olá."), (None, "(porta)"), ("S3", "Até.")),
    speakers=ANA_RUI,
)

_numbers = st.floats(allow_nan=True, allow_infinity=True)
_maybe = st.none() | _numbers

# Characters that mean something to some format or some reader, and any others, lone
# surrogates among them.
_texts = st.text() | st.text(st.sampled_from("a b\r\n\t\x00\x85\u2028<>&-=+@\"'{\\}#1:.ç語\ud800"))

_words = st.builds(Word, _numbers, _numbers, _texts, _maybe, st.none() | _texts)

_segments = st.builds(
    Segment,
    _numbers,
    _numbers,
    _texts,
    st.lists(_words, max_size=2).map(tuple),
    _maybe,
    _maybe,
    _maybe,
    _maybe,
    st.none() | _texts,
    id=_texts,
)

_speakers = st.builds(Speaker, _texts, _texts, st.sampled_from(["", "#c0ffee"]))

#: Any transcript that a hostile or broken engine could hand over.
transcripts = st.builds(
    Transcript,
    recording_id=_texts,
    name=_texts,
    segments=st.lists(_segments, max_size=3).map(tuple),
    engine=_texts,
    model=_texts,
    device=st.none() | _texts,
    language=st.none() | _texts,
    language_probability=_maybe,
    duration_s=_maybe,
    complete=st.booleans(),
    warnings=st.lists(_texts, max_size=2).map(tuple),
    speakers=st.lists(_speakers, max_size=2).map(tuple),
    revision=st.none() | st.integers(0, 1000),
)
