"""A library's segments into ours: plain values, in order, inside the clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hybrid_transcribe.engines.common.times import Levels, Samples, Span, fitted, span_of
from hybrid_transcribe.engines.common.word_edges import at_pauses
from hybrid_transcribe.types import RATE_HZ, Segment, Word


class SegmentNormalizer:
    """Turns segments shaped like faster-whisper's into ours, one clip's in order.

    One segment is held back until the next is known, or `flush`: only then is it certain that
    its end does not reach into what comes.
    """

    def __init__(self, samples: Samples) -> None:
        self._levels = Levels(samples)
        self._duration_s = len(samples) / RATE_HZ
        self._pending: Any = None
        #: Where the last segment ended, in seconds.
        self.reached_s = 0.0

    def add(self, raw: Any) -> Iterator[Segment]:
        """The segment before this one."""
        before, self._pending = self._pending, raw
        if before is not None:
            spans = [span_of(before), span_of(raw)]
            (start_s, end_s), (next_s, _) = fitted(spans, *self._room())
            yield self._segment(before, start_s, end_s, next_s)

    def flush(self, until_s: float | None = None) -> Iterator[Segment]:
        """The last segment; it was decoded from audio that ends at ``until_s``."""
        raw, self._pending = self._pending, None
        if raw is not None:
            low_s, high_s = self._room()
            if until_s is not None:
                high_s = max(min(high_s, until_s), low_s)
            ((start_s, end_s),) = fitted([span_of(raw)], low_s, high_s)
            yield self._segment(raw, start_s, end_s, high_s)

    def _room(self) -> tuple[float, float]:
        return min(self.reached_s, self._duration_s), self._duration_s

    def _segment(self, raw: Any, start_s: float, end_s: float, next_s: float) -> Segment:
        low_s, self.reached_s = self.reached_s, end_s
        start_s, end_s = self._levels.without_silence(start_s, end_s)
        words = _words(raw.words or (), start_s, end_s)
        spans = [Span(w.start_s, w.end_s, len(w.text)) for w in words]
        times = at_pauses(spans, self._levels, low_s, next_s)
        if times:
            start_s, end_s = min(start_s, times[0][0]), max(end_s, times[-1][1])
            self.reached_s = max(self.reached_s, end_s)
        return Segment(
            start_s=start_s,
            end_s=end_s,
            text=raw.text.strip(),
            words=tuple(
                replace(word, start_s=a, end_s=b) for word, (a, b) in zip(words, times, strict=True)
            ),
            avg_logprob=_number(raw.avg_logprob),
            no_speech_prob=_number(raw.no_speech_prob),
            compression_ratio=_number(raw.compression_ratio),
            temperature=_number(raw.temperature),
            language=getattr(raw, "language", None),
        )


def _words(raw_words: Sequence[Any], start_s: float, end_s: float) -> tuple[Word, ...]:
    spans = [Span(float(w.start), float(w.end), len(w.word.strip())) for w in raw_words]
    times = fitted(spans, start_s, end_s)
    return tuple(
        Word(word_start_s, word_end_s, raw.word.strip(), _number(raw.probability))
        for raw, (word_start_s, word_end_s) in zip(raw_words, times, strict=True)
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
