"""Times of segments and words: inside their piece, in order, none squeezed to nothing, no silence.

Whisper gives a segment an end beyond what was decoded, or a start where its neighbour still
speaks. Clipping each in turn leaves the neighbour no length: a sentence of 90 characters became a
cue of 1 ms. So neighbours whose times leave one of them less than anybody can say it in share
their time by the length of their texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

T = TypeVar("T", bound=Any)

#: More characters a second than anybody says: fast English has 20 to 25.
CHARACTERS_PER_S = 40.0

#: Blocks in which levels are measured, in samples (20 ms).
BLOCK = RATE_HZ // 50

#: Kept of silence on either side of speech, which begins and ends softly, in seconds.
PAD_S = 0.15

#: Silence up to this at an edge stays as it is, in seconds.
LEAST_SILENCE_S = 0.3

#: Quieter than a stretch's loud parts by this (dB) is silence in any recording.
RANGE_DB = 40.0

#: Within this of the noise floor (dB) nobody speaks, unless speech itself is so near it that its
#: loud parts are no more than the second figure above.
FLOOR_DB, NEAR_DB = 6.0, 12.0

#: Seconds around a stretch in which the noise floor is looked for.
AROUND_S = 5.0


@dataclass(frozen=True, slots=True)
class Span:
    """A text's start and end in seconds, and its length in characters."""

    start_s: float
    end_s: float
    n_characters: int

    @property
    def least_s(self) -> float:
        """The shortest time in which it can be said."""
        return max(self.n_characters, 1) / CHARACTERS_PER_S


@dataclass(slots=True)
class _Group:
    """Neighbours that share their time."""

    start_s: float
    end_s: float
    members: list[Span] = field(default_factory=list)

    @property
    def least_s(self) -> float:
        return sum(span.least_s for span in self.members)


def fitted(spans: Sequence[Span], low_s: float, high_s: float) -> list[tuple[float, float]]:
    """Starts and ends in order, without overlap, from ``low_s`` to ``high_s``.

    Times that fit are kept. Whatever room there is goes to all that have to share it.
    """
    groups: list[_Group] = []
    for span in spans:
        start_s = min(max(span.start_s, low_s), high_s)
        groups.append(_Group(start_s, min(max(span.end_s, start_s), high_s), [span]))
        _join_squeezed(groups, high_s)
    if groups and high_s - groups[0].start_s < groups[0].least_s:
        groups[0].start_s = max(low_s, high_s - groups[0].least_s)
    result: list[tuple[float, float]] = []
    for i, group in enumerate(groups):
        next_s = groups[i + 1].start_s if i + 1 < len(groups) else high_s
        end_s = min(max(group.end_s, group.start_s + group.least_s), next_s)
        result += _shares(group, end_s)
    return result


def within(segments: Sequence[T], low_s: float, high_s: float) -> list[T]:
    """Segments shaped like the library's, with their times `fitted`; words keep theirs."""
    times = fitted([span_of(segment) for segment in segments], low_s, high_s)
    return [
        replace(segment, start=start_s, end=end_s)
        for segment, (start_s, end_s) in zip(segments, times, strict=True)
    ]


def span_of(raw: Any) -> Span:
    """The span of a segment shaped like the library's."""
    return Span(float(raw.start), float(raw.end), len(raw.text.strip()))


def _join_squeezed(groups: list[_Group], high_s: float) -> None:
    """Join the last group to the one before while one of both has less room than it needs."""
    while len(groups) > 1:
        before, last = groups[-2:]
        room_s = last.start_s - before.start_s
        if room_s >= before.least_s and high_s - last.start_s >= last.least_s:
            return
        before.end_s = max(before.end_s, last.end_s)
        before.members += last.members
        groups.pop()


def _shares(group: _Group, end_s: float) -> list[tuple[float, float]]:
    """The members' times: their own where there is one, by the length of their texts else."""
    if len(group.members) == 1:
        return [(group.start_s, end_s)]
    needs = np.cumsum([0.0, *(span.least_s for span in group.members)])
    edges = group.start_s + (end_s - group.start_s) * needs / needs[-1]
    return [(float(a), float(b)) for a, b in pairwise(edges)]


class Levels:
    """How loud a clip is over time, for finding silence at the edges of what was said."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    @cached_property
    def _db(self) -> npt.NDArray[np.float64]:
        """Level of every block in dB, without the recording's direct current."""
        rows = self._samples[: len(self._samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
        squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64) / BLOCK
        power = squares - rows.mean(axis=1, dtype=np.float64) ** 2
        return np.asarray(10 * np.log10(np.maximum(power, 0.0) + 1e-12))

    def without_silence(self, start_s: float, end_s: float) -> tuple[float, float]:
        """The stretch without silence at its edges; as it is where all of it is alike."""
        first, last = (int(t * RATE_HZ / BLOCK) for t in (start_s, end_s))
        levels = self._db[first:last]
        if not len(levels):
            return start_s, end_s
        loud = np.flatnonzero(levels >= self._threshold_db(levels, first, last))
        if not len(loud):
            return start_s, end_s
        begin_s = (first + loud[0]) * BLOCK / RATE_HZ
        stop_s = (first + loud[-1] + 1) * BLOCK / RATE_HZ
        if begin_s - start_s > LEAST_SILENCE_S:
            start_s = begin_s - PAD_S
        if end_s - stop_s > LEAST_SILENCE_S:
            end_s = stop_s + PAD_S
        return float(start_s), float(end_s)

    def pauses(self, start_s: float, end_s: float, least_s: float) -> list[tuple[float, float]]:
        """Silent stretches of at least ``least_s`` that touch this part, in order, whole."""
        first, last = (int(t * RATE_HZ / BLOCK) for t in (max(start_s, 0.0), end_s))
        around = int(AROUND_S * RATE_HZ / BLOCK)
        low, high = max(first - around, 0), last + around
        levels = self._db[first:last]
        if not len(levels):
            return []
        silent = self._db[low:high] < self._threshold_db(levels, first, last)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], silent.astype(np.int8), [0]])))
        block_s = BLOCK / RATE_HZ
        runs = [((low + a) * block_s, (low + b) * block_s) for a, b in edges.reshape(-1, 2)]
        return [
            (float(a), float(b)) for a, b in runs if b - a >= least_s and b > start_s and a < end_s
        ]

    def _threshold_db(self, levels: npt.NDArray[np.float64], first: int, last: int) -> float:
        margin = int(AROUND_S * RATE_HZ / BLOCK)
        floor = np.percentile(self._db[max(0, first - margin) : last + margin], 10)
        loud = np.percentile(levels, 98)
        return float(min(max(floor + FLOOR_DB, loud - RANGE_DB), loud - NEAR_DB))
