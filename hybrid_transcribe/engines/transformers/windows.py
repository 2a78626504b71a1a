"""From what a window was decoded into to stretches with times, and where to look next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

#: What one step of Whisper's time tokens stands for.
STEP_S = 0.02


@dataclass(frozen=True, slots=True)
class TextPiece:
    """What was said between two times (s from the window's start).

    ``tokens`` are as decoded: those of times are among them.
    """

    start_s: float
    end_s: float
    tokens: tuple[int, ...]


def cut(
    tokens: Sequence[int], first_time: int, window_s: float, *, whole: bool = False
) -> tuple[list[TextPiece], float]:
    """The pieces of a window, and how far (s) the next window starts behind this one's start.

    Two time tokens in a row end one piece and begin another; the model writes one alone, at
    the very end, where nobody speaks after it (arXiv:2212.04356, section 3.8). Text behind the
    last pair was cut off by the window's end: it is left to the next window, which starts at
    that pair. ``whole`` keeps it, where no window follows. Without a pair all is one piece.
    """
    timed = [token >= first_time for token in tokens]
    pairs = [i for i in range(1, len(tokens)) if timed[i - 1] and timed[i]]
    closed = len(tokens) > 1 and timed[-1] and not timed[-2]
    pieces = [
        _piece(tokens[a:b], first_time, window_s) for a, b in pairwise([0, *pairs, len(tokens)])
    ]
    reached_s = _time_of(tokens[pairs[-1] - 1], first_time) if pairs else 0.0
    # A pair at the very start would have us look at the same window for ever.
    if whole or closed or reached_s <= 0:
        return pieces, window_s
    return pieces[:-1], min(reached_s, window_s)


def _piece(tokens: Sequence[int], first_time: int, window_s: float) -> TextPiece:
    """Where a time is missing it is the window's."""
    start_s, end_s = 0.0, window_s
    if tokens and tokens[0] >= first_time:
        start_s = _time_of(tokens[0], first_time)
    if len(tokens) > 1 and tokens[-1] >= first_time:
        end_s = _time_of(tokens[-1], first_time)
    # Beyond the sound there is padding, and the model may stamp it.
    start_s = min(start_s, window_s)
    return TextPiece(start_s, max(start_s, min(end_s, window_s)), tuple(tokens))


def _time_of(token: int, first_time: int) -> float:
    return round((token - first_time) * STEP_S, 2)
