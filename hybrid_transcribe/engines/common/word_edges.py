"""Word edges beside pauses, where the sound says better than the decoder where a word ends.

Whisper's word times come from its attention, and are early or late by a tenth of a second, each
model in its way (base on read speech: 130 ms early, tiny.en: 60 ms late), more so beside a pause:
a word reaches into it, or leaves its own end to it. Loudness shows such an edge to 20 ms. Edges
within connected speech stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_transcribe.engines.common.times import Levels, Span, fitted

#: Shorter silence may be a consonant's (the closure of a plosive takes 50 to 100 ms), in s.
LEAST_PAUSE_S = 0.15

#: How far beyond a segment's own edge a word's sound may go on, in s.
REACH_S = 0.3

Times = tuple[float, float]


def at_pauses(words: Sequence[Span], levels: Levels, low_s: float, high_s: float) -> list[Times]:
    """Times of a segment's words, in order, with the edges beside pauses moved to the sound's.

    A pause parts the words at its middle. The last word before it ends where it begins, the first
    behind it begins where it ends. The first word may begin and the last may end up to `REACH_S`
    outside of what was given, but not outside of ``low_s`` and ``high_s``.
    """
    if not words:
        return []
    first_s, last_s = words[0].start_s - REACH_S, words[-1].end_s + REACH_S
    pauses = levels.pauses(max(first_s, low_s), min(last_s, high_s), LEAST_PAUSE_S)
    starts, ends = [word.start_s for word in words], [word.end_s for word in words]
    behind = [_first_behind(words, pause) for pause in pauses]
    for (_, end_s), i in zip(pauses, behind, strict=True):
        starts[i:] = [max(start_s, end_s) for start_s in starts[i:]]
        if i < len(words):
            starts[i] = end_s
    for (start_s, _), i in reversed(list(zip(pauses, behind, strict=True))):
        ends[:i] = [min(end_s, start_s) for end_s in ends[:i]]
        if i:
            ends[i - 1] = start_s
    moved = [
        Span(start_s, max(end_s, start_s), word.n_characters)
        for start_s, end_s, word in zip(starts, ends, words, strict=True)
    ]
    return fitted(moved, low_s, high_s)


def _first_behind(words: Sequence[Span], pause: Times) -> int:
    """Index of the first word whose middle lies behind the middle of the pause."""
    middle = sum(pause) / 2
    behind = (i for i, w in enumerate(words) if (w.start_s + w.end_s) / 2 > middle)
    return next(behind, len(words))
