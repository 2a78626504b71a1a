"""Tokens to words, and when each was said.

The method is openai-whisper's (its ``timing.py``): some of the decoder's attention heads look
at the moment of the audio a token comes from, and the cheapest way through their weights,
token by token and never back in time, says when each token begins.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

#: Seconds of sound an encoder position stands for.
POSITION_S = 0.02

#: Languages written without spaces between words: every character stands for itself.
UNSPACED = frozenset(("zh", "ja", "th", "lo", "my", "yue", "km", "bo"))

#: A word is shortened to this many times the usual one: the path has nowhere else to put a
#: pause. The usual one is never taken for longer than the second figure (s).
_LONGEST, _USUAL_S = 2.0, 0.7

_OPENING = frozenset("\"'“‘¿¡([{«「『（-—")


@dataclass(frozen=True, slots=True)
class Alignment:
    """When the tokens of a window begin, and how likely each was.

    Attributes:
        starts_s: seconds from the window's start, shape (n_tokens + 1,); the last is the end.
        probabilities: 0..1, shape (n_tokens,).
    """

    starts_s: Array
    probabilities: Array


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word shaped like faster-whisper's; times in s."""

    start: float
    end: float
    word: str
    probability: float


def starts_of(weights: Array) -> Array:
    """Where each row begins (s) on the way of greatest weight; weights are (rows, positions).

    The way goes from the first row and position to the last, one step at a time: to the next
    row, the next position, or both (dynamic time warping).
    """
    total = _totals(-weights)
    row, column = weights.shape
    first = np.zeros(row, dtype=np.int64)
    while row > 0:
        first[row - 1] = column - 1
        # The one step back that was cheapest; `total` has a border of its own.
        steps = (total[row - 1, column - 1], total[row - 1, column], total[row, column - 1])
        cheapest = int(np.argmin(steps))
        row, column = row - (cheapest != 2), column - (cheapest != 1)
    starts_s: Array = first.astype(np.float64) * POSITION_S
    return starts_s


def _totals(cost: Array) -> Array:
    """Least cost of reaching each cell, with a border of infinity before the first ones."""
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for row in range(rows):
        above = np.minimum(total[row, :-1], total[row, 1:])
        # Along a row each cell may be entered from above at any cell before it: with running
        # sums that is a running minimum, and no loop.
        along = np.cumsum(cost[row])
        total[row + 1, 1:] = along + np.minimum.accumulate(above - along + cost[row])
    return total


def words_of(
    tokens: Sequence[int],
    alignment: Alignment,
    offset: int,
    read: Callable[[Sequence[int]], str],
    language: str | None,
) -> list[TimedWord]:
    """The words of text tokens that begin at place ``offset`` of an alignment."""
    words, at = [], offset
    for text, count in group(tokens, read, spaced=language not in UNSPACED):
        start_s, end_s = alignment.starts_s[at], alignment.starts_s[at + count]
        sure = alignment.probabilities[at : at + count].mean()
        words.append(TimedWord(float(start_s), float(end_s), text, float(sure)))
        at += count
    return _shortened(words)


def group(
    tokens: Sequence[int], read: Callable[[Sequence[int]], str], *, spaced: bool
) -> list[tuple[str, int]]:
    """Words as they are written, each with its number of tokens; none is lost."""
    words: list[tuple[str, int]] = []
    for text, count in _characters(tokens, read):
        begins = not words or (text[:1].isspace() if spaced else not _is_closing(text))
        if begins and not (words and _is_opening(words[-1][0])):
            words.append((text, count))
        else:
            words[-1] = (words[-1][0] + text, words[-1][1] + count)
    return _without_lone_marks(words)


def _characters(
    tokens: Sequence[int], read: Callable[[Sequence[int]], str]
) -> list[tuple[str, int]]:
    """Text that ends with a whole character: some take several tokens."""
    result, waiting = [], []
    for token in tokens:
        waiting.append(token)
        text = read(waiting)
        if "\ufffd" not in text:
            result.append((text, len(waiting)))
            waiting = []
    if waiting:
        result.append((read(waiting), len(waiting)))
    return result


def _without_lone_marks(words: list[tuple[str, int]]) -> list[tuple[str, int]]:
    kept: list[tuple[str, int]] = []
    for text, count in words:
        if kept and _is_mark(text):
            kept[-1] = (kept[-1][0] + text, kept[-1][1] + count)
        else:
            kept.append((text, count))
    return kept


def _is_mark(text: str) -> bool:
    return all(unicodedata.category(c)[0] in "PSZ" for c in text)


def _is_opening(text: str) -> bool:
    return bool(text.strip()) and all(c in _OPENING for c in text.strip())


def _is_closing(text: str) -> bool:
    return _is_mark(text) and not _is_opening(text)


def _shortened(words: list[TimedWord]) -> list[TimedWord]:
    """Pauses taken off words: before the first of a piece, behind any other."""
    lengths = [w.end - w.start for w in words if w.end > w.start]
    longest_s = _LONGEST * min(_USUAL_S, median(lengths)) if lengths else 0.0
    return [_cut_to(word, longest_s, first=n == 0) for n, word in enumerate(words)]


def _cut_to(word: TimedWord, longest_s: float, *, first: bool) -> TimedWord:
    if word.end - word.start <= longest_s:
        return word
    if first:
        return TimedWord(word.end - longest_s, word.end, word.word, word.probability)
    return TimedWord(word.start, word.start + longest_s, word.word, word.probability)
