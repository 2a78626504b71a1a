"""Documents and operations that the tests of revisions share: by hand, and any whatever."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from hybrid_transcribe.revision_types import (
    DeleteSegments,
    Document,
    EditOperation,
    InsertSegment,
    MergeSegments,
    MergeSpeakers,
    RenameSpeaker,
    ReplaceAll,
    ReplaceText,
    SetSpeaker,
    SetSpeakerOfWords,
    SetTimes,
    SplitSegment,
)
from hybrid_transcribe.revisions.characters import chunks
from hybrid_transcribe.revisions.documents import engine_document
from hybrid_transcribe.types import Segment, Speaker, Word


def spoken(text: str, start_s: float = 0.0, word_s: float = 1.0, **fields: object) -> Segment:
    """A segment whose words take a second each, and have probabilities 0.90, 0.91…"""
    words = tuple(
        Word(start_s + word_s * i, start_s + word_s * (i + 1), word, 0.9 + i / 100)
        for i, word in enumerate(text.split())
    )
    end_s = start_s + word_s * max(1, len(words))
    return Segment(start_s, end_s, text, words, **fields)  # type: ignore[arg-type]


def document(*texts: str, speakers: Sequence[Speaker] = ()) -> Document:
    """A document of run 1 with a segment every ten seconds, and its words a second each."""
    segments = [spoken(text, 10.0 * i) for i, text in enumerate(texts)]
    return engine_document(1, segments, speakers)


def texts(result: Document) -> list[str]:
    """What its segments say, in order."""
    return [segment.text for segment in result.segments]


def ids(result: Document) -> list[str]:
    """Their ids, in order."""
    return [segment.id for segment in result.segments]


def said(result: Document) -> str:
    """All its text without space."""
    return "".join("".join(segment.text.split()) for segment in result.segments)


def of(result: Document, segment_id: str) -> Segment:
    """The segment of that id."""
    return next(segment for segment in result.segments if segment.id == segment_id)


#: Words of several scripts: composed and decomposed accents, a joiner, no spaces, emoji.
_WORDS = (
    "uma dois três Olá, não well-known C++ 3,5 cafe\u0301 नमस्ते می\u200cخواهم 東京は 你好。 สวัสดีครับ"
    " 👩\u200d👧 a a é"
).split()

words = st.sampled_from(_WORDS)
sentences = st.lists(words, min_size=1, max_size=6).map(" ".join)
speaker_ids = st.sampled_from(["S1", "S2", "Ana"])
times = st.integers(0, 400).map(lambda n: n / 4)


@st.composite
def segments_(draw: st.DrawFn, start_s: float) -> Segment:
    """A segment from there on, with words in time or without."""
    text = draw(sentences)
    length_s = draw(st.sampled_from([0.0, 0.25, 1.0, 4.0]))
    speaker = draw(st.none() | speaker_ids)
    timed = _timed(draw, text, start_s, length_s, speaker) if draw(st.booleans()) else ()
    return Segment(start_s, start_s + length_s, text, timed, -0.3, speaker=speaker)


def _timed(
    draw: st.DrawFn, text: str, start_s: float, length_s: float, speaker: str | None
) -> tuple[Word, ...]:
    """Words of a text in order, some of which take no time; pauses between them or none."""
    spans = chunks(text)
    cuts = sorted(draw(st.lists(st.integers(0, 16), min_size=len(spans) + 1, max_size=12)))
    edges = [start_s + length_s * cut / 16 for cut in cuts]
    return tuple(
        Word(edges[i], edges[i + 1], text[a:b], 0.5, speaker) for i, (a, b) in enumerate(spans)
    )


@st.composite
def documents(draw: st.DrawFn, min_size: int = 0, max_size: int = 5) -> Document:
    """Any document of an engine that keeps what holds of documents."""
    starts = sorted(draw(st.lists(times, min_size=min_size, max_size=max_size)))
    return engine_document(1, [draw(segments_(start_s)) for start_s in starts])


def _replace_text(draw: st.DrawFn, base: Document, segment_id: str) -> EditOperation:
    return ReplaceText(segment_id, draw(sentences))


def _split(draw: st.DrawFn, base: Document, segment_id: str) -> EditOperation:
    at_s = of(base, segment_id).start_s + 0.5 if base.segments and draw(st.booleans()) else None
    return SplitSegment(segment_id, draw(st.integers(0, 12)), at_s)


def _insert(draw: st.DrawFn, base: Document, segment_id: str) -> EditOperation:
    start_s, length_s = draw(times), draw(st.sampled_from([0.25, 3.0]))
    speaker = draw(st.none() | speaker_ids)
    return InsertSegment(start_s, start_s + length_s, draw(sentences), speaker)


def _set_times(draw: st.DrawFn, base: Document, segment_id: str) -> EditOperation:
    start_s = draw(times)
    return SetTimes(segment_id, start_s, start_s + draw(st.sampled_from([0.25, 2.0])))


def _set_speaker_of_words(draw: st.DrawFn, base: Document, segment_id: str) -> EditOperation:
    first = draw(st.integers(0, 3))
    end = first + draw(st.integers(1, 2))
    return SetSpeakerOfWords(segment_id, first, end, draw(speaker_ids))


def _rename(draw: st.DrawFn, base: Document, segment_id: str) -> EditOperation:
    return RenameSpeaker(draw(speaker_ids), draw(st.sampled_from(["Ana", "Rui", ""])))


def _merge_speakers(draw: st.DrawFn, base: Document, segment_id: str) -> EditOperation:
    return MergeSpeakers(draw(speaker_ids), draw(speaker_ids))


#: How operations on one segment are drawn.
_ON_ONE = (
    *(_replace_text, _split, _insert, _set_times, _set_speaker_of_words, _rename),
    _merge_speakers,
)

_ON_SEVERAL = (MergeSegments, DeleteSegments, SetSpeaker, ReplaceAll)


@st.composite
def operations(draw: st.DrawFn, base: Document, only: Sequence[str] = ()) -> EditOperation:
    """One operation on some segments of a document; it need not be possible."""
    known = list(only or ids(base)) or ["1.0"]
    kind = draw(st.sampled_from((*_ON_ONE, *_ON_SEVERAL)))
    first = draw(st.integers(0, len(known) - 1))
    if kind in _ON_ONE:
        return kind(draw, base, known[first])
    some = tuple(known[first : first + draw(st.integers(1, 2))])
    if kind is SetSpeaker:
        return SetSpeaker(some, draw(st.none() | speaker_ids))
    if kind is ReplaceAll:
        return ReplaceAll(draw(words), draw(words | st.just("")), segment_ids=some)
    return kind(some)
