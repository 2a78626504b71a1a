"""Segments from the words of a transcript: at the ends of sentences, pauses and turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hybrid_transcribe.engines.common.grouping import grouped
from hybrid_transcribe.types import Segment, Word

#: A pause this long ends a segment whatever the words say, in seconds.
PAUSE_S = 1.0

#: A sentence shorter than this goes on: "Dr." and "Yes." are no lines of their own.
SHORT_S = 1.0

#: Longest segment, in seconds: what a person can still read along.
LONGEST_S = 30.0

# Also the full stop, question and exclamation marks of Chinese, Hindi and Arabic.
_ENDS = (".", "?", "!", "…", "\u3002", "\uff1f", "\uff01", "\u0964", "\u061f")
_AFTER_THE_END = "\"'”’»)]』」"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word and where its text lies in the passage it is from (start, end), if it was found."""

    word: Word
    place: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and its words: a whole transcript, or one turn of a speaker."""

    text: str
    words: Sequence[Spoken]

    def reads(self, first: int, last: int) -> str:
        """What the words from ``first`` to ``last`` read as in the text, spaces or none."""
        begin, end = self.words[first].place, self.words[last].place
        if begin is None or end is None:
            return " ".join(spoken.word.text for spoken in self.words[first : last + 1])
        return self.text[begin[0] : end[1]].strip()


def segments(transcript: Any, duration_s: float, with_words: bool) -> list[Segment]:
    """Segments of the SDK's `TranscriptResponse`, in order, none past the recording's end."""
    turns = transcript.utterances or ()
    passages = [_passage(turn.text, turn.words, turn.speaker) for turn in turns]
    if not passages:
        passages = [_passage(transcript.text or "", transcript.words or (), None)]
    items = list(chain.from_iterable(_cut(passage, with_words) for passage in passages))
    if not items and (transcript.text or "").strip():
        items = [Segment(0.0, duration_s, transcript.text.strip())]
    # Two may speak at once.
    return list(_in_order(sorted(items, key=lambda s: s.start_s), duration_s))


def _passage(text: str, words: Sequence[Any], speaker: str | None) -> Passage:
    spoken, at = [], 0
    for theirs in words:
        if not theirs.text.strip():
            continue
        said = theirs.text.strip()
        begin = text.find(said, at) if at >= 0 else -1
        # One that is not there would lead all behind it astray.
        at = begin + len(said) if begin >= 0 else -1
        word = Word(
            start_s=theirs.start / 1000.0,
            end_s=theirs.end / 1000.0,
            text=said,
            probability=theirs.confidence,
            speaker=theirs.speaker or speaker,
        )
        spoken.append(Spoken(word, (begin, at) if begin >= 0 else None))
    return Passage(text, spoken)


def _cut(passage: Passage, with_words: bool) -> Iterator[Segment]:
    words = [spoken.word for spoken in passage.words]
    first = 0
    for group in grouped(words, _goes_on):
        last = first + len(group) - 1
        yield Segment(
            group[0].start_s,
            group[-1].end_s,
            passage.reads(first, last),
            tuple(group) if with_words else (),
            speaker=group[0].speaker,
        )
        first = last + 1


def _goes_on(segment: Sequence[Word], word: Word) -> bool:
    """Whether a word belongs to the segment before it."""
    first, last = segment[0], segment[-1]
    if word.speaker != last.speaker or word.start_s - last.end_s >= PAUSE_S:
        return False
    if last.text.rstrip(_AFTER_THE_END).endswith(_ENDS):
        return last.end_s - first.start_s < SHORT_S
    return word.end_s - first.start_s <= LONGEST_S


def _in_order(result: Sequence[Segment], duration_s: float) -> Iterator[Segment]:
    """Times as they came, but never backwards, overlapping or past the end."""
    reached_s = 0.0
    for segment in result:
        start_s = min(max(segment.start_s, reached_s), duration_s)
        end_s = min(max(segment.end_s, start_s), duration_s)
        reached_s = end_s
        yield Segment(
            start_s,
            end_s,
            segment.text,
            tuple(_words_in_order(segment.words, start_s, end_s)),
            speaker=segment.speaker,
        )


def _words_in_order(words: Sequence[Word], start_s: float, end_s: float) -> Iterator[Word]:
    reached_s = start_s
    for word in words:
        begin_s = min(max(word.start_s, reached_s), end_s)
        reached_s = min(max(word.end_s, begin_s), end_s)
        yield Word(begin_s, reached_s, word.text, word.probability, word.speaker)
