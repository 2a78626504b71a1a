"""A library's segments into ours: plain values, in order, inside the clip."""

from __future__ import annotations

from typing import Any

from hybrid_transcribe.types import Segment, Word


class Tidy:
    """Turns segments shaped like faster-whisper's into ours, one clip's in order.

    Times are kept as they come unless they would overlap, run backwards or pass the end.
    """

    def __init__(self, duration_s: float) -> None:
        self._duration_s = duration_s
        #: Where the last segment ended, in seconds.
        self.reached_s = 0.0

    def __call__(self, raw: Any) -> Segment | None:
        """The segment, or None when it says nothing."""
        start_s = self._within(float(raw.start), self.reached_s, self._duration_s)
        end_s = self._within(float(raw.end), start_s, self._duration_s)
        self.reached_s = end_s
        if not raw.text.strip():
            return None
        return Segment(
            start_s=start_s,
            end_s=end_s,
            text=raw.text.strip(),
            words=self._words(raw.words or (), start_s, end_s),
            avg_logprob=_number(raw.avg_logprob),
            no_speech_prob=_number(raw.no_speech_prob),
            compression_ratio=_number(raw.compression_ratio),
            temperature=_number(raw.temperature),
        )

    def _words(self, words: Any, start_s: float, end_s: float) -> tuple[Word, ...]:
        tidied, reached_s = [], start_s
        for word in words:
            from_s = self._within(float(word.start), reached_s, end_s)
            to_s = self._within(float(word.end), from_s, end_s)
            tidied.append(Word(from_s, to_s, word.word.strip(), _number(word.probability)))
            reached_s = to_s
        return tuple(tidied)

    @staticmethod
    def _within(value: float, low: float, high: float) -> float:
        return min(max(value, low), high)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
