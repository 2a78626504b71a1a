"""The language of each piece of a recording in several languages, smoothed over its neighbours.

Whisper finds some language in everything, music and a single "hm" included. So a piece that is
short, disputed or unsure takes the language of a neighbour that is sure: of the two, the one that
is more probable in the piece itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

#: A language with at least this probability is sure. On clips in English, Portuguese and Spanish
#: cut at pauses, base was wrong in 5 of 63 pieces: at most 0.79.
SURE = 0.8

#: Of the candidates together: where they are less probable than all other languages, none of
#: them is sure, however much more probable than the rest it is.
LEAST_CANDIDATES = 0.5

#: Pieces with less speech than this are never sure, in seconds.
LEAST_SURE_S = 1.5

#: Unsure pieces that wait for a sure one behind them, at most: their encodings are in memory.
MAX_PENDING = 8


@dataclass(frozen=True, slots=True)
class DetectedLanguages:
    """Probabilities (0..1) of languages in a piece. ``reliable``: it may decide for others."""

    probabilities: Mapping[str, float]
    reliable: bool = True

    @property
    def best(self) -> tuple[str, float]:
        """The most probable language with its probability."""
        return max(self.probabilities.items(), key=lambda item: item[1])

    @property
    def is_sure(self) -> bool:
        """Whether the piece decides its own language and that of unsure neighbours."""
        return self.reliable and self.best[1] >= SURE


def among(
    probabilities: Mapping[str, float], candidates: Collection[str], reliable: bool = True
) -> DetectedLanguages:
    """The probabilities of the candidates alone; of all languages where there are none.

    >>> among({"zh": 0.2, "pt": 0.6, "en": 0.2}, ("pt", "en")).best[0]
    'pt'
    """
    chosen = {code: p for code, p in probabilities.items() if code in candidates}
    if not candidates:
        return DetectedLanguages(probabilities, reliable)
    total = sum(chosen.values())
    if total <= 0.0:
        return DetectedLanguages(dict.fromkeys(candidates, 1.0 / len(candidates)), False)
    shares = {code: p / total for code, p in chosen.items()}
    return DetectedLanguages(shares, reliable and total >= LEAST_CANDIDATES)


class LanguageSmoother:
    """Decides the language of each piece; detections may come in any order.

    ``language`` stands before the first piece, where one was given. Not for several threads.
    """

    def __init__(self, language: str | None = None) -> None:
        self._before = language
        self._detected: dict[int, DetectedLanguages] = {}
        self._pending: list[tuple[int, DetectedLanguages]] = []
        self._next = 0
        self._n_pieces: int | None = None
        #: The language that was decided first, with its probability (0..1); None before that.
        self.first: tuple[str, float] | None = None

    def add(self, index: int, detected: DetectedLanguages) -> list[tuple[int, str]]:
        """The pieces whose language is now decided, by number, in order."""
        self._detected[index] = detected
        return self._advance()

    def close(self, n_pieces: int) -> list[tuple[int, str]]:
        """As `add`; there are so many pieces and no more."""
        self._n_pieces = n_pieces
        return self._advance()

    def _advance(self) -> list[tuple[int, str]]:
        decided: list[tuple[int, str]] = []
        while self._next in self._detected:
            entry = self._detected.pop(self._next)
            self._pending.append((self._next, entry))
            self._next += 1
            if entry.is_sure:
                decided += self._decide(entry.best)
            elif len(self._pending) >= MAX_PENDING:
                decided += self._decide(None)
        if self._next == self._n_pieces:
            decided += self._decide(None)
        return decided

    def _decide(self, after: tuple[str, float] | None) -> list[tuple[int, str]]:
        """The languages of all that wait; ``after`` is the last one's where it is sure."""
        pending, self._pending = self._pending, []
        if not pending:
            return []
        surest = max((d for _, d in pending), key=lambda d: (d.reliable, d.best[1])).best
        neighbours = [code for code in (self._before, after and after[0]) if code]
        if self.first is None:
            self.first = after or surest
        if after is not None:
            self._before = after[0]
        return [(index, _language(d, neighbours or [surest[0]])) for index, d in pending]


def _language(detected: DetectedLanguages, neighbours: Collection[str]) -> str:
    if detected.is_sure:
        return detected.best[0]
    return max(neighbours, key=lambda code: detected.probabilities.get(code, 0.0))
