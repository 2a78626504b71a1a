"""How wrong turns are: the diarisation error rate, and wrong words with their speakers.

Counted as NIST and pyannote.metrics count: overlapped speech counts once for each speaker, and a
collar is left out around every edge of the reference, half of it on either side.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tests.engines.mistakes import Edits, edits

#: All of the collar, in s: 0.125 on either side of an edge.
COLLAR_S = 0.25


class TurnLike(Protocol):
    """Somebody speaks from one moment (s) to another."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def speaker(self) -> Hashable: ...


@dataclass(frozen=True, slots=True)
class DiarizationErrors:
    """Seconds that are missed, made up and given to somebody else, and those spoken in all."""

    missed_s: float = 0.0
    false_alarm_s: float = 0.0
    confused_s: float = 0.0
    spoken_s: float = 0.0

    @property
    def rate(self) -> float:
        """The diarisation error rate, in per cent."""
        wrong = self.missed_s + self.false_alarm_s + self.confused_s
        return 100 * wrong / self.spoken_s if self.spoken_s else (100.0 if wrong else 0.0)

    def __add__(self, other: DiarizationErrors) -> DiarizationErrors:
        return DiarizationErrors(
            self.missed_s + other.missed_s,
            self.false_alarm_s + other.false_alarm_s,
            self.confused_s + other.confused_s,
            self.spoken_s + other.spoken_s,
        )


def errors(
    reference: Sequence[TurnLike], turns: Sequence[TurnLike], collar_s: float = COLLAR_S
) -> DiarizationErrors:
    """The errors under the best assignment of speakers, each to one of the reference or none."""
    names, others = _names(reference), _names(turns)
    lengths, spoken, claimed = _sampled(reference, turns, names, others, collar_s)
    together = (spoken * lengths[:, None]).T @ claimed
    matched = np.zeros(len(lengths))
    for i, j in assignment(together):
        matched += spoken[:, i] * claimed[:, j]
    n_spoken, n_claimed = spoken.sum(axis=1), claimed.sum(axis=1)
    return DiarizationErrors(
        missed_s=float(lengths @ np.maximum(n_spoken - n_claimed, 0)),
        false_alarm_s=float(lengths @ np.maximum(n_claimed - n_spoken, 0)),
        confused_s=float(lengths @ (np.minimum(n_spoken, n_claimed) - matched)),
        spoken_s=float(lengths @ n_spoken),
    )


def n_speakers(turns: Sequence[TurnLike]) -> int:
    """Speakers of turns."""
    return len(_names(turns))


def _names(turns: Sequence[TurnLike]) -> list[Hashable]:
    return list(dict.fromkeys(turn.speaker for turn in turns))


def _sampled(
    reference: Sequence[TurnLike],
    turns: Sequence[TurnLike],
    names: Sequence[Hashable],
    others: Sequence[Hashable],
    collar_s: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Length of every stretch between two edges (0 within a collar), and who speaks in it."""
    borders = {edge for turn in reference for edge in (turn.start_s, turn.end_s)}
    edges = sorted(
        borders
        | {edge + side * collar_s / 2 for edge in borders for side in (-1, 1)}
        | {edge for turn in turns for edge in (turn.start_s, turn.end_s)}
    )
    middles = np.array([(a + b) / 2 for a, b in pairwise(edges)])
    lengths = np.array([b - a for a, b in pairwise(edges)])
    for border in borders:
        lengths[np.abs(middles - border) < collar_s / 2] = 0
    return lengths, _activity(reference, names, middles), _activity(turns, others, middles)


def _activity(
    turns: Sequence[TurnLike], names: Sequence[Hashable], at: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    active = np.zeros((len(at), len(names)))
    for turn in turns:
        active[(at > turn.start_s) & (at < turn.end_s), names.index(turn.speaker)] = 1
    return active


def assignment(gain: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (row, column) with the largest sum of gains, each row and column in one at most.

    Exact, by trying every set of rows for the columns so far: for few rows or few columns.
    """
    if gain.shape[0] > gain.shape[1]:
        return [(i, j) for j, i in assignment(gain.T)]
    n_rows, n_columns = gain.shape

    @cache
    def best(column: int, rows: int) -> tuple[float, tuple[tuple[int, int], ...]]:
        if column == n_columns or not rows:
            return 0.0, ()
        choices = [best(column + 1, rows)]
        for i in range(n_rows):
            if rows >> i & 1:
                value, pairs = best(column + 1, rows & ~(1 << i))
                choices.append((value + float(gain[i, column]), (*pairs, (i, column))))
        return max(choices, key=lambda choice: choice[0])

    return list(best(0, (1 << n_rows) - 1)[1])


def speaker_word_errors(reference: Mapping[str, str], texts: Mapping[str, str]) -> Edits:
    """Edits under the assignment of speakers that needs fewest (for cpWER).

    ``reference`` and ``texts`` are all that each speaker says, joined. Who is assigned to nobody
    has said too much, or was left out.
    """
    names, others = list(reference), list(texts)
    size = max(len(names), len(others))
    said = [reference[name] for name in names] + [""] * (size - len(names))
    written = [texts[other] for other in others] + [""] * (size - len(others))
    table = [[_edits(a, b) for b in written] for a in said]
    wrong = np.array([[float(cell.wrong) for cell in row] for row in table])
    pairs = assignment(1e9 - wrong)
    return sum((table[i][j] for i, j in pairs), Edits())


def _edits(reference: str, text: str) -> Edits:
    if reference.strip():
        return edits(reference, text)
    extra = edits(text, " ").words if text.strip() else 0
    return Edits(insertions=extra)
