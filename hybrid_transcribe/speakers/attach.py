"""Words and segments get their speakers from turns. No text is lost.

Each word goes to whoever speaks during most of it; a change of speaker costs a little, less behind
a pause or at the end of a sentence, so that a word at the edge of a turn, or one that two people
speak over, stays with its neighbours, while "yes" said between two words of another stays with
who said it. Segments are split where the speaker changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.speakers.turns import Turn
from hybrid_transcribe.types import Segment, Speaker, Word

#: A word that nobody speaks over goes to the nearest turn within so many seconds.
REACH_S = 0.5

#: What a change of speaker costs, in shares of a word: between words without a pause, and behind
#: the end of a sentence. It falls to nothing at a pause of ``PAUSE_S``.
CHANGE_COST, SENTENCE_COST, PAUSE_S = 0.3, 0.1, 0.4

_SENTENCE_END = re.compile(r"[.?!…。？！]['\"»”’)\]]*$")

#: Least length of a word, in s: some engines give words none.
_LEAST_S = 0.02

#: Languages without spaces: a "word" of theirs is one character.
_SPACELESS = frozenset({"zh", "ja", "th", "lo", "my", "km", "yue"})


def attach(
    segments: Sequence[Segment],
    turns: Sequence[Turn],
    language: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Document:
    """The segments with their speakers, split where the speaker changes.

    ``names`` are those of speakers who were recognised.

    The first part of a segment keeps its id, further ones have none yet. Words of a segment that
    has none are assumed to be spread evenly over it, to find where to split; they are not kept.
    """
    labelled = list(_labelled(segments, turns, language))
    spoken = {segment.speaker for segment in labelled}
    ids = [speaker for speaker in _by_first_turn(turns) if speaker in spoken]
    speakers = tuple(Speaker(speaker, (names or {}).get(speaker, "")) for speaker in ids)
    labelled.sort(key=lambda segment: segment.start_s)
    return Document(tuple(labelled), speakers)


def _by_first_turn(turns: Iterable[Turn]) -> list[str]:
    return list(dict.fromkeys(t.speaker for t in sorted(turns, key=lambda t: t.start_s)))


def _labelled(
    segments: Sequence[Segment], turns: Sequence[Turn], language: str | None
) -> Iterator[Segment]:
    words = [segment.words or _even_words(segment, language) for segment in segments]
    labels = iter(speakers_of_words([word for row in words for word in row], turns))
    for segment, row in zip(segments, words, strict=True):
        yield from _split(segment, row, [next(labels) for _ in row])


# ---------------------------------------------------------------------------------- words


def speakers_of_words(words: Sequence[Word], turns: Sequence[Turn]) -> list[str | None]:
    """Who says each word; None where nobody speaks within `REACH_S` of it or its neighbours.

    Words are in the order of the text. The labels are the best path (Viterbi) by shares of the
    words less the cost of changes.
    """
    names = _by_first_turn(turns)
    if not names or not words:
        return [None] * len(words)
    shares = _shares(words, turns, names)
    costs = [_change_cost(a, b) for a, b in pairwise(words)]
    path = _best_path(shares, costs)
    near = shares.max(axis=1) > 0
    return [names[label] if near[i] else None for i, label in enumerate(path)]


def _shares(
    words: Sequence[Word], turns: Sequence[Turn], names: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Which share of each word each speaker speaks over, shape (n_words, n_speakers).

    Where nobody does, the nearest turn counts, the less the farther it is.
    """
    shares = np.zeros((len(words), len(names)))
    starts = np.array([word.start_s for word in words])
    ends = np.maximum(np.array([word.end_s for word in words]), starts + _LEAST_S)
    nearness = np.zeros_like(shares)
    for turn in turns:
        column = names.index(turn.speaker)
        overlap = np.minimum(ends, turn.end_s) - np.maximum(starts, turn.start_s)
        shares[:, column] += np.maximum(overlap, 0) / (ends - starts)
        near = np.maximum(0, 1 + np.minimum(overlap, 0) / REACH_S)
        nearness[:, column] = np.maximum(nearness[:, column], near)
    alone = shares.sum(axis=1) == 0
    shares[alone] = 0.5 * nearness[alone]
    return shares


def _change_cost(word: Word, following: Word) -> float:
    cost = SENTENCE_COST if _SENTENCE_END.search(word.text) else CHANGE_COST
    pause_s = max(following.start_s - word.end_s, 0.0)
    return cost * max(0.0, 1 - pause_s / PAUSE_S)


def _best_path(shares: npt.NDArray[np.float64], costs: Sequence[float]) -> list[int]:
    scores = shares[0].copy()
    came_from = []
    for row, cost in zip(shares[1:], costs, strict=True):
        best = int(scores.argmax())
        changed = scores[best] - cost
        stays = scores >= changed
        came_from.append(np.where(stays, np.arange(len(scores)), best))
        scores = np.where(stays, scores, changed) + row
    path = [int(scores.argmax())]
    for origin in reversed(came_from):
        path.append(int(origin[path[-1]]))
    return path[::-1]


# ------------------------------------------------------------------------------- segments


@dataclass(frozen=True, slots=True)
class _WordRun:
    """Words of one speaker: from one to another, exclusive."""

    speaker: str | None
    first: int
    end: int


def _split(
    segment: Segment, words: Sequence[Word], labels: Sequence[str | None]
) -> Iterator[Segment]:
    if not words:
        yield replace(segment, speaker=None)
        return
    labels = _filled(labels)
    parts = [
        _WordRun(speaker, row[0], row[-1] + 1)
        for speaker, group in groupby(range(len(labels)), key=lambda i: labels[i])
        for row in [list(group)]
    ]
    offsets = word_offsets(segment.text, [word.text for word in words])
    if offsets is None:
        parts = [_WordRun(_most(words, labels), 0, len(words))]
        offsets = [0] * len(words)
    for i, part in enumerate(parts):
        yield _cut(segment, words, offsets, part, i == 0, i == len(parts) - 1)


def _filled(labels: Sequence[str | None]) -> list[str | None]:
    """Words of nobody go with the word before them in their segment, else with the next."""
    result: list[str | None] = []
    first = next((label for label in labels if label is not None), None)
    for label in labels:
        result.append(label if label is not None else (result[-1] if result else first))
    return result


def _most(words: Sequence[Word], labels: Sequence[str | None]) -> str | None:
    """Who speaks longest."""
    seconds: dict[str | None, float] = {}
    for word, label in zip(words, labels, strict=True):
        seconds[label] = seconds.get(label, 0.0) + max(word.end_s - word.start_s, _LEAST_S)
    return max(seconds, key=lambda label: seconds[label])


def _cut(
    segment: Segment,
    words: Sequence[Word],
    offsets: Sequence[int],
    part: _WordRun,
    first: bool,
    last: bool,
) -> Segment:
    begin = 0 if first else offsets[part.first]
    end = len(segment.text) if last else offsets[part.end]
    start_s = segment.start_s if first else words[part.first].start_s
    end_s = segment.end_s if last else words[part.end - 1].end_s
    own = tuple(replace(word, speaker=part.speaker) for word in words[part.first : part.end])
    whole = first and last
    return replace(
        segment,
        start_s=start_s,
        end_s=max(start_s, end_s),
        text=segment.text if whole else segment.text[begin:end].strip(),
        words=own if segment.words else (),
        speaker=part.speaker,
        id=segment.id if first else "",
    )


def word_offsets(text: str, words: Sequence[str]) -> list[int] | None:
    """Where each word begins in the text; None where they are not its words in order."""
    offsets = []
    position = 0
    for word in words:
        start = text.find(word, position)
        if start < 0 or not word:
            return None
        offsets.append(start)
        position = start + len(word)
    return offsets


def _even_words(segment: Segment, language: str | None) -> tuple[Word, ...]:
    """The words of a text, as long as they have characters."""
    spaceless = (segment.language or language or "") in _SPACELESS
    texts = re.findall(r"\S" if spaceless else r"\S+", segment.text)
    total = sum(len(text) for text in texts)
    length_s = segment.end_s - segment.start_s
    words, done = [], 0
    for text in texts:
        edges = [segment.start_s + length_s * n / total for n in (done, done + len(text))]
        words.append(Word(edges[0], edges[1], text))
        done += len(text)
    return tuple(words)
