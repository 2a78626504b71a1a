"""A segment with another text, in two, as one of several, at other times: what its words become.

Words that are in the text before and after keep their times, probability and speaker. Words that
change get times between their neighbours', in proportion to their characters, and no probability.
A segment whose words have no times gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from hybrid_transcribe.revisions.alignment import matches
from hybrid_transcribe.revisions.characters import (
    TextSpan,
    chunks,
    graphemes,
    is_unspaced,
    joined,
    may_divide,
    tokens,
)
from hybrid_transcribe.types import Segment, Word

#: Start and end, in seconds.
TimeSpan = tuple[float, float]


# ----------------------------------------------------------------- another text


def with_text(segment: Segment, text: str) -> Segment:
    """The segment with another text.

    What the engine said about its text as a whole holds no more, unless the text is the same.
    """
    if text == segment.text:
        return segment
    return replace(
        segment,
        text=text,
        words=_words_of(segment, text),
        avg_logprob=None,
        compression_ratio=None,
        temperature=None,
    )


@dataclass(frozen=True, slots=True)
class _TextWord:
    """A word of the new text and where it stands.

    ``old`` are the words of the text before that stand there whole; where it is exactly one of
    them, ``exact``.
    """

    span: TextSpan
    old: tuple[int, ...] = ()
    exact: bool = False


def _words_of(segment: Segment, text: str) -> tuple[Word, ...]:
    if not segment.words:
        return ()
    old, spans = _located(segment)
    places = _places(old, text)
    text_words = _text_words(old, spans, text, places)
    return tuple(_timed(segment, text, text_words))


def _places(old: str, text: str) -> list[int | None]:
    """Where each character of ``old`` is in ``text``, None where its token is not there."""
    old_tokens, new_tokens = tokens(old), tokens(text)
    result: list[int | None] = [None] * len(old)
    for i, j, size in matches(_texts(old, old_tokens), _texts(text, new_tokens)):
        for n in range(size):
            (a, a_end), (b, _) = old_tokens[i + n], new_tokens[j + n]
            result[a:a_end] = range(b, b + a_end - a)
    return result


def _texts(text: str, spans: Sequence[TextSpan]) -> list[str]:
    return [text[a:b] for a, b in spans]


def _text_words(
    old: str, spans: Sequence[TextSpan], text: str, places: Sequence[int | None]
) -> list[_TextWord]:
    """The words of the new text, in order."""
    same = [
        _TextWord((place, place + b - a), (i,), True)
        for i, (a, b) in enumerate(spans)
        if (place := _same_place(places, a, b)) is not None
    ]
    # Where two words met without a space, and do so in the new text.
    seams = {
        place + 1
        for (_, end), (start, _) in pairwise(span for span in spans if span[0] < span[1])
        if end == start and (place := _same_place(places, end - 1, end + 1)) is not None
    }
    result: list[_TextWord] = []
    n = 0
    for chunk in chunks(text):
        first = n
        while n < len(same) and same[n].span[0] < chunk[1]:
            n += 1
        within = [word for word in same[first:n] if word.span[1] <= chunk[1]]
        result += _of_chunk(text, _pieces(text, chunk, within), seams)
    return result


def _same_place(places: Sequence[int | None], a: int, b: int) -> int | None:
    """Where the characters from a to b are in the new text, if they are together there."""
    first = places[a] if a < b else None
    if first is None:
        return None
    return first if all(places[a + n] == first + n for n in range(b - a)) else None


def _pieces(text: str, chunk: TextSpan, same: Sequence[_TextWord]) -> Iterator[_TextWord]:
    """Words of the text before, and what is between them; of unspaced scripts by character."""
    reached, end = chunk
    for word in [*same, _TextWord((end, end))]:
        a, b = word.span
        yield from (_TextWord((reached + i, reached + j)) for i, j in _units(text[reached:a]))
        if a < b:
            yield word
        reached = b


def _units(text: str) -> Iterator[TextSpan]:
    if text.isascii():
        # Nearly all; with the others it is the same and takes longer.
        yield from [(0, len(text))] if text else ()
        return
    begin = 0
    for a, b in graphemes(text):
        if a > begin and (is_unspaced(text[a]) or is_unspaced(text[a - 1])):
            yield begin, a
            begin = a
        if b == len(text):
            yield begin, b


def _of_chunk(text: str, pieces: Iterable[_TextWord], seams: set[int]) -> list[_TextWord]:
    """Pieces between two spaces, those made one word that no seam divides."""
    result: list[_TextWord] = []
    for piece in pieces:
        start, end = piece.span
        if result and start not in seams and not may_divide(text, start):
            before = result[-1]
            result[-1] = _TextWord((before.span[0], end), (*before.old, *piece.old))
        else:
            result.append(piece)
    return result


# ------------------------------------------------------------------------ times


def _timed(segment: Segment, text: str, text_words: Sequence[_TextWord]) -> Iterator[Word]:
    """The new text's words with their times."""
    pending: list[_TextWord] = []
    reached = 0
    for item in text_words:
        if not item.old:
            pending.append(item)
            continue
        yield from _changed(segment, text, pending, range(reached, item.old[0]))
        pending, reached = [], item.old[-1] + 1
        word, last = segment.words[item.old[0]], segment.words[item.old[-1]]
        if item.exact:
            yield word
        else:
            end_s = max(word.end_s, last.end_s)
            yield Word(word.start_s, end_s, text[slice(*item.span)], None, word.speaker)
    yield from _changed(segment, text, pending, range(reached, len(segment.words)))


def _changed(
    segment: Segment, text: str, text_words: Sequence[_TextWord], lost: range
) -> Iterator[Word]:
    """Words instead of those of the text before that are gone."""
    words = [text[slice(*word.span)] for word in text_words]
    old = segment.words[lost.start : lost.stop]
    if len(old) == len(words):
        spans = [(word.start_s, word.end_s) for word in old]
    else:
        spans = spread(_room(segment, lost), [len(word) for word in words])
    for word, (start_s, end_s) in zip(words, spans, strict=True):
        yield Word(start_s, end_s, word, None, _speaker(segment, lost, (start_s, end_s)))


def _room(segment: Segment, lost: range) -> TimeSpan:
    """The time that the words ``lost`` took; where there are none, that between two words.

    Words may overlap a little; what comes in begins no later than the next word.
    """
    words = segment.words
    if lost:
        start_s, end_s = words[lost.start].start_s, words[lost.stop - 1].end_s
    else:
        start_s = words[lost.start - 1].end_s if lost.start > 0 else segment.start_s
        end_s = segment.end_s
    if lost.stop < len(words):
        next_s = words[lost.stop].start_s
        start_s, end_s = min(start_s, next_s), min(end_s, next_s) if lost else next_s
    return start_s, max(start_s, end_s)


def _speaker(segment: Segment, lost: range, span: TimeSpan) -> str | None:
    """Who spoke then: the old word there that is nearest, or beside it."""
    near = segment.words[lost.start : lost.stop] or segment.words[max(0, lost.start - 1) :][:2]
    middle_s = sum(span) / 2
    word = min(near, key=lambda w: max(w.start_s - middle_s, middle_s - w.end_s, 0.0))
    return word.speaker


def spread(room: TimeSpan, sizes: Sequence[int]) -> list[TimeSpan]:
    """Spans one after the other, in proportion to some sizes.

    >>> spread((1.0, 3.0), [1, 3])
    [(1.0, 1.5), (1.5, 3.0)]
    """
    start_s, end_s = room
    total = sum(sizes) or 1
    edges = [start_s + (end_s - start_s) * n / total for n in accumulate(sizes, initial=0)]
    edges[-1] = end_s if sizes else edges[-1]
    return list(pairwise(edges))


def timed_words(segment: Segment) -> tuple[Word, ...]:
    """Its words; where they have no times, with times in proportion to their characters."""
    if segment.words:
        return segment.words
    text = segment.text
    spans = [(a + i, a + j) for a, b in chunks(text) for i, j in _units(text[a:b])]
    times = spread((segment.start_s, segment.end_s), [b - a for a, b in spans])
    return tuple(
        Word(start_s, end_s, text[a:b], None, segment.speaker)
        for (a, b), (start_s, end_s) in zip(spans, times, strict=True)
    )


# ------------------------------------------------------------- words in the text


def _located(segment: Segment) -> tuple[str, list[TextSpan]]:
    """A text with all words of a segment, and where each is in it.

    It is the segment's own unless the words are others, as some engines' are.
    """
    text = segment.text
    solid = [i for i, c in enumerate(text) if not c.isspace()]
    solid_words = ["".join(word.text.split()) for word in segment.words]
    if "".join(solid_words) != "".join(text[i] for i in solid):
        return _spaced([word.text for word in segment.words])
    spans: list[TextSpan] = []
    reached = 0
    for word in solid_words:
        a, reached = reached, reached + len(word)
        spans.append((solid[a], solid[reached - 1] + 1) if word else _nothing(spans))
    return text, spans


def _spaced(words: Sequence[str]) -> tuple[str, list[TextSpan]]:
    ends = list(accumulate(len(word) + 1 for word in words))
    spans = [(end - len(word) - 1, end - 1) for word, end in zip(words, ends, strict=True)]
    return " ".join(words), spans


def _nothing(spans: Sequence[TextSpan]) -> TextSpan:
    end = spans[-1][1] if spans else 0
    return end, end


def word_spans(segment: Segment) -> list[TextSpan]:
    """Where each of its words is in its text; a word that is not there has no width."""
    text, spans = _located(segment)
    if text is segment.text:
        return spans
    places = _places(text, segment.text)
    result: list[TextSpan] = []
    for a, b in spans:
        there = [place for place in places[a:b] if place is not None]
        result.append((there[0], there[-1] + 1) if there else _nothing(result))
    return result


# ------------------------------------------------------- in two, as one, elsewhere


def split(segment: Segment, at_char: int, at_s: float | None = None) -> tuple[Segment, Segment]:
    """Two segments: the second's text begins at that character; both have text.

    ``at_s`` is where the one ends and the other begins; None takes the times of the words there,
    or goes by characters where they have none.
    """
    sides = _sides(segment, at_char)
    end_s, start_s = (at_s, at_s) if at_s is not None else _border(segment, at_char, sides)
    before = replace(segment, end_s=end_s, text=segment.text[:at_char].rstrip(), words=())
    after = replace(segment, start_s=start_s, text=segment.text[at_char:].lstrip(), words=())
    return (
        replace(before, words=tuple(clamped(sides[0], before.start_s, end_s))),
        replace(after, words=tuple(clamped(sides[1], start_s, after.end_s))),
    )


def _sides(segment: Segment, at_char: int) -> tuple[list[Word], list[Word]]:
    """The words before and after a character; the one that it falls into is divided."""
    before: list[Word] = []
    after: list[Word] = []
    next_starts = [*(word.start_s for word in segment.words[1:]), segment.end_s]
    for word, (a, b), next_s in zip(segment.words, word_spans(segment), next_starts, strict=False):
        if b <= at_char:
            before.append(word)
        elif a >= at_char:
            after.append(word)
        else:
            parts = (segment.text[a:at_char], segment.text[at_char:b])
            first, second = _halves(word, parts, next_s)
            before.append(first)
            after.append(second)
    return before, after


def _halves(word: Word, parts: tuple[str, str], next_s: float) -> tuple[Word, Word]:
    """A word in two; the second begins no later than the next word, which may overlap it."""
    first, second = parts
    at_s = spread((word.start_s, word.end_s), [len(first), len(second)])[0][1]
    at_s = max(word.start_s, min(at_s, next_s))
    return (
        Word(word.start_s, at_s, first.strip(), None, word.speaker),
        Word(at_s, max(at_s, word.end_s), second.strip(), None, word.speaker),
    )


def _border(segment: Segment, at_char: int, sides: tuple[list[Word], list[Word]]) -> TimeSpan:
    """Where the first part ends and the second begins."""
    before, after = sides
    start_s, end_s = segment.start_s, segment.end_s
    if not (before and after):
        at_s = spread((start_s, end_s), [at_char, len(segment.text) - at_char])[0][1]
        return at_s, at_s
    second_s = min(max(after[0].start_s, start_s), end_s)
    first_s = min(max(before[-1].end_s, start_s), second_s)
    return first_s, second_s


def clamped(words: Sequence[Word], start_s: float, end_s: float) -> Iterator[Word]:
    """Words within some time: what is outside is moved to its edge."""
    for word in words:
        begin_s = min(max(word.start_s, start_s), end_s)
        finish_s = min(max(word.end_s, begin_s), end_s)
        if (begin_s, finish_s) == (word.start_s, word.end_s):
            yield word
        else:
            yield replace(word, start_s=begin_s, end_s=finish_s)


def merged(segments: Sequence[Segment]) -> Segment:
    """One segment of several; the id is the first's, and the speaker the first that there is.

    Where one of them has words with times, all get such.
    """
    first = segments[0]
    speaker = next((s.speaker for s in segments if s.speaker is not None), None)
    text = first.text.strip()
    for segment in segments[1:]:
        text = joined(text, segment.text)
    return replace(
        first,
        start_s=min(s.start_s for s in segments),
        end_s=max(s.end_s for s in segments),
        text=text,
        words=tuple(_merged_words(segments, speaker)),
        speaker=speaker,
        compression_ratio=None,
        avg_logprob=_agreed([s.avg_logprob for s in segments]),
        no_speech_prob=_agreed([s.no_speech_prob for s in segments]),
        temperature=_agreed([s.temperature for s in segments]),
        language=first.language if len({s.language for s in segments}) == 1 else None,
    )


def _merged_words(segments: Sequence[Segment], speaker: str | None) -> Iterator[Word]:
    if not any(segment.words for segment in segments):
        return
    reached_s = 0.0
    for segment in segments:
        for word in timed_words(segment):
            # Of two who spoke at once, the second one's words come after the first one's.
            reached_s = max(reached_s, word.start_s)
            yield replace(
                word,
                start_s=reached_s,
                end_s=max(reached_s, word.end_s),
                speaker=_of(word, speaker),
            )


def _of(word: Word, speaker: str | None) -> str | None:
    return word.speaker if speaker is None else speaker


def _agreed(values: Sequence[float | None]) -> float | None:
    return values[0] if len(set(values)) == 1 else None


def with_times(segment: Segment, start_s: float, end_s: float) -> Segment:
    """The segment at another time; its words are moved along in proportion."""
    length_s = segment.end_s - segment.start_s
    if length_s > 0:
        scale = (end_s - start_s) / length_s
        words = [
            replace(
                word,
                start_s=start_s + (word.start_s - segment.start_s) * scale,
                end_s=start_s + (word.end_s - segment.start_s) * scale,
            )
            for word in segment.words
        ]
    else:
        times = spread((start_s, end_s), [len(word.text) for word in segment.words])
        words = [
            replace(word, start_s=a, end_s=b)
            for word, (a, b) in zip(segment.words, times, strict=True)
        ]
    return replace(
        segment, start_s=start_s, end_s=end_s, words=tuple(clamped(words, start_s, end_s))
    )


def with_speaker(segment: Segment, speaker: str | None) -> Segment:
    """The segment, and all its words, said by somebody else."""
    words = tuple(replace(word, speaker=speaker) for word in segment.words)
    return replace(segment, speaker=speaker, words=words)


def with_speaker_renamed(segment: Segment, speaker: str, into: str) -> Segment:
    """The segment with one speaker's id instead of another's; itself where that is not there."""
    if speaker not in (segment.speaker, *(word.speaker for word in segment.words)):
        return segment
    words = tuple(
        replace(word, speaker=into) if word.speaker == speaker else word for word in segment.words
    )
    return replace(
        segment, speaker=into if segment.speaker == speaker else segment.speaker, words=words
    )
