"""Text that openai-whisper seems to have invented in a silence, by its words' lengths.

The rules and figures are those of ``hallucination_silence_threshold`` in ``whisper.transcribe``
(version 20250625).
"""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_transcribe.engines.openai_whisper.pieces import WhisperWindow, WindowPiece, WindowWord

_PUNCTUATION = "\"'“¿([{-\"'.。,，!！?？:：”)]}、"

#: Only the first words of a segment are looked at.
_WORDS = 8

#: A word is odd when less probable, shorter or longer (s) than these.
_LEAST_PROBABILITY, _SHORTEST_S, _LONGEST_S = 0.15, 0.133, 2.0

#: What lies this close (s) to an edge of the window counts as beside a silence.
_EDGE_S = 2.0


def silence_before(pieces: Sequence[WindowPiece], window: WhisperWindow) -> float:
    """Seconds of the window before its first words where those look invented, else 0."""
    first = _next_spoken(pieces)
    return first.start - window.start_s if first is not None and _odd(first) else 0.0


def first_invented(
    pieces: Sequence[WindowPiece], window: WhisperWindow, longest_s: float, last_speech_s: float
) -> int | None:
    """Which piece is the first that looks invented between silences (or more inventions).

    ``longest_s`` is the silence to go by; ``last_speech_s`` is where speech ended before the
    window.
    """
    for i, piece in enumerate(pieces):
        if not piece.words:
            continue
        if _odd(piece):
            after = _next_spoken(pieces[i + 1 :])
            if _silent_before(piece, window, longest_s, last_speech_s) and _silent_after(
                piece, after, window, longest_s
            ):
                return i
        last_speech_s = piece.end
    return None


def _silent_before(
    piece: WindowPiece, window: WhisperWindow, longest_s: float, last_speech_s: float
) -> bool:
    return (
        piece.start - last_speech_s > longest_s
        or piece.start < longest_s
        or piece.start - window.start_s < _EDGE_S
    )


def _silent_after(
    piece: WindowPiece, after: WindowPiece | None, window: WhisperWindow, longest_s: float
) -> bool:
    next_s = window.start_s + window.length_s
    if after is not None and after.words:
        next_s = after.words[0].start
    return (
        next_s - piece.end > longest_s
        or (after is not None and _odd(after))
        or window.end_s - piece.end < _EDGE_S
    )


def _next_spoken(pieces: Sequence[WindowPiece]) -> WindowPiece | None:
    return next((piece for piece in pieces if piece.words), None)


def _odd(piece: WindowPiece) -> bool:
    """True when nearly all of its first words are odd, or a few are very odd."""
    words = [word for word in piece.words or () if word.word not in _PUNCTUATION][:_WORDS]
    oddness = sum(map(_oddness, words))
    return oddness >= 3 or oddness + 0.01 >= len(words)


def _oddness(word: WindowWord) -> float:
    length_s = word.end - word.start
    return (
        (word.probability < _LEAST_PROBABILITY)
        + max(0.0, _SHORTEST_S - length_s) * 15
        + max(0.0, length_s - _LONGEST_S)
    )
